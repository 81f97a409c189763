"""How fast the read model is made anew from the logs, beside the same projection fed one event at a time."""

import time
from collections.abc import AsyncIterator, Callable
from functools import partial

from apart import Said, apart
from harness import Aim, Contender, Figures, Measured, interleaved
from news import count, database, empty, logged, prepared, same, stories
from unlisted import UNLISTED, forget_lists, index_lists

from sav_chassis.settings import Settings
from sav_edge import projection
from sav_edge.completeness import mark_complete
from sav_ops.databases import opened
from sav_ops.replay import event_logs, rebuild
from sav_ops.rooms import ROOMS, SERVICES

NUMBER = 12_000
ROOM = "edge"
OWNER = "claims"
SINGLY = "one event, one transaction"


async def measure(settings: Settings, rounds: int, number: int = NUMBER) -> Measured:
    """Events/s from the log into the read model."""
    settings = await prepared(settings, *ROOMS)
    for room in SERVICES:
        await empty(settings, room, "event_log", "event_chain", "outbox")
    told = stories(number)
    records = len({envelope.subject for envelope in told})
    await logged(settings, OWNER, told, unpublished=False)

    async def run(work: Callable[..., Said]) -> Figures:
        await empty(settings, ROOM, "view", "timeline")
        await index_lists(settings, work is not rebuilt_unlisted)
        async with apart(work, settings) as part:
            seconds = await part.says()
        same(await count(settings, ROOM, "timeline"), number, "rows in the timelines")
        async with database(settings, ROOM) as connection:
            shown = await connection.fetchval("SELECT count(*) FROM view WHERE kind = 'reclamation'")
            same(shown, records, "records")
            same(
                await connection.fetchval("SELECT sum(version) FROM view WHERE kind = 'reclamation'"),
                number,
                "versions in all",
            )
        return {"events/s": number / seconds}

    measured = await interleaved(
        "Rebuild: the read model from the logs",
        [
            Contender("SAV", partial(run, rebuilt)),
            Contender(UNLISTED, partial(run, rebuilt_unlisted)),
            Contender(SINGLY, partial(run, one_by_one)),
        ],
        [Aim("events/s", 5, against=SINGLY), Aim("events/s", 0.75, against=UNLISTED)],
        rounds,
    )
    measured.notes.append(
        f"{number:,} events of {records:,} réclamations. `./sav replay rebuild` reads, decodes and applies them to a second set "
        "of tables, compares these with the live ones and puts them in their place, all of which counts; the baseline "
        "applies the same events to the live tables, each in a transaction. One process and the database share the machine."
    )
    return measured


async def rebuilt(settings: Settings) -> AsyncIterator[float]:
    """As `./sav replay rebuild edge` does it, beside live tables that have every event."""
    async with opened(settings, [OWNER]) as logs, database(settings, ROOM) as live:
        async for envelopes in event_logs.read(logs[OWNER], None, rebuild.BATCH):
            await projection.replay(live, [(envelope, envelope.event()) for envelope in envelopes])
        await mark_complete(live)
    found = await rebuild.rebuild(settings, ROOM)
    if found.differences:
        raise RuntimeError(f"the rebuilt tables differ: {', '.join(map(str, found.differences))}")
    yield found.seconds


async def rebuilt_unlisted(settings: Settings) -> AsyncIterator[float]:
    forget_lists()
    async for seconds in rebuilt(settings):
        yield seconds


async def one_by_one(settings: Settings) -> AsyncIterator[float]:
    """What one writes first: read, decode, apply, commit; then the next."""
    async with opened(settings, [OWNER]) as logs, database(settings, ROOM) as live:
        began = time.perf_counter()
        async for envelopes in event_logs.read(logs[OWNER], None, rebuild.BATCH):
            for envelope in envelopes:
                async with live.transaction():
                    await projection.replay(live, [(envelope, envelope.event())])
        yield time.perf_counter() - began
