"""From work and warranty to the lines and totals of an invoice; all of it arithmetic."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from sav_chassis.errors import Invalid
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.product import Warranty
from sav_contracts.interventions.invoice import InvoiceLine, LineGiven, VatTotal
from sav_contracts.interventions.visit import Work
from sav_contracts.money import VatClass
from sav_interventions.jurisdiction import Jurisdiction

CENT = Decimal("0.01")
# Excluding VAT; more is a slip of the pen.
MOST = Decimal(100_000_000)
# Bytes: an invoice travels whole in each of its events, and those are bounded.
MOST_WORDS = 24_000
TRAVEL: dict[Locale, str] = {"fr": "Déplacement", "en": "Travel"}


def rounded(amount: Decimal) -> Decimal:
    """To the cent, halves away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def amount(given: LineGiven) -> Decimal:
    """What no warranty pays of a line, excluding VAT."""
    return rounded(given.quantity * given.unit_price * (100 - given.covered) / 100)


def priced(given: Sequence[LineGiven]) -> list[InvoiceLine]:
    """The lines with their amounts. `Invalid` where they are more than an invoice can hold."""
    if sum(amount(line) for line in given) > MOST:
        raise Invalid.field("lines", f"they amount to more than {MOST}")
    if sum(len(line.model_dump_json().encode()) for line in given) > MOST_WORDS:
        raise Invalid.field("lines", "too many words: shorten the descriptions")
    # With two places, however they were written (`1E+2`): this is how they are printed and hashed.
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
) -> list[InvoiceLine]:
    """Labour by the hour, parts by the piece, travel by the kilometre, each less what the warranty pays of it."""

    def taxed(vat_class: VatClass) -> VatClass:
        # What is built into an older dwelling is taxed as the work on it is; what is taxed less anyway stays so.
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
    return priced([*labour, *parts, *travel])


def vat_of(lines: Sequence[InvoiceLine], on: date, law: Jurisdiction) -> list[VatTotal]:
    """The tax per rate, each rounded once on its whole base; the highest rate first."""
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
