"""Reads: one SQL statement over the read model, within the caller's scope."""

from typing import Any
from uuid import UUID

import asyncpg

from sav_chassis.errors import NotFound
from sav_contracts.actor import MANAGERS, Actor, Role
from sav_contracts.messages import Scope, View
from sav_contracts.surface import Row
from sav_edge.listing import Query, column, doc, mark, parse


def visible(actor: Actor, view: type[View], me: str) -> str:
    """The SQL condition under which `actor` (whose id is the parameter `me`) sees a row `v` of this view."""
    if view.scope is Scope.PERSON:
        return f"v.user_id = {me}"
    if view.scope is Scope.ROOT:
        return visible_root(actor, me)
    raise NotImplementedError(f"{view.__name__}: nothing is served with scope {view.scope} yet")


def visible_root(actor: Actor, me: str) -> str:
    """The same for a row `v` of any root."""
    if actor.role in MANAGERS:
        return f"{me}::uuid IS NOT NULL"
    if actor.role is Role.CLIENT:
        # Their own, and the card of whoever works or worked for them.
        return f"""v.doc_client IS NOT NULL AND (v.client_id = {me} OR v.kind = 'technician' AND EXISTS (
            SELECT FROM view x WHERE x.client_id = {me} AND x.technician_id = v.id AND x.doc_client IS NOT NULL))"""
    if actor.role is Role.TECHNICIAN:
        # Theirs, and the client of what they are working on.
        return f"""(v.technician_id = {me} OR v.kind = 'client' AND EXISTS (
            SELECT FROM view x WHERE x.technician_id = {me} AND x.client_id = v.id AND x.open))"""
    return "false"


class ReadModel:
    """Answers wire JSON, as it is stored."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def one(self, view: type[View], id: UUID, actor: Actor) -> str:
        """The record; `NotFound` where there is none that the actor may see."""
        found = await self._pool.fetchval(
            f"SELECT v.{doc(actor)} FROM view v WHERE v.kind = $1 AND v.id = $2 AND ({visible(actor, view, '$3')})",
            view.kind(),
            id,
            actor.id,
        )
        if found is None:
            raise NotFound(f"there is no {view.kind()} {id}")
        return str(found)

    async def page(self, row: Row, view: type[View], query: Query, actor: Actor) -> str:
        """A page of the records that the actor may see; `Invalid` names every wrong parameter."""
        listing = parse(row, view, query, actor)
        arguments: list[Any] = [view.kind(), actor.id]
        conditions = ["v.kind = $1", f"({visible(actor, view, '$2')})"]
        for condition, value in listing.where:
            arguments.append(value)
            conditions.append(condition.replace("$", f"${len(arguments)}"))
        order = column(listing.order, actor)
        if listing.after:
            arguments += listing.after
            conditions.append(f"({order}, v.id) {listing.beyond} (${len(arguments) - 1}, ${len(arguments)})")
        rows = await self._pool.fetch(
            f"""SELECT v.{doc(actor)} AS doc, {order} AS place, v.id FROM view v WHERE {" AND ".join(conditions)}
            ORDER BY {order} {listing.direction}, v.id {listing.direction} LIMIT {listing.limit + 1}""",
            *arguments,
        )
        return _page(rows, listing.limit, listing.order)

    async def timeline(self, row: Row, view: type[View], id: UUID, query: Query, actor: Actor) -> str:
        """What happened to a record, oldest first, and to what hangs on it as far as the actor may see that."""
        await self.one(view, id, actor)
        listing = parse(row, view, query, actor)
        arguments: list[Any] = [id, actor.id]
        later = ""
        if listing.after:
            arguments += listing.after
            later = "AND (t.at, t.event_id) > ($3, $4)"
        rows = await self._pool.fetch(
            f"""SELECT t.{doc(actor)} AS doc, t.at AS place, t.event_id AS id
            FROM timeline t JOIN view v ON v.kind = t.kind AND v.id = t.subject
            WHERE t.root = $1 AND t.{doc(actor)} IS NOT NULL AND ({visible_root(actor, "$2")}) {later}
            ORDER BY t.at, t.event_id LIMIT {listing.limit + 1}""",
            *arguments,
        )
        return _page(rows, listing.limit, listing.order)


def _page(rows: list[asyncpg.Record], limit: int, order: str) -> str:
    more = mark(order, rows[limit - 1]["place"], rows[limit - 1]["id"]) if len(rows) > limit else None
    following = f'"{more}"' if more else "null"
    return f'{{"items":[{",".join(row["doc"] for row in rows[:limit])}],"next":{following}}}'
