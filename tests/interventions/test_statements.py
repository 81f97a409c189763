"""The statement of a client, and what all clients owe by age."""

from datetime import date, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import world
from given_billing import FR, INVOICE, client, invoice, line
from hypothesis import example, given
from hypothesis import strategies as st

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.credit_note import CreditGiven, CreditInvoice
from sav_contracts.interventions.invoice import IssueInvoice
from sav_contracts.interventions.payment import RecordPayment, RefundPayment
from sav_contracts.interventions.statement import GetReceivables, GetStatement, Receivables, Statement
from sav_interventions.model import Invoice
from sav_interventions.statements import Owed, aged

D = Decimal
OTHER, PAULS = UUID(int=711), UUID(int=712)


def today(stage: Stage) -> date:
    return stage.now().astimezone(ZoneInfo(FR.zone)).date()


def owed(stage: Stage, days_late: int, **fields: Any) -> Invoice:
    """An issued invoice of 101.88 that was due so many days ago."""
    due = today(stage) - timedelta(days=days_late)
    return invoice("issued", **({"due_on": due, "issued_on": due - timedelta(days=30)} | fields))


async def statement(stage: Stage, by: Any = world.marie, **fields: Any) -> Statement:
    await stage.knows(client())
    outcome = await stage.when(GetStatement(client_id=world.lea.id, **fields), by=by)
    assert outcome.problem is None, outcome.problem
    return Statement.model_validate(outcome.reply)


def code(outcome: Outcome) -> int:
    assert outcome.problem
    return outcome.problem.status


async def test_a_statement_has_papers_and_payments_with_running_balances(stage: Stage) -> None:
    await stage.given(owed(stage, -20))
    half = RecordPayment(
        invoice_id=INVOICE, method="transfer", amount=D("50.00"), received_on=today(stage) - timedelta(days=2)
    )
    await stage.when(half, by=world.marie)
    credit = CreditInvoice(invoice_id=INVOICE, lines=[CreditGiven(line=1, amount=D("10.00"))], reason="geste")
    await stage.when(credit, by=world.marie)
    [account] = (await statement(stage)).accounts
    assert [(one.kind, one.debit, one.credit, one.balance) for one in account.lines] == [
        ("invoice", D("101.88"), D("0.00"), D("101.88")),
        ("payment", D("0.00"), D("50.00"), D("51.88")),
        ("credit_note", D("0.00"), D("12.00"), D("39.88")),
    ]
    assert (account.opening, account.closing) == (D("0.00"), D("39.88"))
    assert (account.ageing.not_due, account.ageing.total) == (D("39.88"), D("39.88"))


async def test_within_a_day_a_statement_follows_the_order_in_which_things_were_entered(stage: Stage) -> None:
    await stage.given(owed(stage, -30, number=900), invoice(id=OTHER))
    await stage.knows(client())
    paid = await stage.when(
        RecordPayment(invoice_id=INVOICE, method="card", amount=D("30.00")), by=world.marie
    )
    await stage.when(IssueInvoice(invoice_id=OTHER), by=world.marie)
    refund = RefundPayment(payment_id=UUID(paid.reply["id"]), amount=D("10.00"), reason="geste")
    await stage.when(refund, by=world.marie)
    await stage.when(RecordPayment(invoice_id=OTHER, method="card", amount=D("5.00")), by=world.marie)
    [account] = (await statement(stage)).accounts
    assert {one.on for one in account.lines} == {today(stage)}
    assert [(one.kind, one.balance) for one in account.lines] == [
        ("invoice", D("101.88")),
        ("payment", D("71.88")),
        ("invoice", D("173.76")),
        ("refund", D("183.76")),
        ("payment", D("178.76")),
    ]


