"""Work that somebody pays for begins after they accepted its estimate.

Arrêté du 24 janvier 2017: an estimate before any work, from the first euro. Urgency does not dispense from it.
"""

from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from sav_chassis.errors import Conflict
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.interventions.visit import InterventionStatus
from sav_interventions.lifecycle import INTERVENTION
from sav_interventions.model import Estimate, Intervention
from sav_interventions.supplied import works_of

# As `is_diagnosis` says, for queries: one on which parts were built in was a repair.
DID_WORK = or_(
    Intervention.purpose != "diagnostic",
    func.json_array_length(func.json_extract_path(Intervention.work, "parts")) > 0,
)


class EstimateMissing(Conflict):
    """The client pays for this work, or for a part of it, and has accepted no estimate of it."""

    code = "estimate_missing"
    en = (
        "No warranty pays for all of this work: it may begin once the client has accepted an estimate. "
        "Write one on the visit; a manager sends it"
    )
    fr = (
        "Aucune garantie ne prend en charge tous ces travaux : ils peuvent commencer une fois que le client a accepté un "
        "devis. Rédigez-en un sur l’intervention ; un responsable SAV l’envoie"
    )


class WithdrawalRuns(Conflict):
    """The client may still withdraw, and did not ask for the work to begin earlier."""

    code = "withdrawal_runs"
    until: date
    en = "The client may withdraw until {until}, and did not ask for the work to begin before"
    fr = "Le client peut se rétracter jusqu’au {until}, et n’a pas demandé que les travaux commencent avant"


class Case(NamedTuple):
    """What the visits and estimates of one fault or job share: a réclamation, else what visits for none are called."""

    visit_id: UUID
    reclamation_id: UUID | None
    reference: str | None

    @classmethod
    def of(cls, one: Intervention | Estimate) -> "Case":
        if isinstance(one, Estimate):
            return cls(one.intervention_id, one.reclamation_id, one.visit_reference)
        return cls(one.id, one.reclamation_id, one.reference)

    async def lock(self, tx: Tx, what: Literal["estimates", "billing"] = "estimates") -> None:
        """Nobody else writes, sends or answers an estimate of the case, or bills it, until the transaction ends."""
        await tx.lock(f"{what} of {self.reclamation_id or self.reference or self.visit_id}")


def of_same_case(one: Intervention | Estimate) -> Select[Estimate]:
    """The estimates of the case that a visit or an estimate belongs to, in the order of their ids."""
    visit_id, reclamation_id, reference = Case.of(one)
    # `in_` finds nothing for None, where `==` would find all without a réclamation.
    same = or_(
        Estimate.intervention_id == visit_id,
        Estimate.reclamation_id.in_([reclamation_id]),
        Estimate.visit_reference.in_([reference]),
    )
    return select(Estimate).where(same).order_by(Estimate.id)


async def last_done(one: Intervention | Estimate, tx: Tx) -> datetime | None:
    """When billed work of the case was last completed, before that of this visit: what was accepted earlier is done."""
    earlier = visits_of_case(one).where(Intervention.status == "completed")
    if isinstance(one, Intervention):
        earlier = earlier.where(Intervention.id != one.id)
        if one.done_at:
            earlier = earlier.where(Intervention.done_at < one.done_at)
    done = [
        visit.done_at for visit in await tx.session.scalars(earlier) if visit.done_at and is_billed(visit)
    ]
    return max(done, default=None)


async def of_this_job(one: Intervention | Estimate, tx: Tx, locked: bool = False) -> list[Estimate]:
    """The estimates of the case without those of an earlier job: accepted before billed work of the case was completed."""
    last, found = await last_done(one, tx), of_same_case(one)
    estimates = await tx.session.scalars(found.with_for_update() if locked else found)
    return [one for one in estimates if last is None or one.accepted is None or one.accepted.at > last]


async def last_accepted(visit: Intervention, tx: Tx) -> Estimate | None:
    """The estimate of the job of a visit that its client accepted last, also after the visit."""
    accepted = [
        (one.accepted.at, one.id, one)
        for one in await of_this_job(visit, tx)
        if one.status == "accepted" and one.accepted
    ]
    return max(accepted)[2] if accepted else None


def visits_of_case(one: Intervention | Estimate) -> Select[Intervention]:
    """The visits of the case that a visit or an estimate belongs to, in the order of their ids."""
    visit_id, reclamation_id, reference = Case.of(one)
    same = or_(
        Intervention.id == visit_id,
        Intervention.reclamation_id.in_([reclamation_id]),
        Intervention.reference.in_([reference]),
    )
    return select(Intervention).where(same).order_by(Intervention.id)


def work_of(estimate: Estimate) -> Select[Intervention]:
    """The visits of the case that do the accepted work: no diagnosis, and none that was done before the acceptance."""
    assert estimate.accepted, "it was accepted"
    since = or_(Intervention.done_at.is_(None), Intervention.done_at > estimate.accepted.at)
    return visits_of_case(estimate).where(DID_WORK, since)


