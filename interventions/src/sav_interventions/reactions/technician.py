"""Technicians follow their accounts."""

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.actor import Role
from sav_contracts.auth.account import AccountView, RoleAssigned, UserActivated, UserDeactivated, UserUpdated
from sav_contracts.interventions.visit import TechnicianChanged
from sav_interventions.app import interventions
from sav_interventions.model import Technician


@interventions.on(UserActivated)
async def create_card(event: UserActivated, tx: Tx) -> str | None:
    """A technician who can sign in gets a card with the same id; one who may again is given work again."""
    return await _card_says(event.state, tx)


@interventions.on(UserDeactivated)
@interventions.on(RoleAssigned)
@interventions.on(UserUpdated)
async def follow_account(event: UserDeactivated | RoleAssigned | UserUpdated, tx: Tx) -> str | None:
    """Whoever is kept out or has another role is given no work; a card has its person's name."""
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
    tx.emit(TechnicianChanged, card)
    return None
