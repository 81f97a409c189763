"""Moving réclamations from state to state."""

from collections.abc import Awaitable, Callable

from sav_chassis.errors import Conflict, NamesNothing, WrongField
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.arrival import awaited
from sav_claims.model import Client, Reclamation
from sav_claims.possible_moves import check_move
from sav_claims.timers import close_after_a_while, close_later
from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import (
    OVER,
    MoveReclamation,
    ReclamationChanged,
    ReclamationClosed,
    ReclamationMoved,
    ReclamationReopened,
    ReclamationStatus,
    TechnicianUnassigned,
)
from sav_contracts.labels import label
from sav_contracts.sentences import Text


class WhyMoved(WrongField):
    field: str = "reason"
    to: Text
    en = "say why it becomes {to}"
    fr = "indiquez pourquoi elle passe à l’état « {to} »"


class WhatIsAsked(WrongField):
    field: str = "question"
    en = "say what the client is asked: they read it"
    fr = "indiquez ce qui est demandé au client : il le lira"


class NoAddress(WrongField):
    field: str = "by_phone"
    name: str
    en = "no e-mail address of {name} is known, no message reaches them: ask by telephone, and say so"
    fr = (
        "aucune adresse e-mail n’est connue pour {name}, aucun message ne lui parvient\N{NO-BREAK SPACE}: "
        "posez la question par téléphone, et indiquez-le"
    )


class HowResolved(WrongField):
    field: str = "resolution"
    en = "say how it was resolved"
    fr = "indiquez comment elle a été résolue"


class IntoWhich(WrongField):
    field: str = "target_id"
    en = "say with which claim it is merged"
    fr = "indiquez avec quelle réclamation la fusionner"


class IntoItself(WrongField):
    field: str = "target_id"
    en = "a claim cannot be merged with itself"
    fr = "une réclamation ne peut pas être fusionnée avec elle-même"


class QualifyFirst(Conflict):
    """Priority and coverage are decided by qualifying it, not by a move."""

    code = "qualify_first"
    reference: str
    en = "{reference} is qualified by deciding its priority and coverage"
    fr = "{reference} se qualifie en décidant de sa priorité et de sa prise en charge"


class TargetOver(Conflict):
    """The réclamation that should go on is over itself."""

    code = "target_over"
    reference: str
    state: Text
    en = "{reference} is {state}: choose one that is open"
    fr = "{reference} est à l’état « {state} » : choisissez une réclamation ouverte"


class TargetResolved(Conflict):
    """The réclamation that should go on is resolved: nobody would work on what is merged into it."""

    code = "target_resolved"
    reference: str
    en = "{reference} is resolved: reopen it first"
    fr = "{reference} est résolue : rouvrez-la d’abord"


class PartsAreThere(Conflict):
    """No part is missing that it could wait for."""

    code = "parts_are_there"
    reference: str
    en = "All parts that {reference} needs are reserved: there is nothing to wait for"
    fr = "Toutes les pièces nécessaires à {reference} sont réservées : il n’y a rien à attendre"


REASONED: frozenset[ReclamationStatus] = frozenset({"cancelled", "rejected", "merged", "reopened"})


@claims.command(MoveReclamation)
async def move_reclamation(cmd: MoveReclamation, tx: Tx, by: Actor) -> Reclamation:
    """Bring a réclamation to its next state, as far as the table, the time and its visits allow."""
    reclamation, target = await _both(cmd, tx, by)
    await check_move(reclamation, cmd.to, tx, by)
    unassigned = reclamation.status == "assigned" and cmd.to == "qualified"
    if cmd.reason is None and (cmd.to in REASONED or unassigned):
        raise WhyMoved(to=label(cmd.to))
    if target:
        _merge(reclamation, target, cmd, tx, by)
    else:
        await MOVES.get(cmd.to, _simply)(reclamation, cmd, tx, by)
    reclamation.reason = cmd.reason
    return reclamation


async def _both(cmd: MoveReclamation, tx: Tx, by: Actor) -> tuple[Reclamation, Reclamation | None]:
    """The réclamation, and the one into which it is merged; locked in the order of their ids."""
    if cmd.to != "merged":
        return await tx.load(Reclamation, cmd.reclamation_id, by), None
    if cmd.target_id is None:
        raise IntoWhich
    if cmd.target_id == cmd.reclamation_id:
        raise IntoItself
    first, last = sorted((cmd.reclamation_id, cmd.target_id))
    both = {id: await tx.load(Reclamation, id, by) for id in (first, last)}
    return both[cmd.reclamation_id], both[cmd.target_id]


