"""A firm in Tunisia: its rates, three decimals, stamp and numbers, through the commands."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, THE_DAY, client, invoice, issue, line
from given_interventions import PRODUCT, VISIT, product, visit
from given_payments import pay, refusal
from papers import check_archivable, text_of

from sav_chassis.testing import Outcome, Stage
from sav_contracts.catalog.product import Place
from sav_contracts.interventions.credit_note import CreditInvoice, CreditNoteIssued, CreditNoteView
from sav_contracts.interventions.deposit import DraftDeposit
from sav_contracts.interventions.invoice import (
    ChangeInvoice,
    InvoiceChanged,
    InvoiceDrafted,
    InvoiceIssued,
    InvoicePaid,
    InvoiceView,
    IssueInvoice,
)
from sav_contracts.interventions.line import LineGiven, Supply
from sav_interventions.invoice_pdf import invoice_pdf
from sav_interventions.settings import billing

D = Decimal
TUNIS = Supply(on=THE_DAY, country="TN", postcode="1000")
HOME = Place(address="4 rue de Rome", postcode="1000", city="Tunis", country="TN")
# 12.340 + 3.335 at 19 %.
WORKED = [line("standard", unit_price=D("12.340")), line("standard", unit_price=D("3.335"))]


@pytest.fixture(autouse=True)
def _tunisia(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    seller = '{"name": "Confort SAV", "address": "2 rue de Rome, 1000 Tunis", "registration": "RC B0112233", "vat_number": "1182431M/A/M/000"}'
    monkeypatch.setenv("SAV_JURISDICTION", "TN")
    monkeypatch.setenv("SAV_SELLER", seller)
    billing.cache_clear()
    yield
    billing.cache_clear()


def drafted(*lines: LineGiven, **fields: Any) -> Any:
    """A draft in dinars of these lines, of a client in Tunis."""
    usual: dict[str, Any] = {"currency": "TND", "seller": billing().seller, "mentions": []}
    made = invoice("draft", **(usual | fields))
    made.itemise(lines or WORKED, billing().law, TUNIS)
    return made


async def issued(stage: Stage, id: UUID = INVOICE) -> InvoiceView:
    outcome = await stage.when(IssueInvoice(invoice_id=id), by=world.marie)
    assert outcome.problem is None, outcome.problem
    [state] = [event.state for event in outcome.events if isinstance(event, InvoiceIssued)]
    return state


def noted(outcome: Outcome) -> tuple[CreditNoteView, InvoiceView]:
    assert outcome.problem is None, outcome.problem
    [note] = [event.state for event in outcome.events if isinstance(event, CreditNoteIssued)]
    after = outcome.events[-1].state
    assert isinstance(after, InvoiceView)
    return note, after


def credit(*lines: dict[str, Any]) -> CreditInvoice:
    return CreditInvoice.model_validate(
        {"invoice_id": INVOICE, "lines": [*lines] or None, "reason": "reprise"}
    )


async def test_an_invoice_has_three_decimals_and_a_stamp_outside_the_base(stage: Stage) -> None:
    await stage.given(drafted(line("standard", unit_price=D("1.000"))))
    changed = await stage.when(ChangeInvoice(invoice_id=INVOICE, lines=WORKED), by=world.marie)
    assert changed.problem is None, changed.problem
    its = await issued(stage)
    assert [str(one) for one in (its.net, its.tax, its.stamp, its.total)] == [
        "15.675",
        "2.978",
        "1.00",
        "19.653",
    ]
    assert [(str(one.rate), str(one.base), str(one.vat)) for one in its.vat] == [("19", "15.675", "2.978")]
    assert isinstance((await stage.when(pay("19.653"), by=world.marie)).events[-1], InvoicePaid)


async def test_each_class_has_its_rate_without_a_certificate(stage: Stage) -> None:
    await stage.given(
        drafted(*(line(one, unit_price=D(100)) for one in ("standard", "intermediate", "reduced")))
    )
    its = await issued(stage)
    assert [(one.rate, one.vat) for one in its.vat] == [(D(19), D(19)), (D(13), D(13)), (D(7), D(7))]
    assert its.total == D(340)


async def test_a_deposit_and_the_final_invoice_are_stamped_each(stage: Stage) -> None:
    await stage.knows(client(), product().model_copy(update={"place": HOME}))
    await stage.given(visit("planned", product_id=PRODUCT, purpose="repair", overdue=False, assignment=1))
    agreed = [line("standard", unit_price=D("100.005"))]
    asked = DraftDeposit(intervention_id=VISIT, percent=30, lines=agreed)
    draft = (await stage.when(asked, by=world.marie)).only(InvoiceDrafted).state
    before = await issued(stage, draft.id)
    assert (before.net, before.tax, before.stamp, before.total) == (
        D("30.002"),
        D("5.700"),
        D(1),
        D("36.702"),
    )
    await stage.given(drafted(*agreed, intervention_id=VISIT))
    its = await issued(stage)
    assert (its.total, its.deducted, its.balance) == (D("120.006"), D("35.702"), D("84.304"))
    # Both together ask for the price and a stamp for each paper.
    assert before.balance + its.balance == D("119.006") + 2


async def test_a_partial_credit_note_leaves_the_stamp_and_the_last_one_gives_it_back(stage: Stage) -> None:
    await stage.given(drafted())
    await issued(stage)
    part, after = noted(await stage.when(credit({"line": 2, "amount": "1.335"}), by=world.marie))
    assert (part.net, part.tax, part.stamp, part.amount) == (D("1.335"), D("0.254"), None, D("1.589"))
    assert after.balance == D("18.064")
    rest, after = noted(await stage.when(credit(), by=world.marie))
    assert (rest.stamp, rest.whole, part.amount + rest.amount) == (D(1), True, D("19.653"))
    assert (after.status, after.balance) == ("credited", D(0))


async def test_a_business_is_named_by_its_matricule_fiscal(stage: Stage) -> None:
    await stage.given(drafted())
    await stage.when(ChangeInvoice(invoice_id=INVOICE, buyer_kind="business"), by=world.marie)
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "business_unnamed")
    named = ChangeInvoice(invoice_id=INVOICE, buyer_tax_number="1496298 T P N 000")
    assert (await stage.when(named, by=world.marie)).only(
        InvoiceChanged
    ).state.buyer.tax_number == "1496298TPN000"
    assert (await issued(stage)).mentions == []


async def test_the_paper_is_in_dinars_with_the_stamp_and_both_numbers(stage: Stage) -> None:
    await stage.given(drafted())
    named = ChangeInvoice(invoice_id=INVOICE, buyer_tax_number="1496298T")
    await stage.when(named, by=world.marie)
    pdf = invoice_pdf(await issued(stage), "fr")
    check_archivable(pdf)
    said = text_of(pdf)
    for words in (
        "12,340",
        "2,978",
        "Timbre fiscal 1,000",
        "19,653",
        "Matricule fiscal 1182431M/A/M/000",
        "Matricule fiscal 1496298T",
    ):
        assert words in said, (words, said)
    note, _ = noted(await stage.when(credit(), by=world.marie))
    given_back = text_of(invoice_pdf(note, "fr"))
    assert "Timbre fiscal 1,000" in given_back
    assert "19,653" in given_back
