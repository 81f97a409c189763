"""The names by which people call records: reference or number, from the edge's read model."""

from collections.abc import Iterable
from uuid import UUID

import asyncpg

from sav_chassis.settings import Settings
from sav_contracts.message_types import VIEWS
from sav_ops import rooms

# In order of preference.
NAMED_BY = ("reference", "number")
KINDS = [kind for kind, view in VIEWS.items() if set(NAMED_BY) & view.model_fields.keys()]
NAMES = """SELECT id, coalesce(doc ->> 'reference', doc ->> 'number') AS name FROM view
    WHERE kind = ANY($1) AND id = ANY($2)"""
IDS = "SELECT id FROM view WHERE kind = ANY($1) AND upper($2) IN (upper(doc ->> 'reference'), upper(doc ->> 'number'))"


async def names(settings: Settings, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the name of each of these records that has one; none if the edge's database cannot be read."""
    return {row["id"]: row["name"] for row in await pages(settings, NAMES, list(ids)) if row["name"]}


async def called(settings: Settings, name: str) -> list[UUID]:
    """Return the ids of the records with this name."""
    return [row["id"] for row in await pages(settings, IDS, name)]


async def pages(settings: Settings, statement: str, wanted: object) -> list[asyncpg.Record]:
    try:
        connection = await asyncpg.connect(settings.database(rooms.EDGE), timeout=5)
    except (OSError, asyncpg.InvalidCatalogNameError):
        return []
    try:
        return await connection.fetch(statement, KINDS, wanted)
    except asyncpg.UndefinedTableError:
        return []
    finally:
        await connection.close()
