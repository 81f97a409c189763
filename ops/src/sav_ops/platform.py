"""`sav up` and `sav down`: the whole platform on this machine."""

import asyncio
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlsplit

import psutil
from pydantic import ValidationError

from sav_chassis.settings import Settings
from sav_ops import health, postgres, processes, queues, rabbitmq, rooms, starter
from sav_ops.demo import DemoLogin, seed
from sav_ops.home import GIVEN, REPO, Home, Problem, free_port
from sav_ops.steps import out, step

EDGE_PORT = 8080
START_SECONDS = 60
OURS = ("run", "logs", "pg", "pg.new", "rabbitmq", "test", "env", "env.new", health.TARGETS)


def up(home: Home, demo: bool, replicas: int | None = None) -> None:
    """Start whatever is not running yet, and say where to go."""
    with home.lock(), ThreadPoolExecutor() as pool:
        before = home.settings()
        coming = pool.submit(broker, home)  # the slowest to start: it comes up beside the next two steps
        with step("PostgreSQL") as now:
            now.note = database(home)
        with step("Migrations") as now:
            asyncio.run(migrate(read_settings(home)))
            now.note = f"{len(rooms.ROOMS)} databases"
        with step("RabbitMQ") as now:
            now.note = coming.result()
        if any(home.settings()[name] != value for name, value in before.items()):
            processes.stop(home, started(home))  # they still use the old address
        edge_port(home)
        settings = read_settings(home)
        with step("Topology") as now:
            now.note = f"{asyncio.run(queues.declare(settings.broker_url))} queues"
        with step("Services") as now:
            now.note = services(home, settings, replicas)
        logins: list[DemoLogin] = []
        if demo:
            with step("Demo people") as now:
                logins = asyncio.run(seed(settings))
                now.note = f"{len(logins)} logins"
    welcome(home, settings, logins)


def database(home: Home) -> str:
    if given := GIVEN.get("SAV_DATABASE_URL"):
        processes.poll(
            lambda: asyncio.run(postgres.answers(given)), 10, "Nothing answers at SAV_DATABASE_URL."
        )
        return "the one of SAV_DATABASE_URL"
    ran = processes.running(home, postgres.NAME)
    return already(ran) + f"port {urlsplit(postgres.start(home)).port}"


def broker(home: Home) -> str:
    if given := GIVEN.get("SAV_BROKER_URL"):
        processes.poll(lambda: asyncio.run(rabbitmq.answers(given)), 10, "Nothing answers at SAV_BROKER_URL.")
        return "the one of SAV_BROKER_URL"
    ran = processes.running(home, rabbitmq.NAME)
    url, origin = rabbitmq.provide(home)
    return already(ran) + f"port {urlsplit(url).port}, {origin}"


def edge_port(home: Home) -> None:
    """Choose the edge's port: the caller's, else last time's, else 8080; another when somebody has it."""
    if any(name.startswith(rooms.EDGE) for name in started(home)):
        return
    given = GIVEN.get("SAV_EDGE_PORT")
    wanted = int(given or home.settings().get("SAV_EDGE_PORT") or EDGE_PORT)
    port = free_port(wanted)
    if port != wanted and given:
        raise Problem(f"Port {wanted} (SAV_EDGE_PORT) belongs to another program.")
    if port != wanted:
        out.print(f"[yellow]! Port {wanted} belongs to another program: the edge takes {port}.[/]")
    home.remember("SAV_EDGE_PORT", str(port))


def services(home: Home, settings: Settings, replicas: int | None) -> str:
    """Start the replicas that do not run, all at once, and wait until each can work; stop those that are too many."""
    running = started(home)
    replicas = replicas or max((int(name.partition("-")[2] or 1) for name in running), default=1)
    wanted = rooms.replicas(replicas)
    processes.stop(home, [name for name in running if name not in wanted])
    if older := older_than_the_code(home):
        out.print(
            f"[yellow]! The code changed since {', '.join(older)} started: ./sav down, then ./sav up.[/]"
        )
    missing = [name for name in wanted if not processes.running(home, name)]
    start(home, *missing)
    for name in wanted:
        processes.wait_ready(home, name, partial(health.ready, home, name, settings), START_SECONDS)
    health.write_targets(home, wanted, settings)
    return ", ".join(missing) if missing else "already up: " + ", ".join(wanted)


