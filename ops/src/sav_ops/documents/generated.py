"""Documents generated from code: `sav check` compares them, `sav generate` writes them."""

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
from sav_chassis.topology import published
from sav_contracts.actor import Role
from sav_contracts.message_types import EVENTS, VIEWS
from sav_contracts.messages import PERSON_ID, Event, Message, View
from sav_contracts.surface import SURFACE, Row
from sav_contracts.visibility import NOTHING
from sav_ops import rooms
from sav_ops.documents import asyncapi, error_codes, import_columns, schema_revisions, stored_names
from sav_ops.home import REPO

COLUMNS = (Role.CLIENT, Role.TECHNICIAN, Role.MANAGER, Role.ADMIN)
ROLES_HEAD = """# Who may do what

Made by `./sav generate` from the table of routes (`contracts/src/sav_contracts/surface/`), from what each view says of who
sees it (`visible`) and from the state tables of the services (`lifecycle.py` in each); change those, not this page.
`./sav check` says when it is outdated.

All routes are under `/api`. What a cell says:

- yes: this role may, as far as it sees the record (the chapter's second table); what it does not see is not there for
  it (404).
- which records: this role may, with these alone; others are not there for it (404).
- –: refused (403).
- anybody: also without a token.

What is not on this page is not there yet. To come: preferences of messages, SMS and push; the reports about money,
performance, lateness and satisfaction, live figures and background exports; everything held on a client and its erasure;
webhooks and a page for operators.
"""
EVENTS_HEAD = """# Events

Made by `./sav generate` from the messages (`contracts/src/sav_contracts/`) and from what the services declare that they
listen to; change those, not this page. `./sav check` says when it is outdated.

An event is published to the topic exchange `sav.events` with its name as routing key (`claims.ReclamationCreated.v1`).
Beside its facts each one carries, as `state`, the view of its record after the change. The edge keeps the newest view of
every record for reading. For other systems the same stands in
[`asyncapi.json`](../contracts/src/sav_contracts/asyncapi.json), which the edge serves at `/asyncapi.json`, with how to
subscribe. The header `cloudEvents:dataschema` names the schema of the body (`urn:sav:schema:claims.ReclamationCreated.v1`);
the edge serves it, with that name as `$id`, at `/schemas/claims.ReclamationCreated.v1.json`.

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
    """Return the event types of each queue, and the stored names, from every room's declarations.

    `OpsError` if a name is gone, or a new one does not say since when it counts.
    """
    queues: dict[str, list[str]] = {}
    for room in rooms.ROOMS:
        queues |= rooms.load(room).bindings()
    names = {room: rooms.load(room).stored_names() for room in rooms.SERVICES}
    stored_names.keep(published()["stored_names"], names)
    return json.dumps({"queues": queues, "stored_names": names}, indent=2) + "\n"


def roles() -> str:
    """Return docs/roles.md: what each role may do and see, and the moves it may make; a chapter for each room."""
    return "\n".join([ROLES_HEAD, *("\n".join(_chapter(owner)) for owner in rooms.ROOMS)])


def _chapter(owner: str) -> Iterator[str]:
    yield f"## {owner}\n"
    yield from _table(
        ("feature", "route", *COLUMNS),
        [
            (row.feature, f"`{row.route}`", *(_may(row, role) for role in COLUMNS))
            for row in SURFACE
            if row.message.owner == owner
        ],
    )
    views = [view for _, view in sorted(VIEWS.items()) if view.owner == owner]
    if views:
        yield "### Who sees which records\n"
        yield from _table(
            ("record", *COLUMNS),
            [(view.kind().replace("_", " "), *(_sees(view, role) for role in COLUMNS)) for view in views],
        )
    for lifecycle in lifecycles(owner):
        if not lifecycle.made:
            continue
        yield f"### States of a record: {lifecycle.kind.replace('_', ' ')}\n"
        yield (
            "Who may bring it from one state to the next; `itself` is what follows from an event, or from time.\n"
        )
        yield from _table(
            ("from", "to", *COLUMNS, "itself"),
            [
                (before, after, *("yes" if role in who else "–" for role in (*COLUMNS, Role.SYSTEM)))
                for (before, after), who in lifecycle.made.items()
            ],
        )
        if lifecycle.note:
            yield f"{lifecycle.note}\n"


def _may(row: Row, role: Role) -> str:
    if role not in row.roles:
        return "–"
    if role in row.only:
        return str(row.only[role])
    return "anybody" if Role.ANYONE in row.roles else "yes"


def _sees(view: type[View], role: Role) -> str:
    rule = view.visible.to(role)
    if role is Role.CLIENT and rule != NOTHING and view.for_client is not View.for_client:
        returned = get_type_hints(view.for_client)["return"]
        if NoneType in get_args(returned):
            return f"{rule}, once they are for clients"
    return str(rule)


def lifecycles(room: str) -> list[Lifecycle[Any]]:
    """Return the lifecycles of a room, by kind."""
    name = f"sav_{room}.lifecycle"
    module = import_module(name) if find_spec(name) else None
    found = [value for value in vars(module).values() if isinstance(value, Lifecycle)] if module else []
    return sorted(found, key=lambda lifecycle: lifecycle.kind)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cells)} |"
    yield ""


def events() -> str:
    """Return docs/events.md: what each event says and carries, who reads it, who reacts; a chapter for each service."""
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
    if event.superseded_by:
        instead = " or ".join(f"`{newer.__name__}`" for newer in event.superseded_by)
        yield f"- no longer emitted: since then it is {instead}"
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
        for reaction in sorted(service.reactions.get(event, ())):
            since = f" (of events since {reaction.since:%F})" if reaction.since else ""
            yield f"{service.name} `{reaction.name}`{since}"


def _keeping(event: type[Event], services: Sequence[Service]) -> Iterator[str]:
    """Yield the services that copy the view, and the projections that use the event."""
    for service in services:
        if event.state_type() in service.mirrored:
            yield f"{service.name} (a copy)"
        for name in sorted(
            projected.projection.__name__ for projected in service.projections if event in projected.events
        ):
            yield f"{service.name} `{name}`"


def _timeline(event: type[Event]) -> str:
    view = event.state_type()
    if not event.makes_timeline_line or not view.in_timelines():
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
    """Return what a field holds, for readers who do not program."""
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
    (REPO / "contracts/src/sav_contracts/codes.json", error_codes.codes),
    (REPO / "contracts/src/sav_contracts/codes_of_rooms.json", error_codes.owners),
    (REPO / "docs/roles.md", roles),
    (REPO / "docs/events.md", events),
    (REPO / "docs/errors.md", error_codes.page),
    (REPO / "docs/imports.md", import_columns.page),
]


def outdated() -> list[Path]:
    """Return the documents that differ from the current code, and the revisions that are missing."""
    return [*_differing(), *schema_revisions.missing()]


def write() -> list[Path]:
    """Write the outdated documents, and add the missing revisions; return them.

    `OpsError` if an event breaks what was published: then nothing is written.
    """
    changed = schema_revisions.missing() | _differing()
    for path, text in changed.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [path.relative_to(REPO) for path in changed]


def _differing() -> dict[Path, str]:
    texts = {path: text() for path, text in DOCUMENTS}
    return {path: text for path, text in texts.items() if not path.exists() or path.read_text() != text}
