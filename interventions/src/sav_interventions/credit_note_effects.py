"""Effects of credit notes."""

from uuid import UUID

from sav_chassis.files import Files
from sav_chassis.tx import EffectRun
from sav_contracts.actor import SYSTEM
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.credit_note import CreditNoteChanged
from sav_interventions.app import interventions
from sav_interventions.invoice_pdf import invoice_pdf
from sav_interventions.model.credit_note import CreditNote
from sav_interventions.model.invoice import Invoice
from sav_interventions.nature import nature_of
from sav_interventions.printer import on_paper
from sav_interventions.settings import billing


@interventions.effect
async def print_credit_note(id: UUID, run: EffectRun) -> None:
    """Makes and stores the PDF of a credit note, in its client's language."""
    async with run() as tx:
        note = (await tx.read(CreditNote, id, SYSTEM)).view()
        of = await tx.read(Invoice, note.invoice_id, SYSTEM)
        supply, nature = of.supply, nature_of(of.supply, note.lines)
        locale = (await tx.view(ClientView, note.client_id)).locale
        files = Files(tx.settings.files_url)
    if note.document:
        return
    law = billing().law
    # What corrects an invoice says what that has to say (CGI, 289 I 5): between businesses also what was sold, and where.
    mentions = law.mentions_on(note.seller, note.buyer, nature) if note.buyer.is_business else []
    pdf = await on_paper(invoice_pdf, note, locale, mentions, supply)
    document = await files.put(pdf, "application/pdf", f"{note.number}.pdf")
    async with run() as tx:
        issued = await tx.load(CreditNote, id, SYSTEM)
        if issued.document is None:
            issued.document = document
            tx.emit(issued, CreditNoteChanged())
