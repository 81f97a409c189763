"""Articles of the catalogue."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, ValidationInfo, WithJsonSchema, field_validator

from sav_contracts import canonical
from sav_contracts.files import Image, StoredFile
from sav_contracts.messages import (
    Changed,
    Command,
    ComparedAs,
    Event,
    Line,
    Prose,
    Reference,
    View,
    canonical_form,
)
from sav_contracts.money import Amount, Currency, VatClass, check_places, decimal_places
from sav_contracts.times import Day
from sav_contracts.visibility import ALL, Visible

Family = Literal["sanitary", "heating", "part"]
# A hybrid is a heat pump with a burner, in one appliance.
Fuel = Literal["gas", "oil", "wood", "electric", "heat_pump", "solar", "gas_hybrid", "oil_hybrid"]
FOSSIL: frozenset[Fuel | None] = frozenset({"gas", "oil", "gas_hybrid", "oil_hybrid"})
Heats = Literal["space", "water", "space_and_water"]
ArticleStatus = Literal["active", "end_of_life", "retired"]
# The states in which an article is in the catalogue: clients find it, and products of it are registered.
IN_CATALOGUE: tuple[ArticleStatus, ...] = ("active", "end_of_life")

# Global Trade Item Number: 8, 12, 13 or 14 digits as on the bar code (GS1), stored as 14.
Gtin = Annotated[
    str,
    canonical_form(canonical.gtin),
    WithJsonSchema({"type": "string", "pattern": "^([0-9]{8}|[0-9]{12,14})$"}),
    Field(examples=["3012345678900"]),
]
Months = Annotated[int, Field(ge=0, le=600)]


class ArticleForClient(View):
    """An article of the catalogue. `price` is excluding VAT.

    Whoever shows it to a client has to show the price that they pay (Code de la consommation, L112-1): VAT depends on their
    place and on the day, so `GET /articles/{article_id}/price` says it.
    """

    visible: ClassVar[Visible] = Visible(client=ALL, technician=ALL)

    reference: Annotated[str, ComparedAs(Reference)] = Field(examples=["LUM-24-C"])
    gtin: Annotated[str | None, ComparedAs(Gtin)] = Field(examples=["3012345678900"])
    name: str = Field(examples=["Chaudière murale Lumea 24"])
    brand: Annotated[str, ComparedAs(Line)] = Field(examples=["Lumea"])
    model: str | None = Field(examples=["24 C"])
    family: Family = Field(examples=["heating"])
    description: str = Field(
        examples=["Chaudière murale gaz à condensation, 24 kW, chauffage et eau chaude."]
    )
    fuel: Fuel | None
    power_kw: Decimal | None = Field(examples=["24.00"])
    price: Amount = Field(examples=["2190.00"])
    currency: Currency
    vat_class: VatClass
    warranty_parts_months: int = Field(examples=[36])
    warranty_labour_months: int = Field(examples=[24])
    spare_parts_until: date | None = Field(examples=["2036-12-31"])
    compatible_parts: list[UUID]
    image: StoredFile | None
    in_stock: bool
    status: ArticleStatus
    # What it heats; None for what heats nothing, and where nobody has said it yet.
    heats: Heats | None = Field(default=None, examples=["space_and_water"])

    @property
    def is_fossil_boiler(self) -> bool | None:
        """Whether it is a boiler that can burn fossil fuel for space heating; None where nobody has said what it heats.

        Works that include the supply or fitting of one have no reduced VAT since 1 March 2025, hybrids too. What only
        heats water is none (Code général des impôts, art. 278-0 bis A and 279-0 bis).
        """
        if self.family == "part" or self.fuel not in FOSSIL or self.heats == "water":
            return False
        return None if self.heats is None else True


class ArticleView(ArticleForClient):
    """An article as staff see it."""

    minimum_stock: int = Field(examples=[2])

    def for_client(self) -> ArticleForClient:
        return self.narrowed_to(ArticleForClient)


class AddArticle(Command[ArticleView]):
    """Add an article to the catalogue. Its reference is unique."""

    reference: Reference = Field(examples=["LUM-24-C"])
    gtin: Gtin | None = None
    name: Line = Field(examples=["Chaudière murale Lumea 24"])
    brand: Line = Field(examples=["Lumea"])
    model: Line | None = Field(default=None, examples=["24 C"])
    family: Family
    description: Prose = Field(
        examples=["Chaudière murale gaz à condensation, 24 kW, chauffage et eau chaude."]
    )
    fuel: Fuel | None = None
    heats: Heats | None = Field(default=None, examples=["space_and_water"])
    power_kw: Annotated[Decimal, Field(gt=0, max_digits=7, decimal_places=2), decimal_places(2)] | None = (
        Field(default=None, examples=["24.00"])
    )
    currency: Currency = "EUR"
    price: Amount = Field(examples=["2190.00"])
    vat_class: VatClass = "standard"
    warranty_parts_months: Months = Field(default=24, examples=[36])
    warranty_labour_months: Months = 24
    spare_parts_until: Day | None = None
    compatible_parts: Annotated[list[UUID], Field(max_length=50, default_factory=list)]
    minimum_stock: Annotated[int, Field(ge=0, le=1_000_000)] = Field(default=0, examples=[2])

    @field_validator("price")
    @classmethod
    def _is_an_amount_of_its_currency(cls, price: Decimal, info: ValidationInfo) -> Decimal:
        # A currency that is none is told by itself.
        return check_places(price, info.data["currency"]) if "currency" in info.data else price


class ChangeArticle(Command[ArticleView]):
    """Change the given fields of an article; its reference, family and currency cannot change."""

    article_id: UUID
    gtin: Gtin | None = None
    name: Line | None = Field(default=None, examples=["Chaudière murale Lumea 24"])
    brand: Line | None = Field(default=None, examples=["Lumea"])
    model: Line | None = Field(default=None, examples=["24 C"])
    description: Prose | None = Field(
        default=None, examples=["Chaudière murale gaz à condensation, 24 kW, chauffage et eau chaude."]
    )
    fuel: Fuel | None = None
    heats: Heats | None = Field(default=None, examples=["space_and_water"])
    power_kw: Annotated[Decimal, Field(gt=0, max_digits=7, decimal_places=2), decimal_places(2)] | None = (
        Field(default=None, examples=["24.00"])
    )
    price: Amount | None = Field(default=None, examples=["2190.00"])
    vat_class: VatClass | None = None
    warranty_parts_months: Months | None = Field(default=None, examples=[36])
    warranty_labour_months: Months | None = Field(default=None, examples=[24])
    spare_parts_until: Day | None = None
    compatible_parts: Annotated[list[UUID], Field(max_length=50)] | None = None
    minimum_stock: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(default=None, examples=[2])
    status: Literal["active", "end_of_life"] | None = None


class RetireArticle(Command[ArticleView]):
    """Remove an article from the catalogue: clients find it no more, and no further product of it is registered.

    Its own page stays, for the installed products that refer to it.
    """

    article_id: UUID


class SetArticleImage(Command[ArticleView]):
    """Set or replace the picture of an article."""

    article_id: UUID
    image: Image


class ArticleAdded(Event[ArticleView]):
    """An article was added."""


ArticleChanged = Changed[ArticleView]


class ArticleRetired(Event[ArticleView]):
    """An article was removed from the catalogue."""
