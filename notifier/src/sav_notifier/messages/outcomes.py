"""Messages to clients and managers about visits that did not finish the work."""

from typing import Literal, Self

from sav_chassis.tx import Tx
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import Cause, InterventionMoved
from sav_notifier.cases import article_of
from sav_notifier.message import Message, message
from sav_notifier.recipients import client, its_client, managers, phones_of, technician_name

ADDED = "2026-11-29"
# Why SAV cancelled a visit: of its estimate the client reads that nobody comes.
BY_ESTIMATE = {"estimate_refused", "estimate_withdrawn"}


def comes_again(event: InterventionMoved) -> bool:
    """Whether another visit was created, which waits for a time."""
    return event.after == "no_access" or event.state.cause != "estimate_refused"


def another_follows(event: InterventionMoved) -> bool:
    """Whether somebody else comes in place of a visit that is off: none does after one for no réclamation was cancelled."""
    return event.after == "declined" or event.state.reclamation_id is not None


def told_otherwise(event: InterventionMoved) -> bool:
    """Whether the visit was cancelled by what its client is told anyway.

    Its réclamation ended or went to another technician, or the client refused the estimate or withdrew from it.
    """
    by_hand, reason = event.happened_at is not None, event.reason or ""
    if not by_hand and reason in BY_ESTIMATE:
        return True
    ended_or_given = reason == "reassigned" or reason.startswith("reclamation_")
    return not by_hand and event.state.reclamation_id is not None and ended_or_given


@message(
    "visit_incomplete",
    on={InterventionMoved: "tell_of_outcome"},
    since=ADDED,
    to=its_client,
    category="reclamation",
)
class NotFinished(Message):
    """The client learns that the work is not finished, and what follows."""

    reference: str
    technician: str
    article: str
    cause: Cause | None
    comes_again: bool

    @classmethod
    async def about(cls, event: InterventionMoved, tx: Tx) -> Self | str:
        visit = event.state
        if event.after != "incomplete":
            return "it is not incomplete"
        return cls(
            reference=visit.called,
            technician=await technician_name(tx, visit.technician_id),
            article=await article_of(tx, visit),
            cause=visit.cause,
            comes_again=comes_again(event),
        )


@message(
    "visit_no_access",
    on={InterventionMoved: "tell_of_outcome"},
    since=ADDED,
    to=its_client,
    category="reclamation",
)
class NobodyOpened(Message):
    """The client learns that the technician came and could not get in."""

    reference: str
    article: str

    @classmethod
    async def about(cls, event: InterventionMoved, tx: Tx) -> Self | str:
        visit = event.state
        if event.after != "no_access":
            return "they got in"
        return cls(reference=visit.called, article=await article_of(tx, visit))


@message(
    "visit_off",
    on={InterventionMoved: "tell_of_outcome"},
    since=ADDED,
    to=its_client,
    category="appointment",
)
class NobodyComes(Message):
    """The client who was told that a technician is on the way learns that they do not come.

    Where there is an appointment, the message of its cancellation says so.
    """

    reference: str
    technician: str
    article: str
    another_follows: bool = True

    @classmethod
    async def about(cls, event: InterventionMoved, tx: Tx) -> Self | str:
        visit = event.state
        if event.before != "en_route" or event.after not in ("declined", "cancelled") or visit.slot:
            return "nobody was on the way, or the appointment is cancelled"
        if told_otherwise(event):
            return "another message says who comes instead, or that nobody has to"
        return cls(
            reference=visit.called,
            technician=await technician_name(tx, visit.technician_id),
            article=await article_of(tx, visit),
            another_follows=another_follows(event),
        )


@message(
    "visit_given_up",
    on={InterventionMoved: "tell_of_outcome"},
    since=ADDED,
    to=its_client,
    category="reclamation",
)
class NoVisit(Message):
    """The client who waits for a visit that has no time yet learns that it does not take place.

    They were told that it comes, by its réclamation or by the visit before it. Why is between staff.
    """

    reference: str
    article: str
    another_follows: bool

    @classmethod
    async def about(cls, event: InterventionMoved, tx: Tx) -> Self | str:
        visit = event.state
        by_hand = event.after == "cancelled" and event.happened_at is not None
        if not by_hand or event.before == "en_route" or visit.slot:
            return "nobody cancelled it, or another message says so"
        if visit.reclamation_id is None and visit.follows_id is None:
            return "the client was not told of it"
        return cls(
            reference=visit.called,
            article=await article_of(tx, visit),
            another_follows=another_follows(event),
        )


@message(
    "visit_not_done",
    on={InterventionMoved: "tell_of_outcome"},
    since=ADDED,
    to=managers,
    category="alert",
    lasting=True,
)
class VisitNotDone(Message):
    """Managers learn why a visit did not finish the work, and which visit they have to plan."""

    reference: str
    technician: str
    client: str
    phones: tuple[str, ...]
    article: str
    outcome: Literal["incomplete", "no_access"]
    cause: Cause | None
    reason: str | None
    comes_again: bool

    @classmethod
    async def about(cls, event: InterventionMoved, tx: Tx) -> Self | str:
        visit = event.state
        if event.after not in ("incomplete", "no_access"):
            return "nothing is left to do"
        if (
            visit.cause == "technician_unavailable"
            and not (await tx.view(TechnicianView, visit.technician_id)).active
        ):
            return "who goes instead is asked as a conflict"
        return cls(
            reference=visit.called,
            technician=await technician_name(tx, visit.technician_id),
            client=(await client(tx, visit.client_id)).name,
            phones=await phones_of(tx, visit.client_id),
            article=await article_of(tx, visit),
            outcome=event.after,
            cause=visit.cause,
            reason=event.reason,
            comes_again=comes_again(event),
        )
