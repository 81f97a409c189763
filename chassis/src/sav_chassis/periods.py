"""The period of a report: from one day to another, both included."""

from datetime import date, timedelta

from sav_chassis.errors import WrongField

USUAL = timedelta(days=29)
LONGEST = timedelta(days=3660)


class NotBeforeFrom(WrongField):
    field: str = "to"
    en = "not before `from`"
    fr = "pas avant `from`"


class PeriodTooLong(WrongField):
    field: str = "to"
    en = "at most ten years after `from`"
    fr = "au plus dix ans après `from`"


def period(start: date | None, end: date | None, today: date) -> tuple[date, date]:
    """The first and the last day that are meant; the last 30 days where nothing is said."""
    end = end or max(start or today, today)
    start = start or end - USUAL
    if start > end:
        raise NotBeforeFrom
    if end - start > LONGEST:
        raise PeriodTooLong
    return start, end
