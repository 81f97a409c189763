"""A platform of its own for the drills."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from fire import REPLICAS, Fire
from post import Post
from travelling import GIVE_UP

from sav_chassis.settings import Settings
from sav_ops import home as homes
from sav_ops import journey
from sav_ops.home import REPO, Home, free_port


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """What the faults are chosen by: `./sav test tests/drills --seed N`."""
    return int(request.config.getoption("--seed"))


@pytest.fixture(scope="session")
def fire(tmp_path_factory: pytest.TempPathFactory, seed: int) -> Iterator[Fire]:
    home = Home(tmp_path_factory.mktemp("drills"))
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


def known(home: Home) -> Settings:
    """The settings of the drills' platform, as its processes get them."""
    given = {
        name.removeprefix("SAV_").lower(): value
        for name, value in home.environment().items()
        if name.startswith("SAV_")
    }
    return Settings.model_validate(given | {"public_keys": json.loads(given["public_keys"])})
