"""A read model that was wiped says so: nobody reads an empty list, or half of one, while it is filled."""

from uuid import uuid4

import asyncpg
import pytest
from given_lists import chosen
from given_views import a, show
from world import lea, marie

from sav_chassis.errors import NotFound
from sav_contracts.claims.photo import PhotoView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.surface import SURFACE, ListRow, RecordRow, TimelineRow
from sav_edge.completeness import NotFilledYet, mark_complete
from sav_edge.read_model import ReadModel

[RECORD] = [row for row in SURFACE if isinstance(row, RecordRow) and row.message is ReclamationView]
[TIMELINE] = [row for row in SURFACE if isinstance(row, TimelineRow) and row.message is ReclamationView]
[PHOTOS] = [row for row in SURFACE if isinstance(row, ListRow) and row.message is PhotoView]


@pytest.mark.parametrize("wiped", ["TRUNCATE view", "DELETE FROM view"])
async def test_nothing_is_read_from_what_was_wiped(pool: asyncpg.Pool, read: ReadModel, wiped: str) -> None:
    await show(pool, [a(ReclamationView)])
    await pool.execute(wiped)
    # Half of it has come again.
    claim = a(ReclamationView)
    await show(pool, [claim])
    ids = {"reclamation_id": claim.id}
    for who in (lea, marie):
        with pytest.raises(NotFilledYet):
            await chosen(read, "/reclamations", who)
        with pytest.raises(NotFilledYet):
            await chosen(read, "/reclamations", who, q="fuite", status="assigned")
        with pytest.raises(NotFilledYet):
            await read.one(RECORD, ids, who)
        with pytest.raises(NotFilledYet):
            await read.timeline(TIMELINE, ids, {}, who)
        with pytest.raises(NotFilledYet):
            await read.page(PHOTOS, ids, {}, who)
    await mark_complete(pool)
    assert await chosen(read, "/reclamations", lea) == [claim.id]


async def test_what_is_not_there_is_not_found_where_everything_is(read: ReadModel) -> None:
    assert await chosen(read, "/reclamations", lea) == []
    with pytest.raises(NotFound):
        await read.one(RECORD, {"reclamation_id": uuid4()}, lea)
