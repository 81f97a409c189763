"""Days and mornings where the firm is."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sav_chassis.tx import Tx
from sav_interventions.settings import billing

# When people are at work.
MORNING = time(9)


def local_day(at: datetime) -> date:
    """The day of a time in the firm's zone."""
    return at.astimezone(ZoneInfo(billing().law.zone)).date()


def today(tx: Tx) -> date:
    """Today's date in the firm's zone."""
    return local_day(tx.now)


def morning(day: date) -> datetime:
    """When people begin to work on that day."""
    return datetime.combine(day, MORNING, ZoneInfo(billing().law.zone))
