"""What every replica of the edge knows within a second: whose tokens are revoked, which keys sign, what admins decided."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from aio_pika.abc import AbstractChannel
from eventually import eventually
from given_views import a
from stories import done
from system import Person, System, door
from toy_broker import send

from sav_chassis.database import Database, opened
from sav_chassis.identity import Signer, Verifier, new_key
from sav_chassis.process.runner import connected
from sav_chassis.revocations import revoke
from sav_chassis.testing import enveloped
from sav_contracts import message_types
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.auth.policy import Cors, RateLimits, SigningKeyAdded, SigningKeyView
from sav_contracts.messages import Revokes
from sav_edge.live_settings import LiveSettings

# Every replica's ear, those of the system too.
CUT = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%kind IN (''signing_key'', ''policy'')%'"""

FROM_ANOTHER_RELEASE = """
WITH refused AS (UPDATE view SET doc = jsonb_set(doc::jsonb, '{value,sign_ins}', '0')::json WHERE id = $1 RETURNING *)
INSERT INTO view (kind, id, version, open, created_at, updated_at, doc)
SELECT kind, $2, 1, open, created_at, updated_at, jsonb_set(doc::jsonb, '{name}', '"robots"')::json FROM refused"""


class Locked(Revokes[AccountView]):
    """Somebody is out, for a reason that is nobody's here."""

    owner: ClassVar[str] = "auth"


@pytest.fixture(scope="module", autouse=True)
def locking_is_catalogued() -> Any:
    message_types.EVENTS[Locked.type_name()] = Locked
    yield
    del message_types.EVENTS[Locked.type_name()]


@pytest.fixture
async def channel(system: System) -> AsyncIterator[AbstractChannel]:
    async with connected(system.settings, "live tests") as connection, connection.channel() as channel:
        yield channel


async def lock(system: System, channel: AbstractChannel, who: Person) -> None:
    """The edge hears that this person's tokens are revoked; one of its replicas does."""
    [row] = await system.sql(
        "edge", "SELECT doc::text FROM view WHERE kind = 'account' AND id = $1", UUID(who.id)
    )
    view = AccountView.model_validate_json(row["doc"]).model_copy(update={"version": 0})
    await send(channel, "edge.views", enveloped(Locked(state=view, revoked=(UUID(who.id),))))


async def is_out(who: Person) -> bool:
    answer = await who.get("/me")
    return (answer.status_code, answer.json().get("detail")) == (401, "The session has ended")


async def test_whoever_is_revoked_is_out_at_every_door_and_after_a_restart(
    system: System, channel: AbstractChannel
) -> None:
    lea, paul = await system.client(), await system.client()
    async with door(system.settings) as second:
        at_the_second = replace(lea, http=second)
        done(await lea.get("/me"))
        done(await at_the_second.get("/me"))
        await lock(system, channel, lea)
        await eventually(partial(is_out, lea))
        await eventually(partial(is_out, at_the_second))
        done(await replace(paul, http=second).get("/me"))
        done(await (await system.sign_in(lea.email)).get("/me"))
    async with door(system.settings) as third:
        assert await is_out(replace(lea, http=third))


