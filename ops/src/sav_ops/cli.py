"""The commands of `sav`. Each command imports what it needs when it runs: the others start fast."""

import asyncio
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sav_ops import cli_events
from sav_ops.home import Home, OpsError
from sav_ops.settings import known_settings
from sav_ops.terminal.console import out

app = typer.Typer(
    help="SAV, the after-sales platform: start it, watch it, check it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


class Level(StrEnum):
    """The level of a log line."""

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
keys = typer.Typer(help="Manage the keys that sign access tokens.", no_args_is_help=True)
app.add_typer(keys, name="keys")

PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@app.command()
def up(
    demo: Annotated[bool, typer.Option(help="Create the demo accounts.")] = True,
    replicas: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=8,
            help="Number of processes for each service and the edge. Default: as many as run now, or 1.",
        ),
    ] = None,
) -> None:
    """Start everything that does not run yet; create the databases and the demo people."""
    from sav_ops.launch import first_admin, platform
    from sav_ops.replay import rebuild

    home = Home.default()
    platform.up(home, demo, replicas, rebuild.fill)
    if way := None if demo else asyncio.run(first_admin.way_in(known_settings(home))):
        out.print(way, markup=False, soft_wrap=True)


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show processes, queues and waiting work; exit code 1 if something is not ready, parked or dead."""
    from sav_ops.inspect import status as current

    home = Home.default()
    raise typer.Exit(0 if current.show(home, known_settings(home), as_json) else 1)


@app.command()
def demo(
    story: Annotated[
        str,
        typer.Argument(
            help="Which story to play: outside (of warranty), under (warranty), or both.", metavar="STORY"
        ),
    ] = "both",
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove the demo accounts, so that nobody can sign in with them.")
    ] = False,
) -> None:
    """Play the main journey over HTTP as client, technician, manager and admin; show what each request causes."""
    from sav_ops.demo import tour
    from sav_ops.demo.accounts import seed
    from sav_ops.launch import platform

    if remove:
        from sav_ops.demo import account_removal

        settings = known_settings(Home.default())
        platform.expect_database(settings)
        removed = asyncio.run(account_removal.remove(settings))
        out.print(f"Removed: {', '.join(removed)}." if removed else "There are none.")
        return
    names = list(tour.STORIES) if story == "both" else [story]
    if unknown := [name for name in names if name not in tour.STORIES]:
        raise OpsError(f"There is no story {unknown[0]}; there are: {', '.join(tour.STORIES)}, both.")
    settings = known_settings(Home.default())
    platform.expect_servers(settings)
    asyncio.run(seed(settings))
    asyncio.run(tour.play(settings, names))


@app.command()
def down(
    wipe: Annotated[
        bool, typer.Option("--wipe", help="Also delete the data, files, mails, keys and logs.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Stop what `up` started. The data stay."""
    from sav_ops.launch import platform

    home = Home.default()
    if wipe and not yes:
        typer.confirm(f"Remove all data of SAV in {home.root}?", abort=True)
    platform.down(home)
    if wipe:
        platform.wipe(home)
        out.print(f"Data, files, mails, keys and logs in {home.root} are removed.")


@app.command()
def restart(
    named: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ROOM", help="Rooms, single processes, postgres or rabbitmq. Default: all rooms."
        ),
    ] = None,
) -> None:
    """Restart what is up with the current code: one replica of each room at a time, while the others keep working."""
    from sav_ops.launch import restart as restarting

    restarting.restart(Home.default(), named or [])


@app.command()
def backup(
    place: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet.")],
) -> None:
    """Back up databases, files, keys and the broker's subscribers, as of one moment, while the platform works."""
    from sav_ops.backup import backup as backing

    backing.take(Home.default(), place)


