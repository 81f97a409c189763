"""Whatever befalls PostgreSQL on busy processors, nobody is told 500, and nothing is lost."""

import asyncio
import random

import pytest
from drills.fire import Fire
from drills.storm import Storm, burning, crowded, failures, marks


async def test_nobody_is_told_500_whatever_befalls_the_database(
    fire: Fire, seed: int, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """`./sav test tests/drills/test_storm.py --strikes 50 -o faulthandler_timeout=0` goes on for longer."""
    chance = random.Random(seed)
    storm, before = Storm(fire, chance), marks(fire)
    with burning():
        async with fire.travelling() as travel, crowded(fire) as seen:
            for _ in range(int(request.config.getoption("--strikes"))):
                await asyncio.sleep(chance.uniform(0.3, 2))
                await storm.strike()
    fire.tell(capsys, f"{storm}; {seen}; {travel}")
    assert seen.faults == {}
    assert failures(fire, before) == {}
