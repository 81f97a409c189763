"""What tests of lists start from: réclamations at chosen times, and pages asked of the read model itself."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from given_views import a, show
from pydantic_core import from_json
from system import System
from uuid_utils.compat import uuid7

from sav_chassis.errors import Invalid
from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.surface import SURFACE, ListRow
from sav_edge.read_model import ReadModel

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LISTS = {row.path: row for row in SURFACE if isinstance(row, ListRow)}


async def page(read: ReadModel, path: str, who: Actor, **query: Any) -> Any:
    asked = {name: value if isinstance(value, list) else [value] for name, value in query.items()}
    return from_json(await read.page(LISTS[path], {}, asked, who))


async def chosen(read: ReadModel, path: str, who: Actor, **query: Any) -> list[UUID]:
    return [UUID(item["id"]) for item in (await page(read, path, who, **query))["items"]]


async def through(read: ReadModel, path: str, who: Actor, **query: Any) -> list[UUID]:
    """The ids of every page."""
    seen: list[UUID] = []
    while True:
        told = await page(read, path, who, **query)
        seen += [UUID(item["id"]) for item in told["items"]]
        if told["next"] is None:
            return seen
        query["after"] = told["next"]


async def named_wrong(read: ReadModel, path: str, who: Actor, **query: Any) -> set[str]:
    with pytest.raises(Invalid) as raised:
        await page(read, path, who, **query)
    return {error.field for error in raised.value.problem.errors or []}


def dated(client_id: UUID, created_at: datetime) -> ReclamationView:
    """A réclamation as its owner would announce it."""
    return a(ReclamationView, at=created_at, client_id=client_id, reference=f"REC-{uuid7()}")


async def put(system: System, *views: ReclamationView) -> None:
    """Shows them in the read model."""
    connection = await asyncpg.connect(system.settings.database("edge"))
    try:
        await show(connection, views)
    finally:
        await connection.close()
