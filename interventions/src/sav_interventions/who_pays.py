"""What covers pay of a visit."""

from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.warranty import CoverKind, Warranty
from sav_interventions.model import Intervention

# These may promise maintenance or an installation. Guarantees pay for faults only.
PROMISE_UPKEEP: frozenset[CoverKind] = frozenset({"contract", "goodwill"})
NO_FAULT = Warranty(decision="not_covered", why="no_fault")


def by_covers(visit: Intervention, product: ProductView) -> Warranty:
    """What the product's covers pay of this visit, on the day it was asked for at the product's place."""
    if visit.reclamation_id:
        return product.warranty_at(visit.reported_at)
    day = product.place.day(visit.reported_at)
    promised = [
        cover
        for cover in product.covers
        if cover.kind in PROMISE_UPKEEP and cover.applies(day, product.repairs)
    ]
    return Warranty.of_covers(promised) if promised else NO_FAULT