LAST_INVOICE = typer.Option(
    "--last-invoice",
    help="The last invoice and the last credit note that anybody outside has seen, for each year, such as FAC-2026-000123 and AVO-2026-000012; `none` if there was none.",
)
NEW_SERIES = typer.Option(
    "--new-series", help="Begin another series, such as FAC2, where nobody knows the last invoice."
)
LAST_ENTRY = typer.Option(
    "--last-entry",
    min=0,
    help="The last entry of the ledger of payments that anybody outside has seen: `last_entry` of the last closing, or EN-000123 of the journals. Without it, numbers are left out.",
)


@app.command()
def restore(
    place: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `sav backup` wrote.")],
    last_invoice: Annotated[list[str] | None, LAST_INVOICE] = None,
    new_series: Annotated[str | None, NEW_SERIES] = None,
    last_entry: Annotated[int | None, LAST_ENTRY] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the data of this home.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    without_damaged: Annotated[
        bool,
        typer.Option(
            "--without-damaged-files",
            help="Restore the rest where files of the backup are damaged or missing.",
        ),
    ] = False,
) -> None:
    """Restore a backup into a home where nothing runs; start, heal and verify everything."""
    from sav_ops.backup import after_restore
    from sav_ops.backup import restore as restoring

    invoices = after_restore.invoices(last_invoice or [], new_series, last_entry)
    whole = restoring.put_back(Home.default(), place, invoices, overwrite, yes, without_damaged)
    raise typer.Exit(0 if whole else 1)


@app.command()
def restored(
    last_invoice: Annotated[list[str] | None, LAST_INVOICE] = None,
    new_series: Annotated[str | None, NEW_SERIES] = None,
    last_entry: Annotated[int | None, LAST_ENTRY] = None,
) -> None:
    """After you restored the databases yourself: raise versions and references, empty queues. Then `sav up`."""
    from sav_ops import queues
    from sav_ops.backup import after_restore
    from sav_ops.launch import platform

    invoices = after_restore.invoices(last_invoice or [], new_series, last_entry)
    settings = known_settings(Home.default())
    platform.expect_servers(settings)
    asyncio.run(platform.migrate(settings))
    asyncio.run(after_restore.jump(settings, invoices, after_restore.asked))
    asyncio.run(queues.empty(settings.broker_url))
    out.print("Now start every room, then: ./sav replay heal all, ./sav verify")


@app.command()
def logs(
    processes: Annotated[
        list[str] | None,
        typer.Argument(metavar="ROOM", help="Rooms or single processes. Default: all rooms."),
    ] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Number of lines to show.")] = 50,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show new lines as they are written, until Ctrl-C.")
    ] = False,
    request: Annotated[
        str | None,
        typer.Option(help="Show only lines of this request: its X-Request-ID, or the beginning of it."),
    ] = None,
    level: Annotated[Level, typer.Option(help="Show only lines of this level or worse.")] = Level.DEBUG,
) -> None:
    """Show the logs of the rooms as one stream, in the order of time."""
    from sav_ops.inspect import logs as reading

    with suppress(KeyboardInterrupt):  # how following ends
        reading.show(Home.default(), processes or [], lines, request, level, follow)


@keys.command()
def rotate() -> None:
    """Sign tokens with a new key from now on; everybody stays signed in."""
    from sav_ops.launch import signing_keys

    signing_keys.rotate(Home.default())


@app.command()
def run(room: str) -> None:
    """Run one more process of a room (claims, edge, …) in the foreground."""
    from sav_ops import rooms

    if room not in rooms.ROOMS:
        raise OpsError(f"There is no {room}; there are: {', '.join(rooms.ROOMS)}.")
    known_settings(Home.default(), room)
    rooms.run(room)


@app.command()
def migrate() -> None:
    """Migrate every database to the current schema; create those that are missing."""
    from sav_ops.launch import platform
    from sav_ops.replay import rebuild

    settings = known_settings(Home.default())
    asyncio.run(platform.migrate(settings))
    rebuild.fill(settings)


