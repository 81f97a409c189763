"""Réclamations: what a client reports, and how it ends."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.catalog.product import Place, PlaceGiven
from sav_contracts.catalog.warranty import Coverage, Warranty
from sav_contracts.claims.intake import Channel, Duplicate, PreferredTime, PreferredTimes
from sav_contracts.claims.safety import Danger, Instructions
from sav_contracts.interventions.technician import Skill
from sav_contracts.messages import (
    Changed,
    Command,
    ComparedAs,
    Event,
    Line,
    Message,
    Personal,
    PersonId,
    Prose,
    Reason,
    Reference,
    View,
)
from sav_contracts.parts import Part, PartForClient
from sav_contracts.slot import Slot, WantedSlot
from sav_contracts.visibility import Own, Visible
from sav_contracts.wrong_value import WrongValue

ReclamationStatus = Literal[
    "submitted",
    "qualified",
    "awaiting_client",
    "assigned",
    "in_progress",
    "awaiting_parts",
    "resolved",
    "closed",
    "reopened",
    "cancelled",
    "rejected",
    "merged",
]

ProblemType = Literal[
    "leak", "no_heating", "no_hot_water", "low_pressure", "electrical", "noise", "breakage", "other"
]

# Where it is over, unless it is reopened.
OVER: tuple[ReclamationStatus, ...] = ("closed", "cancelled", "rejected", "merged")

Priority = Literal["critical", "high", "normal", "low"]

Resolution = Literal["repaired", "advice", "no_repair", "estimate_refused", "replaced", "refunded", "other"]

# The states that a command asks for; `assigned` needs a technician, so it has a command of its own.
ReclamationMove = Literal[
    "submitted",
    "qualified",
    "awaiting_client",
    "in_progress",
    "awaiting_parts",
    "resolved",
    "closed",
    "reopened",
    "cancelled",
    "rejected",
    "merged",
]


class Safety(Message):
    """The client's answers to the safety questions."""

    gas_smell: bool = False
    co_alarm: bool = False
    flooding: bool = False

    def endangers(self) -> bool:
        return self.gas_smell or self.co_alarm or self.flooding

    def with_all_of(self, other: "Safety") -> "Safety":
        """The dangers that either answer reports."""
        return Safety(
            gas_smell=self.gas_smell or other.gas_smell,
            co_alarm=self.co_alarm or other.co_alarm,
            flooding=self.flooding or other.flooding,
        )

    def dangers(self) -> tuple[Danger, ...]:
        """Those that were reported."""
        every: tuple[Danger, ...] = ("gas_smell", "co_alarm", "flooding")
        return tuple(danger for danger in every if getattr(self, danger))


class ReclamationForClient(View):
    """A réclamation as its client sees it."""

    visible: ClassVar[Visible] = Visible(client=Own("client_id"), technician=Own("technician_id"))

    reference: Annotated[str, ComparedAs(Reference)] = Field(examples=["REC-2026-000001"])
    client_id: PersonId
    technician_id: PersonId | None
    article: str = Field(examples=["Chaudière murale Lumea 24"])
    problem_type: ProblemType = Field(examples=["no_heating"])
    description: Personal[str] = Field(
        examples=["La chaudière ne démarre plus, les radiateurs restent froids."]
    )
    safety: Safety
    status: ReclamationStatus
    coverage: Coverage
    product_id: UUID | None = None
    # None until it is qualified, when it is decided who pays.
    warranty: Warranty | None = None
    resolution: Resolution | None = None
    # When it was resolved, and closed, last.
    resolved_at: datetime | None = Field(default=None, examples=["2026-03-06T08:30:00Z"])
    closed_at: datetime | None = Field(default=None, examples=["2026-03-13T08:30:00Z"])
    # What the client is asked while it is awaiting them.
    question: str | None = Field(default=None, examples=["Quel code d’erreur l’écran affiche-t-il ?"])
    # The réclamation about the same fault that goes on instead of this one.
    merged_into_id: UUID | None = None
    parts: tuple[PartForClient, ...] = ()
    # Where the visit is to be: the product's place when it was opened, or the one that was given. None in old ones.
    place: Place | None = None
    preferred_times: tuple[PreferredTime, ...] = ()
    # What to do at once, where a danger was reported.
    instructions: tuple[Instructions, ...] = ()
    # Open réclamations of the same client about the same product, at the time it was opened.
    possible_duplicates: tuple[Duplicate, ...] = ()
    # When it was closed, cancelled, rejected or merged.
    ended_at: datetime | None = None


