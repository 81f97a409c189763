"""Records of claims as its commands make them, for measures of what a business commit costs."""

from uuid import UUID

from news import DESCRIPTION, database, prepared

from sav_chassis.settings import Settings
from sav_claims.model import Reclamation
from sav_contracts.catalog.warranty import NO_PRODUCT
from sav_contracts.claims.reclamation import Safety

ROOM = "claims"
CLIENT = UUID(int=1)
A_CLIENT = """
INSERT INTO client (id, version, created_at, updated_at, name, email, locale)
VALUES ($1, 1, now(), now(), 'Léa', 'lea@example.com', 'fr') ON CONFLICT DO NOTHING"""


async def with_client(settings: Settings) -> Settings:
    """The database of claims, with the client who opens everything."""
    settings = await prepared(settings, ROOM)
    async with database(settings, ROOM) as connection:
        await connection.execute(A_CLIENT, CLIENT)
    return settings


def reported(number: int, id: UUID) -> Reclamation:
    """The numbered réclamation, as it is when it was just opened."""
    return Reclamation(
        id=id,
        reference=f"REC-2026-{number:06}",
        client_id=CLIENT,
        article="Chaudière murale à condensation 24 kW",
        problem_type="leak",
        description=DESCRIPTION,
        safety=Safety(flooding=True),
        priority="high",
        priority_reason="problem type leak",
        coverage="unknown",
        assignment=0,
        status="submitted",
    )


def qualify(reclamation: Reclamation) -> None:
    reclamation.status, reclamation.priority, reclamation.priority_reason = "qualified", "critical", "decided"
    reclamation.decide(NO_PRODUCT)
