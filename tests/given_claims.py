"""Rows that claims tests start from."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import world

from sav_claims.model import Client, Reclamation
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims import Safety
from sav_contracts.interventions.visit import InterventionView, TechnicianView

PRODUCT, VISIT = UUID(int=300), UUID(int=200)
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def technician(who: Actor, active: bool = True) -> TechnicianView:
    return TechnicianView(
        id=who.id,
        version=1,
        created_at=NOW,
        updated_at=NOW,
        technician_id=who.id,
        name="Karim",
        active=active,
    )


def client(who: Actor) -> Client:
    return Client(id=who.id, name="Léa", email=f"{who.id}@example.com", locale="fr")


def product(who: Actor, **fields: Any) -> ProductView:
    """A boiler whose proof was accepted, delivered on the day before `NOW`, unless the fields say otherwise."""
    usual = {
        "id": PRODUCT,
        "version": 3,
        "created_at": NOW,
        "updated_at": NOW,
        "client_id": who.id,
        "article_id": UUID(int=400),
        "article": "Chaudière Lumea 24",
        "family": "heating",
        "serial": "LM-1",
        "place": {"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon"},
        "purchase_date": "2026-03-01",
        "delivery_date": "2026-03-01",
        "commissioning_date": None,
        "proof": None,
        "proof_state": "accepted",
        "proof_reason": None,
        "covers": [
            {
                "kind": "legal_conformity",
                "start": "2026-03-01",
                "end": "2028-03-01",
                "parts": 100,
                "labour": 100,
                "travel": 100,
            }
        ],
    }
    return ProductView.model_validate(usual | fields)


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
    usual = {
        "id": id,
        "version": 7,
        "created_at": NOW,
        "updated_at": NOW,
        "client_id": world.lea.id,
        "technician_id": world.karim.id,
        "reclamation_id": UUID(int=100),
        "reclamation_reference": "REC-2026-000100",
        "status": "completed",
        "slot": None,
        "reason": None,
    }
    return InterventionView.model_validate(usual | fields)
