"""Opening réclamations."""

from uuid import UUID

from sqlalchemy import Sequence

from sav_chassis.errors import NamesNothing, WrongField
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.lifecycle import triage
from sav_claims.model import Client, Reclamation
from sav_contracts.actor import Actor, Role
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.reclamation import (
    OpenReclamation,
    ReclamationCreated,
)
from sav_contracts.labels import label

REFERENCES = Sequence("reclamation_reference")


class ForWhichClient(WrongField):
    field: str = "client_id"
    en = "say for which client"
    fr = "indiquez pour quel client"


class UnitReplaced(WrongField):
    field: str = "product_id"
    en = "this unit was replaced: choose the one that took its place"
    fr = "cet appareil a été remplacé : choisissez celui qui a pris sa place"


@claims.command(OpenReclamation)
async def open_reclamation(cmd: OpenReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Report a fault: a client for themselves, a manager for a client."""
    client = await tx.load(Client, _for_whom(cmd, by), by)
    product = await _product_of(client, cmd.product_id, tx, by)
    priority, why = triage(cmd.problem_type, cmd.safety)
    reclamation = tx.add(
        Reclamation(
            id=tx.new_id(),
            reference=f"REC-{tx.now.year}-{await tx.session.scalar(REFERENCES):06}",
            client_id=client.id,
            product_id=product.id if product else None,
            article=cmd.article or (product.article if product else ""),
            problem_type=cmd.problem_type,
            description=cmd.description,
            safety=cmd.safety,
            priority=priority,
            priority_reason=why,
            coverage="unknown",
            assignment=0,
            status="submitted",
        )
    )
    tx.emit(reclamation, ReclamationCreated())
    return reclamation


def _for_whom(cmd: OpenReclamation, by: Actor) -> UUID:
    if cmd.client_id:
        return cmd.client_id
    if by.role is Role.CLIENT:
        return by.id
    raise ForWhichClient


async def _product_of(client: Client, product_id: UUID | None, tx: Tx, by: Actor) -> ProductView | None:
    if product_id is None:
        return None
    product = await tx.view(ProductView, product_id, by)
    if product.client_id != client.id:
        raise NamesNothing(field="product_id", kind=label(ProductView.kind()), id=product_id)
    if product.replaced_by_id:
        raise UnitReplaced
    return product
