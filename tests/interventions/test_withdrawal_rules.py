"""Whether somebody may withdraw from an estimate, why, and until when (law.md)."""

from datetime import date, timedelta

import pytest
from given_estimates import HOME, right
from hypothesis import example, given
from hypothesis import strategies as st

from sav_chassis.law.withdrawal import (
    concluded,
    delivered,
    holidays_at,
    last_day,
    paid_back_by,
    right_to_withdraw,
)
from sav_contracts.catalog.product import Place

PARIS = Place(address="1 rue de l'Exemple", postcode="75001", city="Paris")
STRASBOURG = Place(address="1 quai", postcode="67000", city="Strasbourg")
REUNION = Place(address="1 rue", postcode="97400", city="Saint-Denis")
REUNION_TOO = Place(address="1 rue", postcode="97400", city="Saint-Denis", country="RE")
SOUSSE = Place(address="4 rue", postcode="4000", city="Sousse", country="TN")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (True, "at_home", "conclusion")),
        ({"setting": "at_distance"}, (True, "at_distance", "conclusion")),
        ({"supplies": True}, (True, "at_home", "delivery")),
        ({"urgency": "fuite"}, (False, "urgent_repair", None)),
        # What is sold with its fitting is no urgent repair, nor is what was not asked for at home.
        ({"urgency": "fuite", "supplies": True}, (True, "at_home", "delivery")),
        ({"urgency": "fuite", "setting": "at_distance"}, (True, "at_distance", "conclusion")),
        ({"consumer": False}, (False, "business_buyer", None)),
    ],
)
def test_whether_there_is_a_right_and_why(fields: dict[str, object], expected: tuple[object, ...]) -> None:
    found = right(**fields)
    assert (found.right, found.case, found.counts_from) == expected
    assert (found.days == 14) is found.right
    assert found.reference
    assert (found.until, found.no_payment_until) == (None, None), "nothing is counted before it is accepted"


def test_no_rule_is_known_for_tunisia() -> None:
    given = {"setting": "at_home", "consumer": True, "urgency": None, "supplies": False}
    found = right_to_withdraw("TN", date(2026, 3, 2), **given)  # type: ignore[arg-type]
    assert (found.right, found.case) == (False, "no_rule")
    assert paid_back_by("TN", date(2026, 3, 2), date(2026, 3, 10)) is None


def test_what_was_paid_is_paid_back_within_fourteen_days_of_the_withdrawal() -> None:
    assert paid_back_by("FR", date(2026, 3, 2), date(2026, 3, 10)) == date(2026, 3, 24)


@pytest.mark.parametrize(
    ("accepted", "place", "until"),
    [
        # A Monday; fourteen days after is a Monday.
        (date(2026, 11, 30), PARIS, date(2026, 12, 14)),
        # A Saturday and a Sunday move to Monday.
        (date(2026, 12, 5), PARIS, date(2026, 12, 21)),
        (date(2026, 12, 6), PARIS, date(2026, 12, 21)),
        # Friday the 25th of December, then the weekend.
        (date(2026, 12, 11), PARIS, date(2026, 12, 28)),
        # In Strasbourg Good Friday is a holiday; the Monday after it is one everywhere.
        (date(2026, 3, 20), PARIS, date(2026, 4, 3)),
        (date(2026, 3, 20), STRASBOURG, date(2026, 4, 7)),
        # The 20th of December, a Monday in 2027, is a holiday at La Réunion.
        (date(2027, 12, 6), PARIS, date(2027, 12, 20)),
        (date(2027, 12, 6), REUNION, date(2027, 12, 21)),
        (date(2027, 12, 6), REUNION_TOO, date(2027, 12, 21)),
    ],
)
def test_fourteen_days_end_on_a_working_day_of_the_place(accepted: date, place: Place, until: date) -> None:
    assert concluded(right(), "FR", accepted, place).until == until


def test_nothing_is_paid_in_the_first_seven_days_after_a_contract_at_home() -> None:
    accepted = date(2026, 11, 30)
    assert concluded(right(), "FR", accepted, HOME).no_payment_until == date(2026, 12, 7)
    assert concluded(right(setting="at_distance"), "FR", accepted, HOME).no_payment_until is None
    assert concluded(right(urgency="fuite"), "FR", accepted, HOME).no_payment_until is None
    assert concluded(right(consumer=False), "FR", accepted, HOME).no_payment_until is None


def test_what_is_sold_with_its_fitting_counts_from_delivery() -> None:
    sale = concluded(right(supplies=True), "FR", date(2026, 11, 2), HOME)
    assert (sale.until, sale.no_payment_until) == (None, date(2026, 11, 9))
    assert delivered(sale, date(2026, 11, 30), HOME).until == date(2026, 12, 14)
    service = concluded(right(), "FR", date(2026, 11, 2), HOME)
    assert delivered(service, date(2026, 11, 30), HOME) == service


def test_holidays_of_other_places() -> None:
    assert date(2026, 3, 20) in holidays_at(SOUSSE, "FR"), "independence day"
    assert date(2026, 7, 14) in holidays_at(None, "FR")
    assert date(2026, 7, 14) not in holidays_at(
        Place(address="x", postcode="1", city="x", country="ZZ"), "FR"
    )


@example(date(2026, 12, 11), STRASBOURG)
@given(st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.sampled_from([PARIS, STRASBOURG, REUNION]))
def test_the_last_day_is_the_first_working_day_from_the_fourteenth_on(start: date, place: Place) -> None:
    holidays = holidays_at(place, "FR")
    end = last_day(start, 14, holidays)
    assert end.weekday() < 5
    assert end not in holidays
    skipped = [start + timedelta(days) for days in range(14, (end - start).days)]
    assert all(day.weekday() >= 5 or day in holidays for day in skipped)
