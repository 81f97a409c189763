"""What telling costs: business commits/s with an event in log and outbox, beside the same rows without."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from apart import Said, apart
from harness import Aim, Contender, Figures, Measured, interleaved
from news import count, empty, same
from reclamations import CLIENT, ROOM, qualify, reported, with_client
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sav_chassis.database import opened
from sav_chassis.envelope import Context
from sav_chassis.settings import Settings
from sav_chassis.tx import transaction
from sav_claims.model import Reclamation
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.claims.reclamation import ReclamationCreated, ReclamationQualified

NUMBER = 2_000
AT_ONCE = 8
BARE = "the same rows, nothing told"

# Opens the numbered réclamation, then qualifies it: two commits.
Story = Callable[[int], Awaitable[None]]


async def measure(settings: Settings, rounds: int, number: int = NUMBER) -> Measured:
    """Commits/s of claims' own record, eight at once; the relay is off."""
    settings = await with_client(settings)

    async def ours() -> Figures:
        figures = await written(telling)
        for table in ("event_log", "outbox"):
            same(await count(settings, ROOM, table), 2 * number, f"events in {table}")
        return figures

    async def bare() -> Figures:
        return await written(silent)

    async def written(work: Callable[..., Said]) -> Figures:
        await empty(settings, ROOM, "reclamation", "event_log", "event_chain", "outbox")
        async with apart(work, settings, number=number) as part:
            seconds = await part.says()
        same(await count(settings, ROOM, "reclamation WHERE version = 2"), number, "réclamations")
        return {"commits/s": 2 * number / seconds}

    measured = await interleaved(
        "Commits that tell an event",
        [Contender("SAV", ours), Contender(BARE, bare)],
        [Aim("commits/s", 0.8, against=BARE)],
        rounds,
    )
    measured.notes.append(
        f"{number:,} réclamations are opened, then loaded under their lock and qualified: {2 * number:,} commits through "
        f"SQLAlchemy's session, {AT_ONCE} at once. The process and the database share the machine. An event is one "
        "statement more where there were three or four (log and outbox, with their four indexes), and its JSON: that is "
        "all there is between the two."
    )
    return measured


async def telling(settings: Settings, number: int) -> AsyncIterator[float]:
    """A command's transaction as the chassis opens it, with the event that goes with each change."""
    context = Context(actor_id=CLIENT, actor_role=Role.CLIENT, correlation_id=uuid7(), causation_id=uuid7())
    async with opened(settings, ROOM) as rows:

        async def story(number: int) -> None:
            async with transaction(rows, settings, context, lambda _: None) as tx:
                reclamation = tx.add(reported(number, tx.new_id()))
                tx.emit(reclamation, ReclamationCreated())
            async with transaction(rows, settings, context, lambda _: None) as tx:
                reclamation = await tx.load(Reclamation, reclamation.id, SYSTEM)
                qualify(reclamation)
                tx.emit(reclamation, ReclamationQualified(coverage="not_covered", priority="critical"))

        yield await side_by_side(story, number)


async def silent(settings: Settings, number: int) -> AsyncIterator[float]:
    """What somebody writes who tells nobody."""
    async with opened(settings, ROOM) as rows:

        async def story(number: int) -> None:
            now = rows.clock()
            async with AsyncSession(rows.engine, expire_on_commit=False) as session, session.begin():
                reclamation = reported(number, uuid7())
                reclamation.version, reclamation.created_at, reclamation.updated_at = 1, now, now
                session.add(reclamation)
            async with AsyncSession(rows.engine, expire_on_commit=False) as session, session.begin():
                reclamation = await session.get_one(Reclamation, reclamation.id, with_for_update=True)
                qualify(reclamation)
                reclamation.version, reclamation.updated_at = 2, rows.clock()

        yield await side_by_side(story, number)


async def side_by_side(story: Story, number: int) -> float:
    """Seconds for all of them, so many at once."""
    numbers = iter(range(number))

    async def worker() -> None:
        for following in numbers:
            await story(following)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return time.perf_counter() - began
