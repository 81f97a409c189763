"""A process that could lose something or be fooled does not start, and says what to do."""

from typing import Any

import pytest
from aio_pika.abc import AbstractRobustConnection

from sav_chassis import topology
from sav_chassis.database import Database
from sav_chassis.fitness import Unfit, check_durable, check_settings
from sav_chassis.identity import new_key
from sav_chassis.settings import Settings

PRIVATE, PUBLIC = new_key()
OTHER_PRIVATE, OTHER_PUBLIC = new_key()
GOOD = {"signing_key": PRIVATE, "public_keys": PUBLIC, "link_secret": "sixteen letters!"}
GIVEN = {"database_url": "postgresql://a@b/", "broker_url": "amqp://a@b/"}


def settings(**fields: Any) -> Settings:
    return Settings.model_validate(GOOD | fields)


@pytest.mark.parametrize("room", ["auth", "claims", "edge"])
def test_good_settings_are_fit(room: str) -> None:
    check_settings(settings(), room)
    check_settings(settings(environment="production", **GIVEN), room)
    check_settings(settings(signing_key=OTHER_PRIVATE + PRIVATE), room)


@pytest.mark.parametrize(
    ("room", "fields", "cure"),
    [
        ("claims", {"public_keys": {}}, "SAV_PUBLIC_KEYS"),
        ("claims", {"public_keys": {"x": "no key"}}, "cannot be read"),
        ("auth", {"signing_key": ""}, "SAV_SIGNING_KEY"),
        ("auth", {"signing_key": OTHER_PRIVATE}, "SAV_SIGNING_KEY"),
        ("auth", {"signing_key": PRIVATE + OTHER_PRIVATE}, "SAV_SIGNING_KEY"),
        ("auth", {"link_secret": "short"}, "SAV_LINK_SECRET"),
        ("edge", {"environment": "production", "broker_url": "amqp://a@b/"}, "SAV_DATABASE_URL"),
        ("edge", {"environment": "production", "database_url": "postgresql://a@b/"}, "SAV_BROKER_URL"),
    ],
)
def test_unfit_settings_are_refused_with_the_cure(
    room: str, fields: dict[str, Any], cure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SAV_DATABASE_URL")
    monkeypatch.delenv("SAV_BROKER_URL")
    with pytest.raises(Unfit, match=cure):
        check_settings(settings(**fields), room)


def test_only_auth_needs_the_signing_key_and_the_link_secret() -> None:
    check_settings(settings(signing_key="", link_secret=""), "claims")


async def test_a_database_that_may_forget_is_refused(toy_database: Database) -> None:
    await check_durable(toy_database.pool, "toy")
    name = await toy_database.pool.fetchval("SELECT current_database()")
    await toy_database.pool.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    forgetful = Database(Settings(database_prefix="chassis"), "toy")
    try:
        await forgetful.open()
        with pytest.raises(Unfit, match="synchronous_commit"):
            await check_durable(forgetful.pool, "toy")
        await forgetful.close()
    finally:
        await toy_database.pool.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')


async def test_a_room_without_a_database_is_told_to_migrate() -> None:
    with pytest.raises(Unfit, match="sav migrate"):
        await Database(Settings(database_prefix="nowhere"), "toy").open()


async def test_another_topology_is_refused_by_name(broker: AbstractRobustConnection) -> None:
    async with broker.channel() as channel:
        await channel.queue_delete("claims.views", if_unused=False, if_empty=False)
        await channel.declare_queue("claims.views", durable=True)  # a classic queue without dead-lettering
    try:
        with pytest.raises(Unfit, match=r"claims\.views"):
            async with broker.channel() as channel:
                await topology.declare(channel)
    finally:
        async with broker.channel() as channel:
            await channel.queue_delete("claims.views", if_unused=False, if_empty=False)
        async with broker.channel() as channel:
            await topology.declare(channel)


async def test_a_dead_letter_queue_whose_letters_wear_out_is_refused(
    broker: AbstractRobustConnection,
) -> None:
    """RabbitMQ 4 drops after 20 looks what has no limit of its own, as earlier ones declared it."""
    async with broker.channel() as channel:
        await channel.queue_delete(topology.DEAD, if_unused=False, if_empty=False)
        await channel.declare_queue(topology.DEAD, durable=True, arguments={"x-queue-type": "quorum"})
    try:
        with pytest.raises(Unfit, match=r"sav\.dead"):
            async with broker.channel() as channel:
                await topology.declare(channel)
    finally:
        async with broker.channel() as channel:
            await channel.queue_delete(topology.DEAD, if_unused=False, if_empty=False)
            await topology.declare(channel)
