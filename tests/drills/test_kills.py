"""kill -9 of services, relays, reaction consumers, effects under way and edges, while réclamations travel."""

import asyncio
import random
import time

import pytest
from drills.fire import REPLICAS, Fire

from sav_ops import rooms


async def test_two_replicas_of_everything_work(fire: Fire) -> None:
    await asyncio.to_thread(fire.wait_until_whole)


async def test_a_replica_of_every_room_is_killed(
    fire: Fire, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """One or the other, one room soon after another: a relay's leader, an active consumer, who holds a lease."""
    chance = random.Random(seed)
    names = [chance.choice([room, f"{room}-2"]) for room in rooms.ROOMS]
    chance.shuffle(names)
    async with fire.travelling() as seen:
        for name in names:
            await asyncio.sleep(chance.uniform(0.2, 2))
            await asyncio.to_thread(fire.kill, name)
        await fire.revive(*names)  # only now: a start takes all the time there is on a processor
        recovered = await asyncio.to_thread(fire.wait_until_whole)
    fire.tell(capsys, f"{len(names)} kills, whole again within {recovered:.1f} s after the last, {seen}")


async def test_everything_is_killed_at_once(fire: Fire, capsys: pytest.CaptureFixture[str]) -> None:
    async with fire.travelling() as seen:
        await asyncio.sleep(2)
        await asyncio.to_thread(fire.kill_all, rooms.replicas(REPLICAS))
        began = time.monotonic()
        await fire.revive(*rooms.replicas(REPLICAS))
        await asyncio.to_thread(fire.wait_until_whole)
        recovered = time.monotonic() - began
    fire.tell(capsys, f"everything killed, whole again {recovered:.1f} s after the start, {seen}")
    fire.tell(capsys, f"{len(fire.post.taken)} mails sent, {fire.post.cuts} connections cut")
