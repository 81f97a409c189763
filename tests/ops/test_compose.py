"""compose.yaml, Dockerfile and .dockerignore say what the code says. No engine is needed."""

import asyncio
import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer
import yaml
from packaging.specifiers import SpecifierSet
from pydantic_settings import BaseSettings

from sav_chassis.files import check_files
from sav_chassis.process.health import Health
from sav_chassis.process.runner import STOP_WITHIN
from sav_chassis.settings import RoomSettings, Settings
from sav_chassis.startup_checks import DURABLE, CannotStart, check_settings
from sav_edge.app import RECOGNISERS, build
from sav_edge.routes import Gateway
from sav_edge.screen_upload import MEMORY
from sav_edge.uploads import IN_HAND
from sav_ops import rooms
from sav_ops.cli import app
from sav_ops.home import REPO, SECRETS, Home
from sav_ops.launch import postgres

TEXT = (REPO / "compose.yaml").read_text()
DOCKERFILE = (REPO / "Dockerfile").read_text()
PRODUCTION = {"SAV_ENVIRONMENT": "production", "SAV_PUBLIC_URL": "https://sav.example.com"}


def composed(dotenv: dict[str, str]) -> dict[str, Any]:
    """As the engine reads it where .env and the shell say no more than this."""
    known = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: dotenv.get(found[1], found[2]), TEXT)
    return dict(yaml.safe_load(known))


COMPOSE = composed({})
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "sav:local"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def told(name: str, **dotenv: str) -> dict[str, str]:
    """The variables of a service that have a value, where .env says no more than this."""
    given = composed(dotenv)["services"][name].get("environment", {})
    return {variable: str(value) for variable, value in given.items() if value is not None}


def settings_of(monkeypatch: pytest.MonkeyPatch, *environments: dict[str, str]) -> Settings:
    for name in [name for name in os.environ if name.startswith("SAV_")]:
        monkeypatch.delenv(name)
    for name, value in [pair for environment in environments for pair in environment.items()]:
        monkeypatch.setenv(name, value)
    return Settings()


def mounts(name: str) -> dict[str, tuple[str, str]]:
    """Volume to where it is mounted and how."""
    parts = [volume.split(":") for volume in SERVICES[name].get("volumes", [])]
    return {volume: (target, "".join(mode)) for volume, target, *mode in parts}


