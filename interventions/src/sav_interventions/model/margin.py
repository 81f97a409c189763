"""What is left of invoices."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.interventions.margin import InvoiceMarginView, PartMargin
from sav_contracts.money import Currency
from sav_interventions.model.invoice import MONEY


class InvoiceMargin(Aggregate[InvoiceMarginView]):
    """What is left of an invoice when its parts are paid for; counted once, when it is issued."""

    __tablename__ = "invoice_margin"

    invoice_id: Mapped[UUID]
    invoice_number: Mapped[str]
    currency: Mapped[Currency]
    parts: Mapped[list[PartMargin]] = mapped_column(JsonColumn(list[PartMargin]))
    net: Mapped[Decimal] = mapped_column(MONEY)
    cost: Mapped[Decimal] = mapped_column(MONEY)
    margin: Mapped[Decimal] = mapped_column(MONEY)
    unknown: Mapped[int]
