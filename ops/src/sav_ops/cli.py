"""The commands of `sav`. Each imports what it needs when it runs, so that the others start fast."""

import asyncio
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sav_ops import cli_events
from sav_ops.home import Home, Problem
from sav_ops.steps import out

app = typer.Typer(
    help="SAV, the after-sales platform: start it, watch it, check it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


class Level(StrEnum):
    """How bad what a log line tells is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


app.add_typer(cli_events.events, name="events")
app.add_typer(cli_events.parked, name="parked")
app.add_typer(cli_events.dead, name="dead")
app.add_typer(cli_events.replay, name="replay")
app.command("refresh")(cli_events.refresh)
keys = typer.Typer(help="The keys that tokens are signed with.", no_args_is_help=True)
app.add_typer(keys, name="keys")

PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help="Make the demo people.")] = True,
    replicas: Annotated[
        int | None,
        typer.Option(
            min=1, max=8, help="Processes of every service and of the edge; else as many as run, or 1."
        ),
    ] = None,
) -> None:
    """Start everything that is not running yet; make the databases and the demo people."""
    from sav_ops import first_admin, platform

    home = Home.default()
    platform.up(home, demo, replicas)
    if way := None if demo else asyncio.run(first_admin.way_in(platform.known_settings(home))):
        out.print(way, markup=False, soft_wrap=True)


@app.command()
def status() -> None:
    """Show processes, queues and work that waits."""
    from sav_ops import platform
    from sav_ops import status as current

    home = Home.default()
    current.show(home, platform.known_settings(home))


@app.command()
def demo(
    story: Annotated[
        str, typer.Argument(help="outside (of warranty), under (warranty), or both.", metavar="STORY")
    ] = "both",
) -> None:
    """Play the main journey over HTTP as client, technician, manager and admin, and show what each act causes."""
    from sav_ops import platform, tour
    from sav_ops.demo import seed

    names = list(tour.STORIES) if story == "both" else [story]
    if unknown := [name for name in names if name not in tour.STORIES]:
        raise Problem(f"There is no story {unknown[0]}; there are: {', '.join(tour.STORIES)}, both.")
    settings = platform.known_settings(Home.default())
    platform.expect_servers(settings)
    asyncio.run(seed(settings))
    asyncio.run(tour.play(settings, names))


@app.command()
def down(
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove the data, keys and logs too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before wiping.")] = False,
) -> None:
    """Stop what `up` started. The data stay."""
    from sav_ops import platform

    home = Home.default()
    if wipe and not yes:
        typer.confirm(f"Remove all data of SAV in {home.root}?", abort=True)
    platform.down(home)
    if wipe:
        platform.wipe(home)
        out.print(f"Data, keys and logs in {home.root} are removed.")


@app.command()
def logs(
    processes: Annotated[
        list[str] | None, typer.Argument(metavar="ROOM", help="Rooms or processes; else all rooms.")
    ] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    request: Annotated[
        str | None,
        typer.Option(help="Only what belongs to this request: its X-Request-ID, or its beginning."),
    ] = None,
    level: Annotated[Level, typer.Option(help="Only what is at least so bad.")] = Level.DEBUG,
) -> None:
    """Show what the rooms wrote into their logs, in one stream."""
    from sav_ops import logs as reading

    with suppress(KeyboardInterrupt):  # how following ends
        reading.show(Home.default(), processes or [], lines, request, level, follow)


@keys.command()
def rotate() -> None:
    """Sign with a new key from now on; whoever is signed in stays so."""
    from sav_ops import keys as signing

    signing.rotate(Home.default())


@app.command()
def run(room: str) -> None:
    """Run one process here in the foreground, beside what is up: claims, edge, …"""
    from sav_ops import platform, rooms

    if room not in rooms.ROOMS:
        raise Problem(f"There is no {room}; there are: {', '.join(rooms.ROOMS)}.")
    platform.known_settings(Home.default(), room)
    rooms.load(room).run()


@app.command()
def migrate() -> None:
    """Bring every database to today's schema, making those that are missing."""
    from sav_ops import platform

    asyncio.run(platform.migrate(platform.known_settings(Home.default())))


@app.command()
def prepare(
    homes: Annotated[Path, typer.Argument(help="Gets a home for each room, with only the secrets it needs.")],
) -> None:
    """Make what containers start from: keys, a home for every room, databases of today's schema."""
    from sav_ops import platform, rooms

    home = Home.default()
    for room in rooms.ROOMS:
        home.share(room, homes / room)
    asyncio.run(platform.migrate(platform.known_settings(home)))


@app.command()
def verify(
    patience: Annotated[float, typer.Option(help="Seconds to wait for what is under way.")] = 10,
) -> None:
    """Compare logs, inboxes, rows and read models of the whole system; name every contradiction."""
    from sav_ops import platform
    from sav_ops import verify as verifying

    settings = platform.known_settings(Home.default())
    platform.expect_servers(settings)
    findings = asyncio.run(verifying.verify(settings, patience))
    for finding in findings:
        out.print(finding, markup=False, soft_wrap=True)
    out.print(
        "Every log, inbox, row and read model agrees."
        if not findings
        else f"{len(findings)} contradiction(s)."
    )
    raise typer.Exit(1 if findings else 0)


@app.command(context_settings=PASS_ON)
def test(context: typer.Context) -> None:
    """Run the tests (arguments go to pytest) with a PostgreSQL and a RabbitMQ of their own."""
    from sav_ops import testing

    raise typer.Exit(testing.run(context.args))


@app.command()
def bench(
    measures: Annotated[list[str] | None, typer.Argument(metavar="MEASURE", help="Else all.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each contender runs.")] = 5,
    write: Annotated[bool, typer.Option("--write", help="Write docs/benchmarks.md.")] = False,
) -> None:
    """Measure SAV beside plainer ways to do the same, on a PostgreSQL and a RabbitMQ of its own."""
    from sav_ops import benching

    benching.run(measures or [], rounds, write)


@app.command()
def check(
    fix: Annotated[bool, typer.Option("--fix", help="Format and repair what can be first.")] = False,
) -> None:
    """Check format, lint, types, boundaries between rooms and generated documents."""
    from sav_ops import checks

    raise typer.Exit(0 if checks.run(fix) else 1)


@app.command()
def generate(
    check: Annotated[bool, typer.Option("--check", help="Only say what is outdated.")] = False,
) -> None:
    """Write the documents that are made from code."""
    from sav_ops import generated

    paths = generated.outdated() if check else generated.write()
    for path in paths:
        out.print(f"{path} {'is outdated: ./sav generate' if check else 'written'}", soft_wrap=True)
    raise typer.Exit(1 if check and paths else 0)


def main() -> None:
    """Run the command; a Problem is told in words, without a traceback."""
    try:
        app(prog_name="sav")
    except Problem as problem:
        out.print(f"\n{problem}", markup=False, soft_wrap=True)
        sys.exit(1)
