"""What clients owe: the statement of one, and all open invoices by their age."""

from datetime import date
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.messages import Message, Personal, PersonId, Query, View
from sav_contracts.money import Amount, Currency, Difference
from sav_contracts.times import Day


class Ageing(Message):
    """What is left to pay, by the days since it was due, in one currency."""

    currency: Currency
    not_due: Amount = Field(examples=["120.00"])
    to_30: Amount = Field(examples=["205.04"])
    to_60: Amount = Field(examples=["0.00"])
    to_90: Amount = Field(examples=["0.00"])
    older: Amount = Field(examples=["0.00"])
    total: Amount = Field(examples=["325.04"])


class OpenInvoice(Message):
    """An invoice with something left to pay."""

    invoice_id: UUID
    number: str = Field(examples=["FAC-2026-000001"])
    issued_on: date = Field(examples=["2026-03-06"])
    due_on: date = Field(examples=["2026-04-05"])
    days_late: int = Field(examples=[12])
    balance: Amount = Field(examples=["205.04"])
    currency: Currency


class StatementLine(Message):
    """A paper or a payment: it raises what the client owes (`debit`) or lowers it (`credit`). `balance` is after it."""

    on: date = Field(examples=["2026-03-06"])
    kind: Literal["invoice", "deposit", "credit_note", "payment", "refund"]
    record_id: UUID
    number: str | None = Field(examples=["FAC-2026-000001"])
    debit: Amount = Field(examples=["205.04"])
    credit: Amount = Field(examples=["0.00"])
    balance: Difference = Field(examples=["205.04"])


class Account(Message):
    """A client's account in one currency. Balances below zero are the client's credit."""

    currency: Currency
    opening: Difference = Field(examples=["0.00"])
    lines: list[StatementLine]
    closing: Difference = Field(examples=["205.04"])
    # As of today, whatever the period.
    ageing: Ageing


class Statement(Message):
    """What happened on a client's account from `start` to `end`, both included, and what is open today."""

    client_id: PersonId
    start: date
    end: date
    accounts: list[Account]
    open: list[OpenInvoice]


class GetStatement(Query[Statement]):
    """Get a client's statement, from `from` to `to`, both included. Default: the last 30 days.

    Days are those of the firm. An issued invoice is a debit of what it asks for, less the deposits that it deducts.
    """

    of: ClassVar[type[View] | None] = InvoiceView

    client_id: UUID
    start: Day | None = Field(default=None, alias="from")
    end: Day | None = Field(default=None, alias="to")


class Debtor(Message):
    """What one client owes, by age."""

    client_id: PersonId
    name: Personal[str] | None = Field(default=None, examples=["Léa Bernard"])
    ageing: Ageing


class Receivables(Message):
    """What all clients owe as of `on`: in all, and by client, who owes most first."""

    on: date
    totals: list[Ageing]
    clients: list[Debtor]


class GetReceivables(Query[Receivables]):
    """Get what clients owe, by the days since it was due; the clients who owe most, at most `limit`."""

    of: ClassVar[type[View] | None] = InvoiceView

    limit: Annotated[int, Field(ge=1, le=500)] = 100
