"""Whether technicians take visits, and who may be given one."""

from collections.abc import Collection
from uuid import UUID

from sav_chassis.shared_refusals import check_able
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.technician import Skill, TechnicianChanged, TechnicianLeft
from sav_interventions.model import Intervention, Technician


async def able_technician(tx: Tx, id: UUID, by: Actor, needed: Collection[Skill] = ()) -> Technician:
    """The technician, who takes visits and can do this work.

    Locked: whoever hears that they left finds the visit, or comes before it.
    """
    technician = await tx.load(Technician, id, by)
    check_able(technician, needed)
    return technician


async def check_takes_visits(tx: Tx, visit: Intervention) -> None:
    """Raises where the visit's technician takes none any more: a manager gives it to another."""
    technician = await tx.session.get(Technician, visit.technician_id)
    if technician:
        check_able(technician)


def announce(card: Technician, account_active: bool, set_inactive: bool, tx: Tx) -> None:
    """Sets both, and says whether the technician has left by that, or only that the card is another one."""
    # A new card was nobody's who could leave.
    left = bool(card.version) and card.active
    card.account_active, card.set_inactive = account_active, set_inactive
    tx.emit(card, TechnicianLeft() if left and not card.active else TechnicianChanged())
