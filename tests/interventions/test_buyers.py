"""Who is invoiced: private persons, and businesses with their numbers and mentions."""

from datetime import date
from typing import Any

import pytest
import world
from given_billing import (
    CERTIFIED,
    FR,
    INVOICE,
    SELLER,
    client,
    closed,
    home,
    invoice,
    issue,
    line,
    told_closed,
)
from given_interventions import valve
from pydantic import TypeAdapter, ValidationError

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.buyer import Siren, TaxNumber
from sav_contracts.interventions.invoice import (
    Buyer,
    ChangeInvoice,
    InvoiceChanged,
    InvoiceDrafted,
    InvoiceIssued,
)
from sav_contracts.interventions.line import LineGiven, SupplyGiven, Works
from sav_interventions.accounting import sales_of
from sav_interventions.invoice_paper import InvoicePaper
from sav_interventions.journals import sale

# Since the first of September 2026 invoices to businesses name them by their SIREN.
AUTUMN = CERTIFIED.model_copy(update={"on": date(2026, 10, 1)})
WORK = line(kind="labour", unit="hour")
BROUGHT = line(kind="other", description="Livraison")


def change(**fields: Any) -> ChangeInvoice:
    return ChangeInvoice(invoice_id=INVOICE, **fields)


async def changed(stage: Stage, **fields: Any) -> Buyer:
    return (await stage.when(change(**fields), by=world.marie)).only(InvoiceChanged).state.buyer


async def issued_to_a_business(stage: Stage, *lines: LineGiven, works: Works = "repair") -> list[str]:
    await stage.given(invoice("draft", *lines, supply=AUTUMN.model_copy(update={"works": works})))
    await changed(stage, buyer_siren="732 829 320")
    return (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state.mentions


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    return outcome.problem.status, outcome.problem.code


async def test_a_siren_makes_the_buyer_a_business(stage: Stage) -> None:
    await stage.given(invoice(supply=AUTUMN))
    buyer = await changed(stage, buyer_siren="732 829 320", buyer_tax_number="fr 44 732 829 320")
    assert (buyer.kind, buyer.siren, buyer.tax_number) == ("business", "732829320", "FR44732829320")
    # A private person has none.
    buyer = await changed(stage, buyer_kind="private")
    assert (buyer.kind, buyer.siren, buyer.tax_number) == ("private", None, None)
    both = change(buyer_kind="private", buyer_siren="732829320")
    assert refusal(await stage.when(both, by=world.marie)) == (422, "invalid")


async def test_a_business_is_not_invoiced_without_a_number(stage: Stage) -> None:
    await stage.given(invoice(supply=AUTUMN))
    unnamed = (await stage.when(change(buyer_kind="business"), by=world.marie)).only(InvoiceChanged).state
    assert unnamed.lacks == ["siren"]
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "business_unnamed")
    await changed(stage, buyer_tax_number="BE0403170701")
    (await stage.when(issue, by=world.marie)).only(InvoiceIssued)


@pytest.mark.parametrize(
    ("works", "lines", "nature"),
    [
        ("sale", [line()], "goods"),
        # What it costs to bring goods is a part of their sale.
        ("sale", [line(), BROUGHT], "goods"),
        ("repair", [WORK], "services"),
        ("repair", [line(), WORK], "both"),
        ("repair", [line()], "both"),
    ],
)
async def test_a_business_reads_of_penalties_and_of_what_was_sold(
    stage: Stage, works: Any, lines: list[LineGiven], nature: Any
) -> None:
    mentions = await issued_to_a_business(stage, *lines, works=works)
    assert mentions == [*FR.mentions, *FR.business_mentions, FR.nature_mentions[nature]]
    assert any("40 €" in mention for mention in mentions)
    # The journals and e-reporting say the same.
    billed = invoice("issued", *lines, supply=AUTUMN.model_copy(update={"works": works}))
    assert sale(billed).booked[1].account == ("goods" if nature == "goods" else "services")
    assert {told.category for told in sales_of([billed])} == {"TLB1" if nature == "goods" else "TPS1"}