@app.command()
def prepare(
    homes: Annotated[
        Path, typer.Argument(help="Folder in which each room gets a home with only the secrets it needs.")
    ],
) -> None:
    """Prepare what containers need: keys, a home for every room, migrated databases."""
    from sav_ops import rooms
    from sav_ops.launch import platform
    from sav_ops.replay import rebuild

    home = Home.default()
    for room in rooms.ROOMS:
        home.share(room, homes / room)
    settings = known_settings(home)
    asyncio.run(platform.migrate(settings))
    rebuild.fill(settings)
    platform.refuse_demo_people(settings)


@app.command()
def verify(
    patience: Annotated[float, typer.Option(help="Seconds to wait until running work is done.")] = 10,
) -> None:
    """Compare logs, rows, inboxes, read models, files, invoices and stock; name every contradiction."""
    from sav_ops.backup import after_restore
    from sav_ops.launch import platform
    from sav_ops.terminal.progress_bar import counting
    from sav_ops.terminal.text import printable
    from sav_ops.verify import verification

    settings = known_settings(Home.default())
    platform.expect_servers(settings)
    findings, checked = asyncio.run(verification.look(settings, patience, counting))
    known = asyncio.run(verification.given_up(settings))
    missing = asyncio.run(after_restore.missing_invoices(settings))
    gone = [f"Known: {numbers}: issued before a restore, and not here" for numbers in missing]
    entries = asyncio.run(after_restore.missing_entries(settings))
    gone += [f"Known: missing since a restore: {each}" for each in entries]
    erased = [f"Known: {line}" for line in asyncio.run(verification.erased(settings))]
    for line in (*gone, *erased, *(f"Known: {line}" for line in known), *findings):
        out.print(printable(line), markup=False, soft_wrap=True)
    out.print(f"Checked: {verification.summary(checked)}.", soft_wrap=True)
    out.print(
        f"Everything agrees{f', but for {len(known)} skipped' if known else ''}."
        if not findings
        else f"{len(findings)} contradiction(s)."
    )
    raise typer.Exit(1 if findings else 0)


@app.command(context_settings=PASS_ON)
def test(context: typer.Context) -> None:
    """Run the tests with their own PostgreSQL and RabbitMQ; arguments go to pytest."""
    from sav_ops.develop import testing

    raise typer.Exit(testing.run(context.args))


@app.command()
def bench(
    measures: Annotated[
        list[str] | None, typer.Argument(metavar="MEASURE", help="Measures to take. Default: all.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Number of runs of each contender.")] = 5,
    write: Annotated[bool, typer.Option("--write", help="Write the results to docs/benchmarks.md.")] = False,
) -> None:
    """Measure SAV and simpler solutions of the same tasks, with its own PostgreSQL and RabbitMQ."""
    from sav_ops.develop import benchmarking

    benchmarking.run(measures or [], rounds, write)


@app.command()
def check(
    fix: Annotated[
        bool, typer.Option("--fix", help="First format the code and repair what can be repaired.")
    ] = False,
) -> None:
    """Check format, lint, types, boundaries between rooms, generated documents and the length of files."""
    from sav_ops.develop import checks

    raise typer.Exit(0 if checks.run(fix) else 1)


@app.command()
def generate(
    check: Annotated[
        bool, typer.Option("--check", help="Only name the outdated files; change nothing.")
    ] = False,
) -> None:
    """Write the documents that are generated from code."""
    from sav_ops.documents import generated

    paths = generated.outdated() if check else generated.write()
    for path in paths:
        out.print(f"{path} {'is outdated: ./sav generate' if check else 'written'}", soft_wrap=True)
    raise typer.Exit(1 if check and paths else 0)


def main() -> None:
    """Run the command; print an OpsError as text, without a traceback."""
    try:
        app(prog_name="sav")
    except OpsError as problem:
        out.print(f"\n{problem}", markup=False, soft_wrap=True)
        sys.exit(1)
