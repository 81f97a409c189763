"""Articles, their stock, and installed products."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid5

from sqlalchemy import ARRAY, ForeignKey, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from sav_catalog.lifecycle import ARTICLE, PROOF
from sav_chassis.errors import Conflict
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, Base, JsonColumn
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleStatus, ArticleView, Family, Fuel, Movement, StockLevelView
from sav_contracts.catalog.product import Cover, Place, ProductView, ProofState
from sav_contracts.files import StoredFile
from sav_contracts.money import Currency, VatClass


class OutOfCatalogue(Conflict):
    """The article is retired and cannot be changed."""

    code = "article_retired"
    reference: str
    en = "{reference} is retired and cannot be changed"
    fr = "{reference} est retiré du catalogue et ne peut plus être modifié"


class NotEnoughStock(Conflict):
    """The stock has fewer than that; the detail says how many."""

    code = "not_enough_stock"
    reference: str
    level: int
    taken: int
    en = "{reference}: the stock is {level}, {taken} cannot be taken"
    fr = "{reference} : il en reste {level} en stock, on ne peut pas en sortir {taken}"


class Article(Aggregate[ArticleView], Stateful[ArticleStatus]):
    """Something that is sold, installed, or used as a part."""

    __tablename__ = "article"
    lifecycle = ARTICLE

    reference: Mapped[str]
    gtin: Mapped[str | None]
    name: Mapped[str]
    brand: Mapped[str]
    model: Mapped[str | None]
    family: Mapped[Family]
    description: Mapped[str]
    fuel: Mapped[Fuel | None]
    power_kw: Mapped[Decimal | None]
    price: Mapped[Decimal]
    currency: Mapped[Currency]
    vat_class: Mapped[VatClass]
    warranty_parts_months: Mapped[int]
    warranty_labour_months: Mapped[int]
    spare_parts_until: Mapped[date | None]
    compatible_parts: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    image: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
    minimum_stock: Mapped[int]
    in_stock: Mapped[bool]
    status: Mapped[ArticleStatus]

    def check_not_retired(self) -> None:
        """Raises `OutOfCatalogue` where the article is retired."""
        if self.status == "retired":
            raise OutOfCatalogue(reference=self.reference)


def stock_id(article_id: UUID) -> UUID:
    """The id of an article's stock level; each article has exactly one."""
    return uuid5(article_id, "stock")


class StockLevel(Aggregate[StockLevelView]):
    """How many pieces of an article are in stock."""

    __tablename__ = "stock_level"

    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id"), unique=True)
    reference: Mapped[str]
    level: Mapped[int]
    minimum_stock: Mapped[int]

    @property
    def is_low(self) -> bool:
        return self.level < self.minimum_stock

    def change(self, quantity: int) -> None:
        """Adds `quantity`, which may be negative; raises `NotEnoughStock` where the level would fall below zero."""
        if self.level + quantity < 0:
            raise NotEnoughStock(reference=self.reference, level=self.level, taken=-quantity)
        self.level += quantity


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


class Product(Aggregate[ProductView]):
    """An article installed at a client's, with its proof of purchase and its covers."""

    __tablename__ = "product"

    client_id: Mapped[UUID]
    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id"))
    article: Mapped[str]
    family: Mapped[Family]
    serial: Mapped[str]
    place: Mapped[Place] = mapped_column(JsonColumn(Place))
    purchase_date: Mapped[date]
    delivery_date: Mapped[date]
    commissioning_date: Mapped[date | None]
    proof: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
    proof_state: Mapped[ProofState]
    proof_reason: Mapped[str | None]
    covers: Mapped[list[Cover]] = mapped_column(JsonColumn(list[Cover]))

    def submit(self, proof: StoredFile, by: Actor) -> None:
        """Sets the proof that waits for a manager, replacing any earlier one."""
        PROOF.check(self.proof_state, "submitted", by)
        self.proof_state, self.proof_reason = "submitted", None
        self.proof = proof

    def accept(self, covers: list[Cover], reason: str | None, by: Actor) -> None:
        """A manager accepts the proof; these covers follow from it."""
        PROOF.check(self.proof_state, "accepted", by)
        self.proof_state, self.proof_reason = "accepted", reason
        self.covers = covers

    def refuse(self, reason: str, by: Actor) -> None:
        """A manager refuses the proof; another one may be sent."""
        PROOF.check(self.proof_state, "refused", by)
        self.proof_state, self.proof_reason = "refused", reason
