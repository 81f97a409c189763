"""Articles with their stock and movements at chosen times, and what a report of them is, computed by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import world
from given_catalog import article
from uuid_utils.compat import uuid7

from sav_catalog.model import Article, StockLevel, StockMovement, stock_id
from sav_chassis.testing import Stage
from sav_contracts.catalog.stock import Movement

PHYSICAL = ("receive", "return", "consume", "adjust")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Moved:
    """A movement; `quantity` as it is stored, negative for an outflow."""

    at: datetime
    movement: Movement
    quantity: int


@dataclass
class Stocked:
    """An article, and all that ever moved of it."""

    number: int
    moved: Sequence[Moved] = ()
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return UUID(int=1000 + self.number)

    def rows(self) -> Iterable[Article | StockLevel | StockMovement]:
        usual = {"id": self.id, "reference": f"ART-{self.number:04}", "name": f"Article {self.number}"}
        record = article(**(usual | self.fields))
        free = sum(one.quantity for one in self.moved)
        record.in_stock = free > 0
        yield record
        yield StockLevel(
            id=stock_id(self.id),
            article_id=self.id,
            reference=record.reference,
            level=free,
            minimum_stock=record.minimum_stock,
        )
        for one in self.moved:
            yield StockMovement(
                id=uuid7(),
                article_id=self.id,
                movement=one.movement,
                quantity=one.quantity,
                by_id=world.marie.id,
                at=one.at,
            )

    def line(
        self, start: date, end: date, today: date, zone: ZoneInfo, slow_after: int = 180
    ) -> dict[str, Any]:
        """Its line in the report, day by day, without a word of SQL."""
        record = next(row for row in self.rows() if isinstance(row, Article))
        free = sum(one.quantity for one in self.moved)
        reserved = -sum(one.quantity for one in self.moved if one.movement not in PHYSICAL)
        dated = [(one.at.astimezone(zone).date(), one) for one in self.moved if one.movement in PHYSICAL]

        def on_hand(until: date) -> int:
            return sum(one.quantity for day, one in dated if day <= until)

        def within(movement: Movement) -> int:
            return sum(one.quantity for day, one in dated if start <= day <= end and one.movement == movement)

        days = [start + DAY * number for number in range((min(end, today) - start).days + 1)]
        total = sum(on_hand(day) for day in days)
        consumed = -within("consume")
        outflows = [day for day, one in dated if one.movement == "consume"]
        idle_since = max(outflows) if outflows else min((day for day, _ in dated), default=None)
        return {
            "article_id": str(self.id),
            "reference": record.reference,
            "name": record.name,
            "family": record.family,
            "status": record.status,
            "free": free,
            "reserved": reserved,
            "on_hand": free + reserved,
            "minimum_stock": record.minimum_stock,
            "below_minimum": free < record.minimum_stock,
            "price": str(record.price),
            "currency": record.currency,
            "value": str((free + reserved) * record.price),
            "opening": on_hand(start - DAY),
            "received": within("receive"),
            "returned": within("return"),
            "consumed": consumed,
            "adjusted": within("adjust"),
            "closing": on_hand(end),
            "average_on_hand": rounded(Fraction(total, len(days))) if days else None,
            "turnover": rounded(Fraction(consumed * len(days), total)) if days and total else None,
            "last_outflow": str(max(outflows)) if outflows else None,
            "slow": bool(free + reserved > 0 and idle_since and (today - idle_since).days >= slow_after),
        }


def rounded(figure: Fraction) -> str:
    """With two places; half a cent is rounded up."""
    exact = Decimal(figure.numerator) / Decimal(figure.denominator)
    return str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))


async def stocked(stage: Stage, *articles: Stocked) -> None:
    for one in articles:
        await stage.given(*one.rows())
