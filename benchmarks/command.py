"""A client opens a réclamation over HTTP."""

from uuid import UUID

from ground import Ground
from harness import Aim, Contender, Figures, Measured, interleaved
from load import Load, post
from people import OPENING, client_of_claims, token
from uuid_utils.compat import uuid7

from sav_chassis.settings import Settings
from sav_edge.app import POOL

RATE = 20
CONNECTIONS = 16
FASTAPI = "FastAPI, PyJWT, SQLAlchemy"
NOTES = (
    f"`POST /api/reclamations` to 201, {RATE} a second whether answers come or not (latency counts from the planned "
    f"time), then {CONNECTIONS} connections without a pause. Ours is two processes, the edge and claims, with RabbitMQ "
    "between them: the answer waits for the command's transaction and for the read model, which shows it already; in "
    "the saturated run the relay and the edge's consumer work beside it. FastAPI is one process that verifies the token "
    "and writes the same rows (réclamation, log, outbox, answer) in one transaction, nothing else: nobody is told.",
)


async def measure(settings: Settings, rounds: int, seconds: float = 4) -> Measured:
    """Milliseconds to 201 at a calm pace, and how many a second at most, beside FastAPI without a broker."""
    me = UUID(str(uuid7()))
    grounds = [await Ground.fresh(settings, name) for name in ("command", "command_fastapi")]
    for ground in grounds:
        await client_of_claims(ground.settings, me)
    sav, fastapi = grounds
    request = post("/api/reclamations", token(settings, me), OPENING)

    async def ours() -> Figures:
        async with sav.rooms("claims", "edge"):
            return await both(Load(sav.settings.edge_port, request, 201), seconds)

    async def theirs() -> Figures:
        async with fastapi.web("fastapi_write:app", POOL) as port:
            return await both(Load(port, request, 201), seconds)

    contenders = (Contender("SAV", ours), Contender(FASTAPI, theirs))
    aim = Aim("p50 ms", 10, "most", FASTAPI, "difference")
    measured = await interleaved("Command: from POST to 201", contenders, [aim], rounds)
    measured.notes += NOTES
    return measured


async def both(load: Load, seconds: float) -> Figures:
    """The calm pace, then as fast as it goes."""
    calm = await load.paced(RATE, 2 * seconds)
    fast = await load.saturated(CONNECTIONS, seconds)
    return calm | {f"saturated {name}": value for name, value in fast.items()}
