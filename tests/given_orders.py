"""Orders of parts in tests: as rows of claims, as others know them, and what becomes of their stock."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import world
from given_views import a

from sav_chassis.testing import Outcome, Stage
from sav_claims.orders import PartsOrder, PlacedLine
from sav_contracts.actor import Actor
from sav_contracts.catalog.reservation import (
    ReservationView,
    StockReleased,
    StockReserved,
    StockShort,
    StockUsed,
)
from sav_contracts.claims.order import (
    CancelOrder,
    OrderLine,
    OrderStatus,
    OrderView,
    ReceiveOrder,
    RefuseOrder,
    ShipOrder,
    ValidateOrder,
)
from sav_contracts.messages import Command

ORDER, CLAIM = UUID(int=700), UUID(int=100)
PUMP, VALVE = UUID(int=501), UUID(int=502)
REPAIR: dict[str, Any] = {
    "purpose": "repair",
    "technician_id": world.karim.id,
    "reclamation_id": CLAIM,
    "reclamation_reference": "REC-2026-000100",
}


def order_line(article_id: UUID = PUMP, quantity: int = 2, **fields: Any) -> OrderLine:
    usual: dict[str, Any] = {
        "id": uuid5(ORDER, str(article_id)),
        "article_id": article_id,
        "article": "Circulateur 25-60" if article_id == PUMP else "Vanne",
        "reference": f"R-{article_id.int}",
        "quantity": quantity,
        "unit_price": Decimal("186.40"),
        "vat_class": "standard",
        "covered": 0,
    }
    return OrderLine.model_validate(usual | fields)


def placed(*lines: OrderLine, **fields: Any) -> PartsOrder:
    """Léa's purchase of two pumps as claims has it, placed unless the fields say otherwise."""
    kept = tuple(PlacedLine.model_validate(line.model_dump()) for line in lines or (order_line(),))
    usual: dict[str, Any] = {
        "id": ORDER,
        "reference": "CMD-2026-000700",
        "purpose": "purchase",
        "client_id": world.lea.id,
        "technician_id": None,
        "reclamation_id": None,
        "reclamation_reference": None,
        "lines": kept,
        "currency": "EUR",
        "status": "placed",
    }
    return PartsOrder(**(usual | fields))


def order_view(*lines: OrderLine, **fields: Any) -> OrderView:
    """The same, as others know it."""
    usual: dict[str, Any] = {"id": ORDER, "lines": lines or (order_line(),)}
    return a(OrderView, **(usual | fields))


def kept_for(article_id: UUID = PUMP, version: int = 1, **fields: Any) -> ReservationView:
    """What is reserved for a line of the order."""
    usual: dict[str, Any] = {
        "version": version,
        "article_id": article_id,
        "for_kind": "order",
        "for_id": ORDER,
        "for_reference": "CMD-2026-000700",
        "line_id": uuid5(ORDER, str(article_id)),
        "quantity": 2,
    }
    return a(ReservationView, **({"id": uuid5(article_id, "of the order")} | usual | fields))


def is_reserved(article_id: UUID = PUMP, version: int = 1) -> StockReserved:
    return StockReserved(state=kept_for(article_id, version))


def is_short(article_id: UUID = PUMP, version: int = 1) -> StockShort:
    return StockShort(state=kept_for(article_id, version, status="back_ordered"))


def is_used(article_id: UUID = PUMP, version: int = 1) -> StockUsed:
    return StockUsed(state=kept_for(article_id, version, status="used", used=2), quantity=2)


def is_released(article_id: UUID = PUMP, version: int = 1) -> StockReleased:
    return StockReleased(state=kept_for(article_id, version, status="released"))


ORDERED_BY: dict[str, Actor] = {"purchase": world.lea, "repair": world.karim}
ACTS: dict[str, type[Command[Any]]] = {
    "validate": ValidateOrder,
    "refuse": RefuseOrder,
    "ship": ShipOrder,
    "receive": ReceiveOrder,
    "cancel": CancelOrder,
}


async def act(stage: Stage, name: str, by: Actor = world.marie, id: UUID = ORDER) -> Outcome:
    reason = {"reason": "plus fabriqué"} if name in ("refuse", "cancel") else {}
    return await stage.when(ACTS[name].model_validate({"order_id": id} | reason), by=by)


async def status(stage: Stage) -> OrderStatus:
    found: OrderStatus = await stage.database.pool.fetchval("SELECT status FROM parts_order")
    return found
