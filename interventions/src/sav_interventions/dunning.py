"""Invoices that are not paid in time: marked by a timer the day after they were due, then reminded of by policy."""

from datetime import datetime, timedelta
from uuid import UUID

from sav_chassis.model import settles
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.policy import Dunning
from sav_contracts.interventions.dunning import InvoiceOverdue, InvoiceReminded
from sav_interventions.app import interventions
from sav_interventions.days import morning, today
from sav_interventions.model import Invoice

OPEN = frozenset({"issued", "partly_paid"})


@settles(Invoice)
async def follow_due_day(invoice: Invoice, tx: Tx) -> None:
    """Sets the next timer of an invoice while something is left to pay; what is paid later is not overdue any more."""
    owed = invoice.status in OPEN and invoice.balance > 0
    if not owed:
        invoice.overdue = False
    due = await _next(invoice, tx) if owed else None
    if due == invoice.reminded_at:
        return
    invoice.reminded_at = due
    if due:
        tx.remind(remind_of_invoice, invoice.id, due)
    else:
        tx.forget(remind_of_invoice, invoice.id)


@interventions.timer
async def remind_of_invoice(id: UUID, tx: Tx) -> str | None:
    """Marks an invoice overdue the morning after its due day, then reminds its client, once for each day of the policy."""
    invoice = await tx.load(Invoice, id, SYSTEM)
    if invoice.reminded_at is None:
        return "obsolete: nothing is left to pay"
    if invoice.reminded_at > tx.now:
        tx.remind(remind_of_invoice, id, invoice.reminded_at)
        return "its day is later"
    if not invoice.overdue:
        invoice.overdue = True
        tx.emit(invoice, InvoiceOverdue())
        return None
    levels = len((await tx.policy(Dunning)).reminder_days)
    if invoice.reminders >= levels:
        return "obsolete: the policy has fewer reminders by now"
    invoice.reminders += 1
    tx.emit(invoice, InvoiceReminded(level=invoice.reminders, last=invoice.reminders >= levels))
    return None


async def _next(invoice: Invoice, tx: Tx) -> datetime | None:
    """The next morning at which something is to be told; None after the last reminder."""
    assert invoice.due_on is not None
    if not invoice.overdue:
        return morning(invoice.due_on + timedelta(days=1))
    days = (await tx.policy(Dunning)).reminder_days
    if invoice.reminders >= len(days):
        return None
    due = morning(invoice.due_on + timedelta(days=days[invoice.reminders]))
    # Where the day is over, because the policy changed or the service was down, on the next morning.
    return due if due > tx.now else morning(today(tx) + timedelta(days=1))
