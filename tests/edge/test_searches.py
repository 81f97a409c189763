"""Searches: every word occurs, whatever its case and accents, where the list says."""

from typing import Any

import asyncpg
import pytest
import world
from given_lists import chosen, named_wrong, through
from given_views import a

from sav_chassis.views import show
from sav_contracts.catalog.article import ArticleView
from sav_contracts.claims import ReclamationView
from sav_edge.read_model import ReadModel

alex, marie, lea = world.alex, world.marie, world.lea


ARTICLES: dict[str, dict[str, Any]] = {
    "boiler": {"reference": "CH-100", "name": "Chaudière murale", "description": "à CONDENSATION, 24 kW"},
    "tap": {"reference": "MI-200", "name": "Mitigeur", "brand": "Grohé", "description": "100% laiton"},
    "odd": {"reference": "X_1", "name": "a.b(c)[d]*\\e", "description": "Œillet ÉLARGI, façade"},
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("chaudiere", {"boiler"}),
        ("CHAUDIÈRE", {"boiler"}),
        ("chàüdîère", {"boiler"}),
        ("audi", {"boiler"}),
        ("condensation murale", {"boiler"}),
        ("  murale   ch-100 ", {"boiler"}),
        ("murale grohe", set()),
        ("grohe", {"tap"}),
        ("GROHÉ", {"tap"}),
        ("100", {"boiler", "tap"}),
        ("100%", {"tap"}),
        ("%", {"tap"}),
        ("_", {"odd"}),
        ("x_1", {"odd"}),
        (".", {"odd"}),
        ("a.b(c)[d]*\\e", {"odd"}),
        ("(", {"odd"}),
        ("[", {"odd"}),
        ("\\", {"odd"}),
        ("***", set()),
        ("facade", {"odd"}),
        ("elargi", {"odd"}),
        ("e\u0301largi", {"odd"}),
        ("œillet", {"odd"}),
        ("c.*n", set()),
        ("nothing", set()),
        ("", {"boiler", "tap", "odd"}),
        ("   ", {"boiler", "tap", "odd"}),
        ("\ud7ff", set()),
        ("é" * 200, set()),
        ("(" * 200, set()),
    ],
)
async def test_every_word_of_a_search_occurs(
    pool: asyncpg.Pool, read: ReadModel, text: str, found: set[str]
) -> None:
    articles = {name: a(ArticleView, **fields) for name, fields in ARTICLES.items()}
    await show(pool, [*articles.values()])
    for who in (lea, world.karim, marie):
        assert set(await chosen(read, "/articles", who, q=text)) == {articles[name].id for name in found}


async def test_a_search_looks_only_where_the_list_says(pool: asyncpg.Pool, read: ReadModel) -> None:
    claim = a(ReclamationView, description="fuite sous l'évier", priority_reason="fuite de gaz")
    await show(pool, [claim])
    assert await chosen(read, "/reclamations", lea, q="fuite") == [claim.id]
    for who in (lea, marie):
        assert await chosen(read, "/reclamations", who, q="gaz") == []
        assert await named_wrong(read, "/invoices", who, q="x") == {"q"}
    assert await named_wrong(read, "/reclamations", lea, q="a\0b") == {"q"}
    assert await named_wrong(read, "/reclamations", lea, q="a" * 201) == {"q"}
    assert await named_wrong(read, "/reclamations", lea, q=["a" * 100, "b" * 100]) == {"q"}
    assert await chosen(read, "/reclamations", lea, q=["fuite", "evier"]) == [claim.id]
    assert await chosen(read, "/reclamations", lea, q=["fuite", "gaz"]) == []


async def test_a_search_is_paged_and_filtered_too(pool: asyncpg.Pool, read: ReadModel) -> None:
    found = [a(ReclamationView, reference=f"REC-{n}", article="Évier") for n in range(5)]
    await show(pool, [*found, a(ReclamationView, article="Lavabo")])
    expected = [claim.id for claim in found]
    assert await through(read, "/reclamations", lea, q="evier", sort="reference", limit="2") == expected
    assert await chosen(read, "/reclamations", lea, q="evier", reference="REC-3") == [expected[3]]
