"""The warranties that follow from when a product was bought and delivered."""

from collections.abc import Iterator
from datetime import date

from sav_contracts.catalog.product import LEGAL_CONFORMITY_MONTHS, Cover, months_after


def covers_of(purchase: date, delivery: date, parts_months: int, labour_months: int) -> list[Cover]:
    """Legal conformity from delivery (Code de la consommation, L217-3), and the seller's own warranty from purchase.

    The seller's has one cover for parts, and one for labour and travel; each only if it lasts at least a month.
    """
    return [
        Cover(
            kind="legal_conformity",
            start=delivery,
            end=months_after(delivery, LEGAL_CONFORMITY_MONTHS),
            parts=100,
            labour=100,
            travel=100,
        ),
        *_commercial(purchase, parts_months, parts=100, labour=0, travel=0),
        *_commercial(purchase, labour_months, parts=0, labour=100, travel=100),
    ]


def _commercial(purchase: date, months: int, parts: int, labour: int, travel: int) -> Iterator[Cover]:
    if months:
        yield Cover(
            kind="commercial",
            start=purchase,
            end=months_after(purchase, months),
            parts=parts,
            labour=labour,
            travel=travel,
        )
