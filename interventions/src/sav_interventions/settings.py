"""Settings of invoices."""

from decimal import Decimal
from functools import cache
from typing import Literal

from sav_chassis.settings import RoomSettings
from sav_contracts.interventions.invoice import DEMONSTRATION, Seller
from sav_interventions.jurisdiction import Jurisdiction, jurisdiction


class Billing(RoomSettings):
    """The country of VAT rates and mentions, the seller, and the rates of an hour and a kilometre (excluding VAT)."""

    jurisdiction: Literal["FR", "TN"] = "FR"
    seller: Seller = DEMONSTRATION
    labour_rate: Decimal = Decimal("62.00")
    travel_rate: Decimal = Decimal("0.90")

    @property
    def law(self) -> Jurisdiction:
        """The data of the jurisdiction."""
        return jurisdiction(self.jurisdiction)


@cache
def billing() -> Billing:
    """The settings, read once in each process."""
    return Billing()