def does_work_of(estimate: Estimate, visit: Intervention) -> bool:
    """Whether a visit of its case did, or is to do, the accepted work: no mere diagnosis, and not before the acceptance."""
    if is_diagnosis(visit) or estimate.accepted is None:
        return False
    return visit.done_at is None or visit.done_at > estimate.accepted.at


async def agreed_for(visit: Intervention, tx: Tx) -> Estimate | None:
    """The estimate by which the work of a visit is billed, where its client accepted one before it was done.

    Also one from which they withdrew since, where a part of it is owed.
    """
    accepted = [
        (one.accepted.at, one)
        for one in await of_this_job(visit, tx)
        if one.accepted and _binds(one, visit) and does_work_of(one, visit)
    ]
    return max(accepted, key=lambda one: one[0])[1] if accepted else None


def _binds(estimate: Estimate, visit: Intervention) -> bool:
    """Whether a client pays for a visit by this estimate: after a withdrawal for what was begun before, as they asked."""
    ended = estimate.withdrawn_at
    if estimate.status == "withdrawn" and ended:
        return estimate.owes_what_is_done and visit.created_at <= ended
    return estimate.status == "accepted"


def is_to_cancel(visit: Intervention) -> bool:
    """Whether a withdrawal cancels a visit that was to do the work: nobody is there yet, and no warranty pays for all."""
    covered = visit.warranty is not None and visit.warranty.decision == "covered"
    return not covered and INTERVENTION.allows(visit.status, "cancelled", SYSTEM)


async def stops_with(estimate: Estimate, tx: Tx) -> list[Intervention]:
    """The visits that a refusal of this estimate cancels, locked: their client pays for them, and has agreed to nothing else.

    Nobody is there yet: whoever is on site ends the visit, or writes another edition. While one is being written, or an
    earlier one is agreed on, the visits stay.
    """
    # Locked before the estimates are read: whoever writes another edition locks its visit first.
    visits = list(await tx.session.scalars(visits_of_case(estimate).with_for_update()))
    others = [one.status for one in await of_this_job(estimate, tx) if one.id != estimate.id]
    if {"draft", "sent", "accepted"} & set(others):
        return []
    return [one for one in visits if is_billed(one) and INTERVENTION.allows(one.status, "cancelled", SYSTEM)]


async def lock_visits(estimate_id: UUID, tx: Tx) -> None:
    """Locks the visits of the case of an estimate, as moving them does: none begins until the transaction ends.

    Before the estimates: whoever writes one locks its visit first too.
    """
    same = or_(
        Intervention.id == Estimate.intervention_id,
        Intervention.reclamation_id == Estimate.reclamation_id,
        Intervention.reference == Estimate.visit_reference,
    )
    visits = select(Intervention).join(Estimate, same).where(Estimate.id == estimate_id)
    await tx.session.scalars(visits.order_by(Intervention.id).with_for_update(of=Intervention))


async def is_withdrawn(visit: Intervention, tx: Tx) -> bool:
    """Whether the client withdrew from the contract that a visit was for, and owes nothing of what it did."""
    if is_diagnosis(visit):
        return False
    concluded = of_same_case(visit).where(Estimate.status.in_(("accepted", "withdrawn")))
    agreed = [
        (estimate.accepted.at, estimate)
        for estimate in await tx.session.scalars(concluded)
        if estimate.accepted and (visit.done_at is None or visit.done_at > estimate.accepted.at)
    ]
    if not agreed:
        return False
    _, newest = max(agreed, key=lambda one: one[0])
    ended = newest.withdrawn_at
    if newest.status != "withdrawn" or ended is None or visit.created_at > ended:
        return False
    begun = any(made.to == "in_progress" and made.recorded_at <= ended for made in visit.acts)
    return not (begun and newest.owes_what_is_done)


def is_billed(visit: Intervention) -> bool:
    """Whether its client pays for the work of a visit, or for a part of it; a diagnosis only finds out what is needed.

    Where who pays is unknown, a manager decides it: unknown never bills.
    """
    decided = visit.warranty.decision if visit.warranty else "unknown"
    return decided in {"partly", "not_covered"} and not is_diagnosis(visit)


def is_diagnosis(visit: Intervention) -> bool:
    """Whether a visit only found out what is to be done, or is to find that out."""
    return works_of(visit) == "diagnosis"


async def check_agreed(visit: Intervention, before: InterventionStatus, at: datetime, tx: Tx) -> None:
    """Raises where the work of a visit that goes `in_progress` may not begin, or go on after its client withdrew."""
    if not is_billed(visit):
        return
    estimates = await of_this_job(visit, tx)
    accepted = [estimate for estimate in estimates if estimate.status == "accepted"]
    if before == "paused":
        # It began; only who withdrew since stops it.
        if not accepted and any(estimate.status == "withdrawn" for estimate in estimates):
            raise EstimateMissing
        return
    if not accepted:
        raise EstimateMissing
    waits = [estimate.waits_until(at) for estimate in accepted]
    ends = [end for end in waits if end]
    if len(ends) == len(waits):
        raise WithdrawalRuns(until=min(ends))
