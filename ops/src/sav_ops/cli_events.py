"""The commands of `sav` about events: the logs, parked tasks, dead letters, replays."""

from typing import Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup

from sav_ops.home import Home, OpsError
from sav_ops.settings import known_settings
from sav_ops.terminal.console import out


class ListFirst(TyperGroup):
    """A group whose default command is `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


parked = typer.Typer(
    cls=ListFirst, help="Work that failed in the services, and the events that wait behind it."
)
dead = typer.Typer(cls=ListFirst, help="The broker's dead letters: messages that no consumer could handle.")
events = typer.Typer(cls=ListFirst, help="The events in the services' logs.")
replay = typer.Typer(
    no_args_is_help=True, help="Apply the events of the logs again, to a read side or in a service."
)
SERVICE = typer.Option(help="Limit this to one service.")
CAUSE = typer.Option(help="All tasks that failed for this cause, by the name that `parked causes` prints.")
YES = typer.Option("--yes", help="Do not ask for confirmation.")


@parked.command("list")
def list_parked(
    service: Annotated[str | None, SERVICE] = None,
    dead: Annotated[
        bool, typer.Option("--dead", help="Show only tasks that are not retried any more.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also show tasks that are not due yet.")] = False,
) -> None:
    """Show what failed, and what waits behind it."""
    from sav_ops.parked import task_list

    task_list.list_them(known_settings(Home.default()), service, dead, everything)


@parked.command("show")
def show_parked(
    key: Annotated[str, typer.Argument(help="Key of a task, or the beginning of it.")],
    service: Annotated[str | None, SERVICE] = None,
) -> None:
    """Show everything about one task: the event, the cause, what waits behind it."""
    from sav_ops.parked import task_list

    task_list.show(known_settings(Home.default()), key, service)


@parked.command("release")
def release_parked(
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="KEY", help="Keys of tasks, or the beginnings of them.")
    ] = None,
    lane: Annotated[
        str | None, typer.Option(help="All tasks of the record with this id or reference.")
    ] = None,
    cause: Annotated[str | None, CAUSE] = None,
    everything: Annotated[bool, typer.Option("--all", help="All parked tasks.")] = False,
    service: Annotated[str | None, SERVICE] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the result.")] = True,
    patience: Annotated[float, typer.Option(help="Longest time to wait, in seconds.")] = 10,
    yes: Annotated[bool, YES] = False,
) -> None:
    """Try failed tasks again now; exit code 1 if one fails again."""
    from sav_ops.parked import causes, release

    settings = known_settings(Home.default())
    if cause and not yes:
        count = causes.look(settings, cause, service)
        typer.confirm(f"Try {count} of them again?", abort=True)
    well = release.release(settings, keys or [], lane, everything, service, patience if wait else 0, cause)
    raise typer.Exit(0 if well else 1)


@parked.command("causes")
def list_causes(service: Annotated[str | None, SERVICE] = None) -> None:
    """Show failed tasks by cause: how many, since when, of which records."""
    from sav_ops.parked import causes

    causes.list_them(known_settings(Home.default()), service)


@parked.command("skip")
def skip_parked(
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="KEY", help="Keys of tasks, or the beginnings of them.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it is skipped; kept with the record.")] = "",
    cause: Annotated[str | None, CAUSE] = None,
    force: Annotated[bool, typer.Option("--force", help="Skip it even if a later event needs it.")] = False,
    service: Annotated[str | None, SERVICE] = None,
    yes: Annotated[bool, YES] = False,
) -> None:
    """Give up failed tasks for good; what waits behind them goes on. Exit code 1 if one could not be skipped."""
    import logging

    import structlog

    from sav_ops.parked import skip

    # A rehearsal is undone, so what services log in it did not happen.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    home = Home.default()
    settings = known_settings(home)
    reason = skip.worded(reason)
    chosen = skip.chosen(settings, keys or [], cause, service)
    if cause and not yes:
        skip.look(settings, chosen)
        typer.confirm(f"Give up {len(chosen)} of them for good?", abort=True)
    raise typer.Exit(0 if skip.skip(home, settings, chosen, reason, force) else 1)


@dead.command("list")
def list_dead() -> None:
    """Show the dead letters; they stay in their queue."""
    from sav_ops.parked import dead_letters

    dead_letters.list_them(known_settings(Home.default()).broker_url)


@dead.command("show")
def show_dead(
    id: Annotated[str, typer.Argument(help="Id of an event or message, or the beginning of it.")],
) -> None:
    """Show everything about one dead letter."""
    from sav_ops.parked import dead_letters

    dead_letters.show(known_settings(Home.default()).broker_url, id)


@dead.command("return")
def return_dead(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Ids of messages, or the beginnings of them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead letters.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Return even messages that the present code cannot read.")
    ] = False,
) -> None:
    """Send dead letters back to the queues they came from; exit code 1 if one could not be returned."""
    from sav_ops.parked import dead_letters

    url = known_settings(Home.default()).broker_url
    raise typer.Exit(0 if dead_letters.send_back(url, ids or [], everything, force) else 1)


@dead.command("discard")
def discard_dead(
    ids: Annotated[
        list[str], typer.Argument(metavar="ID", help="Ids of messages, or the beginnings of them.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove dead letters for ever."""
    from sav_ops.parked import dead_letters

    url = known_settings(Home.default()).broker_url
    chosen = dead_letters.marks(url, ids)
    if not yes:
        typer.confirm(f"Remove {len(chosen)} message(s) for ever?", abort=True)
    out.print(f"{dead_letters.discard(url, chosen)} removed.")


