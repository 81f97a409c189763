"""Reads: one SQL statement over the read model, within the caller's scope."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from sav_chassis.errors import NoSuch, NotFound
from sav_chassis.visibility import doc, visible
from sav_contracts.actor import MANAGERS, Actor, Role
from sav_contracts.labels import label
from sav_contracts.messages import View
from sav_contracts.sentences import Text
from sav_contracts.surface import SURFACE, ListRow, ReadRow, TimelineRow
from sav_contracts.visibility import NOTHING, Rule
from sav_edge.completeness import IS_COMPLETE, NotFilledYet
from sav_edge.corrections import corrections
from sav_edge.folding import Word, words
from sav_edge.list_query import Listing, QueryParameters, mark, parse
from sav_edge.list_statement import ListStatement
from sav_edge.listed import LISTED, OTHERS, search_query, sorted_as

# Other records that are looked up before the list is read: where a word finds more, they are no help to an index.
MOST_OTHERS = 5000

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
        found = await self._pool.fetchrow(statement, *_arguments(ids, actor))
        if found is None:
            await self._check_complete()
            raise _missing(row.message, ids)
        return FoundRecord(*found)

    async def page(self, row: ListRow, ids: Ids, asked: QueryParameters, actor: Actor) -> str:
        """A page of the records that the actor may see; where the path names a parent, of its children only.

        `Invalid` names every wrong parameter; `NotFound` where the actor may not see the parent.
        """
        listing = parse(row, asked, actor)
        if ids:
            await self._check_parents(ids, actor)
        # Whether a word occurs nowhere is soon known of all records; of some it takes longer than the search.
        first = actor.role in MANAGERS
        corrected = await self._corrections(row, listing, actor) if first else []
        rows = await self._listed(row, ids, listing, actor, rare=bool(corrected))
        if not rows and not first:
            corrected = await self._corrections(row, listing, actor)
        for text in () if rows else corrected:
            nearer = replace(listing, searched=list(words(text)))
            if rows := await self._listed(row, ids, nearer, actor):
                return _page(rows, listing, text)
        if not rows:
            await self._check_complete()
        return _page(rows, listing)

    async def pages(
        self, row: ListRow, asked: QueryParameters, actor: Actor, order: str, size: int
    ) -> AsyncIterator[Sequence[str]]:
        """All records of a list that the actor may see, page by page, each as it is when its page is read.

        By a field that never changes, so that none is left out or there twice. No transaction is open in between.
        """
        listing = parse(row, asked, actor)
        listing.order, listing.descending, listing.limit = order, False, size
        _, listing.sorted_as = sorted_as(row.message, order)
        rows = await self._listed(row, {}, listing, actor)
        if not rows:
            await self._check_complete()
        while True:
            yield [found["doc"] for found in rows[:size]]
            if len(rows) <= size:
                return
            listing.after = rows[size - 1]["place"], rows[size - 1]["id"]
            rows = await self._listed(row, {}, listing, actor)

    async def field_of(self, view: type[View], name: str, ids: Iterable[str]) -> dict[str, str]:
        """A field of records that somebody sees, by id."""
        statement = "SELECT id::text, doc ->> $2 FROM view WHERE kind = $1 AND id = ANY($3::uuid[])"
        return dict(tuple(found) for found in await self._pool.fetch(statement, view.kind(), name, list(ids)))

    async def _corrections(self, row: ListRow, listing: Listing, actor: Actor) -> list[str]:
        """What to search for instead, where a word occurs in no record that the actor sees."""
        if not listing.searched:
            return []
        return await corrections(self._pool, (row.message, *_others(row).values()), listing.searched, actor)

    async def _listed(
        self, row: ListRow, ids: Ids, listing: Listing, actor: Actor, rare: bool = False
    ) -> Sequence[asyncpg.Record]:
        """The records of a page, and one more where there is another page."""
        statement = ListStatement(
            actor.role,
            row.message.kind(),
            _conditions(row, actor.role, tuple(ids)),
            _arguments(ids, actor),
            listing,
        )
        for word in listing.searched:
            named = [await self._named(statement, word, *other, actor) for other in _others(row).items()]
            statement.search(word, [condition for condition in named if condition])
        rows: Sequence[asyncpg.Record] = []
        for way in statement.ways(rare):
            rows = await self._pool.fetch(way, *statement.arguments)
            if len(rows) > listing.limit:
                break
        return rows

    async def _named(
        self, statement: ListStatement, word: Word, field: str, view: type[View], actor: Actor
    ) -> str | None:
        """The condition that the record names another one in which the word occurs and which the actor sees."""
        seen = f"o.kind = '{view.kind()}' AND {visible(actor.role, view.visible.to(actor.role), '$1', 'o')}"
        found = await self._pool.fetch(
            f"""SELECT o.id FROM view o WHERE {seen} AND o.found @@ $2::text::tsquery AND {typed("$1")}
            LIMIT {MOST_OTHERS + 1}""",
            actor.id,
            search_query(word, actor.role),
        )
        if len(found) > MOST_OTHERS:
            return statement.names_one_with(field, seen, word)
        return statement.names_one_of(field, [row[0] for row in found]) if found else None

    async def timeline(self, row: TimelineRow, ids: Ids, asked: QueryParameters, actor: Actor) -> str:
        """What happened to a root and to the records that belong to it, oldest first, if the actor may see it."""
        await self.one(row, ids, actor)
        listing = parse(row, asked, actor)
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
            found = f"SELECT true FROM view v WHERE {IS_COMPLETE} AND v.kind = $1 AND v.id = $2 AND {seen} AND $3::uuid IS NOT NULL"
            if not await self._pool.fetchval(found, view.kind(), id, actor.id):
                await self._check_complete()
                raise _missing(view, {name: id})

    async def is_complete(self) -> bool:
        """Whether it holds everything; else no statement finds anything."""
        return bool(await self._pool.fetchval(f"SELECT {IS_COMPLETE}"))

    async def _check_complete(self) -> None:
        """Called where nothing was found."""
        if not await self.is_complete():
            raise NotFilledYet


@cache
def _newest(row: ReadRow, role: Role, names: tuple[str, ...]) -> str:
    """The SQL statement of `one`, which is the same for everybody in a role."""
    return f"""SELECT v.{doc(role)}, v.id, v.version FROM view v WHERE {_conditions(row, role, names)}
        ORDER BY v.created_at DESC, v.id DESC LIMIT 1"""


@cache
def _conditions(row: ReadRow, role: Role, names: tuple[str, ...]) -> str:
    """The SQL condition for the rows `v` that a surface row and the path's ids name; `_arguments` are its values."""
    # The kind as a literal: the indexes of lists are on one kind each.
    conditions = [
        IS_COMPLETE,
        f"v.kind = '{row.message.kind()}'",
        typed("$1"),
        visible(role, row.rule(role), "$1"),
    ]
    for number, name in enumerate(names, 2):
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


def _arguments(ids: Ids, actor: Actor) -> list[Any]:
    return [actor.id, *ids.values()]


def _others(row: ListRow) -> dict[str, type[View]]:
    """The views that a search of this list looks into too, by the field that names their records."""
    listed = LISTED.get(row.message)
    return {name: OTHERS[name] for name in listed.others} if listed else {}


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


def _page(rows: Sequence[asyncpg.Record], listing: Listing, corrected: str | None = None) -> str:
    more = rows[listing.limit - 1] if len(rows) > listing.limit else None
    following = f'"{mark(listing, more["place"], more["id"])}"' if more else "null"
    said = f',"results_for":"{corrected}"' if corrected else ""
    return f'{{"items":[{",".join(row["doc"] for row in rows[: listing.limit])}],"next":{following}{said}}}'
