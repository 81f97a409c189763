"""`sav up` and `sav down`: the whole platform on this machine."""

import asyncio
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart
from sav_ops import home as homes
from sav_ops import queues, rooms, statements
from sav_ops.databases import connected, opened
from sav_ops.demo import accounts
from sav_ops.home import GIVEN, REPO, Home, OpsError, free_port
from sav_ops.launch import keeper_client, liveness, postgres, processes, rabbitmq, readiness, restart_records
from sav_ops.settings import edge_address, read_settings
from sav_ops.terminal.console import out
from sav_ops.terminal.steps import step

EDGE_PORT = 8080
START_SECONDS = 60
ENVIRONMENT, DEVELOPMENT = "SAV_ENVIRONMENT", "development"
OURS = (
    *("run", "logs", "pg", "pg.new", "rabbitmq", "restoring", "test", "env", "env.new", readiness.TARGETS),
    *("files", "mailbox"),
)


def up(
    home: Home, demo: bool, replicas: int | None = None, fill: Callable[[Settings], None] | None = None
) -> None:
    """Start everything that does not run yet, and print the addresses and the demo logins."""
    with home.lock(), ThreadPoolExecutor() as pool:
        home.close(OURS)
        settings = read_settings(home)
        if demo:
            accounts.check_allowed(settings)
        watch(home)
        asyncio.run(end_hung(home))
        before = {ENVIRONMENT: DEVELOPMENT} | home.settings()
        if before[ENVIRONMENT] != settings.environment:
            processes.stop(home, kept_rooms(home))  # the environment changed: none may go on in the old one
        coming = pool.submit(broker, home)  # the slowest to start: it starts during the next two steps
        with step("PostgreSQL") as now:
            now.note = database(home)
        with step("Migrations") as now:
            settings = read_settings(home)
            asyncio.run(migrate(settings))
            now.note = f"{len(rooms.ROOMS)} databases"
        if fill:
            fill(settings)
        # Production stays production: also if the shell does not set it again, and if the next line refuses it.
        home.remember(ENVIRONMENT, settings.environment)
        refuse_demo_people(settings)
        with step("RabbitMQ") as now:
            now.note = coming.result()
        if any(home.settings()[name] != value for name, value in before.items()):
            processes.stop(home, kept_rooms(home))  # they still use the old address
        edge_port(home)
        settings = read_settings(home)
        with step("Topology") as now:
            now.note = f"{asyncio.run(queues.declare(settings.broker_url))} queues"
        with step("Services") as now:
            now.note = services(home, settings, replicas)
        logins: list[accounts.DemoLogin] = []
        if demo:
            with step("Demo people") as now:
                logins = asyncio.run(accounts.seed(settings))
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
    """Choose the edge's port: the caller's, else the last one, else 8080; another if that is in use.

    OpsError if the caller's is in use.
    """
    if any(name.startswith(rooms.EDGE) for name in started(home)):
        return
    given = GIVEN.get("SAV_EDGE_PORT")
    wanted = int(given or home.settings().get("SAV_EDGE_PORT") or EDGE_PORT)
    port = free_port(wanted)
    if port != wanted and given:
        raise OpsError(f"Port {wanted} (SAV_EDGE_PORT) belongs to another program.")
    if port != wanted:
        out.print(f"[yellow]! Port {wanted} belongs to another program: the edge takes {port}.[/]")
    home.remember("SAV_EDGE_PORT", str(port))


def services(home: Home, settings: Settings, replicas: int | None) -> str:
    """Start the missing replicas together, and wait until each is ready; stop those beyond the wanted number."""
    kept = kept_rooms(home)
    replicas = replicas or max((int(name.partition("-")[2] or 1) for name in kept), default=1)
    wanted = rooms.replicas(replicas)
    processes.stop(home, [name for name in kept if name not in wanted])
    if older := older_than_the_code(started(home), home):
        out.print(f"[yellow]! The code changed since {', '.join(older)} started: ./sav restart[/]")
    missing = [name for name in wanted if not processes.running(home, name)]
    start(home, *missing)
    for name in wanted:
        processes.wait_ready(home, name, partial(readiness.ready, home, name, settings), START_SECONDS)
    readiness.write_targets(home, wanted, settings)
    return ", ".join(missing) if missing else "already up: " + ", ".join(wanted)


def start(home: Home, *names: str) -> None:
    """Start processes of rooms, for example `claims` or its second replica `claims-2`."""
    watch(home)
    keeper_client.give(home, keeper_client.Start(list(names), homes.GIVEN))


def watch(home: Home) -> None:
    """Make sure that a keeper answers and has the current code; give it the variables of this shell."""
    order = keeper_client.Start([], homes.GIVEN)
    if processes.running(home, keeper_client.KEEPER):
        with suppress(OpsError):
            keeper_client.give(home, order, patience=5)
            if not older_than_the_code([keeper_client.KEEPER], home):
                return
    processes.stop(home, [keeper_client.KEEPER], seconds=2)
    command = [sys.executable, "-P", "-m", "sav_ops.launch.keeper"]
    processes.start(home, keeper_client.KEEPER, command, keeper_client.bare_environment(home), cwd=home.root)
    processes.wait_ready(home, keeper_client.KEEPER, lambda: hears(home, order), START_SECONDS)


