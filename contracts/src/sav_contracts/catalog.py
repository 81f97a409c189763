"""Articles, the stock of them, and the products that clients have installed, with their warranty."""

from calendar import monthrange
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.files import Image, Paper, Sha256, StoredFile
from sav_contracts.messages import (
    Command,
    Event,
    Line,
    Message,
    Personal,
    PersonId,
    Prose,
    Query,
    Reason,
    Scope,
    View,
)
from sav_contracts.money import Amount, Currency, Percent, VatClass

Family = Literal["sanitary", "heating", "part"]
Fuel = Literal["gas", "oil", "wood", "electric", "heat_pump", "solar"]
ArticleStatus = Literal["active", "end_of_life", "retired"]
ProofState = Literal["none", "submitted", "accepted", "refused"]
CoverKind = Literal["legal_conformity", "commercial", "manufacturer", "contract", "repair"]
Coverage = Literal["covered", "partly", "not_covered", "unknown"]
Movement = Literal["receive", "adjust", "reserve", "release", "consume", "return"]
# Why a warranty is as it is; messages and pages say it in the reader's language.
Why = Literal[
    "no_product", "proof_not_accepted", "cover_applies", "no_cover_yet", "covers_ended", "decided_by_manager"
]

# The legal conformity of goods lasts two years from delivery (Code de la consommation, L217-3).
LEGAL_CONFORMITY_MONTHS = 24
# Which rules `ProductView.warranty` applies; it changes whenever they do.
WARRANTY_RULES = "2026.1"

Months = Annotated[int, Field(ge=0, le=600)]


def months_after(start: date, months: int) -> date:
    """The same day so many months later, or that month's last day where it has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


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


class Place(Message):
    """Where a product is installed."""

    address: Personal[Line]
    postcode: Annotated[Line, Field(max_length=12)]
    city: Line
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "FR"
    access_notes: Personal[Reason] | None = None
    # Some work in an older dwelling is taxed less (Code général des impôts, art. 279-0 bis).
    dwelling_over_two_years: bool = False


class Cover(Message):
    """A warranty from its first to its last day, with the share of parts, labour and travel that it pays."""

    kind: CoverKind
    start: date
    end: date
    parts: Percent
    labour: Percent
    travel: Percent


class Warranty(Message):
    """What is paid for by warranty, in percent, and why; `until` is the last day of the covers that apply or applied."""

    decision: Coverage
    parts: Percent = 0
    labour: Percent = 0
    travel: Percent = 0
    why: Why
    cover: CoverKind | None = None
    until: date | None = None
    # What a manager gave as reason, and when they decided: of two decisions the later one stands.
    reason: str | None = None
    decided_at: datetime | None = None
    rules: str = WARRANTY_RULES

    def for_client(self) -> "Warranty":
        """Without what a manager told the house."""
        return self.model_copy(update={"reason": None})

    def overrules(self, other: "Warranty | None") -> bool:
        """Whether this is a manager's decision that stands against the other one."""
        if self.decided_at is None:
            return False
        return other is None or other.decided_at is None or other.decided_at < self.decided_at

    @classmethod
    def of_shares(cls, parts: int, labour: int, travel: int, **more: object) -> "Warranty":
        """Covered where everything is paid, not covered where nothing is."""
        shares = {parts, labour, travel}
        decision = "covered" if shares == {100} else "not_covered" if shares == {0} else "partly"
        return cls.model_validate(
            {"decision": decision, "parts": parts, "labour": labour, "travel": travel} | more
        )


NO_PRODUCT = Warranty(decision="unknown", why="no_product")


class ProductView(View):
    """An installed product, its proof of purchase and the covers that follow from it."""

    scope: ClassVar[Scope] = Scope.ROOT

    client_id: PersonId
    article_id: UUID
    article: str
    family: Family
    serial: str
    place: Place
    purchase_date: date
    delivery_date: date
    commissioning_date: date | None
    proof: StoredFile | None
    proof_state: ProofState
    proof_reason: str | None
    covers: list[Cover]

    def warranty(self, on: date) -> Warranty:
        """What is paid for a fault reported `on` that day. Without an accepted proof nobody knows yet."""
        if self.proof_state != "accepted":
            return Warranty(decision="unknown", why="proof_not_accepted")
        if not self.covers:
            return Warranty(decision="not_covered", why="covers_ended")
        applying = [cover for cover in self.covers if cover.start <= on <= cover.end]
        if not applying:
            ended = max(cover.end for cover in self.covers)
            return Warranty(
                decision="not_covered",
                why="covers_ended" if ended < on else "no_cover_yet",
                until=ended if ended < on else None,
            )
        best = max(applying, key=lambda cover: (cover.parts + cover.labour + cover.travel, cover.end))
        return Warranty.of_shares(
            max(cover.parts for cover in applying),
            max(cover.labour for cover in applying),
            max(cover.travel for cover in applying),
            why="cover_applies",
            cover=best.kind,
            until=best.end,
        )


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


class RegisterProduct(Command[ProductView]):
    """Register an installed product. A client registers their own; a manager or admin names the client."""

    client_id: PersonId | None = None
    article_id: UUID
    serial: Annotated[Line, Field(max_length=60)]
    place: Place
    purchase_date: date
    delivery_date: date | None = None
    commissioning_date: date | None = None
    proof: Paper | None = None


class ChangeProduct(Command[ProductView]):
    """Change where a product is installed, or how to get there."""

    product_id: UUID
    place: Place


class SendProof(Command[ProductView]):
    """Send a proof of purchase, or another one where the first was refused."""

    product_id: UUID
    proof: Paper


class VerifyProduct(Command[ProductView]):
    """Accept the proof of purchase, with the dates that stand on it, or refuse it with a reason.

    `proof` is the SHA-256 of the file that was looked at: another one may have been sent meanwhile.
    """

    product_id: UUID
    proof: Sha256
    accepted: bool
    reason: Reason | None = None
    purchase_date: date | None = None
    delivery_date: date | None = None


class GetWarranty(Query[Warranty]):
    """The warranty of a product on a date (today where none is given)."""

    product_id: UUID
    on: date | None = None


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


class ProductRegistered(Event):
    """A client has this product."""

    client_sees: ClassVar[bool] = True

    state: ProductView


class ProductChanged(Event):
    """Place or access notes are different."""

    tells: ClassVar[bool] = False

    state: ProductView


class ProofSubmitted(Event):
    """A proof of purchase waits for a manager."""

    client_sees: ClassVar[bool] = True

    state: ProductView


class ProductVerified(Event):
    """A manager accepted or refused the proof of purchase; where accepted, the covers follow from it."""

    client_sees: ClassVar[bool] = True

    state: ProductView
    accepted: bool
    reason: str | None = None
