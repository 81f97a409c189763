"""Stock: its level for each article, and what moves it."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.messages import Changed, Command, Event, Line, Reason, View
from sav_contracts.visibility import ALL, Visible
from sav_contracts.wrong_value import WrongValue

Movement = Literal["receive", "adjust", "reserve", "release", "consume", "return"]


class StockLevelView(View):
    """The quantity of an article in stock: the sum of its movements, never below zero."""

    visible: ClassVar[Visible] = Visible(technician=ALL)

    article_id: UUID
    reference: str = Field(examples=["CIR-25-60"])
    level: int = Field(examples=[3])
    minimum_stock: int = Field(examples=[2])

    @property
    def parent(self) -> UUID:
        return self.article_id

    def for_client(self) -> None:
        return None


class WrongQuantity(WrongValue):
    code = "wrong_quantity"
    en = "quantity: a positive number; only `adjust` takes a negative one"
    fr = "quantity : un nombre positif ; seul `adjust` accepte un nombre négatif"


class WhyAdjusted(WrongValue):
    code = "why_adjusted"
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
    """The stock of an article changed by `quantity` (negative: it fell)."""

    movement: Movement
    quantity: int
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])
    reference: str | None = Field(default=None, examples=["BL-88213"])


class StockLow(Event[StockLevelView]):
    """The stock of an article fell below its minimum."""
