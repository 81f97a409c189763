"""The firm in whose name messages are sent."""

from functools import cache

from sav_chassis.settings import RoomSettings
from sav_contracts.interventions.invoice import DEMONSTRATION, Seller


class Sender(RoomSettings):
    """The firm that signs: the one that invoices."""

    seller: Seller = DEMONSTRATION


@cache
def sender() -> Sender:
    """The settings, read once in each process."""
    return Sender()
