"""Articles of the catalogue."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ARRAY, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from sav_catalog.lifecycle import ARTICLE
from sav_chassis.errors import Conflict
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.catalog.article import ArticleStatus, ArticleView, Family, Fuel, Heats
from sav_contracts.files import StoredFile
from sav_contracts.money import Currency, VatClass


class OutOfCatalogue(Conflict):
    """The article is retired and cannot be changed."""

    code = "article_retired"
    reference: str
    en = "{reference} is retired and cannot be changed"
    fr = "{reference} est retiré du catalogue et ne peut plus être modifié"


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
    heats: Mapped[Heats | None]
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
