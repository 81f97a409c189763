"""Stocktakes and what they counted."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate, Base, JsonColumn
from sav_contracts.catalog.stocktake import StocktakeView, Worth
from sav_contracts.money import Currency


class Stocktake(Aggregate[StocktakeView]):
    """Articles that were counted together. It never changes."""

    __tablename__ = "stocktake"

    reference: Mapped[str] = mapped_column(unique=True)
    counted_at: Mapped[datetime]
    by_id: Mapped[UUID]
    note: Mapped[str | None]
    counted: Mapped[int]
    adjusted: Mapped[int]
    surplus: Mapped[int]
    missing: Mapped[int]
    value: Mapped[list[Worth]] = mapped_column(JsonColumn(list[Worth]))


class StocktakeLine(Base):
    """How many of an article were on the shelf at `counted_at`, and how many were on record then.

    The difference is a movement at `recorded_at`, but for what was on record it counts from `counted_at` on.
    """

    __tablename__ = "stocktake_line"

    stocktake_id: Mapped[UUID] = mapped_column(ForeignKey("stocktake.id"), primary_key=True)
    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id"), primary_key=True)
    counted: Mapped[int]
    expected: Mapped[int]
    price: Mapped[Decimal]
    currency: Mapped[Currency]
    counted_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
