"""The accountant's journals: sales and receipts, in the 18 fields that the law names (LPF, A47 A-1)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from uuid import UUID

from pydantic import TypeAdapter

from sav_contracts.interventions.invoice import DeductedDeposit
from sav_contracts.money import Currency, places
from sav_contracts.spreadsheets import defused
from sav_interventions.model.credit_note import CreditNote
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.payment import Entry, Payment
from sav_interventions.nature import nature_of

FIELDS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib",
    "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise",
    "Idevise",
)  # fmt: skip
# Each numbers its entries without a gap: as invoices, credit notes and the ledger are numbered.
SALES, CREDITS = ("VE", "Ventes"), ("AV", "Avoirs")
RECEIPTS, OTHERS = ("EN", "Encaissements"), ("OD", "Opérations diverses")
KINDS = {"received": "Encaissement", "refunded": "Remboursement", "disputed": "Contestation", "reinstated": "Retour"}  # fmt: skip
ZERO = Decimal(0)


class Booked(NamedTuple):
    """An amount on an account: to its debit, or less than zero to its credit."""

    account: str
    amount: Decimal
    client: tuple[UUID, str] | None = None
    # Of VAT: its rate.
    rate: Decimal | None = None


class Piece(NamedTuple):
    """One entry of a journal: amounts that add up to nothing."""

    journal: tuple[str, str]
    number: str
    on: date
    reference: str
    dated: date
    label: str
    booked: Sequence[Booked]
    currency: Currency


def sale(invoice: Invoice) -> Piece:
    """An issued invoice: what it asks for to the client; what was sold, or is a deposit, and each rate's VAT against it."""
    client = invoice.client_id, invoice.buyer.name
    booked = [Booked("clients", invoice.payable, client), _sold(invoice, -invoice.net)]
    booked += [Booked("vat", -rate.vat, rate=rate.rate) for rate in invoice.vat]
    booked += _deposits(invoice.deposits, 1, client)
    # Duties that are neither sold nor VAT, such as the stamp.
    rest = sum((one.amount for one in booked), ZERO)
    booked.append(Booked("stamp", -rest))
    number, on = invoice.number or "", invoice.issued_on or invoice.supplied_on
    return Piece(SALES, number, on, number, on, f"Facture {number}", _real(booked), invoice.currency)


def credit(note: CreditNote, invoice: Invoice) -> Piece:
    """A credit note of an invoice: the contrary of what it gives back."""
    client = note.client_id, note.buyer.name
    booked = [Booked("clients", -note.amount, client), _sold(invoice, note.net)]
    booked += [Booked("vat", rate.vat, rate=rate.rate) for rate in note.vat]
    booked += _deposits(note.deposits, -1, client)
    rest = sum((one.amount for one in booked), ZERO)
    booked.append(Booked("stamp", -rest))
    label = f"Avoir {note.number} sur facture {note.invoice_number}"
    return Piece(
        CREDITS,
        note.number,
        note.issued_on,
        note.number,
        note.issued_on,
        label,
        _real(booked),
        note.currency,
    )


def _sold(invoice: Invoice, net: Decimal) -> Booked:
    if invoice.deposit:
        return Booked("advances", net, (invoice.client_id, invoice.buyer.name))
    return Booked("goods" if nature_of(invoice.supply, invoice.lines) == "goods" else "services", net)


def _deposits(deposits: Sequence[DeductedDeposit], sign: int, client: tuple[UUID, str]) -> list[Booked]:
    """What was booked as an advance, with its VAT, is taken off again, or stays where a credit note gives back the rest."""
    return [
        booked
        for one in deposits
        for booked in (
            Booked("advances", sign * one.net, client),
            *(Booked("vat", sign * rate.vat, rate=rate.rate) for rate in one.vat),
        )
    ]


def receipt(entry: Entry, client: str) -> Piece:
    """An entry of the ledger: money to or from the client; before there is an invoice it is an advance."""
    of_client = Booked(
        "clients" if entry.invoice_number else "advances", -entry.amount, (entry.client_id, client)
    )
    money = Booked(entry.method, entry.amount)
    reference = entry.reference or entry.invoice_number or f"EN-{entry.number:06}"
    label = f"{KINDS[entry.kind]} {entry.invoice_number or 'sur compte'}"
    return Piece(
        RECEIPTS,
        f"EN-{entry.number:06}",
        entry.entered_on,
        reference,
        entry.received_on,
        label,
        _real([money, of_client]),
        entry.currency,
    )


def use(payment: Payment, invoice: Invoice, on: date, number_of_use: int) -> Piece:
    """An invoice that was paid from what its client had paid on account: no money moves."""
    number = payment.invoice_number
    client = invoice.client_id, invoice.buyer.name
    booked = [Booked("advances", payment.amount, client), Booked("clients", -payment.amount, client)]
    label = f"Avance utilisée {number}"
    return Piece(OTHERS, f"OD-{number_of_use:06}", on, number, on, label, booked, payment.currency)


def written(pieces: Iterable[Piece], currency: Currency) -> Iterator[str]:
    """The file, line by line: the names of the fields, then each amount; fields are separated by tabs.

    `currency` is the one of the firm's books: amounts in another one are named with it.
    """
    yield "\t".join(FIELDS)
    for piece in pieces:
        for booked in piece.booked:
            number, name = accounts()[booked.account]
            id, client = booked.client or ("", "")
            foreign = "" if piece.currency == currency else piece.currency
            label = f"{piece.label} TVA {booked.rate.normalize():f} %" if booked.rate else piece.label
            yield "\t".join(
                [
                    *piece.journal,
                    piece.number,
                    _day(piece.on),
                    number,
                    name,
                    str(id),
                    # Who was erased has no name any more.
                    _plain(client or str(id)),
                    _plain(piece.reference),
                    _day(piece.dated),
                    _plain(label),
                    _amount(max(booked.amount, ZERO), piece.currency),
                    _amount(max(-booked.amount, ZERO), piece.currency),
                    "",
                    "",
                    _day(piece.on),
                    _amount(abs(booked.amount), piece.currency) if foreign else "",
                    foreign,
                ]
            )


@cache
def accounts() -> dict[str, tuple[str, str]]:
    """The number and the name of each account."""
    text = (files("sav_interventions") / "payment_rules" / "accounts.json").read_text()
    return TypeAdapter(dict[str, tuple[str, str]]).validate_json(text)


def _real(booked: Iterable[Booked]) -> list[Booked]:
    return [one for one in booked if one.amount]


def _plain(text: str) -> str:
    """Without what would end a field or a line, or be a formula where the file is opened as a table."""
    return defused(" ".join(text.split()))


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _amount(amount: Decimal, currency: Currency) -> str:
    return f"{amount:.{places(currency)}f}".replace(".", ",")
