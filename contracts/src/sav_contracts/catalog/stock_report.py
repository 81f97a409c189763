"""Reports about stock: what there is, what it is worth, how fast it turns; and the movements of an article."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.catalog.article import ArticleStatus, Family
from sav_contracts.catalog.stock import Movement, StockLevelView
from sav_contracts.messages import Message, PersonId, Query, View
from sav_contracts.money import Amount, Currency
from sav_contracts.times import Day

StockSort = Literal[
    "reference", "-reference", "value", "-value", "on_hand", "-on_hand", "consumed", "-consumed",
    "turnover", "-turnover", "last_outflow", "-last_outflow",
]  # fmt: skip
Page = Annotated[int, Field(ge=1, le=200)]
# The `next` of a page.
Mark = Annotated[str, Field(max_length=400, examples=["WyItdmFsdWUiXQ"])]


class StockLine(Message):
    """The stock of an article.

    Now: `free` pieces, `reserved` ones, and both together `on_hand`; `value` is what is on hand at today's list price,
    excluding VAT. Of the period: `opening` + `received` + `returned` - `consumed` + `adjusted` = `closing`, all on hand.
    `average_on_hand` is the mean of what was on hand at the end of each day, and `turnover` is `consumed` divided by it,
    each rounded to two places; None where the mean is zero, or no day of the period has begun. `last_outflow` is the day on
    which some was consumed last, ever. `slow`: some is on hand, and none was consumed for `slow_after_days` days, counted
    from the first movement where none ever was.
    """

    article_id: UUID
    reference: str = Field(examples=["CIR-25-60"])
    name: str = Field(examples=["Circulateur 25-60"])
    family: Family = Field(examples=["part"])
    status: ArticleStatus
    free: int = Field(examples=[3])
    reserved: int = Field(examples=[1])
    on_hand: int = Field(examples=[4])
    minimum_stock: int = Field(examples=[2])
    below_minimum: bool
    price: Amount = Field(examples=["186.40"])
    currency: Currency
    value: Decimal = Field(examples=["745.60"])
    opening: int = Field(examples=[2])
    received: int = Field(examples=[5])
    returned: int = Field(examples=[0])
    consumed: int = Field(examples=[2])
    adjusted: int = Field(examples=[-1])
    closing: int = Field(examples=[4])
    average_on_hand: Decimal | None = Field(examples=["3.20"])
    turnover: Decimal | None = Field(examples=["0.63"])
    last_outflow: date | None = Field(examples=["2026-02-24"])
    slow: bool


class StockTotal(Message):
    """The sums of all articles in one currency: how many, their pieces on hand, and the value of these."""

    currency: Currency
    articles: int = Field(examples=[1250])
    on_hand: int = Field(examples=[8421])
    value: Decimal = Field(examples=["402915.20"])
    below_minimum: int = Field(examples=[37])
    slow: int = Field(examples=[112])
    slow_value: Decimal = Field(examples=["21840.75"])


class StockReport(Message):
    """Articles of the catalogue, and retired ones with stock left. `start`, `end` and all days are the firm's, in `zone`.

    `totals` are about all articles that the filters choose, one for each currency; `items` are a page of them.
    """

    start: date
    end: date
    zone: str = Field(examples=["Europe/Paris"])
    totals: list[StockTotal]
    items: list[StockLine]
    next: str | None = Field(examples=["WyItdmFsdWUiXQ"])


class GetStockReport(Query[StockReport]):
    """Get levels, value, turnover and slow movers, for the period from `from` to `to`, both included.

    Days are those of the firm's time zone. Default: the last 30 days. Levels and values are those of now, whatever the
    period. `below_minimum` and `slow` choose the articles that are so, or are not. In the order of `turnover` and
    `last_outflow` articles without one come first, or last in descending order; values are compared as numbers, whatever
    their currency.
    """

    of: ClassVar[type[View] | None] = StockLevelView

    start: Day | None = Field(default=None, alias="from")
    end: Day | None = Field(default=None, alias="to")
    family: Family | None = None
    below_minimum: bool | None = None
    slow: bool | None = None
    slow_after_days: Annotated[int, Field(ge=1, le=3660)] = 180
    sort: StockSort = "-value"
    limit: Page = 50
    after: Mark | None = None


class MovementLine(Message):
    """A movement of an article's stock; `level` is what was free after it."""

    id: UUID
    at: datetime = Field(examples=["2026-03-02T08:15:00Z"])
    movement: Movement
    quantity: int = Field(examples=[-2])
    level: int = Field(examples=[3])
    reason: str | None = Field(examples=["Convenu au téléphone avec la cliente."])
    reference: str | None = Field(examples=["BL-88213"])
    by_id: PersonId


class StockMovements(Message):
    """Movements, newest first. `next` is the `after` of the following page."""

    items: list[MovementLine]
    next: str | None = Field(examples=["WyItYXQiXQ"])


class FindStockMovements(Query[StockMovements]):
    """Find what moved the stock of an article, newest first."""

    of: ClassVar[type[View] | None] = StockLevelView

    article_id: UUID
    limit: Page = 50
    after: Mark | None = None
