"""Whether technicians take visits, and who may be given one."""

from collections.abc import Collection
from uuid import UUID

from sav_chassis.errors import Conflict
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.technician import Skill, TechnicianChanged, TechnicianLeft
from sav_contracts.labels import labels
from sav_contracts.sentences import Text
from sav_interventions.model import Intervention, Technician


class TechnicianUnavailable(Conflict):
    """The technician cannot take the visit; the detail says why."""

    code = "technician_unavailable"
    name: str
    en = "{name} does not take visits at present"
    fr = "{name} ne prend pas d’interventions actuellement"


class LacksSkill(Conflict):
    """The technician cannot do the work; the detail says what they would have to be able to do."""

    code = "lacks_skill"
    name: str
    skills: Text
    en = "{name} does not do this work: it needs {skills}"
    fr = "{name} ne fait pas ce travail, qui demande : {skills}"


async def able_technician(tx: Tx, id: UUID, by: Actor, needed: Collection[Skill] = ()) -> Technician:
    """The technician, who takes visits and can do this work.

    Locked: whoever hears that they left finds the visit, or comes before it.
    """
    technician = await tx.load(Technician, id, by)
    if not technician.active:
        raise TechnicianUnavailable(name=technician.name)
    if lacking := technician.lacks(needed):
        raise LacksSkill(name=technician.name, skills=labels(lacking))
    return technician


async def check_takes_visits(tx: Tx, visit: Intervention) -> None:
    """Raises where the visit's technician takes none any more: a manager gives it to another."""
    technician = await tx.session.get(Technician, visit.technician_id)
    if technician and not technician.active:
        raise TechnicianUnavailable(name=technician.name)


def announce(card: Technician, account_active: bool, set_inactive: bool, tx: Tx) -> None:
    """Sets both, and says whether the technician has left by that, or only that the card is another one."""
    # A new card was nobody's who could leave.
    left = bool(card.version) and card.active
    card.account_active, card.set_inactive = account_active, set_inactive
    tx.emit(card, TechnicianLeft() if left and not card.active else TechnicianChanged())