def start(home: Home, *names: str) -> None:
    """Start processes of rooms: `claims`, or its second replica `claims-2`."""
    ports = {name: {"SAV_HEALTH_PORT": str(health.give_port(home, name))} for name in names}
    starter.start(home, {name: home.environment(name.partition("-")[0]) | ports[name] for name in names})


def started(home: Home) -> list[str]:
    """Return the processes of rooms that run."""
    names = [path.stem for path in home.run.glob("*.pid") if path.stem.partition("-")[0] in rooms.ROOMS]
    return sorted(name for name in names if processes.running(home, name))


def older_than_the_code(home: Home) -> list[str]:
    """Return the processes that started before the newest change of a source file."""
    newest = max(path.stat().st_mtime for path in REPO.glob("*/src/**/*.py"))
    pids = {name: processes.running(home, name) for name in started(home)}
    return [name for name, pid in pids.items() if pid and psutil.Process(pid).create_time() < newest]


def expect_servers(settings: Settings) -> None:
    """Raise a Problem where the platform's database or broker does not answer."""
    if not asyncio.run(postgres.answers(settings.database_url)):
        raise Problem("PostgreSQL does not answer: ./sav up")
    if not asyncio.run(rabbitmq.answers(settings.broker_url)):
        raise Problem("RabbitMQ does not answer: ./sav up")


async def migrate(settings: Settings) -> None:
    """Bring the database of every room to today's schema, making those that are missing."""
    for room in rooms.ROOMS:
        await rooms.load(room).migrate(settings)


def read_settings(home: Home, room: str | None = None) -> Settings:
    """Return the settings as a room gets them (None: all), and set the variables for what this process calls."""
    environment = home.environment(room)
    os.environ.clear()
    os.environ.update(environment)
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"SAV_{part['loc'][0]}".upper() + f": {part['msg']}" for part in error.errors()]
        raise Problem("\n".join(wrong)) from None


def known_settings(home: Home, room: str | None = None) -> Settings:
    """Return the settings of a platform that has been started, or of the one that the caller's shell names."""
    given = {"SAV_DATABASE_URL", "SAV_BROKER_URL"} <= GIVEN.keys()
    if not given and not (home.root / "env").exists():
        raise Problem(f"SAV has not been started in {home.root} yet: ./sav up")
    return read_settings(home, room)


def address(settings: Settings) -> str:
    return f"http://{health.reached(settings.edge_host)}:{settings.edge_port}"


def already(ran: object) -> str:
    return "already up, " if ran else ""


def welcome(home: Home, settings: Settings, logins: list[DemoLogin]) -> None:
    lines = f"""
SAV is up:  {address(settings)}
Its API:    {address(settings)}/docs
Its logs:   {home.logs}
"""
    out.print(lines, markup=False, soft_wrap=True)
    for login in logins:
        out.print(f"  {login.role:<12} {login.email:<28} {login.password}", markup=False, soft_wrap=True)


def down(home: Home) -> None:
    """Stop what `up` started, edge first and PostgreSQL last. The data stay."""
    with home.lock(), step("Stopped") as now:
        edges = [name for name in started(home) if name.startswith(rooms.EDGE)]
        stopped = processes.stop(home, edges) + processes.stop(home, started(home))
        stopped += rabbitmq.stop(home) + postgres.stop(home)
        now.note = ", ".join(stopped) or "nothing was up"


def wipe(home: Home) -> None:
    """Remove what `up` made under the home, and nothing else that lies there."""
    with home.lock():
        for name in OURS:
            path = home.root / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
