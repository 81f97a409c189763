"""The broker and the database stopped, killed and started again, and everybody asked to stop, under load."""

import asyncio
import random
import signal
import time

import pytest
from drills.fire import Fire

from sav_ops import rooms


async def test_sigterm_under_load_ends_within_ten_seconds(
    fire: Fire, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """One replica of each room and then the other notifier: who comes back keeps mail in a folder."""
    chance = random.Random(seed)
    redelivered = fire.known_already()
    fire.keep_mail()
    took: list[float] = []

    async def terminate(names: list[str]) -> None:
        for name in names:
            await asyncio.sleep(chance.uniform(0.2, 1))
            took.append(await asyncio.to_thread(fire.terminate, name))
        await fire.revive(*names)  # only now: a start takes all the time there is on a processor
        await asyncio.to_thread(fire.wait_until_whole)

    async with fire.travelling() as seen:
        others = [chance.choice([room, f"{room}-2"]) for room in rooms.ROOMS if room != "notifier"]
        await terminate(["notifier", *others])
        await terminate(["notifier-2"])
    assert max(took) < 10
    assert fire.known_already() == redelivered, "what was finished before the stop was delivered again"
    fire.tell(capsys, f"SIGTERM of each: out within {max(took):.1f} s, {seen}")


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
    before = fire.pids()
    async with fire.travelling() as seen:
        await asyncio.sleep(chance.uniform(1, 3))
        async with fire.without(server, how):
            await asyncio.sleep(chance.uniform(0.5, 3))
            began = time.monotonic()
        started = time.monotonic() - began
        recovered = await asyncio.to_thread(fire.wait_until_whole)
    assert fire.pids() == before, "a process did not survive the restart"
    fire.tell(capsys, f"{server} up in {started:.1f} s, whole again {recovered:.1f} s later, {seen}")
