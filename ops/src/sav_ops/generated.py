"""Documents made from code: `sav check` compares them, `sav generate` writes them."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from importlib import import_module
from importlib.util import find_spec
from inspect import getdoc
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from sav_chassis.lifecycle import Lifecycle
from sav_chassis.service import Service
from sav_contracts.actor import Role
from sav_contracts.catalogue import EVENTS
from sav_contracts.messages import PERSON_ID, Event, Message, Scope, View
from sav_contracts.surface import SURFACE
from sav_ops import asyncapi, errors, revisions, rooms
from sav_ops.home import REPO

COLUMNS = (Role.CLIENT, Role.TECHNICIAN, Role.MANAGER, Role.ADMIN)
ROLES_HEAD = """# Who may do what

Made by `./sav generate` from the table of routes (`contracts/src/sav_contracts/surface.py`) and the state tables of the
services (`lifecycle.py` in each); change those, not this page. `./sav check` says when it is outdated.

All routes are under `/api`. How far a role reaches:

- `any`: also without a token.
- `own`: only what is the caller's own, as client or as the person it is about.
- `mine`: only what the caller works on as technician, with the client and the product of what is still under way.
- `limited`: only those whom the feature names.
- `all`: everybody's.
- –: refused (403). What a role does not reach is not there for it (404).
"""
EVENTS_HEAD = """# Events

Made by `./sav generate` from the messages (`contracts/src/sav_contracts/`) and from what the services declare that they
listen to; change those, not this page. `./sav check` says when it is outdated.

An event is published to the topic exchange `sav.events` with its name as routing key (`claims.ReclamationCreated.v1`).
Beside its facts each one carries, as `state`, the view of its record after the change. The edge keeps the newest view of
every record for reading. For other systems the same stands in
[`asyncapi.json`](../contracts/src/sav_contracts/asyncapi.json), which the edge serves at `/asyncapi.json`, with how to
subscribe; the edge serves the schema of an event at `/schemas/claims.ReclamationCreated.v1.json`.

An event that makes a line in a timeline makes one in that of each record it belongs to.
"""
WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "yes or no",
    UUID: "id",
    datetime: "time",
    date: "date",
    Decimal: "decimal number",
}


def topology() -> str:
    """Who listens to what: queue to event types, from every room's declarations."""
    queues: dict[str, list[str]] = {}
    for room in rooms.ROOMS:
        queues |= rooms.load(room).bindings()
    return json.dumps(queues, indent=2) + "\n"


def roles() -> str:
    """What each role may do, and which states it may bring a record to; a chapter for each service."""
    return "\n".join([ROLES_HEAD, *("\n".join(_chapter(owner)) for owner in rooms.ROOMS)])


def _chapter(owner: str) -> Iterator[str]:
    yield f"## {owner}\n"
    yield from _table(
        ("feature", "route", *COLUMNS),
        [
            (row.feature, f"`{row.route}`", *(row.reach.get(role, "–") for role in COLUMNS))
            for row in SURFACE
            if row.message.owner == owner
        ],
    )
    for lifecycle in lifecycles(owner):
        yield f"### States of a record: {lifecycle.kind.replace('_', ' ')}\n"
        yield (
            "Who may bring it from one state to the next, as far as a route above leads there;"
            " `itself` is what follows from an event, or from time.\n"
        )
        yield from _table(
            ("from", "to", *COLUMNS, "itself"),
            [
                (before, after, *("yes" if role in who else "–" for role in (*COLUMNS, Role.SYSTEM)))
                for (before, after), who in lifecycle.moves.items()
            ],
        )


def lifecycles(room: str) -> list[Lifecycle[Any]]:
    """The state tables of a room, by kind."""
    name = f"sav_{room}.lifecycle"
    module = import_module(name) if find_spec(name) else None
    found = [value for value in vars(module).values() if isinstance(value, Lifecycle)] if module else []
    return sorted(found, key=lambda lifecycle: lifecycle.kind)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cells)} |"
    yield ""


