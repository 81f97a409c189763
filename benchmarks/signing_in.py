"""As many people sign in as there is room for, while somebody reads a réclamation."""

import asyncio
import json
import os
import time

from ground import Ground
from harness import Aim, Contender, Figures, Measured, interleaved
from load import WARM_UP, Load
from pydantic import SecretStr
from read import one_of_many
from uuid_utils.compat import uuid7

from sav_auth import passwords
from sav_chassis.settings import Settings

# Enough that somebody always waits for a processor; each signs in again and again.
PEOPLE = 8
PASSWORD = "correct horse battery"
READS_A_SECOND = 50
ARGON2, READ = "argon2 alone", "the read alone"
AIMS = (
    Aim("sign-ins/s", 0.85, against=ARGON2),
    Aim("read p99 ms", 2, "most", against=READ),
)
NOTES = (
    f"`POST /api/auth/login` of {PEOPLE} people at once; then the same while `GET /api/reclamations/{{id}}` is sent "
    f"{READS_A_SECOND} times a second. The edge and auth are one process each; `{ARGON2}` checks the same passwords in "
    f"{os.cpu_count()} threads of one process, as auth does, and does nothing else. All share the processors with "
    "PostgreSQL, RabbitMQ and the load generator; a password takes one for some 20 ms.",
)


async def measure(settings: Settings, rounds: int, seconds: float = 4) -> Measured:
    """Sign-ins a second beside the work of the passwords alone, and what a read waits meanwhile."""
    ground = await Ground.fresh(settings, "signing_in")
    port = ground.settings.edge_port
    emails = [f"{uuid7()}@example.com" for _ in range(PEOPLE)]
    sign_ins = [Load(port, said("/api/auth/login", email=one, password=PASSWORD)) for one in emails]
    read = Load(port, await one_of_many(ground.settings))
    async with ground.rooms("edge", "auth"):
        for one in emails:
            new = said("/api/auth/register", email=one, password=PASSWORD, name="Léa Bernard")
            await Load(port, new, 202).counted(1, 1)

    async def saturated() -> float:
        each = await asyncio.gather(*(load.saturated(1, seconds) for load in sign_ins))
        return sum(figures["requests/s"] for figures in each)

    async def ours() -> Figures:
        async with ground.rooms("edge", "auth"):
            rate = await saturated()
            figures, _ = await asyncio.gather(read.paced(READS_A_SECOND, seconds), saturated())
            return {"sign-ins/s": rate, "read p99 ms": figures["p99 ms"]}

    async def read_alone() -> Figures:
        async with ground.rooms("edge", "auth"):
            return {"read p99 ms": (await read.paced(READS_A_SECOND, seconds))["p99 ms"]}

    contenders = (
        Contender("SAV", ours),
        Contender(ARGON2, lambda: checked(seconds)),
        Contender(READ, read_alone),
    )
    measured = await interleaved("Signing in", contenders, AIMS, rounds)
    measured.notes += NOTES
    return measured


async def checked(seconds: float) -> Figures:
    """Passwords a second, where nothing else is done."""
    password = SecretStr(PASSWORD)
    hash = await passwords.hashed(password)
    ends = time.perf_counter() + WARM_UP + seconds
    counted = 0

    async def again() -> None:
        nonlocal counted
        while (now := time.perf_counter()) < ends:
            assert await passwords.matches(hash, password)
            counted += now > ends - seconds

    await asyncio.gather(*(again() for _ in range(PEOPLE)))
    return {"sign-ins/s": counted / seconds}


def said(path: str, **fields: str) -> bytes:
    """A request of somebody without a token."""
    body = json.dumps(fields).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: sav.test\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body