def hears(home: Home, order: keeper_client.Start) -> bool:
    try:
        keeper_client.give(home, order, patience=5)
    except OpsError:
        return False
    return True


async def end_hung(home: Home) -> None:
    """Kill processes that do not answer, so that they are started again; spare those that are still starting."""

    async def look(name: str) -> None:
        wrong = await liveness.hung(home, name)
        pid = processes.running(home, name)
        if wrong is None or pid is None:
            return
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_STOPPED or time.time() - process.create_time() > START_SECONDS:
            out.print(f"[yellow]! {name} is not live ({wrong}): it is started again.[/]")
            await asyncio.to_thread(processes.kill, home, name)

    await asyncio.gather(
        *(look(name) for name in processes.expected_processes(home) if name != keeper_client.KEEPER)
    )


def kept_rooms(home: Home) -> list[str]:
    """Return the names of the rooms' processes that are meant to run."""
    return [name for name in processes.expected_processes(home) if name.partition("-")[0] in rooms.ROOMS]


def started(home: Home) -> list[str]:
    """Return the names of the rooms' processes that run."""
    return [name for name in kept_rooms(home) if processes.running(home, name)]


def older_than_the_code(names: Iterable[str], home: Home) -> list[str]:
    """Return the processes that started before the newest change of a source file."""
    newest = max(path.stat().st_mtime for path in REPO.glob("*/src/**/*.py"))
    pids = {name: processes.running(home, name) for name in names}
    return [name for name, pid in pids.items() if pid and psutil.Process(pid).create_time() < newest]


def expect_servers(settings: Settings) -> None:
    """Raise an OpsError if the platform's PostgreSQL or RabbitMQ does not answer."""
    expect_database(settings)
    if not asyncio.run(rabbitmq.answers(settings.broker_url)):
        raise OpsError("RabbitMQ does not answer: ./sav up")


def expect_database(settings: Settings) -> None:
    if not asyncio.run(postgres.answers(settings.database_url)):
        raise OpsError("PostgreSQL does not answer: ./sav up")


def refuse_demo_people(settings: Settings) -> None:
    """Raise an OpsError if production still has demo people, before any of its rooms serves."""
    if settings.environment != DEVELOPMENT:
        from sav_ops.demo import account_removal  # imports half of auth

        asyncio.run(account_removal.check_none(settings))


async def migrate(settings: Settings, those: Iterable[str] = rooms.ROOMS) -> None:
    """Migrate the databases of these rooms to the current schema; create those that are missing."""
    from sav_chassis.migrate import migrate as upgrade  # slow: it imports all of SQLAlchemy

    those = list(those)
    for room in those:
        try:
            await upgrade(settings, room)
        except CannotStart as error:
            raise OpsError(str(error)) from None
    if rooms.EDGE in those:
        await mark_complete_if_new(settings)


async def mark_complete_if_new(settings: Settings) -> None:
    """Let the edge answer from an empty read model where no log has an event; otherwise it is to be rebuilt first."""
    from sav_edge import completeness

    async with opened(settings, rooms.SERVICES) as logs:
        for log in logs.values():
            if await log.fetchval(statements.END_OF_LOG):
                return
    async with connected(settings, rooms.EDGE) as edge:
        await completeness.mark_complete(edge)


def already(ran: object) -> str:
    return "already up, " if ran else ""


def welcome(home: Home, settings: Settings, logins: list[accounts.DemoLogin]) -> None:
    lines = f"""
SAV is up:  {edge_address(settings)}
Its API:    {edge_address(settings)}/docs
Its logs:   {home.logs}
"""
    out.print(lines, markup=False, soft_wrap=True)
    for login in logins:
        out.print(f"  {login.role:<12} {login.email:<28} {login.password}", markup=False, soft_wrap=True)


def down(home: Home) -> None:
    """Stop what `up` started: the edge first, PostgreSQL last, then the keeper. The data stay."""
    with home.lock(), step("Stopped") as now:
        edges = [name for name in kept_rooms(home) if name.startswith(rooms.EDGE)]
        stopped = processes.stop(home, edges) + processes.stop(home, kept_rooms(home))
        stopped += rabbitmq.stop(home) + postgres.stop(home)
        stopped += processes.stop(home, [keeper_client.KEEPER])  # last: it reaps the others
        (home.run / restart_records.FILE).unlink(missing_ok=True)
        now.note = ", ".join(stopped) or "nothing was up"


def wipe(home: Home) -> None:
    """Remove what `up` created in the home, and nothing else."""
    with home.lock():
        for name in OURS:
            remove(home.root / name)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it exists."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
