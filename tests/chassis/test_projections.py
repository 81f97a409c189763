"""Projections: fed in batches with the events that they declare, together with the mirror, in one transaction."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest
import toy
from aio_pika.abc import AbstractChannel
from eventually import eventually
from toy import BoxFilled, BoxMade, LidMade
from toy_asking import OnStage, rows
from toy_broker import dead_letters, declare, send

from sav_chassis import backoff
from sav_chassis.process.runner import serving
from sav_chassis.service import Service
from sav_chassis.testing import enveloped
from sav_chassis.views import RecordedEvent

NOTE = "INSERT INTO seen (id, subject, version, by) SELECT gen_random_uuid(), $1, $2, 'facts'"
SEEN = "SELECT subject, version FROM seen ORDER BY position"


class Facts:
    """Toys that mirror lids and note facts about boxes; what is poisonous to the projection fails."""

    def __init__(self) -> None:
        self.service: Service = toy.usual()
        self.service.mirror(toy.LidView)
        self.service.project(BoxMade, BoxFilled, into="seen")(self.facts)
        self.poison: dict[UUID, Exception] = {}
        self.batches: list[list[str]] = []

    async def facts(self, connection: asyncpg.Connection, told: Sequence[RecordedEvent]) -> None:
        self.batches.append([type(event).__name__ for _, event in told])
        for envelope, event in told:
            await connection.execute(NOTE, envelope.subject, event.state.version)
        for envelope, _ in told:
            if envelope.subject in self.poison:
                raise self.poison[envelope.subject]


def lid_made() -> LidMade:
    return LidMade(state=toy.lid(500))


def test_the_views_queue_takes_what_is_mirrored_and_what_is_projected() -> None:
    bare, declared = (service.bindings()["toy.views"] for service in (toy.bare(), Facts().service))
    assert set(declared) - set(bare) == {"toy.BoxFilled.v1", "toy.BoxMade.v1", "toy.LidMade.v1"}


def test_every_service_keeps_keys_and_policies() -> None:
    kept = {
        "auth.SigningKeyAdded.v1",
        "auth.SigningKeyChanged.v1",
        "auth.PolicySet.v1",
        "auth.PolicyChanged.v1",
    }
    assert kept <= set(toy.bare().bindings()["toy.views"])


async def test_a_projection_is_given_its_events_in_one_batch_and_no_others(on_stage: OnStage) -> None:
    facts = Facts()
    stage = await on_stage(facts.service)
    made = BoxMade(state=toy.filled(100, 1).state)
    await stage.projects(made, lid_made(), toy.filled(100, 2))
    await stage.projects(lid_made())
    assert facts.batches == [["BoxMade", "BoxFilled"]]
    assert await rows(stage, SEEN) == [(UUID(int=100), 1), (UUID(int=100), 2)]


async def test_only_what_is_mirrored_is_copied(on_stage: OnStage) -> None:
    stage = await on_stage(Facts().service)
    await stage.projects(lid_made(), toy.filled(100, 2))
    assert await rows(stage, "SELECT kind FROM view") == [("lid",)]


async def test_a_batch_that_fails_leaves_neither_facts_nor_copies(on_stage: OnStage) -> None:
    facts = Facts()
    stage = await on_stage(facts.service)
    facts.poison = {UUID(int=101): ZeroDivisionError()}
    with pytest.raises(ZeroDivisionError):
        await stage.projects(lid_made(), toy.filled(100, 2), toy.filled(101, 2))
    assert await rows(stage, SEEN) == []
    assert await rows(stage, "SELECT kind FROM view") == []


@pytest.mark.parametrize("error", [ZeroDivisionError(), ConnectionRefusedError()])
async def test_one_bad_event_does_not_keep_the_others_from_being_projected(
    on_stage: OnStage, channel: AbstractChannel, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "pause", lambda *how: 0.01)
    facts = Facts()
    await declare(channel, facts.service)
    await dead_letters(channel)
    stage = await on_stage(facts.service)
    facts.poison = {UUID(int=105): error}
    told = [enveloped(toy.filled(number, 2)) for number in range(100, 110)]
    await send(channel, "toy.views", *told, enveloped(lid_made()))
    async with serving(facts.service, stage.settings):
        await eventually(lambda: rows(stage, "SELECT version FROM seen OFFSET 8"), seconds=20)
        await eventually(lambda: rows(stage, "SELECT kind FROM view"), seconds=20)
        [letter] = await eventually(lambda: dead_letters(channel), seconds=20)
    assert letter.message_id == str(told[5].id)
    assert len(facts.batches[0]) > 1
    assert sorted(subject.int for subject, _ in await rows(stage, SEEN)) == [
        number for number in range(100, 110) if number != 105
    ]
