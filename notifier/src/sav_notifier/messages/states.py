"""Messages to clients and managers about the states of réclamations."""

from typing import Self
from uuid import UUID

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.actor import Role
from sav_contracts.claims.reclamation import (
    ReclamationMoved,
    ReclamationReopened,
    ReclamationView,
    TechnicianAssigned,
)
from sav_contracts.interventions.visit import (
    AssignmentRefused,
    EndingRefused,
)
from sav_notifier.message import Internal, Message, message
from sav_notifier.messages.parts import Piece, released
from sav_notifier.messages.reclamations import WhoComes
from sav_notifier.messages.visits import SETTLES
from sav_notifier.model import Notification
from sav_notifier.recipients import client, its_client, managers, technician_name
from sav_notifier.relevance import NOBODY_YET

ADDED = "2026-11-29"
# What tells a client that it is over. The last one is what they believe.
ENDINGS = {
    "reclamation_cancelled",
    "reclamation_rejected",
    "reclamation_merged",
    "reclamation_resolved",
    "reclamation_closed",
}


def by_its_client(tx: Tx) -> bool:
    """Whether the client themselves did what the event tells."""
    return tx.context.actor_role is Role.CLIENT


@message(
    "reclamation_question",
    on={ReclamationMoved: "tell_of_state"},
    since=ADDED,
    to=its_client,
    category="reclamation",
)
class Question(Message):
    """The client is asked something that the réclamation waits for."""

    reference: str
    article: str
    question: str

    @classmethod
    async def about(cls, event: ReclamationMoved, tx: Tx) -> Self | str:
        if event.question is None:
            return "nothing is asked"
        return cls(reference=event.state.reference, article=event.state.article, question=event.question)

    def true_while(self, record: ReclamationView) -> bool:
        return record.status == "awaiting_client" and record.question == self.question


@message(
    "reclamation_rejected",
    on={ReclamationMoved: "tell_of_state"},
    since=ADDED,
    to=its_client,
    category="reclamation",
    settles=SETTLES,
)
class Rejected(Message):
    """The client learns that the réclamation is not taken up, and why."""

    reference: str
    article: str
    reason: str

    @classmethod
    async def about(cls, event: ReclamationMoved, tx: Tx) -> Self | str:
        if event.after != "rejected" or event.reason is None:
            return "it is not rejected"
        return cls(reference=event.state.reference, article=event.state.article, reason=event.reason)

    def true_while(self, record: ReclamationView) -> bool:
        return record.status == "rejected"


@message(
    "reclamation_cancelled",
    on={ReclamationMoved: "tell_of_state"},
    since=ADDED,
    to=its_client,
    category="reclamation",
    settles=SETTLES,
)
class Cancelled(Message):
    """The client learns that the réclamation is cancelled, or that their own cancellation arrived."""

    reference: str
    article: str
    by_client: bool
    reason: str | None

    @classmethod
    async def about(cls, event: ReclamationMoved, tx: Tx) -> Self | str:
        if event.after != "cancelled":
            return "it is not cancelled"
        state = event.state
        return cls(
            reference=state.reference,
            article=state.article,
            by_client=by_its_client(tx),
            reason=event.reason,
        )

    def true_while(self, record: ReclamationView) -> bool:
        return record.status == "cancelled"


@message(
    "reclamation_merged",
    on={ReclamationMoved: "tell_of_state"},
    since=ADDED,
    to=its_client,
    category="reclamation",
    settles=SETTLES,
)
class Merged(Message):
    """The client learns which réclamation goes on instead of this one."""

    reference: str
    article: str
    target: str

    @classmethod
    async def about(cls, event: ReclamationMoved, tx: Tx) -> Self | str:
        if event.target_reference is None:
            return "it is not merged"
        state = event.state
        return cls(reference=state.reference, article=state.article, target=event.target_reference)

    def true_while(self, record: ReclamationView) -> bool:
        return record.status == "merged"


@message(
    "reclamation_reopened",
    on={ReclamationReopened: "tell_of_reopening"},
    since=ADDED,
    to=its_client,
    category="reclamation",
)
class Reopened(Message):
    """The client learns that the réclamation is taken up again; who comes is told anew."""

    reference: str
    article: str
    by_client: bool

    @classmethod
    async def about(cls, event: ReclamationReopened, tx: Tx) -> Self:
        state = event.state
        return cls(reference=state.reference, article=state.article, by_client=by_its_client(tx))

    def true_while(self, record: ReclamationView) -> bool:
        return record.is_open()

    def says(self, about: UUID) -> dict[str, str]:
        return {"technician": NOBODY_YET, "reopened": "yes"}


