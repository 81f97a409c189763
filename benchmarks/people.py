"""The people and records that measures need."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from sav_chassis.identity import Signer
from sav_chassis.settings import Settings
from sav_contracts.actor import Actor, Role
from sav_contracts.claims.reclamation import ReclamationView, Safety

ARTICLE = "Chaudière Théma 25"
PROBLEM = "L'eau chaude tiédit après cinq minutes de douche, puis l'appareil affiche le défaut F28."
PLACE = '{"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon"}'
OPENING = f'{{"article": "{ARTICLE}", "problem_type": "no_hot_water", "description": "{PROBLEM}", "place": {PLACE}}}'
CLIENT = """
INSERT INTO client (id, version, created_at, updated_at, name, email, locale)
VALUES ($1, 1, $2, $2, 'Léa Bernard', 'lea@example.com', 'fr')"""


def token(settings: Settings, id: UUID, role: Role = Role.CLIENT) -> str:
    """One that lasts longer than any measure."""
    return Signer(settings.signing_key).token(Actor(id=id, role=role), seconds=24 * 3600)


def reclamation(client_id: UUID, number: int) -> ReclamationView:
    """A réclamation as it is after it was opened."""
    now = datetime.now(UTC)
    return ReclamationView(
        id=uuid7(),
        version=1,
        created_at=now,
        updated_at=now,
        reference=f"REC-2026-{number:06}",
        client_id=client_id,
        technician_id=None,
        article=ARTICLE,
        problem_type="no_hot_water",
        description=PROBLEM,
        safety=Safety(),
        status="submitted",
        coverage="unknown",
        priority="normal",
        priority_reason="no danger was reported",
    )


async def client_of_claims(settings: Settings, id: UUID) -> None:
    """The profile that claims would have made of their account."""
    async with connection(settings, "claims") as claims:
        await claims.execute(CLIENT, id, datetime.now(UTC))


async def same_people(ours: Settings, theirs: Settings) -> UUID:
    """Gives the baseline the demo people as services know them; the client's id."""
    async with connection(ours, "notifier") as known, connection(theirs, "notifier") as knows:
        rows = await known.fetch("SELECT * FROM view WHERE kind IN ('account', 'client')")
        await knows.copy_records_to_table("view", records=[tuple(row) for row in rows])
        # A message that is made twice shall show.
        await knows.execute(
            "ALTER TABLE notification DROP CONSTRAINT notification_event_id_user_id_channel_key"
        )
    client = next(row["id"] for row in rows if row["kind"] == "client")
    await client_of_claims(theirs, client)
    return UUID(str(client))


@asynccontextmanager
async def connection(settings: Settings, room: str) -> "AsyncIterator[asyncpg.Connection[Any]]":
    one = await asyncpg.connect(settings.database(room))
    try:
        yield one
    finally:
        await one.close()
