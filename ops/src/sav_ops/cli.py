"""The commands of `sav`. Each imports what it needs when it runs, so that the others start fast."""

import asyncio
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup

from sav_ops.home import Home, Problem
from sav_ops.steps import out

app = typer.Typer(
    help="SAV, the after-sales platform: start it, watch it, check it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


class ListFirst(TyperGroup):
    """Commands of which `list` is meant where none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


class Level(StrEnum):
    """How bad what a log line tells is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


parked = typer.Typer(cls=ListFirst, help="What the services could not do, and what waits behind it.")
dead = typer.Typer(cls=ListFirst, help="Messages that no consumer could handle: the broker's dead letters.")
events = typer.Typer(cls=ListFirst, help="What happened: the services' logs.")
replay = typer.Typer(
    no_args_is_help=True, help="Let the logs be heard again: by a read side, or by a service."
)
app.add_typer(parked, name="parked")
app.add_typer(dead, name="dead")
app.add_typer(events, name="events")
app.add_typer(replay, name="replay")

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
    from sav_ops import platform

    platform.up(Home.default(), demo, replicas)


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


SERVICE = typer.Option(help="Only this service's.")


@parked.command("list")
def list_parked(
    service: Annotated[str | None, SERVICE] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Only what is not tried any more.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="What waits for its time, too.")] = False,
) -> None:
    """Show what failed, and what is held back behind it."""
    from sav_ops import parked as waiting
    from sav_ops import platform

    waiting.list_them(platform.known_settings(Home.default()), service, dead, everything)


@parked.command("show")
def show_parked(
    key: Annotated[str, typer.Argument(help="Its key, or the beginning of it.")],
    service: Annotated[str | None, SERVICE] = None,
) -> None:
    """Show everything about one: the event, the cause, what waits behind it."""
    from sav_ops import parked as waiting
    from sav_ops import platform

    waiting.show(platform.known_settings(Home.default()), key, service)


@parked.command("release")
def release_parked(
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="KEY", help="Keys, or their beginnings.")
    ] = None,
    lane: Annotated[str | None, typer.Option(help="Everything of the record with this id.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that is parked.")] = False,
    service: Annotated[str | None, SERVICE] = None,
    wait: Annotated[bool, typer.Option(help="Wait for what comes of it.")] = True,
    patience: Annotated[float, typer.Option(help="Seconds to wait at most.")] = 10,
) -> None:
    """Try again now; exit code 1 where something failed again."""
    from sav_ops import platform, releasing

    settings = platform.known_settings(Home.default())
    well = releasing.release(settings, keys or [], lane, everything, service, patience if wait else 0)
    raise typer.Exit(0 if well else 1)


@dead.command("list")
def list_dead() -> None:
    """Show the dead letters; they stay where they are."""
    from sav_ops import dead as letters
    from sav_ops import platform

    letters.list_them(platform.known_settings(Home.default()).broker_url)


@dead.command("show")
def show_dead(id: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")]) -> None:
    """Show everything about one."""
    from sav_ops import dead as letters
    from sav_ops import platform

    letters.show(platform.known_settings(Home.default()).broker_url, id)


@dead.command("return")
def return_dead(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Message ids, or their beginnings.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also what today's code cannot read.")] = False,
) -> None:
    """Send them to the queues they came from; exit code 1 where one had to stay."""
    from sav_ops import dead as letters
    from sav_ops import platform

    url = platform.known_settings(Home.default()).broker_url
    raise typer.Exit(0 if letters.send_back(url, ids or [], everything, force) else 1)


@dead.command("discard")
def discard_dead(
    ids: Annotated[list[str], typer.Argument(metavar="ID", help="Message ids, or their beginnings.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove them for ever."""
    from sav_ops import dead as letters
    from sav_ops import platform

    url = platform.known_settings(Home.default()).broker_url
    chosen = letters.marks(url, ids)
    if not yes:
        typer.confirm(f"Remove {len(chosen)} message(s) for ever?", abort=True)
    out.print(f"{letters.discard(url, chosen)} removed.")


@events.command("list")
def list_events(
    service: Annotated[str | None, SERVICE] = None,
    type: Annotated[str | None, typer.Option(help="ReclamationCreated, claims.Rec…: how it begins.")] = None,
    record: Annotated[str | None, typer.Option(help="Of the record whose id begins so.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Not before: 90s, 10min, 2h, 3d, 2026-03-02T09:00.")
    ] = None,
    conversation: Annotated[
        str | None, typer.Option(help="What one request led to: the beginning of its X-Request-ID.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many of the last.")] = 50,
) -> None:
    """Show the last events of all services, newest last."""
    from sav_ops import events as happened
    from sav_ops import platform

    wanted = happened.Wanted(service, type, record, conversation, since, limit)
    happened.list_them(platform.known_settings(Home.default()), wanted)


@events.command("show")
def show_event(id: Annotated[str, typer.Argument(help="Its id, or the beginning of it.")]) -> None:
    """Show everything about one: what it says, its cause, who reacted how, what that led to."""
    from sav_ops import events as happened
    from sav_ops import platform

    happened.show(platform.known_settings(Home.default()), id)


@replay.command("rebuild")
def rebuild_read_side(
    room: Annotated[str, typer.Argument(help="edge, reporting, or any service that keeps copies.")],
    compare: Annotated[
        bool, typer.Option("--compare", help="Only compare; exit code 1 where they differ.")
    ] = False,
) -> None:
    """Make what a room reads anew from the logs, compare it with what is there, and put it in its place."""
    from sav_ops import platform, rebuild

    settings = platform.known_settings(Home.default())
    raise typer.Exit(0 if rebuild.show(settings, room, compare) else 1)


@replay.command("heal")
def heal_service(service: str) -> None:
    """Send a service what it missed of the logs; what it has done already is not sent."""
    from sav_ops import heal, platform

    settings = platform.known_settings(Home.default())
    platform.expect_servers(settings)
    raise typer.Exit(0 if heal.show(settings, service) else 1)


@app.command("refresh")
def refresh_kind(
    kind: Annotated[str | None, typer.Argument(help="What to tell again: reclamation, photo, …")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every kind.")] = False,
    after: Annotated[
        UUID | None, typer.Option(help="Only records behind this id: to go on where it was cut off.")
    ] = None,
) -> None:
    """Let the owner tell today's view of every record of a kind again, for readers that want to know more of it."""
    from sav_contracts.catalogue import VIEWS
    from sav_ops import platform, refresh

    if bool(kind) == everything or (everything and after):
        raise Problem("Say what to refresh: KIND [--after ID], or --all.")
    settings = platform.known_settings(Home.default())
    refresh.show(settings, sorted(VIEWS) if everything else [str(kind)], after)


def main() -> None:
    """Run the command; a Problem is told in words, without a traceback."""
    try:
        app(prog_name="sav")
    except Problem as problem:
        out.print(f"\n{problem}", markup=False, soft_wrap=True)
        sys.exit(1)
