"""Technicians, their visits, and what was done there."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.catalog.product import Coverage, Warranty
from sav_contracts.claims import Slot
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
from sav_contracts.money import Amount, Currency, Percent, VatClass

InterventionStatus = Literal[
    "planned",
    "accepted",
    "declined",
    "en_route",
    "on_site",
    "in_progress",
    "paused",
    "completed",
    "incomplete",
    "no_access",
    "cancelled",
]
InterventionMove = Literal[
    "accepted",
    "declined",
    "en_route",
    "on_site",
    "in_progress",
    "paused",
    "completed",
    "incomplete",
    "no_access",
    "cancelled",
]
Purpose = Literal["diagnostic", "repair", "maintenance", "install"]
# Why work stopped: for a while, or for this visit.
Cause = Literal["parts", "access", "approval", "estimate_refused", "stopped_for_safety", "other"]

OPEN_VISIT: frozenset[InterventionStatus] = frozenset(
    {"planned", "accepted", "en_route", "on_site", "in_progress", "paused"}
)


class TechnicianView(View):
    """A technician's card; no contacts."""

    scope: ClassVar[Scope] = Scope.ROOT

    technician_id: PersonId
    name: Personal[str]
    active: bool


class Labour(Message):
    """Work that was done, in minutes."""

    description: Line
    minutes: Annotated[int, Field(ge=1, le=1440)]


class PartUsed(Message):
    """An article that was built in, with its serial number where it has one."""

    article_id: UUID
    quantity: Annotated[int, Field(ge=1, le=999)]
    serial: Annotated[Line, Field(max_length=60)] | None = None


class PartPriced(PartUsed):
    """A part that was used, at the price it had when the work was recorded (excluding VAT)."""

    reference: str
    name: str
    unit_price: Amount
    vat_class: VatClass


class Work(Message):
    """What was found and done on a visit; `labour_rate` per hour and `travel_rate` per kilometre, excluding VAT."""

    solution: str
    labour: list[Labour]
    parts: list[PartPriced]
    travel_km: Decimal
    readings: dict[str, str]
    failed_serial: str | None
    replacement_serial: str | None
    labour_rate: Amount
    travel_rate: Amount
    currency: Currency

    @property
    def minutes(self) -> int:
        return sum(line.minutes for line in self.labour)


class InterventionForClient(View):
    """A visit as the client sees it: being planned, under way or over."""

    scope: ClassVar[Scope] = Scope.ROOT

    client_id: PersonId
    technician_id: PersonId
    reclamation_id: UUID
    reclamation_reference: str
    status: InterventionStatus
    slot: Slot | None
    purpose: Purpose = "repair"
    product_id: UUID | None = None
    warranty: Warranty | None = None
    # Which visit it continues, where that one could not be completed.
    follows_id: UUID | None = None
    # When the work ended.
    done_at: datetime | None = None
    # When its report was validated.
    closed_at: datetime | None = None


class InterventionView(InterventionForClient):
    """A visit as staff see it."""

    reason: str | None
    # Which assignment of the réclamation it was planned for.
    assignment: int = 0
    cause: Cause | None = None
    work: Work | None = None

    def for_client(self) -> InterventionForClient:
        plainer: dict[str, InterventionStatus] = {"accepted": "planned", "declined": "cancelled"}
        warranty = self.warranty.for_client() if self.warranty else None
        return self.part(InterventionForClient).model_copy(
            update={"status": plainer.get(self.status, self.status), "warranty": warranty}
        )

    def is_open(self) -> bool:
        return self.status in OPEN_VISIT

    def roots(self) -> frozenset[UUID]:
        return frozenset({self.id, self.reclamation_id} | ({self.product_id} if self.product_id else set()))


class MoveIntervention(Command[InterventionView]):
    """Accept, decline, be on the way, arrive, start, pause, go on, complete, or say why it could not be done."""

    intervention_id: UUID
    to: InterventionMove
    cause: Cause | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _says_why(self) -> "MoveIntervention":
        if self.to in {"paused", "incomplete"} and self.cause is None:
            raise ValueError("cause: say why the work stops")
        return self


class RecordWork(Command[InterventionView]):
    """Describe what was done on a visit under way: solution, time, parts, travel, readings; again replaces it."""

    intervention_id: UUID
    solution: Prose
    labour: Annotated[list[Labour], Field(min_length=1, max_length=20)]
    parts: Annotated[list[PartUsed], Field(max_length=40, default_factory=list)]
    travel_km: Annotated[Decimal, Field(ge=0, max_digits=6, decimal_places=1)] = Decimal(0)
    readings: Annotated[dict[Line, Line], Field(max_length=30, default_factory=dict)]
    failed_serial: Annotated[Line, Field(max_length=60)] | None = None
    replacement_serial: Annotated[Line, Field(max_length=60)] | None = None


class DecideWarranty(Command[InterventionView]):
    """Decide who pays for a visit, in percent, where it is unknown or out of goodwill."""

    intervention_id: UUID
    parts: Percent
    labour: Percent
    travel: Percent
    reason: Reason


class TechnicianChanged(Event):
    """A technician's card is new or different."""

    tells: ClassVar[bool] = False

    state: TechnicianView


class InterventionPlanned(Event):
    """A visit is planned for an assigned réclamation; it has the wanted `slot` once that is in the calendar."""

    client_sees: ClassVar[bool] = True

    state: InterventionView
    slot: Slot | None = None


class InterventionScheduled(Event):
    """The visit has a time in the calendar, or another one."""

    state: InterventionView
    slot: Slot


class InterventionChanged(Event):
    """The visit belongs to a newer assignment of the réclamation to the same technician."""

    tells: ClassVar[bool] = False

    state: InterventionView


class InterventionMoved(Event):
    """A visit changed state with no event of its own name."""

    state: InterventionView
    before: InterventionStatus
    after: InterventionStatus
    reason: str | None = None

    def for_client(self) -> "InterventionMoved | None":
        if self.after not in {"en_route", "on_site", "completed", "incomplete", "no_access", "cancelled"}:
            return None
        # What a technician told the manager is not for the client; nor is who had accepted before.
        return self.model_copy(
            update={"before": "planned" if self.before == "accepted" else self.before, "reason": None}
        )


class InterventionStarted(Event):
    """Work on site has begun."""

    client_sees: ClassVar[bool] = True

    state: InterventionView


class WorkRecorded(Event):
    """What was done on a visit is written down, or written again."""

    state: InterventionView


class WarrantyDecided(Event):
    """It was decided, by rule or by a manager, what a warranty pays of a visit; unknown asks a manager."""

    client_sees: ClassVar[bool] = True

    state: InterventionView
    decision: Coverage
    reason: str | None = None

    def for_client(self) -> "WarrantyDecided":
        return self.model_copy(update={"reason": None})


class InterventionClosed(Event):
    """The report of a visit is validated: what was done counts."""

    client_sees: ClassVar[bool] = True

    state: InterventionView
    outcome: Literal["completed", "incomplete"]
    # The visit that goes on with it, where one was planned.
    follow_up_id: UUID | None = None


class AssignmentRefused(Event):
    """The visit of the technician in `state` is already on site, so the réclamation stays with them."""

    state: InterventionView
    refused_technician_id: PersonId
