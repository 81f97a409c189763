"""Rows and copies that catalog tests start from, and somebody who is faster."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import world
from eventually import eventually
from given_views import a
from sqlalchemy.ext.asyncio import AsyncSession

from sav_catalog.covers import commercial_covers, legal_cover
from sav_catalog.model import Article, Product, StockLevel, stock_id
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import Place
from sav_contracts.catalog.warranty import Cover
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.files import StoredFile
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.interventions.work import PartPriced, Work
from sav_contracts.messages import RequestMessage

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BOILER, JOINT, PRODUCT = UUID(int=200), UUID(int=201), UUID(int=300)
HOME = Place(address="1 rue de la Paix", postcode="75002", city="Paris")


def article(**fields: Any) -> Article:
    """A boiler with two years on parts and one on labour, unless the fields say otherwise."""
    usual = {
        "id": BOILER,
        "reference": "CH-24",
        "name": "Chaudière 24",
        "brand": "Thermo",
        "family": "heating",
        "description": "à condensation",
        "price": Decimal("1290.00"),
        "currency": "EUR",
        "vat_class": "standard",
        "warranty_parts_months": 24,
        "warranty_labour_months": 12,
        "compatible_parts": [],
        "minimum_stock": 0,
        "in_stock": False,
        "status": "active",
    }
    return Article(**(usual | fields))


def stock(level: int = 0, minimum: int = 0, article_id: UUID = BOILER) -> StockLevel:
    return StockLevel(
        id=stock_id(article_id), article_id=article_id, reference="CH-24", level=level, minimum_stock=minimum
    )


def product(**fields: Any) -> Product:
    """Léa's boiler, bought and delivered on the last day of January 2025, without a proof."""
    usual = {
        "id": PRODUCT,
        "client_id": world.lea.id,
        "article_id": BOILER,
        "article": "Chaudière 24",
        "family": "heating",
        "serial": "SN 1",
        "place": HOME,
        "purchase_date": date(2025, 1, 31),
        "delivery_date": date(2025, 1, 31),
        "proof_state": "none",
        "covers": [],
    }
    return Product(**(usual | fields))


def sold(
    purchase: date, delivery: date, parts: int = 0, labour: int = 0, second_hand: bool = False
) -> list[Cover]:
    """The covers of what we sold a consumer, with so many months of our own warranty."""
    return [
        legal_cover(uuid4(), purchase, delivery, second_hand),
        *commercial_covers(uuid4, purchase, parts, labour),
    ]


def file(media_type: str = "application/pdf", sha256: str = "a" * 64) -> StoredFile:
    return StoredFile(sha256=sha256, media_type=media_type, size=1000, name="ticket")


def client(who: Actor) -> ClientView:
    return a(ClientView, who.id, client_id=who.id, email=f"{who.id}@example.com")


def claim(**fields: Any) -> ReclamationView:
    """Karim's réclamation about Léa's boiler."""
    usual = {"technician_id": world.karim.id, "product_id": PRODUCT}
    return a(ReclamationView, **({"id": UUID(int=100)} | usual | fields))


def visit(**fields: Any) -> InterventionView:
    """Karim's visit about Léa's boiler."""
    usual = {"id": UUID(int=400), "reclamation_id": UUID(int=100), "product_id": PRODUCT}
    return a(InterventionView, **(usual | fields))


def work(failed: str | None = None, replacement: str | None = None, *parts: PartPriced) -> Work:
    """What was done on a visit: which unit or part failed, what took its place, and parts that were built in."""
    return Work(
        solution="fait",
        labour=[],
        parts=list(parts),
        travel_km=Decimal(0),
        readings={},
        failed_serial=failed,
        replacement_serial=replacement,
        labour_rate=Decimal(58),
        travel_rate=Decimal("0.62"),
        currency="EUR",
    )


async def overtaken(
    stage: Stage, record: Article | Product, message: RequestMessage[Any], by: Actor
) -> Outcome:
    """What is answered to a command that found no such record yet, while somebody else was about to add it."""
    async with asyncio.TaskGroup() as group, AsyncSession(stage.database.engine) as session, session.begin():
        record.version, record.created_at, record.updated_at = 1, NOW, NOW
        session.add(record)
        await session.flush()
        asked = group.create_task(stage.when(message, by=by, seconds=10))
        await eventually(lambda: _somebody_waits(stage))
    return asked.result()


async def _somebody_waits(stage: Stage) -> bool:
    waiting = (
        "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(await stage.database.pool.fetchval(f"SELECT EXISTS ({waiting})"))
