"""A token that was taken away is refused although it has not expired: by command, by event, in any order."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
import toy
import world
from toy import Box, BoxView, Fill, FindTotal, Total
from toy_asking import OnStage, ask, rows

from sav_chassis.errors import Problem
from sav_chassis.events.projections import project_batch
from sav_chassis.identity import Signer
from sav_chassis.testing import Stage, enveloped
from sav_chassis.tx import Tx
from sav_contracts import message_types
from sav_contracts.actor import Actor
from sav_contracts.messages import RequestMessage, Revokes
from sav_ops import rooms

FILL = Fill(box_id=UUID(int=100))
SESSION, OTHER_SESSION = UUID(int=500), UUID(int=501)
REVOKED = "SELECT subject FROM revoked ORDER BY subject"


class BoxLocked(Revokes[BoxView]):
    owner: ClassVar[str] = "toy"


@pytest.fixture(scope="module", autouse=True)
def locking_is_catalogued(toys_are_catalogued: None) -> Iterator[None]:
    message_types.EVENTS[BoxLocked.type_name()] = BoxLocked
    yield
    del message_types.EVENTS[BoxLocked.type_name()]


@pytest.fixture
async def stage(on_stage: OnStage) -> Stage:
    """Toys whose boxes lock somebody out when they are filled up."""
    toys = toy.bare()
    toys.command(Fill)(lock_out)
    toys.query(FindTotal)(find_total)
    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    return stage


async def lock_out(cmd: Fill, tx: Tx, by: Actor) -> Box:
    box = await tx.load(Box, cmd.box_id, by)
    tx.emit(box, BoxLocked(revoked=(cmd.helper_id,) if cmd.helper_id else ()))
    return box


async def find_total(query: FindTotal, tx: Tx, by: Actor) -> Total:
    return Total(filled=0)


def locked(*subjects: UUID) -> BoxLocked:
    return BoxLocked(state=toy.filled(100, 1).state, revoked=subjects)


def token(stage: Stage, by: Actor = world.lea, session: UUID | None = SESSION) -> str:
    return Signer(stage.settings.signing_key).token(by.model_copy(update={"session": session}))


async def problem(stage: Stage, token: str, message: RequestMessage[Any] = FILL) -> Problem | None:
    return (await stage.command_server.answer(ask(stage, message, token=token))).problem


async def refuses(stage: Stage, token: str, message: RequestMessage[Any] = FILL) -> bool:
    refused = await problem(stage, token, message)
    return refused is not None and (refused.status, refused.detail) == (401, "The session has ended")


async def test_whoever_is_revoked_is_out_with_the_commit(stage: Stage) -> None:
    mine, another = token(stage), token(stage, session=OTHER_SESSION)
    assert await problem(stage, token(stage), FILL.model_copy(update={"helper_id": SESSION})) is None
    assert await refuses(stage, mine)
    assert await refuses(stage, mine, FindTotal())
    assert await problem(stage, another) is None


@pytest.mark.parametrize("subject", [SESSION, world.lea.id], ids=["session", "person"])
async def test_news_of_it_refuses_the_tokens_from_before_and_no_others(stage: Stage, subject: UUID) -> None:
    before, pauls = token(stage), token(stage, world.paul, session=None)
    await stage.projects(locked(subject))
    await asyncio.sleep(
        0.002
    )  # a token tells its time in milliseconds; one of the same millisecond is refused
    after = token(stage)
    assert await refuses(stage, before)
    assert await problem(stage, after, FindTotal()) is None
    assert await problem(stage, pauls, FindTotal()) is None


async def test_what_was_answered_before_is_not_answered_again_to_whom_is_revoked(stage: Stage) -> None:
    mine = ask(stage, FILL, token=token(stage), key="once")
    assert (await stage.command_server.answer(mine)).problem is None
    await stage.projects(locked(SESSION))
    refused = (await stage.command_server.answer(mine)).problem
    assert refused
    assert refused.status == 401


async def test_older_news_that_comes_later_takes_nothing_back(stage: Stage) -> None:
    early = enveloped(locked(SESSION)).model_copy(update={"at": datetime.now(UTC) - timedelta(minutes=1)})
    mine = token(stage)
    late = enveloped(locked(SESSION))
    for batch in ([late, early], [early]):
        await project_batch(stage.service, stage.database, [(one, one.event()) for one in batch])
        assert await refuses(stage, mine)


async def test_what_no_token_can_be_as_old_as_is_forgotten(stage: Stage) -> None:
    long_ago = enveloped(locked(SESSION, OTHER_SESSION)).model_copy(
        update={"at": datetime.now(UTC) - timedelta(hours=1)}
    )
    await project_batch(stage.service, stage.database, [(long_ago, long_ago.event())])
    assert await rows(stage, REVOKED) == [(SESSION,), (OTHER_SESSION,)]
    await stage.projects(locked(OTHER_SESSION, world.lea.id))
    assert await rows(stage, REVOKED) == [(world.lea.id,), (OTHER_SESSION,)]


async def test_anybody_without_a_token_may_go_on(stage: Stage) -> None:
    await stage.projects(locked(uuid4(), SESSION))
    outcome = await stage.when(FILL)
    assert outcome.problem
    assert outcome.problem.detail == "Sign in first"


def test_every_service_hears_of_it_without_saying_so() -> None:
    assert BoxLocked.type_name() in toy.bare().bindings()["toy.views"]
    revoking = {event.type_name() for event in message_types.EVENTS.values() if issubclass(event, Revokes)}
    for name in rooms.SERVICES:
        assert revoking <= set(rooms.load(name).bindings()[f"{name}.views"])
