"""Reads: one SQL statement over the read model, within the caller's scope."""

import re
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from math import inf
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
from sav_contracts.visibility import ALL, NOTHING, Rule
from sav_edge.completeness import IS_COMPLETE, NotFilledYet
from sav_edge.corrections import corrections
from sav_edge.folding import Word, words
from sav_edge.list_query import Listing, QueryParameters, limit_of, mark, parse
from sav_edge.list_statement import Chosen, ListStatement
from sav_edge.listed import LISTED, OTHERS, filter_query, search_query

# Other records that are looked up before the list is read: where a word finds more, they are no help to an index.
MOST_OTHERS = 5000
# Records of a filtered list that are looked through in order, before all that match are looked for by an index.
AMONG = 5000
# The same of a search: first, and where many are expected or near. `FEW` matches are looked for by the index at once.
FIRST, MANY, FEW = 500, 20_000, 4000
# Records that only a search with digits looks into: a unit's article and address stand in whatever names it, too.
BY_NUMBER = {"product_id"}
# A word that occurs in so many times more records than another one is no help to an index.
RARER = 20

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
        nowhere = set(listing.searched).difference(words(corrected[0])) if corrected else ()
        rows = await self._listed(row, ids, listing, actor, nowhere)
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
        listing.sort_by(row.message, order)
        listing.descending, listing.limit = False, size
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
        """What to search for instead, where a word occurs in no record that the list would show the actor."""
        if not listing.searched:
            return []
        others = {view: view.visible.to(actor.role) for view in _others(row, spelled=True).values()}
        return await corrections(
            self._pool, others | {row.message: row.rule(actor.role)}, listing.searched, actor
        )

    async def _listed(
        self, row: ListRow, ids: Ids, listing: Listing, actor: Actor, nowhere: Collection[Word] = ()
    ) -> Sequence[asyncpg.Record]:
        """The records of a page, and one more where there is another page. The words that are `nowhere` are rare."""
        if listing.numbered:
            only = replace(listing, searched=[listing.numbered], numbered=None)
            if rows := await self._searched(row, ids, only, actor, ()):
                return rows
        if listing.searched:
            return await self._searched(row, ids, listing, actor, nowhere)
        statement = _statement(row, ids, listing, actor)
        if not statement.chosen:
            return await self._rows(statement, statement.all())
        rows = await self._rows(statement, statement.among(AMONG))
        if len(rows) <= listing.limit:
            rows = await self._rows(statement, statement.of_all(statement.chosen))
        return rows

    async def _searched(
        self, row: ListRow, ids: Ids, listing: Listing, actor: Actor, nowhere: Collection[Word]
    ) -> Sequence[asyncpg.Record]:
        statement = _statement(row, ids, listing, actor)
        expected = [await self._expected(statement, one) for one in statement.chosen] + [
            0 if word in nowhere else await self._expected(statement, statement.occurs(word))
            for word in listing.searched
        ]
        rarest = min(expected)
        bound = MANY if rarest > FEW else RARER * rarest
        statement, others = await self._named(row, ids, listing, actor, expected, bound)
        expected = [number + other for number, other in zip(expected, others, strict=True)]
        rarest = min(expected)
        if rarest > FEW:
            looked = FIRST if rarest <= MANY else 2 * FIRST
            rows = await self._rows(statement, statement.among(looked))
            if len(rows) > listing.limit:
                return rows
            if any(bound < number <= RARER * rarest for number in expected):
                statement, _ = await self._named(row, ids, listing, actor, expected, RARER * rarest)
            # Near, if there are many of each, or if twice as many as until now would fill a page.
            if rarest > MANY or len(rows) * 2 * MANY > listing.limit * looked:
                rows = await self._rows(statement, statement.among(MANY))
                if len(rows) > listing.limit:
                    return rows
        few = [
            one for one, number in zip(statement.chosen, expected, strict=True) if number <= RARER * rarest
        ]
        return await self._rows(statement, statement.of_all(few))

    async def _rows(self, statement: ListStatement, way: str) -> Sequence[asyncpg.Record]:
        rows: Sequence[asyncpg.Record] = await self._pool.fetch(way, *statement.arguments)
        return rows

    async def _expected(self, statement: ListStatement, one: Chosen) -> float:
        """How many matches the planner expects."""
        if not one.indexed:
            return inf
        estimate, arguments = statement.estimate(one)
        plan = await self._pool.fetchval(estimate, *arguments)
        return int(re.findall(r"rows=(\d+)", plan)[0])

    async def _named(
        self,
        row: ListRow,
        ids: Ids,
        listing: Listing,
        actor: Actor,
        expected: Sequence[float],
        bound: float,
    ) -> tuple[ListStatement, list[int]]:
        """The statement, in which a word also counts that occurs in a record which the actor sees and which the listed
        one names; and how many of those others each condition has. For a word that is `expected` in more records than
        `bound` they are not looked up before: most pages are full before many are needed."""
        statement = _statement(row, ids, listing, actor)
        numbers = [0] * len(statement.chosen)
        spelled = not any(part for word in listing.searched for part in word.parts if not part.isalpha())
        for word in listing.searched:
            occurs, named, number = statement.occurs(word), [], 0
            for field, view in _others(row, spelled).items():
                seen = f"o.kind = '{view.kind()}' AND {visible(actor.role, view.visible.to(actor.role), '$1', 'o')}"
                others: list[UUID] | None = None
                if not bound < expected[len(numbers)] < inf:
                    others = await self._others(seen, word, actor)
                    number += len(others)
                if others is None or len(others) > MOST_OTHERS:
                    named.append(statement.names_one_with(field, seen, word))
                elif others:
                    named.append(statement.names_one_of(field, others))
            statement.chosen.append(occurs.named(named))
            numbers.append(number)
        return statement, numbers

    async def _others(self, seen: str, word: Word, actor: Actor) -> list[UUID]:
        """The ids of records `o` that are `seen` and in which a word occurs."""
        # OFFSET 0, or the planner would go through all records where it takes the word for a frequent one.
        found = await self._pool.fetch(
            f"""SELECT id FROM (SELECT o.id FROM view o
                WHERE {seen} AND o.found @@ $2::text::tsquery AND (o.found @@ $3::text::tsquery) IS TRUE
                    AND {typed("$1")} OFFSET 0) o LIMIT {MOST_OTHERS + 1}""",
            actor.id,
            # By its longest part: all serial numbers may begin with the same few letters.
            search_query(word, actor.role, longer_than=max(map(len, word.parts)) - 1),
            search_query(word, actor.role),
        )
        return [one[0] for one in found]

    async def timeline(self, row: TimelineRow, ids: Ids, asked: QueryParameters, actor: Actor) -> str:
        """What happened to a root and to the records that belong to it, oldest first, if the actor may see it."""
        await self.one(row, ids, actor)
        listing = parse(row, asked, actor)
        root = ids[_id_of(row.message)]
        arguments: list[Any] = [root, actor.id]
        later, here = "", "t.root = $1"
        if listing.after:
            arguments += listing.after
            later = "AND (t.at, t.event_id) > ($3, $4)"
        for kind, by in row.through.items():
            if naming := await self._naming(by, _id_of(row.message), root):
                arguments.append(naming)
                here += f" OR t.root = ANY(${len(arguments)}::uuid[]) AND t.kind = '{kind}'"
        views = {view: rule for view, rule in VIEWS[actor.role].items() if view.in_timelines()}
        rows = await self._pool.fetch(
            f"""SELECT t.{doc(actor.role)} AS doc, t.at AS place, t.event_id AS id
            FROM timeline t JOIN view v ON v.kind = t.kind AND v.id = t.subject
            WHERE ({here}) AND t.{doc(actor.role)} IS NOT NULL AND {visible_of(actor.role, views, "$2", "v")}
                AND {typed("$2")} {later}
            ORDER BY t.at, t.event_id LIMIT {listing.limit + 1}""",
            *arguments,
        )
        return _page(rows, listing)

    async def _naming(self, kind: str, field: str, id: UUID) -> list[UUID]:
        """The ids of the records of this kind that name another one; their lists are filtered by that field."""
        rows = await self._pool.fetch(
            f"SELECT id FROM view WHERE kind = '{kind}' AND found @@ $1::text::tsquery",
            filter_query(field, [id], Role.SYSTEM),
        )
        return [row[0] for row in rows]

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
    is_filter = isinstance(row, ListRow) and limit_of(row, role)
    # The kind as a literal: the indexes of lists are on one kind each.
    conditions = [
        IS_COMPLETE,
        f"v.kind = '{row.message.kind()}'",
        typed("$1"),
        visible(role, ALL if is_filter else row.rule(role), "$1"),
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


def _statement(row: ListRow, ids: Ids, listing: Listing, actor: Actor) -> ListStatement:
    where = _conditions(row, actor.role, tuple(ids))
    return ListStatement(actor.role, row.message.kind(), where, _arguments(ids, actor), listing)


def _others(row: ListRow, spelled: bool) -> dict[str, type[View]]:
    """The views that a search of this list looks into too, by the field that names their records, for a search that
    is `spelled` in letters, or that has digits."""
    listed = LISTED.get(row.message)
    return (
        {name: OTHERS[name] for name in listed.others if not (spelled and name in BY_NUMBER)}
        if listed
        else {}
    )


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
