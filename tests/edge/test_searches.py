"""Searches: every word begins a word of what the list says, in whatever form; what nobody wrote is corrected."""

from datetime import timedelta
from itertools import cycle
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import world
from given_lists import NOW, chosen, named_wrong, page, through
from given_views import a, show

from sav_contracts.address import Address
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import BuiltIn, Place, ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.estimate import EstimateView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import View
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
        ("chaud", {"boiler"}),
        ("audi", set()),
        ("condensation murale", {"boiler"}),
        ("  murale   ch-100 ", {"boiler"}),
        ("murale grohe", set()),
        ("grohe", {"tap"}),
        ("GROHÉ", {"tap"}),
        ("100", {"boiler", "tap"}),
        ("100%", {"boiler", "tap"}),
        ("%", set()),
        ("_", set()),
        ("x_1", {"odd"}),
        ("x1", {"odd"}),
        (".", set()),
        ("a.b(c)[d]*\\e", {"odd"}),
        ("\\", set()),
        ("' & !x | :*", {"odd"}),
        ("***", set()),
        ("=status=active", set()),
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
        assert await named_wrong(read, "/payments", who, q="x") == {"q"}
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


async def test_a_record_is_found_by_the_name_of_its_client_by_those_who_see_them(
    pool: asyncpg.Pool, read: ReadModel
) -> None:
    martin = uuid4()
    client = a(ClientView, id=martin, client_id=martin, name="Chloé Cœur-Martin", phones=["+33612345678"])
    theirs = a(ReclamationView, client_id=martin, technician_id=world.karim.id, article="Lavabo")
    closed = a(ReclamationView, client_id=martin, technician_id=world.sofia.id, status="closed")
    visit = a(InterventionView, client_id=martin, reclamation_id=theirs.id, technician_id=world.karim.id)
    await show(pool, [client, theirs, closed, visit, a(ReclamationView, article="Lavabo")])
    for text in ("coeur martin", "chloe", "06 12 34 56 78", "martin"):
        assert set(await chosen(read, "/reclamations", marie, q=text)) == {theirs.id, closed.id}, text
        assert await chosen(read, "/interventions", marie, q=text) == [visit.id]
    assert await chosen(read, "/reclamations", marie, q="lavabo martin") == [theirs.id]
    assert await chosen(read, "/reclamations", world.karim, q="martin") == [theirs.id]
    # She was their technician, and does not see them any more.
    assert await chosen(read, "/reclamations", world.sofia, q="martin") == []
    assert await chosen(read, "/reclamations", lea, q="martin") == []


HERE = Place(address="3, av. des Lilas", postcode="69003", city="Lyon", access_notes="Code 42B, interphone")
ELSEWHERE = Place(address="8 rue Haute", postcode="38000", city="Grenoble")
TYPED = ("avenue des Lilas", "3 av lilas 69003", "LYON", "69 003", "lilas lyon")


def at(place: Place, **whose: Any) -> dict[str, View]:
    """By list, records at this place."""
    visit = a(InterventionView, place=place, **whose)
    return {
        "/reclamations": a(ReclamationView, place=place, **whose),
        "/interventions": visit,
        "/appointments": a(AppointmentView, intervention_id=visit.id, **whose),
        "/estimates": a(EstimateView, place=place, status="sent", **whose),
        "/products": a(ProductView, place=place, client_id=whose["client_id"]),
    }


@pytest.mark.parametrize("typed", TYPED)
async def test_what_shows_an_address_is_found_by_it(pool: asyncpg.Pool, read: ReadModel, typed: str) -> None:
    whose = {"client_id": lea.id, "technician_id": world.karim.id}
    here = at(HERE, **whose)
    await show(pool, [*here.values(), *at(ELSEWHERE, **whose).values()])
    for path, record in here.items():
        for who in (marie, alex, lea, *([world.karim] if path != "/products" else [])):
            assert await chosen(read, path, who, q=typed) == [record.id], (path, who)
            assert await chosen(read, path, who, q="interphone") == []
        assert await chosen(read, path, world.paul, q=typed) == []


async def test_an_address_that_the_caller_does_not_see_finds_nothing(
    pool: asyncpg.Pool, read: ReadModel
) -> None:
    home = Address.model_validate(HERE.model_dump())
    client = a(ClientView, id=lea.id, addresses=(home,))
    whose: dict[str, Any] = {"client_id": lea.id, "place": ELSEWHERE}
    closed = a(ReclamationView, technician_id=world.sofia.id, status="closed", **whose)
    open = a(ReclamationView, technician_id=world.karim.id, **whose)
    await show(pool, [client, closed, open])
    assert await chosen(read, "/clients", marie, q="lilas lyon") == [client.id]
    assert await chosen(read, "/clients", world.karim, q="lilas lyon") == [client.id]
    assert set(await chosen(read, "/reclamations", marie, q="lilas")) == {closed.id, open.id}
    assert await chosen(read, "/reclamations", world.karim, q="lilas") == [open.id]
    # She was their technician, and sees where the réclamation was, but not where they live.
    assert await chosen(read, "/reclamations", world.sofia, q="lilas") == []
    assert await chosen(read, "/clients", world.sofia, q="lilas") == []
    assert await chosen(read, "/reclamations", world.sofia, q="grenoble") == [closed.id]