class ReclamationView(ReclamationForClient):
    """A réclamation as staff see it."""

    over_in: ClassVar[frozenset[str]] = frozenset(OVER)

    priority: Priority = Field(examples=["high"])
    priority_reason: str = Field(examples=["no_heating"])
    # How often it was assigned. A visit belongs to one assignment.
    assignment: int = 0
    # Why somebody moved it last.
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])
    # Where it goes back to once the client has answered.
    before_waiting: ReclamationStatus | None = None
    # The last visit before it was reopened, or of the réclamation that it repeats.
    earlier_visit_id: UUID | None = None
    # Whether its technician has left: a manager gives it to another.
    needs_technician: bool = False
    # What its technician has to be able to do, as its product asks. Nothing where it is described in words.
    skills_needed: tuple[Skill, ...] = ()
    parts: tuple[Part, ...] = ()
    # How often parts were listed, and which of these lists was validated last.
    parts_edition: int = 0
    parts_validated: int = 0
    # How it came, and who typed it in. None in old ones.
    channel: Channel | None = Field(default=None, examples=["phone"])
    opened_by: PersonId | None = None
    # Safety questions of its type of problem that nobody answered; they count as answered with no.
    unanswered: tuple[Danger, ...] = ()
    # The last réclamation about the same product, where that was resolved shortly before.
    repeat_of: UUID | None = None
    # When the fault was reported first; the legal days count from there.
    requested_at: datetime | None = None
    # When somebody has to respond and to resolve it; None while the client is awaited.
    respond_by: datetime | None = None
    resolve_by: datetime | None = None
    responded_at: datetime | None = None
    # Whether it was resolved in time; None until it is resolved.
    resolve_met: bool | None = None
    # Minutes of working time for which the client was awaited, without the time since they are awaited again.
    paused_total: int = 0
    # The last day on which the law lets us repair a covered fault of a consumer.
    legal_due: date | None = Field(default=None, examples=["2026-04-01"])
    respond_breached: bool = False
    resolve_breached: bool = False
    legal_breached: bool = False
    # Whether one of them is late and still runs; and when the first of those that run is due, or was.
    overdue: bool = False
    due_at: datetime | None = None

    def for_client(self) -> ReclamationForClient:
        warranty = self.warranty.for_client() if self.warranty else None
        parts = tuple(part.for_client() for part in self.parts)
        return self.narrowed_to(ReclamationForClient).model_copy(
            update={"warranty": warranty, "parts": parts}
        )

    def is_open(self) -> bool:
        return self.status not in self.over_in

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset({self.id, self.product_id or self.id, self.merged_into_id or self.id})


class NothingBroken(WrongValue):
    code = "nothing_broken"
    en = "product_id or article: say what is broken"
    fr = "product_id ou article : indiquez ce qui est en panne"


class BrokenTwice(WrongValue):
    code = "broken_twice"
    en = "product_id, article: give one of them, not both"
    fr = "product_id, article : indiquez l’un des deux, pas les deux"


class PlaceKnown(WrongValue):
    code = "place_known"
    en = "place, product_id: a registered product has its place, which is changed there"
    fr = "place, product_id : un produit enregistré a déjà son adresse, qui se modifie sur sa fiche"


class OpenReclamation(Command[ReclamationView]):
    """Report a fault of a registered product, or of an article described in words: one of them.

    A client reports their own, by the site; a manager or admin names the client, and how they reported it (`channel`,
    by default by phone). An article in words needs a `place`; without one, the only address of the client's profile is
    taken. `GET /problem-types` says which types a family of articles has and which safety questions are asked then: an
    answer that is not given counts as no, and staff see that it was not given.
    """

    client_id: PersonId | None = None
    product_id: UUID | None = None
    article: Line | None = Field(default=None, examples=[None])
    place: PlaceGiven | None = Field(default=None, examples=[None])
    problem_type: ProblemType
    description: Personal[Prose] = Field(
        examples=["La chaudière ne démarre plus, les radiateurs restent froids."]
    )
    safety: Safety = Safety()
    channel: Channel | None = None
    preferred_times: PreferredTimes = ()

    @model_validator(mode="after")
    def _says_what_is_broken(self) -> "OpenReclamation":
        if self.product_id is None and self.article is None:
            raise NothingBroken().error()
        if self.product_id is not None and self.article is not None:
            raise BrokenTwice().error()
        if self.product_id is not None and self.place is not None:
            raise PlaceKnown().error()
        return self


class PhotosAdded(Event[ReclamationView]):
    """A client added photos to a réclamation that staff look at, or that waited for the client. One for each request.

    `answers` says that the réclamation had waited for them.
    """

    makes_timeline_line: ClassVar[bool] = False

    number: int = Field(examples=[2])
    answers: bool = False


