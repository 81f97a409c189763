"""How a stream is refused, stays alive and ends, and that nobody holds up anybody else."""

import asyncio
import socket
from contextlib import AsyncExitStack, suppress

import asyncpg
import pytest
import world
from eventually import eventually
from given_streams import Replica, a_claim, changed, later, replica
from prometheus_client.parser import text_string_to_metric_families
from stories import refused

from sav_chassis.settings import Settings
from sav_chassis.telemetry import metrics
from sav_contracts.actor import Actor, Role
from sav_edge.stream import STREAMS_EACH, WAITING


async def test_a_caller_who_does_not_read_is_dropped_and_holds_up_nobody(
    pool: asyncpg.Pool, one: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sav_edge.stream.UNREAD", 0.5)
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    deaf.connect(("127.0.0.1", one.port))
    deaf.sendall(
        f"GET /stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {one.token(world.paul)}\r\n\r\n".encode()
    )
    async with one.heard_by(world.paul) as paul:

        async def dropped() -> bool:
            await changed(pool, *(a_claim(world.paul) for _ in range(WAITING // 8)))
            return streams_open() == 1

        await eventually(dropped, 30)
        last = a_claim(world.paul)

        async def told() -> list[int]:
            # Where too much came for them too, they were told just that.
            nonlocal last
            last = later(last)
            await changed(pool, last)
            return paul.of(last)

        await eventually(told)
    with deaf:
        assert not cut_off(deaf).endswith(b"0\r\n\r\n")


def cut_off(deaf: socket.socket) -> bytes:
    """The last that can still be read of a connection that the other side has ended."""
    got = b""
    deaf.settimeout(5)
    with suppress(ConnectionResetError):
        while more := deaf.recv(100_000):
            got = more
    return got


async def test_a_stream_shows_that_it_is_alive(apart: Settings, pool: asyncpg.Pool) -> None:
    async with (
        replica(apart, pool, heartbeat=0.2) as quick,
        quick.heard_by(world.lea) as lea,
        quick.heard_by(world.paul) as paul,
    ):
        before = lea.place
        claim = a_claim(world.paul)
        await changed(pool, claim)
        await paul.hears(claim)
        await lea.until(lambda ear: ear.lines.count(": still here") > 2)
        # Their place moves on while they hear nothing.
        await lea.until(lambda ear: int(ear.place) > int(before))
        assert not lea.heard


async def test_a_stream_ends_with_its_token(apart: Settings, pool: asyncpg.Pool) -> None:
    async with (
        replica(apart, pool, heartbeat=0.2) as quick,
        quick.heard_by(world.lea, seconds=2) as lea,
        quick.heard_by(world.paul) as paul,
    ):
        await lea.until(lambda ear: ear.ended)
        assert lea.heard == [("expired", {})]
        assert not paul.ended


async def test_streams_are_refused_like_any_request(one: Replica) -> None:
    refused(await one.asked({}), 401, "not_signed_in")
    refused(await one.asked({"Authorization": "Bearer x"}), 401, "not_signed_in")
    token = one.token(world.lea)
    refused(await one.asked({}, query=f"?token={token}"), 401, "not_signed_in")
    refused(await one.asked({"Authorization": f"Bearer {token}"}, query="?after=1"), 422, "invalid")
    robot = {"Authorization": f"Bearer {one.token(Actor(role=Role.SYSTEM))}"}
    refused(await one.asked(robot), 403, "not_allowed")
    assert (await one.asked({"Authorization": f"Bearer {token}"}, "POST")).status_code == 405


async def test_a_person_has_so_many_streams_and_a_process_too(apart: Settings, pool: asyncpg.Pool) -> None:
    async with replica(apart, pool, at_most=STREAMS_EACH + 1) as small:
        headers = {"Authorization": f"Bearer {small.token(world.lea)}"}
        async with AsyncExitStack() as stack:
            for _ in range(STREAMS_EACH):
                await stack.enter_async_context(small.heard_by(world.lea))
            answer = await small.asked(headers)
            refused(answer, 429, "too_many_streams")
            assert answer.headers["retry-after"]
            await stack.enter_async_context(small.heard_by(world.paul))
            refused(
                await small.asked({"Authorization": f"Bearer {small.token(world.sofia)}"}), 503, "unavailable"
            )
            assert streams_open() == STREAMS_EACH + 1

        async def gone() -> bool:
            return streams_open() == 0

        await eventually(gone)
        async with small.heard_by(world.lea):
            pass


async def test_a_stop_ends_streams_at_once(apart: Settings, pool: asyncpg.Pool) -> None:
    async with AsyncExitStack() as listeners:
        async with asyncio.timeout(10), replica(apart, pool) as stopping:
            ears = [
                await listeners.enter_async_context(stopping.heard_by(who)) for who in (world.lea, world.paul)
            ]
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 2
        for one in ears:
            await one.until(lambda ear: ear.ended)


def streams_open() -> float:
    [gauge] = [
        sample.value
        for family in text_string_to_metric_families(metrics.exposition([]).decode())
        for sample in family.samples
        if sample.name == "sav_streams"
    ]
    return gauge
