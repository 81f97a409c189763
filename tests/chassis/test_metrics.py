"""What a scraper reads after known work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import aio_pika
import httpx
import prometheus_client
import pytest
import toy
import world
from aio_pika.abc import AbstractChannel
from eventually import eventually
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from toy import BoxFilled, Fill, LidMade
from toy_asking import OnStage, ask, rows
from toy_broker import declare, send
from toy_later import Clockwork, doing, soon
from toy_switch import Switch

from sav_chassis import topology
from sav_chassis.process import health
from sav_chassis.process.runner import serving
from sav_chassis.telemetry import metrics
from sav_chassis.testing import Stage, enveloped
from sav_chassis.tx import Tx

BOX = UUID(int=100)
FILL = Fill(box_id=BOX)
Figures = dict[tuple[str, ...], float]


def read(text: str) -> Figures:
    """Each sample by its name and the values of its labels, in their names' order."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scrape(port: int) -> Figures:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return read(answer.text)


def counted(*sample: str) -> float:
    return read(metrics.exposition([]).decode()).get(sample, 0.0)


class Growth(dict[tuple[str, ...], float]):
    """By how much each figure has grown: all tests count in one process."""

    def __missing__(self, sample: tuple[str, ...]) -> float:
        return 0.0


@asynccontextmanager
async def growth() -> AsyncIterator[Growth]:
    """How each figure of this process grows in the block, as a scraper reads it."""
    before, grown = read(metrics.exposition([]).decode()), Growth()
    yield grown
    after = read(metrics.exposition([]).decode())
    grown.update({sample: value - before.get(sample, 0.0) for sample, value in after.items()})


async def test_commands_are_counted_by_type_and_status(stage: Stage) -> None:
    await stage.given(toy.box(100, world.lea))
    async with growth() as grown:
        for by in (world.lea, world.lea, world.paul, None):
            await stage.command_server.answer(ask(stage, FILL, by))
        await stage.command_server.answer(ask(stage, FILL, world.lea, type="toy.Anything.v9"))
    answered = {
        sample[1:]: value for sample, value in grown.items() if sample[0] == "sav_commands_total" and value
    }
    assert answered == {
        ("toy.Fill.v1", "200"): 2,
        ("toy.Fill.v1", "404"): 1,
        ("toy.Fill.v1", "401"): 1,
        ("unknown", "422"): 1,
    }
    assert grown["sav_command_seconds_count", "toy.Fill.v1"] == 4
    assert 0 < grown["sav_command_seconds_sum", "toy.Fill.v1"] < 5


async def test_the_way_from_an_event_to_its_effects_is_measured(
    on_stage: OnStage, channel: AbstractChannel
) -> None:
    toys = toy.usual()
    toys.on(BoxFilled)(toy.note)
    toys.mirror(toy.LidView)
    await declare(channel, toys)
    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    before = counted("sav_duplicates_total", "note")

    async def known_already() -> bool:
        return counted("sav_duplicates_total", "note") > before

    early = enveloped(toy.filled(101, 2))
    early = early.model_copy(update={"at": early.at.replace(year=early.at.year - 1)})
    async with growth() as grown, serving(toys, stage.settings) as mine:
        for _ in range(3):
            await stage.when(FILL, world.lea)
        await send(channel, "toy.events", early, early)
        await send(channel, "toy.views", enveloped(LidMade(state=toy.lid(500))))
        await eventually(lambda: rows(stage, "SELECT event_id FROM handled OFFSET 3"))
        await eventually(lambda: rows(stage, "SELECT id FROM view"))
        await eventually(lambda: is_empty(stage))
        await eventually(known_already)
        figures = await scrape(mine.port)
        assert figures["sav_relay_leader",] == 1
    assert grown["sav_events_published_total", "toy.BoxFilled.v1"] == 3
    assert grown["sav_commit_to_effect_seconds_count", "note"] == 4
    # The three came within seconds; the one of last year is beyond every bound.
    assert grown["sav_commit_to_effect_seconds_bucket", "60.0", "note"] == 3
    assert grown["sav_commit_to_effect_seconds_sum", "note"] > 360 * 86400
    # In a run of all tests the edge of the system sees the same events.
    assert grown["sav_commit_to_view_seconds_count",] in (1, 4)
    assert grown["sav_duplicates_total", "note"] == 1


