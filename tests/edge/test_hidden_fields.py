"""By what a client may choose, sort and search: what their form of a record says, and nothing of what staff read."""

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest
import world
from given_views import a, new_read_model, show
from pydantic_core import from_json

from sav_chassis.errors import Invalid
from sav_chassis.settings import Settings
from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import ReclamationForClient, ReclamationView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.surface import SURFACE, ListRow
from sav_edge.list_query import parse
from sav_edge.listed import LISTED
from sav_edge.read_model import ReadModel

lea, marie, karim = world.lea, world.marie, world.karim
[VISITS] = [row for row in SURFACE if isinstance(row, ListRow) and row.path == "/interventions"]
[CLAIMS] = [row for row in SURFACE if isinstance(row, ListRow) and row.path == "/reclamations"]


@pytest.fixture(scope="module")
async def read(settings: Settings) -> AsyncIterator[ReadModel]:
    """One réclamation, of which the client is told other things than staff in every field that chooses."""
    apart = settings.model_copy(update={"database_prefix": "hidden"})
    await new_read_model(apart)
    async with asyncpg.create_pool(apart.database("edge"), min_size=1, max_size=2) as pool:
        claim = a(ReclamationView, technician_id=karim.id, status="assigned", article="Chaudière")
        other = {"status": "qualified", "article": "Lavabo", "technician_id": None}
        told = claim.for_client().model_copy(update=other)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ReclamationView, "for_client", lambda _: told)
            await show(pool, [claim])
        yield ReadModel(pool)


async def finds(read: ReadModel, who: Actor, **query: str) -> bool:
    page = await read.page(CLAIMS, {}, {name: [value] for name, value in query.items()}, who)
    return bool(from_json(page)["items"])


@pytest.mark.parametrize(
    ("staffs", "clients"),
    [
        ({"status": "assigned"}, {"status": "qualified"}),
        ({"q": "chaudière"}, {"q": "lavabo"}),
        ({"technician_id": str(karim.id)}, {}),
    ],
    ids=["a filter", "a search", "an id"],
)
async def test_each_chooses_by_what_they_read(
    read: ReadModel, staffs: dict[str, str], clients: dict[str, str]
) -> None:
    assert await finds(read, marie, **staffs)
    assert not await finds(read, lea, **staffs)
    assert await finds(read, lea, **clients)
    assert not clients or not await finds(read, marie, **clients)


async def test_a_client_finds_nothing_by_the_names_of_fields(pool: asyncpg.Pool, read: ReadModel) -> None:
    await show(pool, [a(ReclamationView), a(InterventionView, status="accepted")])
    for text in ("p", "priority", "status", "stat", "s"):
        assert not await finds(ReadModel(pool), lea, q=text)
        page = await ReadModel(pool).page(VISITS, {}, {"q": [text]}, lea)
        assert from_json(page)["items"] == []


# As somebody may write it one day: by what only staff read one may choose, sort and search too.
OFFERED = replace(
    CLAIMS,
    filters=("status", "priority"),
    sorts=("created_at", "reference", "priority_reason"),
    ranges=(),
    search=("article", "priority_reason"),
)


def wrong(row: ListRow, who: Actor, **query: str) -> set[str]:
    """The parameters that a list refuses."""
    try:
        parse(row, {name: [value] for name, value in query.items()}, who)
    except Invalid as refusal:
        return {error.field for error in refusal.problem.errors or []}
    return set()


@pytest.mark.parametrize("row", [CLAIMS, OFFERED], ids=["the row", "one that offers more"])
def test_a_client_chooses_and_sorts_by_nothing_that_they_do_not_read(row: ListRow) -> None:
    assert "priority" not in ReclamationForClient.model_fields
    assert (wrong(row, lea, priority="high"), wrong(row, marie, priority="high")) == ({"priority"}, set())
    for sort in ("priority_reason", "-priority_reason"):
        assert wrong(row, lea, sort=sort) == {"sort"}
        assert wrong(row, marie, sort=sort) == (set() if row is OFFERED else {"sort"})
    assert wrong(row, lea, sort="-reference", status="assigned") == set()


async def test_a_clients_search_looks_at_nothing_that_they_do_not_read(
    pool: asyncpg.Pool, read: ReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = replace(LISTED[ReclamationView], search=OFFERED.search)
    monkeypatch.setattr("sav_edge.listed.LISTED", dict(LISTED) | {ReclamationView: offered})
    await show(pool, [a(ReclamationView, article="Évier", priority_reason="urgent")])
    for who, found in ((lea, False), (marie, True)):
        assert await finds(ReadModel(pool), who, q="urgent") is found
        assert await finds(ReadModel(pool), who, q="evier")
