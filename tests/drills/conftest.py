"""A platform of its own for the drills."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from drills.fire import REPLICAS, Fire
from drills.post import Post
from drills.travelling import GIVE_UP
from kept_logs import FAILED

from sav_chassis.settings import Settings
from sav_ops import home as homes
from sav_ops import rooms
from sav_ops.demo import journey
from sav_ops.home import REPO, Home, free_port

NOTIFIERS = [name for name, room in rooms.replicas(REPLICAS).items() if room == "notifier"]


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """What the faults are chosen by: `./sav test tests/drills --seed N`."""
    return int(request.config.getoption("--seed"))


@pytest.fixture(scope="session")
def fire(seed: int) -> Iterator[Fire]:
    # In the home of this run: it ends with it, even where nobody gets to say so here.
    home = Home(Path(os.environ["SAV_TEST_HOME"]) / "drills")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SAV_")}
    environment |= {"SAV_HOME": str(home.root), "SAV_EDGE_PORT": str(free_port())}
    environment["SAV_RATE_LIMITS_SCALE"] = "1000"
    post = Post(seed)

    # What the test servers left in this process's environment is not for the drills' platform.
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(homes, "GIVEN", environment)
    monkeypatch.setattr(journey, "PATIENCE", GIVE_UP)

    def sav(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "sav_ops", *words], env=environment, cwd=REPO, check=True)

    with post.open() as url:
        environment["SAV_SMTP_URL"] = url
        try:
            sav("up", "--replicas", str(REPLICAS))
            yield Fire(home, known(home), post, environment)
        finally:
            sav("down")
            monkeypatch.undo()


@pytest.fixture(autouse=True)
async def put_back(request: pytest.FixtureRequest, fire: Fire) -> AsyncIterator[None]:
    """Whatever a drill took, and did not get to put back, is there for the next one."""
    yield
    await fire.put_back()
    if FAILED in request.node.stash:
        await fire.take_as_given()


@pytest.fixture(scope="session")
async def past(fire: Fire) -> None:
    """Journeys of every kind, mail that was sent and mail that was kept: what the drills leave; made here without them."""
    if not fire.travelled:
        await one_journey_each(fire)
    if not fire.keeps_mail():
        fire.keep_mail()
        for name in NOTIFIERS:
            await asyncio.to_thread(fire.terminate, name)
        await fire.revive(*NOTIFIERS)
        await asyncio.to_thread(fire.wait_until_whole)
        await one_journey_each(fire)


async def one_journey_each(fire: Fire) -> None:
    async with fire.travelling():
        await asyncio.sleep(0)  # everybody begins one, and ends it


def known(home: Home) -> Settings:
    """The settings of the drills' platform, as its processes get them."""
    given = {
        name.removeprefix("SAV_").lower(): value
        for name, value in home.environment().items()
        if name.startswith("SAV_")
    }
    return Settings.model_validate(given | {"public_keys": json.loads(given["public_keys"])})