def instructions(word: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", "")
    return re.findall(rf"^{word} +(.*)$", joined, flags=re.MULTILINE)


def test_every_room_has_a_service_and_every_command_is_one_of_sav() -> None:
    commands = typer.main.get_group(app)
    for name, service in OURS.items():
        verb, *arguments = service["command"]
        commands.commands[verb].make_context(verb, list(arguments))
        assert (verb, *arguments) == (("run", name) if name in rooms.ROOMS else ("prepare", "/rooms"))
    assert OURS.keys() == {*rooms.ROOMS, "prepare"}


def test_every_variable_is_a_setting() -> None:
    settings: list[type[BaseSettings]] = [Settings, *RoomSettings.__subclasses__()]
    known = {f"SAV_{name.upper()}" for one in settings for name in one.model_fields} | {"SAV_HOME"}
    assert set(re.findall(r"\bSAV_[A-Z_]+\b", TEXT + DOCKERFILE)) <= known


@pytest.mark.parametrize("room", rooms.ROOMS)
def test_a_room_is_fit_to_start_with_what_it_is_told_and_has_no_other_secrets(
    room: str, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.share(room, tmp_path / room)
    own = json.loads((tmp_path / room / "env").read_text())
    assert {name for name in SECRETS if name in own} == {
        s for s, holders in SECRETS.items() if room in holders
    }
    with pytest.raises(
        CannotStart, match=r"SAV_DATABASE_URL another password.*SAV_BROKER_URL another password"
    ):
        check_settings(settings_of(monkeypatch, own, told(room), PRODUCTION), room)
    settings = settings_of(
        monkeypatch, own, told(room, DATABASE_PASSWORD="d", BROKER_PASSWORD="b"), PRODUCTION
    )
    check_settings(settings, room)
    needed = [check_files] if room == rooms.EDGE else rooms.load(room).checks
    if check_files in needed:
        assert urlsplit(settings.files_url).path == mounts(room)["files"][0]
        settings.files_url = tmp_path.as_uri()
    for check in needed:
        check(settings, room)


def test_a_room_sees_its_own_home_only_and_cannot_write_there() -> None:
    (place,) = re.findall(r"SAV_HOME=(\S+)", DOCKERFILE)
    for room in rooms.ROOMS:
        homes = {volume: mount for volume, mount in mounts(room).items() if volume.startswith("home")}
        assert homes == {f"home-{room}": (place, "ro")}
        assert mounts("prepare")[f"home-{room}"] == (f"/rooms/{room}", "")
    assert mounts("prepare")["home"] == (place, "")
    mounted = {volume for name in SERVICES for volume in mounts(name)}
    assert mounted == COMPOSE["volumes"].keys()


def test_addresses_and_passwords_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OURS:
        settings = settings_of(monkeypatch, told(name))
        assert urlsplit(
            settings.database_url
        ).netloc == "{POSTGRES_USER}:{POSTGRES_PASSWORD}@database:5432".format(**told("database"))
        assert urlsplit(
            settings.broker_url
        ).netloc == "{RABBITMQ_DEFAULT_USER}:{RABBITMQ_DEFAULT_PASS}@broker:5672".format(**told("broker"))
    edge = settings_of(monkeypatch, told("edge"))
    assert edge.edge_host == "0.0.0.0"
    assert SERVICES["door"]["command"][-1] == f"edge:{edge.edge_port}"
    assert urlsplit(settings_of(monkeypatch, told("notifier")).smtp_url).hostname in SERVICES


def test_what_is_published_is_on_this_machine_only_unless_asked() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)
    assert published["broker"] == ["127.0.0.1:5672:5672"]
    assert not set(published) & {*OURS, "database"}


async def test_the_check_of_a_room_asks_what_the_room_answers(settings: Settings) -> None:
    ports = {told(room)["SAV_HEALTH_PORT"] for room in rooms.ROOMS}
    checks = {tuple(SERVICES[room]["healthcheck"]["test"]) for room in rooms.ROOMS}
    ((port,), ((_, program, *words),)) = ports, checks
    assert program == "python"
    health = Health()
    async with health.answering(settings):
        code = words[-1].replace(f":{port}/", f":{health.port}/")
        asking = await asyncio.create_subprocess_exec(
            sys.executable, *words[:-1], code, stderr=asyncio.subprocess.PIPE
        )
        _, said = await asking.communicate()
    assert asking.returncode, "it has not started, so it is not ready"
    assert "HTTP Error 503" in said.decode()


def test_the_check_of_the_door_asks_for_a_route_of_the_edge() -> None:
    (url,) = [word for word in SERVICES["door"]["healthcheck"]["test"] if word.startswith("http:")]
    listens = SERVICES["door"]["command"][SERVICES["door"]["command"].index("--from") + 1]
    assert f":{urlsplit(url).port}" == listens
    nothing: Any = None
    door = Gateway(*[nothing] * len(fields(Gateway)))
    assert urlsplit(url).path in {route.path for route in build(door, nothing, Health()).routes}


def test_nobody_waits_for_ever_or_for_what_has_no_check() -> None:
    needs = {name: service.get("depends_on", {}) for name, service in SERVICES.items()}
    tuple(TopologicalSorter(needs).static_order())
    waited = [(other, how["condition"]) for those in needs.values() for other, how in those.items()]
    assert all("test" in SERVICES[other]["healthcheck"] for other, how in waited if how == "service_healthy")
    for room in rooms.ROOMS:
        assert needs[room]["prepare"]["condition"] == "service_completed_successfully"
        assert needs[room]["broker"]["condition"] == "service_healthy"
    assert needs["prepare"]["database"]["condition"] == "service_healthy"
    assert SERVICES["prepare"]["restart"] == "no"


def test_a_room_gets_the_time_that_its_stop_takes() -> None:
    for room in rooms.ROOMS:
        assert int(SERVICES[room]["stop_grace_period"].removesuffix("s")) > STOP_WITHIN


def memory(name: str) -> int:
    """The limit of a service in bytes."""
    [(number, unit)] = re.findall(r"^(\d+)([mg])$", SERVICES[name]["mem_limit"])
    return int(number) * {"m": 2**20, "g": 2**30}[unit]


def test_every_service_has_a_limit_of_memory_that_what_it_does_fits_in() -> None:
    assert min(map(memory, SERVICES)) >= 2**27
    # An idle edge; bodies, of which some bytes are held twice for a moment; and the recognisers.
    assert memory("edge") >= 150_000_000 + IN_HAND * 1.3 + RECOGNISERS * MEMORY
    (watermark,) = re.findall(r"vm_memory_high_watermark \{absolute,(\d+)\}", str(told("broker")))
    assert memory("broker") * 0.4 < int(watermark) < memory("broker") * 0.6
    (buffers,) = re.findall(r"shared_buffers=(\d+)MB", str(SERVICES["database"]["command"]))
    assert memory("database") >= int(buffers) * 2**20 + 300 * 5_000_000


def test_the_database_keeps_what_it_confirmed_and_is_set_up_like_our_own() -> None:
    words = SERVICES["database"]["command"]
    given = dict(word.split("=") for word in words[1:] if word != "-c")
    assert all(given[name] in safe for name, safe in DURABLE.items())
    addresses = {"listen_addresses", "unix_socket_directories"}
    assert given.items() >= {item for item in postgres.SETTINGS.items() if item[0] not in addresses}


def test_images_are_pinned() -> None:
    images = {service["image"] for service in SERVICES.values()} - {"sav:local"}
    images |= {line.partition("=")[2] for line in instructions("ARG")}
    assert all(re.search(r":v?\d+\.\d+", image) for image in images), images
    assert {line.split()[0] for line in instructions("FROM")} == {"${PYTHON}"}


def test_the_image_has_a_python_that_every_room_takes() -> None:
    (version,) = re.findall(r"python:([\d.]+)", DOCKERFILE)
    for project in REPO.glob("*/pyproject.toml"):
        wanted = tomllib.loads(project.read_text())["project"]["requires-python"]
        assert version in SpecifierSet(wanted), project


def test_the_image_is_made_of_the_packages_and_the_lock() -> None:
    nothing, *allowed = [
        line for line in (REPO / ".dockerignore").read_text().splitlines() if line[:1] in "*!"
    ]
    packages = {f"!{path.parent.relative_to(REPO)}" for path in REPO.glob("*/src/sav_*")}
    assert nothing == "*"
    assert set(allowed) - {"**/__pycache__"} == packages | {"!requirements.lock"}
    copied = [line.split()[:-1] for line in instructions("COPY") if not line.startswith("--from")]
    assert copied == [["requirements.lock"], ["."]]
    assert any("--require-hashes --requirement /requirements.lock" in line for line in instructions("RUN"))


def test_the_process_is_python_itself_and_not_root() -> None:
    (entry,), (command,) = instructions("ENTRYPOINT"), instructions("CMD")
    python, *words = json.loads(entry)
    assert python == "python"
    shown = subprocess.run([sys.executable, *words, *json.loads(command)], capture_output=True, text=True)
    assert "after-sales" in shown.stdout
    user, _, group = instructions("USER")[-1].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert not any("entrypoint" in service or "user" in service for service in OURS.values())
