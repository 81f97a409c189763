"""What was merged into another réclamation can be read by whoever works on that."""

from uuid import UUID

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.model import Reclamation
from sav_contracts.actor import SYSTEM
from sav_contracts.claims.reclamation import ReclamationChanged, ReclamationMoved, TechnicianAssigned


@claims.on(ReclamationMoved, since="2026-11-30")
@claims.on(TechnicianAssigned, since="2026-11-30")
async def show_merged(event: ReclamationMoved | TechnicianAssigned, tx: Tx) -> str | None:
    """Gives what was merged to the technician of the réclamation that goes on; nobody can do anything with it."""
    if isinstance(event, ReclamationMoved) and event.after != "merged":
        return "it was not merged"
    into = await _merged_ones(event.state.client_id, tx)
    goes_on = event.state.id
    while goes_on in into:
        goes_on = into[goes_on]
    family = [goes_on]
    for target in family:
        family += [id for id, of in into.items() if of == target]
    # In the order of their ids, as everybody who locks several.
    loaded = {id: await tx.load(Reclamation, id, SYSTEM) for id in sorted(family)} if family[1:] else {}
    technician_id = loaded[goes_on].technician_id if loaded else None
    for one in loaded.values():
        if one.status == "merged" and technician_id not in (None, one.technician_id):
            one.technician_id = technician_id
            tx.emit(one, ReclamationChanged())
    return None if tx.has_emitted else "nothing that was merged is another technician's"


async def _merged_ones(client_id: UUID, tx: Tx) -> dict[UUID, UUID]:
    """The client's réclamations that were merged, each with the one it was merged into."""
    found = select(Reclamation.id, Reclamation.merged_into_id).where(Reclamation.client_id == client_id)
    return {id: into for id, into in await tx.session.execute(found) if into}
