"""The commands of `sav` about events: what happened, what waits, what nobody could read, what is to be told again."""

from typing import Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup

from sav_ops.home import Home, Problem
from sav_ops.steps import out


class ListFirst(TyperGroup):
    """Commands of which `list` is meant where none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


parked = typer.Typer(cls=ListFirst, help="What the services could not do, and what waits behind it.")
dead = typer.Typer(cls=ListFirst, help="Messages that no consumer could handle: the broker's dead letters.")
events = typer.Typer(cls=ListFirst, help="What happened: the services' logs.")
replay = typer.Typer(
    no_args_is_help=True, help="Let the logs be heard again: by a read side, or by a service."
)
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
    """Bring a service what it missed of the logs: what it keeps is made good, what it has not done is sent to it."""
    from sav_ops import heal, platform

    settings = platform.known_settings(Home.default())
    platform.expect_servers(settings)
    raise typer.Exit(0 if heal.show(settings, service) else 1)


def refresh(
    kind: Annotated[str | None, typer.Argument(help="What to tell again: reclamation, photo, …")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every kind.")] = False,
    after: Annotated[
        UUID | None, typer.Option(help="Only records behind this id: to go on where it was cut off.")
    ] = None,
) -> None:
    """Let the owner tell today's view of every record of a kind again, for readers that want to know more of it."""
    from sav_contracts.catalogue import VIEWS
    from sav_ops import platform
    from sav_ops import refresh as refreshing

    if bool(kind) == everything or (everything and after):
        raise Problem("Say what to refresh: KIND [--after ID], or --all.")
    settings = platform.known_settings(Home.default())
    platform.expect_servers(settings)
    refreshing.show(settings, sorted(VIEWS) if everything else [str(kind)], after)
