"""Invoices of one visit after each other: one stands at a time, and names the credited one whose place it takes."""

from uuid import UUID

from sqlalchemy import Select, select

from sav_chassis.tx import Tx
from sav_chassis.written import day
from sav_interventions.model import CreditNote
from sav_interventions.model.invoice import Invoice


def standing(visit_id: UUID) -> Select[Invoice]:
    """The invoice of a visit, or its draft, that was neither discarded nor credited as a whole; deposits are none."""
    return select(Invoice).where(
        Invoice.intervention_id == visit_id,
        ~Invoice.deposit,
        Invoice.status.not_in(("discarded", "credited")),
    )


async def replaced_mention(invoice: Invoice, tx: Tx) -> list[str]:
    """What an invoice says of the last one of its visit that was credited as a whole."""
    if invoice.deposit or invoice.intervention_id is None:
        return []
    credited = (
        select(Invoice.number, Invoice.issued_on, CreditNote.number)
        .join(CreditNote, CreditNote.invoice_id == Invoice.id)
        .where(Invoice.intervention_id == invoice.intervention_id, ~Invoice.deposit, CreditNote.whole)
        .order_by(Invoice.issued_on.desc(), Invoice.number.desc())
    )
    if not (found := (await tx.session.execute(credited.limit(1))).one_or_none()):
        return []
    number, on, note = found
    assert on, "it was issued"
    return [f"Remplace la facture {number} du {day(on, 'fr')}, annulée par l’avoir {note}."]
