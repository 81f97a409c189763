"""Effects of interventions."""

import asyncio
from uuid import UUID

from sav_chassis.files import Files
from sav_chassis.tx import EffectRun
from sav_contracts.actor import SYSTEM
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.invoice import InvoiceChanged
from sav_interventions.app import interventions
from sav_interventions.invoice_pdf import invoice_pdf
from sav_interventions.model.invoice import Invoice


@interventions.effect
async def print_invoice(id: UUID, run: EffectRun) -> None:
    """Makes and stores the PDF of an issued invoice, in its client's language."""
    async with run() as tx:
        invoice = (await tx.load(Invoice, id, SYSTEM)).view()
        locale = (await tx.view(ClientView, invoice.client_id)).locale
        files = Files(tx.settings.files_url)
    if invoice.document:
        return
    pdf = await asyncio.to_thread(invoice_pdf, invoice, locale)
    document = await files.put(pdf, "application/pdf", f"{invoice.number}.pdf")
    async with run() as tx:
        issued = await tx.load(Invoice, id, SYSTEM)
        if issued.document is None:
            issued.document = document
            tx.emit(issued, InvoiceChanged())
