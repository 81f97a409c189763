"""A platform of its own for the drills."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from fire import REPLICAS, Fire

from sav_chassis.settings import Settings
from sav_ops import home as homes
from sav_ops.home import REPO, Home, free_port


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What the faults are chosen by: `./sav test tests/drills --seed N`."""
    return int(request.config.getoption("--seed"))


@pytest.fixture(scope="session")
def fire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fire]:
    home = Home(tmp_path_factory.mktemp("drills"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SAV_")}
    environment |= {"SAV_HOME": str(home.root), "SAV_EDGE_PORT": str(free_port())}

    # What the test servers left in this process's environment is not for the drills' platform.
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(homes, "GIVEN", environment)

    def sav(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "sav_ops", *words], env=environment, cwd=REPO, check=True)

    try:
        sav("up", "--replicas", str(REPLICAS))
        yield Fire(home, known(home))
    finally:
        sav("down")
        monkeypatch.undo()


def known(home: Home) -> Settings:
    """The settings of the drills' platform, as its processes get them."""
    saved = {name.removeprefix("SAV_").lower(): value for name, value in home.settings().items()}
    return Settings.model_validate(saved | {"public_keys": json.loads(saved["public_keys"])})