async def _simply(reclamation: Reclamation, cmd: MoveReclamation, tx: Tx, by: Actor) -> None:
    before = reclamation.status
    reclamation.move(cmd.to, by)
    tx.emit(reclamation, ReclamationMoved(before=before, after=cmd.to, reason=cmd.reason))


async def _qualified(reclamation: Reclamation, cmd: MoveReclamation, tx: Tx, by: Actor) -> None:
    """From its technician, from reopened, or back from the client."""
    if reclamation.status == "submitted":
        raise QualifyFirst(reference=reclamation.reference)
    technician = reclamation.technician_id
    if reclamation.status != "assigned" or technician is None:
        await _simply(reclamation, cmd, tx, by)
        return
    reclamation.unassign(by)
    tx.emit(reclamation, TechnicianUnassigned(technician_id=technician, reason=cmd.reason))


async def _awaiting_client(reclamation: Reclamation, cmd: MoveReclamation, tx: Tx, by: Actor) -> None:
    if cmd.question is None:
        raise WhatIsAsked
    client = await tx.read(Client, reclamation.client_id, by)
    if not (client.email or cmd.by_phone):
        raise NoAddress(name=client.name)
    before = reclamation.status
    reclamation.ask_client(cmd.question, by)
    asked = ReclamationMoved(before=before, after="awaiting_client", reason=cmd.reason, question=cmd.question)
    tx.emit(reclamation, asked)


async def _awaiting_parts(reclamation: Reclamation, cmd: MoveReclamation, tx: Tx, by: Actor) -> None:
    parts = await awaited(tx, reclamation)
    if parts.some and not parts.missing:
        raise PartsAreThere(reference=reclamation.reference)
    await _simply(reclamation, cmd, tx, by)


async def _resolved(reclamation: Reclamation, cmd: MoveReclamation, tx: Tx, by: Actor) -> None:
    if cmd.resolution is None:
        raise HowResolved
    before = reclamation.status
    reclamation.resolve(cmd.resolution, by, tx.now)
    await close_later(reclamation, tx)
    moved = ReclamationMoved(before=before, after="resolved", reason=cmd.reason, resolution=cmd.resolution)
    tx.emit(reclamation, moved)


async def _closed(reclamation: Reclamation, cmd: MoveReclamation, tx: Tx, by: Actor) -> None:
    reclamation.close(by, tx.now)
    tx.forget(close_after_a_while, reclamation.id)
    tx.emit(reclamation, ReclamationClosed(reason=cmd.reason))


async def _reopened(reclamation: Reclamation, cmd: MoveReclamation, tx: Tx, by: Actor) -> None:
    before = reclamation.status
    reclamation.reopen(by)
    tx.forget(close_after_a_while, reclamation.id)
    earlier = reclamation.earlier_visit_id
    tx.emit(reclamation, ReclamationReopened(before=before, reason=cmd.reason, earlier_visit_id=earlier))


def _merge(reclamation: Reclamation, target: Reclamation, cmd: MoveReclamation, tx: Tx, by: Actor) -> None:
    if target.client_id != reclamation.client_id:
        raise NamesNothing(field="target_id", kind=label(reclamation.kind()), id=target.id)
    if target.status in OVER:
        raise TargetOver(reference=target.reference, state=label(target.status))
    if target.status == "resolved":
        raise TargetResolved(reference=target.reference)
    before = reclamation.status
    reclamation.merge_into(target, by)
    tx.forget(close_after_a_while, reclamation.id)
    merged = ReclamationMoved(
        before=before, after="merged", reason=cmd.reason, target_reference=target.reference
    )
    tx.emit(reclamation, merged)
    if target.merge_in(reclamation):
        tx.emit(target, ReclamationChanged())


Does = Callable[[Reclamation, MoveReclamation, Tx, Actor], Awaitable[None]]
MOVES: dict[ReclamationStatus, Does] = {
    "qualified": _qualified,
    "awaiting_client": _awaiting_client,
    "awaiting_parts": _awaiting_parts,
    "resolved": _resolved,
    "closed": _closed,
    "reopened": _reopened,
}
