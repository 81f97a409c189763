"""How many invoices are issued a second by 16 at once, beside another command about as many invoices."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from ground import Ground
from harness import Aim, Contender, Figures, Measured, interleaved
from load import Load, post
from news import database
from people import token
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sav_chassis.database import opened
from sav_chassis.law.jurisdiction import jurisdiction
from sav_chassis.settings import Settings
from sav_chassis.views import show
from sav_contracts.actor import Role
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.invoice import DEMONSTRATION, Buyer
from sav_contracts.interventions.line import LineGiven, Supply
from sav_interventions.model.invoice import Invoice

ROOM = "interventions"
CONNECTIONS = 16
SECONDS = 4
# More than can be answered in that time.
DRAFTS = 3_000
DISCARDED = "SAV, drafts discarded"
CLIENT = UUID(int=1)
NOW = datetime(2026, 3, 3, 10, 30, tzinfo=UTC)
GAPS = "SELECT count(*) FILTER (WHERE number IS NOT NULL), count(DISTINCT number), max(right(number, 6)) FROM invoice"


class Each(Load):
    """Every request is another one."""

    def __init__(self, port: int, requests: Iterator[bytes]) -> None:
        self.port, self.requests, self.status = port, requests, 200

    @property
    def request(self) -> bytes:  # type: ignore[override]
        return next(self.requests)


async def measure(settings: Settings, rounds: int) -> Measured:
    """Answers a second to `POST /api/invoices/{id}/issue`, each of another draft."""
    ground = await Ground.fresh(settings, "issue")
    manager = token(settings, uuid4(), Role.MANAGER)

    async def run(act: str, body: str) -> Figures:
        ids = await drafts(ground.settings)
        async with ground.rooms(ROOM, "edge"):
            requests = (post(f"/api/invoices/{id}/{act}", manager, body) for id in ids)
            found = await Each(ground.settings.edge_port, requests).saturated(CONNECTIONS, SECONDS)
        await unbroken(ground.settings)
        return found

    async def ours() -> Figures:
        return await run("issue", "{}")

    async def discarded() -> Figures:
        return await run("discard", '{"reason": "Geste commercial."}')

    measured = await interleaved(
        f"Invoices issued by {CONNECTIONS} at once",
        [Contender("SAV", ours), Contender(DISCARDED, discarded)],
        [Aim("requests/s", 0.8, "least", against=DISCARDED)],
        rounds,
    )
    measured.notes.append(
        "`POST /api/invoices/{id}/issue` of drafts, each another, to 200, without a pause: every one draws its number from "
        "the same row, is chained to the one before, and is printed afterwards by the same room, at a lower priority. The "
        "baseline discards as many drafts. The numbers of all runs have no gap and no double."
    )
    return measured


async def drafts(settings: Settings) -> list[UUID]:
    """New drafts of one client, whom the room knows."""
    client: dict[str, Any] = {
        "id": CLIENT,
        "client_id": CLIENT,
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
    }
    async with database(settings, ROOM) as connection:
        await show(
            connection, [ClientView(**client, name="Léa Bernard", email="lea@example.com", locale="fr")]
        )
        # What earlier runs left to print.
        await connection.execute("DELETE FROM task")
    made = [draft() for _ in range(DRAFTS)]
    ids = [one.id for one in made]
    async with opened(settings, ROOM) as rows, AsyncSession(rows.engine) as session, session.begin():
        session.add_all(made)
    return ids


def draft() -> Invoice:
    law = jurisdiction("FR")
    made = Invoice(
        id=uuid7(),
        client_id=CLIENT,
        intervention_id=None,
        reclamation_id=None,
        reclamation_reference=None,
        status="draft",
        currency=law.currency,
        seller=DEMONSTRATION,
        buyer=Buyer(name="Léa Bernard", address="3 rue des Lilas, 69003 Lyon"),
        supplied_on=date(2026, 3, 3),
        paid=0,
        edited=False,
        mentions=[],
        lacks=[],
    )
    made.version, made.created_at, made.updated_at = 1, NOW, NOW
    line = LineGiven(
        kind="part",
        description="Circulateur 25-60",
        quantity=Decimal(1),
        unit="piece",
        unit_price=Decimal("186.40"),
        vat_class="standard",
    )
    made.itemise([line], law, Supply(on=made.supplied_on, postcode="69003"))
    return made


async def unbroken(settings: Settings) -> None:
    """Raises where a number is missing or was given twice."""
    async with database(settings, ROOM) as connection:
        [[issued, numbers, last]] = await connection.fetch(GAPS)
    if not issued == numbers == int(last or 0):
        raise RuntimeError(f"{issued} invoices have {numbers} numbers up to {last}")
