"""Computes what a credit note gives back of an invoice; no database.

Each note is what all notes so far amount to, less what those before amounted to. So notes for all lines, in whatever
parts, amount to the invoice exactly, to the last cent of each rate.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.money import check_decimals
from sav_contracts.interventions.credit_note import CreditedLine, CreditGiven
from sav_contracts.interventions.invoice import NOTHING
from sav_contracts.interventions.line import InvoiceLine, VatTotal
from sav_contracts.money import Currency, as_money, rounded


class Credited(NamedTuple):
    """The lines, taxes and sums of a credit note; `whole` where nothing of the invoice is left after it."""

    lines: list[CreditedLine]
    vat: list[VatTotal]
    net: Decimal
    tax: Decimal
    whole: bool


class NoSuchLine(WrongField):
    number: int
    en = "the invoice has no line {number}, or it amounts to nothing"
    fr = "la facture n’a pas de ligne {number}, ou son montant est nul"


class NamedTwice(WrongField):
    number: int
    en = "line {number} is named twice"
    fr = "la ligne {number} est citée deux fois"


class MoreThanLeft(WrongField):
    left: Decimal
    en = "at most {left}, which is left of this line"
    fr = "au plus {left}, ce qui reste de cette ligne"


class AllCredited(Conflict):
    """Credit notes took all of the line or invoice back already."""

    code = "all_credited"
    en = "Nothing of this is left to credit"
    fr = "Il n’en reste rien à créditer"


def left_of(lines: Sequence[InvoiceLine], before: Iterable[CreditedLine]) -> dict[int, Decimal]:
    """What is left of each line, by its number, after these credited ones."""
    left = {number: line.amount for number, line in enumerate(lines, 1)}
    for credited in before:
        left[credited.line] -= credited.amount
    return left


def credited(
    lines: Sequence[InvoiceLine],
    vat: Sequence[VatTotal],
    before: Sequence[CreditedLine],
    given: Sequence[CreditGiven] | None,
    currency: Currency,
) -> Credited:
    """What is credited of an invoice with these lines and taxes, of which `before` was credited.

    `given` None: all that is left. Raises where a line has less left or an amount is finer than the currency, and
    `AllCredited` where it amounts to nothing.
    """
    left = left_of(lines, before)
    amounts = (
        _asked(given, left, currency)
        if given
        else {number: amount for number, amount in left.items() if amount}
    )
    noted = [
        CreditedLine(
            line=number,
            kind=lines[number - 1].kind,
            description=lines[number - 1].description,
            vat_class=lines[number - 1].vat_class,
            amount=amount,
        )
        for number, amount in amounts.items()
    ]
    taxes = [
        total
        for rate in vat
        if (total := _of_rate(rate, lines, before, noted, currency)) and (total.base or total.vat)
    ]
    net = as_money(sum((total.base for total in taxes), NOTHING))
    tax = as_money(sum((total.vat for total in taxes), NOTHING))
    if net + tax == 0:
        raise AllCredited
    return Credited(noted, taxes, net, tax, all(left[n] == amounts.get(n, 0) for n in left))


def _asked(
    given: Sequence[CreditGiven], left: Mapping[int, Decimal], currency: Currency
) -> dict[int, Decimal]:
    amounts: dict[int, Decimal] = {}
    for place, one in enumerate(given):
        if not left.get(one.line):
            raise NoSuchLine(field=f"lines.{place}.line", number=one.line)
        if one.line in amounts:
            raise NamedTwice(field=f"lines.{place}.line", number=one.line)
        if one.amount and one.amount > left[one.line]:
            raise MoreThanLeft(field=f"lines.{place}.amount", left=left[one.line])
        if one.amount:
            check_decimals(one.amount, currency, f"lines.{place}.amount")
        amounts[one.line] = one.amount or left[one.line]
    return amounts


def _of_rate(
    rate: VatTotal,
    lines: Sequence[InvoiceLine],
    before: Sequence[CreditedLine],
    noted: Sequence[CreditedLine],
    currency: Currency,
) -> VatTotal | None:
    """The tax of the credited lines at one rate: the base less its share of the discount on the whole."""
    now = sum((line.amount for line in noted if line.vat_class == rate.vat_class), NOTHING)
    if not now:
        return None
    earlier = sum((line.amount for line in before if line.vat_class == rate.vat_class), NOTHING)
    gross = sum((line.amount for line in lines if line.vat_class == rate.vat_class), NOTHING)

    def allowance_of(credited: Decimal) -> Decimal:
        return rounded((rate.allowance or 0) * credited / gross, currency)

    def tax_of(base: Decimal) -> Decimal:
        return rounded(base * rate.rate / 100, currency)

    allowance, allowance_before = allowance_of(earlier + now), allowance_of(earlier)
    base, base_before = earlier + now - allowance, earlier - allowance_before
    return rate.model_copy(
        update={
            "base": as_money(base - base_before),
            "vat": as_money(tax_of(base) - tax_of(base_before)),
            "allowance": None if rate.allowance is None else as_money(allowance - allowance_before),
        }
    )
