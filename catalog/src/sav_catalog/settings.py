"""Where the firm is."""

from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from sav_chassis.settings import RoomSettings
from sav_contracts.interventions.invoice import DEMONSTRATION, Seller

# Also in the data by which interventions bills (`jurisdictions/`): no room imports another, and a test compares them.
ZONES = {"FR": "Europe/Paris", "TN": "Africa/Tunis"}


class Firm(RoomSettings):
    """The country whose days count, that of the invoices; and who sells."""

    jurisdiction: Literal["FR", "TN"] = "FR"
    seller: Seller = DEMONSTRATION

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(ZONES[self.jurisdiction])

    def another(self, seller: str | None) -> str | None:
        """The seller of a unit, or None where they are this firm itself, however its name is written."""
        same = seller is None or seller.casefold().split() == self.seller.name.casefold().split()
        return None if same else seller


@cache
def firm() -> Firm:
    """The settings, read once in each process."""
    return Firm()