@asynccontextmanager
async def replicas(
    system: System, number: int, look: float = 0.5
) -> AsyncIterator[list[tuple[LiveSettings, Verifier, Database]]]:
    """What so many replicas of the edge keep in memory."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(number):
            database = await stack.enter_async_context(opened(system.settings, "edge"))
            verifier = Verifier(system.settings.public_keys)
            live = LiveSettings(database, verifier, look)
            await live.start()
            stack.push_async_callback(live.stop)
            made.append((live, verifier, database))
        yield made


def locked(subject: UUID) -> Locked:
    return Locked.model_construct(state=a(AccountView, subject, user_id=subject), revoked=(subject,))


async def test_a_replica_that_hears_nothing_looks_and_finds_its_ear_again(system: System) -> None:
    """Nobody tells it; then its connection is cut."""
    async with replicas(system, 1) as [(_, verifier, database)]:

        async def knows(subject: UUID) -> bool:
            return subject in verifier.revoked

        for cut in (False, True):
            subject = uuid4()
            if cut:
                assert await database.pool.fetch(CUT)
            envelope = enveloped(locked(subject))
            await revoke(database.pool, [(envelope, locked(subject))])
            await eventually(partial(knows, subject))


async def test_a_replica_is_told_at_once(system: System) -> None:
    """Well before it would look by itself."""
    async with replicas(system, 2, look=60) as [(teller, _, database), (_, verifier, _)]:
        subject = uuid4()

        async def knows() -> bool:
            # Again and again: it may have just begun to listen.
            envelope = enveloped(locked(subject))
            await revoke(database.pool, [(envelope, locked(subject))])
            await teller.tell([(envelope, locked(subject))])
            return subject in verifier.revoked

        await eventually(knows)


async def test_a_policy_is_in_force_at_every_replica(system: System) -> None:
    admin = await system.admin()
    async with replicas(system, 2) as made:
        assert made[0][0].policy(RateLimits).anyone == RateLimits().anyone
        done(await admin.ask("PUT", "/policies/cors", json={"value": {"origins": ["https://shop.example"]}}))
        try:
            for live, _, _ in made:

                async def allows(live: LiveSettings = live) -> bool:
                    return live.policy(Cors).origins == ("https://shop.example",)

                await eventually(allows)
        finally:
            done(await admin.ask("PUT", "/policies/cors", json={"value": {}}))
    [policy] = done(await admin.get("/policies", name="cors"))["items"]
    history = done(await admin.get(f"/policies/{policy['id']}/timeline"))["items"]
    assert [(line["by_id"], line["facts"]["were"]) for line in history[-2:]] == [
        (admin.id, {"origins": []}),
        (admin.id, {"origins": ["https://shop.example"]}),
    ]


async def test_a_policy_that_todays_bounds_refuse_is_as_it_comes_and_one_that_nobody_knows_is_passed_over(
    system: System, caplog: pytest.LogCaptureFixture
) -> None:
    [[kept]] = await system.sql("edge", "SELECT doc::text FROM view WHERE id = $1", RateLimits.id())
    stranger = uuid4()
    async with replicas(system, 1) as [(live, _, _)]:
        try:
            await system.sql("edge", FROM_ANOTHER_RELEASE, RateLimits.id(), stranger)

            async def warned() -> bool:
                return any("policy rate_limits has its defaults" in line for line in caplog.messages)

            await eventually(warned)
            done(await (await system.client()).get("/me"))
            assert live.policy(RateLimits) == RateLimits()
        finally:
            await system.sql("edge", "UPDATE view SET doc = $2::json WHERE id = $1", RateLimits.id(), kept)
            await system.sql("edge", "DELETE FROM view WHERE id = $1", stranger)


async def test_every_policy_is_listed_before_anybody_set_one(system: System) -> None:
    admin = await system.admin()
    listed = done(await admin.get("/policies"))["items"]
    assert {"rate_limits", "cors", "cut_offs", "buffers", "sla_targets", "dunning"} == {
        policy["name"] for policy in listed
    }


async def test_a_key_that_auth_announces_is_taken_without_a_restart(
    system: System, channel: AbstractChannel
) -> None:
    lea = await system.client()
    private, [key_id] = (made := new_key())[0], [*made[1]]
    actor = Actor(id=UUID(lea.id), role=Role.CLIENT)
    mine = replace(lea, token=Signer(private).token(actor))
    assert (await mine.get("/me")).status_code == 401
    now = datetime.now(UTC)
    view = SigningKeyView(
        id=uuid4(), version=1, created_at=now, updated_at=now, key_id=key_id, pem=made[1][key_id]
    )
    await send(channel, "edge.views", enveloped(SigningKeyAdded(state=view)))

    async def is_taken() -> bool:
        return (await mine.get("/me")).status_code == 200

    try:
        await eventually(is_taken)
        published = await system.http.get("/.well-known/jwks.json")
        assert published.headers["cache-control"] == "public, max-age=300"
        assert key_id in [key["kid"] for key in done(published)["keys"]]
    finally:
        await system.sql("edge", "DELETE FROM view WHERE id = $1", view.id)


async def test_the_keys_are_for_anybody(system: System) -> None:
    keys = done(await system.http.get("/.well-known/jwks.json"))["keys"]
    assert {key["kid"] for key in keys} >= system.settings.public_keys.keys()
    assert all("d" not in key for key in keys)
