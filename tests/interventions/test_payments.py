"""Payments: counted up to the balance, by managers, and seen by the client."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, client, invoice
from given_interventions import NOW
from given_views import a

from sav_chassis.errors import IllegalMove, NotAllowed
from sav_chassis.testing import Outcome, Stage
from sav_chassis.written import day
from sav_contracts.actor import MANAGERS, Actor, Role
from sav_contracts.interventions.client_credit import CreditReceived, RecordOnAccount
from sav_contracts.interventions.invoice import InvoiceChanged, InvoicePaid, InvoiceStatus, InvoiceView
from sav_contracts.interventions.payment import PaymentRecorded, PaymentStatus, PaymentView, RecordPayment
from sav_contracts.surface import SURFACE
from sav_interventions.days import local_day
from sav_interventions.lifecycle import INVOICE as INVOICES
from sav_interventions.lifecycle import PAYMENT as PAYMENTS

ANY_MANAGER, SYSTEM = set(MANAGERS), {Role.SYSTEM}
# Said once more, state by state: what the tables must be, and nothing else.
INVOICE_TABLE: dict[InvoiceStatus, dict[InvoiceStatus, set[Role]]] = {
    "draft": {"issued": ANY_MANAGER, "discarded": ANY_MANAGER | SYSTEM},
    "issued": {
        "partly_paid": ANY_MANAGER | SYSTEM,
        "paid": ANY_MANAGER | SYSTEM,
        "credited": ANY_MANAGER | SYSTEM,
    },
    "partly_paid": {
        "paid": ANY_MANAGER | SYSTEM,
        "issued": SYSTEM,
        "credited": ANY_MANAGER | SYSTEM,
    },
    "paid": {
        "partly_paid": SYSTEM,
        "issued": SYSTEM,
        "credited": ANY_MANAGER | SYSTEM,
    },
    "credited": {},
    "discarded": {},
}
PAYMENT_TABLE: dict[PaymentStatus, dict[PaymentStatus, set[Role]]] = {
    "initiated": {"captured": SYSTEM, "failed": SYSTEM, "expired": SYSTEM},
    "captured": {
        "partly_refunded": ANY_MANAGER | SYSTEM,
        "refunded": ANY_MANAGER | SYSTEM,
        "disputed": SYSTEM,
    },
    "failed": {"captured": SYSTEM},
    "expired": {"captured": SYSTEM},
    "partly_refunded": {"refunded": ANY_MANAGER | SYSTEM, "disputed": SYSTEM},
    "refunded": {"disputed": SYSTEM},
    "disputed": {"captured": SYSTEM, "partly_refunded": SYSTEM, "refunded": SYSTEM},
}
ROW = "SELECT status, paid FROM invoice WHERE id = $1"
PAID = "SELECT paid FROM invoice WHERE id = $1"


def pay(amount: str, **fields: Any) -> RecordPayment:
    return RecordPayment(invoice_id=INVOICE, method="transfer", amount=Decimal(amount), **fields)


def recorded(outcome: Outcome) -> tuple[PaymentView, InvoiceView]:
    """The payment, and the invoice after it."""
    assert outcome.problem is None
    payment, told = outcome.events[:2]
    assert isinstance(payment, PaymentRecorded)
    assert type(told) in (InvoiceChanged, InvoicePaid)
    assert isinstance(told, InvoicePaid) == (told.state.status == "paid")
    return payment.state, told.state


async def numbers(stage: Stage) -> list[int]:
    """The numbers of the ledger's entries; each stands on the one before."""
    rows = await stage.database.pool.fetch(
        "SELECT number, previous_hash, hash FROM ledger_entry ORDER BY number"
    )
    assert [row["previous_hash"] for row in rows] == ["0" * 64, *(row["hash"] for row in rows)][: len(rows)]
    return [row["number"] for row in rows]


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("lifecycle", "table"), [(INVOICES, INVOICE_TABLE), (PAYMENTS, PAYMENT_TABLE)])
def test_the_tables_say_who_moves_what_where(lifecycle: Any, table: Any, role: Role) -> None:
    assert set(table) == set(get_args(InvoiceStatus if lifecycle is INVOICES else PaymentStatus))
    for now in table:
        for to in table:
            allowed = table[now].get(to, set())
            if role in allowed:
                lifecycle.check(now, to, Actor(role=role))
            else:
                with pytest.raises(NotAllowed if allowed - SYSTEM else IllegalMove):
                    lifecycle.check(now, to, Actor(role=role))


