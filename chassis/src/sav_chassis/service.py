"""A service: its commands and queries, reactions, timers and effects, and the copies that it keeps."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import walk_packages
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import asyncpg
from pydantic import BaseModel

from sav_chassis import topology
from sav_chassis.errors import RecordedRefusal
from sav_chassis.model import Aggregate
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart
from sav_chassis.stored_names import stored_name
from sav_chassis.tx import Effect, Timer, Tx
from sav_chassis.views import RecordedEvent
from sav_chassis.visibility import kinds_asked
from sav_contracts import message_types
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import PolicyView, SigningKeyView
from sav_contracts.messages import Command, Event, Query, RequestMessage, Revokes, View
from sav_contracts.surface import SURFACE, MessageRow, Row

HandlerResult = Aggregate | BaseModel | RecordedRefusal
Handler = Callable[[Any, Tx, Actor], Awaitable[HandlerResult]]
# Returns why it did nothing (stored in the inbox), or None if it did its work.
ReactionFunction = Callable[[Any, Tx], Awaitable[str | None]]
# Applies a batch of events in one transaction; must be idempotent and independent of their order.
Projection = Callable[[asyncpg.Connection, Sequence[RecordedEvent]], Awaitable[None]]
H = TypeVar("H", bound=Handler)
R = TypeVar("R", bound=ReactionFunction)
T = TypeVar("T", bound=Timer)
F = TypeVar("F", bound=Effect)
P = TypeVar("P", bound=Projection)
S = TypeVar("S", bound="StartupTask")
N = TypeVar("N", bound=Callable[..., Any])

# What a service does before it works. Each replica does it, so it must be repeatable.
StartupTask = Callable[[Tx], Awaitable[None]]
# Takes the settings and the room's name; raises `CannotStart` with the cure.
StartupCheck = Callable[[Settings, str], None]

# The copies that every service keeps: signing keys and policies.
EVERYWHERE = (SigningKeyView, PolicyView)


class Reaction(NamedTuple):
    """A reaction, the name under which the inbox knows it, and the time from which it handles events."""

    name: str
    since: datetime | None
    function: ReactionFunction

    def counts(self, at: datetime) -> bool:
        """Whether the reaction handles an event of that time."""
        return self.since is None or at >= self.since


class RegisteredProjection(NamedTuple):
    """A projection, the event types it applies, and the one table it writes."""

    events: frozenset[type[Event]]
    projection: Projection
    table: str


class Service:
    """Declares handlers; `runner.run_service` is its process. Handlers may be in any module of the room."""

    def __init__(self, name: str, surface: Sequence[Row] = SURFACE) -> None:
        self.name = name
        self.rows = {row.message: row for row in surface if isinstance(row, MessageRow)}
        self.handlers: dict[type[RequestMessage[Any]], Handler] = {}
        self.reactions: dict[type[Event], list[Reaction]] = {}
        self.retired: dict[str, set[type[Event]]] = {}
        self.timers: dict[str, Timer] = {}
        self.effects: dict[str, Effect] = {}
        self.starts: list[StartupTask] = []
        self.mirrored: set[type[View]] = set(EVERYWHERE)
        self.projections: list[RegisteredProjection] = []
        self.checks: list[StartupCheck] = []

    def command(self, message: type[Command[Any]]) -> Callable[[H], H]:
        """Registers the one handler of a command."""
        return self._answers(message)

    def query(self, message: type[Query[Any]]) -> Callable[[H], H]:
        """Registers the one handler of a query: it computes something and changes nothing."""
        return self._answers(message)

    def _answers(self, message: type[RequestMessage[Any]]) -> Callable[[H], H]:
        def register(handler: H) -> H:
            if message in self.handlers:
                raise TypeError(f"{message.__name__} has two handlers")
            if message not in self.rows and not message.internal_only:
                raise TypeError(f"{message.__name__} has no row in the surface")
            self.handlers[message] = handler
            return handler

        return register

    def on(self, event: type[Event], *, since: str | None = None) -> Callable[[R], R]:
        """Registers a reaction: one event, one transaction, in the order of each aggregate's events.

        `since`: when the reaction was added, as `2026-12-01` or `2026-12-01T14:00`, in UTC. It skips earlier events,
        and they are not made up for. Every reaction that was added later must give it.
        """
        counts_from = datetime.fromisoformat(since).replace(tzinfo=UTC) if since else None

        def register(function: R) -> R:
            self.reactions.setdefault(event, []).append(
                Reaction(stored_name(function), counts_from, function)
            )
            return function

        return register

    def retire(self, name: str, *events: type[Event]) -> None:
        """Declares a removed reaction, so that its entries in the inbox stay valid."""
        self.retired.setdefault(name, set()).update(events)

    def timer(self, timer: T) -> T:
        """Registers a function for `tx.remind`: run once, in one transaction, by SAV itself."""
        return _named(self.timers, timer)

    def effect(self, effect: F) -> F:
        """Registers a function for `tx.later`: it acts outside the database and any transaction, at least once."""
        return _named(self.effects, effect)

    def at_start(self, start: S) -> S:
        """Registers a function that each process runs in one transaction before it answers requests."""
        self.starts.append(start)
        return start

    def project(self, *events: type[Event], into: str) -> Callable[[P], P]:
        """Registers a projection: it gets some hundred events of these types in one transaction, in any order.

        It has no inbox, so every statement must compare versions before it writes. It must also sort its keys, since
        other replicas write the same table. Its SQL names the table `into` without a schema: a rebuild directs that
        name elsewhere.
        """

        def register(projection: P) -> P:
            self.projections.append(RegisteredProjection(frozenset(events), projection, into))
            return projection

        return register

    def mirror(self, *views: type[View]) -> None:
        """Keeps copies of other services' records, for `tx.view`."""
        self.mirrored.update(views)

    def needs(self, check: StartupCheck) -> None:
        """Makes the process refuse to start where `check` raises `CannotStart`."""
        self.checks.append(check)

    def load(self) -> "Service":
        """Imports the room's modules, so that all handlers are declared."""
        if find_spec(f"sav_{self.name}"):
            modules(f"sav_{self.name}")
        return self

    def bindings(self) -> dict[str, list[str]]:
        """Each queue with the event types it must receive; generated into the contracts' topology."""
        self.load()
        shown = {event for event in message_types.EVENTS.values() if event.state_type() in self.mirrored}
        shown.update(*(projected.events for projected in self.projections))
        shown.update(event for event in message_types.EVENTS.values() if issubclass(event, Revokes))
        queues = {
            f"{self.name}.events": sorted(event.type_name() for event in self.reactions),
            f"{self.name}.views": sorted(event.type_name() for event in shown),
        }
        return {f"{self.name}.commands": [], **{queue: types for queue, types in queues.items() if types}}

    def stored_names(self) -> dict[str, Any]:
        """The names stored in this service's database: of reactions (with their `since`), timers and effects."""
        self.load()
        reactions: dict[str, dict[str, str | None]] = {}
        for event, chosen in self.reactions.items():
            for one in chosen:
                since = one.since.isoformat() if one.since else None
                reactions.setdefault(one.name, {})[event.type_name()] = since
        retired = {
            name: sorted(event.type_name() for event in events) for name, events in self.retired.items()
        }
        return {
            "reactions": {name: dict(sorted(reactions[name].items())) for name in sorted(reactions)},
            "retired": dict(sorted(retired.items())),
            "timers": sorted(self.timers),
            "effects": sorted(self.effects),
        }

    def check_declared(self) -> None:
        """`CannotStart` where the topology differs from this service's declarations: its queues would lack events."""
        published, names = topology.published(), self.stored_names()
        listed = published["stored_names"].get(self.name, {})
        differ = [kind for kind in names if names[kind] != listed.get(kind)]
        differ += [
            queue for queue, types in self.bindings().items() if types != published["queues"].get(queue)
        ]
        if differ:
            raise CannotStart(
                f"{self.name}: its {', '.join(differ)} are not those of the contracts' topology.json; in a checkout:"
                " ./sav generate"
            )

    def check_copies(self) -> None:
        """`CannotStart` where a rule of visibility needs other records, of which this service keeps no copies."""
        kept = {view.kind() for view in self.mirrored}
        for row in (self.rows[message] for message in self.handlers if message in self.rows):
            asked = set().union(*(kinds_asked(row.rule(role), role) for role in row.roles))
            if missing := asked - kept:
                raise CannotStart(
                    f"{self.name}: who may ask for {row.message.__name__} is judged by copies of each"
                    f" {' and '.join(sorted(missing))}, which it does not keep: {self.name}.mirror(…)"
                )


@cache
def modules(package: str) -> list[ModuleType]:
    """Imports and returns all modules of a package, except migrations."""
    found = walk_packages(import_module(package).__path__, f"{package}.")
    return [import_module(module.name) for module in found if ".migrations" not in module.name]


def _named(registered: dict[str, Any], function: N) -> N:
    """Registers a function under its stored name. Stored tasks refer to functions by name, so names must be unique."""
    if stored_name(function) in registered:
        raise TypeError(f"there are two {stored_name(function)}")
    registered[stored_name(function)] = function
    return function
