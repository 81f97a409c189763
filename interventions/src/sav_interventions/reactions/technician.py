"""Technicians' cards follow their accounts; visits without a réclamation follow what managers decide."""

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.auth.account import AccountView, RoleAssigned, UserActivated, UserDeactivated, UserUpdated
from sav_contracts.calendar.conflict import ConflictResolved
from sav_contracts.interventions.visit import AssignmentRefused, InterventionPlanned
from sav_interventions.app import interventions
from sav_interventions.lifecycle import INTERVENTION, OVER
from sav_interventions.model import Intervention, Technician
from sav_interventions.reactions.visit import cancel
from sav_interventions.who_comes import announce


@interventions.on(UserActivated)
async def create_card(event: UserActivated, tx: Tx) -> str | None:
    """Creates the card of an activated technician, with the account's id, or makes it active again."""
    return await _card_says(event.state, tx)


@interventions.on(UserDeactivated)
@interventions.on(RoleAssigned)
@interventions.on(UserUpdated)
async def follow_account(event: UserDeactivated | RoleAssigned | UserUpdated, tx: Tx) -> str | None:
    """The technician leaves when the account is deactivated or changes role; the card keeps the account's name."""
    return await _card_says(event.state, tx)


@interventions.on(ConflictResolved, since="2026-11-29")
async def give_visit_to_another(event: ConflictResolved, tx: Tx) -> str | None:
    """A manager who resolves the conflict of a visit without a réclamation by another technician gives it to them."""
    conflict, to = event.state, event.technician_id
    if to is None or to == conflict.technician_id or conflict.intervention_id is None:
        return "its technician stays"
    if conflict.reclamation_id:
        return "their réclamation is assigned"
    visit = await tx.load(Intervention, conflict.intervention_id, SYSTEM)
    if visit.status in OVER:
        return f"obsolete: the visit is {visit.status}"
    if not INTERVENTION.allows(visit.status, "cancelled", SYSTEM):
        tx.emit(visit, AssignmentRefused(refused_technician_id=to))
        return None
    cancel(visit, "reassigned", tx)
    theirs = tx.add(visit.given_to(to, tx.new_id()))
    tx.emit(theirs, InterventionPlanned(slot=event.slot, outside_hours=event.outside_hours))
    return None


async def _card_says(account: AccountView, tx: Tx) -> str | None:
    active = account.role is Role.TECHNICIAN and account.status == "active"
    card = await tx.first(select(Technician).where(Technician.id == account.id))
    if card is None and not active:
        return "not a technician"
    if card is None:
        card = tx.add(Technician(id=account.id, set_inactive=False))
    elif (card.name, card.account_active) == (account.name, active):
        return "the card says so already"
    card.name = account.name
    announce(card, active, card.set_inactive, tx)
    return None
