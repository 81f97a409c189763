"""Where the firm is."""

from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from sav_chassis.settings import RoomSettings

# As in the settings of catalog: no room imports another, and a test compares them.
ZONES = {"FR": "Europe/Paris", "TN": "Africa/Tunis"}


class Firm(RoomSettings):
    """The country whose days count, that of the invoices."""

    jurisdiction: Literal["FR", "TN"] = "FR"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(ZONES[self.jurisdiction])


@cache
def firm() -> Firm:
    """The settings, read once in each process."""
    return Firm()
