"""Messages to clients, managers and admins about réclamations."""

from datetime import datetime
from typing import Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.auth.policy import CutOffs
from sav_contracts.catalog.product import Place
from sav_contracts.catalog.warranty import Coverage, Warranty
from sav_contracts.claims.intake import Channel, PreferredTime
from sav_contracts.claims.reclamation import (
    PhotosAdded,
    ProblemType,
    ReclamationClosed,
    ReclamationCreated,
    ReclamationMoved,
    ReclamationQualified,
    ReclamationView,
    Resolution,
    Safety,
    TechnicianAssigned,
)
from sav_contracts.claims.safety import Danger
from sav_contracts.notifier import Category
from sav_contracts.reporting import FeedbackGiven, FeedbackInvited, FeedbackView
from sav_notifier.cases import case_of
from sav_notifier.message import Internal, Message, message
from sav_notifier.recipients import (
    Recipient,
    client,
    its_client,
    managers,
    managers_and_admins,
    phones_of,
    technician_name,
)
from sav_notifier.relevance import knowledge
from sav_notifier.zones import HERE, zone_of

LOW_RATING = 2


def signs(safety: Safety) -> list[str]:
    """The dangers that were reported, by name."""
    return [name for name, reported in safety.model_dump().items() if reported]


@message(
    "reclamation_received",
    on={ReclamationCreated: "confirm_reclamation"},
    to=its_client,
    category="reclamation",
)
class ReclamationReceived(Message):
    """The client gets the reference and, where there is danger, what to do immediately."""

    reference: str
    article: str
    signs: list[str]
    # Whose numbers to call. The value in rows from before this field existed.
    country: str = "FR"

    @classmethod
    async def about(cls, event: ReclamationCreated, tx: Tx) -> Self:
        state = event.state
        return cls(
            reference=state.reference,
            article=state.article,
            signs=signs(state.safety),
            country=state.place.country if state.place else "FR",
        )


def is_urgent(event: ReclamationCreated) -> bool:
    return event.state.priority == "critical"


async def whoever_acts(event: ReclamationCreated, tx: Tx) -> list[Recipient]:
    return await (managers_and_admins if is_urgent(event) else managers)(event, tx)


@message(
    "reclamation_new",
    on={ReclamationCreated: "confirm_reclamation"},
    to=whoever_acts,
    category="reclamation",
)
class NewReclamation(Message):
    """Managers learn of a new réclamation; where it is urgent, admins do too."""

    reference: str
    article: str
    signs: list[str]
    urgent: bool
    client: str
    problem_type: ProblemType
    description: str
    phones: tuple[str, ...] = ()
    place: Place | None = None
    channel: Channel | None = None
    preferred: tuple[PreferredTime, ...] = ()
    unanswered: tuple[Danger, ...] = ()
    duplicates: tuple[str, ...] = ()
    repeats: str | None = None
    # Whether the client reads the safety instructions: on the site, where they reported it, or by mail.
    instructed: bool = True

    @classmethod
    async def about(cls, event: ReclamationCreated, tx: Tx) -> Self:
        state = event.state
        reporter = await client(tx, state.client_id)
        earlier = await tx.copies(ReclamationView).one(state.repeat_of) if state.repeat_of else None
        return cls(
            phones=await phones_of(tx, state.client_id),
            place=state.place,
            channel=state.channel,
            preferred=state.preferred_times,
            unanswered=state.unanswered,
            duplicates=tuple(each.reference for each in state.possible_duplicates),
            repeats=earlier.reference if earlier else None,
            reference=state.reference,
            article=state.article,
            signs=signs(state.safety),
            urgent=is_urgent(event),
            instructed=state.opened_by == state.client_id or not reporter.silent,
            client=reporter.name,
            problem_type=state.problem_type,
            description=state.description,
        )

    def of_category(self) -> Category:
        return "alert" if self.urgent else "reclamation"

    def true_while(self, record: ReclamationView) -> bool:
        # A danger is told whatever became of the réclamation: whoever rejected it may have been wrong.
        return bool(self.signs) or record.is_open()


@message(
    "photos_added",
    on=PhotosAdded,
    to=managers,
    category="reclamation",
)
class PhotosToLookAt(Message):
    """Managers learn that a client sent photos of what they are to decide about, or asked for."""

    reference: str
    article: str
    client: str
    number: int
    # The value in rows from before this field existed.
    answers: bool = False

    @classmethod
    async def about(cls, event: PhotosAdded, tx: Tx) -> Self:
        state = event.state
        return cls(
            reference=state.reference,
            article=state.article,
            client=(await client(tx, state.client_id)).name,
            number=event.number,
            answers=event.answers,
        )

    def true_while(self, record: ReclamationView) -> bool:
        return record.is_open()


