"""What tests of visits by hand start from."""

from datetime import UTC, datetime, timedelta
from typing import Any

import world
from given_interventions import (
    RECLAMATION,
    reclamation,
)

from sav_chassis.testing import Outcome
from sav_contracts.address import Address
from sav_contracts.catalog.product import PlaceGiven
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.new_visit import CreateIntervention
from sav_contracts.interventions.visit import (
    InterventionPlanned,
    WarrantyDecided,
)
from sav_contracts.slot import WantedSlot

PLACE = PlaceGiven(address="8 quai Perrache", postcode="69002", city="Lyon")
# Known only by its address.
HOME = Address(address="3 rue des Lilas", postcode="69003", city="Lyon")


def further(**fields: Any) -> CreateIntervention:
    return CreateIntervention(**({"reclamation_id": RECLAMATION} | fields))


def upkeep(**fields: Any) -> CreateIntervention:
    """Maintenance at Léa's, by Karim."""
    usual: dict[str, Any] = {
        "client_id": world.lea.id,
        "purpose": "maintenance",
        "technician_id": world.karim.id,
    }
    if "product_id" not in fields:
        usual |= {"article": "Chaudière", "place": PLACE}
    return CreateIntervention(**(usual | fields))


def soon(days: int = 1) -> WantedSlot:
    start = datetime.now(UTC) + timedelta(days=days)
    return WantedSlot(start=start, end=start + timedelta(hours=2))


def planned(outcome: Outcome) -> InterventionPlanned:
    """The visit that was planned by hand, whose warranty is decided at once."""
    assert outcome.problem is None, outcome.problem
    event, decided = outcome.events
    assert isinstance(event, InterventionPlanned)
    assert event.by_hand
    assert isinstance(decided, WarrantyDecided)
    return event


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


def wrong(outcome: Outcome) -> list[str]:
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    return [error.field for error in outcome.problem.errors or []]


def nobodys(**fields: Any) -> ReclamationView:
    return reclamation(world.karim, **({"technician_id": None, "status": "qualified"} | fields))
