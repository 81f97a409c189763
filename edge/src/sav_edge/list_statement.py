"""The SQL of one page of a list: through an index, whatever is chosen and however it is sorted.

A choice that matches many records finds enough of them among the next in order. One that matches few finds them all by
its index, and sorts them.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from sav_chassis.visibility import doc
from sav_contracts.actor import Role
from sav_edge.folding import Word
from sav_edge.list_query import Listing
from sav_edge.listed import OVER, named_column, search_query

# Up to this length the beginning of a word is that of too many words for the index.
SHORT = 3


class Named(NamedTuple):
    """The condition that a record names one of others: for one record after the other, and for an index."""

    condition: str
    indexed: str


class Chosen(NamedTuple):
    """A condition, and what an index is asked in its place, if anything: `exact`, or it finds too much."""

    condition: str
    indexed: str
    exact: bool = True

    def named(self, others: Sequence[Named]) -> "Chosen":
        """It, or the record names one of the others."""
        condition = " OR ".join([self.condition, *(other.condition for other in others)])
        indexed = " OR ".join([self.indexed, *(other.indexed for other in others)])
        return Chosen(f"({condition})", f"({indexed})" if self.indexed else "", self.exact)


class ListStatement:
    """The statement of one page; `where` says which records the caller may list, with these arguments."""

    def __init__(self, role: Role, kind: str, where: str, arguments: list[Any], listing: Listing) -> None:
        self.arguments = arguments
        self._role = role
        self._doc = doc(role)
        self._kind = kind
        self._listing = listing
        # Those that are open are among the newest, so a list of what is over would look at all of them first.
        self._where = f"{where} AND v.{OVER}" if listing.over else where
        self.chosen: list[Chosen] = []
        for condition, value in listing.where:
            condition = condition.replace("$", self._parameter(value))
            if condition.startswith(f"{listing.key} "):
                # The sort's own index begins and ends there.
                self._where += f" AND {condition}"
            else:
                self.chosen.append(Chosen(condition, condition))
        if listing.filters:
            condition = self._found(" & ".join(listing.filters))
            self.chosen.append(Chosen(condition, condition))
        if listing.after:
            value, id = map(self._parameter, listing.after)
            self._where += f" AND ({listing.key}, v.id) {listing.beyond} ({value}, {id})"

    def occurs(self, word: Word) -> Chosen:
        """The condition that a word occurs in the record."""
        text, rough = (search_query(word, self._role, longer_than) for longer_than in (0, SHORT))
        condition = self._found(text)
        if all(len(part) <= SHORT for part in word.parts):
            return Chosen(condition, "", exact=False)
        if rough == text:
            return Chosen(condition, condition)
        # PostgreSQL must know the type of a parameter, in a statement too that does not use it.
        self._where += f" AND ${len(self.arguments) + 1}::text IS NOT NULL"
        return Chosen(condition, self._found(rough), exact=False)

    def names_one_of(self, field: str, ids: Sequence[Any]) -> Named:
        """The condition that a field of the record holds one of these ids."""
        condition = f"v.{named_column(field)} = ANY({self._parameter(ids)}::uuid[])"
        return Named(condition, condition)

    def names_one_with(self, field: str, seen: str, word: Word) -> Named:
        """The condition that a field holds the id of a record `o` that is `seen` and in which the word occurs."""
        found, column = self._found(search_query(word, self._role), "o"), f"v.{named_column(field)}"
        return Named(
            # A value, not EXISTS: the planner would gather the ids of all before it looks at the first record.
            f"(SELECT {found} FROM view o WHERE {seen} AND o.id = {column})",
            f"{column} = ANY(ARRAY(SELECT o.id FROM view o WHERE {seen} AND {found}))",
        )

    def all(self) -> str:
        """The statement where nothing is chosen."""
        return self._in_order("view", self._where)

    def among(self, number: int) -> str:
        """Looks through so many of the next records in order, or until the page is full."""
        chosen = " AND ".join(one.condition for one in self.chosen)
        # Only what is asked for: a record has many more columns.
        columns = {self._doc, "id", *re.findall(r"\bv\.(\w+)", f"{self._listing.key} {chosen}")}
        named = ", ".join(f"v.{name}" for name in sorted(columns))
        return self._in_order(
            f"(SELECT {named} FROM view v WHERE {self._where} {self._order(number)})", chosen
        )

    def estimate(self, one: Chosen) -> tuple[str, list[Any]]:
        """The statement that asks the planner how many records a condition matches, and its own arguments."""
        asked = f"EXPLAIN SELECT FROM view v WHERE {self._where} AND {one.indexed}"
        numbers = list(dict.fromkeys(re.findall(r"\$(\d+)", asked)))
        statement = re.sub(r"\$(\d+)", lambda match: f"${numbers.index(match[1]) + 1}", asked)
        return statement, [self.arguments[int(number) - 1] for number in numbers]

    def of_all(self, few: Sequence[Chosen]) -> str:
        """Finds all records by the indexes of these conditions, and looks through them in order."""
        indexed = [one for one in few or self.chosen if one.indexed]
        asked = [one.indexed for one in indexed]
        # `IS TRUE` keeps the index out of what it would be slow at.
        asked += [f"{one.condition} IS TRUE" for one in indexed if not one.exact]
        rest = [f"{one.condition} IS TRUE" for one in self.chosen if one not in indexed]
        if not indexed:
            asked, rest = [one.condition for one in self.chosen], []
        limit = self._listing.limit + 1
        # OFFSET 0, or the planner would rather go through all records in order. LIMIT 1, or it might read the whole
        # table to join it.
        matching = f"""SELECT v.id, {self._listing.key} AS place FROM view v
            WHERE {self._where} AND {" AND ".join(asked)} OFFSET 0"""
        first = f"SELECT * FROM ({matching}) v {self._order(None if rest else limit, 'v.place')}"
        return f"""SELECT record.doc, first.place, first.id FROM ({first}) first CROSS JOIN LATERAL (
                SELECT v.{self._doc} AS doc FROM view v
                WHERE {" AND ".join([f"v.kind = '{self._kind}'", "v.id = first.id", *rest])} LIMIT 1) record
            {self._order(limit, "first.place", "first.id")}"""

    def _in_order(self, rows: str, where: str) -> str:
        return f"""SELECT v.{self._doc} AS doc, {self._listing.key} AS place, v.id FROM {rows} v
            WHERE {where} {self._order(self._listing.limit + 1)}"""

    def _order(self, limit: int | None, key: str = "", id: str = "v.id") -> str:
        direction = self._listing.direction
        bound = f" LIMIT {limit}" if limit else ""
        return f"ORDER BY {key or self._listing.key} {direction}, {id} {direction}{bound}"

    def _found(self, text: str, v: str = "v") -> str:
        return f"{v}.found @@ {self._parameter(text)}::text::tsquery"

    def _parameter(self, value: Any) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}"