async def test_a_private_person_reads_of_the_mediator_and_of_no_penalties(stage: Stage) -> None:
    await stage.given(invoice(supply=AUTUMN))
    mentions = (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state.mentions
    assert any("médiateur" in mention for mention in mentions)
    assert not any("40 €" in mention or "Pénalités" in mention for mention in mentions)


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        (Siren, "732829321"),
        (Siren, "73282932"),
        (Siren, "SIREN"),
        (TaxNumber, "FR00732829320"),
        (TaxNumber, "XX123"),
    ],
)
def test_a_number_that_cannot_be_is_refused(form: Any, wrong: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(form).validate_python(wrong)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1182431M", "1182431M"),
        ("1182431/m", "1182431M"),
        ("1182431 / M / A / M / 000", "1182431MAM000"),
        ("1496298TPN000", "1496298TPN000"),
        ("1282182 W", "1282182W"),
        ("121J", "0000121J"),
    ],
)
def test_a_tunisian_number_is_read(text: str, kept: str) -> None:
    assert TypeAdapter(TaxNumber).validate_python(text) == kept


@pytest.mark.parametrize(
    "wrong", ["1182431N", "1182341M", "1182431NAM000", "1182431M/A/M", "1182431M/A/M/001"]
)
def test_a_tunisian_number_with_another_letter_or_length_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(TaxNumber).validate_python(wrong)


@pytest.mark.parametrize(
    "number",
    [
        {"buyer_siren": "000000000"},
        {"buyer_siren": "000 000 000"},
        {"buyer_tax_number": "FR00000000000"},
        {"buyer_tax_number": "FR12000000000"},
    ],
    ids=str,
)
def test_zeros_are_no_number_of_a_firm(number: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        change(**number)


async def test_a_french_vat_number_names_the_same_firm_as_its_siren(stage: Stage) -> None:
    await stage.given(invoice(supply=AUTUMN))
    other = await stage.when(
        change(buyer_siren="552100554", buyer_tax_number="FR44732829320"), by=world.marie
    )
    assert refusal(other) == (422, "invalid")
    assert (await changed(stage, buyer_tax_number="FR44732829320")).siren == "732829320"
    assert refusal(await stage.when(change(buyer_siren="552100554"), by=world.marie)) == (422, "invalid")
    # Nor does a number alone make the buyer another firm; both are corrected together.
    alone = await stage.when(change(buyer_tax_number="FR96552100554"), by=world.marie)
    assert refusal(alone) == (422, "invalid")
    both = await changed(stage, buyer_siren="552100554", buyer_tax_number="FR96552100554")
    assert (both.siren, both.tax_number) == ("552100554", "FR96552100554")


async def test_a_business_reads_where_it_was_delivered(stage: Stage) -> None:
    await stage.knows(client(), home(True), valve())
    await stage.given(closed())
    draft = (await stage.hears(told_closed(closed()))).only(InvoiceDrafted).state
    assert draft.supply
    assert (there := draft.supply.address) == draft.buyer.address
    paper = InvoicePaper.of(draft.model_copy(update={"number": "FAC-1", "issued_on": draft.supplied_on}))
    assert paper.delivered_to is None
    asked = ChangeInvoice(
        invoice_id=draft.id, buyer_siren="732829320", buyer_address="1 quai Sarrail, 69006 Lyon"
    )
    named = (await stage.when(asked, by=world.marie)).only(InvoiceChanged).state
    assert (
        InvoicePaper.of(
            named.model_copy(update={"number": "FAC-1", "issued_on": draft.supplied_on})
        ).delivered_to
        == there
    )
    # A postcode of another place leaves no wrong address; the new one is said.
    moved = ChangeInvoice(invoice_id=draft.id, supply=SupplyGiven(postcode="69003"))
    supply = (await stage.when(moved, by=world.marie)).only(InvoiceChanged).state.supply
    assert supply
    assert (supply.postcode, supply.address) == ("69003", None)


@pytest.mark.parametrize(
    ("works", "lines", "said"),
    [("repair", [WORK], True), ("repair", [line(), WORK], True), ("sale", [line()], False)],
    ids=["services", "both", "goods"],
)
async def test_a_firm_that_pays_vat_on_debits_says_so_to_businesses(
    stage: Stage, works: Any, lines: list[LineGiven], said: bool
) -> None:
    supply = AUTUMN.model_copy(update={"works": works})
    seller = SELLER.model_copy(update={"vat_on_debits": True})
    await stage.given(invoice("draft", *lines, supply=supply, seller=seller))
    await changed(stage, buyer_siren="732829320")
    mentions = (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state.mentions
    assert (FR.debits_mention in mentions) == said


async def test_nothing_is_said_of_debits_to_a_private_person(stage: Stage) -> None:
    await stage.given(invoice("draft", WORK, seller=SELLER.model_copy(update={"vat_on_debits": True})))
    mentions = (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state.mentions
    assert mentions == [*FR.mentions, *FR.private_mentions]
