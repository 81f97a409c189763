"""What somebody buys without fitting: where it is taxed, and what it comes to. Claims says it, interventions bills it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from sav_chassis.law.jurisdiction import Jurisdiction
from sav_contracts.address import Address
from sav_contracts.interventions.line import Supply
from sav_contracts.money import VatClass, as_money, rounded


def sale(home: Address | None, on: date, law: Jurisdiction) -> Supply:
    """What the VAT of goods depends on that are sent to this address; to one that is not known, the firm's own country."""
    return Supply(
        on=on,
        country=home.country if home else law.countries[0],
        postcode=home.postcode if home else None,
        address=home.on_one_line if home else None,
        works="sale",
    )


def gross_of(nets: Iterable[tuple[Decimal, VatClass]], supply: Supply, law: Jurisdiction) -> Decimal:
    """What an invoice of lines that amount to this will ask for, VAT and stamp included; nothing where all is free.

    `tests/interventions/test_sale_price.py` compares it with what is billed.
    """
    bases: defaultdict[VatClass, Decimal] = defaultdict(Decimal)
    for net, wanted in nets:
        bases[law.vat_class(wanted, supply)] += rounded(net, law.currency)
    if not any(bases.values()):
        return Decimal("0.00")
    area = law.area(supply)
    tax = [
        rounded(base * law.rate(vat_class, supply.on, area).rate / 100, law.currency)
        for vat_class, base in bases.items()
    ]
    return as_money(sum((*bases.values(), *tax), law.stamp(supply.on) or Decimal(0)))
