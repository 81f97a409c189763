"""Which appliances are serviced, until when, and what carbon monoxide means."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from given_readings import article

from sav_contracts.catalog.servicing import (
    CARBON_MONOXIDE,
    AirQuality,
    ApplianceKind,
    air_quality,
    attested_by,
    burns,
    kind_of,
    next_service,
)

INSTALLED, TODAY = date(2025, 1, 15), date(2026, 3, 5)


@pytest.mark.parametrize(
    ("built", "kind", "burning"),
    [
        ({"fuel": "gas", "heats": "space_and_water"}, "boiler", True),
        ({"fuel": "wood", "heats": None}, "boiler", True),
        ({"fuel": "gas_hybrid", "heats": "space"}, "boiler", True),
        ({"fuel": "heat_pump", "heats": "space"}, "heat_pump", False),
        ({"fuel": "heat_pump", "heats": "water"}, "water_heater", False),
        ({"fuel": "gas", "heats": "water"}, "water_heater", True),
        ({"fuel": "electric", "heats": "space"}, "other", False),
        ({"fuel": None, "heats": None}, "other", False),
        ({"family": "sanitary", "fuel": None}, "other", False),
        ({"family": "sanitary", "fuel": "gas", "heats": "water"}, "water_heater", True),
        ({"family": "part", "fuel": "gas", "heats": "water"}, "other", False),
    ],
)
def test_the_kind_of_an_appliance_follows_from_its_article(
    built: dict[str, Any], kind: ApplianceKind, burning: bool
) -> None:
    shown = article(**built)
    assert (kind_of(shown), burns(shown)) == (kind, burning)


@pytest.mark.parametrize(
    ("ppm", "air"),
    [(0, "normal"), (9, "normal"), (10, "abnormal"), (49, "abnormal"), (50, "dangerous"), (900, "dangerous")],
)
def test_from_ten_ppm_on_air_is_abnormal_and_from_fifty_dangerous(ppm: int, air: AirQuality) -> None:
    assert air_quality(ppm, TODAY) == air


def test_the_limits_of_the_day_count() -> None:
    assert air_quality(15, date(2014, 6, 30)) == "normal"
    assert air_quality(15, date(2014, 7, 1)) == "abnormal"
    assert [limits.since for limits in CARBON_MONOXIDE] == sorted(
        (limits.since for limits in CARBON_MONOXIDE), reverse=True
    )


@pytest.mark.parametrize(
    ("built", "serviced", "due"),
    [
        # A new boiler until the end of the next calendar year, then yearly.
        ({}, None, date(2026, 12, 31)),
        ({}, date(2026, 3, 5), date(2027, 3, 5)),
        ({}, date(2024, 2, 29), date(2025, 2, 28)),
        # A heat pump every two years, also the first time.
        ({"fuel": "heat_pump", "heats": "space"}, None, date(2027, 1, 15)),
        ({"fuel": "heat_pump", "heats": "space"}, date(2026, 3, 5), date(2028, 3, 5)),
        # What else burns: yearly.
        ({"fuel": "gas", "heats": "water"}, date(2026, 3, 5), date(2027, 3, 5)),
        ({"power_kw": Decimal(500)}, date(2026, 3, 5), date(2027, 3, 5)),
        ({"power_kw": Decimal("3.99")}, date(2026, 3, 5), date(2027, 3, 5)),
        ({"power_kw": None}, date(2026, 3, 5), date(2027, 3, 5)),
        # Nothing is due for these.
        ({"fuel": "heat_pump", "power_kw": Decimal("70.01")}, None, None),
        ({"fuel": "heat_pump", "heats": "water"}, None, None),
        ({"fuel": "electric"}, date(2026, 3, 5), None),
        ({"family": "sanitary", "fuel": None}, None, None),
    ],
)
def test_when_the_next_service_is_due(built: dict[str, Any], serviced: date | None, due: date | None) -> None:
    assert next_service(article(**built), INSTALLED, serviced, TODAY) == due


def test_an_old_unit_of_whose_services_we_know_nothing_is_due_this_year() -> None:
    assert next_service(article(), date(2015, 6, 1), None, TODAY) == date(2026, 12, 31)


@pytest.mark.parametrize(
    ("built", "due"),
    [
        ({}, date(2026, 3, 20)),
        ({"power_kw": Decimal(4)}, date(2026, 3, 20)),
        ({"power_kw": Decimal(400)}, date(2026, 3, 20)),
        ({"power_kw": Decimal("400.01")}, None),
        ({"power_kw": Decimal("3.99")}, None),
        ({"fuel": "heat_pump", "power_kw": Decimal(70)}, date(2026, 3, 20)),
        ({"fuel": "heat_pump", "power_kw": Decimal("70.01")}, None),
        ({"fuel": "gas", "heats": "water"}, None),
    ],
)
def test_boilers_and_heat_pumps_are_attested_within_fifteen_days(
    built: dict[str, Any], due: date | None
) -> None:
    assert attested_by(article(**built), TODAY) == due
