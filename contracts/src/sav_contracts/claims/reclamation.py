"""Réclamations: what a client reports, and how it ends."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.catalog.warranty import Coverage, Warranty
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


Priority = Literal["critical", "high", "normal", "low"]


Resolution = Literal["repaired", "advice", "no_repair", "estimate_refused"]


class Safety(Message):
    """The client's answers to the safety questions."""

    gas_smell: bool = False
    co_alarm: bool = False
    flooding: bool = False

    def endangers(self) -> bool:
        return self.gas_smell or self.co_alarm or self.flooding


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
    parts: tuple[PartForClient, ...] = ()


class ReclamationView(ReclamationForClient):
    """A réclamation as staff see it."""

    priority: Priority = Field(examples=["high"])
    priority_reason: str = Field(examples=["no_heating"])
    # How often it was assigned. A visit belongs to one assignment.
    assignment: int = 0
    parts: tuple[Part, ...] = ()
    # How often parts were listed, and which of these lists was validated last.
    parts_edition: int = 0
    parts_validated: int = 0

    def for_client(self) -> ReclamationForClient:
        warranty = self.warranty.for_client() if self.warranty else None
        parts = tuple(part.for_client() for part in self.parts)
        return self.narrowed_to(ReclamationForClient).model_copy(
            update={"warranty": warranty, "parts": parts}
        )

    def is_open(self) -> bool:
        return self.status not in {"closed", "cancelled", "rejected", "merged"}

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset({self.id} | ({self.product_id} if self.product_id else set()))


class NothingBroken(WrongValue):
    code = "nothing_broken"
    en = "product_id or article: say what is broken"
    fr = "product_id ou article : indiquez ce qui est en panne"


class OpenReclamation(Command[ReclamationView]):
    """Report a fault of a registered product, or of an article described in words.

    A client reports their own; a manager or admin names the client.
    """

    client_id: PersonId | None = None
    product_id: UUID | None = None
    article: Line | None = Field(default=None, examples=["Chaudière murale Lumea 24"])
    problem_type: ProblemType
    description: Personal[Prose] = Field(
        examples=["La chaudière ne démarre plus, les radiateurs restent froids."]
    )
    safety: Safety = Safety()

    @model_validator(mode="after")
    def _says_what_is_broken(self) -> "OpenReclamation":
        if self.product_id is None and self.article is None:
            raise NothingBroken().error()
        return self


class QualifyReclamation(Command[ReclamationView]):
    """Decide priority and coverage. Deciding again, while work goes on, needs a reason.

    Without `coverage`, the product's warranty decides. A different coverage needs a reason. A manager's `partly` means
    that parts are paid and work is not; the warranty of a visit may be decided in more detail.
    """

    reclamation_id: UUID
    priority: Priority
    coverage: Coverage | None = None
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
    """Close a resolved réclamation: the client accepts, or a manager closes it."""

    reclamation_id: UUID
    to: Literal["closed"]
    reason: Reason | None = None


class ReclamationCreated(Event[ReclamationView]):
    """A fault was reported."""

    client_sees: ClassVar[bool] = True


class ReclamationQualified(Event[ReclamationView]):
    """Priority and coverage were decided."""

    coverage: Coverage
    priority: Priority | None = Field(examples=["high"])
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])

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
    """The réclamation waits for a technician again. The reason is on the visit, for managers."""

    technician_id: PersonId


class ReclamationMoved(Event[ReclamationView]):
    """The réclamation changed state in a way that has no event of its own."""

    client_sees: ClassVar[bool] = True

    before: ReclamationStatus
    after: ReclamationStatus
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])

    def for_client(self) -> "ReclamationMoved":
        # The reason is for staff.
        return self.model_copy(update={"reason": None})


class ReclamationClosed(Event[ReclamationView]):
    """The réclamation is over: its client accepted, a manager closed it, or nobody answered for some days."""

    client_sees: ClassVar[bool] = True

    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])

    def for_client(self) -> "ReclamationClosed":
        # The reason that a manager gave is for staff.
        return self.model_copy(update={"reason": None})
