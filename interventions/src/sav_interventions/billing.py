"""Computes the lines and totals of an invoice from work and warranty; no database."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from pydantic import BaseModel

from sav_chassis.errors import WrongField
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.invoice import InvoiceLine, LineGiven, VatTotal
from sav_contracts.interventions.work import Work
from sav_contracts.money import VatClass
from sav_interventions.jurisdiction import Jurisdiction

CENT = Decimal("0.01")
# Excluding VAT; a larger amount is a typing error.
MOST = Decimal(100_000_000)
# Bytes of JSON: every event carries its whole record, and the size of events is bounded.
MOST_WORDS = 21_000
TRAVEL: dict[Locale, str] = {"fr": "Déplacement", "en": "Travel"}


def rounded(amount: Decimal) -> Decimal:
    """To the cent, halves away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def amount(given: LineGiven | InvoiceLine) -> Decimal:
    """The part of a line that no warranty pays, excluding VAT."""
    return rounded(given.quantity * given.unit_price * (100 - given.covered) / 100)


class AmountTooLarge(WrongField):
    most: Decimal = MOST
    en = "they amount to more than {most}"
    fr = "leur montant dépasse {most}"


class TooManyWords(WrongField):
    most: int = MOST_WORDS
    en = "too many words: at most {most} bytes in all, shorten the texts"
    fr = "trop de texte : au plus {most} octets en tout, raccourcissez les textes"


def check_amount(given: Sequence[LineGiven], field: str) -> None:
    """Raises `AmountTooLarge`, naming the field, where the lines amount to more than `MOST`."""
    if sum(amount(line) for line in given) > MOST:
        raise AmountTooLarge(field=field)


def check_words(written: Iterable[BaseModel], field: str = "body") -> None:
    """Raises `TooManyWords`, naming the field, where the texts of one record take more than `MOST_WORDS` bytes."""
    if sum(len(one.model_dump_json().encode()) for one in written) > MOST_WORDS:
        raise TooManyWords(field=field)


def priced(given: Sequence[LineGiven]) -> list[InvoiceLine]:
    """The lines with their amounts."""
    # With two decimal places, also where written as `1E+2`: they are printed and hashed in this form.
    return [
        InvoiceLine(
            **line.model_dump(exclude={"quantity", "unit_price"}),
            quantity=rounded(line.quantity),
            unit_price=rounded(line.unit_price),
            amount=amount(line),
        )
        for line in given
    ]


def lines_of(
    work: Work, warranty: Warranty, older_dwelling: bool, law: Jurisdiction, locale: Locale
) -> list[LineGiven]:
    """Labour by the hour, parts by the piece, travel by the kilometre, each with the percent the warranty pays."""

    def taxed(vat_class: VatClass) -> VatClass:
        # Parts built into an older dwelling are taxed like the work on it; a class with a lower rate keeps it.
        if older_dwelling and law.older_dwelling and vat_class == "standard":
            return law.older_dwelling
        return vat_class

    labour = [
        LineGiven(
            kind="labour",
            description=done.description,
            quantity=rounded(Decimal(done.minutes) / 60),
            unit="hour",
            unit_price=work.labour_rate,
            covered=warranty.labour,
            vat_class=taxed("standard"),
        )
        for done in work.labour
    ]
    parts = [
        LineGiven(
            kind="part",
            description=f"{part.name[: 197 - len(part.reference)]} ({part.reference})",
            quantity=Decimal(part.quantity),
            unit="piece",
            unit_price=part.unit_price,
            covered=warranty.parts,
            vat_class=taxed(part.vat_class),
        )
        for part in work.parts
    ]
    travel = [
        LineGiven(
            kind="travel",
            description=TRAVEL[locale],
            quantity=work.travel_km,
            unit="km",
            unit_price=work.travel_rate,
            covered=warranty.travel,
            vat_class=taxed("standard"),
        )
        for _ in range(work.travel_km > 0)
    ]
    return [*labour, *parts, *travel]


def vat_of(lines: Sequence[InvoiceLine], on: date, law: Jurisdiction) -> list[VatTotal]:
    """The VAT for each class, rounded once on its whole base; the highest rate first."""
    totals = []
    for vat_class in sorted({line.vat_class for line in lines}):
        base = net_of(line for line in lines if line.vat_class == vat_class)
        rate = law.rate(vat_class, on)
        vat = rounded(base * rate.rate / 100)
        totals.append(VatTotal(vat_class=vat_class, rate=rate.rate, base=base, vat=vat, mention=rate.mention))
    return sorted(totals, key=lambda total: -total.rate)


def net_of(lines: Iterable[InvoiceLine]) -> Decimal:
    """What the lines amount to, excluding VAT."""
    return sum((line.amount for line in lines), Decimal("0.00"))
