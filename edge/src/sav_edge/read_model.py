"""Reads: one SQL statement over the read model, within the caller's scope."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from sav_chassis.errors import NoSuch, NotFound
from sav_chassis.visibility import doc, visible
from sav_contracts.actor import Actor, Role
from sav_contracts.labels import label
from sav_contracts.messages import View
from sav_contracts.sentences import Text
from sav_contracts.surface import SURFACE, ListRow, ReadRow, TimelineRow
from sav_contracts.visibility import NOTHING, Rule
from sav_edge.list_query import Listing, QueryParameters, mark, parse

# The ids of a path, by name: `{reclamation_id: …, photo_id: …}`.
Ids = Mapping[str, UUID]
Views = Mapping[type[View], Rule]


class FoundRecord(NamedTuple):
    """A record's JSON in the form that its reader gets, with its id and version."""

    doc: str
    id: UUID
    version: int


# The views that can be read.
SHOWN: Sequence[type[View]] = tuple({row.message: 1 for row in SURFACE if isinstance(row, ReadRow)})
KINDS = {view.kind(): view for view in SHOWN}
# Their visibility rules for each role.
VIEWS: Mapping[Role, Views] = {role: {view: view.visible.to(role) for view in SHOWN} for role in Role}


def visible_of(role: Role, views: Views, me: str, v: str) -> str:
    """The SQL condition that a row is one of these views and that the reader may see it."""
    kinds: dict[str, list[str]] = {}
    for view, rule in views.items():
        if rule != NOTHING:
            kinds.setdefault(visible(role, rule, me, v), []).append(f"'{view.kind()}'")
    either = [f"{v}.kind IN ({', '.join(names)}) AND {condition}" for condition, names in kinds.items()]
    return f"({' OR '.join(either) or 'false'})"


def typed(me: str) -> str:
    """Always true: PostgreSQL must know the type of a parameter that no other condition uses."""
    return f"{me}::uuid IS NOT NULL"


class ReadModel:
    """Returns wire JSON, as it is stored."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def one(self, row: ReadRow, ids: Ids, actor: Actor) -> FoundRecord:
        """The record that the ids of the path name; where they name its parent, the newest child.

        `NotFound` where the actor may see no such record, or not its parent.
        """
        statement = _newest(row, actor.role, tuple(ids))
        found = await self._pool.fetchrow(statement, *_arguments(row, ids, actor))
        if found is None:
            raise _missing(row.message, ids)
        return FoundRecord(*found)

    async def page(self, row: ListRow, ids: Ids, query: QueryParameters, actor: Actor) -> str:
        """A page of the records that the actor may see; where the path names a parent, of its children only.

        `Invalid` names every wrong parameter; `NotFound` where the actor may not see the parent.
        """
        listing = parse(row, query, actor)
        if ids:
            await self._check_parents(ids, actor)
        arguments = _arguments(row, ids, actor)

        def parameter(value: Any) -> str:
            arguments.append(value)
            return f"${len(arguments)}"

        where = _conditions(row, actor.role, tuple(ids))
        for condition, value in listing.where:
            where += " AND " + condition.replace("$", parameter(value))
        key = listing.key(actor)
        if listing.after:
            value, id = map(parameter, listing.after)
            where += f" AND ({key}, v.id) {listing.beyond} ({value}, {id})"
        rows = await self._pool.fetch(
            f"""SELECT v.{doc(actor.role)} AS doc, {key} AS place, v.id FROM view v WHERE {where}
            ORDER BY {key} {listing.direction}, v.id {listing.direction} LIMIT {listing.limit + 1}""",
            *arguments,
        )
        return _page(rows, listing)

    async def timeline(self, row: TimelineRow, ids: Ids, query: QueryParameters, actor: Actor) -> str:
        """What happened to a root and to the records that belong to it, oldest first, if the actor may see it."""
        await self.one(row, ids, actor)
        listing = parse(row, query, actor)
        arguments: list[Any] = [ids[_id_of(row.message)], actor.id]
        later = ""
        if listing.after:
            arguments += listing.after
            later = "AND (t.at, t.event_id) > ($3, $4)"
        views = {view: rule for view, rule in VIEWS[actor.role].items() if view.in_timelines()}
        rows = await self._pool.fetch(
            f"""SELECT t.{doc(actor.role)} AS doc, t.at AS place, t.event_id AS id
            FROM timeline t JOIN view v ON v.kind = t.kind AND v.id = t.subject
            WHERE t.root = $1 AND t.{doc(actor.role)} IS NOT NULL AND {visible_of(actor.role, views, "$2", "v")}
                AND {typed("$2")} {later}
            ORDER BY t.at, t.event_id LIMIT {listing.limit + 1}""",
            *arguments,
        )
        return _page(rows, listing)

    async def _check_parents(self, ids: Ids, actor: Actor) -> None:
        for name, id in ids.items():
            view = KINDS[name.removesuffix("_id")]
            seen = visible(actor.role, view.visible.to(actor.role), "$3")
            found = (
                f"SELECT true FROM view v WHERE v.kind = $1 AND v.id = $2 AND {seen} AND $3::uuid IS NOT NULL"
            )
            if not await self._pool.fetchval(found, view.kind(), id, actor.id):
                raise _missing(view, {name: id})


@cache
def _newest(row: ReadRow, role: Role, names: tuple[str, ...]) -> str:
    """The SQL statement of `one`, which is the same for everybody in a role."""
    return f"""SELECT v.{doc(role)}, v.id, v.version FROM view v WHERE {_conditions(row, role, names)}
        ORDER BY v.created_at DESC, v.id DESC LIMIT 1"""


@cache
def _conditions(row: ReadRow, role: Role, names: tuple[str, ...]) -> str:
    """The SQL condition for the rows `v` that a surface row and the path's ids name; `_arguments` are its values."""
    conditions = ["v.kind = $2", typed("$1"), visible(role, row.rule(role), "$1")]
    for number, name in enumerate(names, 3):
        if name == _id_of(row.message):
            conditions.append(f"v.id = ${number}")
        else:
            parent = KINDS[name.removesuffix("_id")]
            seen = visible(role, parent.visible.to(role), "$1", "p")
            conditions.append(
                f"""v.parent = ${number} AND EXISTS (SELECT FROM view p
                WHERE p.kind = '{parent.kind()}' AND p.id = v.parent AND {seen})"""
            )
    return " AND ".join(conditions)


def _arguments(row: ReadRow, ids: Ids, actor: Actor) -> list[Any]:
    return [actor.id, row.message.kind(), *ids.values()]


def _id_of(view: type[View]) -> str:
    return f"{view.kind()}_id"


class NoneOf(NotFound):
    kind: Text
    whose: Text
    id: UUID
    en = "There is no {kind} of {whose} {id}"
    fr = "{kind} introuvable pour {whose} {id}"


def _missing(view: type[View], ids: Ids) -> NotFound:
    name, id = list(ids.items())[-1]
    kind = label(view.kind())
    if name == _id_of(view):
        return NoSuch(kind=kind, id=id)
    return NoneOf(kind=kind, whose=label(name.removesuffix("_id")), id=id)


def _page(rows: list[asyncpg.Record], listing: Listing) -> str:
    more = rows[listing.limit - 1] if len(rows) > listing.limit else None
    following = f'"{mark(listing, more["place"], more["id"])}"' if more else "null"
    return f'{{"items":[{",".join(row["doc"] for row in rows[: listing.limit])}],"next":{following}}}'
