"""Visits, and the work done there."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, get_args
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.catalog.product import Place
from sav_contracts.catalog.servicing import AirQuality
from sav_contracts.catalog.warranty import Coverage, Warranty
from sav_contracts.claims.reclamation import ReclamationStatus
from sav_contracts.interventions.position import Position
from sav_contracts.interventions.task import (
    Appliance,
    CoNotMeasured,
    MeasuredOrWhyNot,
    NothingMeasured,
    Task,
    TaskGiven,
)
from sav_contracts.interventions.technician import Skill
from sav_contracts.interventions.work import LabourGiven, PartGiven, SameSerial, SolutionMissing, Work
from sav_contracts.messages import (
    Changed,
    Command,
    ComparedAs,
    Event,
    Line,
    Message,
    PersonId,
    Reason,
    Reference,
    Serial,
    UnfinishedProse,
    View,
)
from sav_contracts.money import Percent, decimal_places
from sav_contracts.named import NAMED_ONCE
from sav_contracts.slot import Slot
from sav_contracts.times import Moment
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
Cause = Literal[
    "parts",
    "access",
    "approval",
    "estimate_refused",
    "stopped_for_safety",
    "technician_unavailable",
    "other",
]
# Why a visit had not begun when its slot ended.
LatenessCause = Literal["traffic", "previous_visit", "parts", "client", "technician", "planning", "other"]

OPEN_VISIT: frozenset[InterventionStatus] = frozenset(
    {"planned", "accepted", "en_route", "on_site", "in_progress", "paused"}
)


class MadeMove(Message):
    """A move that was made: when it happened, and when SAV heard of it."""

    to: InterventionStatus
    at: datetime = Field(examples=["2026-03-05T08:05:00Z"])
    recorded_at: datetime = Field(examples=["2026-03-05T11:40:00Z"])
    # None where SAV itself moved it, after an event.
    by_id: PersonId | None = None
    position: Position | None = None


class InterventionForClient(View):
    """A visit as the client sees it: being planned, under way or over."""

    visible: ClassVar[Visible] = Visible(client=Own("client_id"), technician=Own("technician_id"))

    client_id: PersonId
    technician_id: PersonId
    # None for a visit without a réclamation, such as maintenance (ADR 49).
    reclamation_id: UUID | None
    reclamation_reference: str | None = Field(examples=["REC-2026-000001"])
    status: InterventionStatus
    slot: Slot | None
    purpose: Purpose = "repair"
    product_id: UUID | None = None
    warranty: Warranty | None = None
    # The visit that this one continues, since that one could not be completed.
    follows_id: UUID | None = None
    # When the work ended, and when its report was validated.
    done_at: datetime | None = Field(default=None, examples=["2026-03-05T09:40:00Z"])
    closed_at: datetime | None = Field(default=None, examples=["2026-03-06T08:30:00Z"])
    # Where it is, as the réclamation said when it was planned. None in old ones.
    place: Place | None = None
    # What it and its follow-ups are called where there is no réclamation.
    reference: Annotated[str | None, ComparedAs(Reference)] = Field(
        default=None, examples=["INT-2026-000001"]
    )
    # What it is about. None in old ones of a réclamation, which says it.
    article: str | None = Field(default=None, examples=["Chaudière murale Lumea 24"])
    # Whether its slot ended before the work began, and it is still to be done.
    overdue: bool = False

    @property
    def called(self) -> str:
        """The reference that people know it by."""
        return self.reclamation_reference or self.reference or str(self.id)

    def interval(self) -> tuple[datetime, datetime] | None:
        return (self.slot.start, self.slot.end) if self.slot else None


class InterventionView(InterventionForClient):
    """A visit as staff see it."""

    over_in: ClassVar[frozenset[str]] = frozenset(get_args(InterventionStatus)) - OPEN_VISIT

    reason: str | None = Field(examples=["Convenu au téléphone avec la cliente."])
    # The assignment of the réclamation for which it was planned.
    assignment: int = 0
    cause: Cause | None = None
    work: Work | None = None
    # What is to be done, for what kind of appliance. None until that is known here, and in old ones.
    tasks: list[Task] = Field(
        default_factory=list,
        examples=[
            [
                {
                    "code": "check_flue",
                    "text": {"en": "Check the flue", "fr": "Vérifier le conduit de fumée"},
                    "done": False,
                    "reason": "Trappe du conduit condamnée.",
                }
            ]
        ],
    )
    appliance: Appliance | None = None
    # What its technician has to be able to do.
    skills_needed: tuple[Skill, ...] = ()
    # The moves that brought it here, in order. Old visits lack their first ones.
    acts: list[MadeMove] = Field(default=[])
    # Why it was late, as the first move after the end of its slot said.
    lateness_cause: LatenessCause | None = None
    # Since when its technician waits for help, and with what. Until the next move.
    help_asked_at: datetime | None = Field(default=None, examples=["2026-03-05T08:50:00Z"])
    help_asked_for: str | None = Field(
        default=None, examples=["La vanne gaz ne ferme plus, faut-il couper l'immeuble ?"]
    )

    def for_client(self) -> InterventionForClient:
        plainer: dict[str, InterventionStatus] = {"accepted": "planned", "declined": "cancelled"}
        warranty = self.warranty.for_client() if self.warranty else None
        return self.narrowed_to(InterventionForClient).model_copy(
            update={"status": plainer.get(self.status, self.status), "warranty": warranty}
        )

    def is_open(self) -> bool:
        return self.status not in self.over_in

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset(root for root in (self.id, self.reclamation_id, self.product_id) if root)


class CauseMissing(WrongValue):
    code = "cause_missing"
    field = "cause"
    en = "cause: say why the work stops"
    fr = "cause : indiquez pourquoi le travail s’arrête"


class MoveIntervention(Command[InterventionView]):
    """Accept, decline, be on the way, arrive, start, pause, go on, complete, or say why it could not be done.

    The first move of a late visit says why it is late (`lateness_cause`). To `completed`: the work is recorded, and after
    `maintenance` or `install` every task is answered; after `maintenance` of what burns something carbon monoxide is
    measured. Where 50 ppm or more were measured last, the only end is `incomplete` for the cause `stopped_for_safety`. A
    technician who moves a visit to `cancelled` declines it: it becomes `declined`.
    """

    intervention_id: UUID
    to: InterventionMove
    cause: Cause | None = Field(
        default=None,
        description="Needed for `paused` (`parts`, `access` or `approval`) and for `incomplete` (any of them; from `on_site`, "
        "before the work began, `approval`, `estimate_refused`, `stopped_for_safety` or `technician_unavailable`).",
    )
    reason: Reason | None = Field(
        default=None,
        description="In words. Needed for `declined`, `cancelled` and `no_access`, and for `en_route` long "
        "before the day of the visit (policy `cut_offs`, `sets_out_hours`).",
    )
    # When it happened, if not now.
    at: Moment | None = Field(default=None, examples=["2026-03-05T08:05:00Z"])
    position: Position | None = None
    lateness_cause: LatenessCause | None = None

    @model_validator(mode="after")
    def _says_why(self) -> "MoveIntervention":
        if self.to in {"paused", "incomplete"} and self.cause is None:
            raise CauseMissing().error()
        return self


class RecordWork(Command[InterventionView]):
    """Record the work of a visit, from its beginning until its report is signed, and again where that was sent back.

    On site, before it began, only `co_ppm` or `co_not_measured`, `readings` and `solution` are recorded. What was measured may come
    alone, and changes nothing else; otherwise recording again replaces it. A dangerous reading stays until there is another one;
    after the visit none lifts it. A report that was sent back is signed again. Managers record the work of a technician who takes no visits any more.
    """

    intervention_id: UUID
    # It may come after what was measured. A visit is only completed with it.
    solution: UnfinishedProse = Field(default="", examples=["Circulateur remplacé, circuit purgé."])
    # A visit is only completed with some; none is recorded before the work began.
    labour: Annotated[list[LabourGiven], Field(max_length=20, default_factory=list)]
    parts: Annotated[list[PartGiven], Field(max_length=40, default_factory=list)]
    travel_km: Annotated[Decimal, Field(ge=0, max_digits=6, decimal_places=1), decimal_places(1)] = Field(
        default=Decimal("0.0"), examples=["12.5"]
    )
    readings: Annotated[dict[Line, Line], Field(max_length=30), NAMED_ONCE] = Field(
        default_factory=dict, examples=[{"Pression": "1,5 bar", "Température de départ": "58 °C"}]
    )
    failed_serial: Serial | None = Field(default=None, examples=["CIR-0417"])
    replacement_serial: Serial | None = Field(default=None, examples=["CIR-2291"])
    co_ppm: Annotated[int, Field(ge=0, le=10_000)] | None = Field(
        default=None,
        examples=[3],
        description="Carbon monoxide in the room. From 10 on it is abnormal: the client is told. From 50 on it is a grave "
        "and immediate danger: the appliance stays off, client and managers are told at once, and the visit can only end "
        "as `incomplete` for `stopped_for_safety` until less is measured.",
    )
    co_measured_at: Moment | None = Field(
        default=None,
        examples=["2026-03-05T09:20:00Z"],
        description="When it was measured, if not when this is recorded: by that a reading which is sent again is the same "
        "one, and no later measurement.",
    )
    co_not_measured: CoNotMeasured | None = Field(
        default=None, description="Why it was not measured. `sealed`: it need not be."
    )
    tasks: Annotated[list[TaskGiven], Field(max_length=30, default_factory=list)] = Field(
        description="What is said of the visit's tasks; those that are not named are open. All of them are answered "
        "before a `maintenance` or an `install` is completed: done, or why not.",
    )

    @model_validator(mode="after")
    def _is_measured_or_not(self) -> "RecordWork":
        if not (self.solution or self.readings or self.co_not_measured) and self.co_ppm is None:
            raise SolutionMissing().error()
        if self.co_ppm is not None and self.co_not_measured is not None:
            raise MeasuredOrWhyNot().error()
        if self.co_ppm is None and self.co_measured_at is not None:
            raise NothingMeasured().error()
        if self.failed_serial is not None and self.failed_serial == self.replacement_serial:
            raise SameSerial().error()
        return self


class DecideWarranty(Command[InterventionView]):
    """Decide what a warranty pays for a visit, in percent: where that is unknown, or otherwise than its covers say.

    The client is told, and reads the reason. A share that a cover pays, in whole or in part, keeps this cover. Less than
    a legal guarantee pays is for a fault that it excludes, such as misuse: the seller has to prove that.
    """

    intervention_id: UUID
    parts: Percent
    labour: Percent
    travel: Percent
    reason: Reason


class InterventionPlanned(Event[InterventionView]):
    """A visit was planned. It gets the wanted `slot` once the calendar has booked it."""

    client_sees: ClassVar[bool] = True

    slot: Slot | None = None
    # Whether it was planned outside working hours on purpose.
    outside_hours: bool = False
    # Whether somebody planned it by hand: a réclamation without a technician gets this one.
    by_hand: bool = False


class InterventionScheduled(Event[InterventionView]):
    """The visit got a time in the calendar, or another one."""

    slot: Slot


InterventionChanged = Changed[InterventionView]


class InterventionMoved(Event[InterventionView]):
    """A visit changed state in a way that has no event of its own."""

    before: InterventionStatus
    after: InterventionStatus
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])
    # When that was, which may be hours before SAV heard of it. None where SAV moved it, and in old ones.
    happened_at: datetime | None = Field(default=None, examples=["2026-03-05T08:05:00Z"])

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

    # When that was, which may be hours before SAV heard of it. None in old ones.
    happened_at: datetime | None = Field(default=None, examples=["2026-03-05T08:20:00Z"])


class WorkRecorded(Event[InterventionView]):
    """The work of a visit was recorded, or recorded again."""


class CarbonMonoxideFound(Event[InterventionView]):
    """More carbon monoxide was measured in the room than is normal; from 50 ppm on the appliance stays off."""

    client_sees: ClassVar[bool] = True

    ppm: int = Field(examples=[18])
    air: AirQuality = Field(examples=["abnormal"])


class WarrantyDecided(Event[InterventionView]):
    """A rule or a manager decided what a warranty pays for a visit. Where it is unknown, a manager must decide."""

    client_sees: ClassVar[bool] = True

    decision: Coverage
    reason: str | None = Field(default=None, examples=["Convenu au téléphone avec la cliente."])
    # Whether a manager decided it for this visit, not for its réclamation.
    for_this_visit: bool = False

    def for_client(self) -> "WarrantyDecided":
        told = self.state.warranty is not None and self.state.warranty.reason_told
        return self if told else self.model_copy(update={"reason": None})


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
