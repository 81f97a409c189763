"""What articles cost the firm."""

from decimal import Decimal
from uuid import UUID, uuid5

from sqlalchemy.orm import Mapped

from sav_chassis.model import Aggregate
from sav_contracts.catalog.article_cost import ArticleCostView
from sav_contracts.money import Currency


def cost_id(article_id: UUID) -> UUID:
    """The id of what an article costs."""
    return uuid5(article_id, "cost")


class ArticleCost(Aggregate[ArticleCostView]):
    """What the firm pays for a piece of an article."""

    __tablename__ = "article_cost"

    article_id: Mapped[UUID]
    reference: Mapped[str]
    price: Mapped[Decimal]
    currency: Mapped[Currency]
