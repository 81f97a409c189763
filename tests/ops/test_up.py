"""The whole platform on this machine: up, again, a look, down, and up with its data."""

import asyncio
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import aio_pika
import pytest

from sav_contracts.demo import ADDRESSES, LEA, PASSWORD
from sav_ops import rooms
from sav_ops.home import REPO, Home
from sav_ops.launch import keeper_client, platform, processes

PUBLIC_URL = "https://sav.example.com"
PRODUCTION = {"SAV_ENVIRONMENT": "production", "SAV_PUBLIC_URL": PUBLIC_URL}


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


def sign_in(place: Path, email: str = LEA) -> dict[str, Any]:
    """The tokens of one of the demo's people."""
    return post(place, "/auth/login", email=email, password=PASSWORD)


def post(place: Path, path: str, **fields: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{edge(place)}/api{path}", json.dumps(fields).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.load(answer))


def is_refused(asking: Callable[[], object]) -> bool:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        asking()
    return refusal.value.code == 401


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
    told = sav(place, "events", "--service", "auth").stdout
    assert "EmailVerified" in told, "mails to Léa may have links"
    assert "SignUpRepeated" not in told, "she is not warned of our own sign-up"


def test_another_key_signs_and_only_auth_starts_again(place: Path) -> None:
    before, old = pids(place), json.loads((place / "env").read_text())
    token = sign_in(place)["access_token"]
    done = sav(place, "keys", "rotate")
    assert done.returncode == 0, done.stdout + done.stderr
    after, new = pids(place), json.loads((place / "env").read_text())
    assert after.pop("auth") != before.pop("auth")
    assert after == before
    assert new["SAV_SIGNING_KEY"].endswith(old["SAV_SIGNING_KEY"])
    assert json.loads(new["SAV_PUBLIC_KEYS"]).items() > json.loads(old["SAV_PUBLIC_KEYS"]).items()
    assert get(f"{edge(place)}/api/me", token) == 200
    assert get(f"{edge(place)}/api/me", sign_in(place)["access_token"]) == 200


def test_status_shows_processes_queues_and_waiting_work_at_80_columns(place: Path) -> None:
    shown = sav(place, "status")
    assert all(
        name in shown.stdout for name in ("postgres", "edge", "claims.commands", "interventions.events")
    )
    assert shown.stdout.split().count("ready") == len(rooms.ROOMS)
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert (shown.stdout.splitlines()[-1], shown.returncode) == ("All is well.", 0)


def test_status_shows_the_queue_of_a_subscriber_that_went_away(place: Path) -> None:
    asyncio.run(publish(place, "partner.events", declare=True))
    seen = json.loads(sav(place, "status", "--json").stdout)
    assert seen["queues_of_others"] == {"partner.events": {"messages": 1, "consumers": 0}}
    shown = sav(place, "status")
    assert "Nobody reads partner.events" in shown.stdout
    assert shown.returncode == 0  # it is not our work


def test_status_fails_where_a_letter_is_dead_and_says_so_last(place: Path) -> None:
    asyncio.run(publish(place, "sav.dead"))
    shown = sav(place, "status")
    assert (shown.stdout.splitlines()[-1], shown.returncode) == ("Not well: 1 dead letters: ./sav dead", 1)
    asyncio.run(publish(place, "sav.dead", purge=True))


async def publish(place: Path, queue: str, declare: bool = False, purge: bool = False) -> None:
    url = Home(place).settings()["SAV_BROKER_URL"]
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        if declare:
            await channel.declare_queue(queue, durable=True)
        await channel.default_exchange.publish(aio_pika.Message(b"x"), routing_key=queue, mandatory=True)
        if purge:
            await (await channel.get_queue(queue)).purge()


def test_a_restart_of_one_room_leaves_the_others(place: Path) -> None:
    before = pids(place)
    done = sav(place, "restart", "claims")
    assert done.returncode == 0, done.stdout + done.stderr
    after = pids(place)
    assert after.pop("claims") not in (None, before.pop("claims"))
    assert after == before
    assert "There is no clams" in sav(place, "restart", "clams").stdout


def test_where_the_keeper_died_status_says_so_and_up_brings_another_and_leaves_the_rooms(place: Path) -> None:
    before = pids(place)
    processes.kill(Home(place), keeper_client.KEEPER)
    shown = sav(place, "status")
    assert (shown.stdout.splitlines()[-1], shown.returncode) == (
        "Not well: nothing watches these processes: ./sav up", 1
    )  # fmt: skip
    assert sav(place, "up").returncode == 0
    assert pids(place) == before
    assert sav(place, "status").returncode == 0


def test_up_works_after_a_killed_postgres_and_replaces_what_hangs(place: Path) -> None:
    before = pids(place)
    with Home(place).lock():  # the keeper leaves all of it to up
        processes.kill(Home(place), "postgres")
        processes.send(Home(place), "catalog", signal.SIGSTOP)
        processes.kill(Home(place), keeper_client.KEEPER)
    done = sav(place, "up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "catalog is not live" in done.stdout
    after = pids(place)
    assert {name for name, pid in after.items() if pid != before[name]} == {"postgres", "catalog"}
    assert all(after.values())


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
    done = sav(place, "up", SAV_COMMAND_DEADLINE="soon", SAV_ENVIRONMENT="prod")
    assert done.returncode == 1
    assert "SAV_COMMAND_DEADLINE: a number is expected" in done.stdout
    assert "SAV_ENVIRONMENT: one of development, production" in done.stdout


def test_production_with_demo_people_is_refused_before_anything_is_started(place: Path) -> None:
    assert sav(place, "down").returncode == 0
    done = sav(place, "up", **PRODUCTION)
    assert done.returncode == 1
    assert "./sav up --no-demo" in done.stdout
    assert not any(pids(place).values())


@pytest.fixture(scope="module")
def signed_in(place: Path) -> list[dict[str, Any]]:
    """The tokens of everybody of the demo, in development."""
    done = sav(place, "up")
    assert done.returncode == 0, done.stdout + done.stderr
    return [sign_in(place, email) for email in ADDRESSES]


@pytest.mark.usefixtures("signed_in")
def test_what_is_up_in_development_is_no_production_while_demo_people_can_sign_in(place: Path) -> None:
    done = sav(place, "up", "--no-demo", **PRODUCTION)
    assert done.returncode == 1
    assert all(email in done.stdout for email in ADDRESSES)
    assert "./sav demo --remove" in done.stdout
    running = pids(place)
    assert not any(running[room] for room in rooms.ROOMS)
    with pytest.raises(OSError, match="refused"):
        get(f"{edge(place)}/health/live")
    # It stays what it was refused as, also where nobody says so again.
    assert sav(place, "up").returncode == 1
    # Nor one process alone, nor what containers begin with.
    for words in (("run", "auth"), ("prepare", str(place / "rooms"))):
        alone = sav(place, *words, **PRODUCTION)
        assert alone.returncode == 1
        assert "./sav demo --remove" in alone.stdout + alone.stderr


def test_production_starts_once_the_demo_people_are_removed_and_lets_none_of_them_in(
    place: Path, signed_in: list[dict[str, Any]]
) -> None:
    removed = sav(place, "demo", "--remove")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert all(email in removed.stdout for email in ADDRESSES)
    done = sav(place, "up", "--no-demo", **PRODUCTION)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "There is no admin yet" in done.stdout

    me, refresh = f"{edge(place)}/api/me", "/auth/refresh"
    assert all(is_refused(partial(sign_in, place, email)) for email in ADDRESSES)
    for one in signed_in:
        assert is_refused(partial(post, place, refresh, refresh_token=one["refresh_token"]))
        assert is_refused(partial(get, me, one["access_token"]))


def test_production_stays_so_where_the_shell_does_not_say_it_again(place: Path) -> None:
    done = sav(place, "up")
    assert done.returncode == 1
    assert "Demo people are not for production" in done.stdout
    assert sav(place, "up", "--no-demo", SAV_PUBLIC_URL=PUBLIC_URL).returncode == 0
    assert is_refused(lambda: sign_in(place))


def test_wiping_asks_first(place: Path) -> None:
    assert sav(place, "down", "--wipe").returncode != 0
    assert (place / "pg").exists()
    assert sav(place, "down", "--wipe", "--yes").returncode == 0
    assert not any((place / name).exists() for name in platform.OURS)
    assert "has not been started" in sav(place, "status").stdout
