"""The SQL of one page of a list: through an index, whatever is chosen and however it is sorted.

A choice that matches many records finds enough of them among the next in order. One that matches few finds them all by
its index, and sorts them. Which of the two it is, nobody knows before: the first way ends after `AMONG`, then the
second one begins.
"""

from collections.abc import Sequence
from typing import Any

from sav_chassis.visibility import doc
from sav_contracts.actor import Role
from sav_edge.folding import Word
from sav_edge.list_query import Listing
from sav_edge.listed import search_query

# Records that are looked through in order before all that match are looked for.
AMONG = 5000
# Up to this length the beginning of a word is that of too many words for the index.
SHORT = 3


class ListStatement:
    """The statement of one page; `where` says which records the caller may list, with these arguments."""

    def __init__(self, role: Role, kind: str, where: str, arguments: list[Any], listing: Listing) -> None:
        self.arguments = arguments
        self._role = role
        self._doc = doc(role)
        self._kind = kind
        self._listing = listing
        self._where = where
        # Each condition, and what an index is asked in its place: the same, or what finds more, or nothing.
        self._chosen: list[tuple[str, str]] = []
        # The parameters that only the index is asked with.
        self._rough: list[str] = []
        for condition, value in listing.where:
            condition = condition.replace("$", self._parameter(value))
            if condition.startswith(f"{listing.key} "):
                # The sort's own index begins and ends there.
                self._where += f" AND {condition}"
            else:
                self._chosen.append((condition, condition))
        if listing.filters:
            condition = self._found(" & ".join(listing.filters))
            self._chosen.append((condition, condition))
        if listing.after:
            value, id = map(self._parameter, listing.after)
            self._where += f" AND ({listing.key}, v.id) {listing.beyond} ({value}, {id})"

    def search(self, word: Word, others: Sequence[str] = ()) -> None:
        """Adds the condition that a word occurs in the record, or that it names one of the `others` (SQL)."""
        text, rough = (search_query(word, self._role, longer_than) for longer_than in (0, SHORT))
        condition = self._either(self._found(text), others)
        if all(len(part) <= SHORT for part in word.parts):
            self._chosen.append((condition, ""))
        else:
            indexed = condition
            if rough != text:
                indexed = self._either(self._found(rough), others)
                self._rough.append(f"${len(self.arguments)}")
            self._chosen.append((condition, indexed))

    def _either(self, found: str, others: Sequence[str]) -> str:
        return f"({' OR '.join([found, *others])})"

    def names_one_of(self, field: str, ids: Sequence[Any]) -> str:
        """The condition that a field of the record holds one of these ids."""
        return f"v.{field} = ANY({self._parameter(ids)}::uuid[])"

    def names_one_with(self, field: str, seen: str, word: Word) -> str:
        """The condition that a field holds the id of a record `o` that is `seen` and in which the word occurs."""
        found = self._found(search_query(word, self._role), "o")
        return f"EXISTS (SELECT FROM view o WHERE {seen} AND o.id = v.{field} AND {found})"

    def ways(self, rare: bool) -> list[str]:
        """The statements to try, until one returns a full page; the last one's rows are all there are.

        `rare`: it is known that few records match.
        """
        if not self._chosen:
            return [self._in_order("view")]
        conditions = [condition for condition, _ in self._chosen]
        indexed = [index for _, index in self._chosen if index]
        # `IS TRUE` keeps the index out of what it would be slow at.
        rest = [f"{condition} IS TRUE" for condition, index in self._chosen if index != condition]
        # PostgreSQL must know the type of each parameter, of those too that only the other statement uses.
        known = [f"{parameter}::text IS NOT NULL" for parameter in self._rough]
        among_the_next = self._in_order(self._next(), conditions + known)
        of_all = self._of_all(indexed + rest if indexed else conditions)
        return [of_all] if rare else [among_the_next, of_all]

    def _next(self) -> str:
        return f"(SELECT v.* FROM view v WHERE {self._where} {self._order(AMONG)})"

    def _in_order(self, rows: str, chosen: Sequence[str] = ()) -> str:
        where = " AND ".join(chosen) or self._where
        return f"""SELECT v.{self._doc} AS doc, {self._listing.key} AS place, v.id FROM {rows} v
            WHERE {where} {self._order(self._listing.limit + 1)}"""

    def _of_all(self, chosen: Sequence[str]) -> str:
        # Materialized, or the planner would rather go through all records in order.
        return f"""
            WITH matching AS MATERIALIZED (
                SELECT v.id, {self._listing.key} AS place FROM view v WHERE {self._where} AND {" AND ".join(chosen)}),
            first AS MATERIALIZED (
                SELECT * FROM matching v {self._order(self._listing.limit + 1, "v.place")})
            SELECT v.{self._doc} AS doc, first.place, first.id
            FROM first JOIN view v ON v.kind = '{self._kind}' AND v.id = first.id
            {self._order(None, "first.place", "first.id")}"""

    def _order(self, limit: int | None, key: str = "", id: str = "v.id") -> str:
        direction = self._listing.direction
        bound = f" LIMIT {limit}" if limit else ""
        return f"ORDER BY {key or self._listing.key} {direction}, {id} {direction}{bound}"

    def _found(self, text: str, v: str = "v") -> str:
        return f"{v}.found @@ {self._parameter(text)}::text::tsquery"

    def _parameter(self, value: Any) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}"
