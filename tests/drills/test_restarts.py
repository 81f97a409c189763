"""The broker and the database stopped, killed and started again while réclamations travel."""

import asyncio
import random
import signal
import time

import pytest
from fire import Fire

from sav_ops import processes, rooms


# PostgreSQL's SIGTERM waits for its clients to leave; an operator who restarts it sends SIGINT.
@pytest.mark.parametrize(
    ("server", "how"),
    [
        ("rabbitmq", signal.SIGTERM),
        ("rabbitmq", signal.SIGKILL),
        ("postgres", signal.SIGINT),
        ("postgres", signal.SIGKILL),
    ],
)
async def test_a_server_restarts(
    fire: Fire, seed: int, server: str, how: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)
    travelling = asyncio.create_task(fire.travel(60))
    await asyncio.sleep(chance.uniform(1, 3))
    await asyncio.to_thread(fire.end, server, how)
    await asyncio.sleep(chance.uniform(0.5, 3))
    began = time.monotonic()
    await asyncio.to_thread(fire.start_server, server)
    started = time.monotonic() - began
    recovered = await asyncio.to_thread(fire.wait_until_whole)
    seen = await travelling
    await fire.expect_truth()
    alive = [name for name in rooms.replicas(2) if processes.running(fire.home, name)]
    assert alive == list(rooms.replicas(2)), "a process did not survive the restart"
    fire.tell(capsys, f"{server} up in {started:.1f} s, whole again {recovered:.1f} s later, {seen}")


async def test_sigterm_under_load_ends_within_ten_seconds(
    fire: Fire, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)
    redelivered = fire.known_already()
    travelling = asyncio.create_task(fire.travel(90))
    took: list[float] = []
    names = list(rooms.replicas(2))
    chance.shuffle(names)
    for name in names:
        await asyncio.sleep(chance.uniform(0.2, 1))
        took.append(await asyncio.to_thread(fire.terminate, name))
        fire.revive(name)
        await asyncio.to_thread(fire.wait_until_whole)
    seen = await travelling
    await fire.expect_truth()
    assert max(took) < 10
    assert fire.known_already() == redelivered, "what was finished before the stop was delivered again"
    fire.tell(capsys, f"SIGTERM of each: out within {max(took):.1f} s, {seen}")
