"""Réclamations and the clients who open them."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, model_validator

from sav_contracts.auth import Locale
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
Coverage = Literal["covered", "partly", "not_covered", "unknown"]


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
    """A client's profile: contact data, owned by claims (the sign-in address is the account's)."""

    scope: ClassVar[Scope] = Scope.ROOT

    client_id: PersonId
    name: Personal[str]
    email: Personal[str]
    locale: Locale


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


class ReclamationView(ReclamationForClient):
    """A réclamation as staff see it."""

    priority: Priority
    priority_reason: str
    # How often it was assigned: a visit belongs to one assignment.
    assignment: int = 0

    def for_client(self) -> ReclamationForClient:
        return self.part(ReclamationForClient)

    def is_open(self) -> bool:
        return self.status not in {"closed", "cancelled", "rejected", "merged"}


class OpenReclamation(Command[ReclamationView]):
    """Report a fault. A client opens for themselves; a manager or admin names the client."""

    client_id: PersonId | None = None
    article: Line
    problem_type: ProblemType
    description: Personal[Prose]
    safety: Safety = Safety()


class QualifyReclamation(Command[ReclamationView]):
    """Decide priority and, where it is known, coverage; again while it is under way, with a reason."""

    reclamation_id: UUID
    priority: Priority
    coverage: Coverage | None = None
    reason: Reason | None = None


class AssignTechnician(Command[ReclamationView]):
    """Give a qualified réclamation to a technician, or an assigned one to another."""

    reclamation_id: UUID
    technician_id: PersonId
    slot: Annotated[Slot, AfterValidator(_still_to_come)] | None = None


class ClientCreated(Event):
    """A client profile exists; it followed the account."""

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