@message(
    "technician_changed",
    on={TechnicianAssigned: "introduce_technician"},
    to=its_client,
    category="assignment",
    settles=SETTLES,
)
class AnotherTechnician(WhoComes):
    """The client learns that somebody else comes, once it is certain that the former technician is not there yet.

    Where the confirmation of an appointment with them says so meanwhile, with its time, that is enough.
    """

    @classmethod
    async def about(cls, event: TechnicianAssigned, tx: Tx) -> Self | str:
        return await cls.of(event, tx) if event.previous_technician_id else "nobody had it before"


class ByClient(Message):
    """What a client did that managers have to know."""

    reference: str
    article: str
    client: str
    reason: str | None

    @classmethod
    async def of(cls, event: ReclamationMoved | ReclamationReopened, tx: Tx) -> Self:
        state = event.state
        return cls(
            reference=state.reference,
            article=state.article,
            client=(await client(tx, state.client_id)).name,
            reason=event.reason,
        )


@message(
    "cancelled_by_client",
    on={ReclamationMoved: "tell_of_state"},
    since=ADDED,
    to=managers,
    category="reclamation",
    settles=SETTLES,
)
class CancelledByClient(ByClient):
    """Managers learn that a client cancelled, and which parts are no longer needed."""

    parts: tuple[Piece, ...] = ()

    @classmethod
    async def about(cls, event: ReclamationMoved, tx: Tx) -> Self | str:
        if event.after != "cancelled" or not by_its_client(tx):
            return "no client cancelled it"
        told = await cls.of(event, tx)
        return told.model_copy(update={"parts": tuple(released(event.state.parts))})

    def true_while(self, record: ReclamationView) -> bool:
        return record.status == "cancelled"


@message(
    "reopened_by_client",
    on={ReclamationReopened: "tell_of_reopening"},
    since=ADDED,
    to=managers,
    category="alert",
)
class ReopenedByClient(ByClient):
    """Managers learn that a fault is still there."""

    @classmethod
    async def about(cls, event: ReclamationReopened, tx: Tx) -> Self | str:
        return await cls.of(event, tx) if by_its_client(tx) else "a manager did it"

    def true_while(self, record: ReclamationView) -> bool:
        return record.status == "reopened"


@message(
    "assignment_refused",
    on={AssignmentRefused: "tell_of_refused_assignment"},
    since=ADDED,
    to=managers,
    category="alert",
)
class AssignmentUndone(Message):
    """Managers learn that a réclamation stays with who is on site already."""

    reference: str
    technician: str
    refused: str

    @classmethod
    async def about(cls, event: AssignmentRefused, tx: Tx) -> Self:
        visit = event.state
        return cls(
            reference=visit.called,
            technician=await technician_name(tx, visit.technician_id),
            refused=await technician_name(tx, event.refused_technician_id),
        )


@message(
    "ending_refused",
    on={EndingRefused: "tell_of_refused_ending"},
    since=ADDED,
    to=managers,
    category="alert",
)
class EndingUndone(Message):
    """Managers learn that a réclamation goes on, since its technician was on site already."""

    reference: str
    technician: str

    @classmethod
    async def about(cls, event: EndingRefused, tx: Tx) -> Self:
        visit = event.state
        name = await technician_name(tx, visit.technician_id)
        return cls(reference=visit.called, technician=name)


@message(
    "reclamation_goes_on",
    on={EndingRefused: "tell_of_refused_ending"},
    since=ADDED,
    to=its_client,
    category="reclamation",
    settles=SETTLES,
)
class GoesOn(Message):
    """The client who was told that it is over learns that it goes on."""

    reference: str
    technician: str
    client_id: Internal[UUID]
    reclamation_id: Internal[UUID]

    @classmethod
    async def about(cls, event: EndingRefused, tx: Tx) -> Self | str:
        visit = event.state
        if event.refused == "qualified" or visit.reclamation_id is None:
            return "the client was not told that somebody else would come"
        return cls(
            reference=visit.called,
            technician=await technician_name(tx, visit.technician_id),
            client_id=visit.client_id,
            reclamation_id=visit.reclamation_id,
        )

    async def why_over(self, tx: Tx) -> str | None:
        last = await tx.session.scalar(
            select(Notification.template)
            .where(Notification.user_id == self.client_id, Notification.about_id == self.reclamation_id)
            .where(Notification.template.in_({*ENDINGS, "reclamation_reopened"}))
            .where(Notification.sent_at.is_not(None))
            .order_by(Notification.event_id.desc())
            .limit(1)
        )
        return None if last in ENDINGS else "overtaken: they were never told that it was over"
