"""Credit notes: they correct an issued invoice in whole or in part, under gapless numbers of their own."""

import asyncio
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, invoice, line
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.interventions.client_credit import CreditReceived
from sav_contracts.interventions.credit_note import (
    CreditedLine,
    CreditGiven,
    CreditInvoice,
    CreditNoteIssued,
    CreditNoteView,
)
from sav_contracts.interventions.invoice import (
    InvoiceChanged,
    InvoicePaid,
    InvoiceView,
)
from sav_contracts.interventions.line import InvoiceLine, VatTotal
from sav_contracts.interventions.payment import RecordPayment
from sav_interventions.credit import AllCredited, credited
from sav_interventions.model import CreditNote
from sav_interventions.model.invoice import GENESIS

D = Decimal


def billed(amount: str, vat_class: str = "intermediate") -> InvoiceLine:
    return InvoiceLine.model_validate(
        {
            "kind": "part",
            "description": "Pièce",
            "quantity": 1,
            "unit": "piece",
            "unit_price": amount,
            "vat_class": vat_class,
            "amount": amount,
        }
    )


def taxed(vat_class: str, rate: str, base: str, vat: str, allowance: str) -> VatTotal:
    return VatTotal.model_validate(
        {
            "vat_class": vat_class,
            "rate": rate,
            "base": base,
            "vat": vat,
            "mention": None,
            "allowance": allowance,
        }
    )


# The first case of the law's page: 5 % off the whole.
LINES = [billed("93.00"), billed("48.90"), billed("35.00"), billed("129.90", "standard")]
VAT = [
    taxed("standard", "20", "123.40", "24.68", "6.50"),
    taxed("intermediate", "10", "168.05", "16.81", "8.85"),
]


def credit(*lines: CreditGiven, **fields: Any) -> CreditInvoice:
    usual: dict[str, Any] = {"invoice_id": INVOICE, "lines": [*lines] or None, "reason": "pièce reprise"}
    return CreditInvoice(**(usual | fields))


def noted(outcome: Outcome) -> tuple[CreditNoteView, InvoiceView]:
    """The credit note, and the invoice after it."""
    assert outcome.problem is None, outcome.problem
    note, told = outcome.events
    assert isinstance(note, CreditNoteIssued)
    assert type(told) in (InvoiceChanged, InvoicePaid)
    return note.state, told.state


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


async def notes(stage: Stage) -> list[CreditNote]:
    async with AsyncSession(stage.database.engine) as session:
        return list(await session.scalars(select(CreditNote).order_by(CreditNote.number)))


def test_a_line_is_credited_with_its_share_of_the_discount() -> None:
    of_one = credited(LINES, VAT, [], [CreditGiven(line=2)], "EUR")
    assert [(one.line, one.amount) for one in of_one.lines] == [(2, D("48.90"))]
    assert (of_one.net, of_one.tax, of_one.net + of_one.tax) == (D("46.45"), D("4.65"), D("51.10"))
    assert not of_one.whole


def test_the_whole_is_what_was_invoiced() -> None:
    whole = credited(LINES, VAT, [], None, "EUR")
    assert whole.vat == VAT
    assert (whole.net, whole.tax, whole.whole) == (D("291.45"), D("41.49"), True)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 20_000)), max_size=12),
    st.integers(0, 95),
)
@example([(1, 4890), (0, 1), (0, 1), (3, 12990)], 5)
def test_credit_notes_in_any_parts_amount_to_the_invoice(parts: list[tuple[int, int]], percent: int) -> None:
    vat = [_of_rate("standard", 20, percent), _of_rate("intermediate", 10, percent)]
    before: list[CreditedLine] = []
    given_back: list[VatTotal] = []
    for place, cents in parts:
        left = LINES[place].amount - sum(one.amount for one in before if one.line == place + 1)
        amount = min(D(cents) / 100, left)
        if amount:
            try:
                note = credited(LINES, vat, before, [CreditGiven(line=place + 1, amount=amount)], "EUR")
            except AllCredited:  # a cent of which the discount leaves nothing
                continue
            before += note.lines
            given_back += note.vat
    rest = None
    try:
        rest = credited(LINES, vat, before, None, "EUR")
    except AllCredited:
        assert sum(one.amount for one in before) == sum(one.amount for one in LINES)
    if rest:
        assert rest.whole
        given_back += rest.vat
    for total in vat:
        of_rate = [one for one in given_back if one.vat_class == total.vat_class]
        assert sum((one.base for one in of_rate), D(0)) == total.base
        assert sum((one.allowance or D(0) for one in of_rate), D(0)) == total.allowance
        assert sum((one.vat for one in of_rate), D(0)) == total.vat
        assert all(one.base >= 0 and one.vat >= 0 for one in of_rate)


