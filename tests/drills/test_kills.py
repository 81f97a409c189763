"""kill -9 of services, relays, reaction consumers and edges, one after the other, while réclamations travel."""

import asyncio
import random

import pytest
from fire import Fire

from sav_ops import rooms


async def test_any_process_is_killed_again_and_again(
    fire: Fire, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """In every room at once, one of two replicas at a time: the relay's leader, the active consumer, an edge."""
    chance = random.Random(seed)
    travelling = asyncio.create_task(fire.travel(200))
    recovered: list[float] = []

    async def torment(room: str) -> None:
        while not travelling.done():
            await asyncio.sleep(chance.uniform(0.2, 3))
            name = chance.choice([room, f"{room}-2"])
            await asyncio.to_thread(fire.kill, name)
            await asyncio.sleep(chance.uniform(0, 1))
            fire.revive(name)
            recovered.append(await asyncio.to_thread(fire.wait_for, name))

    await asyncio.gather(*map(torment, rooms.ROOMS))
    seen = await travelling
    await fire.expect_truth()
    fire.tell(capsys, f"{len(recovered)} kills, two replicas again within {max(recovered):.1f} s, {seen}")


async def test_both_replicas_of_everything_are_killed_at_once(
    fire: Fire, capsys: pytest.CaptureFixture[str]
) -> None:
    travelling = asyncio.create_task(fire.travel(60))
    await asyncio.sleep(2)
    for name in rooms.replicas(2):
        fire.kill(name)
    for name in rooms.replicas(2):
        fire.revive(name)
    recovered = await asyncio.to_thread(fire.wait_until_whole)
    seen = await travelling
    await fire.expect_truth()
    fire.tell(capsys, f"everything killed, whole again within {recovered:.1f} s, {seen}")
