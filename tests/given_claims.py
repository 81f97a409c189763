"""Rows that claims tests start from."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import world

from sav_claims.model import Client, Reclamation
from sav_contracts.actor import Actor
from sav_contracts.interventions import TechnicianView

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


def reclamation(**fields: Any) -> Reclamation:
    """Léa's réclamation, submitted unless the fields say otherwise."""
    usual = {
        "id": UUID(int=100),
        "reference": "REC-2026-000100",
        "client_id": world.lea.id,
        "article": "Chaudière",
        "problem_type": "leak",
        "description": "goutte à goutte",
        "safety_answers": {},
        "priority": "high",
        "priority_reason": "problem type leak",
        "coverage": "unknown",
        "status": "submitted",
    }
    return Reclamation(**(usual | fields))
