"""Closings of the ledger of payments, by day, month and year."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.files import StoredFile
from sav_contracts.interventions.payment import PaymentMethod
from sav_contracts.messages import Changed, Event, Message, PersonId, Query, View
from sav_contracts.money import Amount, Currency, Difference
from sav_contracts.times import Day
from sav_contracts.visibility import Visible

Period = Literal["day", "month", "year"]
EntryKind = Literal["received", "refunded", "disputed", "reinstated"]


class MethodTotal(Message):
    """What was received and paid back by one method in the period."""

    method: PaymentMethod = Field(examples=["card"])
    received: Amount = Field(examples=["1250.00"])
    paid_back: Amount = Field(examples=["50.00"])


class ClosingView(View):
    """A closed period of the ledger: nothing enters it any more (CGI 286 I 3° bis).

    `received` less `paid_back` is its `total`; `perpetual` is the total since the first payment ever. `ledger_hash` is
    that of the last entry until its end, and `previous_hash` that of the closing before, of the same kind of period.
    """

    visible: ClassVar[Visible] = Visible()

    period: Period = Field(examples=["month"])
    first_day: date = Field(examples=["2026-03-01"])
    last_day: date = Field(examples=["2026-03-31"])
    currency: Currency
    entries: int = Field(examples=[31])
    received: Amount = Field(examples=["1250.00"])
    paid_back: Amount = Field(examples=["50.00"])
    total: Difference = Field(examples=["1200.00"])
    perpetual: Difference = Field(examples=["8200.00"])
    methods: list[MethodTotal]
    # The number of the last entry until its end; 0 where there is none.
    last_entry: int = Field(examples=[412])
    ledger_hash: str = Field(examples=["4be19f3c" * 8])
    previous_hash: str = Field(examples=["a07d52e6" * 8])
    hash: str = Field(examples=["9f86d081" * 8])
    # The archive with its proof, once it has been made.
    archive: StoredFile | None
    # Whether the period may have been closed before, with entries that a restore of a backup lost.
    again: bool = False

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset()


class PeriodClosed(Event[ClosingView]):
    """A day, a month or a year of payments was closed."""


ClosingChanged = Changed[ClosingView]


class LedgerEntry(Message):
    """One movement of money, chained by its hash to the one before: SHA-256 of `previous_hash` and `content`."""

    number: int = Field(examples=[412])
    at: datetime = Field(examples=["2026-03-20T09:15:00Z"])
    # The day in whose closing it counts, and the day of value.
    entered_on: date = Field(examples=["2026-03-20"])
    received_on: date = Field(examples=["2026-03-19"])
    kind: EntryKind = Field(examples=["received"])
    # Less than zero where money was paid back.
    amount: Difference = Field(examples=["205.04"])
    currency: Currency
    method: PaymentMethod = Field(examples=["transfer"])
    client_id: PersonId
    payment_id: UUID | None
    client_credit_id: UUID | None
    invoice_number: str | None = Field(examples=["FAC-2026-000001"])
    reference: str | None = Field(examples=["VIR 2026-03-20 BERNARD"])
    content: str = Field(examples=["412\t2026-03-20\t2026-03-19\treceived\t205.040\tEUR\ttransfer"])
    previous_hash: str = Field(examples=["a07d52e6" * 8])
    hash: str = Field(examples=["9f86d081" * 8])


class LedgerPage(Message):
    """Entries in the order of their numbers; ask for those `after` the last one until there are none."""

    items: list[LedgerEntry]


class ReadLedger(Query[LedgerPage]):
    """The entries of the ledger, for an auditor: also those of periods that are still open."""

    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class Journals(Message):
    """The sales and payments of a time as the accountant imports them: the 18 fields of article A47 A-1 (LPF) in each
    line, separated by tabs; `name` is the usual name of the file."""

    name: str = Field(examples=["000000000FEC20261231.txt"])
    lines: int = Field(examples=[12])
    text: str = Field(examples=["JournalCode\tJournalLib\t…"])


class GetJournals(Query[Journals]):
    """The accountant's journals from one day to another, both included."""

    start: Day = Field(alias="from")
    end: Day = Field(alias="to")


class ReportedSales(Message):
    """The sales of a day to private clients at one rate of VAT (e-reporting, flux 10.3); credit notes are negative."""

    day: date = Field(examples=["2026-03-20"])
    currency: Currency
    # TLB1: goods; TPS1: services.
    category: Literal["TLB1", "TPS1"] = Field(examples=["TPS1"])
    rate: str = Field(examples=["10"])
    base: Difference = Field(examples=["186.40"])
    vat: Difference = Field(examples=["18.64"])
    documents: int = Field(examples=[3])


class ReportedPayments(Message):
    """The payments of a day for services at one rate of VAT, including VAT (e-reporting, flux 10.4)."""

    day: date = Field(examples=["2026-03-20"])
    currency: Currency
    rate: str = Field(examples=["10"])
    amount: Difference = Field(examples=["205.04"])


class EReporting(Message):
    """What is reported to the tax administration about sales to private clients."""

    seller: str = Field(examples=["RCS Lyon 123 456 789"])
    first_day: date = Field(examples=["2026-03-01"])
    last_day: date = Field(examples=["2026-03-31"])
    sales: list[ReportedSales]
    payments: list[ReportedPayments]


class GetEReporting(Query[EReporting]):
    """The lines of e-reporting from one day to another, both included."""

    start: Day = Field(alias="from")
    end: Day = Field(alias="to")
