"""How people write numbers, days, bar codes and words in a table."""

import pytest
from pydantic_core import PydanticCustomError

from sav_contracts.catalog.article_sheet import COLUMNS

READ = {column.field: column.read for column in COLUMNS}


@pytest.mark.parametrize(
    ("field", "cell", "read"),
    [
        *(("price", cell, "1234.50") for cell in ("1234,50", "1 234,50 €", "1\u202f234,50\u00a0EUR", "1'234.50", "1.234,50", "1,234.50")),
        *(("price", cell, "12.50") for cell in ("€ 12,50", "€12.50", "EUR 12,50", "TND\u00a012.50")),
        *(("price", cell, "12.50") for cell in ("+12,50", "+ 12.50 €", "€ +12,50")),
        ("price", "+1.234,50", "1234.50"),
        ("price", "++12", "++12"),
        ("price", "+-12", "+-12"),
        ("warranty_parts_months", "+12", "12"),
        ("minimum_stock", "+1 000", "1000"),
        ("minimum_stock", "-1", "-1"),
        ("price", "1.234.567", "1234567"),
        ("price", "1,234,567.8", "1234567.8"),
        ("price", "2190", "2190"),
        # Nobody knows: three decimal places are refused by the field.
        ("price", "1,234", "1.234"),
        ("price", "1.234", "1.234"),
        ("price", "1,23,4", "1,23,4"),
        ("price", "environ 5", "environ 5"),
        ("power_kw", "24 kW", "24"),
        ("warranty_parts_months", "24 mois", "24"),
        ("minimum_stock", "1 000", "1000"),
        ("minimum_stock", "24,0", "24"),
        ("minimum_stock", "1,000", "1,000"),
        ("minimum_stock", "1,5", "1,5"),
        ("spare_parts_until", "1/2/2036", "2036-02-01"),
        ("spare_parts_until", "2036-12-31 00:00:00", "2036-12-31"),
        ("spare_parts_until", "31/12/36", "31/12/36"),
        ("gtin", "73513537", "00000073513537"),
        ("gtin", "3 012345 678900", "03012345678900"),
        # An EAN-8 that began with a zero.
        ("gtin", "1234565", "00000001234565"),
        ("gtin", "12", "12"),
        ("family", "PIÈCE DÉTACHÉE", "part"),
        ("family", "Heating", "heating"),
        ("fuel", "pompe a chaleur", "heat_pump"),
        ("vat_class", "Taux réduit", "reduced"),
        ("status", "en fin de vie", "end_of_life"),
        ("currency", "€", "EUR"),
    ],
)  # fmt: skip
def test_a_cell_is_read_as_it_is_meant_or_left_as_it_is(field: str, cell: str, read: str) -> None:
    assert READ[field](cell) == read


@pytest.mark.parametrize(
    ("field", "cell"),
    [
        ("gtin", "3,01235E+12"),
        ("price", "2.19E+03"),
        ("price", "+2.19E+03"),
        ("family", "jardin"),
        ("vat_class", "20 %"),
    ],
)
def test_what_a_cell_cannot_mean_is_refused(field: str, cell: str) -> None:
    with pytest.raises(PydanticCustomError):
        READ[field](cell)
