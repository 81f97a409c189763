"""What clients owe: the statement of one, and all open invoices by age."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from sav_chassis.errors import NoSuch
from sav_chassis.periods import period
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.invoice import NOTHING
from sav_contracts.interventions.statement import (
    Account,
    Ageing,
    Debtor,
    GetReceivables,
    GetStatement,
    OpenInvoice,
    Receivables,
    Statement,
    StatementLine,
)
from sav_contracts.labels import label
from sav_contracts.money import Currency, as_money
from sav_interventions.app import interventions
from sav_interventions.days import today
from sav_interventions.model import CreditNote, Entry, Invoice

# The last number of days late of each band; later ones are `older`.
BANDS = ((0, "not_due"), (30, "to_30"), (60, "to_60"), (90, "to_90"))


# The day of a line, when it was entered, and its place among those of one moment.
_Entered = tuple[date, datetime, int, str]


class Owed(NamedTuple):
    """What is left of one invoice."""

    invoice_id: UUID
    client_id: UUID
    number: str
    issued_on: date
    due_on: date
    balance: Decimal
    currency: Currency


@interventions.query(GetStatement)
async def get_statement(query: GetStatement, tx: Tx, by: Actor) -> Statement:
    """A client's papers and payments of a period with running balances, and what is open today."""
    theirs = query.client_id == by.id
    if not theirs and (by.role is Role.CLIENT or not await tx.copies(ClientView).one(query.client_id)):
        raise NoSuch(kind=label("client"), id=query.client_id)
    now = today(tx)
    start, end = period(query.start, query.end, now)
    happened = await _happened(tx, query.client_id)
    owed = await _owed(tx, query.client_id)
    currencies = sorted({currency for currency, _ in happened} | {one.currency for one in owed})
    return Statement(
        client_id=query.client_id,
        start=start,
        end=end,
        accounts=[
            _account(
                currency,
                [line for of, line in happened if of == currency],
                start,
                end,
                aged([one for one in owed if one.currency == currency], now, currency),
            )
            for currency in currencies
        ],
        open=[
            OpenInvoice(
                invoice_id=one.invoice_id,
                number=one.number,
                issued_on=one.issued_on,
                due_on=one.due_on,
                days_late=max((now - one.due_on).days, 0),
                balance=one.balance,
                currency=one.currency,
            )
            for one in owed
        ],
    )


@interventions.query(GetReceivables)
async def get_receivables(query: GetReceivables, tx: Tx, by: Actor) -> Receivables:
    """What all clients owe today, by age."""
    now = today(tx)
    by_currency: dict[Currency, list[Owed]] = defaultdict(list)
    by_client: dict[tuple[UUID, Currency], list[Owed]] = defaultdict(list)
    for one in await _owed(tx):
        by_currency[one.currency].append(one)
        by_client[one.client_id, one.currency].append(one)
    debtors = [
        Debtor(client_id=client, ageing=aged(owed, now, currency))
        for (client, currency), owed in by_client.items()
    ]
    debtors.sort(key=lambda debtor: (-debtor.ageing.total, debtor.client_id))
    shown = debtors[: query.limit]
    clients = await tx.copies(ClientView).where(id=[one.client_id for one in shown]).all()
    names = {client.id: client.name for client in clients}
    return Receivables(
        on=now,
        totals=[aged(owed, now, currency) for currency, owed in sorted(by_currency.items())],
        clients=[one.model_copy(update={"name": names.get(one.client_id)}) for one in shown],
    )


def aged(owed: Iterable[Owed], on: date, currency: Currency) -> Ageing:
    """The sums of balances by the days since they were due."""
    sums: dict[str, Decimal] = dict.fromkeys(
        ("not_due", "to_30", "to_60", "to_90", "older", "total"), NOTHING
    )
    for one in owed:
        late = (on - one.due_on).days
        band = next((name for last, name in BANDS if late <= last), "older")
        sums[band] += one.balance
        sums["total"] += one.balance
    return Ageing(currency=currency, **sums)


def _account(
    currency: Currency, lines: list[StatementLine], start: date, end: date, ageing: Ageing
) -> Account:
    """The lines of the period, each with the balance after it; what happened before is the opening balance."""
    opening = sum((line.debit - line.credit for line in lines if line.on < start), NOTHING)
    balance, shown = opening, []
    for line in lines:
        if start <= line.on <= end:
            balance += line.debit - line.credit
            shown.append(line.model_copy(update={"balance": balance}))
    return Account(currency=currency, opening=opening, lines=shown, closing=balance, ageing=ageing)


async def _happened(tx: Tx, client_id: UUID) -> list[tuple[Currency, StatementLine]]:
    """All that changed what a client owes, by day; within a day in the order in which it was entered."""
    invoices = await tx.session.scalars(
        select(Invoice).where(Invoice.client_id == client_id, Invoice.number.is_not(None))
    )
    notes = await tx.session.scalars(select(CreditNote).where(CreditNote.client_id == client_id))
    # Every movement of money once: received and paid back, for an invoice or on account.
    entries = await tx.session.scalars(select(Entry).where(Entry.client_id == client_id))
    lines: list[tuple[_Entered, Currency, StatementLine]] = []
    for invoice in invoices:
        assert invoice.issued_on is not None
        line = StatementLine(
            on=invoice.issued_on,
            kind="deposit" if invoice.deposit else "invoice",
            record_id=invoice.id,
            number=invoice.number,
            debit=invoice.payable,
            credit=NOTHING,
            balance=NOTHING,
        )
        entered = line.on, invoice.issued_at or invoice.created_at, 0, invoice.number or ""
        lines.append((entered, invoice.currency, line))
    for note in notes:
        line = StatementLine(
            on=note.issued_on,
            kind="credit_note",
            record_id=note.id,
            number=note.number,
            debit=NOTHING,
            credit=note.amount,
            balance=NOTHING,
        )
        lines.append(((line.on, note.created_at, 1, note.number), note.currency, line))
    for entry in entries:
        line = StatementLine(
            on=entry.received_on,
            kind="payment" if entry.amount > 0 else "refund",
            record_id=entry.payment_id or entry.client_credit_id or client_id,
            number=entry.invoice_number,
            debit=max(-entry.amount, NOTHING),
            credit=max(entry.amount, NOTHING),
            balance=NOTHING,
        )
        lines.append(((line.on, entry.at, 2, f"{entry.number:020}"), entry.currency, line))
    return [(currency, line) for _, currency, line in sorted(lines, key=lambda one: one[0])]


async def _owed(tx: Tx, client_id: UUID | None = None) -> list[Owed]:
    """What is left of issued invoices: of one client's, or of all; who is longest due comes first."""
    total = Invoice.net + Invoice.tax + func.coalesce(Invoice.stamp, 0)
    left = total - Invoice.deducted - Invoice.credited - Invoice.paid
    query = select(
        Invoice.id,
        Invoice.client_id,
        Invoice.number,
        Invoice.issued_on,
        Invoice.due_on,
        left,
        Invoice.currency,
    ).where(Invoice.status.in_(("issued", "partly_paid")), left > 0)
    if client_id:
        query = query.where(Invoice.client_id == client_id)
    found = await tx.session.execute(query.order_by(Invoice.due_on, Invoice.number))
    return [
        Owed(id, whose, number, issued_on, due_on, as_money(balance), currency)
        for id, whose, number, issued_on, due_on, balance, currency in found
        if number and issued_on and due_on
    ]