def _of_rate(vat_class: str, rate: int, percent: int) -> VatTotal:
    gross = sum((one.amount for one in LINES if one.vat_class == vat_class), D(0))
    base = (gross * (100 - percent) / 100).quantize(D("0.01"))
    vat = (base * rate / 100).quantize(D("0.01"), "ROUND_HALF_UP")
    return taxed(vat_class, str(rate), str(base), str(vat), str(gross - base))


async def test_a_partial_credit_note_leaves_the_invoice_open(stage: Stage) -> None:
    await stage.given(invoice("issued", line(), line("intermediate")))
    note, after = noted(await stage.when(credit(CreditGiven(line=2)), by=world.marie))
    assert note.number == f"AVO-{note.issued_on.year}-000001"
    assert (note.invoice_number, note.whole, note.reason) == ("FAC-2026-000001", False, "pièce reprise")
    assert (note.net, note.tax, note.total, note.amount) == (
        D("84.90"),
        D("8.49"),
        D("93.39"),
        D("93.39"),
    )
    assert (after.status, after.credited, after.balance) == ("issued", D("93.39"), D("101.88"))
    assert note.parent == INVOICE
    assert (note.previous_hash, len(note.hash)) == (GENESIS, 64)
    # The invoice itself is as it was issued.
    assert (after.hash, after.total) == (f"{1:064}", D("195.27"))


async def test_the_rest_ends_the_invoice(stage: Stage) -> None:
    await stage.given(invoice("issued", line(), line("intermediate")))
    first, _ = noted(await stage.when(credit(CreditGiven(line=2)), by=world.marie))
    second, after = noted(await stage.when(credit(), by=world.alex))
    assert (second.whole, [one.line for one in second.lines]) == (True, [1])
    assert second.previous_hash == first.hash
    assert (after.status, after.credited, after.balance) == ("credited", D("195.27"), D("0.00"))
    assert refusal(await stage.when(credit(), by=world.marie)) == (409, "illegal_move")


async def test_what_is_paid_beyond_the_credit_stays_the_clients(stage: Stage) -> None:
    await stage.given(invoice("issued", line(), line("intermediate")))
    paid = RecordPayment(invoice_id=INVOICE, method="transfer", amount=D("195.27"))
    await stage.when(paid, by=world.marie)
    outcome = await stage.when(credit(CreditGiven(line=2, amount=D("40.00"))), by=world.marie)
    [kept] = [event.state for event in outcome.events if isinstance(event, CreditReceived)]
    # The number is drawn last: the row of the series keeps all others from issuing.
    told = [type(event) for event in outcome.events]
    assert told.index(CreditReceived) < told.index(CreditNoteIssued)
    [issued] = [event for event in outcome.events if isinstance(event, CreditNoteIssued)]
    assert issued.overpaid == kept.amount
    assert (kept.origin, kept.remaining, kept.client_id) == ("credit_note", D("44.00"), world.lea.id)
    [after] = [event.state for event in outcome.events if isinstance(event.state, InvoiceView)]
    assert isinstance(after, InvoiceView)
    assert (after.status, after.credited, after.paid) == ("paid", D("44.00"), D("151.27"))
    assert (after.overpaid, after.balance) == (D("0.00"), D("0.00"))