async def test_a_serial_number_finds_what_is_about_its_unit_for_those_who_see_it(
    pool: asyncpg.Pool, read: ReadModel
) -> None:
    built_in = BuiltIn(intervention_id=uuid4(), on=NOW.date(), serial="CIR-2291")
    unit = a(ProductView, serial="LUM24-0007431", built_in=[built_in])
    its: dict[str, Any] = {"product_id": unit.id, "client_id": lea.id}
    claim, other = (
        a(ReclamationView, technician_id=world.karim.id, product_id=id) for id in (unit.id, uuid4())
    )
    visit = a(InterventionView, technician_id=world.karim.id, **its)
    closed = a(ReclamationView, technician_id=world.sofia.id, status="closed", **its)
    elsewhere = [other, a(InterventionView), a(ProductView, serial="LUM24-0007439")]
    await show(pool, [unit, claim, visit, closed, *elsewhere])
    for typed in ("LUM24-0007431", "lum24 7431", "7431", "cir 2291"):
        for who in (marie, alex, lea):
            assert set(await chosen(read, "/reclamations", who, q=typed)) == {claim.id, closed.id}, typed
            assert await chosen(read, "/interventions", who, q=typed) == [visit.id]
        assert await chosen(read, "/reclamations", world.karim, q=typed) == [claim.id]
        assert await chosen(read, "/interventions", world.karim, q=typed) == [visit.id]
        # Her work on it is over: she does not see the unit any more.
        assert await chosen(read, "/reclamations", world.sofia, q=typed) == []
        assert await chosen(read, "/reclamations", world.paul, q=typed) == []
    assert await chosen(read, "/reclamations", marie, q="7431 fuite") == [closed.id, claim.id]


@pytest.mark.parametrize("typed", ["rec 2026 1", "REC-2026-1", "rec2026-000001", "REC2026000001"])
async def test_an_exact_reference_answers_without_those_that_it_begins(
    pool: asyncpg.Pool, read: ReadModel, typed: str
) -> None:
    claims = [a(ReclamationView, reference=f"REC-2026-{n:06}") for n in (1, 10, 12, 100)]
    mentions = a(ReclamationView, reference="REC-2026-000200", description="comme REC-2026-000001")
    visits = [a(InterventionView, reclamation_reference="REC-2026-000001") for _ in range(5)]
    await show(
        pool, [*claims, mentions, *visits, a(InterventionView, reclamation_reference="REC-2026-000010")]
    )
    both = [claims[0].id, mentions.id]
    for who in (lea, marie):
        ask = {"q": typed, "limit": "1", "sort": "reference"}
        assert await through(read, "/reclamations", who, **ask) == both
        found = await through(read, "/interventions", who, q=typed, limit="2", sort="created_at")
        assert found == [one.id for one in visits]
    assert await chosen(read, "/reclamations", world.paul, q=typed) == []
    # Where it is none, it is a beginning.
    assert await chosen(read, "/reclamations", marie, q="rec-2026-0002") == [mentions.id]
    assert set(await chosen(read, "/reclamations", marie, q="rec-2026-0000")) >= {
        one.id for one in claims[:3]
    }


@pytest.mark.parametrize(
    ("number", "forms"),
    [
        ("+33612345678", ["06 12 34 56 78", "06.12.34.56.78", "+33 (0)6 12 34 56 78", "0033 612345678", "06 12345678"]),
        ("+21671123456", ["71 123 456", "00216 71 123 456", "+216 71 123456", "(+216) 71.123.456", "21671123456"]),
    ],
)  # fmt: skip
async def test_a_client_is_found_by_any_of_their_telephone_numbers(
    pool: asyncpg.Pool, read: ReadModel, number: str, forms: list[str]
) -> None:
    client = a(ClientView, id=uuid4(), phones=["+33472000000", number])
    await show(pool, [client, a(ClientView, id=uuid4(), phones=["+33698765432", "+21671123457"])])
    for text in forms:
        assert await chosen(read, "/clients", marie, q=text) == [client.id], text


