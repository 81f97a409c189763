"""Reactions of claims to events about accounts, products, stock, visits and appointments."""

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.lifecycle import RECLAMATION, UNDER_WAY
from sav_claims.model import Client, Reclamation
from sav_claims.timers import close_after_a_while
from sav_contracts import canonical
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.address import Address
from sav_contracts.auth.account import AccountView, ClientAdded, UserRegistered, UserUpdated
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar import AppointmentBooked
from sav_contracts.catalog.product import ProductVerified, ProductView, WarrantyChanged
from sav_contracts.catalog.reservation import StockReleased, StockReserved, StockShort, StockUsed
from sav_contracts.claims import (
    ClientChanged,
    ClientCreated,
    PartsArrived,
    ReclamationChanged,
    ReclamationMoved,
    ReclamationStatus,
    Slot,
    TechnicianAssigned,
    TechnicianUnassigned,
)
from sav_contracts.interventions.visit import (
    AssignmentRefused,
    InterventionClosed,
    InterventionMoved,
    InterventionStarted,
    InterventionView,
    WarrantyDecided,
)


@claims.on(UserRegistered)
async def create_profile(event: UserRegistered, tx: Tx) -> str | None:
    """A client account gets a client profile with the same id."""
    if event.state.role is not Role.CLIENT:
        return "not a client"
    return await _create_profile(tx, event.state, (), ())


@claims.on(ClientAdded)
async def create_profile_with_contacts(event: ClientAdded, tx: Tx) -> str | None:
    """The same for a client whom staff added, with the phones and addresses they gave."""
    return await _create_profile(tx, event.state, event.phones, event.addresses)


@claims.on(UserUpdated)
async def follow_the_address(event: UserUpdated, tx: Tx) -> str | None:
    """Messages follow the sign-in address when it changes; a different address in the profile stays."""
    account, previous = event.state, event.previous_email
    if previous is None or account.role is not Role.CLIENT:
        return "no other address of a client"
    client = await tx.load(Client, account.id, SYSTEM)
    if client.email != canonical.or_itself(canonical.email, previous):
        return "the profile has an address of its own"
    client.email = canonical.or_itself(canonical.email, account.email)
    tx.emit(client, ClientChanged())
    return None


@claims.on(ProductVerified)
@claims.on(WarrantyChanged)
async def decide_again(event: ProductVerified | WarrantyChanged, tx: Tx) -> str | None:
    """Decides the product's réclamations under way by its new covers, except where a manager has decided."""
    product = event.state
    await tx.copies(ProductView).as_new_as(product)
    # Qualifying takes this lock too: from here on it uses this copy or a newer one; its earlier decisions are found.
    await tx.lock(f"product {product.id}")
    waiting = await tx.session.scalars(
        select(Reclamation)
        .where(Reclamation.product_id == product.id, Reclamation.status.in_(UNDER_WAY))
        .order_by(Reclamation.id)
        .with_for_update()
    )
    for reclamation in waiting:
        warranty = reclamation.warranty_by_rule(product)
        if not reclamation.by_manager and reclamation.warranty != warranty:
            reclamation.decide(warranty)
            tx.emit(reclamation, ReclamationChanged())
    return None if tx.has_emitted else "no réclamation waits for it"


@claims.on(WarrantyDecided)
async def follow_the_manager(event: WarrantyDecided, tx: Tx) -> str | None:
    """A manager's decision for a visit also holds for its réclamation, where the client reads it."""
    warranty = event.state.warranty
    if warranty is None or warranty.decided_at is None:
        return "decided by rule, as here"
    reclamation = await tx.load(Reclamation, event.state.reclamation_id, SYSTEM)
    if not warranty.overrules(reclamation.warranty):
        return "known"
    reclamation.decide(warranty)
    tx.emit(reclamation, ReclamationChanged())
    return None


@claims.on(AppointmentBooked)
async def assign_whom_the_client_chose(event: AppointmentBooked, tx: Tx) -> str | None:
    """A client who books a technician's time thereby chooses the technician."""
    appointment = event.state
    if appointment.intervention_id:
        return "the time of a planned visit"
    reclamation = await tx.load(Reclamation, appointment.reclamation_id, SYSTEM)
    if reclamation.technician_id == appointment.technician_id:
        return "theirs already"
    if reclamation.status != "qualified":
        return f"obsolete: the réclamation is {reclamation.status}"
    reclamation.assign(appointment.technician_id, SYSTEM)
    tx.emit(
        reclamation,
        TechnicianAssigned(
            technician_id=appointment.technician_id, slot=Slot(start=appointment.start, end=appointment.end)
        ),
    )
    return None


@claims.on(InterventionStarted)
async def note_that_work_began(event: InterventionStarted, tx: Tx) -> str | None:
    """The réclamation is in progress when its technician starts."""
    reclamation = await tx.load(Reclamation, event.state.reclamation_id, SYSTEM)
    if reclamation.technician_id != event.state.technician_id:
        return "obsolete: another technician was assigned meanwhile; interventions decides"
    return _begin(tx, reclamation, event.state)