async def is_empty(stage: Stage) -> bool:
    return await rows(stage, "SELECT position FROM outbox") == []


async def test_what_the_tables_hold_is_seen_when_somebody_looks(on_stage: OnStage) -> None:
    clockwork, switch = Clockwork(), Switch()
    clockwork.service.on(BoxFilled)(switch.see)
    stage = await on_stage(clockwork.service)
    await stage.given(toy.box(100, world.lea))
    empty = await looked_up(stage)
    assert empty["sav_outbox_depth",] == empty["sav_outbox_age_seconds",] == 0
    assert {empty["sav_tasks", state, use] for use in metrics.USES for state in metrics.STATES} == {0}

    for _ in range(3):
        await stage.when(FILL, world.lea)
    async with stage.database.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            "UPDATE event_log SET at = at - interval '90 s' WHERE position = (SELECT min(position) FROM outbox)"
        )
    async with doing(stage) as tx:
        tx.remind(clockwork.ring, BOX, soon(hours=1))
        tx.later(clockwork.deliver, BOX)
    clockwork.failing = {BOX: ZeroDivisionError()}
    switch.failing = {UUID(int=102)}
    async with growth() as grown:
        await stage.runs_effects()
        for version in (2, 3, 4):
            await stage.hears(toy.filled(102, version))
    await rows(
        stage,
        "UPDATE task SET state = 'dead' WHERE use = 'parked' AND position = (SELECT max(position) FROM task)",
    )
    figures = await looked_up(stage)
    assert figures["sav_outbox_depth",] == 3
    assert 90 <= figures["sav_outbox_age_seconds",] < 100
    assert {sample[1:]: value for sample, value in figures.items() if sample[0] == "sav_tasks" and value} == {
        ("waiting", "timer"): 1,
        ("failing", "effect"): 1,
        ("failing", "parked"): 1,
        ("waiting", "parked"): 1,
        ("dead", "parked"): 1,
    }
    # Two quick tries of the first event; the others only wait behind it.
    assert grown["sav_failures_total", "error", "see", "reaction"] == 2
    assert grown["sav_failures_total", "error", "deliver", "effect"] == 1


async def looked_up(stage: Stage) -> Figures:
    return read(metrics.exposition(await metrics.table_figures(stage.database, False)).decode())


async def test_late_news_is_told_from_a_fault(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.on(BoxFilled)
    async def needs_a_lid(event: BoxFilled, tx: Tx) -> None:
        await tx.view(toy.LidView, UUID(int=500))

    stage = await on_stage(toys)
    async with growth() as grown:
        await stage.hears(toy.filled(100, 2))
    assert grown["sav_failures_total", "not_yet", "needs_a_lid", "reaction"] == 1


async def test_a_scrape_waits_for_nobody_who_uses_the_tables(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LOOK_WITHIN", 0.3)
    async with serving(stage.service, stage.settings) as mine, doing(stage) as tx:
        await tx.session.execute(text("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE"))
        figures = await asyncio.wait_for(scrape(mine.port), 5)
    assert figures["sav_ready", "database"] == 1
    assert ("sav_outbox_depth",) not in figures


async def test_dead_letters_are_counted(stage: Stage, channel: AbstractChannel) -> None:
    async with serving(stage.service, stage.settings) as mine:
        before = (await scrape(mine.port))[("sav_dead_letters",)]
        letter = aio_pika.Message(b"of nobody")
        await channel.default_exchange.publish(letter, routing_key=topology.DEAD)
        assert (await scrape(mine.port))[("sav_dead_letters",)] == before + 1
        assert await (await channel.get_queue(topology.DEAD)).purge()


def test_every_figure_is_explained() -> None:
    page = (Path(__file__).parents[2] / "docs" / "observing.md").read_text()
    ours = [family.name for family in prometheus_client.REGISTRY.collect() if family.name.startswith("sav_")]
    assert len(ours) >= 9
    assert [name for name in ours if f"`{name}" not in page] == []
