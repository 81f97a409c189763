"""Opening, qualifying, assigning and closing réclamations; adding photos."""

from uuid import UUID

from sqlalchemy import Sequence, func, select

from sav_chassis.errors import Conflict, NamesNothing, WrongField
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.lifecycle import OVER, UNDER_WAY, triage
from sav_claims.model import Client, Photo, Reclamation, manager_says
from sav_claims.timers import close_after_a_while
from sav_contracts.actor import Actor, Role
from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.warranty import Warranty
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
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_contracts.times import HORIZON

REFERENCES = Sequence("reclamation_reference")


class TechnicianUnavailable(Conflict):
    """The technician cannot take the work; the detail says why."""

    code = "technician_unavailable"
    name: str
    en = "{name} does not take visits at present"
    fr = "{name} ne prend pas d’interventions actuellement"


class AlreadyAssigned(Conflict):
    """The technician has it already: reassigning needs another one. The calendar changes times."""

    code = "already_assigned"
    name: str
    en = "{name} has this réclamation already"
    fr = "Cette réclamation est déjà attribuée à {name}"


class ReclamationOver(Conflict):
    """The réclamation is over and takes no more photos."""

    code = "reclamation_over"
    reference: str
    state: Text
    en = "{reference} is {state}: it takes no more photos"
    fr = "{reference} est à l’état « {state} » : on ne peut plus y ajouter de photos"


class TooManyPhotos(Conflict):
    """A réclamation has as many photos as it may have."""

    code = "too_many_photos"
    reference: str
    there: int
    most: int = MAX_PHOTOS
    en = "{reference} has {there} photos already; {most} are the most"
    fr = "{reference} compte déjà {there} photos ; le maximum est de {most}"


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


class SlotInPast(WrongField):
    field: str = "slot"
    en = "a visit is planned in the future"
    fr = "une intervention se planifie dans le futur"


class SlotTooFar(WrongField):
    field: str = "slot"
    en = "at most a year ahead"
    fr = "au plus un an à l’avance"


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


@claims.command(AddPhotos)
async def add_photos(cmd: AddPhotos, tx: Tx, by: Actor) -> Photos:
    """Add photos of the fault or of the work."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    if reclamation.status in OVER:
        raise ReclamationOver(reference=reclamation.reference, state=label(reclamation.status))
    there = (
        await tx.session.scalar(
            select(func.count()).select_from(Photo).where(Photo.reclamation_id == reclamation.id)
        )
        or 0
    )
    if there + len(cmd.photos) > MAX_PHOTOS:
        raise TooManyPhotos(reference=reclamation.reference, there=there)
    photos = [
        tx.add(Photo(id=tx.new_id(), reclamation_id=reclamation.id, file=file, by=by.role))
        for file in cmd.photos
    ]
    for photo in photos:
        tx.emit(photo, PhotoAdded())
    return Photos(items=[photo.view() for photo in photos])


@claims.command(QualifyReclamation)
async def qualify_reclamation(cmd: QualifyReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Decide priority and coverage. Deciding again needs a reason."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    if reclamation.status in UNDER_WAY and cmd.reason is None:
        raise WhyAgain
    reclamation.qualify(cmd.priority, await _warranty(reclamation, cmd, tx), cmd.reason, by)
    tx.emit(
        reclamation,
        ReclamationQualified(coverage=reclamation.coverage, priority=cmd.priority, reason=cmd.reason),
    )
    return reclamation


@claims.command(AssignTechnician)
async def assign_technician(cmd: AssignTechnician, tx: Tx, by: Actor) -> Reclamation:
    """Give a qualified réclamation to a technician who can take it, or move it to another."""
    if cmd.slot and cmd.slot.start <= tx.now:
        raise SlotInPast
    if cmd.slot and cmd.slot.start > tx.now + HORIZON:
        raise SlotTooFar
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    technician = await tx.view(TechnicianView, cmd.technician_id)
    if not technician.active:
        raise TechnicianUnavailable(name=technician.name)
    if reclamation.technician_id == technician.id:
        raise AlreadyAssigned(name=technician.name)
    previous = reclamation.assign(technician.id, by)
    tx.emit(
        reclamation,
        TechnicianAssigned(
            technician_id=technician.id,
            previous_technician_id=previous,
            slot=cmd.slot,
            outside_hours=cmd.outside_hours,
        ),
    )
    return reclamation


@claims.command(MoveReclamation)
async def move_reclamation(cmd: MoveReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Close a resolved réclamation."""
    reclamation = await tx.load(Reclamation, cmd.reclamation_id, by)
    reclamation.move(cmd.to, by)
    tx.forget(close_after_a_while, reclamation.id)
    tx.emit(reclamation, ReclamationClosed(reason=cmd.reason))
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


async def _warranty(reclamation: Reclamation, cmd: QualifyReclamation, tx: Tx) -> Warranty:
    """What the manager decides now or decided before; else what the product's covers pay."""
    if cmd.coverage is None and reclamation.by_manager and reclamation.warranty:
        return reclamation.warranty
    product = await _newest(reclamation.product_id, tx) if reclamation.product_id else None
    rule = reclamation.warranty_by_rule(product)
    if cmd.coverage is None or cmd.coverage == rule.decision:
        return rule
    if cmd.reason is None:
        raise WhyOtherwise(decision=label(rule.decision), why=label(rule.why))
    return manager_says(cmd.coverage, cmd.reason, tx.now)


async def _newest(product_id: UUID, tx: Tx) -> ProductView:
    """The copy of a product, read under the lock of `decide_again`, which would miss a decision by an older copy."""
    await tx.lock(f"product {product_id}")
    return await tx.view(ProductView, product_id)
