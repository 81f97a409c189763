"""How much of each article is in stock, and its movements."""

from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.errors import Conflict
from sav_chassis.model import Aggregate, Base
from sav_contracts.catalog.stock import Movement, StockLevelView


class NotEnoughStock(Conflict):
    """The stock has fewer than that; the detail says how many."""

    code = "not_enough_stock"
    reference: str
    level: int
    taken: int
    en = "{reference}: the stock is {level}, {taken} cannot be taken"
    fr = "{reference} : il en reste {level} en stock, on ne peut pas en sortir {taken}"


def stock_id(article_id: UUID) -> UUID:
    """The id of an article's stock level; each article has exactly one."""
    return uuid5(article_id, "stock")


class StockLevel(Aggregate[StockLevelView]):
    """How many pieces of an article are in stock: free ones (`level`), and those that are reserved."""

    __tablename__ = "stock_level"

    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id"), unique=True)
    reference: Mapped[str]
    level: Mapped[int]
    minimum_stock: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)
    back_ordered: Mapped[int] = mapped_column(default=0)

    @property
    def is_low(self) -> bool:
        return self.level < self.minimum_stock

    def change(self, movement: Movement, quantity: int) -> None:
        """Adds `quantity`, which may be negative; raises `NotEnoughStock` where the level would fall below zero."""
        if self.level + quantity < 0:
            raise NotEnoughStock(reference=self.reference, level=self.level, taken=-quantity)
        self.level += quantity
        if movement in ("reserve", "release"):
            self.reserved -= quantity


class StockMovement(Base):
    """A change of a stock level; `quantity` is negative for an outflow. The level is the sum of its movements."""

    __tablename__ = "stock_movement"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id"))
    movement: Mapped[Movement]
    quantity: Mapped[int]
    reason: Mapped[str | None]
    reference: Mapped[str | None]
    by_id: Mapped[UUID]
    at: Mapped[datetime]
