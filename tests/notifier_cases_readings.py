"""What is told of carbon monoxide, attestations and replaced units."""

from datetime import date, timedelta
from typing import Any, get_args
from uuid import UUID

import world
from given_notifier import BORN, PRODUCT, RECLAMATION, VISIT, product, visit
from given_views import a
from notifier_case import KARIM, LEA, MANAGERS, Case

from sav_contracts.catalog.product import ReplacementUnclear
from sav_contracts.catalog.servicing import AirQuality
from sav_contracts.interventions.attestation import (
    AttestationMade,
    AttestationReminderDue,
    AttestationView,
    Attested,
)
from sav_contracts.interventions.invoice import DEMONSTRATION
from sav_contracts.interventions.visit import CarbonMonoxideFound

ATTESTATION = UUID(int=230)
DUE = date(2126, 12, 15)


def found(ppm: int, air: AirQuality, **fields: Any) -> CarbonMonoxideFound:
    return CarbonMonoxideFound(
        state=visit(status="in_progress", technician_id=world.karim.id, version=5, **fields), ppm=ppm, air=air
    )


def attested(**fields: Any) -> Attested:
    usual: dict[str, Any] = {
        "kind": "boiler",
        "article": "Chaudière Azur 24",
        "brand": "Azur",
        "model": None,
        "serial": "AZ-4711",
        "fuel": "gas",
        "power_kw": None,
        "commissioned_on": None,
        "client": "Léa Bernard",
        "place": product().place,
        "technician": "Karim Haddad",
        "firm": DEMONSTRATION,
        "tasks": [],
        "co_ppm": 3,
        "readings": {},
        "advice": "Purger les radiateurs.",
        "next_service_due": date(2127, 11, 30),
        "reference": "Arrêté du 15 septembre 2009",
    }
    return Attested(**(usual | fields))


def attestation(**fields: Any) -> AttestationView:
    usual: dict[str, Any] = {
        "intervention_id": VISIT,
        "product_id": PRODUCT,
        "serviced_on": DUE - timedelta(15),
        "due_on": DUE,
        "status": "due",
    }
    return a(AttestationView, **({"id": ATTESTATION} | usual | fields))


def unclear(why: Any) -> ReplacementUnclear:
    return ReplacementUnclear(state=product(version=3), intervention_id=VISIT, new_serial="AZ-9999", why=why)


READINGS = [
    Case("a little carbon monoxide", found(18, "abnormal"), {"co_found": LEA}),
    Case(
        "much carbon monoxide",
        found(80, "dangerous"),
        {"co_found": LEA, "co_dangerous": MANAGERS | {world.alex.id}},
    ),
    Case(
        "much carbon monoxide from something in words",
        found(80, "dangerous", product_id=None, place=None, reclamation_id=RECLAMATION),
        {"co_found": LEA, "co_dangerous": MANAGERS | {world.alex.id}},
    ),
    *(
        Case(
            f"an attestation that is {'overdue' if overdue else 'nearly due'}",
            AttestationReminderDue(state=attestation(version=2), overdue=overdue),
            {"attestation_to_make": KARIM | MANAGERS},
        )
        for overdue in (False, True)
    ),
    *(
        Case(
            name,
            AttestationMade(
                state=attestation(status="made", made_at=BORN, attested=attested(**said), version=3)
            ),
            {"attestation_available": LEA},
        )
        for name, said in (
            ("an attestation", {}),
            ("an attestation without advice", {"advice": None, "next_service_due": None}),
        )
    ),
    *(
        Case(f"an unclear replacement: {why}", unclear(why), {"replacement_unclear": MANAGERS})
        for why in get_args(ReplacementUnclear.model_fields["why"].annotation)
    ),
]
