"""Deposit invoices: drafted from an agreed price, in the numbering of invoices, deducted once by the final one."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, SUPPLY, client, home, invoice, issue, line
from given_interventions import PRODUCT, VISIT, visit

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.credit_note import CreditInvoice, CreditNoteIssued
from sav_contracts.interventions.deposit import DraftDeposit
from sav_contracts.interventions.invoice import (
    Buyer,
    ChangeInvoice,
    InvoiceChanged,
    InvoiceDrafted,
    InvoiceIssued,
    InvoicePaid,
    InvoiceView,
    IssueInvoice,
)
from sav_contracts.interventions.line import LineGiven
from sav_interventions.deposits import deposit_lines
from sav_interventions.model import Invoice

D = Decimal
DEPOSIT, NEXT = UUID(int=701), UUID(int=199)
# The boiler case of the law's page.
BOILER = [
    line(description="Chaudière gaz", unit_price=D("2000.00")),
    line(description="Pose", kind="labour", unit="hour", unit_price=D("62.00")),
]


def draft(percent: int = 30, lines: list[LineGiven] | None = None) -> DraftDeposit:
    return DraftDeposit(intervention_id=VISIT, percent=percent, lines=lines or BOILER, certified=True)


def deposit(status: str = "issued", **fields: Any) -> Invoice:
    """30 % of the boiler case, 742.32, invoiced as number 5."""
    usual: dict[str, Any] = {"id": DEPOSIT, "number": 5, "deposit": True, "intervention_id": VISIT}
    agreed = invoice("draft", *BOILER).vat
    return invoice(status, *deposit_lines(agreed, 30, "EUR", "fr"), **(usual | fields))


def final(status: str = "draft", *lines: LineGiven, **fields: Any) -> Invoice:
    usual: dict[str, Any] = {"intervention_id": VISIT, "number": 6}
    return invoice(status, *(lines or BOILER), **(usual | fields))


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


async def visited(stage: Stage) -> None:
    await stage.given(visit("planned", product_id=PRODUCT, purpose="repair", overdue=False, assignment=1))


def issued(outcome: Outcome) -> InvoiceView:
    assert outcome.problem is None, outcome.problem
    # Of two that were issued at once, the one that was asked for.
    states = [event.state for event in outcome.events if isinstance(event, InvoiceIssued)]
    [told] = [state for state in states if str(state.id) == outcome.reply["id"]]
    return told


async def test_a_deposit_is_drafted_and_issued_in_the_numbering_of_invoices(stage: Stage) -> None:
    await stage.knows(client(), home(older=True))
    await visited(stage)
    drafted = (await stage.when(draft(), by=world.marie)).only(InvoiceDrafted).state
    assert (drafted.deposit, drafted.intervention_id, drafted.status) == (True, VISIT, "draft")
    assert [(one.description, one.amount) for one in drafted.lines] == [
        ("Acompte de 30 % (TVA 20 %)", D("618.60"))
    ]
    assert (drafted.net, drafted.tax, drafted.total) == (D("618.60"), D("123.72"), D("742.32"))
    of_it = issued(await stage.when(IssueInvoice(invoice_id=drafted.id), by=world.marie))
    assert of_it.number
    assert of_it.number.startswith("FAC-")
    assert of_it.issued_on
    assert of_it.due_on
    assert (of_it.due_on - of_it.issued_on).days == 10


async def test_a_deposit_has_a_line_for_each_rate(stage: Stage) -> None:
    await stage.knows(client(), home(older=True))
    await visited(stage)
    lines = [line("intermediate", unit_price=D("168.05")), line(unit_price=D("123.40"))]
    drafted = (await stage.when(draft(50, lines), by=world.marie)).only(InvoiceDrafted).state
    assert [(one.vat_class, one.amount) for one in drafted.lines] == [
        ("standard", D("61.70")),
        ("intermediate", D("84.03")),
    ]


async def test_the_final_invoice_names_and_deducts_the_deposit(stage: Stage) -> None:
    await visited(stage)
    await stage.given(deposit(), final())
    outcome = await stage.when(issue, by=world.marie)
    whole = issued(outcome)
    assert (whole.total, whole.deducted, whole.payable, whole.balance) == (
        D("2474.40"),
        D("742.32"),
        D("1732.08"),
        D("1732.08"),
    )
    [named] = whole.deposits
    assert (named.invoice_id, named.number) == (DEPOSIT, "FAC-2026-000005")
    assert (named.net, named.tax, named.total) == (D("618.60"), D("123.72"), D("742.32"))
    assert whole.tax - named.tax == D("288.68")
    [changed] = [event for event in outcome.events if event.type_name() == InvoiceChanged.type_name()]
    assert (changed.state.id, changed.state.deducted_in) == (DEPOSIT, INVOICE)
    # What the client pays of both together is the price.
    assert changed.state.balance + whole.balance == whole.total


@pytest.mark.parametrize(
    "fields",
    [
        {"buyer": Buyer(name="Autre Client", address="1 rue de l'Exemple, 75001 Paris")},
        {"buyer": Buyer(name="Léa Martin", address="1 rue", kind="business", siren="732829320")},
        {"supply": SUPPLY.model_copy(update={"postcode": "97400"})},
    ],
    ids=["another name", "a business", "elsewhere"],
)
async def test_a_deposit_of_another_buyer_or_place_is_not_deducted(
    stage: Stage, fields: dict[str, Any]
) -> None:
    await visited(stage)
    await stage.given(deposit(**fields), final())
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "deposit_of_another")


async def test_a_deposit_of_the_same_firm_is_deducted_where_more_is_known_of_it(stage: Stage) -> None:
    await visited(stage)
    firm: Any = {"address": "1 rue", "kind": "business", "siren": "732829320"}
    await stage.given(deposit(buyer=Buyer(name="Martin et fils", **firm)))
    await stage.given(final(buyer=Buyer(name="SARL Martin", tax_number="FR44732829320", **firm)))
    assert len(issued(await stage.when(issue, by=world.marie)).deposits) == 1


async def moved(stage: Stage, **fields: Any) -> None:
    """Two visits of one case, a deposit for the first, the final invoice a draft of the second."""
    usual: dict[str, Any] = {"product_id": PRODUCT, "purpose": "repair", "overdue": False}
    await stage.given(visit("cancelled", **(usual | fields)))
    await stage.given(visit("completed", id=NEXT, assignment=1, **(usual | fields)))
    await stage.given(deposit(), final(intervention_id=NEXT))


@pytest.mark.parametrize(
    "case", [{}, {"reclamation_id": None, "reference": "INT-2026-000007"}], ids=["réclamation", "by hand"]
)
async def test_a_deposit_follows_the_work_to_another_visit(stage: Stage, case: dict[str, Any]) -> None:
    await moved(stage, **case)
    whole = issued(await stage.when(issue, by=world.marie))
    assert ([named.invoice_id for named in whole.deposits], whole.balance) == ([DEPOSIT], D("1732.08"))
    # Nor is a deposit for the first visit owed beside it.
    late = DraftDeposit(intervention_id=VISIT, percent=30, lines=BOILER, certified=True)
    assert refusal(await stage.when(late, by=world.marie)) == (409, "invoiced_already")


async def test_a_deposit_of_later_work_is_not_deducted_from_what_was_done_before(stage: Stage) -> None:
    usual: dict[str, Any] = {"product_id": PRODUCT, "purpose": "repair", "overdue": False}
    await stage.given(visit("incomplete", **usual))
    await stage.given(visit("planned", id=NEXT, assignment=1, **usual))
    await stage.given(deposit(intervention_id=NEXT), final("draft", line()))
    assert issued(await stage.when(issue, by=world.marie)).deposits == []


async def test_the_invoice_of_work_that_goes_on_leaves_the_deposit_to_the_final_one(stage: Stage) -> None:
    usual: dict[str, Any] = {"product_id": PRODUCT, "purpose": "repair", "overdue": False}
    await stage.knows(client(), home(older=True))
    await stage.given(visit("incomplete", cause="parts", **usual))
    await stage.given(visit("planned", id=NEXT, assignment=1, **usual))
    await stage.given(deposit(), final("draft", line()))
    assert issued(await stage.when(issue, by=world.marie)).deposits == []
    # Nor is nothing left for another deposit.
    (await stage.when(draft(10), by=world.marie)).only(InvoiceDrafted)
    await stage.given(final(id=UUID(int=703), intervention_id=NEXT))
    whole = issued(await stage.when(IssueInvoice(invoice_id=UUID(int=703)), by=world.marie))
    assert [named.invoice_id for named in whole.deposits] == [DEPOSIT]


async def test_a_deposit_of_another_case_is_not_deducted(stage: Stage) -> None:
    await visited(stage)
    other = {"reclamation_id": None, "reclamation_reference": None, "reference": "INT-2026-000007"}
    await stage.given(visit("planned", id=NEXT, article="Chaudière", overdue=False, **other))
    await stage.given(deposit(), final(intervention_id=NEXT))
    assert issued(await stage.when(issue, by=world.marie)).deposits == []


async def test_a_deposit_is_deducted_once(stage: Stage) -> None:
    await visited(stage)
    await stage.given(final("issued"))
    await stage.given(deposit(deducted_in=INVOICE))
    await stage.database.pool.execute("UPDATE invoice SET status = 'credited' WHERE id = $1", INVOICE)
    await stage.given(final(id=UUID(int=702)))
    whole = issued(await stage.when(IssueInvoice(invoice_id=UUID(int=702)), by=world.marie))
    assert (whole.deposits, whole.balance) == ([], D("2474.40"))


@pytest.mark.parametrize("status", ["draft", "discarded", "credited"])
async def test_only_deposits_that_count_are_deducted(stage: Stage, status: str) -> None:
    await visited(stage)
    await stage.given(deposit(status), final())
    assert issued(await stage.when(issue, by=world.marie)).deposits == []


async def test_deposits_of_the_whole_price_leave_nothing_to_pay(stage: Stage) -> None:
    await visited(stage)
    agreed = invoice("draft", *BOILER).vat
    whole = invoice(
        "paid",
        *deposit_lines(agreed, 100, "EUR", "fr"),
        id=DEPOSIT,
        number=5,
        deposit=True,
        intervention_id=VISIT,
        paid="2474.40",
    )
    await stage.given(whole, final())
    outcome = await stage.when(issue, by=world.marie)
    paid = outcome.events[-1]
    assert isinstance(paid, InvoicePaid)
    assert (paid.state.status, paid.state.balance) == ("paid", D("0.00"))


async def test_deposits_beyond_the_price_are_credited_first(stage: Stage) -> None:
    await visited(stage)
    await stage.given(deposit(), final("draft", line()))
    change = ChangeInvoice(invoice_id=INVOICE, certified=True)
    changed = (await stage.when(change, by=world.marie)).only(InvoiceChanged).state
    assert changed.lacks == ["deposits_exceed"]
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "deposits_exceed")
    some = {"invoice_id": DEPOSIT, "lines": [{"line": 1, "amount": "600.00"}], "reason": "moins"}
    credited = await stage.when(CreditInvoice.model_validate(some), by=world.marie)
    [note] = [event for event in credited.events if isinstance(event, CreditNoteIssued)]
    assert (await stage.hears(note)).only(InvoiceChanged).state.lacks == []
    assert issued(await stage.when(issue, by=world.marie)).deducted == D("22.32")


async def test_what_was_credited_of_a_deposit_is_not_deducted(stage: Stage) -> None:
    await visited(stage)
    await stage.given(deposit(), final())
    part = CreditInvoice.model_validate(
        {"invoice_id": DEPOSIT, "lines": [{"line": 1, "amount": "318.60"}], "reason": "moins"}
    )
    assert (await stage.when(part, by=world.marie)).problem is None
    [named] = issued(await stage.when(issue, by=world.marie)).deposits
    assert (named.net, named.tax, named.total) == (D("300.00"), D("60.00"), D("360.00"))


async def test_a_deducted_deposit_is_credited_after_the_final_invoice(stage: Stage) -> None:
    await visited(stage)
    await stage.given(deposit(), final())
    await stage.when(issue, by=world.marie)
    of_deposit = CreditInvoice(invoice_id=DEPOSIT, reason="annulation")
    assert refusal(await stage.when(of_deposit, by=world.marie)) == (409, "deducted_already")
    # A line of the boiler is more than what the deposit leaves.
    line_only = CreditInvoice.model_validate(
        {"invoice_id": INVOICE, "lines": [{"line": 1}], "reason": "reprise"}
    )
    assert refusal(await stage.when(line_only, by=world.marie)) == (409, "more_than_invoiced")

    of_final = CreditInvoice(invoice_id=INVOICE, reason="annulation")
    outcome = await stage.when(of_final, by=world.marie)
    [note] = [event for event in outcome.events if isinstance(event, CreditNoteIssued)]
    assert (note.state.total, note.state.deducted, note.state.amount) == (
        D("2474.40"),
        D("742.32"),
        D("1732.08"),
    )
    freed = outcome.events[0].state
    assert isinstance(freed, InvoiceView)
    assert (freed.id, freed.deducted_in) == (DEPOSIT, None)
    assert (await stage.when(of_deposit, by=world.marie)).problem is None


@pytest.mark.parametrize(
    ("percent", "price"), [(30, "0.00"), (1, "0.10")], ids=["nothing is agreed", "less than a cent"]
)
async def test_a_deposit_of_nothing_is_refused(stage: Stage, percent: int, price: str) -> None:
    await stage.knows(client(), home(older=True))
    await visited(stage)
    asked = draft(percent, [line(unit_price=D(price))])
    assert refusal(await stage.when(asked, by=world.marie)) == (422, "invalid")


async def test_no_deposit_follows_the_final_invoice(stage: Stage) -> None:
    await stage.knows(client(), home(older=True))
    await visited(stage)
    await stage.given(deposit("draft"), final("issued"))
    assert refusal(await stage.when(draft(), by=world.marie)) == (409, "invoiced_already")
    late = IssueInvoice(invoice_id=DEPOSIT)
    assert refusal(await stage.when(late, by=world.marie)) == (409, "invoiced_already")


async def test_a_deposit_and_the_final_invoice_at_once_never_bill_twice(stage: Stage) -> None:
    await visited(stage)
    await stage.given(deposit("draft"), final())
    one, other = await asyncio.gather(
        stage.when(IssueInvoice(invoice_id=DEPOSIT), by=world.marie, seconds=30),
        stage.when(issue, by=world.marie, seconds=30),
    )
    whole = issued(other)
    if one.problem:
        assert one.problem.code == "invoiced_already"
        assert whole.deposits == []
    else:
        assert [named.invoice_id for named in whole.deposits] == [DEPOSIT]


async def test_deposits_are_for_managers(stage: Stage) -> None:
    await visited(stage)
    for who in (world.lea, world.karim):
        assert refusal(await stage.when(draft(), by=who)) == (403, "not_allowed")
