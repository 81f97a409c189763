"""The catalogue as people browse it: what was retired is out of it for clients, and stays where something names it."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
import world
from given_lists import chosen, named_wrong, page
from given_views import a, show
from pydantic_core import from_json

from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleStatus, ArticleView
from sav_contracts.messages import View
from sav_contracts.surface import SURFACE, FileRow, RecordRow
from sav_edge.read_model import ReadModel

lea, karim, marie, alex = world.lea, world.karim, world.marie, world.alex
ONES = [row for row in SURFACE if isinstance(row, RecordRow | FileRow) and row.message is ArticleView]


def an(status: ArticleStatus, **fields: Any) -> ArticleView:
    return a(ArticleView, status=status, reference=f"CH-{status}", **fields)


ACTIVE, ENDING, RETIRED = an("active"), an("end_of_life"), an("retired", name="Brûleur Cuenod")


@pytest.mark.parametrize("query", [{}, {"q": "chaudière"}, {"sort": "price"}, {"brand": "Fondital"}], ids=str)
async def test_a_client_is_shown_what_is_in_the_catalogue_only(
    pool: asyncpg.Pool, read: ReadModel, query: dict[str, str]
) -> None:
    retired = an("retired")
    await show(pool, [ACTIVE, ENDING, retired])
    assert set(await chosen(read, "/articles", lea, **query)) == {ACTIVE.id, ENDING.id}
    for who in (karim, marie, alex):
        assert set(await chosen(read, "/articles", who, **query)) == {ACTIVE.id, ENDING.id, retired.id}


@pytest.mark.parametrize(
    "query",
    [{"status": "retired"}, {"reference": "CH-retired"}, {"q": "cuenod"}, {"id": str(RETIRED.id)}],
    ids=str,
)
async def test_a_client_finds_nothing_that_is_retired_and_staff_do(
    pool: asyncpg.Pool, read: ReadModel, query: dict[str, str]
) -> None:
    await show(pool, [ACTIVE, RETIRED])
    assert await chosen(read, "/articles", lea, **query) == []
    for who in (karim, marie, alex):
        assert await chosen(read, "/articles", who, **query) == [RETIRED.id]


async def test_who_has_the_address_of_a_retired_article_reads_it(pool: asyncpg.Pool, read: ReadModel) -> None:
    await show(pool, [RETIRED])
    assert len(ONES) == 2
    for row in ONES:
        for who in (lea, karim, marie, alex):
            found = await read.one(row, {"article_id": RETIRED.id}, who)
            assert from_json(found.doc)["status"] == "retired"


async def test_an_article_leaves_the_list_when_it_is_retired(pool: asyncpg.Pool, read: ReadModel) -> None:
    await show(pool, [ENDING])
    assert await chosen(read, "/articles", lea) == [ENDING.id]
    await show(pool, [ENDING.model_copy(update={"status": "retired", "version": 2})])
    assert await chosen(read, "/articles", lea) == []
    assert await chosen(read, "/articles", marie, status="retired") == [ENDING.id]


async def corrected(read: ReadModel, who: Actor, text: str) -> tuple[list[UUID], str | None]:
    told = await page(read, "/articles", who, q=text)
    return [UUID(item["id"]) for item in told["items"]], told.get("results_for")


async def test_a_client_learns_no_word_of_a_retired_article(pool: asyncpg.Pool, read: ReadModel) -> None:
    await show(pool, [ACTIVE, RETIRED])
    assert await corrected(read, lea, "cuenot") == ([], None)
    for who in (karim, marie):
        assert await corrected(read, who, "cuenot") == ([RETIRED.id], "cuenod")


async def test_what_is_retired_stands_in_the_way_of_no_correction(
    pool: asyncpg.Pool, read: ReadModel
) -> None:
    """Nor can a client tell by a correction that is missing that the word occurs somewhere."""
    likeness = [an("retired", name=name) for name in ("vannes", "vannee", "vanneh", "vane")]
    valve = an("active", name="vanne")
    await show(pool, [valve, *likeness])
    # As it stands in a retired one, and nearer to several of them than to the one that is left.
    for text in ("vane", "vannex"):
        assert await corrected(read, lea, text) == ([valve.id], "vanne")


async def test_somebody_who_finds_a_part_finds_what_it_fits(pool: asyncpg.Pool, read: ReadModel) -> None:
    pump, joint = a(ArticleView, family="part"), a(ArticleView, family="part")
    boiler = a(ArticleView, compatible_parts=[pump.id, joint.id])
    other = a(ArticleView, compatible_parts=[joint.id])
    gone = an("retired", compatible_parts=[pump.id])
    views: list[View] = [pump, joint, boiler, other, gone]
    await show(pool, views)
    for who in (lea, karim, marie):
        assert set(await chosen(read, "/articles", who, compatible_parts=str(joint.id))) == {
            boiler.id,
            other.id,
        }
    assert await chosen(read, "/articles", lea, compatible_parts=str(pump.id).upper()) == [boiler.id]
    assert set(await chosen(read, "/articles", karim, compatible_parts=str(pump.id))) == {boiler.id, gone.id}
    either = [str(pump.id), str(joint.id)]
    assert set(await chosen(read, "/articles", lea, compatible_parts=either)) == {boiler.id, other.id}
    assert await chosen(read, "/articles", lea, compatible_parts=str(boiler.id)) == []
    assert await named_wrong(read, "/articles", lea, compatible_parts="x") == {"compatible_parts"}
    # A part that is taken off again is found no more.
    await show(pool, [boiler.model_copy(update={"version": 2, "compatible_parts": [joint.id]})])
    assert await chosen(read, "/articles", lea, compatible_parts=str(pump.id)) == []


async def test_a_page_shows_the_parts_of_an_appliance_by_their_ids(
    pool: asyncpg.Pool, read: ReadModel
) -> None:
    parts = [a(ArticleView, name=f"Pièce {n:02}", family="part") for n in range(50)]
    gone = an("retired")
    await show(pool, [*parts, gone, ACTIVE])
    listed = [str(part.id) for part in (*parts, gone)]
    assert await chosen(read, "/articles", lea, id=listed, sort="name") == [part.id for part in parts]
    assert len(await chosen(read, "/articles", karim, id=listed, limit="200")) == 51
    assert await named_wrong(read, "/articles", lea, id="x") == {"id"}
