"""Bare ASGI: one statement by primary key, whoever asks; what the server and the driver can do."""

import os
from typing import Any
from uuid import UUID

import asyncpg

from sav_chassis.settings import Settings

FIND = "SELECT doc_client FROM view WHERE kind = 'reclamation' AND id = $1"
POOL = int(os.environ["POOL"])
HEADERS = [(b"content-type", b"application/json")]

pool: asyncpg.Pool


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers any GET with the record whose id ends the path."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    doc = await pool.fetchval(FIND, UUID(scope["path"].rpartition("/")[2]))
    body = doc.encode()
    headers = [*HEADERS, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def lifespan(receive: Any, send: Any) -> None:
    global pool
    await receive()
    pool = await asyncpg.create_pool(Settings().database("edge"), min_size=POOL, max_size=POOL)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await pool.close()
    await send({"type": "lifespan.shutdown.complete"})
