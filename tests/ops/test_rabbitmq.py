"""Where a broker comes from on a machine with neither RabbitMQ nor apt-get: Docker, if there is one.

`docker` is a stand-in for that program: it notes what it is asked, and its container is a line to the test broker.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from sav_chassis.settings import Settings
from sav_ops.home import REPO, Home, OpsError, free_port
from sav_ops.launch import platform, rabbitmq

DOCKER = """#!{python}
import json, os, signal, subprocess, sys
from pathlib import Path

here, words = Path(__file__).parent, sys.argv[1:]
with (here / "asked").open("a") as asked:
    print(json.dumps([words, os.environ.get("BROKER_USER"), os.environ.get("BROKER_PASSWORD")]), file=asked)
if (here / "no engine").exists():
    sys.exit("Cannot connect to the Docker daemon. Is the docker daemon running?")
if "up" in words:
    if (here / "no port").exists():
        sys.exit("Bind for 127.0.0.1:5672 failed: port is already allocated")
    line = subprocess.Popen([sys.executable, "-c", {line!r}, *{ends!r}], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (here / "container").write_text(str(line.pid))
if "stop" in words:
    os.kill(int((here / "container").read_text()), signal.SIGKILL)
    (here / "container").unlink()
"""
LINE = f"""
import asyncio, sys
sys.path.insert(0, {str(REPO / "tests")!r})
from cable import Cable

async def main():
    async with await asyncio.start_server(Cable(sys.argv[1])._plug, "127.0.0.1", int(sys.argv[2])) as server:
        await server.serve_forever()

asyncio.run(main())
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A machine that has nothing: no RabbitMQ, and no program on its PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(rabbitmq, "find", lambda: None)
    monkeypatch.setattr(rabbitmq, "COMMON", f"amqp://guest:guest@127.0.0.1:{free_port()}/")
    return Home(tmp_path / "home")


@pytest.fixture
def docker(home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same machine with Docker: the folder of the program, and of what it noted."""
    broker, port = urlsplit(settings.broker_url), urlsplit(rabbitmq.COMMON).port
    monkeypatch.setattr(rabbitmq, "COMMON", f"amqp://{broker.username}:{broker.password}@127.0.0.1:{port}/")
    folder = Path(os.environ["PATH"])
    program = DOCKER.format(python=sys.executable, line=LINE, ends=(settings.broker_url, str(port)))
    (folder / "docker").write_text(program)
    (folder / "docker").chmod(0o755)
    yield folder
    if (folder / "container").exists():
        os.kill(int((folder / "container").read_text()), signal.SIGKILL)


class Call(NamedTuple):
    """What Docker was asked, and the login that the compose file gets."""

    words: list[str]
    user: str | None
    password: str | None


def calls(docker: Path, verb: str) -> list[Call]:
    found = [Call(*json.loads(line)) for line in (docker / "asked").read_text().splitlines()]
    return [call for call in found if verb in call.words]


def answers() -> bool:
    return asyncio.run(rabbitmq.answers(rabbitmq.COMMON))


def test_a_machine_without_anything_is_told_the_ways(home: Home) -> None:
    with pytest.raises(OpsError, match="Docker engine with Compose"):
        rabbitmq.provide(home)


def test_an_engine_that_does_not_run_is_no_way(home: Home, docker: Path) -> None:
    (docker / "no engine").touch()
    with pytest.raises(OpsError, match="Any of these is enough"):
        rabbitmq.provide(home)
    assert not calls(docker, "up")


def test_docker_gives_a_broker_and_down_stops_it(home: Home, docker: Path) -> None:
    assert not answers()
    assert rabbitmq.provide(home) == (rabbitmq.COMMON, "container")
    assert answers()
    assert home.settings()["SAV_BROKER_URL"] == rabbitmq.COMMON
    project = ["compose", "--file", str(REPO / "compose.yaml"), "--project-name", "sav-broker"]
    (up,) = calls(docker, "up")
    assert up.words == [*project, "up", "--detach", "--wait", "broker"]
    platform.down(home)
    assert not answers()
    platform.down(home)  # nothing is left to stop
    (stop,) = calls(docker, "stop")
    assert stop.words == [*project, "stop", "broker"]


def test_the_container_gets_the_login_that_is_used(home: Home, docker: Path) -> None:
    rabbitmq.provide(home)
    (up,) = calls(docker, "up")
    assert (up.user, up.password) == (urlsplit(rabbitmq.COMMON).username, urlsplit(rabbitmq.COMMON).password)


def test_a_broker_that_answers_already_is_taken_and_not_stopped(home: Home, docker: Path) -> None:
    rabbitmq.provide(home)
    (home.run / "compose").unlink()
    assert rabbitmq.provide(home) == (rabbitmq.COMMON, "already there")
    platform.down(home)
    assert answers()


def test_what_docker_says_is_told_when_the_broker_cannot_start(home: Home, docker: Path) -> None:
    (docker / "no port").touch()
    with pytest.raises(OpsError, match="port is already allocated"):
        rabbitmq.provide(home)


def test_down_goes_on_without_the_engine_and_stops_the_container_when_it_is_back(
    home: Home, docker: Path
) -> None:
    rabbitmq.provide(home)
    (docker / "no engine").touch()
    platform.down(home)
    assert not calls(docker, "stop")
    (docker / "no engine").unlink()
    platform.down(home)
    assert not answers()