@message(
    "reclamation_qualified",
    on={ReclamationQualified: "say_who_pays"},
    to=its_client,
    category="reclamation",
)
class WhoPays(Message):
    """The client learns that the réclamation is accepted and what warranty pays, but not of a changed priority."""

    reference: str
    article: str
    coverage: Coverage
    warranty: Warranty | None
    again: bool

    @classmethod
    async def about(cls, event: ReclamationQualified, tx: Tx) -> Self:
        state = event.state
        return cls(
            reference=state.reference,
            article=state.article,
            coverage=event.coverage,
            warranty=state.warranty,
            again="coverage" in await knowledge(tx, state.client_id, state.reference),
        )

    def says(self, about: UUID) -> dict[str, str]:
        return {"coverage": self.coverage}


class WhoComes(Message):
    """The technician who has the réclamation; the time of the visit follows."""

    reference: str
    article: str
    technician: str
    technician_id: Internal[UUID]

    @classmethod
    async def of(cls, event: TechnicianAssigned, tx: Tx) -> Self:
        state = event.state
        return cls(
            reference=state.reference,
            article=state.article,
            technician=await technician_name(tx, event.technician_id),
            technician_id=event.technician_id,
        )

    def true_while(self, record: ReclamationView) -> bool:
        return record.is_open() and record.technician_id == self.technician_id

    def says(self, about: UUID) -> dict[str, str]:
        return {"technician": str(self.technician_id)}


@message(
    "technician_assigned",
    on={TechnicianAssigned: "introduce_technician"},
    to=its_client,
    category="assignment",
)
class Introduction(WhoComes):
    """The client learns who comes. Where somebody else had it before, `AnotherTechnician` says so."""

    # True in rows from before that was a message of its own.
    another: bool = False

    @classmethod
    async def about(cls, event: TechnicianAssigned, tx: Tx) -> Self | str:
        return "somebody had it before" if event.previous_technician_id else await cls.of(event, tx)


@message(
    "reclamation_resolved",
    on={ReclamationMoved: "ask_to_check"},
    to=its_client,
    category="reclamation",
)
class DoesItWork(Message):
    """The client is asked whether it works again. Other moves are internal, or their cause has its own message."""

    reference: str
    article: str
    resolution: Resolution | None
    # The value in rows from before this field existed.
    days: int = 7

    @classmethod
    async def about(cls, event: ReclamationMoved, tx: Tx) -> Self | str:
        state = event.state
        if event.after != "resolved":
            return "not for the client"
        return cls(
            reference=state.reference,
            article=state.article,
            resolution=state.resolution,
            days=(await tx.policy(CutOffs)).closes_after_days,
        )

    def true_while(self, record: ReclamationView) -> bool:
        return record.status == "resolved"


@message(
    "reclamation_closed",
    on={ReclamationClosed: "confirm_closing"},
    to=its_client,
    category="reclamation",
)
class ReclamationIsClosed(Message):
    """The client learns that the réclamation is closed."""

    reference: str
    article: str

    @classmethod
    async def about(cls, event: ReclamationClosed, tx: Tx) -> Self:
        return cls(reference=event.state.reference, article=event.state.article)


@message(
    "feedback_invited",
    on={FeedbackInvited: "invite_feedback"},
    to=its_client,
    category="feedback",
    link="feedback",
)
class FeedbackAsked(Message):
    """The client is asked how the visit was."""

    # The feedback's own id; messages from before have none.
    grant_id: Internal[UUID | None] = None

    reference: str
    article: str
    technician: str
    open_until: datetime
    zone: str = HERE

    @classmethod
    async def about(cls, event: FeedbackInvited, tx: Tx) -> Self:
        feedback = event.state
        case = await case_of(tx, feedback.reclamation_id, feedback.intervention_id)
        return cls(
            grant_id=feedback.id,
            reference=case.reference,
            article=case.article,
            technician=await technician_name(tx, feedback.technician_id),
            open_until=feedback.open_until,
            zone=await zone_of(
                tx,
                feedback.reclamation_id,
                feedback.technician_id,
                booked=False,
                visit_id=feedback.intervention_id,
            ),
        )

    def useful_until(self) -> datetime:
        return self.open_until

    def true_while(self, record: FeedbackView) -> bool:
        return record.status == "invited"


@message(
    "feedback_low",
    on={FeedbackGiven: "report_low_feedback"},
    to=managers,
    category="feedback",
)
class LowFeedback(Message):
    """Managers learn of an unhappy client."""

    reference: str
    client: str
    technician: str
    rating: int
    comment: str | None
    contact_me: bool

    @classmethod
    async def about(cls, event: FeedbackGiven, tx: Tx) -> Self | str:
        feedback = event.state
        if feedback.rating is None or feedback.rating > LOW_RATING:
            return "no low rating"
        return cls(
            reference=(await case_of(tx, feedback.reclamation_id, feedback.intervention_id)).reference,
            client=(await client(tx, feedback.client_id)).name,
            technician=await technician_name(tx, feedback.technician_id),
            rating=feedback.rating,
            comment=feedback.comment,
            contact_me=feedback.contact_me,
        )