async def test_of_invoices_from_before_the_log_knows_when_they_were_issued(stage: Stage) -> None:
    await stage.given(invoice())
    await stage.when(IssueInvoice(invoice_id=INVOICE), by=world.marie)
    issued_at, pool = "SELECT issued_at FROM invoice", stage.database.pool
    issued = await pool.fetchval(issued_at)
    assert issued
    await pool.execute("UPDATE invoice SET issued_at = NULL")
    migration = import_module("sav_interventions.migrations.0030_when_it_was_issued")
    await pool.execute(migration.FROM_THE_LOG)
    # The event is made at the end of the same transaction.
    assert timedelta(0) <= await pool.fetchval(issued_at) - issued < timedelta(seconds=20)


async def test_what_happened_before_the_period_is_the_opening_balance(stage: Stage) -> None:
    await stage.given(owed(stage, 40))
    before = await statement(stage)
    [account] = before.accounts
    assert (account.opening, account.lines, account.closing) == (D("101.88"), [], D("101.88"))
    assert [(one.number, one.days_late, one.balance) for one in before.open] == [
        ("FAC-2026-000001", 40, D("101.88"))
    ]
    assert (account.ageing.to_60, account.ageing.total) == (D("101.88"), D("101.88"))


async def test_a_client_reads_their_own_statement_only(stage: Stage) -> None:
    await stage.given(owed(stage, 1))
    assert (await statement(stage, by=world.lea)).accounts
    assert code(await stage.when(GetStatement(client_id=world.lea.id), by=world.paul)) == 404
    assert code(await stage.when(GetStatement(client_id=world.lea.id), by=world.karim)) == 403
    assert code(await stage.when(GetReceivables(), by=world.lea)) == 403
    assert code(await stage.when(GetStatement(client_id=OTHER), by=world.marie)) == 404


async def test_a_draft_is_in_no_statement(stage: Stage) -> None:
    await stage.given(invoice())
    assert (await statement(stage)).accounts == []


async def test_receivables_name_who_owes_most_first(stage: Stage) -> None:
    await stage.knows(client(id=world.paul.id, client_id=world.paul.id, name="Paul Roux"))
    await stage.given(
        owed(stage, 5),
        owed(stage, -5, id=OTHER, number=2),
        invoice(
            "issued",
            line(quantity=D(3)),
            id=PAULS,
            number=3,
            client_id=world.paul.id,
            due_on=today(stage) - timedelta(days=120),
        ),
    )
    outcome = await stage.when(GetReceivables(limit=1), by=world.alex)
    found = Receivables.model_validate(outcome.reply)
    [total] = found.totals
    assert (total.not_due, total.to_30, total.older, total.total) == (
        D("101.88"),
        D("101.88"),
        D("305.64"),
        D("509.40"),
    )
    assert [(one.client_id, one.name, one.ageing.total) for one in found.clients] == [
        (world.paul.id, "Paul Roux", D("305.64"))
    ]


@pytest.mark.parametrize(
    ("late", "band"),
    [
        (-1, "not_due"),
        (0, "not_due"),
        (1, "to_30"),
        (30, "to_30"),
        (31, "to_60"),
        (60, "to_60"),
        (61, "to_90"),
        (90, "to_90"),
        (91, "older"),
    ],
)
def test_the_bands_of_age(late: int, band: str) -> None:
    on = date(2026, 6, 1)
    one = Owed(INVOICE, world.lea.id, "F", on, on - timedelta(days=late), D("7.00"), "EUR")
    sums = aged([one], on, "EUR").model_dump(exclude={"currency"})
    assert {name: amount for name, amount in sums.items() if amount} == {band: D("7.00"), "total": D("7.00")}


@given(st.lists(st.tuples(st.integers(-100, 400), st.integers(1, 10**7)), max_size=20))
@example([(30, 1), (31, 1)])
def test_the_bands_amount_to_the_total(balances: list[tuple[int, int]]) -> None:
    on = date(2026, 6, 1)
    found = [
        Owed(INVOICE, world.lea.id, "F", on, on - timedelta(days=late), D(cents) / 100, "EUR")
        for late, cents in balances
    ]
    sums = aged(found, on, "EUR")
    bands = sums.not_due + sums.to_30 + sums.to_60 + sums.to_90 + sums.older
    assert bands == sums.total == sum((one.balance for one in found), D(0))
