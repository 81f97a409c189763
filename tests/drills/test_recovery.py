"""What is killed or hangs comes back by itself: nobody starts anything here."""

import asyncio
import os
import signal
import time

import psutil
import pytest
from drills.fire import Fire

from sav_ops import rooms
from sav_ops.launch import keeper_client, liveness, processes, rabbitmq, restart_records

SERVERS = ("postgres", "rabbitmq", rabbitmq.EPMD)
# Seconds on a machine that may be busy.
BACK_WITHIN = 90
# Three questions of 5 s, with 3 s between, before what hangs is killed.
HANGS = 25


@pytest.mark.parametrize(
    ("names", "how"),
    [
        (rooms.ROOMS, signal.SIGKILL),
        (("rabbitmq",), signal.SIGKILL),
        (("postgres", rabbitmq.EPMD), signal.SIGKILL),
        (("claims", "postgres", "rabbitmq"), signal.SIGSTOP),
    ],
    ids=["every room killed", "the broker killed", "PostgreSQL and epmd killed", "room and servers hang"],
)
async def test_it_comes_back_without_a_hand(
    fire: Fire, names: tuple[str, ...], how: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    took: dict[str, float] = {}
    async with fire.travelling() as seen:
        await asyncio.sleep(1)
        before = {name: processes.running(fire.home, name) for name in names}
        began = time.monotonic()
        for pid in before.values():
            assert pid
            os.kill(pid, how)
        while len(took) < len(names):
            for name in names:
                if name not in took and await is_back(fire, name, before[name]):
                    took[name] = time.monotonic() - began
            if time.monotonic() - began > BACK_WITHIN + (HANGS if how == signal.SIGSTOP else 0):
                pytest.fail(f"not back: {set(names) - took.keys()}")
            await asyncio.sleep(0.1)
        await asyncio.to_thread(fire.wait_until_whole)
    told = restart_records.read(fire.home)
    why = "does not answer" if how == signal.SIGSTOP else "ended by signal 9 (Killed)"
    assert {name: told[name]["why"] for name in names} == dict.fromkeys(names, why)
    processes.poll(lambda: zombies(fire) == [], 5, "nobody waits for the dead")
    fire.tell(capsys, f"back after {', '.join(f'{name} {took[name]:.1f} s' for name in names)}; {seen}")


async def is_back(fire: Fire, name: str, before: int | None) -> bool:
    if processes.running(fire.home, name) in (None, before):
        return False
    if name in SERVERS:
        return await liveness.fault(fire.home, name) is None
    return await asyncio.to_thread(fire.is_ready, name)


def zombies(fire: Fire) -> list[str]:
    keeper = processes.running(fire.home, keeper_client.KEEPER)
    assert keeper
    children = psutil.Process(keeper).children()
    return [child.name() for child in children if child.status() == psutil.STATUS_ZOMBIE]
