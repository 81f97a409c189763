"""A backup that is taken while people work is one moment, and what is restored from it goes on from there."""

import asyncio
import faulthandler
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import aio_pika
import asyncpg
import pytest
from drills.fire import REPLICAS, Fire
from drills.travelling import as_far_as_the_visit, people, to_the_end
from eventually import eventually

from sav_chassis.settings import Settings
from sav_interventions.numbering import Number
from sav_ops import rooms
from sav_ops.backup import backup
from sav_ops.demo import journey
from sav_ops.demo.journey import Cast
from sav_ops.home import REPO, free_port
from sav_ops.launch import processes, rabbitmq
from sav_ops.settings import edge_address
from sav_ops.verify.verification import verify

NOTIFIERS = [name for name, room in rooms.replicas(REPLICAS).items() if room == "notifier"]
QUEUE, SECRET = "crm.events", "of the subscriber"
HIGHEST = "SELECT max(sequence) FROM event_log"


def sav(environment: dict[str, str], *words: str) -> str:
    command = [sys.executable, "-m", "sav_ops", *words]
    done = subprocess.run(command, env=environment, cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def settings_of(home: Path) -> Settings:
    kept = json.loads((home / "env").read_text())
    told = {name.removeprefix("SAV_").lower(): value for name, value in kept.items()}
    usual = {"files_url": (home / "files").as_uri()}
    return Settings.model_validate(usual | told | {"public_keys": json.loads(told["public_keys"])})


async def subscribe(fire: Fire) -> None:
    """Another firm's system, with a user and a queue of its own."""
    for words in (("add_user", "crm", SECRET), ("set_permissions", "crm", "", "", "^crm")):
        await asyncio.to_thread(rabbitmq.control, fire.home, *words)
    async with await aio_pika.connect(fire.settings.broker_url) as connection:
        queue = await (await connection.channel()).declare_queue(QUEUE, durable=True)
        await queue.bind("sav.events", "claims.ReclamationCreated.v1")


async def unsubscribe(fire: Fire) -> None:
    async with await aio_pika.connect(fire.settings.broker_url) as connection:
        await (await connection.channel()).queue_delete(QUEUE)
    await asyncio.to_thread(rabbitmq.control, fire.home, "delete_user", "crm")


async def heard(settings: Settings) -> set[str]:
    """The references that the subscriber finds in its queue, signed in as itself."""
    url = re.sub("//.*@", f"//crm:{SECRET.replace(' ', '%20')}@", settings.broker_url)
    references: set[str] = set()
    async with await aio_pika.connect(url) as connection:
        queue = await (await connection.channel()).get_queue(QUEUE)
        while message := await queue.get(fail=False, no_ack=True):
            references.add(json.loads(message.body)["state"]["reference"])
    return references


async def highest(settings: Settings) -> int:
    """The highest version that any record has."""
    found = []
    for room in rooms.SERVICES:
        database = await asyncpg.connect(settings.database(room))
        found.append(await database.fetchval(HIGHEST) or 0)
        await database.close()
    return max(found)


async def last_invoice(settings: Settings) -> str:
    database = await asyncpg.connect(settings.database("interventions"))
    try:
        return str(await database.fetchval("SELECT max(number) FROM invoice"))
    finally:
        await database.close()


class Backed(NamedTuple):
    """A backup, and what became of the platform that it was taken of: what people know who were told later."""

    place: Path
    seconds: float
    references: set[str]
    version: int
    invoice: Number


async def has_more(things: Sequence[object], than: int) -> bool:
    return len(things) > than


@asynccontextmanager
async def working(fire: Fire) -> AsyncIterator[list[str]]:
    """The references of réclamations that people open while the body runs; beside them one goes the whole way."""
    opened, over = list[str](), asyncio.Event()
    async with fire.hurrying(), people(fire.address()) as (lea, karim, sofia, marie, alex):
        for article in (journey.BOILER, journey.PUMP):
            await journey.in_catalogue(marie, article)

        async def short() -> None:
            while not over.is_set():
                opened.append(await as_far_as_the_visit(lea, marie, karim, sofia, reassigned=False))

        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(short())
            whole = tasks.create_task(to_the_end(Cast(lea, karim, marie, alex), True, asyncio.Lock(), None))
            try:
                yield opened
            finally:
                over.set()
    fire.references += opened
    fire.ended(whole.result())


async def further(opened: list[str]) -> None:
    """Returns when two more have been opened."""
    await eventually(partial(has_more, opened, len(opened) + 1), 90)


@pytest.fixture(scope="module")
async def backed(fire: Fire, tmp_path_factory: pytest.TempPathFactory) -> Backed:
    """Taken while people work, with work in the queues that no database knows of."""
    place = tmp_path_factory.mktemp("backups") / "midday"
    await subscribe(fire)
    async with working(fire) as opened:
        await further(opened)
        # What the broker has confirmed and nobody has done waits in a queue, which is lost.
        await asyncio.to_thread(processes.stop, fire.home, NOTIFIERS)
        await further(opened)
        began = time.monotonic()
        await asyncio.to_thread(sav, fire.environment, "backup", str(place))
        took = time.monotonic() - began
        await fire.revive(*NOTIFIERS)
        await further(opened)
    await unsubscribe(fire)
    # Two more are known outside, as if they had been issued in the time that is lost.
    last = Number.read(await last_invoice(fire.settings))
    outside = last._replace(place=last.place + 2)
    return Backed(place, took, set(fire.references), await highest(fire.settings), outside)


class Restored(NamedTuple):
    """Another home, into which it was restored, and what was said of that."""

    settings: Settings
    said: str
    seconds: float


@pytest.fixture(scope="module")
async def other(backed: Backed, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Restored]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SAV_")}
    home = tmp_path_factory.mktemp("restored")
    environment = mine | {"SAV_HOME": str(home), "SAV_EDGE_PORT": str(free_port())}
    environment["SAV_RATE_LIMITS_SCALE"] = "1000"
    # It starts a whole platform: on a busy machine that takes longer than a test may.
    assert sys.__stderr__
    faulthandler.dump_traceback_later(400, exit=True, file=sys.__stderr__)
    words = "restore", str(backed.place), "--last-invoice", str(backed.invoice)
    try:
        began = time.monotonic()
        said = await asyncio.to_thread(sav, environment, *words)
        faulthandler.cancel_dump_traceback_later()
        yield Restored(settings_of(home), said, time.monotonic() - began)
    finally:
        sav(environment, "down")


async def test_a_platform_is_up(fire: Fire) -> None:
    """Apart from the next one, since both take long."""
    assert fire.wait_until_whole() < 90


async def test_a_backup_is_taken_while_people_work(
    fire: Fire, backed: Backed, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = backup.read(backed.place)
    kept = f"{backup.sized(manifest.databases_bytes)} of databases, {backup.sized(manifest.files_bytes)} of files"
    fire.tell(capsys, f"backup in {backed.seconds:.1f} s beside people at work: {kept}")
    assert manifest.damaged == []
    definitions = json.loads((backed.place / "broker.json").read_text())
    assert "crm" in {user["name"] for user in definitions["users"]}
    assert [queue["name"] for queue in definitions["queues"]] == [QUEUE]


async def test_it_is_restored_into_another_home_without_a_contradiction(
    fire: Fire, backed: Backed, other: Restored, capsys: pytest.CaptureFixture[str]
) -> None:
    fire.tell(capsys, f"restored, healed and verified in {other.seconds:.1f} s")
    assert f"to {backed.invoice}." in other.said  # recorded as missing
    assert "everything agrees" in other.said
    assert re.search(r"notifier\.events: [\d,]+ of [\d,]+ events were missed and sent", other.said)


async def test_what_was_restored_goes_on_and_repeats_nothing(
    fire: Fire, backed: Backed, other: Restored
) -> None:
    settings = other.settings
    async with people(edge_address(settings)) as (lea, karim, _, marie, alex):
        story = await to_the_end(Cast(lea, karim, marie, alex), True, asyncio.Lock(), None)
    assert story.claim["reference"] not in backed.references
    assert story.claim["version"] > backed.version
    assert Number.read(await last_invoice(settings)).place == backed.invoice.place + 1
    assert story.claim["reference"] in await heard(settings)
    assert await verify(settings, 60) == []
    assert settings.signing_key == fire.settings.signing_key