class QualifyReclamation(Command[ReclamationView]):
    """Decide priority and coverage. Deciding again, while work goes on, needs a reason.

    Without `coverage`, the product's warranty decides. A different coverage needs a reason, which the client reads. A manager's `partly` means
    that parts are paid and work is not; the warranty of a visit may be decided in more detail. `product_id` names the
    client's product that is broken. A priority below `critical` needs a reason where danger was reported.
    """

    reclamation_id: UUID
    priority: Priority
    coverage: Coverage | None = None
    product_id: UUID | None = None
    reason: Reason | None = None


class AssignTechnician(Command[ReclamationView]):
    """Give a qualified réclamation to a technician, or an assigned one to another.

    The visit is booked at `slot`, within a year, where the technician is free. A slot that does not fit becomes a
    conflict. So does one outside their working hours, unless `outside_hours` allows it.
    """

    reclamation_id: UUID
    technician_id: PersonId
    slot: WantedSlot | None = None
    outside_hours: bool = False


class MoveReclamation(Command[ReclamationView]):
    """Bring a réclamation to its next state, as far as the state table and the caller's role allow.

    A client cancels, closes (accepts) or reopens their own; a technician starts work or waits for parts; a manager
    does the rest. `reason` is needed to cancel, reject, merge, reopen, or take it from its technician (`qualified`);
    the client reads it where it is cancelled or rejected. `awaiting_client` needs the `question` that the client
    reads, and where no e-mail address of theirs is known somebody who asks them `by_phone`; `resolved` a `resolution`, `merged` the réclamation of the same client that goes on (`target_id`).
    """

    reclamation_id: UUID
    to: ReclamationMove
    reason: Reason | None = None
    question: Reason | None = Field(default=None, examples=["Quel code d’erreur l’écran affiche-t-il ?"])
    # Whether somebody asks the client by telephone, since no mail reaches them.
    by_phone: bool = False
    resolution: Resolution | None = None
    target_id: UUID | None = None


class ReclamationCreated(Event[ReclamationView]):
    """A fault was reported."""

    client_sees: ClassVar[bool] = True


class ReclamationQualified(Event[ReclamationView]):
    """Priority and coverage were decided."""

    coverage: Coverage
    priority: Priority | None = Field(examples=["high"])
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])
    # What it was about until then, where another product was named.
    previous_product_id: UUID | None = None

    def for_client(self) -> "ReclamationQualified":
        return self.model_copy(update={"priority": None, "reason": None})


ReclamationChanged = Changed[ReclamationView]


class TechnicianAssigned(Event[ReclamationView]):
    """The réclamation has a (new) technician. An open visit of the previous one is cancelled unless already on site."""

    client_sees: ClassVar[bool] = True

    technician_id: PersonId
    previous_technician_id: PersonId | None = None
    slot: Slot | None = None
    # Whether it was planned outside working hours on purpose.
    outside_hours: bool = False


class TechnicianUnassigned(Event[ReclamationView]):
    """The réclamation waits for a technician again. Where a visit was declined, the reason is on that."""

    technician_id: PersonId
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])


class ReclamationMoved(Event[ReclamationView]):
    """The réclamation changed state in a way that has no event of its own."""

    client_sees: ClassVar[bool] = True

    before: ReclamationStatus
    after: ReclamationStatus
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])
    # What the client is asked.
    question: str | None = Field(default=None, examples=["Quel code d’erreur l’écran affiche-t-il ?"])
    # The réclamation into which it was merged.
    target_reference: str | None = Field(default=None, examples=["REC-2026-000002"])
    resolution: Resolution | None = None

    def for_client(self) -> "ReclamationMoved":
        # Other reasons are for staff.
        read = self.after in {"cancelled", "rejected"}
        return self.model_copy(update={"reason": self.reason if read else None})


class ReclamationClosed(Event[ReclamationView]):
    """The réclamation is over: its client accepted, a manager closed it, or nobody answered for some days."""

    client_sees: ClassVar[bool] = True

    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])

    def for_client(self) -> "ReclamationClosed":
        # The reason that a manager gave is for staff.
        return self.model_copy(update={"reason": None})


class ReclamationReopened(Event[ReclamationView]):
    """The réclamation is open again: its client says that the fault is still there, or a manager found out."""

    client_sees: ClassVar[bool] = True

    before: ReclamationStatus
    reason: str | None = Field(default=None, examples=["La chaudière s’est de nouveau arrêtée ce matin."])
    # The visit that did not help.
    earlier_visit_id: UUID | None = None

    def for_client(self) -> "ReclamationReopened":
        # The reason that a manager gave is for staff.
        return self.model_copy(update={"reason": None})
