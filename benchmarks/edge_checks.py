"""A client reads a réclamation over HTTP: what it costs to limit, log, audit and count it, and what a replica brings."""

from ground import Ground, processor_seconds, reachable
from harness import Aim, Contender, Figures, Measured, interleaved
from load import Load
from read import CONNECTIONS, one_of_many

from sav_chassis.settings import Settings

UNCHECKED, TWO = "without limits, log, audit, metrics", "two processes on one port"
AIMS = (
    Aim("requests/s", 0.9, against=UNCHECKED),
    Aim("edge CPU µs a request", 1.11, "most", against=UNCHECKED),
)
COUNTED = 5_000
NOTES = (
    f"The same request as in `read`, on {CONNECTIONS} connections of one caller. Everything counts, logs and keeps each "
    "request; the baseline is the same edge with that taken out. Two processes share the port (SO_REUSEPORT); they, "
    "PostgreSQL and the load generator share the processors, so on two of these a second process brings little.",
)


async def measure(settings: Settings, rounds: int, seconds: float = 4) -> Measured:
    """Requests a second of the edge, of the edge without its checks, and of two of them."""
    ground = await Ground.fresh(settings, "edge_checks")
    request = await one_of_many(ground.settings)
    port = ground.settings.edge_port

    async def loaded(*names: str) -> Figures:
        load, pids = Load(port, request), ground.pids(*names)
        figures = await load.saturated(CONNECTIONS, seconds)
        before = processor_seconds(pids)
        await load.counted(CONNECTIONS, COUNTED)
        spent = processor_seconds(pids) - before
        return figures | {"edge CPU µs a request": spent / COUNTED * 1e6}

    async def ours(*replicas: str) -> Figures:
        async with ground.rooms(*replicas):
            return await loaded(*replicas)

    async def unchecked() -> Figures:
        async with ground.baseline("edge_unchecked", "edge_unchecked", SAV_EDGE_PORT=str(port)):
            await ground.listens("edge_unchecked", "edge.views")
            await reachable(port)
            return await loaded("edge_unchecked")

    contenders = (
        Contender("SAV's edge", lambda: ours("edge")),
        Contender(UNCHECKED, unchecked),
        Contender(TWO, lambda: ours("edge", "edge-2")),
    )
    measured = await interleaved("Read: what the edge's checks cost", contenders, AIMS, rounds)
    measured.notes += NOTES
    return measured
