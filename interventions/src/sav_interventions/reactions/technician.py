"""Technicians' cards follow their accounts."""

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.actor import Role
from sav_contracts.auth.account import AccountView, RoleAssigned, UserActivated, UserDeactivated, UserUpdated
from sav_contracts.interventions.technician import TechnicianChanged
from sav_interventions.app import interventions
from sav_interventions.model import Technician


@interventions.on(UserActivated)
async def create_card(event: UserActivated, tx: Tx) -> str | None:
    """Creates the card of an activated technician, with the account's id, or makes it active again."""
    return await _card_says(event.state, tx)


@interventions.on(UserDeactivated)
@interventions.on(RoleAssigned)
@interventions.on(UserUpdated)
async def follow_account(event: UserDeactivated | RoleAssigned | UserUpdated, tx: Tx) -> str | None:
    """Makes the card inactive when the account is deactivated or changes role; keeps its name up to date."""
    return await _card_says(event.state, tx)


async def _card_says(account: AccountView, tx: Tx) -> str | None:
    active = account.role is Role.TECHNICIAN and account.status == "active"
    card = await tx.first(select(Technician).where(Technician.id == account.id))
    if card is None and not active:
        return "not a technician"
    if card is None:
        card = tx.add(Technician(id=account.id))
    elif (card.name, card.active) == (account.name, active):
        return "the card says so already"
    card.name, card.active = account.name, active
    tx.emit(card, TechnicianChanged())
    return None