def events() -> str:
    """Every event: what it says and carries, who reads of it, who reacts to it; a chapter for each service."""
    services = [rooms.load(room).load() for room in rooms.SERVICES]
    pages = [EVENTS_HEAD]
    for owner in rooms.SERVICES:
        pages.append(f"## {owner}\n")
        for event in sorted(EVENTS.values(), key=lambda event: event.__name__):
            if event.owner == owner:
                pages += _event(event, services)
    return "\n".join(pages)


def _event(event: type[Event], services: Sequence[Service]) -> Iterator[str]:
    yield f"### {event.__name__}\n\n{getdoc(event)}\n"
    yield f"- name: `{event.type_name()}`"
    yield f"- carries: `{event.state_type().__name__}`"
    facts = [name for name in event.model_fields if name != "state"]
    yield f"- facts: {'' if facts else 'none'}".rstrip()
    yield from (f"  - `{name}`: {_fact(event, name)}" for name in facts)
    yield f"- timeline: {_timeline(event)}"
    yield f"- who reacts: {_list(_reacting(event, services))}"
    yield f"- who keeps it: {_list(_keeping(event, services))}\n"


def _list(names: Iterator[str]) -> str:
    return ", ".join(names) or "nobody"


def _reacting(event: type[Event], services: Sequence[Service]) -> Iterator[str]:
    for service in services:
        for reaction in sorted(reaction.__name__ for reaction in service.reactions.get(event, ())):
            yield f"{service.name} `{reaction}`"


def _keeping(event: type[Event], services: Sequence[Service]) -> Iterator[str]:
    """Who copies the view, and whose own tables the event is counted into."""
    for service in services:
        if event.state_type() in service.mirrored:
            yield f"{service.name} (a copy)"
        for name in sorted(
            projected.projection.__name__ for projected in service.projections if event in projected.events
        ):
            yield f"{service.name} `{name}`"


def _timeline(event: type[Event]) -> str:
    view = event.state_type()
    if not event.tells or (view.scope not in (Scope.ROOT, Scope.CHILD) and view.roots is View.roots):
        return "no line"
    if event.for_client is Event.for_client:
        return "for staff and the client" if event.client_sees else "for staff"
    returned = get_type_hints(event.for_client)["return"]
    sometimes = ", in some cases" if NoneType in get_args(returned) else ""
    return f"for staff; for the client without what is internal{sometimes}"


def _fact(event: type[Event], name: str) -> str:
    field = event.model_fields[name]
    return in_words(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)


def in_words(annotation: Any) -> str:
    """What a field holds, for readers who do not program."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return "id of a person" if PERSON_ID in parts[1:] else in_words(parts[0])
    if origin in (Union, UnionType):
        said = [in_words(part) for part in parts if part is not NoneType]
        return " or ".join(said) + (", or nothing" if NoneType in parts else "")
    if origin is Literal:
        return _one_of(parts)
    if origin is dict:
        return f"{in_words(parts[1])} for each {in_words(parts[0])}"
    if origin is not None:
        return f"several: {in_words(parts[0])}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _one_of([member.value for member in annotation])
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return f"`{annotation.__name__}` ({', '.join(annotation.model_fields)})"
    return WORDS.get(annotation) or f"`{annotation.__name__}`"


def _one_of(values: Sequence[Any]) -> str:
    said = [f"`{value}`" for value in values]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"


DOCUMENTS: list[tuple[Path, Callable[[], str]]] = [
    (REPO / "contracts/src/sav_contracts/topology.json", topology),
    (REPO / "contracts/src/sav_contracts/asyncapi.json", asyncapi.document),
    (REPO / "docs/roles.md", roles),
    (REPO / "docs/events.md", events),
    (REPO / "docs/errors.md", errors.page),
]


def outdated() -> list[Path]:
    """Return the documents that differ from what the code says today, and the revisions that are missing."""
    return [*_differing(), *revisions.missing()]


def write() -> list[Path]:
    """Write the outdated documents, and add the missing revisions; return them.

    `Problem` where an event breaks what was published: then nothing is written.
    """
    changed = revisions.missing() | _differing()
    for path, text in changed.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [path.relative_to(REPO) for path in changed]


def _differing() -> dict[Path, str]:
    texts = {path: text() for path, text in DOCUMENTS}
    return {path: text for path, text in texts.items() if not path.exists() or path.read_text() != text}
