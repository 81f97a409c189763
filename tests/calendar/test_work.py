"""Working hours from a day on, absences, local holidays: over five years of clock changes in five zones."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from given_views import a
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sav_calendar.hours import (
    USUAL_SHIFTS,
    VISIT,
    WEEKDAYS,
    Work,
    arrival_until,
    followed_by,
    free_slots,
    midnight,
    public_holidays,
    starts,
)
from sav_contracts.auth.policy import Buffers, PolicyView, SlaTargets
from sav_contracts.calendar.hours import PlannedHours, Shift, WorkingHoursView
from sav_contracts.public_holidays import Holidays

KARIM = UUID(int=11)
ZONES = ["Europe/Paris", "Indian/Reunion", "America/Miquelon", "Australia/Lord_Howe", "Asia/Beirut"]
FIRST = date(2025, 1, 1)
DAYS = st.integers(0, 5 * 365).map(lambda number: FIRST + timedelta(days=number))
CHECKED: TypeAdapter[str] = TypeAdapter(Holidays)


def works(shifts: list[Shift]) -> WorkingHoursView:
    return a(WorkingHoursView, zone="Europe/Paris", holidays="FR", shifts=shifts)


def hours(start: int, zone: str = "Europe/Paris", on: date = FIRST, holidays: str = "FR") -> PlannedHours:
    """Every day four hours from then on."""
    shifts = [Shift(day=day, start=time(start), end=time(start + 4)) for day in WEEKDAYS]
    return PlannedHours(effective_from=on, zone=zone, holidays=holidays, shifts=shifts)


def clock(moment: datetime, zone: str) -> datetime:
    """What the clock on the wall shows."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


versions = st.builds(hours, st.integers(0, 19), st.sampled_from(ZONES), DAYS)


@settings(deadline=None)
@given(st.lists(versions, max_size=6), DAYS)
def test_whatever_the_order_in_which_hours_are_set_the_last_one_for_a_day_holds(
    told: list[PlannedHours], day: date
) -> None:
    in_paris = [one.model_copy(update={"zone": "Europe/Paris"}) for one in told]
    planned: list[PlannedHours] = []
    for one in in_paris:
        planned = followed_by(planned, one)
    now = works(USUAL_SHIFTS)
    expected = next((one for one in reversed(in_paris) if one.effective_from <= day), now)
    noon = datetime.combine(day, time(12), ZoneInfo("Europe/Paris"))
    assert Work(KARIM, now, planned).at(noon) is expected
    assert planned == sorted(planned, key=lambda one: one.effective_from)


@settings(deadline=None)
@given(st.lists(versions, max_size=4), st.lists(st.tuples(DAYS, st.integers(1, 200)), max_size=3), DAYS)
def test_no_slot_is_outside_hours_in_an_absence_or_on_a_holiday(
    told: list[PlannedHours], gone: list[tuple[date, int]], day: date
) -> None:
    planned: list[PlannedHours] = []
    for one in told:
        planned = followed_by(planned, one)
    away = [
        (begin, begin + timedelta(hours=length))
        for begin, length in ((midnight(on, "Europe/Paris"), number) for on, number in gone)
    ]
    work = Work(KARIM, works(USUAL_SHIFTS), planned, away)
    since = midnight(day, "Europe/Paris")
    found = list(free_slots(work, [], since, since + timedelta(days=20), timedelta()))
    assert [slot.start for slot in found] == sorted({slot.start for slot in found})
    for slot in found:
        assert not any(begin < slot.end and slot.start < end for begin, end in away)
        assert work.cover(slot.start, slot.end)
        held = work.at(slot.start)
        first, last = clock(slot.start, held.zone), clock(slot.end, held.zone)
        assert first.date() not in public_holidays(held.holidays)
        assert any(
            shift.day == WEEKDAYS[first.weekday()]
            and shift.start <= first.time()
            and last.time() <= shift.end
            for shift in held.shifts
        )
    # And none that fits is missing.
    free = {slot.start for slot in found}
    for start in starts(work, since, since + timedelta(days=20)):
        assert (start in free) is not work.is_away(start, start + VISIT)


@settings(deadline=None)
@given(st.sampled_from(ZONES), DAYS, st.integers(0, 95), st.integers(1, 48))
@example("Europe/Paris", date(2026, 10, 25), 10, 4)
@example("Australia/Lord_Howe", date(2026, 4, 5), 7, 2)
def test_an_arrival_window_never_ends_at_the_reading_at_which_it_begins(
    zone: str, day: date, quarter: int, quarters: int
) -> None:
    """Of a visit at any quarter of an hour, also in the hour that comes twice."""
    start = midnight(day, zone) + timedelta(minutes=15 * quarter)
    end = start + timedelta(minutes=15 * quarters)
    until = arrival_until(start, end, zone)
    assert clock(start, zone) < clock(until, zone)
    assert until - start <= timedelta(hours=2)


