"""Stocktakes: what was counted on the shelves, and what that corrects."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.catalog.article import Family
from sav_contracts.messages import (
    Command,
    ComparedAs,
    Event,
    Message,
    PersonId,
    Query,
    Reason,
    Reference,
    View,
)
from sav_contracts.money import Currency, Difference
from sav_contracts.times import Moment
from sav_contracts.visibility import Visible
from sav_contracts.wrong_value import WrongValue

# As many as one event can name; a sheet has as many lines.
MOST_COUNTS = 300


class Worth(Message):
    """An amount that may be negative, excluding VAT."""

    currency: Currency
    amount: Difference = Field(examples=["-186.40"])


class StocktakeView(View):
    """Articles that were counted together, and what that corrected.

    `surplus` and `missing` are the pieces that were found beyond what was on record, and that were not found; `value` is
    their difference at the list prices of that day.
    """

    visible: ClassVar[Visible] = Visible()

    reference: Annotated[str, ComparedAs(Reference)] = Field(examples=["INV-2026-000001"])
    counted_at: datetime = Field(examples=["2026-03-02T17:30:00Z"])
    by_id: PersonId
    note: str | None = Field(examples=["Inventaire de fin d’exercice."])
    # Articles that were counted, and those of them whose stock was corrected.
    counted: int = Field(examples=[48])
    adjusted: int = Field(examples=[2])
    surplus: int = Field(examples=[1])
    missing: int = Field(examples=[3])
    value: list[Worth]

    def for_client(self) -> None:
        return None


class OneName(WrongValue):
    code = "one_name"
    en = "article_id or reference, one of them"
    fr = "article_id ou reference, l’un des deux"


class ShelfCount(Message):
    """An article, by its id or its reference, and how many pieces of it were on the shelf, reserved ones included."""

    article_id: UUID | None = None
    reference: Reference | None = Field(default=None, examples=["CIR-25-60"])
    counted: Annotated[int, Field(ge=0, le=1_000_000)] = Field(examples=[4])

    @model_validator(mode="after")
    def _names_one(self) -> "ShelfCount":
        if (self.article_id is None) == (self.reference is None):
            raise OneName().error()
        return self


class RecordStocktake(Command[StocktakeView]):
    """Record what was counted on the shelves at a moment, all of it or nothing.

    Where the count differs from what was on record at `counted_at` (free and reserved), the stock is adjusted by the
    difference now: what moved since stays as it is. An equal count moves nothing and is recorded too. Where fewer
    are there than are reserved, what was reserved last is waited for again. Refused, naming the lines: an article that there is
    not, one that is named twice or was counted again since, and one of which more was taken out since than was counted.
    """

    counted_at: Moment = Field(examples=["2026-03-02T17:30:00Z"])
    counts: Annotated[list[ShelfCount], Field(min_length=1, max_length=MOST_COUNTS)]
    note: Reason | None = Field(default=None, examples=["Inventaire de fin d’exercice."])


class CountedArticle(Message):
    """An article that was counted, and what was on record at that moment."""

    article_id: UUID
    counted: int = Field(examples=[4])
    expected: int = Field(examples=[5])


class StocktakeRecorded(Event[StocktakeView]):
    """Articles were counted. Each one whose count differed also has its stock moved, by that reference."""

    counts: list[CountedArticle]


class CountLine(CountedArticle):
    """An article that was counted, as a page shows it. `value` is the difference at the list price of that day."""

    reference: str = Field(examples=["CIR-25-60"])
    name: str = Field(examples=["Circulateur 25-60"])
    difference: int = Field(examples=[-1])
    value: Difference = Field(examples=["-186.40"])
    currency: Currency


class StocktakeCounts(Message):
    """The lines of a stocktake, by the reference of the article."""

    items: list[CountLine]


class GetStocktakeCounts(Query[StocktakeCounts]):
    """Get what was counted in a stocktake, and what was on record."""

    of: ClassVar[type[View] | None] = StocktakeView

    stocktake_id: UUID


class SheetLine(Message):
    """An article to count. `counted` is empty: what is on record is not shown, so that nobody copies it."""

    article_id: UUID
    reference: str = Field(examples=["CIR-25-60"])
    gtin: str | None = Field(examples=["03012345678900"])
    name: str = Field(examples=["Circulateur 25-60"])
    brand: str = Field(examples=["Lumea"])
    family: Family = Field(examples=["part"])
    counted: None = None


class CountSheet(Message):
    """What to count, by reference. Sent back as a stocktake with `counted_at`, if it is counted now.

    Whoever counts at another moment sends that one. `csv` is the sheet as spreadsheets open it, to be printed or filled in.
    `next` is the `after` of the following sheet.
    """

    counted_at: datetime = Field(examples=["2026-03-02T17:30:00Z"])
    items: list[SheetLine]
    csv: str = Field(
        examples=["Référence;Code-barres;Désignation;Marque;Compté\r\nCIR-25-60;;Circulateur;Lumea;\r\n"]
    )
    next: str | None = Field(examples=["WyJyZWZlcmVuY2UiXQ"])


class GetCountSheet(Query[CountSheet]):
    """Get a sheet to count stock with: articles of the catalogue, and retired ones of which there is stock.

    `in_stock` chooses those with something on record, or those without; `not_counted_since` those that no stocktake
    counted at that moment or later.
    """

    of: ClassVar[type[View] | None] = StocktakeView

    family: Family | None = None
    in_stock: bool | None = None
    not_counted_since: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=MOST_COUNTS)] = MOST_COUNTS
    after: Annotated[str, Field(max_length=400)] | None = Field(default=None, examples=["WyJyZWZlcmVuY2UiXQ"])
