"""Where the firm is."""

from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from sav_chassis.law.jurisdiction import Jurisdiction, jurisdiction
from sav_chassis.settings import RoomSettings
from sav_contracts.money import Currency


class Firm(RoomSettings):
    """The country whose days count, that of the invoices."""

    jurisdiction: Literal["FR", "TN"] = "FR"

    @property
    def law(self) -> Jurisdiction:
        """The data of the jurisdiction, by which invoices are made."""
        return jurisdiction(self.jurisdiction)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.law.zone)

    @property
    def currency(self) -> Currency:
        """That of the invoices."""
        return self.law.currency


@cache
def firm() -> Firm:
    """The settings, read once in each process."""
    return Firm()
