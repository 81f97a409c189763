"""Times and days in requests. Recorded ones are read unchanged, with `datetime` and `date`."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from sav_contracts.wrong_value import WrongValue

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
_FIRST = datetime(FIRST_DAY.year, 1, 1, tzinfo=UTC)
_BEYOND = datetime(LAST_DAY.year + 1, 1, 1, tzinfo=UTC)

# How far ahead visits can be planned: working hours are known as of today, and nothing is promised beyond.
HORIZON = timedelta(days=365)
SHORTEST_VISIT, LONGEST_VISIT = timedelta(minutes=15), timedelta(hours=12)


class NoMoment(WrongValue):
    code = "no_moment"
    en = "a time with its zone, from 1900 to 2200, such as 2026-03-02T09:00:00+01:00"
    fr = "une date et une heure avec leur fuseau, de 1900 à 2200, par exemple 2026-03-02T09:00:00+01:00"


class NoDay(WrongValue):
    code = "no_day"
    en = "a day from 1900 to 2200, such as 2026-03-02"
    fr = "une date de 1900 à 2200, par exemple 2026-03-02"


class EndsBeforeFrom(WrongValue):
    code = "ends_before_from"
    since: str = "from"
    en = "it is before `{since}`"
    fr = "cette date précède `{since}`"


def _moment(given: Any, read: ValidatorFunctionWrapHandler) -> datetime:
    try:
        time: datetime = read(given)
    except ValidationError:
        time = _BEYOND
    # Pydantic would read a number as seconds or milliseconds, whichever seems likelier.
    written = ":" in given if isinstance(given, str) else isinstance(given, datetime)
    if not written or not _FIRST <= time < _BEYOND:
        raise NoMoment().error()
    # PostgreSQL rejects offsets over 15:59 in texts, which Python accepts.
    return time.astimezone(UTC)


def _day(given: Any, read: ValidatorFunctionWrapHandler) -> date:
    try:
        day: date = read(given)
    except ValidationError:
        day = date.max
    written = (
        re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given)
        if isinstance(given, str)
        else isinstance(given, date)
    )
    if not written or not FIRST_DAY <= day <= LAST_DAY:
        raise NoDay().error()
    return day


# A time in UTC. Every value can be stored, shown and converted to any zone.
Moment = Annotated[AwareDatetime, WrapValidator(_moment)]
# A day on the calendar, without a time.
Day = Annotated[date, WrapValidator(_day)]
