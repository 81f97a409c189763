"""Stock: its level for each article, and what moves it."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.messages import Changed, Command, Event, Line, Reason, View
from sav_contracts.visibility import ALL, Visible
from sav_contracts.wrong_value import WrongValue

Movement = Literal["receive", "adjust", "reserve", "release", "consume", "return"]
# The reasons of movements that nobody ordered; a person's own words are the reason of others.
MovedBecause = Literal["needed", "no_longer_needed", "built_in", "shipped", "missing"]


class StockLevelView(View):
    """The stock of an article. `level` is what is free: the sum of its movements, never below zero.

    `reserved` are kept for réclamations and orders, so that the shelf holds both; `back_ordered` are waited for.
    """

    visible: ClassVar[Visible] = Visible(technician=ALL)

    article_id: UUID
    reference: str = Field(examples=["CIR-25-60"])
    level: int = Field(examples=[3])
    minimum_stock: int = Field(examples=[2])
    reserved: int = Field(default=0, examples=[1])
    back_ordered: int = 0

    @property
    def parent(self) -> UUID:
        return self.article_id

    def for_client(self) -> None:
        return None


class WrongQuantity(WrongValue):
    code = "wrong_quantity"
    field = "quantity"
    en = "quantity: a positive number; only `adjust` takes a negative one"
    fr = "quantity : un nombre positif ; seul `adjust` accepte un nombre négatif"


class WhyAdjusted(WrongValue):
    code = "why_adjusted"
    field = "reason"
    en = "reason: say why the stock is adjusted"
    fr = "reason : indiquez pourquoi le stock est corrigé"


class MoveStock(Command[StockLevelView]):
    """Record a stock movement. `quantity` is positive, except for `adjust`, where it is the difference found."""

    article_id: UUID
    movement: Literal["receive", "adjust", "consume", "return"]
    quantity: Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
    reason: Reason | None = None
    reference: Line | None = Field(default=None, examples=["BL-88213"])

    @model_validator(mode="after")
    def _says_how_many(self) -> "MoveStock":
        if self.quantity == 0 or (self.quantity < 0 and self.movement != "adjust"):
            raise WrongQuantity().error()
        if self.movement == "adjust" and self.reason is None:
            raise WhyAdjusted().error()
        return self


StockLevelChanged = Changed[StockLevelView]


class StockMoved(Event[StockLevelView]):
    """The free stock of an article changed by `quantity` (negative: it fell).

    What is reserved leaves the free stock, and comes back to it when it is released. A reserved piece that is used is
    released and consumed at once.
    """

    movement: Movement
    quantity: int
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])
    reference: str | None = Field(default=None, examples=["BL-88213"])


class StockLow(Event[StockLevelView]):
    """The free stock of an article fell below its minimum; told again only after it was back there."""


class StockOverdrawn(Event[StockLevelView]):
    """More pieces were used than there were, free or reserved for it: the stock is to be counted."""

    used: int = Field(examples=[2])
    there: int = Field(examples=[1])
    reference: str | None = Field(default=None, examples=["REC-2026-000001"])