async def test_a_credit_note_for_what_is_left_to_pay_settles_the_invoice(stage: Stage) -> None:
    await stage.given(invoice("partly_paid", line(), line("intermediate"), paid="101.88"))
    outcome = await stage.when(credit(CreditGiven(line=2)), by=world.marie)
    assert isinstance(outcome.events[1], InvoicePaid)
    _, after = noted(outcome)
    assert (after.status, after.balance, after.overpaid) == ("paid", D("0.00"), D("0.00"))


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ([CreditGiven(line=3)], "lines.0.line"),
        ([CreditGiven(line=1), CreditGiven(line=1)], "lines.1.line"),
        ([CreditGiven(line=2, amount=D("84.91"))], "lines.0.amount"),
        ([CreditGiven(line=1), CreditGiven(line=2, amount=D("10.005"))], "lines.1.amount"),
    ],
    ids=["no such line", "twice", "too much", "too fine"],
)
async def test_only_what_is_left_is_credited(stage: Stage, lines: Sequence[CreditGiven], field: str) -> None:
    await stage.given(invoice("issued", line(), line("intermediate")))
    outcome = await stage.when(credit(*lines), by=world.marie)
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    assert [one.field for one in outcome.problem.errors or []] == [field]


async def test_what_was_invoiced_with_two_decimals_is_credited_with_two(stage: Stage) -> None:
    old = invoice("issued", currency="TND")
    # From before supplies were recorded.
    old.supply = None
    await stage.given(old)
    note, _ = noted(await stage.when(credit(CreditGiven(line=1, amount=D("0.33"))), by=world.marie))
    assert (note.net, note.tax) == (D("0.33"), D("0.07"))


async def test_a_line_is_credited_once(stage: Stage) -> None:
    await stage.given(invoice("issued", line(), line("intermediate")))
    half = CreditGiven(line=2, amount=D("42.45"))
    await stage.when(credit(half), by=world.marie)
    _, after = noted(await stage.when(credit(half), by=world.marie))
    assert after.credited == D("93.39")
    assert refusal(await stage.when(credit(half), by=world.marie)) == (422, "invalid")


@pytest.mark.parametrize("status", ["draft", "discarded", "credited"])
async def test_only_an_issued_invoice_is_credited(stage: Stage, status: str) -> None:
    await stage.given(invoice(status))
    assert refusal(await stage.when(credit(), by=world.marie)) == (409, "illegal_move")
    assert await notes(stage) == []


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=["client", "technician"])
async def test_only_managers_credit(stage: Stage, who: Actor) -> None:
    await stage.given(invoice("issued"))
    assert refusal(await stage.when(credit(), by=who)) == (403, "not_allowed")


async def test_credit_notes_at_once_have_no_gap_and_one_chain(stage: Stage) -> None:
    ids = [UUID(int=3000 + n) for n in range(20)]
    await stage.given(*(invoice("issued", id=id, number=n) for n, id in enumerate(ids, 1)))
    # Everyone twice: the second one comes too late.
    outcomes = await asyncio.gather(
        *(stage.when(credit(invoice_id=id), by=world.marie, seconds=30) for id in [*ids, *ids])
    )
    done = [outcome for outcome in outcomes if outcome.problem is None]
    assert len(done) == 20
    previous, day = GENESIS, date.min
    kept = await notes(stage)
    assert {note.invoice_id for note in kept} == set(ids)
    for n, note in enumerate(kept, 1):
        assert note.number == f"AVO-{note.issued_on.year}-{n:06}"
        assert (note.previous_hash, note.hash) == (previous, note.digest(previous))
        assert day <= note.issued_on
        previous, day = note.hash, note.issued_on


async def test_what_a_hash_is_made_of(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    await stage.when(credit(), by=world.marie)
    [note] = await notes(stage)
    for name, value in {"reason": "autre", "net": D("1.00"), "invoice_number": "FAC-2026-000002"}.items():
        before = getattr(note, name)
        setattr(note, name, value)
        assert note.digest(GENESIS) != note.hash, name
        setattr(note, name, before)
    assert note.digest(GENESIS) == note.hash