@claims.on(InterventionMoved)
async def follow_the_visit(event: InterventionMoved, tx: Tx) -> str | None:
    """After a declined or cancelled visit it waits for a technician again; after an incomplete one, for the next."""
    visit = event.state
    reclamation = await tx.load(Reclamation, visit.reclamation_id, SYSTEM)
    if event.after in ("declined", "cancelled"):
        return _take_back(tx, reclamation, visit)
    if event.after == "incomplete" and visit.cause != "estimate_refused":
        return _move(tx, reclamation, visit, "awaiting_parts" if visit.cause == "parts" else "assigned")
    return f"{event.after} changes nothing here"


@claims.on(InterventionClosed)
async def resolve(event: InterventionClosed, tx: Tx) -> str | None:
    """Resolves what was repaired, or whose estimate was refused; a timer closes it if the client does not reopen it."""
    visit = event.state
    refused = visit.cause == "estimate_refused"
    if event.outcome != "completed" and not refused:
        return "not completed: the next visit goes on"
    reclamation = await tx.load(Reclamation, visit.reclamation_id, SYSTEM)
    obsolete = _move(tx, reclamation, visit, "resolved")
    if obsolete is None:
        reclamation.resolution = "estimate_refused" if refused else "repaired"
        # No reply from the client counts as agreement.
        closes_after = (await tx.policy(CutOffs)).closes_after
        tx.remind(close_after_a_while, reclamation.id, tx.now + closes_after)
    return obsolete


@claims.on(StockReserved)
@claims.on(StockShort)
@claims.on(StockUsed)
@claims.on(StockReleased)
async def follow_reservation(
    event: StockReserved | StockShort | StockUsed | StockReleased, tx: Tx
) -> str | None:
    """The lines of the parts list show what became of their reservations; tells when all awaited parts are there."""
    reservation = event.state
    if reservation.for_kind != "reclamation":
        return "not for a réclamation"
    reclamation = await tx.load(Reclamation, reservation.for_id, SYSTEM)
    if not reclamation.follow(reservation):
        return "known, or no longer listed"
    tx.emit(reclamation, PartsArrived() if reclamation.parts_have_arrived() else ReclamationChanged())
    return None


@claims.on(AssignmentRefused)
async def restore_technician(event: AssignmentRefused, tx: Tx) -> str | None:
    """The technician who is already on site keeps the réclamation."""
    visit = event.state
    reclamation = await tx.load(Reclamation, visit.reclamation_id, SYSTEM)
    if reclamation.technician_id == event.refused_technician_id:
        previous = reclamation.assign(visit.technician_id, SYSTEM)
        tx.emit(
            reclamation,
            TechnicianAssigned(technician_id=visit.technician_id, previous_technician_id=previous),
        )
    elif reclamation.technician_id != visit.technician_id:
        return "obsolete: assigned otherwise meanwhile"
    return _begin(tx, reclamation, visit) if visit.status in ("in_progress", "paused") else None


async def _create_profile(
    tx: Tx, account: AccountView, phones: tuple[str, ...], addresses: tuple[Address, ...]
) -> str | None:
    if await tx.exists(Client, account.id):
        return "there is a profile already"
    # The event may be from before these had a canonical form.
    client = Client(
        id=account.id,
        name=account.name,
        email=canonical.or_itself(canonical.email, account.email),
        locale=account.locale,
        phones=tuple(canonical.or_itself(canonical.phone, phone) for phone in phones),
        addresses=addresses,
    )
    tx.emit(tx.add(client), ClientCreated())
    return None


def _take_back(tx: Tx, reclamation: Reclamation, visit: InterventionView) -> str | None:
    theirs = reclamation.assignment == visit.assignment
    if not theirs or not RECLAMATION.allows(reclamation.status, "qualified", SYSTEM):
        return "obsolete: the réclamation is no longer theirs"
    reclamation.unassign(SYSTEM)
    tx.emit(reclamation, TechnicianUnassigned(technician_id=visit.technician_id))
    return None


def _begin(tx: Tx, reclamation: Reclamation, visit: InterventionView) -> str | None:
    before = reclamation.status
    if before == "in_progress" and reclamation.visit_id != visit.id:
        reclamation.visit_id = visit.id
        tx.emit(reclamation, ReclamationChanged())
        return None
    if not RECLAMATION.allows(before, "in_progress", SYSTEM):
        return f"obsolete: the réclamation is {before}"
    reclamation.visit_id = visit.id
    reclamation.move("in_progress", SYSTEM)
    tx.emit(reclamation, ReclamationMoved(before=before, after="in_progress"))
    return None


def _move(tx: Tx, reclamation: Reclamation, visit: InterventionView, to: ReclamationStatus) -> str | None:
    before = reclamation.status
    if reclamation.visit_id not in (None, visit.id) or reclamation.technician_id != visit.technician_id:
        return "obsolete: another visit was started since, or another technician assigned"
    if not RECLAMATION.allows(before, to, SYSTEM) or before == to:
        return f"obsolete: the réclamation is {before}"
    reclamation.move(to, SYSTEM)
    tx.emit(reclamation, ReclamationMoved(before=before, after=to))
    return None
