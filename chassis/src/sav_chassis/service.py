"""A service: what it answers, what it reacts to, whose records it keeps copies of."""

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

from pydantic import BaseModel

from sav_chassis.errors import Refused
from sav_chassis.model import Aggregate
from sav_chassis.settings import Settings
from sav_chassis.tx import Tx
from sav_contracts import catalogue
from sav_contracts.actor import Actor
from sav_contracts.messages import Asked, Command, Event, Query, View
from sav_contracts.surface import SURFACE, Row, Serves

Answered = Aggregate | BaseModel | Refused
Handler = Callable[[Any, Tx, Actor], Awaitable[Answered]]
# What a reaction returns is why it did nothing, kept in the inbox; None where it did its work.
Reaction = Callable[[Any, Tx], Awaitable[str | None]]
H = TypeVar("H", bound=Handler)
R = TypeVar("R", bound=Reaction)

HANDLER_MODULES = ("commands", "reactions", "queries")


class Service:
    """Declares handlers; `run` is its process. Handlers live in the room's `commands`, `reactions`, `queries`."""

    def __init__(self, name: str, surface: Sequence[Row] = SURFACE) -> None:
        self.name = name
        self.rows = {row.message: row for row in surface if row.serves is Serves.REPLY}
        self.handlers: dict[type[Asked[Any]], Handler] = {}
        self.reactions: dict[type[Event], list[Reaction]] = {}
        self.mirrored: set[type[View]] = set()

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
            if message not in self.rows:
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

    def mirror(self, view: type[View]) -> None:
        """Keeps a copy of another service's records, for `tx.view`."""
        self.mirrored.add(view)

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
        mirrored = [e.type_name() for e in catalogue.EVENTS.values() if e.state_type() in self.mirrored]
        events = [event.type_name() for event in self.reactions]
        queues = {f"{self.name}.events": sorted(events), f"{self.name}.views": sorted(mirrored)}
        return {f"{self.name}.commands": [], **{queue: types for queue, types in queues.items() if types}}

    async def migrate(self, settings: Settings) -> None:
        """Creates and upgrades this service's database."""
        from sav_chassis.migrate import migrate

        await migrate(settings, self.name)

    def run(self) -> None:
        """This service as a process, until SIGTERM or SIGINT."""
        from sav_chassis.runner import run, serving

        run(serving(self.load(), Settings()))
