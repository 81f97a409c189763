"""What accountants, auditors and the tax administration read: the ledger, the journals, the lines of e-reporting."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, select

from sav_chassis.errors import Invalid, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.closing import (
    EReporting,
    GetEReporting,
    GetJournals,
    Journals,
    LedgerEntry,
    LedgerPage,
    ReadLedger,
    ReportedPayments,
    ReportedSales,
)
from sav_contracts.interventions.invoice import Seller
from sav_contracts.interventions.line import VatTotal
from sav_contracts.money import Currency, rounded
from sav_interventions import journals
from sav_interventions.app import interventions
from sav_interventions.days import local_day
from sav_interventions.ledger import A_DAY
from sav_interventions.model.credit_note import CreditNote
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.payment import ClientCredit, Entry, Payment
from sav_interventions.settings import billing

ISSUED = ("issued", "partly_paid", "paid", "credited")
# Lines of a reply; a year of a larger firm is read month by month.
MOST_LINES = 50_000
LONGEST = timedelta(days=366)
ZERO = Decimal("0.00")


class EndsBefore(WrongField):
    field: str = "to"
    en = "it is before `from`"
    fr = "cette date précède `from`"


class TooLong(WrongField):
    field: str = "to"
    en = "at most a year at once"
    fr = "au plus un an à la fois"


class TooManyLines(Invalid):
    most: int = MOST_LINES
    en = "These are more than {most} lines: ask for a shorter time"
    fr = "Cela fait plus de {most} lignes : demandez une période plus courte"


@interventions.query(ReadLedger)
async def read_ledger(query: ReadLedger, tx: Tx, by: Actor) -> LedgerPage:
    """The entries of the ledger, in the order of their numbers."""
    after = select(Entry).where(Entry.number > query.after).order_by(Entry.number).limit(query.limit)
    found = await tx.session.scalars(after)
    return LedgerPage(items=[LedgerEntry.model_validate(entry, from_attributes=True) for entry in found])


@interventions.query(GetJournals)
async def get_journals(query: GetJournals, tx: Tx, by: Actor) -> Journals:
    """The sales and receipts of a time, as the accountant imports them."""
    check_time(query.start, query.end)
    counted = select(func.count()).where(Entry.entered_on.between(query.start, query.end))
    invoices, entries = await _issued(query.start, query.end, tx), await tx.session.scalar(counted)
    if 4 * len(invoices) + 2 * (entries or 0) > MOST_LINES:
        raise TooManyLines
    pieces = [journals.sale(invoice) for invoice in invoices]
    credited = await _credited(query.start, query.end, tx)
    pieces += [journals.credit(note, invoice) for note, invoice in credited]
    pieces += await _receipts(query.start, query.end, tx)
    pieces += await _uses(query.start, query.end, tx)
    pieces.sort(key=lambda piece: (piece.on, piece.journal, piece.number))
    lines = list(journals.written(pieces, billing().law.currency))
    return Journals(
        name=f"{siren_of(billing().seller)}FEC{query.end:%Y%m%d}.txt",
        lines=len(lines) - 1,
        text="\r\n".join([*lines, ""]),
    )


@interventions.query(GetEReporting)
async def get_e_reporting(query: GetEReporting, tx: Tx, by: Actor) -> EReporting:
    """The sales to private clients and their payments, by day and rate."""
    check_time(query.start, query.end)
    return EReporting(
        seller=billing().seller.registration,
        first_day=query.start,
        last_day=query.end,
        sales=list(
            sales_of(await _issued(query.start, query.end, tx), await _credited(query.start, query.end, tx))
        ),
        payments=list(await _payments(query.start, query.end, tx)),
    )


def siren_of(seller: Seller) -> str:
    """Its nine digits: given as such, or the first ones of a SIRET, or those that its registration ends with."""
    digits = "".join(filter(str.isdigit, seller.registration))
    known = seller.siren or (digits[:9] if len(digits) == 14 else digits[-9:])
    return known or "000000000"


def check_time(start: date, end: date) -> None:
    """Raises `EndsBefore` or `TooLong`."""
    if end < start:
        raise EndsBefore
    if end - start > LONGEST:
        raise TooLong


def is_private(invoice: Invoice) -> bool:
    """Whether it is for a consumer: others get an electronic invoice."""
    return not invoice.buyer.is_business


def sales_of(
    invoices: Sequence[Invoice], credited: Sequence[tuple[CreditNote, Invoice]] = ()
) -> Iterator[ReportedSales]:
    """The sales of each day to private clients at each rate, less what was credited and what deposits told before."""
    found: dict[tuple[date, Currency, bool, Decimal], list[tuple[UUID, Decimal, Decimal]]] = defaultdict(list)
    for invoice in filter(is_private, invoices):
        key = invoice.issued_on or invoice.supplied_on, invoice.currency, bool(invoice.intervention_id)
        for sign, total in _with_deposits(invoice):
            found[*key, total.rate].append((invoice.id, sign * total.base, sign * total.vat))
    for note, invoice in credited:
        its = note.issued_on, note.currency, bool(invoice.intervention_id)
        for sign, total in _with_deposits(note) if is_private(invoice) else ():
            found[*its, total.rate].append((note.id, -sign * total.base, -sign * total.vat))
    for (day, currency, services, rate), sums in sorted(found.items()):
        yield ReportedSales(
            day=day,
            currency=currency,
            category="TPS1" if services else "TLB1",
            rate=f"{rate.normalize():f}",
            base=sum((base for _, base, _ in sums), ZERO),
            vat=sum((vat for _, _, vat in sums), ZERO),
            documents=len({document for document, _, _ in sums}),
        )


def _with_deposits(paper: Invoice | CreditNote) -> Iterator[tuple[int, VatTotal]]:
    """Its rates, and contrary to them those of its deposits, also where the paper itself has no such rate."""
    yield from ((1, total) for total in paper.vat)
    yield from ((-1, total) for told in paper.deposits for total in told.vat)


async def _issued(start: date, end: date, tx: Tx) -> list[Invoice]:
    """The invoices of a time; raises `TooManyLines`."""
    query = select(Invoice).where(Invoice.issued_on.between(start, end), Invoice.status.in_(ISSUED))
    found = list(await tx.session.scalars(query.order_by(Invoice.number).limit(MOST_LINES + 1)))
    if len(found) > MOST_LINES:
        raise TooManyLines
    return found


async def _credited(start: date, end: date, tx: Tx) -> list[tuple[CreditNote, Invoice]]:
    """The credit notes of a time, each with its invoice; raises `TooManyLines`."""
    query = (
        select(CreditNote, Invoice)
        .join(Invoice, Invoice.id == CreditNote.invoice_id)
        .where(CreditNote.issued_on.between(start, end))
        .order_by(CreditNote.number)
        .limit(MOST_LINES + 1)
    )
    found = [(note, invoice) for note, invoice in await tx.session.execute(query)]
    if len(found) > MOST_LINES:
        raise TooManyLines
    return found


async def _receipts(start: date, end: date, tx: Tx) -> list[journals.Piece]:
    query = select(Entry).where(Entry.entered_on.between(start, end)).order_by(Entry.number)
    entries = list(await tx.session.scalars(query))
    clients = await tx.copies(ClientView).where(id=list({entry.client_id for entry in entries})).all()
    names = {client.id: client.name for client in clients}
    return [journals.receipt(entry, names.get(entry.client_id, "")) for entry in entries]


async def _uses(start: date, end: date, tx: Tx) -> list[journals.Piece]:
    """What was paid on account and used for an invoice in this time, numbered since the first use ever."""
    number = func.row_number().over(order_by=(Payment.created_at, Payment.id)).label("number")
    uses = (
        select(Payment.id, number)
        .join(ClientCredit, ClientCredit.id == Payment.client_credit_id)
        .where(ClientCredit.origin == "on_account")
        .subquery()
    )
    query = (
        select(Payment, Invoice, uses.c.number)
        .join(Invoice, Invoice.id == Payment.invoice_id)
        .join(uses, uses.c.id == Payment.id)
        .where(Payment.created_at >= _midnight(start), Payment.created_at < _midnight(end + A_DAY))
        .order_by(uses.c.number)
    )
    found = (await tx.session.execute(query)).all()
    return [journals.use(payment, invoice, local_day(payment.created_at), n) for payment, invoice, n in found]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(billing().law.zone))


async def _payments(start: date, end: date, tx: Tx) -> Iterator[ReportedPayments]:
    """What was paid each day of invoices for services, shared over the rates of each in proportion."""
    found: dict[tuple[date, Currency, Decimal], Decimal] = defaultdict(lambda: ZERO)
    for day, amount, invoice in await _counted(start, end, tx):
        if is_private(invoice) and invoice.intervention_id:
            for rate, part in shared(amount, invoice):
                found[day, invoice.currency, rate] += part
    return (
        ReportedPayments(day=day, currency=currency, rate=f"{rate.normalize():f}", amount=amount)
        for (day, currency, rate), amount in sorted(found.items())
        if amount
    )


async def _counted(start: date, end: date, tx: Tx) -> list[tuple[date, Decimal, Invoice]]:
    """What counted each day for invoices: money of the ledger, less what became credit, and what credit paid."""

    def made(of: type[Payment | ClientCredit]) -> ColumnElement[bool]:
        return and_(of.created_at >= _midnight(start), of.created_at < _midnight(end + A_DAY))

    moved = (
        select(Entry.entered_on, Entry.amount, Invoice)
        .join(Payment, Payment.id == Entry.payment_id)
        .join(Invoice, Invoice.id == Payment.invoice_id)
        .where(Entry.entered_on.between(start, end))
        .order_by(Entry.number)
    )
    left = (
        select(ClientCredit.created_at, -ClientCredit.amount, Invoice)
        .join(Invoice, Invoice.id == ClientCredit.invoice_id)
        .where(made(ClientCredit))
        .order_by(ClientCredit.created_at, ClientCredit.id)
    )
    used = (
        select(Payment.created_at, Payment.amount, Invoice)
        .join(Invoice, Invoice.id == Payment.invoice_id)
        .where(made(Payment), Payment.client_credit_id.is_not(None))
        .order_by(Payment.created_at, Payment.id)
    )
    found = [(day, amount, invoice) for day, amount, invoice in await tx.session.execute(moved)]
    for query in (left, used):
        found += [(local_day(at), amount, invoice) for at, amount, invoice in await tx.session.execute(query)]
    return found


def shared(amount: Decimal, invoice: Invoice) -> Iterator[tuple[Decimal, Decimal]]:
    """An amount over the rates of an invoice, in proportion to what each makes of it; the last gets what is left."""
    left = amount
    whole = sum((rate.base + rate.vat for rate in invoice.vat), ZERO)
    for rate in invoice.vat[:-1]:
        part = rounded(amount * (rate.base + rate.vat) / whole, invoice.currency)
        left -= part
        yield rate.rate, part
    if invoice.vat:
        yield invoice.vat[-1].rate, left