async def test_a_name_that_very_many_bear_is_found_too(
    pool: asyncpg.Pool, read: ReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sav_edge.read_model.MOST_OTHERS", 2)
    people = [uuid4() for _ in range(4)]
    await show(pool, [a(ClientView, id=one, client_id=one, name="Jean Martin") for one in people])
    claims = [a(ReclamationView, client_id=one) for one in people]
    await show(pool, [*claims, a(ReclamationView)])
    assert set(await chosen(read, "/reclamations", marie, q="martin jean")) == {one.id for one in claims}


@pytest.mark.parametrize("expected", ["few", "some", "many", "few many", "many few", "some many"])
async def test_a_search_finds_the_same_in_each_way(
    pool: asyncpg.Pool, read: ReadModel, monkeypatch: pytest.MonkeyPatch, expected: str
) -> None:
    for name, number in {"FIRST": 2, "FEW": 3, "MANY": 6, "RARER": 2}.items():
        monkeypatch.setattr(f"sav_edge.read_model.{name}", number)
    numbers = cycle({"few": 1, "some": 4, "many": 9}[one] for one in expected.split())

    async def as_expected(*_: Any) -> int:
        return next(numbers)

    monkeypatch.setattr(ReadModel, "_expected", as_expected)
    robinet, other = uuid4(), uuid4()
    people = [a(ClientView, id=robinet, client_id=robinet, name="Jean Robinet"), a(ClientView, id=other)]
    claims = [
        a(
            ReclamationView,
            at=NOW + timedelta(minutes=n),
            client_id=robinet if n % 3 == 0 else other,
            technician_id=(world.karim if n % 4 else world.sofia).id,
            reference=f"REC-2026-{37 * n % 100:06}",
            article="Lavabo" if n % 5 < 3 else "Robinet",
            description="fuit à l'étage" if n % 2 else "",
        )
        for n in range(30)
    ]
    await show(pool, [*people, *claims])

    named = {claims[n].id for n in range(30) if n % 3 == 0 or n % 5 >= 3}
    odd = {claims[n].id for n in range(30) if n % 2}
    basins = {one.id for one in claims if one.article == "Lavabo"}
    for who in (marie, world.karim):
        for text, holds in {
            "robinet": named,
            "etage robi": odd & named,
            "fuit lavabo": odd & basins,
            "rec-2026-0000": {one.id for one in claims},
            "robinet zzzz": set[UUID](),
        }.items():
            right = [
                one for one in claims if one.id in holds and (who is marie or one.technician_id == who.id)
            ]
            for sort in ("created_at", "reference"):
                ids = [one.id for one in sorted(right, key=lambda one: str(getattr(one, sort)))]
                ask = {"q": text, "limit": "4"}
                assert await through(read, "/reclamations", who, sort=sort, **ask) == ids
                assert await through(read, "/reclamations", who, sort=f"-{sort}", **ask) == ids[::-1]


@pytest.mark.parametrize(
    ("typed", "results_for"),
    [
        ("chaudire", "chaudiere"),
        ("chuadiere", "chaudiere"),
        ("CHAUDIÈRRE mural", "chaudiere mural"),
        ("chaudiere murlae", "chaudiere murale"),
        ("termostat", "thermostat"),
    ],
)
async def test_a_word_that_occurs_nowhere_is_corrected_and_the_answer_says_so(
    pool: asyncpg.Pool, read: ReadModel, typed: str, results_for: str
) -> None:
    claim = a(ReclamationView, article="Chaudière murale", description="Le thermostat clignote")
    await show(pool, [claim, a(ReclamationView, article="Chauffe-eau")])
    told = await page(read, "/reclamations", marie, q=typed)
    assert ([item["id"] for item in told["items"]], told["results_for"]) == ([str(claim.id)], results_for)


async def test_nothing_is_corrected_to_what_the_caller_does_not_see(
    pool: asyncpg.Pool, read: ReadModel
) -> None:
    await show(pool, [a(ReclamationView, client_id=world.paul.id, description="le secret")])
    for who, found in ((lea, 0), (world.paul, 1)):
        told = await page(read, "/reclamations", who, q="secrte")
        assert (len(told["items"]), "results_for" in told) == (found, bool(found))
    # Nor does it matter whether others wrote it: whoever asks cannot tell.
    await show(
        pool,
        [
            a(ReclamationView, description="la vanne"),
            a(ReclamationView, client_id=world.paul.id, description="vane"),
        ],
    )
    assert (await page(read, "/reclamations", lea, q="vane"))["results_for"] == "vanne"
    for text in ("zzzzzzzz", "rec-2026-999999", "a"):
        assert "results_for" not in await page(read, "/reclamations", world.paul, q=text)


async def test_a_corrected_search_is_paged(pool: asyncpg.Pool, read: ReadModel) -> None:
    claims = [a(ReclamationView, reference=f"REC-{n}", article="Robinet") for n in range(5)]
    await show(pool, claims)
    expected = [one.id for one in claims]
    assert await through(read, "/reclamations", lea, q="robniet", sort="reference", limit="2") == expected
