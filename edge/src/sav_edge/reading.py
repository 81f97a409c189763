"""Reads: one SQL statement over the read model, within the caller's scope."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from sav_chassis.errors import NotFound
from sav_contracts.actor import MANAGERS, STAFF, Actor, Role
from sav_contracts.messages import Scope, View
from sav_contracts.surface import SURFACE, Reach, Row, Serves
from sav_edge.listing import Listing, Query, doc, mark, parse

# The ids of a path, by name: `{reclamation_id: …, photo_id: …}`.
Ids = Mapping[str, UUID]
Views = Mapping[type[View], Reach]

# The column that says whose a root is.
THEIRS = {Role.CLIENT: "client_id", Role.TECHNICIAN: "technician_id"}
WORK = "('reclamation', 'intervention')"
# Whom or what a réclamation or a visit names: who may read those, reads this too.
NAMED = {
    (Role.CLIENT, "technician"): "technician_id",
    (Role.TECHNICIAN, "client"): "client_id",
    (Role.TECHNICIAN, "product"): "product_id",
}


class Found(NamedTuple):
    """A record in the form that its reader gets, and which version of which record that is."""

    doc: str
    id: UUID
    version: int


def views_of(role: Role, serves: tuple[Serves, ...] = (Serves.PAGE, Serves.ONE)) -> Views:
    """The views that a role reads, in lists or one by one unless told otherwise, and how far."""
    return {
        row.message: row.reach[role]  # type: ignore[misc]
        for row in SURFACE
        if row.serves in serves and role in row.reach
    }


VIEWS = {role: views_of(role) for role in Role}
KINDS = {view.kind(): view for views in VIEWS.values() for view in views}


def visible(actor: Actor, reach: Reach | None, view: type[View], me: str, v: str = "v") -> str:
    """The SQL condition under which `actor` (whose id is the parameter `me`) sees a row `v` of this view."""
    if reach is None:
        return "false"
    if reach is Reach.LIMITED:
        theirs = " AND ".join(
            f"{v}.doc ->> '{name}' IN {_list(values)}" for name, values in view.limits.items()
        )
    else:
        theirs = "true" if reach is Reach.ALL else _in_scope(actor, view, me, v)
    return f"{v}.{doc(actor)} IS NOT NULL AND {theirs}"


def _list(words: Sequence[str]) -> str:
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


def _in_scope(actor: Actor, view: type[View], me: str, v: str) -> str:
    match view.scope:
        case Scope.PERSON:
            return f"{v}.user_id = {me}"
        case Scope.ROOT:
            return "true" if actor.role in MANAGERS else _root(actor, view, me, v)
        case Scope.CHILD:
            roots = {view: reach for view, reach in VIEWS[actor.role].items() if view.scope is Scope.ROOT}
            kinds = ", ".join(f"'{view.kind()}'" for view in roots)
            # The kinds stand there once more for the primary key, which begins with them.
            return f"""EXISTS (SELECT FROM view root WHERE root.kind IN ({kinds}) AND root.id = {v}.parent
                AND {visible_of(actor, roots, me, "root")})"""
        case Scope.STAFF:
            return "true" if actor.role in STAFF else "false"
        case Scope.PUBLIC:
            return "true"


def _root(actor: Actor, view: type[View], me: str, v: str) -> str:
    """A client's own; a technician's own; and what theirs name: for a technician, while work on it goes on."""
    if actor.role not in THEIRS:
        return "false"
    theirs, named = THEIRS[actor.role], NAMED.get((actor.role, view.kind()))
    if named is None:
        return f"{v}.{theirs} = {me}"
    return f"""{v}.id IN (SELECT x.{named} FROM view x
        WHERE x.kind IN {WORK} AND x.{theirs} = {me} {still(actor.role, "x")})"""


def still(role: Role, work: str) -> str:
    """What `work` must also be for those in this role to see what it names."""
    return f"AND {work}.open" if role is Role.TECHNICIAN else ""


def visible_of(actor: Actor, views: Views, me: str, v: str) -> str:
    """The same for a row `v` of any of these views."""
    kinds: dict[str, list[str]] = {}
    for view, reach in views.items():
        kinds.setdefault(visible(actor, reach, view, me, v), []).append(f"'{view.kind()}'")
    either = [f"{v}.kind IN ({', '.join(names)}) AND {condition}" for condition, names in kinds.items()]
    return f"({' OR '.join(either) or 'false'})"


def typed(me: str) -> str:
    """True; PostgreSQL wants to be told the type of a parameter that no condition needs."""
    return f"{me}::uuid IS NOT NULL"


class ReadModel:
    """Answers wire JSON, as it is stored."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def one(self, row: Row, ids: Ids, actor: Actor) -> Found:
        """The record that the ids of the path name; where they name what it hangs on, the newest that does.

        `NotFound` where there is none that the actor may see, or hangs on none that the actor may see.
        """
        statement = _newest(row, actor.role, tuple(ids))
        found = await self._pool.fetchrow(statement, *_arguments(row, ids, actor))
        if found is None:
            raise _missing(_view(row), ids)
        return Found(*found)

    async def page(self, row: Row, ids: Ids, query: Query, actor: Actor) -> str:
        """A page of the records that the actor may see, of those that hang on what the ids of the path name.

        `Invalid` names every wrong parameter; `NotFound` where the actor may not see what the path names.
        """
        listing = parse(row, _view(row), query, actor)
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
            f"""SELECT v.{doc(actor)} AS doc, {key} AS place, v.id FROM view v WHERE {where}
            ORDER BY {key} {listing.direction}, v.id {listing.direction} LIMIT {listing.limit + 1}""",
            *arguments,
        )
        return _page(rows, listing)

    async def timeline(self, row: Row, ids: Ids, query: Query, actor: Actor) -> str:
        """What happened to a root, oldest first, and to what hangs on it as far as the actor may see that."""
        await self.one(row, ids, actor)
        view = _view(row)
        listing = parse(row, view, query, actor)
        arguments: list[Any] = [ids[_id_of(view)], actor.id]
        later = ""
        if listing.after:
            arguments += listing.after
            later = "AND (t.at, t.event_id) > ($3, $4)"
        told = {
            view: reach
            for view, reach in VIEWS[actor.role].items()
            if view.scope in (Scope.ROOT, Scope.CHILD, Scope.STAFF)
        }
        rows = await self._pool.fetch(
            f"""SELECT t.{doc(actor)} AS doc, t.at AS place, t.event_id AS id
            FROM timeline t JOIN view v ON v.kind = t.kind AND v.id = t.subject
            WHERE t.root = $1 AND t.{doc(actor)} IS NOT NULL AND {visible_of(actor, told, "$2", "v")}
                AND {typed("$2")} {later}
            ORDER BY t.at, t.event_id LIMIT {listing.limit + 1}""",
            *arguments,
        )
        return _page(rows, listing)

    async def _check_parents(self, ids: Ids, actor: Actor) -> None:
        for name, id in ids.items():
            view = KINDS[name.removesuffix("_id")]
            seen = visible(actor, VIEWS[actor.role].get(view), view, "$3")
            found = (
                f"SELECT true FROM view v WHERE v.kind = $1 AND v.id = $2 AND {seen} AND $3::uuid IS NOT NULL"
            )
            if not await self._pool.fetchval(found, view.kind(), id, actor.id):
                raise _missing(view, {name: id})


