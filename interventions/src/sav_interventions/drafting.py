"""Drafts of invoices: of visits and of purchases."""

from collections.abc import Sequence
from typing import Any

from sav_chassis.tx import Tx
from sav_contracts.address import Address
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.invoice import Buyer, InvoiceDrafted
from sav_contracts.interventions.line import Discount, InvoiceLine, LineGiven, Supply
from sav_interventions.model.invoice import Invoice
from sav_interventions.settings import billing


def draft(
    lines: Sequence[LineGiven | InvoiceLine],
    supply: Supply,
    client: ClientView,
    address: Address | None,
    tx: Tx,
    discount: Discount | None = None,
    **about: Any,
) -> Invoice:
    """A draft of these lines for this client, announced; `about` is what it is for (`intervention_id` or `order_id`, …)."""
    law = billing().law
    known: dict[str, Any] = dict.fromkeys(
        ("intervention_id", "reclamation_id", "reclamation_reference", "order_id", "order_reference")
    )
    invoice = tx.add(
        Invoice(
            id=tx.new_id(),
            client_id=client.id,
            status="draft",
            currency=law.currency,
            seller=billing().seller,
            buyer=Buyer(
                name=client.name,
                address=address.on_one_line if address else None,
                kind=supply.buyer,
            ),
            supplied_on=supply.on,
            paid=0,
            edited=False,
            mentions=[],
            **(known | about),
        )
    )
    invoice.itemise(lines, law, supply, discount)
    tx.emit(invoice, InvoiceDrafted())
    return invoice
