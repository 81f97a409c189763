"""Whether technicians take visits, who may be given one, and who writes for those who take none any more."""

from collections.abc import Collection
from uuid import UUID

from sav_chassis.errors import Conflict
from sav_chassis.shared_refusals import check_able
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.interventions.technician import Skill, TechnicianChanged, TechnicianLeft
from sav_interventions.model import Intervention, Technician


class TechnicianWrites(Conflict):
    """What was done on a visit is for its technician to say; a manager says it once they take no visits any more."""

    code = "technician_writes"
    name: str
    en = "{name} still takes visits, and says what was done: if they cannot any more, set them inactive first"
    fr = (
        "{name} prend toujours des interventions et décrit son travail\N{NO-BREAK SPACE}: "
        "si ce n’est plus possible, désactivez d’abord sa fiche"
    )


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


async def check_writes(tx: Tx, visit: Intervention, by: Actor) -> None:
    """Raises where somebody else describes the visit of a technician who can do that."""
    if by.id == visit.technician_id:
        return
    technician = await tx.read(Technician, visit.technician_id, SYSTEM)
    if technician.active:
        raise TechnicianWrites(name=technician.name)


def announce(card: Technician, account_active: bool, set_inactive: bool, tx: Tx) -> None:
    """Sets both, and says whether the technician has left by that, or only that the card is another one."""
    # A new card was nobody's who could leave.
    left = bool(card.version) and card.active
    card.account_active, card.set_inactive = account_active, set_inactive
    tx.emit(card, TechnicianLeft() if left and not card.active else TechnicianChanged())
