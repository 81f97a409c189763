"""The clocks of everything open after a change of the policy, and commands meanwhile."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from harness import Aim, Contender, Figures, Measured, interleaved, percentile
from news import database, empty
from reclamations import CLIENT, ROOM, with_client
from uuid_utils.compat import uuid7

from sav_chassis.commands.client import CommandEnvelope
from sav_chassis.commands.server import CommandServer
from sav_chassis.database import Database
from sav_chassis.events.reactor import Reactor
from sav_chassis.identity import Signer
from sav_chassis.process.runner import started_for_good
from sav_chassis.scheduled.effects import Effects
from sav_chassis.settings import Settings
from sav_chassis.testing import enveloped
from sav_chassis.views import show
from sav_claims.app import claims
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.policy import PolicySet, PolicyView, SlaTargets
from sav_contracts.claims.reclamation import QualifyReclamation

NUMBERS = (10_000, 100_000)
# Commands a second, at an even pace.
RATE = 20
# Seconds: 600 commands, so that one slow one is not the 99th percentile.
QUIET = 30.0
MANAGER = Actor(id=UUID(int=2), role=Role.MANAGER)
P99, PEAK = "commands p99 ms", "commands p99 ms, quiet"
FILL = """
INSERT INTO reclamation (id, version, created_at, updated_at, reference, client_id, article, problem_type, description,
    safety_answers, priority, priority_reason, coverage, assignment, status)
SELECT gen_random_uuid(), 1, now() - n * interval '1 minute', now(), 'REC-' || n, $2, 'Chaudière', 'leak', 'fuite',
    '{"gas_smell": false, "co_alarm": false, "flooding": false}', 'normal', '', 'unknown', 0, 'submitted'
FROM generate_series(1, $1) n"""


async def measure(settings: Settings, rounds: int, numbers: tuple[int, ...] = NUMBERS) -> Measured:
    """Seconds until all clocks follow, and the 99th percentile of commands meanwhile and before."""
    settings = await with_client(settings)

    def contender(number: int) -> Contender:
        async def run() -> Figures:
            return await recomputed(settings, number)

        return Contender(f"{number:,} clocks", run)

    measured = await interleaved(
        "Clocks set anew after a change of the policy",
        [contender(number) for number in reversed(numbers)],
        [Aim("p99 meanwhile / quiet", 2, "most")],
        rounds,
    )
    measured.notes.append(
        f"Small transactions in an effect, half of the time idle; meanwhile {RATE} commands a second (`QualifyReclamation`), "
        "in the process that does it. The relay and the read model are not part of it."
    )
    return measured


async def recomputed(settings: Settings, number: int) -> Figures:
    await empty(
        settings,
        ROOM,
        "reclamation",
        "event_log",
        "event_chain",
        "outbox",
        "task",
        "view",
        "handled",
        "answered",
    )
    async with database(settings, ROOM) as connection:
        await connection.execute(FILL, number, CLIENT)
        ids = [
            row[0]
            for row in await connection.fetch("SELECT id FROM reclamation ORDER BY random() LIMIT 5000")
        ]
        await connection.execute("ANALYZE reclamation")
    rows = Database(settings, ROOM)
    await rows.open()
    try:
        parts = claims.load(), rows, settings, lambda _: None
        server, reactor, effects = CommandServer(*parts), Reactor(*parts), Effects(*parts)
        # As the process that serves them does.
        started_for_good()
        quiet: list[float] = []
        for took in ([], quiet):  # the first ones, of a cold process and a new table, count nowhere
            stop = asyncio.Event()
            asking = asyncio.create_task(_commands(server, settings, ids, took, stop))
            await asyncio.sleep(QUIET)
            stop.set()
            await asking
        view = _policy()
        await show(rows.pool, [view])
        told = PolicySet(state=view, were={}, now={})
        await reactor.take(enveloped(told), told)
        busy: list[float] = []
        stop = asyncio.Event()
        asking = asyncio.create_task(_commands(server, settings, ids, busy, stop))
        began = time.perf_counter()
        behind = "SELECT EXISTS (SELECT FROM reclamation WHERE clocks_policy < 2)"
        while await rows.pool.fetchval(behind):
            await effects.worker.once(at_most=1)
        lasted = time.perf_counter() - began
        stop.set()
        await asking
    finally:
        await rows.close()
    return {
        "s": lasted,
        "clocks/s": number / lasted,
        P99: percentile(busy, 0.99),
        PEAK: percentile(quiet, 0.99),
        "p99 meanwhile / quiet": percentile(busy, 0.99) / percentile(quiet, 0.99),
    }


async def _commands(
    server: CommandServer, settings: Settings, ids: list[UUID], took: list[float], stop: asyncio.Event
) -> None:
    """Commands at an even pace, whether they are answered or not; latency counts from the planned time."""
    bearer = Signer(settings.signing_key).token(MANAGER)
    began, running = time.perf_counter(), set()
    number = 0

    async def one(planned: float, id: UUID) -> None:
        command = QualifyReclamation(reclamation_id=id, priority="low", reason="mesure")
        asked = uuid7()
        answer = await server.answer(
            CommandEnvelope(
                id=asked,
                type=command.type_name(),
                body=command.wire(),
                deadline=time.time() + 60,
                token=bearer,
                correlation_id=asked,
            )
        )
        if answer.problem:
            raise RuntimeError(answer.problem.detail)
        took.append((time.perf_counter() - planned) * 1000)

    while not stop.is_set():
        planned = began + number / RATE
        await asyncio.sleep(max(0, planned - time.perf_counter()))
        running.add(asyncio.create_task(one(planned, ids[number % len(ids)])))
        number += 1
    await asyncio.gather(*running)


def _policy() -> PolicyView:
    now = datetime.now(UTC) - timedelta(seconds=1)
    target = {"respond_minutes": 30, "resolve_minutes": 300}
    return PolicyView(
        id=SlaTargets.id(),
        version=2,
        created_at=now,
        updated_at=now,
        name="sla_targets",
        value={"normal": target},
        changed_by=uuid4(),
    )
