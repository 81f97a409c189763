"""An address that somebody enters has a postcode of its country; recorded ones are read as they are."""

import pytest
from babel import Locale
from pydantic import ValidationError

from sav_contracts.address import Address, AddressGiven
from sav_contracts.catalog.product import PlaceGiven
from sav_contracts.country import COUNTRIES
from sav_contracts.interventions.line import SupplyGiven

ADDRESS = {"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon"}


@pytest.mark.parametrize(
    ("country", "postcode"),
    [
        ("FR", "69 003"),
        ("FR", "97400"),
        ("RE", "97400"),
        ("BL", "97133"),
        ("GP", "97110"),
        ("MF", "97150"),
        ("TN", "1000"),
        ("GB", "sw1a 1aa"),
    ],
)
def test_a_postcode_of_the_country_is_taken(country: str, postcode: str) -> None:
    AddressGiven.model_validate(ADDRESS | {"country": country, "postcode": postcode})


@pytest.mark.parametrize(
    ("country", "postcode"),
    [
        ("FR", "1000"),
        ("FR", "00100"),
        ("FR", "FR-69003"),
        ("FR", "SW1A 1AA"),
        ("TN", "69003"),
        ("RE", "69003"),
        ("MQ", "97400"),
        ("GF", "97110"),
        ("NC", "69003"),
        ("MC", "75001"),
        ("BL", "97100"),
        ("GP", "97133"),
        ("GP", "97150"),
        ("RE", "9740"),
    ],
)
def test_another_postcode_is_refused_by_its_field(country: str, postcode: str) -> None:
    wrong = ADDRESS | {"country": country, "postcode": postcode}
    with pytest.raises(ValidationError) as refused:
        AddressGiven.model_validate(wrong)
    [error] = refused.value.errors()
    assert (error["type"], error["ctx"]["field"]) == ("no_postcode_there", "postcode")
    assert Address.model_validate(wrong).postcode == postcode


@pytest.mark.parametrize("country", ["ZZ", "UK", "EU", "AA"])
def test_a_country_that_does_not_exist_is_refused_by_its_field(country: str) -> None:
    wrong = ADDRESS | {"country": country}
    for form, given in ((AddressGiven, wrong), (PlaceGiven, wrong), (SupplyGiven, {"country": country})):
        with pytest.raises(ValidationError) as refused:
            form.model_validate(given)
        [error] = refused.value.errors()
        assert (error["type"], error["loc"]) == ("no_country", ("country",))
    assert Address.model_validate(wrong).country == country


def test_all_countries_are_known() -> None:
    """CLDR also has areas, groups and places to test with, which ISO 3166 has not."""
    others = "AC CP CQ DG EA EU EZ IC QO TA UN XA XB XK ZZ"
    territories = {code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha()}
    assert territories - set(others.split()) == COUNTRIES
