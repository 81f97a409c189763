"""A service's copies of other services' records, each as of the newest event that arrived here."""

from dataclasses import dataclass, field, replace
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from pydantic_core import from_json, to_jsonable_python
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from sav_chassis.errors import NotYet
from sav_chassis.views import COLUMNS
from sav_chassis.visibility import visible
from sav_contracts.actor import Actor
from sav_contracts.messages import View
from sav_contracts.visibility import Rule

V = TypeVar("V", bound=View)

# The fields that have a column of their own; the others are in `doc`.
TYPED = frozenset(name for name, _ in COLUMNS) - {"kind", "doc", "doc_client"}


@dataclass(frozen=True)
class Copies(Generic[V]):
    """The copies of one view, narrowed by conditions."""

    session: AsyncSession | AsyncConnection
    view: type[V]
    conditions: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)

    def where(self, **wanted: Any) -> Self:
        """Those with these values; a list means any of its values. `open` and `parent` can be used like fields."""
        narrowed = self
        for name, value in wanted.items():
            if value is None or name not in self.view.model_fields.keys() | {"open", "parent"}:
                raise TypeError(f"nobody can be asked for a {self.view.kind()} with {name}={value!r}")
            held = f"v.{name}" if name in TYPED else f"v.doc ->> '{name}'"
            one_of = f"ANY(:{name})" if isinstance(value, list) else f":{name}"
            given = {name: value if name in TYPED else _as_text(value)}
            narrowed = narrowed._narrowed(f"{held} = {one_of}", given)
        return narrowed

    def seen_by(self, by: Actor, rule: Rule) -> Self:
        """Those that the rule shows to this actor."""
        seen = visible(by.role, rule, ":me")
        return self._narrowed(seen, {"me": by.id} if ":me" in seen else {})

    async def one(self, id: UUID) -> V | None:
        """The copy with this id, or None."""
        return next(iter(await self.where(id=id).all()), None)

    async def as_new_as(self, told: V) -> V:
        """The copy of the record that an event told; `NotYet` while it is older, so that a late event undoes nothing."""
        found = await self.one(told.id)
        if found is None or found.version < told.version:
            raise NotYet(told.kind(), told.id)
        return found

    async def newest(self) -> V | None:
        """The copy of the record that was created last, or None."""
        return next(iter(await self._found("ORDER BY v.created_at DESC, v.id DESC LIMIT 1")), None)

    async def all(self) -> list[V]:
        """All of them, ordered by id."""
        return await self._found("ORDER BY v.id")

    async def field(self, name: str) -> dict[UUID, Any]:
        """One field of each of them by id, as it is in JSON; the rest is not read."""
        rows = await self.session.execute(*self._selecting(f"v.id, (v.doc -> '{name}')::text"))
        return {row[0]: from_json(row[1]) for row in rows if row[1] is not None}

    async def number_by(self, name: str) -> dict[UUID, int]:
        """How many there are for each person or record that this field names."""
        rows = await self.session.execute(*self._selecting(f"v.{name}, count(*)", f"GROUP BY v.{name}"))
        return {row[0]: row[1] for row in rows}

    def _narrowed(self, condition: str, values: dict[str, Any]) -> Self:
        return replace(self, conditions=(*self.conditions, condition), values=self.values | values)

    async def _found(self, order: str) -> list[V]:
        docs = await self.session.scalars(*self._selecting("v.doc::text", order))
        return [self.view.model_validate_json(doc) for doc in docs]

    def _selecting(self, what: str, then: str = "") -> tuple[TextClause, dict[str, Any]]:
        """The statement and its parameters."""
        conditions = " AND ".join((f"v.kind = '{self.view.kind()}'", *self.conditions))
        return text(f"SELECT {what} FROM view v WHERE {conditions} {then}"), self.values


def _as_text(value: Any) -> Any:
    """A value as `->>` returns it."""
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(to_jsonable_python(value))
