"""Where the firm is."""

from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from sav_chassis.settings import RoomSettings
from sav_contracts.money import Currency

# As in the settings of catalog: no room imports another, and a test compares them.
ZONES = {"FR": "Europe/Paris", "TN": "Africa/Tunis"}
# As in the data by which interventions bills.
CURRENCIES: dict[str, Currency] = {"FR": "EUR", "TN": "TND"}


class Firm(RoomSettings):
    """The country whose days count, that of the invoices."""

    jurisdiction: Literal["FR", "TN"] = "FR"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(ZONES[self.jurisdiction])

    @property
    def currency(self) -> Currency:
        """That of the invoices."""
        return CURRENCIES[self.jurisdiction]


@cache
def firm() -> Firm:
    """The settings, read once in each process."""
    return Firm()
