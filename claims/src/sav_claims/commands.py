"""Opening, qualifying, assigning, illustrating and closing réclamations."""

from uuid import UUID

from sqlalchemy import Sequence, func, select

from sav_chassis.errors import Conflict, Invalid
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.lifecycle import OVER, UNDER_WAY, triage
from sav_claims.model import Client, Photo, Reclamation, manager_says
from sav_claims.timers import close_after_a_while
from sav_contracts.actor import Actor, Role
from sav_contracts.catalog.product import ProductView, Warranty
from sav_contracts.claims import (
    MAX_PHOTOS,
    AddPhotos,
    AssignTechnician,
    MoveReclamation,
    OpenReclamation,
    PhotoAdded,
    Photos,
    QualifyReclamation,
    ReclamationClosed,
    ReclamationCreated,
    ReclamationQualified,
    TechnicianAssigned,
)
from sav_contracts.interventions.visit import TechnicianView

REFERENCES = Sequence("reclamation_reference")


class TechnicianUnavailable(Conflict):
    """The technician cannot take the work; the detail says why."""

    code = "technician_unavailable"


class AlreadyAssigned(Conflict):
    """Reassigning means another technician; another time is the calendar's matter."""

    code = "already_assigned"


class ReclamationOver(Conflict):
    """What is over is not added to."""

    code = "reclamation_over"


class TooManyPhotos(Conflict):
    """A réclamation has as many photos as it may have."""

    code = "too_many_photos"


@claims.command(OpenReclamation)
async def open_reclamation(cmd: OpenReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Report a fault, for oneself or, as a manager, for a client."""
    client = await tx.load(Client, _for_whom(cmd, by), by)
    product = await _product_of(client, cmd.product_id, tx)
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
    tx.emit(ReclamationCreated, reclamation)
    return reclamation


@claims.command(AddPhotos)
async def add_photos(cmd: AddPhotos, tx: Tx, by: Actor) -> Photos:
    """Show the problem, or the work."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    if reclamation.status in OVER:
        raise ReclamationOver(f"{reclamation.reference} is {reclamation.status}: it takes no more photos")
    there = await tx.session.scalar(
        select(func.count()).select_from(Photo).where(Photo.reclamation_id == reclamation.id)
    )
    if (there or 0) + len(cmd.photos) > MAX_PHOTOS:
        raise TooManyPhotos(f"{reclamation.reference} has {there} photos already; {MAX_PHOTOS} are the most")
    photos = [
        tx.add(Photo(id=tx.new_id(), reclamation_id=reclamation.id, file=file, by=by.role))
        for file in cmd.photos
    ]
    for photo in photos:
        tx.emit(PhotoAdded, photo)
    return Photos(items=[photo.view() for photo in photos])


@claims.command(QualifyReclamation)
async def qualify_reclamation(cmd: QualifyReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Decide priority and coverage; decide again with a reason."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    if reclamation.status in UNDER_WAY and cmd.reason is None:
        raise Invalid.field("reason", "say why it is decided again")
    reclamation.qualify(cmd.priority, await _warranty(reclamation, cmd, tx), cmd.reason, by)
    tx.emit(
        ReclamationQualified,
        reclamation,
        coverage=reclamation.coverage,
        priority=cmd.priority,
        reason=cmd.reason,
    )
    return reclamation


@claims.command(AssignTechnician)
async def assign_technician(cmd: AssignTechnician, tx: Tx, by: Actor) -> Reclamation:
    """Give a qualified réclamation to a technician who can take it, or move it to another."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    technician = await tx.view(TechnicianView, cmd.technician_id)
    if not technician.active:
        raise TechnicianUnavailable(f"{technician.name} does not take visits at present")
    if reclamation.technician_id == technician.id:
        raise AlreadyAssigned(f"{technician.name} has this réclamation already")
    previous = reclamation.assign(technician.id, by)
    tx.emit(
        TechnicianAssigned,
        reclamation,
        technician_id=technician.id,
        previous_technician_id=previous,
        slot=cmd.slot,
    )
    return reclamation


@claims.command(MoveReclamation)
async def move_reclamation(cmd: MoveReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Close what is resolved."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    reclamation.move(cmd.to, by)
    tx.forget(close_after_a_while, reclamation.id)
    tx.emit(ReclamationClosed, reclamation, reason=cmd.reason)
    return reclamation


def _for_whom(cmd: OpenReclamation, by: Actor) -> UUID:
    if cmd.client_id:
        return cmd.client_id
    if by.role is Role.CLIENT:
        return by.id
    raise Invalid.field("client_id", "say for which client")


async def _product_of(client: Client, product_id: UUID | None, tx: Tx) -> ProductView | None:
    if product_id is None:
        return None
    product = await tx.view(ProductView, product_id)
    if product.client_id != client.id:
        raise Invalid.field("product_id", f"there is no product {product_id}")
    return product


async def _warranty(reclamation: Reclamation, cmd: QualifyReclamation, tx: Tx) -> Warranty:
    """What the manager says, or said before, or else what the product's covers say."""
    if cmd.coverage is None and reclamation.by_manager and reclamation.warranty:
        return reclamation.warranty
    product = await _newest(reclamation.product_id, tx) if reclamation.product_id else None
    rule = reclamation.warranty_by_rule(product)
    if cmd.coverage is None or cmd.coverage == rule.decision:
        return rule
    if cmd.reason is None:
        raise Invalid.field("reason", f"say why: the warranty itself says {rule.decision} ({rule.why})")
    return manager_says(cmd.coverage, cmd.reason, tx.now)


async def _newest(product_id: UUID, tx: Tx) -> ProductView:
    """The copy of a product, while nothing else is decided by it: an older one would be overlooked for good."""
    await tx.alone(f"product {product_id}")
    return await tx.view(ProductView, product_id)
