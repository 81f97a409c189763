"""What managers change on a technician's card."""

from uuid import UUID

from sav_chassis.errors import Conflict, Empty, NoSuch, NothingToChange, NotYet, WrongFields
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.technician import SKILLS, ChangeTechnician
from sav_contracts.labels import label
from sav_interventions.app import interventions
from sav_interventions.model import Technician
from sav_interventions.settings import billing
from sav_interventions.who_comes import announce
from sav_interventions.zones import check_zone


class AccountNotActive(Conflict):
    """Somebody takes visits only while their account is active and a technician's; an admin decides that."""

    code = "account_not_active"
    name: str
    en = "The account of {name} is not that of an active technician: an admin has to activate it first"
    fr = "Ce compte ({name}) n’est pas celui d’un technicien actif : un administrateur doit d’abord l’activer"


@interventions.command(ChangeTechnician)
async def change_technician(cmd: ChangeTechnician, tx: Tx, by: Actor) -> Technician:
    """Change skills, zone and activity; who is set inactive keeps no visit that was not begun."""
    given = cmd.model_fields_set - {"technician_id"}
    if not given:
        raise NothingToChange
    if empty := sorted(name for name in given if getattr(cmd, name) is None):
        raise WrongFields.each(Empty(field=name) for name in empty)
    card = await _card(cmd.technician_id, tx, by)
    if cmd.active and not card.account_active:
        raise AccountNotActive(name=card.name)
    if cmd.skills is not None:
        card.skills = [skill for skill in SKILLS if skill in cmd.skills]
    if cmd.zone is not None:
        check_zone(cmd.zone, billing().jurisdiction)
        card.zone = sorted(set(cmd.zone))
    announce(card, card.account_active, card.set_inactive if cmd.active is None else not cmd.active, tx)
    return card


async def _card(id: UUID, tx: Tx, by: Actor) -> Technician:
    """The card; it may follow its account in a moment."""
    try:
        return await tx.load(Technician, id, by)
    except NotYet as late:
        raise NotYet(late.kind, id, NoSuch(kind=label(late.kind), id=id)) from None
