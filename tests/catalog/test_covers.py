"""The covers that follow from the dates, as the product's view reads them."""

from datetime import date, timedelta

import pytest
from given_views import a
from hypothesis import given
from hypothesis import strategies as st

from sav_catalog.covers import covers_of
from sav_contracts.catalog.product import Cover, ProductView, months_after

DAY = timedelta(days=1)
DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31))
MONTHS = st.integers(0, 600)


def view(covers: list[Cover]) -> ProductView:
    return a(ProductView, proof_state="accepted", covers=covers)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 24, date(2026, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 10, 31), 4, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_a_month_that_is_too_short_ends_on_its_last_day(start: date, months: int, end: date) -> None:
    assert months_after(start, months) == end


@given(start=DAYS, months=MONTHS)
def test_so_many_months_later_is_that_month(start: date, months: int) -> None:
    end = months_after(start, months)
    assert (end.year - start.year) * 12 + end.month - start.month == months
    # The same day, or the last one of a month that has no such day.
    assert end.day == start.day or (end.day < start.day and (end + DAY).day == 1)


@given(purchase=DAYS, wait=st.integers(0, 400), parts=MONTHS, labour=MONTHS, data=st.data())
def test_every_day_of_the_legal_term_is_covered(
    purchase: date, wait: int, parts: int, labour: int, data: st.DataObject
) -> None:
    delivery = purchase + wait * DAY
    shown = view(covers_of(purchase, delivery, parts, labour))
    last = months_after(delivery, 24)
    for on in (delivery, last, data.draw(st.dates(delivery, last))):
        assert shown.warranty(on).decision == "covered"


@given(purchase=DAYS, wait=st.integers(0, 400), parts=MONTHS, labour=MONTHS, after=st.integers(1, 3000))
def test_after_all_covers_nothing_is_covered(
    purchase: date, wait: int, parts: int, labour: int, after: int
) -> None:
    delivery = purchase + wait * DAY
    last = max(months_after(delivery, 24), months_after(purchase, max(parts, labour)))
    told = view(covers_of(purchase, delivery, parts, labour)).warranty(last + after * DAY)
    assert (told.decision, told.why, told.until) == ("not_covered", "covers_ended", last)
    assert (told.parts, told.labour, told.travel) == (0, 0, 0)


@given(purchase=DAYS, wait=st.integers(0, 400), parts=MONTHS, labour=MONTHS, later=st.integers(-30, 20_000))
def test_each_share_is_paid_while_a_cover_pays_it(
    purchase: date, wait: int, parts: int, labour: int, later: int
) -> None:
    delivery, on = purchase + wait * DAY, purchase + later * DAY
    told = view(covers_of(purchase, delivery, parts, labour)).warranty(on)

    legal = delivery <= on <= months_after(delivery, 24)
    pays_parts = legal or (parts > 0 and purchase <= on <= months_after(purchase, parts))
    pays_labour = legal or (labour > 0 and purchase <= on <= months_after(purchase, labour))
    assert (told.parts, told.labour, told.travel) == (
        100 * pays_parts,
        100 * pays_labour,
        100 * pays_labour,
    )
    both = {pays_parts, pays_labour}
    assert told.decision == ("covered" if both == {True} else "not_covered" if both == {False} else "partly")


def test_zero_months_make_no_cover() -> None:
    [only] = covers_of(date(2026, 1, 1), date(2026, 1, 1), 0, 0)
    assert only.kind == "legal_conformity"
