"""How long the owner takes to say what the warranty of a unit pays, with many covers and repairs."""

import time
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from harness import Aim, Contender, Figures, Measured, interleaved, percentile
from news import empty, prepared
from sqlalchemy import text
from uuid_utils.compat import uuid7

from sav_catalog.covers import commercial_covers, legal_cover
from sav_catalog.model import Article, Product
from sav_catalog.queries import get_warranty
from sav_chassis.database import opened
from sav_chassis.envelope import Context
from sav_chassis.settings import Settings
from sav_chassis.tx import transaction
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.catalog.article import ArticleAdded
from sav_contracts.catalog.product import GetWarranty, Place, ProductRegistered
from sav_contracts.catalog.warranty import Cover, CoveredRepair, CoverKind

ROOM = "catalog"
ASKED = 500
EACH = 15
MANAGER = Actor(id=UUID(int=2), role=Role.MANAGER)
BOUGHT = date(2024, 6, 15)


async def measure(settings: Settings, rounds: int) -> Measured:
    """Milliseconds of the query's transaction in catalog."""
    settings = await prepared(settings, ROOM)
    await empty(
        settings,
        ROOM,
        "product",
        "stock_movement",
        "stock_level",
        "article",
        "event_log",
        "event_chain",
        "outbox",
    )
    product = await _installed(settings)

    async def ours() -> Figures:
        times = []
        async with opened(settings, ROOM) as rows:
            for n in range(ASKED):
                query = GetWarranty(product_id=product, on=BOUGHT + timedelta(days=n))
                began = time.perf_counter()
                async with transaction(rows, settings, _context(), lambda _: None) as tx:
                    told = await get_warranty(query, tx, MANAGER)
                times.append((time.perf_counter() - began) * 1000)
                if told.decision != "covered":
                    raise RuntimeError(f"decided {told.decision}, not covered")
        return {"p50 ms": percentile(times, 0.5), "p99 ms": percentile(times, 0.99)}

    async def row() -> Figures:
        times = []
        async with opened(settings, ROOM) as rows:
            for _ in range(ASKED):
                began = time.perf_counter()
                async with rows.engine.connect() as connection:
                    await connection.execute(text("SELECT * FROM product WHERE id = :id"), {"id": product})
                times.append((time.perf_counter() - began) * 1000)
        return {"p50 ms": percentile(times, 0.5), "p99 ms": percentile(times, 0.99)}

    measured = await interleaved(
        "Warranty of a unit with many covers",
        [Contender("SAV", ours), Contender("its row alone", row)],
        [Aim("p50 ms", 5, "most")],
        rounds,
    )
    measured.notes.append(
        f"A unit with {EACH} covers and {EACH} repairs; {ASKED} questions about different days."
    )
    return measured


def _context() -> Context:
    return Context(actor_id=SYSTEM.id, actor_role=Role.SYSTEM, correlation_id=uuid7(), causation_id=uuid7())


async def _installed(settings: Settings) -> UUID:
    async with opened(settings, ROOM) as rows, transaction(rows, settings, _context(), lambda _: None) as tx:
        article = tx.add(
            Article(
                id=uuid7(),
                reference="CH-24",
                name="Chaudière",
                brand="Thermo",
                family="heating",
                description="murale",
                price=Decimal(1290),
                currency="EUR",
                vat_class="standard",
                warranty_parts_months=36,
                warranty_labour_months=24,
                compatible_parts=[],
                minimum_stock=0,
                in_stock=False,
                status="active",
            )
        )
        await tx.flush()
        product = tx.add(
            Product(
                id=uuid7(),
                client_id=uuid4(),
                article_id=article.id,
                article="Chaudière",
                family="heating",
                serial="SN1",
                place=Place(address="1 rue de la Paix", postcode="75002", city="Paris"),
                purchase_date=BOUGHT,
                delivery_date=BOUGHT,
                proof_state="accepted",
                covers=_covers(),
                repairs=[],
            )
        )
        product.follow([_repair(n) for n in range(EACH)])
        tx.emit(article, ArticleAdded())
        tx.emit(product, ProductRegistered())
    return product.id


def _covers() -> list[Cover]:
    legal = legal_cover(uuid4(), BOUGHT, BOUGHT, second_hand=False)
    return [legal, *commercial_covers(uuid4, BOUGHT, 36, 24), *(_contract(n) for n in range(EACH - 3))]


def _contract(n: int) -> Cover:
    start = BOUGHT + timedelta(days=30 * n)
    kind: CoverKind = "contract"
    return Cover(
        id=uuid4(),
        kind=kind,
        start=start,
        end=start + timedelta(days=365),
        parts=0,
        labour=50,
        travel=100,
        reason="contrat",
    )


def _repair(n: int) -> CoveredRepair:
    asked = BOUGHT + timedelta(days=40 * n)
    return CoveredRepair(
        reclamation_id=uuid4(), asked=asked, back=asked + timedelta(days=3), covers=["legal_conformity"]
    )
