"""Drafts: what their VAT depends on, what they lack, what is taken off, and amounts of three decimals."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, SUPPLY, TN, client, closed, home, invoice, issue, line, told_closed
from given_interventions import valve, work
from given_views import a

from sav_chassis.testing import Outcome, Stage
from sav_contracts.address import postcode_in
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.product import ProductView
from sav_contracts.interventions.invoice import (
    Buyer,
    ChangeInvoice,
    InvoiceChanged,
    InvoiceDrafted,
    InvoiceIssued,
    InvoicePaid,
    InvoiceView,
    Lack,
)
from sav_contracts.interventions.line import Discount, DiscountGiven, LineGiven, Supply, SupplyGiven
from sav_contracts.interventions.payment import RecordPayment
from sav_interventions.lacking import lacking
from sav_interventions.settings import billing

BOILER = UUID(int=401)
TEN_OFF = DiscountGiven(label="Fidélité", percent=Decimal(10))


def boiler(**fields: Any) -> ArticleView:
    usual = {"family": "heating", "fuel": "gas", "heats": "space_and_water", "vat_class": "standard"}
    return a(ArticleView, **({"id": BOILER} | usual | fields))


def unit(**fields: Any) -> ProductView:
    return home(True).model_copy(update={"article_id": BOILER} | fields)


async def drafted(stage: Stage, product: ProductView, *articles: ArticleView, **fields: Any) -> InvoiceView:
    visit = closed(**fields)
    await stage.knows(client(), product, valve(), *articles)
    await stage.given(visit)
    return (await stage.hears(told_closed(closed(**fields)))).only(InvoiceDrafted).state


async def changed(stage: Stage, **said: Any) -> InvoiceView:
    change = ChangeInvoice(invoice_id=INVOICE, **said)
    return (await stage.when(change, by=world.marie)).only(InvoiceChanged).state


def wrong(outcome: Outcome) -> list[str]:
    assert outcome.problem
    assert outcome.events == []
    return [one.field for one in outcome.problem.errors or []]


def supply(draft: InvoiceView) -> Supply:
    assert draft.supply
    return draft.supply


@pytest.mark.parametrize(
    ("article", "fields", "known"),
    [
        ({}, {"purpose": "install"}, ("install", True, False)),
        ({"heats": "water"}, {"purpose": "install"}, ("install", False, False)),
        ({"heats": None}, {"purpose": "install"}, ("install", None, False)),
        ({"fuel": "heat_pump", "vat_class": "reduced"}, {"purpose": "install"}, ("install", False, True)),
        ({}, {"purpose": "repair"}, ("repair", False, False)),
        ({"family": "sanitary", "fuel": None}, {"purpose": "maintenance"}, ("maintenance", False, False)),
        # Where something was built in it was no mere diagnosis.
        ({}, {"purpose": "diagnostic"}, ("repair", False, False)),
        (
            {},
            {"purpose": "diagnostic", "work": work().model_copy(update={"parts": []})},
            ("diagnosis", False, False),
        ),
    ],
    ids=str,
)
async def test_a_visit_says_what_its_vat_depends_on(
    stage: Stage, article: dict[str, Any], fields: dict[str, Any], known: tuple[str, bool | None, bool]
) -> None:
    draft = await drafted(stage, unit(), boiler(**article), **fields)
    its = supply(draft)
    assert (its.works, its.fossil_heating, its.energy_saving) == known
    assert (its.postcode, its.country, its.older_dwelling, its.certified) == ("75001", "FR", True, False)
    assert ("what_it_heats" in draft.lacks) == (known[1] is None)


async def test_a_mere_diagnosis_becomes_no_works_by_what_somebody_says(stage: Stage) -> None:
    nothing_fitted = work().model_copy(update={"parts": []})
    draft = await drafted(stage, unit(), boiler(), purpose="diagnostic", work=nothing_fitted)
    change = ChangeInvoice(invoice_id=draft.id, certified=True, supply=SupplyGiven(works="repair"))
    outcome = await stage.when(change, by=world.marie)
    assert outcome.problem
    assert [one.field for one in outcome.problem.errors or []] == ["supply.works"]
    certified = ChangeInvoice(invoice_id=draft.id, certified=True)
    changed = (await stage.when(certified, by=world.marie)).only(InvoiceChanged).state
    assert [one.rate for one in changed.vat] == [Decimal(20)]


async def test_an_installation_in_words_only_is_taxed_as_the_dearer_case_until_somebody_says(
    stage: Stage,
) -> None:
    words: dict[str, Any] = {"purpose": "install", "product_id": None, "article": "Chaudière gaz"}
    words["place"] = home(older=True).place
    await stage.knows(client(), valve())
    await stage.given(closed(**words))
    draft = (await stage.hears(told_closed(closed(**words)))).only(InvoiceDrafted).state
    assert (supply(draft).fossil_heating, "what_it_heats" in draft.lacks) == (None, True)
    change = ChangeInvoice(invoice_id=draft.id, certified=True)
    waits = (await stage.when(change, by=world.marie)).only(InvoiceChanged).state
    assert ([one.rate for one in waits.vat], waits.lacks) == (
        [Decimal(20)],
        ["what_it_heats", "no_agreement"],
    )
    change = ChangeInvoice(invoice_id=draft.id, supply=SupplyGiven(fossil_heating=False))
    known = (await stage.when(change, by=world.marie)).only(InvoiceChanged).state
    assert ([one.rate for one in known.vat], known.lacks) == ([Decimal(10)], ["no_agreement"])


async def test_works_that_become_an_installation_say_what_is_installed(stage: Stage) -> None:
    await stage.given(invoice("draft", line(None)))
    said = await changed(stage, supply=SupplyGiven(works="install"))
    assert ([one.rate for one in said.vat], said.lacks) == ([Decimal(20)], ["what_it_heats"])
    # Saying the same works again asks nothing anew.
    said = await changed(stage, supply=SupplyGiven(fossil_heating=False))
    said = await changed(stage, supply=SupplyGiven(works="install", postcode="75002"))
    assert ([one.rate for one in said.vat], said.lacks) == ([Decimal(10)], [])


async def test_a_boiler_that_a_repair_fits_is_taxed_as_one(stage: Stage) -> None:
    [part] = work().parts
    fitted = work().model_copy(update={"parts": [part.model_copy(update={"article_id": BOILER})]})
    draft = await drafted(stage, unit(), boiler(), work=fitted)
    assert supply(draft).fossil_heating is True
    assert "certification" not in draft.lacks


async def test_a_business_is_known_by_its_unit_and_has_a_siren(stage: Stage) -> None:
    late = closed().done_at
    assert late
    draft = await drafted(stage, unit(consumer=False), boiler(), done_at=late.replace(month=9))
    assert (draft.buyer.kind, supply(draft).buyer) == ("business", "business")
    assert draft.lacks == ["siren", "certification"]


@pytest.mark.parametrize(
    ("buyer", "changes", "lacks"),
    [
        ({}, {}, []),
        ({"address": None}, {}, ["buyer_address"]),
        ({}, {"postcode": None}, ["place"]),
        ({}, {"country": "BE"}, ["place_abroad"]),
        ({}, {"country": "RE", "postcode": "97400"}, []),
        ({}, {"older_dwelling": True}, ["certification"]),
        ({}, {"older_dwelling": True, "certified": True}, []),
        ({}, {"older_dwelling": True, "fossil_heating": True}, []),
        ({}, {"buyer": "business", "on": date(2026, 8, 31)}, []),
        ({}, {"buyer": "business", "on": date(2026, 9, 1)}, ["siren"]),
        ({"siren": "732829320"}, {"buyer": "business", "on": date(2026, 9, 1)}, []),
    ],
    ids=str,
)
def test_what_is_lacking_follows_from_buyer_and_supply(
    buyer: dict[str, Any], changes: dict[str, Any], lacks: list[Lack]
) -> None:
    who = Buyer(name="Léa", address="Lyon").model_copy(update=buyer)
    assert list(lacking(who, SUPPLY.model_copy(update=changes), billing().law)) == lacks


async def test_what_is_said_of_a_supply_changes_its_vat(stage: Stage) -> None:
    await stage.given(invoice("draft", line(None), supply=SUPPLY))
    said = await changed(stage, supply=SupplyGiven(older_dwelling=True))
    assert (int(said.vat[0].rate), said.lacks) == (20, ["certification"])
    said = await changed(stage, certified=True)
    assert (int(said.vat[0].rate), said.lacks) == (10, [])
    said = await changed(stage, supply=SupplyGiven(fossil_heating=True, works="install"))
    assert (int(said.vat[0].rate), said.vat[0].mention) == (20, None)
    said = await changed(stage, supply=SupplyGiven(fossil_heating=False, postcode="97400"))
    assert said.vat[0].rate == Decimal("2.1")
    said = await changed(stage, buyer_kind="business")
    assert (said.buyer.kind, supply(said).buyer) == ("business", "business")
    issued = (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state
    assert (issued.supply, issued.lacks) == (said.supply, [])
    client_sees = issued.for_client()
    assert client_sees
    assert not hasattr(client_sees, "supply")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        *(("FR-97400", None), ("97 400", "97400"), ("fr-97400", None), ("９７４００", "97400")),
        *(("97400", "97400"), ("20000", "20000"), ("98800", "98800")),
        *(("=1+1", None), ("97", None), ("99999", None), ("00000", None), ("974000", None), ("2A004", None)),
    ],
)
async def test_a_postcode_that_decides_the_rate_is_one_of_its_country(
    stage: Stage, written: str, kept: str | None
) -> None:
    await stage.given(invoice("draft", line(None), supply=SUPPLY))
    change = ChangeInvoice(invoice_id=INVOICE, supply=SupplyGiven(postcode=written))
    outcome = await stage.when(change, by=world.marie)
    if kept is None:
        assert wrong(outcome) == ["supply.postcode"]
    else:
        assert supply(outcome.only(InvoiceChanged).state).postcode == kept


@pytest.mark.parametrize(
    ("country", "postcode", "kept"),
    [
        *(
            ("RE", "RE-97400", None),
            ("MC", "FR-98000", None),
            ("TN", "TN-1000", None),
            ("TN", "1000", "1000"),
            ("TN", "75001", None),
            ("TN", "=1", None),
        ),
        *(("GB", "sw1a 1aa", "SW1A 1AA"), ("BE", "1000", "1000"), ("BE", "=1+1", None)),
    ],
)
def test_each_country_has_postcodes_of_its_own(country: str, postcode: str, kept: str | None) -> None:
    assert postcode_in(country, postcode) == kept


async def test_a_discount_on_the_whole_is_given_and_taken_back(stage: Stage) -> None:
    await stage.given(invoice("draft", line("intermediate"), line("standard")))
    said = await changed(stage, discount=TEN_OFF)
    assert (str(said.net), [str(one.allowance) for one in said.vat]) == ("152.82", ["8.49", "8.49"])
    # It stays when the lines are written anew.
    said = await changed(stage, lines=[line("standard", unit_price=Decimal(10))])
    assert (str(said.net), said.discount) == ("9.00", Discount(label="Fidélité", percent=Decimal(10)))
    said = await changed(stage, discount=None)
    assert (str(said.net), said.discount, said.vat[0].allowance) == ("10.00", None, None)


@pytest.mark.parametrize(
    ("amount", "field"), [("84.91", "discount.amount"), ("1.005", "discount.amount")], ids=["more", "finer"]
)
async def test_what_cannot_be_taken_off_is_refused(stage: Stage, amount: str, field: str) -> None:
    await stage.given(invoice())
    off = DiscountGiven(label="Geste", amount=Decimal(amount))
    outcome = await stage.when(ChangeInvoice(invoice_id=INVOICE, discount=off), by=world.marie)
    assert wrong(outcome) == [field]


async def test_a_draft_with_a_discount_does_not_follow_a_later_decision(stage: Stage) -> None:
    await stage.given(invoice())
    await changed(stage, discount=TEN_OFF)
    assert await stage.database.pool.fetchval("SELECT edited FROM invoice")


async def test_a_draft_from_before_says_its_supply_before_it_is_issued(stage: Stage) -> None:
    old = invoice("draft", line("intermediate"))
    old.supply = None
    await stage.given(old)
    refused = await stage.when(issue, by=world.marie)
    assert refused.problem
    assert (refused.problem.status, refused.problem.code) == (409, "supply_unknown")
    said = await changed(stage, supply=SupplyGiven(postcode="69003", older_dwelling=True), certified=True)
    assert (int(said.vat[0].rate), supply(said).on) == (10, said.supplied_on)
    assert (await stage.when(issue, by=world.marie)).problem is None


async def test_what_was_supplied_abroad_is_not_issued_at_the_firms_rates(stage: Stage) -> None:
    await stage.given(invoice())
    there = await changed(stage, supply=SupplyGiven(country="BE", postcode="1000"))
    assert "place_abroad" in there.lacks
    refused = await stage.when(issue, by=world.marie)
    assert refused.problem
    assert (refused.problem.status, refused.problem.code) == (409, "supplied_abroad")
    await changed(stage, supply=SupplyGiven(country="FR", postcode="75001"))
    assert (await stage.when(issue, by=world.marie)).problem is None


async def test_a_payment_has_the_decimals_of_its_currency(stage: Stage) -> None:
    dinars = line("standard", unit_price=Decimal("12.340"))
    tunis = Supply(on=SUPPLY.on, country="TN", postcode="1000")
    owed = invoice("issued", dinars, currency="TND")
    owed.itemise([dinars], TN, tunis)
    assert str(owed.total) == "15.685"
    await stage.given(owed)
    paid = await stage.when(
        RecordPayment(invoice_id=INVOICE, method="cash", amount=Decimal("15.685")), by=world.marie
    )
    assert paid.events[-1].state.balance == 0
    assert isinstance(paid.events[-1], InvoicePaid)


async def test_a_payment_in_euros_has_no_thousandths(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    pay = RecordPayment(invoice_id=INVOICE, method="cash", amount=Decimal("1.005"))
    assert wrong(await stage.when(pay, by=world.marie)) == ["amount"]


@pytest.mark.parametrize(
    "written",
    [
        {"kind": "part", "unit": "piece"},
        {"kind": "travel", "unit": "km"},
        {"kind": "part", "unit": "piece", "quantity": 1, "minutes": 5},
        {"kind": "labour", "unit": "piece", "minutes": 5},
    ],
    ids=str,
)
def test_a_line_says_how_much_of_what(written: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"quantity|minutes"):
        LineGiven(description="x", unit_price=Decimal(1), **written)


def test_what_a_flat_line_leaves_out_is_described_as_no_default_of_all_lines() -> None:
    flat = LineGiven(kind="fixed", description="x", unit="flat", unit_price=Decimal(1))
    assert flat.quantity == 1
    described = LineGiven.model_json_schema()
    assert "default" not in described["properties"]["quantity"]
    assert "quantity" not in described["required"]


@pytest.mark.parametrize(
    "off", [{}, {"percent": "5", "amount": "5"}, {"amount": "0"}, {"percent": "100.5"}], ids=str
)
def test_a_discount_is_a_percentage_or_an_amount(off: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"percent|amount"):
        DiscountGiven.model_validate({"label": "Geste"} | off)
