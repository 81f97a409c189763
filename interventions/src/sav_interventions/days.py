"""Days and mornings where the firm is."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sav_chassis.tx import Tx
from sav_interventions.settings import billing

# When people are at work.
MORNING = time(9)


def today(tx: Tx) -> date:
    """Today's date in the jurisdiction's time zone."""
    return tx.now.astimezone(ZoneInfo(billing().law.zone)).date()


def morning(day: date) -> datetime:
    """When people begin to work on that day."""
    return datetime.combine(day, MORNING, ZoneInfo(billing().law.zone))
