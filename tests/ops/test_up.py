"""The whole platform on this machine: up, again, a look, down, and up with its data."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sav_ops import platform, processes, rooms
from sav_ops.demo import LEA, PASSWORD
from sav_ops.home import REPO, Home


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("sav")
    yield place
    sav(place, "down")


def sav(place: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SAV_")}
    environment = {**mine, "SAV_HOME": str(place), **variables}
    return subprocess.run(
        [REPO / "sav", *words], env=environment, text=True, capture_output=True, timeout=150
    )


def get(url: str, token: str = "") -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)


def sign_in(place: Path) -> str:
    """The token of the demo's client."""
    sent = json.dumps({"email": LEA, "password": PASSWORD}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{edge(place)}/api/auth/login", sent, headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["access_token"])


def edge(place: Path) -> str:
    return f"http://127.0.0.1:{json.loads((place / 'env').read_text())['SAV_EDGE_PORT']}"


def pids(place: Path) -> dict[str, int | None]:
    home = Home(place)
    return {name: processes.running(home, name) for name in ("postgres", "rabbitmq", *rooms.ROOMS)}


def test_up_starts_everything_and_says_where_to_go(place: Path) -> None:
    done = sav(place, "up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert edge(place) in done.stdout
    assert all(pids(place).values())
    assert get(f"{edge(place)}/health/ready") == 200
    assert {"client", "technician", "manager", "admin"} <= set(done.stdout.split())


def test_a_scraper_finds_every_process_that_is_up(place: Path) -> None:
    targets = json.loads((place / "prometheus-targets.json").read_text())
    assert [target["labels"]["process"] for target in targets] == list(rooms.ROOMS)
    for target in targets:
        assert get(f"http://{target['targets'][0]}/metrics") == 200


def test_up_again_starts_only_what_is_missing(place: Path) -> None:
    before = pids(place)
    processes.stop(Home(place), ["claims"])
    done = sav(place, "up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "already up" in done.stdout
    after = pids(place)
    assert after.pop("claims") != before.pop("claims")
    assert after == before


def test_another_key_signs_and_only_auth_starts_again(place: Path) -> None:
    before, old = pids(place), json.loads((place / "env").read_text())
    token = sign_in(place)
    done = sav(place, "keys", "rotate")
    assert done.returncode == 0, done.stdout + done.stderr
    after, new = pids(place), json.loads((place / "env").read_text())
    assert after.pop("auth") != before.pop("auth")
    assert after == before
    assert new["SAV_SIGNING_KEY"].endswith(old["SAV_SIGNING_KEY"])
    assert json.loads(new["SAV_PUBLIC_KEYS"]).items() > json.loads(old["SAV_PUBLIC_KEYS"]).items()
    assert get(f"{edge(place)}/api/me", token) == 200
    assert get(f"{edge(place)}/api/me", sign_in(place)) == 200


def test_status_shows_processes_queues_and_waiting_work(place: Path) -> None:
    shown = sav(place, "status").stdout
    assert all(name in shown for name in ("postgres", "edge", "claims.commands", "interventions.events"))
    assert shown.split().count("ready") == len(rooms.ROOMS)


def test_down_stops_everything_and_the_data_survive(place: Path) -> None:
    settings = (place / "env").read_text()
    assert sav(place, "down").returncode == 0
    assert not any(pids(place).values())
    assert "No process of SAV runs here" in sav(place, "status").stdout
    done = sav(place, "up", "--no-demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (place / "env").read_text() == settings


def test_a_service_that_cannot_start_shows_its_log(place: Path) -> None:
    processes.stop(Home(place), ["claims"])
    done = sav(place, "up", "--no-demo", SAV_PUBLIC_KEYS='{"one": "not a key"}')
    assert done.returncode == 1
    assert "claims stopped while it was starting" in done.stdout
    assert "MalformedFraming" in done.stdout


def test_a_wrong_variable_is_named(place: Path) -> None:
    done = sav(place, "up", SAV_COMMAND_DEADLINE="soon")
    assert done.returncode == 1
    assert "SAV_COMMAND_DEADLINE" in done.stdout


def test_wiping_asks_first(place: Path) -> None:
    assert sav(place, "down", "--wipe").returncode != 0
    assert (place / "pg").exists()
    assert sav(place, "down", "--wipe", "--yes").returncode == 0
    assert not any((place / name).exists() for name in platform.OURS)
    assert "has not been started" in sav(place, "status").stdout