@events.command("list")
def list_events(
    service: Annotated[str | None, SERVICE] = None,
    type: Annotated[
        str | None,
        typer.Option(help="Beginning of the event type, such as ReclamationCreated or claims.Rec."),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(help="Show only events of this record: its reference, or the beginning of its id."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Show only events since then: 90s, 10min, 2h, 3d, or 2026-03-02T09:00.")
    ] = None,
    conversation: Annotated[
        str | None, typer.Option(help="Show only what one request led to: the beginning of its X-Request-ID.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of events to show.")] = 50,
) -> None:
    """Show the last events of all services, newest last."""
    from sav_ops.inspect import events as happened

    wanted = happened.EventFilter(service, type, record, conversation, since, limit)
    happened.list_them(known_settings(Home.default()), wanted)


@events.command("show")
def show_event(
    id: Annotated[str, typer.Argument(help="Id of an event or message, or the beginning of it.")],
) -> None:
    """Show everything about one event: its content, its cause, the reactions to it, the events it caused."""
    from sav_ops.inspect import events as happened

    happened.show(known_settings(Home.default()), id)


@replay.command("rebuild")
def rebuild_read_side(
    room: Annotated[
        str, typer.Argument(help="Room to rebuild: edge, reporting, or any service that keeps copies.")
    ],
    compare: Annotated[
        bool, typer.Option("--compare", help="Only compare; exit code 1 if the tables differ.")
    ] = False,
) -> None:
    """Rebuild a room's read side from the logs, compare it with the live one, and replace that."""
    from sav_ops.replay import rebuild

    settings = known_settings(Home.default())
    raise typer.Exit(0 if rebuild.show(settings, room, compare) else 1)


@replay.command("heal")
def heal_service(
    service: Annotated[
        str, typer.Argument(help="Service to heal; `all` heals every service and the read model.")
    ],
    skipped: Annotated[
        bool, typer.Option("--skipped", help="Also apply events that were skipped (`parked skip`).")
    ] = False,
) -> None:
    """Give a service the events it missed: correct its read side, and send its reactions what they missed."""
    from sav_ops.launch import platform
    from sav_ops.replay import heal

    settings = known_settings(Home.default())
    platform.expect_servers(settings)
    if service == "all" and skipped:
        raise OpsError("What was skipped is healed service by service.")
    healed = heal.show_everything(settings) if service == "all" else heal.show(settings, service, skipped)
    raise typer.Exit(0 if healed else 1)


def refresh(
    kind: Annotated[
        str | None, typer.Argument(help="Kind of record to send again, such as reclamation or photo.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Records of every kind.")] = False,
    after: Annotated[
        UUID | None, typer.Option(help="Only records after this id, to continue an interrupted run.")
    ] = None,
) -> None:
    """Emit the current view of every record of a kind again, for readers that need new fields of it."""
    from sav_contracts.message_types import VIEWS
    from sav_ops.launch import platform
    from sav_ops.replay import refresh as refreshing

    if bool(kind) == everything or (everything and after):
        raise OpsError("Say what to refresh: KIND [--after ID], or --all.")
    settings = known_settings(Home.default())
    platform.expect_servers(settings)
    refreshing.show(settings, sorted(VIEWS) if everything else [str(kind)], after)
