"""Whether a process still works: it must answer a question that only its own event loop can answer.

The keeper asks all the time and must stay small: this module imports only the standard library.
"""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from sav_ops.home import Home, reached
from sav_ops.launch import processes

ANSWER_WITHIN = 5.0
# Failures in a row after which a process counts as hung.
TRIES = 3
# What each server answers without a login: PostgreSQL a request for TLS, RabbitMQ AMQP's protocol header, epmd a
# request for its names.
GREETINGS = {
    "postgres": bytes.fromhex("0000000804d2162f"),
    "rabbitmq": b"AMQP\x00\x00\x09\x01",
    "epmd": b"\x00\x01n",
}
URLS = {"postgres": "SAV_DATABASE_URL", "rabbitmq": "SAV_BROKER_URL"}


async def fault(home: Home, name: str) -> str | None:
    """Return what is wrong with a process that a restart would cure; None if it answers well."""
    where = address(home, name)
    if where is None:
        return "does not answer"
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            reader, writer = await asyncio.open_connection(*where)
            try:
                writer.write(GREETINGS.get(name, b"GET /live HTTP/1.0\r\n\r\n"))
                return said(await reader.read()) if name not in GREETINGS else await silent(reader)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError):
        return "does not answer"


async def silent(reader: asyncio.StreamReader) -> str | None:
    return None if await reader.read(1) else "does not answer"


def said(answer: bytes) -> str | None:
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split()[1:2] == [b"200"]:
        return None
    with suppress(ValueError, AttributeError):
        if faults := json.loads(body).get("faults"):
            return f"not live: {', '.join(faults)}"
    return "does not answer"


async def hung(home: Home, name: str) -> str | None:
    """Return the fault of a process that failed `TRIES` times in a row; None if it answered once, or ended."""
    for _ in range(TRIES):
        wrong = await fault(home, name)
        if wrong is None or processes.running(home, name) is None:
            return None
    return wrong


def address(home: Home, name: str) -> tuple[str, int] | None:
    """Return the host and port at which a process of this home answers; None if they are unknown."""
    if name in URLS:
        port = urlsplit(home.settings().get(URLS[name], "")).port
    elif name == "epmd":
        port = epmd_port(home)
    else:
        port = port_of(home, name)
        return (reached(home.environment().get("SAV_HEALTH_HOST", "")), port) if port else None
    return ("127.0.0.1", port) if port else None


def epmd_port(home: Home) -> int | None:
    """Return the port with which this home's epmd was started."""
    pid = processes.running(home, "epmd")
    with suppress(OSError, ValueError, IndexError):
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        return int(words[words.index("-port") + 1])
    return None


def port_of(home: Home, name: str) -> int | None:
    """Return the health port of a room's process; None if it was never started here."""
    try:
        return int((home.run / f"{name}.port").read_text())
    except FileNotFoundError:
        return None
