"""Commands about credit notes, for managers."""

from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.credit_note import CreditInvoice
from sav_interventions.app import interventions
from sav_interventions.crediting import credit
from sav_interventions.model import CreditNote, Invoice


@interventions.command(CreditInvoice)
async def credit_invoice(cmd: CreditInvoice, tx: Tx, by: Actor) -> CreditNote:
    """Credit an issued invoice, in whole or in part."""
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    return await credit(tx, invoice, cmd.lines, cmd.reason, by)
