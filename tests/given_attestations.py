"""Attestations of the service of Léa's boiler, due and made."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from given_interventions import NOW, PRODUCT, VISIT
from given_readings import serviced, unit

from sav_contracts.interventions.attestation import AttestationView, Attested
from sav_interventions.model import Attestation
from sav_interventions.settings import billing

ATTESTATION = UUID(int=600)


def attestation(due: date = date(2026, 3, 20), **fields: Any) -> Attestation:
    usual: dict[str, Any] = {"serviced_on": due - timedelta(15), "due_on": due, "status": "due"}
    return Attestation(id=ATTESTATION, intervention_id=VISIT, product_id=PRODUCT, **(usual | fields))


def shown(**fields: Any) -> AttestationView:
    usual: dict[str, Any] = {
        "kind": "boiler",
        "article": "Chaudière murale Lumea 24",
        "brand": "Lumea",
        "model": "24 C",
        "serial": "LUM24-7431",
        "fuel": "gas",
        "power_kw": Decimal("24.00"),
        "commissioned_on": date(2025, 1, 15),
        "client": "Léa Bernard",
        "place": unit().place.model_copy(update={"access_notes": None}),
        "technician": "Karim Haddad",
        "firm": billing().seller,
        "tasks": serviced().tasks,
        "co_ppm": 3,
        "readings": {"Rendement": "94 %"},
        "advice": "Purger les radiateurs.",
        "next_service_due": date(2027, 3, 5),
        "reference": "Arrêté du 15 septembre 2009",
    }
    made = attestation(attested=Attested(**(usual | fields)))
    made.version, made.created_at, made.updated_at = 1, NOW, NOW
    return made.view()
