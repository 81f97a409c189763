"""Factur-X: what stands in it, checked by the official rules and read by another program."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from electronic_invoices import EUROPEAN, FRENCH, broken_rules, read_by_another
from given_billing import FR
from given_papers import (
    BUSINESS,
    FIRM,
    LATE,
    cents,
    covered,
    credit,
    deposit,
    final,
    line,
    paper,
    reduced,
    reverse_charged,
    untaxed,
    vat,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]

from sav_contracts.interventions.invoice import DEMONSTRATION
from sav_contracts.interventions.line import Discount, LineGiven, Supply
from sav_interventions.billing import itemised
from sav_interventions.electronic_invoice import electronic_invoice
from sav_interventions.invoice_paper import InvoicePaper, PaperBuyer, PaperLine, PaperSupply

TO_A_PERSON = [reduced, cents, covered, deposit, final, credit, untaxed]
TO_A_BUSINESS = [reduced, deposit, final, credit]


def made(of: InvoicePaper) -> bytes:
    xml = electronic_invoice(of)
    assert xml
    return xml


def said(xml: bytes, name: str) -> list[str]:
    return [node.text or "" for node in etree.fromstring(xml).iter("{*}" + name)]


@pytest.mark.parametrize("known", TO_A_PERSON)
def test_an_invoice_to_a_person_keeps_the_european_rules(known: Callable[[], InvoicePaper]) -> None:
    assert broken_rules(made(known()), EUROPEAN) == []


@pytest.mark.parametrize("known", TO_A_BUSINESS)
def test_an_invoice_to_a_business_keeps_the_french_rules_too(known: Callable[..., InvoicePaper]) -> None:
    assert broken_rules(made(known(buyer=BUSINESS, mentions=LATE)), EUROPEAN, FRENCH) == []


def test_work_for_another_firm_is_taxed_there() -> None:
    xml = made(reverse_charged())
    assert broken_rules(xml, EUROPEAN, FRENCH) == []
    assert set(said(xml, "CategoryCode")) == {"AE"}


def test_a_business_invoice_says_where_it_was_delivered_and_when_vat_is_due() -> None:
    there = PaperSupply(address="3 rue des Lilas, 97400 Saint-Denis", country="RE")
    firm = FIRM.model_copy(update={"vat_on_debits": True})
    xml = made(reduced(buyer=BUSINESS, mentions=LATE, seller=firm, supply=there))
    assert broken_rules(xml, EUROPEAN, FRENCH) == []
    [ship_to] = etree.fromstring(xml).iter("{*}ShipToTradeParty")
    assert [
        node.text for node in ship_to.iter("{*}PostcodeCode", "{*}LineOne", "{*}CityName", "{*}CountryID")
    ] == [
        "97400",
        "3 rue des Lilas",
        "Saint-Denis",
        "RE",
    ]
    assert set(said(xml, "DueDateTypeCode")) == {"5"}
    # The buyer is where it is registered.
    assert said(xml, "CountryID") == ["FR", "FR", "RE"]


def test_a_person_is_told_neither() -> None:
    there = PaperSupply(address="3 rue des Lilas, 69003 Lyon")
    xml = made(reduced(seller=FIRM.model_copy(update={"vat_on_debits": True}), supply=there))
    assert broken_rules(xml, EUROPEAN) == []
    assert said(xml, "DueDateTypeCode") == said(xml, "ShipToTradeParty") == []


def test_a_deposit_says_nothing_of_a_day_on_which_something_was_done() -> None:
    for xml in (made(deposit()), made(deposit(buyer=BUSINESS, mentions=LATE))):
        assert said(xml, "OccurrenceDateTime") == []
        assert broken_rules(xml, EUROPEAN) == []
    assert said(made(final()), "OccurrenceDateTime") != []


def test_a_foreign_business_is_in_its_country() -> None:
    foreign = BUSINESS.model_copy(update={"siren": None, "tax_number": "EL094259216"})
    xml = made(reduced(buyer=foreign, mentions=LATE))
    assert broken_rules(xml, EUROPEAN) == []
    assert said(xml, "CountryID") == ["FR", "GR"]


def test_the_rules_are_really_checked() -> None:
    wrong = made(reduced()).replace(b">16.81<", b">16.80<")
    assert [rule.partition(":")[0] for rule in broken_rules(wrong)] == ["BR-CO-14"]
    assert "BR-FR-12_BT-49" in [rule.partition(":")[0] for rule in broken_rules(made(reduced()), FRENCH)]


@pytest.mark.parametrize(
    ("known", "code", "total", "prepaid", "due"),
    [
        (reduced, "380", "332.94", "0", "332.94"),
        (deposit, "386", "742.32", "0", "742.32"),
        (final, "380", "2474.40", "742.32", "1732.08"),
        (credit, "381", "51.10", "0", "51.10"),
    ],
)
def test_another_program_reads_the_same_totals(
    known: Callable[[], InvoicePaper], code: str, total: str, prepaid: str, due: str
) -> None:
    read = read_by_another(made(known()))
    sums = read.trade.settlement.monetary_summation
    assert str(read.header.type_code) == code
    assert sums.grand_total._amount == Decimal(total)
    assert (sums.prepaid_total._value or 0) == Decimal(prepaid)
    assert sums.due_amount._value == Decimal(due)


def test_another_program_reads_who_owes_what_to_whom() -> None:
    read = read_by_another(made(reduced(buyer=BUSINESS, mentions=LATE)))
    assert str(read.header.id) == "FAC-2026-000001"
    assert read.header.issue_date_time._value == date(2026, 3, 11)
    assert str(read.trade.agreement.seller.name) == "Confort SAV"
    assert str(read.trade.agreement.buyer.name) == "Boulangerie Roux SARL"
    taxes = [
        (tax.rate_applicable_percent._value, tax.calculated_amount._value)
        for tax in read.trade.settlement.trade_tax.children
    ]
    assert taxes == [(Decimal(20), Decimal("24.68")), (Decimal(10), Decimal("16.81"))]


def test_labour_is_exact_to_the_minute() -> None:
    """Ten minutes at 62.00 an hour are 10.33; 0.17 h would be 10.54."""
    [ten, *_] = etree.fromstring(made(covered())).iter("{*}IncludedSupplyChainTradeLineItem")
    [quantity] = ten.iter("{*}BilledQuantity")
    [per] = ten.iter("{*}BasisQuantity")
    assert (quantity.text, quantity.get("unitCode"), per.text, per.get("unitCode")) == (
        "10",
        "MIN",
        "60",
        "MIN",
    )


def test_half_a_cent_of_a_third_of_an_hour_is_not_taken_off() -> None:
    """20 minutes at 299.985 an hour are 99.995: 100.00, although a third of an hour is a little less as a decimal."""
    third = WORK.model_copy(
        update={"minutes": 20, "unit_price": Decimal("299.985"), "covered": 0, "discount": None}
    )
    [billed] = itemised([third], None, PLACES[0], FR).lines
    assert billed.amount == PaperLine.model_validate(billed).gross == Decimal("100.00")


def test_what_a_warranty_pays_and_a_discount_stand_apart() -> None:
    _, card, spare = etree.fromstring(made(covered())).iter("{*}IncludedSupplyChainTradeLineItem")
    amounts = [node.text for node in card.iter("{*}ActualAmount")]
    assert amounts == ["47.50", "5.00"]
    assert [node.text for node in card.iter("{*}Reason")] == ["Pris en charge par la garantie", "Remise"]
    assert [node.text for node in spare.iter("{*}ActualAmount")] == ["12.00"]


def test_a_correction_and_a_final_invoice_name_the_invoice_before() -> None:
    for correction, number in ((credit, "FAC-2026-000001"), (final, "FAC-2026-000002")):
        [before] = etree.fromstring(made(correction())).iter("{*}InvoiceReferencedDocument")
        assert [node.text for node in before.iter("{*}IssuerAssignedID")] == [number]


def test_a_name_is_in_it_as_it_was_written() -> None:
    name = '王小明 😀 شركة <a> & "b"'
    xml = made(reduced(buyer=PaperBuyer(name=name, address=name)))
    assert broken_rules(xml) == []
    assert str(read_by_another(xml).trade.agreement.buyer.name) == name


def test_an_address_in_another_form_is_kept_whole() -> None:
    xml = made(reduced(buyer=PaperBuyer(name="Léa", address="Ferme du Haut, derrière l’église")))
    assert said(xml, "LineOne") == ["12 avenue Berthelot", "Ferme du Haut, derrière l’église"]
    assert said(xml, "PostcodeCode") == ["69007"]


def test_the_firm_of_the_demonstration_makes_valid_ones() -> None:
    assert broken_rules(made(reduced(seller=DEMONSTRATION))) == []


def test_it_says_how_to_pay() -> None:
    assert said(made(reduced()), "IBANID") == ["FR7630006000011234567890189"]
    assert said(made(reduced(seller=FIRM.model_copy(update={"bank": None}))), "IBANID") == []
    assert said(made(credit()), "IBANID") == []


PRICES = st.decimals("0.01", "99999.99", places=2)
SHARES = st.none() | st.decimals("0.01", "100", places=2)
LINES = st.one_of(
    st.builds(
        LineGiven,
        kind=st.just("labour"),
        description=st.just("Main-d’œuvre"),
        minutes=st.integers(1, 10_000),
        unit=st.just("hour"),
        unit_price=PRICES,
        covered=st.sampled_from([0, 50, 100]),
        discount=SHARES,
    ),
    st.builds(
        LineGiven,
        kind=st.sampled_from(["part", "fixed"]),
        description=st.just("Vanne"),
        quantity=st.decimals("0.01", "9999.99", places=2),
        unit=st.just("piece"),
        unit_price=PRICES,
        covered=st.integers(0, 100),
        discount=SHARES,
        vat_class=st.sampled_from([None, "standard", "intermediate", "reduced"]),
    ),
)
THERE = Supply(
    on=date(2026, 3, 3), works="improvement", older_dwelling=True, certified=True, energy_saving=True
)
PLACES = [
    THERE.model_copy(update=change)
    for change in (
        {"postcode": "69003"},
        {"postcode": "69003", "certified": False},
        {"postcode": "20000"},
        {"postcode": "97300"},
        {"postcode": "69003", "subcontracted": True, "buyer": "business"},
    )
]
OFF = st.none() | st.builds(Discount, label=st.just("Remise"), percent=st.decimals("0.01", "100", places=2))


WORK = LineGiven(
    kind="labour",
    description="Pose",
    minutes=10,
    unit="hour",
    unit_price=Decimal(62),
    covered=50,
    discount=Decimal(5),
)
PART = LineGiven(
    kind="part",
    description="Vanne",
    unit="piece",
    unit_price=Decimal("0.35"),
    quantity=Decimal(3),
    vat_class="standard",
)
FIVE = Discount(label="Remise", percent=Decimal(5))


@example([WORK, PART], PLACES[0], FIVE)
@example([WORK, PART], PLACES[-1], FIVE)
@given(lines=st.lists(LINES, min_size=1, max_size=8), supply=st.sampled_from(PLACES), off=OFF)
@settings(max_examples=60, deadline=None)
def test_whatever_is_billed_keeps_the_rules(
    lines: list[LineGiven], supply: Supply, off: Discount | None
) -> None:
    made_of = itemised(lines, off, supply, FR)
    fields = made_of._asdict() | {"discount": off, "supply": supply}
    business = {"buyer": BUSINESS, "mentions": LATE}
    shown = paper(fields.pop("lines"), fields.pop("vat"), **fields)
    shown = shown.model_copy(update=business if supply.buyer == "business" else {})
    rules = (EUROPEAN, FRENCH) if shown.buyer.is_business else (EUROPEAN,)
    assert broken_rules(made(shown), *rules) == []


def test_a_currency_with_three_decimals_has_none() -> None:
    """EN 16931 rounds amounts to two."""
    dinars = paper([line("Pose", "12.340")], [vat("standard", "19", "12.340", "2.345")], currency="TND")
    assert electronic_invoice(dinars) is None
