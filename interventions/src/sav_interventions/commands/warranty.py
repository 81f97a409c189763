"""Deciding what a warranty pays of a visit."""

from sav_chassis.errors import Conflict
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.visit import DecideWarranty, WarrantyDecided
from sav_interventions.app import interventions
from sav_interventions.model import Intervention
from sav_interventions.reactions.billing import adapt_draft
from sav_interventions.replaced import standing
from sav_interventions.who_pays import by_covers


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
    # Locked as a draft too: whoever issues it does so before, and this is refused, or after, at the price of today.
    invoice = await tx.first(standing(intervention.id))
    if invoice and invoice.status != "draft":
        raise AlreadyInvoiced(number=invoice.number)
    shares = cmd.parts, cmd.labour, cmd.travel
    warranty = Warranty.by_manager(shares, cmd.reason, tx.now, await _by_rule(intervention, tx))
    intervention.decide(warranty)
    told = WarrantyDecided(decision=warranty.decision, reason=cmd.reason, for_this_visit=True)
    tx.emit(intervention, told)
    await adapt_draft(intervention, tx)
    return intervention


async def _by_rule(visit: Intervention, tx: Tx) -> Warranty | None:
    """What covers pay without the decision.

    Read once the visit is locked: news of its product waits for that lock, or its copy is here already. Those who lock the
    product do it before the visit.
    """
    if visit.product_id is None:
        return None
    return by_covers(visit, await tx.view(ProductView, visit.product_id))
