"""Visits, and the work done there."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.catalog.product import Place
from sav_contracts.catalog.warranty import Coverage, Warranty
from sav_contracts.claims.reclamation import ReclamationStatus
from sav_contracts.messages import (
    Changed,
    Command,
    Event,
    Line,
    Message,
    PersonId,
    Prose,
    Reason,
    RecordedLine,
    Serial,
    View,
)
from sav_contracts.money import Amount, Currency, Percent, VatClass, decimal_places
from sav_contracts.slot import Slot
from sav_contracts.visibility import Own, Visible
from sav_contracts.wrong_value import WrongValue

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
# Why work stopped, for a while or for this visit.
Cause = Literal["parts", "access", "approval", "estimate_refused", "stopped_for_safety", "other"]

OPEN_VISIT: frozenset[InterventionStatus] = frozenset(
    {"planned", "accepted", "en_route", "on_site", "in_progress", "paused"}
)


class Labour(Message):
    """Work in minutes, as recorded."""

    description: RecordedLine = Field(examples=["Remplacement du circulateur, purge et remise en pression"])
    minutes: Annotated[int, Field(ge=1, le=1440)] = Field(examples=[75])


class LabourGiven(Labour):
    """Work in minutes, as a technician enters it."""

    description: Line = Field(examples=["Remplacement du circulateur, purge et remise en pression"])


class PartUsed(Message):
    """A built-in article, with its serial number where it has one, as recorded."""

    article_id: UUID
    quantity: Annotated[int, Field(ge=1, le=999)]
    serial: Annotated[RecordedLine, Field(max_length=60)] | None = Field(default=None, examples=["CIR-2291"])


class PartGiven(PartUsed):
    """A built-in article, as a technician enters it."""

    serial: Serial | None = Field(default=None, examples=["CIR-2291"])


class PartPriced(PartUsed):
    """A used part, with its price when the work was recorded (excluding VAT)."""

    reference: str = Field(examples=["CIR-25-60"])
    name: str = Field(examples=["Circulateur 25-60"])
    unit_price: Amount = Field(examples=["186.40"])
    vat_class: VatClass


class Work(Message):
    """What was found and done on a visit. `labour_rate` per hour and `travel_rate` per kilometre, excluding VAT."""

    solution: str = Field(examples=["Circulateur remplacé, circuit purgé, remis en pression."])
    labour: list[Labour]
    parts: list[PartPriced]
    travel_km: Decimal = Field(examples=["12.5"])
    readings: dict[str, str] = Field(examples=[{"Pression": "1,5 bar", "Température de départ": "58 °C"}])
    failed_serial: str | None = Field(examples=["CIR-0417"])
    replacement_serial: str | None = Field(examples=["CIR-2291"])
    labour_rate: Amount = Field(examples=["58.00"])
    travel_rate: Amount = Field(examples=["0.62"])
    currency: Currency

    @property
    def minutes(self) -> int:
        return sum(line.minutes for line in self.labour)


class InterventionForClient(View):
    """A visit as the client sees it: being planned, under way or over."""

    visible: ClassVar[Visible] = Visible(client=Own("client_id"), technician=Own("technician_id"))

    client_id: PersonId
    technician_id: PersonId
    reclamation_id: UUID
    reclamation_reference: str = Field(examples=["REC-2026-000001"])
    status: InterventionStatus
    slot: Slot | None
    purpose: Purpose = "repair"
    product_id: UUID | None = None
    warranty: Warranty | None = None
    # The visit that this one continues, since that one could not be completed.
    follows_id: UUID | None = None
    # When the work ended.
    done_at: datetime | None = Field(default=None, examples=["2026-03-05T09:40:00Z"])
    # When its report was validated.
    closed_at: datetime | None = Field(default=None, examples=["2026-03-06T08:30:00Z"])
    # Where it is, as the réclamation said when it was planned. None in old ones.
    place: Place | None = None

    def interval(self) -> tuple[datetime, datetime] | None:
        return (self.slot.start, self.slot.end) if self.slot else None


class InterventionView(InterventionForClient):
    """A visit as staff see it."""

    reason: str | None = Field(examples=["Convenu au téléphone avec la cliente."])
    # The assignment of the réclamation for which it was planned.
    assignment: int = 0
    cause: Cause | None = None
    work: Work | None = None

    def for_client(self) -> InterventionForClient:
        plainer: dict[str, InterventionStatus] = {"accepted": "planned", "declined": "cancelled"}
        warranty = self.warranty.for_client() if self.warranty else None
        return self.narrowed_to(InterventionForClient).model_copy(
            update={"status": plainer.get(self.status, self.status), "warranty": warranty}
        )

    def is_open(self) -> bool:
        return self.status in OPEN_VISIT

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset({self.id, self.reclamation_id} | ({self.product_id} if self.product_id else set()))


class CauseMissing(WrongValue):
    code = "cause_missing"
    en = "cause: say why the work stops"
    fr = "cause : indiquez pourquoi le travail s’arrête"


class MoveIntervention(Command[InterventionView]):
    """Accept, decline, be on the way, arrive, start, pause, go on, complete, or say why it could not be done."""

    intervention_id: UUID
    to: InterventionMove
    cause: Cause | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _says_why(self) -> "MoveIntervention":
        if self.to in {"paused", "incomplete"} and self.cause is None:
            raise CauseMissing().error()
        return self


class RecordWork(Command[InterventionView]):
    """Record the work of a visit: solution, time, parts, travel, readings. Recording again replaces it."""

    intervention_id: UUID
    solution: Prose = Field(examples=["Circulateur remplacé, circuit purgé, remis en pression."])
    labour: Annotated[list[LabourGiven], Field(min_length=1, max_length=20)]
    parts: Annotated[list[PartGiven], Field(max_length=40, default_factory=list)]
    travel_km: Annotated[Decimal, Field(ge=0, max_digits=6, decimal_places=1), decimal_places(1)] = Field(
        default=Decimal("0.0"), examples=["12.5"]
    )
    readings: Annotated[dict[Line, Line], Field(max_length=30)] = Field(
        default_factory=dict, examples=[{"Pression": "1,5 bar", "Température de départ": "58 °C"}]
    )
    failed_serial: Serial | None = Field(default=None, examples=["CIR-0417"])
    replacement_serial: Serial | None = Field(default=None, examples=["CIR-2291"])


class DecideWarranty(Command[InterventionView]):
    """Decide what a warranty pays for a visit, in percent: where that is unknown, or out of goodwill."""

    intervention_id: UUID
    parts: Percent
    labour: Percent
    travel: Percent
    reason: Reason


class InterventionPlanned(Event[InterventionView]):
    """A visit was planned for an assigned réclamation. It gets the wanted `slot` once the calendar has booked it."""

    client_sees: ClassVar[bool] = True

    slot: Slot | None = None
    # Whether it was planned outside working hours on purpose.
    outside_hours: bool = False


class InterventionScheduled(Event[InterventionView]):
    """The visit got a time in the calendar, or another one."""

    slot: Slot


InterventionChanged = Changed[InterventionView]


class InterventionMoved(Event[InterventionView]):
    """A visit changed state in a way that has no event of its own."""

    before: InterventionStatus
    after: InterventionStatus
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])

    def for_client(self) -> "InterventionMoved | None":
        if self.after not in {"en_route", "on_site", "completed", "incomplete", "no_access", "cancelled"}:
            return None
        # A client must not read what a technician told the manager, nor that the visit was accepted before.
        return self.model_copy(
            update={"before": "planned" if self.before == "accepted" else self.before, "reason": None}
        )


class InterventionStarted(Event[InterventionView]):
    """Work on site began."""

    client_sees: ClassVar[bool] = True


class WorkRecorded(Event[InterventionView]):
    """The work of a visit was recorded, or recorded again."""


class WarrantyDecided(Event[InterventionView]):
    """A rule or a manager decided what a warranty pays for a visit. Where it is unknown, a manager must decide."""

    client_sees: ClassVar[bool] = True

    decision: Coverage
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])

    def for_client(self) -> "WarrantyDecided":
        return self.model_copy(update={"reason": None})


class InterventionClosed(Event[InterventionView]):
    """The report of a visit was validated: what was recorded counts from now on."""

    client_sees: ClassVar[bool] = True

    outcome: Literal["completed", "incomplete"]
    # The visit that continues this one, where one was planned.
    follow_up_id: UUID | None = None


class AssignmentRefused(Event[InterventionView]):
    """The réclamation stays with the technician in `state`, since they are already on site."""

    refused_technician_id: PersonId


class EndingRefused(Event[InterventionView]):
    """The réclamation was ended, or taken from its technician, who is already on site: it goes on with the visit."""

    # What the réclamation had become, and how often it had been assigned then.
    refused: ReclamationStatus
    assignment: int = 0
