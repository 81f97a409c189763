"""The law's data: rates with the day since which they hold, and their mentions."""

from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest
from given_billing import CERTIFIED, FR, TN

from sav_chassis.law.jurisdiction import Jurisdiction, NoRate, jurisdiction
from sav_contracts.money import VatClass
from sav_interventions.settings import Billing

CODES = sorted(Path(file.name).stem for file in (files("sav_chassis.law") / "jurisdictions").iterdir())


@pytest.mark.parametrize(
    ("law", "vat_class", "on", "rate"),
    [
        (FR, "standard", "2026-03-03", "20"),
        (FR, "intermediate", "2026-03-03", "10"),
        (FR, "reduced", "2026-03-03", "5.5"),
        (FR, "standard", "2014-01-01", "20"),
        (FR, "standard", "2013-12-31", "19.6"),
        (FR, "intermediate", "2014-01-01", "10"),
        (FR, "intermediate", "2012-01-01", "7"),
        (FR, "reduced", "2012-01-01", "5.5"),
        (TN, "standard", "2026-03-03", "19"),
        (TN, "intermediate", "2026-03-03", "13"),
        (TN, "reduced", "2026-03-03", "7"),
        (TN, "standard", "2017-12-31", "18"),
    ],
)
def test_a_rate_is_the_newest_that_holds_on_the_day(
    law: Jurisdiction, vat_class: VatClass, on: str, rate: str
) -> None:
    assert law.rate(vat_class, date.fromisoformat(on)).rate == Decimal(rate)


@pytest.mark.parametrize("law", [FR, TN], ids=["FR", "TN"])
def test_there_is_no_rate_before_the_data_begin(law: Jurisdiction) -> None:
    with pytest.raises(NoRate, match="2011-12-31"):
        law.rate("standard", date(2011, 12, 31))


@pytest.mark.parametrize("vat_class", get_args(VatClass))
@pytest.mark.parametrize("code", CODES)
def test_every_class_has_had_a_rate_for_as_long_as_anything_can_have_been_supplied(
    code: str, vat_class: VatClass
) -> None:
    law = jurisdiction(code)
    for on in (date(2012, 1, 1), date(2020, 1, 1), datetime.now(UTC).date(), date.max):
        assert 0 < law.rate(vat_class, on).rate < 100


def test_every_jurisdiction_that_can_be_set_has_its_data() -> None:
    assert sorted(get_args(Billing.model_fields["jurisdiction"].annotation)) == CODES


def test_the_law_wants_a_mention_beside_what_is_taxed_less_in_france() -> None:
    today = datetime.now(UTC).date()
    assert "art. 279-0 bis" in (FR.rate("intermediate", today).mention or "")
    assert "art. 278-0 bis A" in (FR.rate("reduced", today).mention or "")
    assert FR.rate("standard", today).mention is None


def test_work_on_an_older_dwelling_is_taxed_less_in_france_only() -> None:
    assert [law.vat_class(None, CERTIFIED) for law in (FR, TN)] == ["intermediate", "standard"]
    assert (FR.currency, TN.currency) == ("EUR", "TND")
