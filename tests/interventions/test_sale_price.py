"""What an order says that a purchase costs is what its invoice asks for."""

from datetime import date
from decimal import Decimal

import pytest
from given_billing import FR, TN
from hypothesis import example, given
from hypothesis import strategies as st

from sav_chassis.law.jurisdiction import Jurisdiction
from sav_chassis.law.sale import gross_of, sale
from sav_contracts.address import Address
from sav_contracts.interventions.line import LineGiven
from sav_contracts.money import VatClass
from sav_interventions.billing import itemised

LYON = Address(address="3 rue des Lilas", postcode="69003", city="Lyon")
REUNION = Address(address="9 rue du Port", postcode="97400", city="Saint-Denis")
SOUSSE = Address(address="4 rue", postcode="4000", city="Sousse", country="TN")
ON = date(2026, 3, 2)

Bought = tuple[int, Decimal, VatClass]


def said(lines: list[Bought], home: Address | None, law: Jurisdiction) -> Decimal:
    return gross_of(
        ((quantity * price, wanted) for quantity, price, wanted in lines), sale(home, ON, law), law
    )


@pytest.mark.parametrize(
    ("law", "home", "lines", "gross"),
    [
        (FR, LYON, [(2, "186.40", "standard")], "447.36"),
        # Goods without fitting have the normal rate, whatever the catalogue says; rounded once.
        (FR, LYON, [(2, "186.40", "standard"), (3, "0.10", "reduced")], "447.72"),
        (FR, REUNION, [(2, "186.40", "standard")], "404.49"),
        (FR, None, [(2, "186.40", "standard")], "447.36"),
        (FR, LYON, [(2, "0.00", "standard")], "0.00"),
        # With the stamp.
        (TN, SOUSSE, [(1, "12.340", "standard")], "15.685"),
        (TN, SOUSSE, [(1, "12.340", "reduced")], "14.204"),
    ],
)
def test_a_purchase_costs(
    law: Jurisdiction, home: Address | None, lines: list[tuple[int, str, VatClass]], gross: str
) -> None:
    assert str(said([(n, Decimal(price), wanted) for n, price, wanted in lines], home, law)) == gross


@given(
    law=st.sampled_from([FR, TN]),
    home=st.sampled_from([LYON, REUNION, SOUSSE, None]),
    lines=st.lists(
        st.tuples(
            st.integers(1, 999),
            st.decimals("0.001", "99999.999", places=3),
            st.sampled_from(["standard", "intermediate", "reduced"]),
        ),
        min_size=1,
        max_size=5,
    ),
)
@example(law=TN, home=SOUSSE, lines=[(1, Decimal("0.350"), "standard"), (3, Decimal("0.350"), "reduced")])
def test_it_is_what_is_billed(law: Jurisdiction, home: Address | None, lines: list[Bought]) -> None:
    billed = [
        LineGiven(
            kind="part",
            description="Circulateur",
            quantity=Decimal(quantity),
            unit="piece",
            unit_price=price,
            vat_class=wanted,
        )
        for quantity, price, wanted in lines
    ]
    made = itemised(billed, None, sale(home, ON, law), law)
    if made.net:
        assert said(lines, home, law) == made.total
