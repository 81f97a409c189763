"""Deciding priority and coverage."""

from uuid import UUID

from sav_chassis.errors import WrongField
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.intake import product_of, skills_of
from sav_claims.lifecycle import UNDER_WAY, lowering
from sav_claims.model import Reclamation, manager_says
from sav_claims.possible_moves import check_move
from sav_claims.sla import responded
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.claims.reclamation import (
    QualifyReclamation,
    ReclamationQualified,
)
from sav_contracts.labels import label
from sav_contracts.sentences import Text


class WhyAgain(WrongField):
    field: str = "reason"
    en = "say why it is decided again"
    fr = "indiquez pourquoi la décision est revue"


class WhyOtherwise(WrongField):
    field: str = "reason"
    decision: Text
    why: Text
    en = "say why: the warranty itself says {decision} ({why})"
    fr = "indiquez pourquoi : la garantie elle-même donne « {decision} » ({why})"


class WhyLowered(WrongField):
    field: str = "reason"
    en = "danger was reported: say why it is not critical"
    fr = "un danger a été signalé : indiquez pourquoi la priorité n’est pas critique"


@claims.command(QualifyReclamation)
async def qualify_reclamation(cmd: QualifyReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Decide priority and coverage, and name the product. Deciding again needs a reason."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    if reclamation.is_qualified and cmd.reason is None:
        raise WhyAgain
    if lowering(reclamation, cmd.priority) and cmd.reason is None:
        raise WhyLowered
    if reclamation.status not in UNDER_WAY:
        await check_move(reclamation, "qualified", tx, by)
    previous = await _name_product(reclamation, cmd.product_id, tx, by)
    reclamation.qualify(cmd.priority, await _warranty(reclamation, cmd, tx), cmd.reason, by)
    reclamation.reason = cmd.reason
    responded(reclamation, tx)
    qualified = ReclamationQualified(
        coverage=reclamation.coverage,
        priority=cmd.priority,
        reason=cmd.reason,
        previous_product_id=previous,
    )
    tx.emit(reclamation, qualified)
    return reclamation


async def _name_product(reclamation: Reclamation, product_id: UUID | None, tx: Tx, by: Actor) -> UUID | None:
    """Sets which of the client's products is broken; the id of the one it was until now, where that is another."""
    previous = reclamation.product_id
    if product_id is None or product_id == previous:
        return None
    product = await product_of(reclamation.client_id, product_id, tx, by)
    reclamation.product_id = product_id
    reclamation.skills_needed = await skills_of(product, tx)
    return previous


async def _warranty(reclamation: Reclamation, cmd: QualifyReclamation, tx: Tx) -> Warranty:
    """What the manager decides now or decided before; else what the product's covers pay."""
    product = await _newest(reclamation.product_id, tx) if reclamation.product_id else None
    rule = reclamation.warranty_by_rule(product)
    if cmd.coverage is None and reclamation.by_manager and reclamation.warranty:
        return reclamation.warranty.by_covers_of(rule)
    if cmd.coverage is None or cmd.coverage == rule.decision:
        return rule
    if cmd.reason is None:
        raise WhyOtherwise(decision=label(rule.decision), why=label(rule.why))
    return manager_says(cmd.coverage, cmd.reason, tx.now, rule)


async def _newest(product_id: UUID, tx: Tx) -> ProductView:
    """The copy of a product, read under the lock of `decide_again`, which would miss a decision by an older copy."""
    await tx.lock(f"product {product_id}")
    return await tx.view(ProductView, product_id)
