"""How long the calendar takes to say who could take a réclamation, among many technicians."""

import time

from harness import Aim, Contender, Figures, Measured, interleaved, percentile
from news import same
from slots import ASKED, MANAGER, P50, P99, RECLAMATION, ROOM, filled, reading

from sav_calendar.candidates import find_candidates
from sav_chassis.database import opened
from sav_chassis.settings import Settings
from sav_contracts.calendar.candidates import FindCandidates

TECHNICIANS, VISITS = 200, 20_000


async def measure(settings: Settings, rounds: int) -> Measured:
    """Milliseconds of the query's transaction in the calendar."""
    settings = await filled(settings, TECHNICIANS, VISITS)

    async def ours() -> Figures:
        times = []
        async with opened(settings, ROOM) as rows:
            for _ in range(ASKED):
                began = time.perf_counter()
                async with reading(rows, settings) as tx:
                    found = await find_candidates(FindCandidates(reclamation_id=RECLAMATION), tx, MANAGER)
                times.append((time.perf_counter() - began) * 1000)
                same(len(found.items), TECHNICIANS, "candidates")
        return {P50: percentile(times, 0.5), P99: percentile(times, 0.99)}

    measured = await interleaved(
        f"Candidates among {TECHNICIANS} technicians",
        [Contender("SAV", ours)],
        [Aim(P50, 50, "most")],
        rounds,
    )
    measured.notes.append(f"{VISITS:,} visits within thirty days; {ASKED} questions of a manager.")
    return measured
