"""Rows that claims tests start from."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import world
from given_views import a

from sav_claims.model import Client, Reclamation
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.reclamation import Safety
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView

PRODUCT, VISIT = UUID(int=300), UUID(int=200)
OF_IT: dict[str, Any] = {"reclamation_id": UUID(int=100), "reclamation_reference": "REC-2026-000100"}
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def technician(who: Actor, active: bool = True) -> TechnicianView:
    return a(TechnicianView, who.id, technician_id=who.id, active=active)


def client(who: Actor) -> Client:
    return Client(id=who.id, name="Léa", email=f"{who.id}@example.com", locale="fr")


def product(who: Actor, **fields: Any) -> ProductView:
    """A boiler whose proof was accepted, delivered on the day before `NOW`, unless the fields say otherwise."""
    conformity = {"kind": "legal_conformity", "start": "2026-03-01", "end": "2028-03-01"}
    usual: dict[str, Any] = {
        "version": 3,
        "client_id": who.id,
        "article": "Chaudière Lumea 24",
        "purchase_date": "2026-03-01",
        "delivery_date": "2026-03-01",
        "proof_state": "accepted",
        "covers": [conformity | {"parts": 100, "labour": 100, "travel": 100}],
    }
    return a(ProductView, **({"id": PRODUCT} | usual | fields))


def reclamation(**fields: Any) -> Reclamation:
    """Léa's réclamation, submitted unless the fields say otherwise."""
    usual = {
        "id": UUID(int=100),
        "reference": "REC-2026-000100",
        "client_id": world.lea.id,
        "article": "Chaudière",
        "problem_type": "leak",
        "description": "goutte à goutte",
        "safety": Safety(),
        "priority": "high",
        "priority_reason": "problem type leak",
        "coverage": "unknown",
        "status": "submitted",
    }
    return Reclamation(**(usual | fields))


def visit(id: UUID = VISIT, **fields: Any) -> InterventionView:
    """Karim's visit for it, completed unless the fields say otherwise."""
    usual: dict[str, Any] = {"version": 7, "status": "completed"} | OF_IT
    return a(InterventionView, **({"id": id} | usual | fields))
