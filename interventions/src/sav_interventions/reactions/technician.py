"""Technicians follow their accounts."""

from sav_chassis.tx import Tx
from sav_contracts.actor import Role
from sav_contracts.auth import UserActivated
from sav_contracts.interventions import TechnicianChanged
from sav_interventions.app import interventions
from sav_interventions.model import Technician


@interventions.on(UserActivated)
async def create_card(event: UserActivated, tx: Tx) -> str | None:
    """A technician who can sign in gets a card with the same id."""
    account = event.state
    if account.role is not Role.TECHNICIAN:
        return "not a technician"
    if await tx.exists(Technician, account.id):
        return "there is a card already"
    technician = tx.add(Technician(id=account.id, name=account.name, active=True))
    tx.emit(TechnicianChanged, technician)
    return None
