"""Réclamations and the clients who open them."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from sav_contracts.actor import Role
from sav_contracts.address import Address
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.product import Coverage, Warranty
from sav_contracts.files import Image, StoredFile
from sav_contracts.messages import (
    Command,
    Event,
    Line,
    Message,
    Personal,
    PersonId,
    Prose,
    Reason,
    Scope,
    View,
)

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
Priority = Literal["critical", "high", "normal", "low"]
Resolution = Literal["repaired", "advice", "no_repair", "estimate_refused"]
MAX_PHOTOS = 20


class Slot(Message):
    """A window of time for a visit, with its zone offset; from `start` until `end`."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Slot":
        if self.end <= self.start:
            raise ValueError("a slot ends after it starts")
        return self


def _still_to_come(slot: Slot) -> Slot:
    if slot.start <= datetime.now(slot.start.tzinfo):
        raise ValueError("a visit is planned in the future")
    return slot


class Safety(Message):
    """What the client answered to the safety questions."""

    gas_smell: bool = False
    co_alarm: bool = False
    flooding: bool = False

    def endangers(self) -> bool:
        return self.gas_smell or self.co_alarm or self.flooding


class ClientView(View):
    """A client's profile: contact data, owned by claims (the sign-in address is the account's).

    `email` is empty where nobody knows one.
    """

    scope: ClassVar[Scope] = Scope.ROOT

    client_id: PersonId
    name: Personal[str]
    email: Personal[str]
    locale: Locale
    phones: Personal[tuple[str, ...]] = ()
    addresses: tuple[Address, ...] = ()


class ReclamationForClient(View):
    """A réclamation as its client sees it."""

    scope: ClassVar[Scope] = Scope.ROOT

    reference: str
    client_id: PersonId
    technician_id: PersonId | None
    article: str
    problem_type: ProblemType
    description: Personal[str]
    safety: Safety
    status: ReclamationStatus
    coverage: Coverage
    product_id: UUID | None = None
    # None until it is qualified: only then it is decided who pays.
    warranty: Warranty | None = None
    resolution: Resolution | None = None


class ReclamationView(ReclamationForClient):
    """A réclamation as staff see it."""

    priority: Priority
    priority_reason: str
    # How often it was assigned: a visit belongs to one assignment.
    assignment: int = 0

    def for_client(self) -> ReclamationForClient:
        warranty = self.warranty.for_client() if self.warranty else None
        return self.part(ReclamationForClient).model_copy(update={"warranty": warranty})

    def is_open(self) -> bool:
        return self.status not in {"closed", "cancelled", "rejected", "merged"}

    def roots(self) -> frozenset[UUID]:
        return frozenset({self.id} | ({self.product_id} if self.product_id else set()))


class PhotoView(View):
    """A photo of the problem, or of the work, shown with its réclamation."""

    scope: ClassVar[Scope] = Scope.CHILD

    reclamation_id: UUID
    file: StoredFile
    by: Role

    @property
    def parent(self) -> UUID:
        return self.reclamation_id


class OpenReclamation(Command[ReclamationView]):
    """Report a fault of a registered product, or of an article in words.

    A client opens for themselves; a manager or admin names the client.
    """

    client_id: PersonId | None = None
    product_id: UUID | None = None
    article: Line | None = None
    problem_type: ProblemType
    description: Personal[Prose]
    safety: Safety = Safety()

    @model_validator(mode="after")
    def _says_what_is_broken(self) -> "OpenReclamation":
        if self.product_id is None and self.article is None:
            raise ValueError("product_id or article: say what is broken")
        return self


class Photos(Message):
    """Photos as they were added."""

    items: list[PhotoView]


class AddPhotos(Command[Photos]):
    """Add photos to a réclamation, up to 20 in all."""

    reclamation_id: UUID
    photos: Annotated[list[Image], Field(min_length=1, max_length=6)]


class QualifyReclamation(Command[ReclamationView]):
    """Decide priority and coverage; again while it is under way, with a reason.

    Where no coverage is given, the warranty of the product decides; another answer than its own needs a reason.
    A manager's `partly` means that parts are paid and work is not; a visit's warranty may be decided more finely.
    """

    reclamation_id: UUID
    priority: Priority
    coverage: Coverage | None = None
    reason: Reason | None = None


class AssignTechnician(Command[ReclamationView]):
    """Give a qualified réclamation to a technician, or an assigned one to another."""

    reclamation_id: UUID
    technician_id: PersonId
    slot: Annotated[Slot, AfterValidator(_still_to_come)] | None = None


class MoveReclamation(Command[ReclamationView]):
    """Close what is resolved: the client accepts, or a manager does."""

    reclamation_id: UUID
    to: Literal["closed"]
    reason: Reason | None = None


class ClientCreated(Event):
    """A client profile exists; it followed the account."""

    state: ClientView


class ClientChanged(Event):
    """What a client's profile says is shown anew."""

    tells: ClassVar[bool] = False

    state: ClientView


class ReclamationCreated(Event):
    """A fault was reported."""

    client_sees: ClassVar[bool] = True

    state: ReclamationView


class ReclamationQualified(Event):
    """Priority and coverage were decided."""

    state: ReclamationView
    coverage: Coverage
    priority: Priority | None
    reason: str | None = None

    def for_client(self) -> "ReclamationQualified":
        return self.model_copy(update={"priority": None, "reason": None})


class ReclamationChanged(Event):
    """What a warranty pays was decided again, or its visit is another one."""

    tells: ClassVar[bool] = False

    state: ReclamationView


class TechnicianAssigned(Event):
    """The réclamation has a (new) technician; the open visit of the previous one, if any, moves."""

    client_sees: ClassVar[bool] = True

    state: ReclamationView
    technician_id: PersonId
    previous_technician_id: PersonId | None = None
    slot: Slot | None = None


class TechnicianUnassigned(Event):
    """The réclamation waits for a technician again; why stands on the visit, for managers."""

    state: ReclamationView
    technician_id: PersonId


class ReclamationMoved(Event):
    """The réclamation changed state with no event of its own name."""

    client_sees: ClassVar[bool] = True

    state: ReclamationView
    before: ReclamationStatus
    after: ReclamationStatus
    reason: str | None = None

    def for_client(self) -> "ReclamationMoved":
        # What was told as the reason is for staff.
        return self.model_copy(update={"reason": None})


class ReclamationClosed(Event):
    """The réclamation is over: accepted by its client, closed by a manager, or after a while."""

    client_sees: ClassVar[bool] = True

    state: ReclamationView
    reason: str | None = None

    def for_client(self) -> "ReclamationClosed":
        # What a manager gave as reason is for staff.
        return self.model_copy(update={"reason": None})


class PhotoAdded(Event):
    """There is a new photo."""

    client_sees: ClassVar[bool] = True

    state: PhotoView


class PhotoChanged(Event):
    """What is known of a photo is shown anew."""

    tells: ClassVar[bool] = False

    state: PhotoView
