"""A service: what it answers, what it reacts to, what it does later, whose records it keeps copies of."""

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeVar

import asyncpg
from pydantic import BaseModel

from sav_chassis.errors import Refused
from sav_chassis.model import Aggregate
from sav_chassis.projector import Told
from sav_chassis.settings import Settings
from sav_chassis.tx import Effect, Timer, Tx
from sav_contracts import catalogue
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import PolicyView, SigningKeyView
from sav_contracts.messages import Asked, Command, Event, Query, Revokes, View
from sav_contracts.surface import SURFACE, Row, Serves

Answered = Aggregate | BaseModel | Refused
Handler = Callable[[Any, Tx, Actor], Awaitable[Answered]]
# What a reaction returns is why it did nothing, kept in the inbox; None where it did its work.
Reaction = Callable[[Any, Tx], Awaitable[str | None]]
# Writes what a batch of events says, in their transaction; told twice or in another order, it must say the same.
Projection = Callable[[asyncpg.Connection, Sequence[Told]], Awaitable[None]]
H = TypeVar("H", bound=Handler)
R = TypeVar("R", bound=Reaction)
T = TypeVar("T", bound=Timer)
F = TypeVar("F", bound=Effect)
P = TypeVar("P", bound=Projection)
S = TypeVar("S", bound="Start")
N = TypeVar("N", bound=Callable[..., Any])

# Does what a service has to do before it works; each replica does it, so it is written to be repeated.
Start = Callable[[Tx], Awaitable[None]]
# Given the settings and the room's name; raises `Unfit` with the cure.
Check = Callable[[Settings, str], None]

HANDLER_MODULES = ("commands", "reactions", "queries", "timers", "effects", "projections", "starting")


# What every service keeps: whom to believe, and what admins decided.
EVERYWHERE = (SigningKeyView, PolicyView)


class Projected(NamedTuple):
    """A projection, the events it is fed with, and the one table that it writes."""

    events: frozenset[type[Event]]
    projection: Projection
    table: str


class Service:
    """Declares handlers; `run` is its process. Handlers live in the room's modules of `HANDLER_MODULES`."""

    def __init__(self, name: str, surface: Sequence[Row] = SURFACE) -> None:
        self.name = name
        self.rows = {row.message: row for row in surface if row.serves is Serves.REPLY}
        self.handlers: dict[type[Asked[Any]], Handler] = {}
        self.reactions: dict[type[Event], list[Reaction]] = {}
        self.timers: dict[str, Timer] = {}
        self.effects: dict[str, Effect] = {}
        self.starts: list[Start] = []
        self.mirrored: set[type[View]] = set(EVERYWHERE)
        self.projections: list[Projected] = []
        self.checks: list[Check] = []

    def command(self, message: type[Command[Any]]) -> Callable[[H], H]:
        """Registers the one handler of a command."""
        return self._answers(message)

    def query(self, message: type[Query[Any]]) -> Callable[[H], H]:
        """Registers the one handler of a query: what must be computed, and changes nothing."""
        return self._answers(message)

    def _answers(self, message: type[Asked[Any]]) -> Callable[[H], H]:
        def register(handler: H) -> H:
            if message in self.handlers:
                raise TypeError(f"{message.__name__} has two handlers")
            if message not in self.rows and not message.inside:
                raise TypeError(f"{message.__name__} has no row in the surface")
            self.handlers[message] = handler
            return handler

        return register

    def on(self, event: type[Event]) -> Callable[[R], R]:
        """Registers a reaction: one event, one transaction, in the order of each aggregate's events."""

        def register(reaction: R) -> R:
            self.reactions.setdefault(event, []).append(reaction)
            return reaction

        return register

    def timer(self, timer: T) -> T:
        """Registers what `tx.remind` sets: one transaction, once, by SAV itself."""
        return _named(self.timers, timer)

    def effect(self, effect: F) -> F:
        """Registers what `tx.later` asks for: what leaves the database, outside any transaction, at least once."""
        return _named(self.effects, effect)

    def at_start(self, start: S) -> S:
        """Registers what is done in one transaction by each process before it answers."""
        self.starts.append(start)
        return start

    def project(self, *events: type[Event], into: str) -> Callable[[P], P]:
        """Registers a projection: some hundred events of these types in one transaction, in no order.

        It keeps no inbox, so every statement must be guarded by the version it has seen, and sort its keys: other
        replicas write the same table. It names its table `into` as it stands: a rebuild points that elsewhere.
        """

        def register(projection: P) -> P:
            self.projections.append(Projected(frozenset(events), projection, into))
            return projection

        return register

    def mirror(self, *views: type[View]) -> None:
        """Keeps copies of other services' records, for `tx.view`."""
        self.mirrored.update(views)

    def needs(self, check: Check) -> None:
        """Has the process refuse to start where `check` raises `Unfit`."""
        self.checks.append(check)

    def load(self) -> "Service":
        """Imports the room's handlers, so that everything is declared."""
        for module in HANDLER_MODULES:
            name = f"sav_{self.name}.{module}"
            if find_spec(f"sav_{self.name}") and find_spec(name):
                import_module(name)
        return self

    def bindings(self) -> dict[str, list[str]]:
        """Queue to the event types it must receive; generated into the contracts' topology."""
        self.load()
        shown = {event for event in catalogue.EVENTS.values() if event.state_type() in self.mirrored}
        shown.update(*(projected.events for projected in self.projections))
        shown.update(event for event in catalogue.EVENTS.values() if issubclass(event, Revokes))
        queues = {
            f"{self.name}.events": sorted(event.type_name() for event in self.reactions),
            f"{self.name}.views": sorted(event.type_name() for event in shown),
        }
        return {f"{self.name}.commands": [], **{queue: types for queue, types in queues.items() if types}}

    async def migrate(self, settings: Settings) -> None:
        """Creates and upgrades this service's database."""
        from sav_chassis.migrate import migrate

        await migrate(settings, self.name)

    def run(self) -> None:
        """This service as a process, until SIGTERM or SIGINT."""
        from sav_chassis.runner import run, serving

        run(serving(self.load(), Settings()))


def _named(registered: dict[str, Any], function: N) -> N:
    """Waiting rows name the function: a name is given once."""
    if function.__name__ in registered:
        raise TypeError(f"there are two {function.__name__}")
    registered[function.__name__] = function
    return function