def test_half_past_two_comes_twice() -> None:
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    until = arrival_until(start, start + VISIT, "Europe/Paris")
    assert [clock(at, "Europe/Paris").time() for at in (start, until)] == [time(2, 30), time(3, 30)]


def test_new_hours_begin_at_midnight_where_they_hold() -> None:
    planned = [hours(8, "Indian/Reunion", date(2026, 3, 4)), hours(8, "Europe/Paris", date(2026, 3, 6))]
    work = Work(KARIM, works(USUAL_SHIFTS), planned)
    begins = [
        f"{start:%d %H:%M}"
        for start in starts(work, datetime(2026, 3, 3, tzinfo=UTC), datetime(2026, 3, 7, tzinfo=UTC))
    ]
    assert begins == [
        *("03 07:00", "03 08:00", "03 09:00", "03 12:00", "03 13:00", "03 14:00"),
        *("04 04:00", "04 05:00", "04 06:00", "05 04:00", "05 05:00", "05 06:00"),
        *("06 07:00", "06 08:00", "06 09:00"),
    ]


def test_a_long_visit_goes_on_over_a_break_and_not_over_an_absence() -> None:
    day = datetime(2026, 3, 3, tzinfo=UTC)
    noon = (datetime(2026, 3, 3, 11, tzinfo=UTC), datetime(2026, 3, 3, 12, tzinfo=UTC))
    for away, number in (([], 3), ([noon], 0)):
        work = Work(KARIM, works(USUAL_SHIFTS), away=away)
        slots = free_slots(work, [], day, day + timedelta(days=1), timedelta(), timedelta(hours=5))
        assert len(list(slots)) == number


GOOD_FRIDAY, SAINT_STEPHEN = date(2026, 4, 3), date(2026, 12, 26)


@pytest.mark.parametrize(
    ("region", "local"),
    [("FR-57", True), ("FR-67", True), ("FR-68", True), ("FR-6AE", True), ("FR-51", False), ("FR-2A", False), ("FR", False)],
)  # fmt: skip
def test_moselle_and_alsace_have_two_days_more(region: str, local: bool) -> None:
    assert CHECKED.validate_python(region) == region
    assert (GOOD_FRIDAY in public_holidays(region)) is local
    assert (SAINT_STEPHEN in public_holidays(region)) is local
    assert date(2026, 7, 14) in public_holidays(region)


@pytest.mark.parametrize(
    ("region", "day"),
    [
        ("FR-971", date(2026, 5, 27)),
        ("FR-972", date(2026, 5, 22)),
        ("FR-973", date(2026, 6, 10)),
        ("FR-974", date(2026, 12, 20)),
        ("FR-976", date(2026, 4, 27)),
        ("FR-RE", date(2026, 12, 20)),
    ],
)
def test_overseas_the_abolition_of_slavery_is_a_day_off(region: str, day: date) -> None:
    assert CHECKED.validate_python(region) == region
    assert day in public_holidays(region)
    assert day not in public_holidays("FR")


@pytest.mark.parametrize(
    ("region", "code"),
    [("FR-GES", "which_department"), ("FR-20", "no_holidays"), ("FR-99", "no_holidays"), ("ZZ", "no_holidays"), ("FR-", "no_holidays")],
)  # fmt: skip
def test_a_divided_region_is_asked_for_its_department(region: str, code: str) -> None:
    for read in (
        lambda: CHECKED.validate_python(region),
        lambda: SlaTargets(holidays=region),
    ):
        with pytest.raises(ValidationError) as refused:
            read()
        assert [error["type"] for error in refused.value.errors()] == [code]


def test_what_was_stored_for_a_divided_region_is_still_read() -> None:
    stored = a(PolicyView, name="sla_targets", value={"holidays": "FR-GES"}).in_force(SlaTargets)
    assert stored.holidays == "FR-GES"
    assert GOOD_FRIDAY not in public_holidays("FR-GES")


def test_each_kind_of_visit_has_its_length() -> None:
    usual = Buffers()
    assert usual.length("repair") == VISIT
    assert usual.length("install") == timedelta(hours=4)
    assert Buffers(maintenance_minutes=45).length("maintenance") == timedelta(minutes=45)
