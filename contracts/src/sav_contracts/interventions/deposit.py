"""Deposit invoices: a part of an agreed price, asked for before the work."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.line import DiscountGiven, LineGiven, SupplyGiven
from sav_contracts.messages import Command


class DraftDeposit(Command[InvoiceView]):
    """Draft a deposit invoice for a visit: so many percent of the agreed `lines`, at each of their rates of VAT.

    It is completed and issued like any draft. The invoice of the visit names it and deducts it once.
    """

    intervention_id: UUID
    percent: Annotated[int, Field(ge=1, le=100)] = Field(examples=[30])
    lines: Annotated[list[LineGiven], Field(min_length=1, max_length=60)]
    discount: DiscountGiven | None = None
    # What the VAT depends on, where the visit does not say it: whether the client certified what a lower rate needs, …
    certified: bool = False
    supply: SupplyGiven | None = None


class DraftEstimateDeposit(Command[InvoiceView]):
    """Draft a deposit invoice for an accepted estimate: so many percent of it, at each of its rates of VAT.

    The invoice of the agreed work names it and deducts it once.
    """

    estimate_id: UUID
    percent: Annotated[int, Field(ge=1, le=100)] = Field(examples=[30])
