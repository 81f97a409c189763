"""Deciding what a warranty pays of a visit."""

from sqlalchemy import select

from sav_chassis.errors import Conflict
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.visit import DecideWarranty, WarrantyDecided
from sav_interventions.app import interventions
from sav_interventions.model import Intervention, Invoice


class AlreadyInvoiced(Conflict):
    """The invoice was issued; only a credit note corrects it."""

    code = "already_invoiced"
    number: str | None
    en = "Invoice {number} was issued for this visit: it stands as it is"
    fr = "La facture {number} a été émise pour cette intervention : elle reste telle quelle"


@interventions.command(DecideWarranty)
async def decide_warranty(cmd: DecideWarranty, tx: Tx, by: Actor) -> Intervention:
    """Decide as a manager what the warranty pays; no rule changes that afterwards."""
    intervention = await tx.load(Intervention, cmd.intervention_id, by)
    issued = await tx.first(
        select(Invoice).where(
            Invoice.intervention_id == intervention.id, Invoice.status.in_(("issued", "partly_paid", "paid"))
        )
    )
    if issued:
        raise AlreadyInvoiced(number=issued.number)
    warranty = Warranty.of_shares(
        cmd.parts,
        cmd.labour,
        cmd.travel,
        why="decided_by_manager",
        reason=cmd.reason,
        decided_at=tx.now,
    )
    intervention.decide(warranty)
    tx.emit(intervention, WarrantyDecided(decision=warranty.decision, reason=cmd.reason))
    return intervention
