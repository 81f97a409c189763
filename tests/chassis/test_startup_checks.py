"""A process that could lose something or be fooled does not start, and says what to do."""

import os
import re
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from aio_pika.abc import AbstractRobustConnection

from sav_chassis import topology
from sav_chassis.database import Database
from sav_chassis.identity import new_key
from sav_chassis.settings import RoomSettings, Settings
from sav_chassis.startup_checks import CannotStart, check_durable, check_settings, readable
from sav_contracts.interventions.invoice import DEMONSTRATION, Seller

PRIVATE, PUBLIC = new_key()
OTHER_PRIVATE, OTHER_PUBLIC = new_key()
GOOD = {"signing_key": PRIVATE, "public_keys": PUBLIC, "link_secret": "sixteen letters!"}
GIVEN = {"database_url": "postgresql://a@b/", "broker_url": "amqp://a@b/"}
PRODUCTION = GIVEN | {"environment": "production", "rate_limits_scale": 1}


def settings(**fields: Any) -> Settings:
    return Settings.model_validate(GOOD | fields)


@pytest.mark.parametrize("room", ["auth", "claims", "edge"])
def test_good_settings_are_fit(room: str) -> None:
    check_settings(settings(), room)
    check_settings(settings(**PRODUCTION), room)
    safe = {"database_url": "postgresql://sav:long%20and%20own@b/", "public_url": "https://sav.example.com"}
    check_settings(settings(**PRODUCTION | safe), room)
    check_settings(settings(signing_key=OTHER_PRIVATE + PRIVATE), room)


@pytest.mark.parametrize("where", ["public_url", "frontend_url"])
def test_the_notifier_knows_where_links_lead(where: str) -> None:
    check_settings(settings(**PRODUCTION | {where: "https://sav.example.com"}), "notifier")


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
        (
            "edge",
            PRODUCTION | {"database_url": "postgresql://sav:sav@b/"},
            "SAV_DATABASE_URL another password",
        ),
        ("edge", PRODUCTION | {"broker_url": "amqp://guest:guest@b/"}, "SAV_BROKER_URL another password"),
        ("edge", PRODUCTION | {"broker_url": "amqp://s%61v:sa%76@b/"}, "SAV_BROKER_URL another password"),
        (
            "edge",
            PRODUCTION | {"public_url": "http://sav.example.com"},
            "SAV_PUBLIC_URL must begin with https",
        ),
        ("notifier", PRODUCTION | {"frontend_url": "HTTP://sav.example.com"}, "SAV_FRONTEND_URL must begin"),
        ("notifier", PRODUCTION, "SAV_FRONTEND_URL, or SAV_PUBLIC_URL"),
        ("edge", PRODUCTION | {"rate_limits_scale": 0}, "SAV_RATE_LIMITS_SCALE"),
        ("edge", PRODUCTION | {"rate_limits_scale": 1000}, "SAV_RATE_LIMITS_SCALE"),
    ],
)
def test_unfit_settings_are_refused_with_the_cure(
    room: str, fields: dict[str, Any], cure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SAV_DATABASE_URL")
    monkeypatch.delenv("SAV_BROKER_URL")
    with pytest.raises(CannotStart, match=cure):
        check_settings(settings(**fields), room)


def test_what_does_for_development_only_is_taken_there() -> None:
    urls = {"database_url": "postgresql://sav:sav@b/", "broker_url": "amqp://guest:guest@b/"}
    check_settings(settings(public_url="http://127.0.0.1:8080", rate_limits_scale=0, **urls), "edge")


def test_only_auth_needs_the_signing_key_and_the_link_secret() -> None:
    check_settings(settings(signing_key="", link_secret=""), "catalog")


async def test_a_database_that_may_forget_is_refused(toy_database: Database) -> None:
    await check_durable(toy_database.pool, "toy")
    name = await toy_database.pool.fetchval("SELECT current_database()")
    await toy_database.pool.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    forgetful = Database(Settings(database_prefix="chassis"), "toy")
    try:
        await forgetful.open()
        with pytest.raises(CannotStart, match="synchronous_commit"):
            await check_durable(forgetful.pool, "toy")
        await forgetful.close()
    finally:
        await toy_database.pool.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')


async def test_a_room_without_a_database_is_told_to_migrate() -> None:
    with pytest.raises(CannotStart, match="sav migrate"):
        await Database(Settings(database_prefix="nowhere"), "toy").open()


async def test_another_topology_is_refused_by_name(
    broker: AbstractRobustConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology, "wanted", lambda: {"toy.other": []})
    async with broker.channel() as channel:
        await channel.declare_queue("toy.other", durable=True)  # a classic queue without dead-lettering
    await refused(broker, "toy.other")


async def test_a_dead_letter_queue_whose_letters_wear_out_is_refused(
    broker: AbstractRobustConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RabbitMQ 4 drops after 20 looks what has no limit of its own, as earlier ones declared it."""
    monkeypatch.setattr(topology, "DEAD", "toy.dead")
    async with broker.channel() as channel:
        await channel.declare_queue("toy.dead", durable=True, arguments={"x-queue-type": "quorum"})
    await refused(broker, "toy.dead")
    async with broker.channel() as channel:
        await channel.exchange_delete("toy.dead")


async def refused(broker: AbstractRobustConnection, queue: str) -> None:
    """Not the product's own queues: services of other tests consume from those."""
    try:
        with pytest.raises(CannotStart, match=re.escape(queue)):
            async with broker.channel() as channel:
                await topology.declare(channel)
    finally:
        async with broker.channel() as channel:
            await channel.queue_delete(queue, if_unused=False, if_empty=False)


@pytest.mark.parametrize("room", ["claims", "edge"])
def test_a_process_without_readable_settings_ends_with_a_sentence(room: str) -> None:
    given = {"SAV_ENVIRONMENT": "prod", "SAV_STREAMS": "hunter2", "SAV_TRUSTED_PROXIES": "10.0.0.0/8"}
    command = [sys.executable, "-P", "-m", "sav_ops.rooms", room]
    ended = subprocess.run(command, env=os.environ | given, text=True, capture_output=True, timeout=60)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    for setting in (
        "SAV_ENVIRONMENT: one of development, production",
        "SAV_STREAMS: a whole number is expected",
        "SAV_TRUSTED_PROXIES: a list is expected, in JSON",
    ):
        assert setting in said
    assert "Traceback" not in said
    assert "hunter2" not in said


class OwnSettings(RoomSettings):
    rate: Decimal = Decimal(1)
    secret: int = 0
    seller: Seller = DEMONSTRATION


def test_a_rooms_own_settings_that_cannot_be_read_are_named_without_their_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readable(OwnSettings)(settings(), "claims")
    monkeypatch.setenv("SAV_RATE", "much")
    monkeypatch.setenv("SAV_SECRET", "hunter2")
    monkeypatch.setenv("SAV_SELLER", '{"name": "hunter2",')
    said = r"^claims: SAV_RATE: .*; SAV_SECRET: .*; SAV_SELLER: an object is expected, in JSON$"
    with pytest.raises(CannotStart, match=said) as refused:
        readable(OwnSettings)(settings(), "claims")
    assert "hunter2" not in str(refused.value)
