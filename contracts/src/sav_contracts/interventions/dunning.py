"""What is told of invoices that are not paid in time."""

from typing import ClassVar

from pydantic import Field

from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.messages import Event


class InvoiceOverdue(Event[InvoiceView]):
    """The due day of an invoice is over, and something is left to pay."""

    client_sees: ClassVar[bool] = True


class InvoiceReminded(Event[InvoiceView]):
    """A client is reminded of an overdue invoice: `level` counts from 1; at the `last` one somebody must act."""

    client_sees: ClassVar[bool] = True

    level: int = Field(examples=[1])
    last: bool
