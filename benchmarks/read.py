"""A client reads a réclamation over HTTP."""

from functools import partial
from uuid import UUID

from ground import Ground
from harness import Aim, Contender, Figures, Measured, interleaved
from load import Load, get
from people import connection, reclamation, token
from uuid_utils.compat import uuid7

from sav_chassis.settings import Settings
from sav_chassis.views import show
from sav_edge.app import POOL

CONNECTIONS = 32
RECORDS = 1000
BARE, FASTAPI = "bare ASGI, asyncpg", "FastAPI, PyJWT, SQLAlchemy"
AIMS = (Aim("requests/s", 0.7, against=BARE), Aim("requests/s", 4, against=FASTAPI))
NOTES = (
    f"`GET /api/reclamations/{{id}}` on {CONNECTIONS} connections, one of {RECORDS:,} réclamations in the same table; on "
    f"all sides one process, uvicorn with httptools and uvloop, a pool of {POOL}. Ours checks the token (it remembers "
    "verified ones), the role and the scope and logs each request; the bare one checks and logs nothing; FastAPI "
    "verifies the token each time and logs nothing. Server, PostgreSQL and load generator share the processors.",
)


async def measure(settings: Settings, rounds: int, seconds: float = 4) -> Measured:
    """Requests a second of the edge, of its server and driver alone, and of FastAPI as one writes it."""
    ground = await Ground.fresh(settings, "read")
    request = await one_of_many(ground.settings)

    async def ours() -> Figures:
        async with ground.rooms("edge"):
            return await Load(ground.settings.edge_port, request).saturated(CONNECTIONS, seconds)

    async def theirs(app: str) -> Figures:
        async with ground.web(app, POOL) as port:
            return await Load(port, request).saturated(CONNECTIONS, seconds)

    contenders = (
        Contender("SAV's edge", ours),
        Contender(BARE, partial(theirs, "bare:app")),
        Contender(FASTAPI, partial(theirs, "fastapi_read:app")),
    )
    measured = await interleaved("Read: one record over HTTP", contenders, AIMS, rounds)
    measured.notes += NOTES
    return measured


async def one_of_many(settings: Settings) -> bytes:
    """A request for one of a client's réclamations, which stand in the read model as the projector writes them."""
    client = UUID(str(uuid7()))
    views = [reclamation(client, number) for number in range(1, RECORDS + 1)]
    async with connection(settings, "edge") as edge:
        await show(edge, views)
        await edge.execute("VACUUM ANALYZE view")
    return get(f"/api/reclamations/{views[RECORDS // 2].id}", token(settings, client))
