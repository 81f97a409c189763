"""What articles cost the firm; for admins alone."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from sav_contracts.messages import Command, Event, View
from sav_contracts.money import Amount, Currency
from sav_contracts.visibility import NOTHING, Visible


class ArticleCostView(View):
    """What the firm pays for a piece of an article, excluding VAT."""

    visible: ClassVar[Visible] = Visible(manager=NOTHING)

    article_id: UUID
    reference: str = Field(examples=["CIR-25-60"])
    price: Amount = Field(examples=["112.00"])
    currency: Currency

    @property
    def parent(self) -> UUID:
        return self.article_id

    def for_client(self) -> None:
        return None


class SetArticleCost(Command[ArticleCostView]):
    """Say what the firm pays for a piece of an article, in the currency of its price. Margins count with it from now on."""

    article_id: UUID
    price: Amount = Field(examples=["112.00"])


class ArticleCostSet(Event[ArticleCostView]):
    """What the firm pays for an article became known, or another price."""

    makes_timeline_line: ClassVar[bool] = False
