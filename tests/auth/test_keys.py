"""Another key signs, and nobody notices."""

import asyncio
from datetime import timedelta
from uuid import UUID

import jwt
import pytest
from eventually import eventually
from stories import done
from system import Person, System

from sav_auth import keys
from sav_auth.keys import KNOWN_AFTER, announce, signer
from sav_chassis.envelope import Context
from sav_chassis.identity import Signer, new_key
from sav_chassis.testing import Stage
from sav_chassis.tx import transaction
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.policy import SigningKeyAdded

OLD, OLD_PUBLIC = new_key()
NEW, NEW_PUBLIC = new_key()
CONTEXT = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=UUID(int=7))


async def start(stage: Stage, private: str) -> list[str]:
    """Auth starts with these keys; answers which are announced from then on."""
    settings = stage.settings.model_copy(update={"signing_key": private})
    async with transaction(stage.database, settings, CONTEXT, lambda _: None) as tx:
        await announce(tx)
    return [event.state.key_id for event in await stage._since(0) if isinstance(event, SigningKeyAdded)]


async def signs(stage: Stage, private: str) -> str:
    """The id of the key that signs just now."""
    settings = stage.settings.model_copy(update={"signing_key": private})
    async with transaction(stage.database, settings, CONTEXT, lambda _: None) as tx:
        return (await signer(tx)).key_id


async def publish(stage: Stage) -> None:
    """What the relay does."""
    await stage.database.pool.execute("DELETE FROM outbox")


async def test_every_key_is_announced_once_the_newest_last(stage: Stage) -> None:
    assert await start(stage, OLD) == [*OLD_PUBLIC]
    assert await start(stage, NEW + OLD) == [*OLD_PUBLIC, *NEW_PUBLIC]
    assert await start(stage, NEW + OLD) == [*OLD_PUBLIC, *NEW_PUBLIC]


async def test_two_replicas_that_start_at_once_announce_a_key_once(stage: Stage) -> None:
    settings = stage.settings.model_copy(update={"signing_key": OLD})
    async with transaction(stage.database, settings, CONTEXT, lambda _: None) as tx:
        await announce(tx)
        second = asyncio.create_task(start(stage, OLD))
        await eventually(lambda: stage.database.pool.fetch("SELECT FROM pg_locks WHERE NOT granted"))
    assert await second == [*OLD_PUBLIC]


async def test_an_event_of_a_key_holds_no_secret(stage: Stage) -> None:
    await start(stage, OLD)
    [event] = await stage._since(0)
    assert "PRIVATE" not in event.model_dump_json()
    assert isinstance(event, SigningKeyAdded)
    assert event.state.pem == OLD_PUBLIC[event.state.key_id]


async def test_the_only_key_signs_from_the_first_moment(stage: Stage) -> None:
    assert await signs(stage, OLD) == next(iter(OLD_PUBLIC))


async def test_a_new_key_signs_when_everybody_had_time_to_hear_of_it(stage: Stage) -> None:
    await start(stage, NEW + OLD)
    await publish(stage)
    assert await signs(stage, NEW + OLD) == next(iter(OLD_PUBLIC))
    await stage.passes(KNOWN_AFTER + timedelta(seconds=1))
    assert await signs(stage, NEW + OLD) == next(iter(NEW_PUBLIC))


async def test_a_new_key_does_not_sign_while_its_news_is_still_here(stage: Stage) -> None:
    await start(stage, NEW + OLD)
    await stage.passes(timedelta(minutes=5))
    assert await signs(stage, NEW + OLD) == next(iter(OLD_PUBLIC))
    await publish(stage)
    assert await signs(stage, NEW + OLD) == next(iter(NEW_PUBLIC))


def key_of(person: Person) -> str:
    return str(jwt.get_unverified_header(person.token)["kid"])


async def test_nobody_is_signed_out_when_the_key_changes(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads and commands with tokens of both keys, all the while."""
    monkeypatch.setattr(keys, "KNOWN_AFTER", timedelta(seconds=0.5))
    early, old = await system.client(), system.settings.signing_key
    works_on, refused = True, []

    async def work() -> None:
        while works_on:
            for who in (early, *later):
                for answer in (await who.get("/me"), await who.get("/slots")):
                    refused.extend([answer] if answer.status_code == 401 else [])
            await asyncio.sleep(0.02)

    later: list[Person] = []
    working = asyncio.create_task(work())
    await system.stop("auth")
    settings, system.settings = system.settings, system.settings.model_copy(update={"signing_key": NEW + old})
    try:
        await system.start("auth")

        async def signed_in_with_the_new_one() -> bool:
            later.append(await system.sign_in(early.email))
            return key_of(later[-1]) in NEW_PUBLIC

        await eventually(signed_in_with_the_new_one, 15)
        assert key_of(early) == Signer(old).key_id
        await asyncio.sleep(0.1)
    finally:
        system.settings = settings
        await system.stop("auth")
        await system.start("auth")
        works_on = False
        await working
    assert refused == []
    for who in (early, later[-1]):
        done(await who.get("/me"))
        assert (await who.get("/slots")).status_code != 401
    published = done(await system.http.get("/.well-known/jwks.json"))["keys"]
    assert {*NEW_PUBLIC, Signer(old).key_id} <= {key["kid"] for key in published}
