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
from sav_contracts.money import places
from sav_interventions.model.credit_note import CreditNote
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.payment import Entry, Payment

FIELDS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib",
    "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise",
    "Idevise",
)  # fmt: skip
SALES, RECEIPTS, OTHERS = ("VE", "Ventes"), ("EN", "Encaissements"), ("OD", "Opérations diverses")
KINDS = {"received": "Encaissement", "refunded": "Remboursement", "disputed": "Contestation", "reinstated": "Retour"}  # fmt: skip
ZERO = Decimal(0)


class Booked(NamedTuple):
    """An amount on an account: to its debit, or less than zero to its credit."""

    account: str
    amount: Decimal
    client: tuple[UUID, str] | None = None


class Piece(NamedTuple):
    """One entry of a journal: amounts that add up to nothing."""

    journal: tuple[str, str]
    number: str
    on: date
    reference: str
    dated: date
    label: str
    booked: Sequence[Booked]
    currency: str


def sale(invoice: Invoice) -> Piece:
    """An issued invoice: what it asks for to the client; what was sold, or is a deposit, and each rate's VAT against it."""
    client = invoice.client_id, invoice.buyer.name
    booked = [Booked("clients", invoice.payable, client), Booked(_sold(invoice), -invoice.net)]
    booked += [Booked("vat", -rate.vat) for rate in invoice.vat]
    booked += _deposits(invoice.deposits, 1)
    # Duties that are neither sold nor VAT, such as the stamp.
    rest = sum((one.amount for one in booked), ZERO)
    booked.append(Booked("stamp", -rest))
    number, on = invoice.number or "", invoice.issued_on or invoice.supplied_on
    return Piece(SALES, number, on, number, on, f"Facture {number}", _real(booked), invoice.currency)


def credit(note: CreditNote, invoice: Invoice) -> Piece:
    """A credit note of an invoice: the contrary of what it gives back."""
    client = note.client_id, note.buyer.name
    booked = [Booked("clients", -note.amount, client), Booked(_sold(invoice), note.net)]
    booked += [Booked("vat", rate.vat) for rate in note.vat]
    booked += _deposits(note.deposits, -1)
    rest = sum((one.amount for one in booked), ZERO)
    booked.append(Booked("stamp", -rest))
    label = f"Avoir {note.number} sur facture {note.invoice_number}"
    return Piece(
        SALES,
        note.number,
        note.issued_on,
        note.number,
        note.issued_on,
        label,
        _real(booked),
        note.currency,
    )


def _sold(invoice: Invoice) -> str:
    return "advances" if invoice.deposit else "services" if invoice.intervention_id else "goods"


def _deposits(deposits: Sequence[DeductedDeposit], sign: int) -> list[Booked]:
    """What was booked as an advance, with its VAT, is taken off again, or stays where a credit note gives back the rest."""
    return [
        booked
        for one in deposits
        for booked in (
            Booked("advances", sign * one.net),
            *(Booked("vat", sign * rate.vat) for rate in one.vat),
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


def use(payment: Payment, invoice: Invoice, on: date) -> Piece:
    """An invoice that was paid from what its client had paid on account: no money moves."""
    number = payment.invoice_number
    client = invoice.client_id, invoice.buyer.name
    booked = [Booked("advances", payment.amount, client), Booked("clients", -payment.amount, client)]
    label = f"Avance utilisée {number}"
    return Piece(OTHERS, f"OD-{payment.id.hex}", on, number, on, label, booked, payment.currency)


def written(pieces: Iterable[Piece]) -> Iterator[str]:
    """The file, line by line: the names of the fields, then each amount; fields are separated by tabs."""
    yield "\t".join(FIELDS)
    for piece in pieces:
        for booked in piece.booked:
            number, name = accounts()[booked.account]
            id, client = booked.client or ("", "")
            yield "\t".join(
                [
                    *piece.journal,
                    piece.number,
                    _day(piece.on),
                    number,
                    name,
                    str(id),
                    _plain(client),
                    _plain(piece.reference),
                    _day(piece.dated),
                    _plain(piece.label),
                    _amount(max(booked.amount, ZERO), piece.currency),
                    _amount(max(-booked.amount, ZERO), piece.currency),
                    "",
                    "",
                    _day(piece.on),
                    "" if piece.currency == "EUR" else _amount(abs(booked.amount), piece.currency),
                    "" if piece.currency == "EUR" else piece.currency,
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
    """Without what would end a field or a line."""
    return " ".join(text.split())


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _amount(amount: Decimal, currency: str) -> str:
    return f"{amount:.{places('TND' if currency == 'TND' else 'EUR')}f}".replace(".", ",")
