"""Articles and their stock."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.files import Image, StoredFile
from sav_contracts.messages import Command, Event, Line, Prose, Reason, Scope, View
from sav_contracts.money import Amount, Currency, VatClass

Family = Literal["sanitary", "heating", "part"]
Fuel = Literal["gas", "oil", "wood", "electric", "heat_pump", "solar"]
ArticleStatus = Literal["active", "end_of_life", "retired"]
Movement = Literal["receive", "adjust", "reserve", "release", "consume", "return"]

Months = Annotated[int, Field(ge=0, le=600)]


class ArticleForClient(View):
    """An article of the catalogue."""

    scope: ClassVar[Scope] = Scope.PUBLIC

    reference: str
    gtin: str | None
    name: str
    brand: str
    model: str | None
    family: Family
    description: str
    fuel: Fuel | None
    power_kw: Decimal | None
    price: Amount
    currency: Currency
    vat_class: VatClass
    warranty_parts_months: int
    warranty_labour_months: int
    spare_parts_until: date | None
    compatible_parts: list[UUID]
    image: StoredFile | None
    in_stock: bool
    status: ArticleStatus


class ArticleView(ArticleForClient):
    """An article as staff see it."""

    minimum_stock: int

    def for_client(self) -> ArticleForClient:
        return self.part(ArticleForClient)


class StockLevelView(View):
    """How many of an article there are: the sum of its movements, never below zero."""

    scope: ClassVar[Scope] = Scope.STAFF

    article_id: UUID
    reference: str
    level: int
    minimum_stock: int

    @property
    def parent(self) -> UUID:
        return self.article_id

    def for_client(self) -> None:
        return None


class AddArticle(Command[ArticleView]):
    """Put an article into the catalogue. Its reference is unique."""

    reference: Annotated[Line, Field(max_length=40)]
    # Global Trade Item Number: 8, 12, 13 or 14 digits (GS1), the last one a check digit.
    gtin: Annotated[str, Field(pattern=r"^([0-9]{8}|[0-9]{12,14})$")] | None = None
    name: Line
    brand: Line
    model: Line | None = None
    family: Family
    description: Prose
    fuel: Fuel | None = None
    power_kw: Annotated[Decimal, Field(gt=0, max_digits=7, decimal_places=2)] | None = None
    price: Amount
    currency: Currency = "EUR"
    vat_class: VatClass = "standard"
    warranty_parts_months: Months = 24
    warranty_labour_months: Months = 24
    spare_parts_until: date | None = None
    compatible_parts: Annotated[list[UUID], Field(max_length=50, default_factory=list)]
    minimum_stock: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class ChangeArticle(Command[ArticleView]):
    """Change what is given of an article; its reference stays."""

    article_id: UUID
    name: Line | None = None
    brand: Line | None = None
    model: Line | None = None
    description: Prose | None = None
    price: Amount | None = None
    vat_class: VatClass | None = None
    warranty_parts_months: Months | None = None
    warranty_labour_months: Months | None = None
    spare_parts_until: date | None = None
    compatible_parts: Annotated[list[UUID], Field(max_length=50)] | None = None
    minimum_stock: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    status: Literal["active", "end_of_life"] | None = None


class RetireArticle(Command[ArticleView]):
    """Take an article out of the catalogue; what is installed keeps it."""

    article_id: UUID


class SetArticleImage(Command[ArticleView]):
    """Set or replace the picture of an article."""

    article_id: UUID
    image: Image


class MoveStock(Command[StockLevelView]):
    """Record a movement. `quantity` is positive, except for `adjust`, where it is the difference found."""

    article_id: UUID
    movement: Literal["receive", "adjust", "consume", "return"]
    quantity: Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
    reason: Reason | None = None
    reference: Line | None = None

    @model_validator(mode="after")
    def _says_how_many(self) -> "MoveStock":
        if self.quantity == 0 or (self.quantity < 0 and self.movement != "adjust"):
            raise ValueError("quantity: a positive number; only `adjust` takes a negative one")
        if self.movement == "adjust" and self.reason is None:
            raise ValueError("reason: say why the stock is adjusted")
        return self


class ArticleAdded(Event):
    """There is a new article."""

    state: ArticleView


class ArticleChanged(Event):
    """Something about an article is different."""

    tells: ClassVar[bool] = False

    state: ArticleView


class ArticleRetired(Event):
    """An article is no longer in the catalogue."""

    state: ArticleView


class StockLevelChanged(Event):
    """An article is counted from now on, or has another minimum."""

    tells: ClassVar[bool] = False

    state: StockLevelView


class StockMoved(Event):
    """The stock of an article changed by `quantity` (negative: less of it)."""

    state: StockLevelView
    movement: Movement
    quantity: int
    reason: str | None = None
    reference: str | None = None


class StockLow(Event):
    """The stock of an article fell below its minimum."""

    state: StockLevelView
