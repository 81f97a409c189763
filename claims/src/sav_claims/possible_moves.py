"""The moves that somebody can really make: what the state table allows, narrowed by time and by visits."""

from sav_chassis.errors import Conflict, IllegalMove
from sav_chassis.tx import Tx
from sav_claims.lifecycle import ASKED_BY_CLIENTS, ENDS, RECLAMATION
from sav_claims.model import Reclamation
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.policy import CutOffs
from sav_contracts.claims.reclamation import ReclamationStatus
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionStatus, InterventionView
from sav_contracts.labels import label
from sav_contracts.sentences import Text

ON_SITE: list[InterventionStatus] = ["on_site", "in_progress", "paused"]


class VisitUnderWay(Conflict):
    """A technician is on site: only the end of that visit ends the réclamation, or takes it from them."""

    code = "visit_under_way"
    reference: str
    technician: str
    moves: list[ReclamationStatus]
    en = "{technician} is on site for {reference}: that visit has to end first"
    fr = "{technician} est sur place pour {reference} : cette intervention doit d’abord se terminer"


class TooLateToReopen(Conflict):
    """The time in which a client may reopen a réclamation is over."""

    code = "too_late_to_reopen"
    reference: str
    days: int
    moves: list[ReclamationStatus]
    en = "{reference} was closed more than {days} days ago: report the fault anew"
    fr = "{reference} est close depuis plus de {days} jours : signalez la panne par une nouvelle réclamation"


async def visit_on_site(reclamation: Reclamation, tx: Tx) -> InterventionView | None:
    """The visit whose technician is on site, as far as that has arrived here."""
    visits = tx.copies(InterventionView).where(client_id=reclamation.client_id, status=ON_SITE)
    return await visits.where(reclamation_id=reclamation.id).newest()


async def may_be_reopened_by_client(reclamation: Reclamation, tx: Tx) -> bool:
    """Whether its client may still reopen it: while it is resolved, and some days after it was closed."""
    if reclamation.status == "resolved":
        return True
    closed_at = reclamation.closed_at or reclamation.updated_at
    return reclamation.status == "closed" and tx.now <= closed_at + (await tx.policy(CutOffs)).reopens


async def possible_moves(reclamation: Reclamation, tx: Tx, by: Actor) -> list[ReclamationStatus]:
    """The states into which `by` can take it now, by a move or by assigning it."""
    moves = RECLAMATION.legal(reclamation.status, by)
    if reclamation.status == "awaiting_client":
        others = {"submitted", "qualified"} - {reclamation.before_waiting}
        moves = [to for to in moves if to not in others]
    if by.role is Role.CLIENT:
        moves = [to for to in moves if to in ASKED_BY_CLIENTS]
        if not await may_be_reopened_by_client(reclamation, tx):
            moves = [to for to in moves if to != "reopened"]
    if moves and await visit_on_site(reclamation, tx):
        moves = [to for to in moves if to not in ENDS | {"assigned"}]
    return moves


async def check_move(reclamation: Reclamation, to: ReclamationStatus, tx: Tx, by: Actor) -> None:
    """Raises the refusal that says why `by` cannot take it there now, with the moves that they can make."""
    await _check_table(reclamation, to, tx, by)
    moves = await possible_moves(reclamation, tx, by)
    if to in moves:
        return
    reference = reclamation.reference
    if to == "reopened":
        days = (await tx.policy(CutOffs)).reopens_days
        raise TooLateToReopen(reference=reference, days=days, moves=moves)
    if to in ENDS | {"assigned"} and (visit := await visit_on_site(reclamation, tx)):
        name = (await tx.view(TechnicianView, visit.technician_id)).name
        raise VisitUnderWay(reference=reference, technician=name, moves=moves)
    raise _illegal(reclamation.status, to, moves)


async def _check_table(reclamation: Reclamation, to: ReclamationStatus, tx: Tx, by: Actor) -> None:
    """As the table refuses it, but with the moves that can really be made."""
    try:
        RECLAMATION.check(reclamation.status, to, by)
    except IllegalMove as refused:
        moves = await possible_moves(reclamation, tx, by)
        raise _illegal(reclamation.status, to, moves) from refused


def _illegal(now: ReclamationStatus, to: ReclamationStatus, moves: list[ReclamationStatus]) -> IllegalMove:
    kind: Text = label("reclamation")
    return IllegalMove(kind=kind, now=label(now), wanted=label(to), moves=[*moves])
