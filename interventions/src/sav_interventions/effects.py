"""What interventions does outside its database."""

import asyncio
from uuid import UUID

from sav_chassis.files import Files
from sav_chassis.tx import Begin
from sav_contracts.actor import SYSTEM
from sav_contracts.claims import ClientView
from sav_contracts.interventions.invoice import InvoiceChanged
from sav_interventions.app import interventions
from sav_interventions.model.invoice import Invoice
from sav_interventions.paper import invoice_pdf


@interventions.effect
async def print_invoice(id: UUID, begin: Begin) -> None:
    """The PDF of an issued invoice, in its client's language."""
    async with begin() as tx:
        invoice = (await tx.load(Invoice, id, SYSTEM)).view()
        locale = (await tx.view(ClientView, invoice.client_id)).locale
        files = Files(tx.settings.files_url)
    if invoice.document:
        return
    pdf = await asyncio.to_thread(invoice_pdf, invoice, locale)
    document = await files.put(pdf, "application/pdf", f"{invoice.number}.pdf")
    async with begin() as tx:
        issued = await tx.load(Invoice, id, SYSTEM)
        if issued.document is None:
            issued.document = document
            tx.emit(InvoiceChanged, issued)
