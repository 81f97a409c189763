"""From a client's POST until everything that follows is done."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from following import Following, following
from ground import Ground, processor_seconds
from harness import Aim, Contender, Figures, Measured, interleaved
from load import Load, post
from people import OPENING, same_people, token

from sav_chassis.settings import Settings
from sav_edge.app import POOL
from sav_ops.databases import opened
from sav_ops.demo.accounts import seed
from sav_ops.launch import postgres, rabbitmq
from sav_ops.rooms import ROOMS
from sav_ops.verify import verification

NUMBER = 400
CONNECTIONS = 16
WARM_UP = 20
KILLS = 3
CELERY = "FastAPI, Celery, SQLAlchemy"
WEB, WORKER = "fastapi_celery", "celery"
SERVERS = (postgres.NAME, rabbitmq.NAME)
AIMS = (Aim("done/s", 0.5, against=CELERY), Aim("done per CPU-second", 0.5, against=CELERY))
NOTES = (
    f"Réclamations over HTTP on {CONNECTIONS} connections; the clock stops when the last of what follows is done: "
    "rows in five services' and the edge's read models, two messages written, sent to a folder and recorded as sent, "
    "their rows in the read model, the timeline, the report. CPU-seconds are those of all processes of a side, broker "
    "and database too, without the load generator. SAV runs as `./sav up` starts it, one process for each room. The "
    "baseline is one FastAPI process that writes and calls `.delay`, and one Celery worker as `celery worker` starts it: "
    "as many processes as processors, acknowledged before the task runs (`acks_late` off), no publisher confirms, "
    "transient results off, psycopg, twelve tasks for each réclamation into the same tables. It keeps no outbox, no "
    "inbox, no order and no stored answers.",
)


async def measure(settings: Settings, rounds: int, number: int = NUMBER) -> Measured:
    """How many réclamations a second go all the way, beside FastAPI and Celery; what each loses under kill -9."""
    sav = await Ground.fresh(settings, "whole")
    celery = await Ground.fresh(settings, "celery")
    async with sav.rooms(*ROOMS):
        await seed(sav.settings)
        await _settled(sav.settings)
    me = await same_people(sav.settings, celery.settings)
    request = post("/api/reclamations", token(settings, me), OPENING)

    async def ours() -> Figures:
        async with sav.rooms(*ROOMS), following(sav.settings) as done:
            load = Load(sav.settings.edge_port, request, 201)
            return await _timed(sav, (*ROOMS, *SERVERS), load, done, number)

    async def theirs() -> Figures:
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(celery.web(f"{WEB}:app", POOL))
            await stack.enter_async_context(celery.worker(WORKER))
            done = await stack.enter_async_context(following(celery.settings))
            return await _timed(celery, (WEB, WORKER, *SERVERS), Load(port, request, 201), done, number)

    contenders = (Contender("SAV", ours), Contender(CELERY, theirs))
    measured = await interleaved(
        "Whole path: from POST to the last thing that follows", contenders, AIMS, rounds
    )
    measured.notes += NOTES
    measured.notes.append(await _our_losses(sav, request, number))
    measured.notes += [await _their_losses(celery, request, number, late) for late in (False, True)]
    return measured


async def _timed(ground: Ground, names: tuple[str, ...], load: Load, done: Following, number: int) -> Figures:
    await load.counted(CONNECTIONS, WARM_UP)
    await done.all(WARM_UP)
    pids = ground.pids(*names)
    await done.begin()
    before, began = processor_seconds(pids), time.perf_counter()
    await load.counted(CONNECTIONS, number)
    answered = time.perf_counter() - began
    await done.all(number)
    took = time.perf_counter() - began
    spent = processor_seconds(pids) - before
    return {
        "done/s": number / took,
        "done per CPU-second": number / spent,
        "answered/s": number / answered,
    }


async def _our_losses(ground: Ground, request: bytes, number: int) -> str:
    async with ground.rooms(*ROOMS), following(ground.settings) as done:
        load = Load(ground.settings.edge_port, request, 201)

        async def again() -> None:
            ground.kill("notifier")
            ground.start_room("notifier")
            await ground.ready("notifier")

        await _killed(load, number, again)
        # A killed run of an effect is taken up when its lease has ended.
        findings = await verification.verify(ground.settings, 120)
        said = await done.difference(number)
    agrees = (
        "`./sav verify` finds no contradiction" if not findings else f"verify finds: {'; '.join(findings)}"
    )
    return f"While such a load ran, the notifier was killed with -9 {KILLS} times and started again. SAV: {said}; {agrees}."


async def _their_losses(ground: Ground, request: bytes, number: int, late: bool) -> str:
    async with (
        ground.web(f"{WEB}:app", POOL) as port,
        ground.worker(WORKER, late),
        following(ground.settings) as done,
    ):

        async def again() -> None:
            ground.kill(WORKER)
            await ground.start_worker(WORKER, late)

        await _killed(Load(port, request, 201), number, again)
        said = await done.difference(number)
    how = "with `acks_late` and `reject_on_worker_lost`" if late else "as it comes"
    return f"The Celery worker, {how}, killed as often: {said}."


async def _killed(load: Load, number: int, again: Callable[[], Awaitable[None]]) -> None:
    """Load, and meanwhile one kill after another."""
    loading = asyncio.create_task(load.counted(CONNECTIONS, number))
    for _ in range(KILLS):
        await asyncio.sleep(1)
        await again()
    await loading


async def _settled(settings: Settings) -> None:
    async with opened(settings) as databases:
        if waiting := await verification.settled(settings, databases, 60):
            raise RuntimeError("; ".join(waiting))