@cache
def _newest(row: Row, role: Role, names: tuple[str, ...]) -> str:
    """The statement of `one`; its text is the same for everybody of a role."""
    return f"""SELECT v.{doc(Actor(role=role))}, v.id, v.version FROM view v WHERE {_conditions(row, role, names)}
        ORDER BY v.created_at DESC, v.id DESC LIMIT 1"""


@cache
def _conditions(row: Row, role: Role, names: tuple[str, ...]) -> str:
    """Under which a row `v` is what a row of the surface and the path's ids name; its parameters are `_arguments`."""
    actor, view = Actor(role=role), _view(row)
    conditions = ["v.kind = $2", typed("$1"), visible(actor, row.reach.get(role), view, "$1")]
    for number, name in enumerate(names, 3):
        if name == _id_of(view):
            conditions.append(f"v.id = ${number}")
        else:
            parent = KINDS[name.removesuffix("_id")]
            seen = visible(actor, VIEWS[role].get(parent), parent, "$1", "p")
            conditions.append(
                f"""v.parent = ${number} AND EXISTS (SELECT FROM view p
                WHERE p.kind = '{parent.kind()}' AND p.id = v.parent AND {seen})"""
            )
    return " AND ".join(conditions)


def _arguments(row: Row, ids: Ids, actor: Actor) -> list[Any]:
    return [actor.id, _view(row).kind(), *ids.values()]


def _view(row: Row) -> type[View]:
    return row.message  # type: ignore[return-value]


def _id_of(view: type[View]) -> str:
    return f"{view.kind()}_id"


def _missing(view: type[View], ids: Ids) -> NotFound:
    name, id = list(ids.items())[-1]
    kind = view.kind().replace("_", " ")
    if name == _id_of(view):
        return NotFound(f"there is no {kind} {id}")
    return NotFound(f"there is no {kind} of {name.removesuffix('_id')} {id}")


def _page(rows: list[asyncpg.Record], listing: Listing) -> str:
    more = rows[listing.limit - 1] if len(rows) > listing.limit else None
    following = f'"{mark(listing, more["place"], more["id"])}"' if more else "null"
    return f'{{"items":[{",".join(row["doc"] for row in rows[: listing.limit])}],"next":{following}}}'