async def test_an_invoice_is_paid_in_parts(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    part, after = recorded(await stage.when(pay("50.00", reference="VIR 12"), by=world.marie))
    assert (part.invoice_id, part.invoice_number, part.parent) == (INVOICE, "FAC-2026-000001", INVOICE)
    assert (part.amount, part.currency, part.status) == (Decimal("50.00"), "EUR", "captured")
    assert (part.method, part.reference) == ("transfer", "VIR 12")
    assert (after.status, after.paid, after.balance) == ("partly_paid", Decimal("50.00"), Decimal("51.88"))

    _, after = recorded(await stage.when(pay("1.88"), by=world.marie))
    assert (after.status, after.balance) == ("partly_paid", Decimal("50.00"))
    _, after = recorded(await stage.when(pay("50"), by=world.alex))
    assert (after.status, after.paid, after.balance) == ("paid", Decimal("101.88"), Decimal("0.00"))


async def test_an_invoice_is_paid_at_once(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    outcome = await stage.when(pay("101.88"), by=world.marie)
    payment, after = recorded(outcome)
    assert (after.status, after.balance) == ("paid", Decimal("0.00"))
    assert outcome.reply["id"] == str(payment.id)
    assert after.hash == f"{1:064}"


@pytest.mark.parametrize(
    ("status", "paid", "balance"),
    [
        ("issued", "0.00", "101.88"),
        ("partly_paid", "100.00", "1.88"),
        ("paid", "101.88", "0.00"),
        ("credited", "0.00", "0.00"),
    ],
)
async def test_what_is_more_than_the_balance_is_the_clients_credit(
    stage: Stage, status: InvoiceStatus, paid: str, balance: str
) -> None:
    await stage.given(invoice(status, paid=paid))
    outcome = await stage.when(pay(str(Decimal(balance) + Decimal("48.12"))), by=world.marie)
    payment, credit = outcome.events[0].state, outcome.events[-1].state
    assert isinstance(outcome.events[-1], CreditReceived)
    assert payment.amount == Decimal(balance) + Decimal("48.12")
    assert payment.credited == credit.amount == credit.remaining == Decimal("48.12")
    assert (credit.origin, credit.payment_id, credit.client_id) == (
        "beyond_balance",
        payment.id,
        world.lea.id,
    )
    [row] = await stage.database.pool.fetch(ROW, INVOICE)
    assert row["paid"] == Decimal(paid) + Decimal(balance)
    assert row["status"] == ("credited" if status == "credited" else "paid")


async def test_payments_at_once_never_exceed_the_balance(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    outcomes = await asyncio.gather(
        *(stage.when(pay("50.94"), by=world.marie, seconds=20) for _ in range(2)),
        *(stage.when(pay("50.93"), by=world.marie, seconds=20) for _ in range(4)),
    )
    received = sum(Decimal(outcome.reply["amount"]) for outcome in outcomes)
    credited = sum(Decimal(outcome.reply["credited"]) for outcome in outcomes)
    [row] = await stage.database.pool.fetch(ROW, INVOICE)
    assert received == Decimal("305.60")
    assert row["paid"] == received - credited == Decimal("101.88")
    assert row["status"] == "paid"
    assert await stage.database.pool.fetchval("SELECT sum(amount) FROM client_credit") == credited
    assert await stage.database.pool.fetchval("SELECT sum(amount) FROM ledger_entry") == received
    assert await numbers(stage) == list(range(1, 7))


@pytest.mark.parametrize("status", ["draft", "discarded"])
async def test_only_an_issued_invoice_is_paid(stage: Stage, status: InvoiceStatus) -> None:
    await stage.given(invoice(status))
    for amount in ("1.00", "101.88", "500.00"):
        assert refusal(await stage.when(pay(amount), by=world.marie)) == (409, "illegal_move")


async def test_a_payment_was_received_today_or_before(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    today = stage.now().date()
    state, _ = recorded(await stage.when(pay("1.00", received_on=today), by=world.marie))
    assert state.received_on == today
    state, _ = recorded(await stage.when(pay("1.00", received_on=today - timedelta(days=9)), by=world.marie))
    assert state.received_on == today - timedelta(days=9)
    state, _ = recorded(await stage.when(pay("1.00"), by=world.marie))
    assert today <= state.received_on <= today + timedelta(days=1)  # it may be tomorrow already in Paris
    outcome = await stage.when(pay("1.00", received_on=today + timedelta(days=2)), by=world.marie)
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    assert [wrong.field for wrong in outcome.problem.errors or []] == ["received_on"]


def on_account(amount: str, received_on: date) -> RecordOnAccount:
    return RecordOnAccount(
        client_id=world.lea.id, method="transfer", amount=Decimal(amount), received_on=received_on
    )


@pytest.mark.parametrize("receive", [pay, on_account])
async def test_money_was_received_within_a_year(stage: Stage, receive: Callable[..., Any]) -> None:
    await stage.given(invoice("issued"))
    await stage.knows(client())
    today = local_day(stage.now())
    leap_day = (today.month, today.day) == (2, 29)
    first = today.replace(year=today.year - 1, day=28 if leap_day else today.day)
    outcome = await stage.when(receive("1.00", received_on=first), by=world.marie)
    assert outcome.problem is None
    for long_ago in (first - timedelta(days=1), date(1900, 1, 1)):
        outcome = await stage.when(receive("1.00", received_on=long_ago), by=world.marie)
        assert refusal(outcome) == (422, "invalid")
        assert outcome.problem
        [wrong] = outcome.problem.errors or []
        assert (wrong.field, wrong.message) == (
            "received_on",
            f"at most a year ago: {day(first, 'en')} or later",
        )


async def test_a_payment_that_is_sent_again_is_counted_once(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    first = await stage.when(pay("50.00"), by=world.marie, key="k")
    again = await stage.when(pay("50.00"), by=world.marie, key="k")
    assert again.reply == first.reply
    assert await stage.database.pool.fetchval(PAID, INVOICE) == Decimal("50.00")


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=["client", "technician"])
async def test_only_managers_record_payments(stage: Stage, who: Actor) -> None:
    await stage.given(invoice("issued"))
    assert refusal(await stage.when(pay("1.00"), by=who)) == (403, "not_allowed")


async def test_a_payment_of_no_invoice_is_not_found(stage: Stage) -> None:
    assert refusal(await stage.when(pay("1.00"), by=world.marie)) == (404, "not_found")


@pytest.mark.parametrize("status", get_args(InvoiceStatus))
def test_a_client_sees_an_invoice_from_its_issue_on(status: InvoiceStatus) -> None:
    row = invoice(status, reason="interne")
    row.version, row.created_at, row.updated_at = 1, NOW, NOW
    shown = row.view().for_client()
    if status in {"draft", "discarded"}:
        assert shown is None
    else:
        assert shown
        assert {"hash", "previous_hash", "reason"}.isdisjoint(shown.model_dump())
        assert shown.balance == shown.total - shown.paid


def test_a_technician_sees_and_does_nothing_about_money() -> None:
    rows = [
        row
        for row in SURFACE
        if row.message in (InvoiceView, PaymentView)
        or (row.message.__name__.endswith(("Invoice", "Payment")) and row.message.owner == "interventions")
    ]
    assert len(rows) >= 7
    assert [row.message.__name__ for row in rows if Role.TECHNICIAN in row.roles] == []


def test_a_payment_belongs_to_its_invoice_and_its_reclamation() -> None:
    payment = a(PaymentView, invoice_id=INVOICE, reclamation_id=UUID(int=1))
    assert payment.timeline_roots() == {INVOICE, UUID(int=1)}
