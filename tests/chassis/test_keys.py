"""A key that auth announces is known without a restart, and one that is not used any more is forgotten."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import toy
import world
from toy import FindTotal, Total
from toy_asking import OnStage, ask

from sav_chassis.commands import keys
from sav_chassis.errors import NotSignedIn
from sav_chassis.identity import OUTLIVED, Signer, UnknownKey, Verifier, new_key
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import SigningKeyAdded, SigningKeyView

OLD, OLD_PUBLIC = new_key()
NEW, NEW_PUBLIC = new_key()


def added(private: str, ago: timedelta = timedelta()) -> SigningKeyView:
    signer, at = Signer(private), datetime.now(UTC) - ago
    return SigningKeyView(
        id=UUID(signer.key_id * 2),
        version=1,
        created_at=at,
        updated_at=at,
        key_id=signer.key_id,
        pem=signer.public_pem,
    )


@pytest.fixture
async def stage(on_stage: OnStage) -> Stage:
    toys = toy.bare()
    toys.query(FindTotal)(find_total)
    return await on_stage(toys)


async def find_total(query: FindTotal, tx: Tx, by: Actor) -> Total:
    return Total(filled=0)


async def status(stage: Stage, private: str) -> int:
    token = Signer(private).token(world.lea)
    problem = (await stage.command_server.answer(ask(stage, FindTotal(), token=token))).problem
    return problem.status if problem else 200


async def test_a_service_takes_tokens_of_a_key_that_was_announced(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await status(stage, NEW) == 401
    await stage.projects(SigningKeyAdded(state=added(NEW)))
    assert await status(stage, NEW) == 401, "it has just looked"
    monkeypatch.setattr(keys, "UNKNOWN_AFTER", 0.0)
    assert await status(stage, NEW) == 200
    assert await status(stage, stage.settings.signing_key) == 200


async def test_a_service_drops_a_key_that_is_not_used_any_more(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "STALE_AFTER", 0.0)
    await stage.knows(added(OLD, timedelta(days=1)))
    assert await status(stage, OLD) == 200
    await stage.knows(added(NEW, timedelta(seconds=OUTLIVED - 5)))
    assert await status(stage, OLD) == 200, "tokens of it may still be valid"
    await stage.database.pool.execute("DELETE FROM view")
    await stage.knows(added(OLD, timedelta(days=1)), added(NEW, timedelta(seconds=OUTLIVED)))
    assert await status(stage, OLD) == 401
    assert await status(stage, NEW) == 200


def test_a_token_is_not_remembered_longer_than_its_key_is_good() -> None:
    verifier, token = Verifier({}), Signer(OLD).token(world.lea, seconds=3600)
    verifier.learn([added(OLD, timedelta(days=1))])
    assert verifier.actor(token).id == world.lea.id
    verifier.learn([added(OLD, timedelta(days=1)), added(NEW, timedelta(seconds=OUTLIVED))])
    with pytest.raises(UnknownKey):
        verifier.actor(token)
    verifier.learn([added(OLD, timedelta(days=1)), added(NEW, timedelta(seconds=OUTLIVED - 0.2))])
    assert verifier.actor(token).id == world.lea.id
    time.sleep(0.3)
    with pytest.raises(NotSignedIn):
        verifier.actor(token)


def test_a_key_of_the_settings_is_never_dropped() -> None:
    verifier = Verifier(OLD_PUBLIC)
    verifier.learn([added(OLD, timedelta(days=2)), added(NEW, timedelta(days=1))])
    assert verifier.key_ids == OLD_PUBLIC.keys() | NEW_PUBLIC.keys()
    assert verifier.actor(Signer(OLD).token(world.lea)).id == world.lea.id


def test_whose_tokens_are_revoked_is_looked_up_for_remembered_tokens_too() -> None:
    verifier = Verifier(OLD_PUBLIC)
    lea = world.lea.model_copy(update={"session": UUID(int=5)})
    token = Signer(OLD).token(lea)
    assert verifier.actor(token).session == lea.session
    for subject in (lea.id, UUID(int=5)):
        verifier.revoked = {subject: datetime.now(UTC)}
        with pytest.raises(NotSignedIn, match="ended"):
            verifier.actor(token)
    verifier.revoked = {lea.id: datetime.now(UTC) - timedelta(minutes=1)}
    assert verifier.actor(token).id == lea.id
