"""Computes the lines and totals of an invoice or estimate from work and warranty; no database."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import NamedTuple

from pydantic import BaseModel

from sav_chassis.errors import WrongField
from sav_chassis.law.jurisdiction import CLASSES, Jurisdiction
from sav_chassis.shared_refusals import MOST, AmountTooLarge
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.line import Discount, InvoiceLine, LineGiven, Supply, VatTotal
from sav_contracts.interventions.work import Work
from sav_contracts.money import Currency, VatClass, as_money, rounded, smallest

# Bytes of JSON: every event carries its whole record, and the size of events is bounded.
MOST_WORDS = 21_000
TRAVEL: dict[Locale, str] = {"fr": "Déplacement", "en": "Travel"}
NOTHING = Decimal("0.00")
# Travel that is billed alone belongs to no works.
ALONE = {"travel"}


class Itemised(NamedTuple):
    """Lines and what they come to. `net` is without the discount, excluding VAT; `stamp` is a duty beside the VAT."""

    lines: list[InvoiceLine]
    vat: list[VatTotal]
    net: Decimal
    tax: Decimal
    stamp: Decimal | None
    total: Decimal


class TooManyWords(WrongField):
    most: int = MOST_WORDS
    en = "too many words: at most {most} bytes in all, shorten the texts"
    fr = "trop de texte : au plus {most} octets en tout, raccourcissez les textes"


class DiscountTooLarge(WrongField):
    field: str = "discount.amount"
    most: Decimal
    en = "the lines amount to {most}: no more than that is taken off"
    fr = "le montant des lignes est de {most} : la remise ne peut pas le dépasser"


def itemised(
    given: Sequence[LineGiven | InvoiceLine], discount: Discount | None, supply: Supply, law: Jurisdiction
) -> Itemised:
    """The lines with their amounts, VAT and totals, by the law of the day and the place of the supply.

    Raises `DiscountTooLarge`. Lines that were itemised before may be given again, when the supply changed.
    """
    if {line.kind for line in given} == ALONE:
        supply = supply.model_copy(update={"works": "diagnosis"})
    lines = [_priced(line, law.vat_class(_wanted(line), supply), law.currency) for line in given]
    vat = _vat_of(lines, discount, supply, law)
    net, tax = (
        as_money(sum((one.base for one in vat), NOTHING)),
        as_money(sum((one.vat for one in vat), NOTHING)),
    )
    stamp = law.stamp(supply.on)
    return Itemised(lines, vat, net, tax, stamp, as_money(net + tax + (stamp or 0)))


def amount(line: LineGiven | InvoiceLine, currency: Currency) -> Decimal:
    """The part of a line that no warranty pays, without its discount, excluding VAT; rounded once."""
    return _share(line, 100 - line.covered, currency)


def covered_amount(line: LineGiven | InvoiceLine, currency: Currency) -> Decimal:
    """The part of a line that a warranty pays."""
    return as_money(_share(line, 100, currency) - amount(line, currency))


def _share(line: LineGiven | InvoiceLine, percent: int, currency: Currency) -> Decimal:
    # Products of whole numbers are exact, and the one division is far more precise than any half of a cent.
    with localcontext(prec=60):
        much, parts = (Decimal(line.minutes), 60) if line.minutes else (line.quantity, 1)
        whole = much * line.unit_price * percent * (100 - (line.discount or 0))
        return rounded(whole / (parts * 10_000), currency)


def _wanted(line: LineGiven | InvoiceLine) -> VatClass | None:
    return line.wanted if isinstance(line, InvoiceLine) else line.vat_class


def _priced(line: LineGiven | InvoiceLine, vat_class: VatClass, currency: Currency) -> InvoiceLine:
    # As printed, also where written as `1E+2`: lines are hashed in this form.
    quantity = Decimal(line.minutes) / 60 if line.minutes else line.quantity
    written = line.model_dump(
        exclude={"quantity", "unit_price", "vat_class", "wanted", "amount", "covered_amount"}
    )
    return InvoiceLine(
        **written,
        quantity=rounded(quantity, "EUR"),
        unit_price=line.unit_price,
        vat_class=vat_class,
        wanted=_wanted(line),
        amount=amount(line, currency),
        covered_amount=covered_amount(line, currency) if line.covered else None,
    )


def check_amount(given: Sequence[LineGiven], field: str) -> None:
    """Raises `AmountTooLarge`, naming the field, where the lines amount to more than `MOST`."""
    if sum(amount(line, "TND") for line in given) > MOST:
        raise AmountTooLarge(field=field)


def check_words(written: Iterable[BaseModel], field: str = "body") -> None:
    """Raises `TooManyWords`, naming the field, where the texts of one record take more than `MOST_WORDS` bytes."""
    if sum(len(one.model_dump_json(exclude_none=True).encode()) for one in written) > MOST_WORDS:
        raise TooManyWords(field=field)


def lines_of(work: Work, warranty: Warranty, locale: Locale) -> list[LineGiven]:
    """Labour by the hour, parts by the piece, travel by the kilometre, each with the percent the warranty pays."""
    labour = [
        LineGiven(
            kind="labour",
            description=done.description,
            minutes=done.minutes,
            unit="hour",
            unit_price=work.labour_rate,
            covered=warranty.labour,
        )
        for done in work.labour
    ]
    parts = [
        LineGiven(
            kind="part",
            description=named(part.name, part.reference),
            quantity=Decimal(part.quantity),
            unit="piece",
            unit_price=part.unit_price,
            covered=warranty.parts,
            article_id=part.article_id,
            # What has the normal rate by itself is taxed like the work with which it is built in.
            vat_class=None if part.vat_class == "standard" else part.vat_class,
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
        )
        for _ in range(work.travel_km > 0)
    ]
    return [*labour, *parts, *travel]


def named(article: str, reference: str) -> str:
    """An article on a line; a long name is shortened, its reference is not."""
    return f"{article[: 197 - len(reference)]} ({reference})"


def _vat_of(
    lines: Sequence[InvoiceLine], discount: Discount | None, supply: Supply, law: Jurisdiction
) -> list[VatTotal]:
    """The VAT for each class, rounded once on its whole base; the highest rate first."""
    area = law.area(supply)
    classes = [one for one in CLASSES if any(line.vat_class == one for line in lines)]
    whole = [net_of(line for line in lines if line.vat_class == one) for one in classes]
    allowances = shared(discount, whole, law.currency)
    totals = []
    for vat_class, amounts, allowance in zip(classes, whole, allowances, strict=True):
        rate, base = law.rate(vat_class, supply.on, area).rate, amounts - (allowance or 0)
        totals.append(
            VatTotal(
                vat_class=vat_class,
                rate=rate,
                base=base,
                vat=rounded(base * rate / 100, law.currency),
                mention=law.mention([line for line in lines if line.vat_class == vat_class], supply),
                allowance=allowance,
            )
        )
    return sorted(totals, key=lambda total: -total.rate)


def shared(discount: Discount | None, over: Sequence[Decimal], currency: Currency) -> list[Decimal | None]:
    """What a discount takes off each of these amounts: its percentage of each, or its amount in proportion to them.

    Of an amount, what rounding leaves goes to the largest remainders. Raises `DiscountTooLarge`.
    """
    if discount is None:
        return [None for _ in over]
    if discount.percent is not None:
        return [rounded(one * discount.percent / 100, currency) for one in over]
    taken, whole, step = discount.amount or NOTHING, sum(over, NOTHING), smallest(currency)
    if taken > whole:
        raise DiscountTooLarge(most=whole)
    with localcontext(prec=60):
        exact = [taken * one / whole if whole else NOTHING for one in over]
        shares = [one.quantize(step, ROUND_DOWN) for one in exact]
        left = int((taken - sum(shares, NOTHING)) / step)
    for place in sorted(range(len(over)), key=lambda n: shares[n] - exact[n])[:left]:
        shares[place] += step
    return [as_money(one) for one in shares]


def net_of(lines: Iterable[InvoiceLine]) -> Decimal:
    """What the lines amount to, excluding VAT."""
    return as_money(sum((line.amount for line in lines), NOTHING))
