"""Many réclamations at once, each by the handler of its single command."""

from sqlalchemy import select

from sav_chassis.errors import NotYet, SavError
from sav_chassis.refusals import refused, unknown
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.commands.assignment import assign_technician, lock_technician
from sav_claims.commands.moves import move_reclamation
from sav_claims.commands.qualification import qualify_reclamation
from sav_claims.model import Reclamation
from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import AssignTechnician, MoveReclamation, QualifyReclamation
from sav_contracts.claims.triage import (
    Reject,
    TriageAnswer,
    TriageItem,
    TriageOutcome,
    TriageReclamations,
)


@claims.command(TriageReclamations)
async def triage_reclamations(cmd: TriageReclamations, tx: Tx, by: Actor) -> TriageAnswer:
    """Assign, qualify or reject many; one that is refused changes nothing for the others."""
    await _lock_all(cmd, tx)
    outcomes: dict[int, TriageOutcome] = {}
    for place, item in sorted(enumerate(cmd.items), key=lambda one: one[1].act.reclamation_id):
        outcomes[place] = await _outcome(item, tx, by)
    return TriageAnswer(items=[outcomes[place] for place in range(len(cmd.items))])


async def _lock_all(cmd: TriageReclamations, tx: Tx) -> None:
    """Takes all locks first: technicians, réclamations, products, as the single commands do, and each kind in order.

    Else one that waits here for a réclamation could hold a product that whoever has the réclamation waits for.
    """
    for technician in sorted({item.assign.technician_id for item in cmd.items if item.assign}):
        await lock_technician(technician, tx)
    ids = {item.act.reclamation_id for item in cmd.items}
    found = await tx.session.scalars(
        select(Reclamation).where(Reclamation.id.in_(ids)).order_by(Reclamation.id).with_for_update()
    )
    qualified = {item.qualify.reclamation_id for item in cmd.items if item.qualify}
    products = {one.product_id for one in found if one.id in qualified and one.product_id}
    products |= {item.qualify.product_id for item in cmd.items if item.qualify and item.qualify.product_id}
    for product in sorted(products):
        await tx.lock(f"product {product}")


async def _outcome(item: TriageItem, tx: Tx, by: Actor) -> TriageOutcome:
    id = item.act.reclamation_id
    try:
        async with tx.savepoint():
            return TriageOutcome(reclamation_id=id, status=(await _do(item, tx, by)).status)
    except NotYet as missing:
        return TriageOutcome(reclamation_id=id, problem=refused(unknown(missing, item.act, "reclamation_id")))
    except SavError as refusal:
        return TriageOutcome(reclamation_id=id, problem=refused(refusal))


async def _do(item: TriageItem, tx: Tx, by: Actor) -> Reclamation:
    match item.act:
        case AssignTechnician() as assign:
            return await assign_technician(assign, tx, by)
        case QualifyReclamation() as qualify:
            return await qualify_reclamation(qualify, tx, by)
        case Reject(reclamation_id=id, reason=reason):
            return await move_reclamation(
                MoveReclamation(reclamation_id=id, to="rejected", reason=reason), tx, by
            )
