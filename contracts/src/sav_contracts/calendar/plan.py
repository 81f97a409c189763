"""One plan for a disrupted day: what is proposed for all visits that do not fit, and accepted in whole or in part."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from sav_contracts.bilingual import Bilingual
from sav_contracts.calendar.conflict import (
    ConflictKind,
    ConflictStatus,
    ConflictView,
    ProposedTime,
    ResolveConflict,
)
from sav_contracts.messages import Command, Message, PersonId, Query, View
from sav_contracts.refused import Outcome
from sav_contracts.slot import Slot
from sav_contracts.times import Day

MOST_PLANNED = 100
# Seconds that one item may take.
EACH = 0.1

# Why a plan proposes nothing for a conflict: no time is free; its client chooses by a link that was sent; somebody is
# on site; its visit is still being planned; another item is about the same visit.
LeftOutWhy = Literal["no_free_time", "client_chooses", "under_way", "being_planned", "same_visit"]


class PlanItem(Message):
    """What is proposed for one visit."""

    conflict_id: UUID
    intervention_id: UUID | None
    reclamation_reference: str | None = Field(examples=["REC-2026-000001"])
    problem: ConflictKind
    # Who was to go, and when.
    technician_id: PersonId
    wanted: Slot
    proposed: ProposedTime


class LeftOut(Message):
    """A conflict that a manager decides without the plan."""

    conflict_id: UUID
    reclamation_reference: str | None = Field(examples=["REC-2026-000001"])
    why: LeftOutWhy


class Plan(Message):
    """Times for all visits of a day that do not fit: none is proposed twice, and as little as possible is moved."""

    items: list[PlanItem]
    left_out: list[LeftOut]


class ProposePlan(Query[Plan]):
    """Propose one plan for the visits of a day that do not fit: of one technician, or of all.

    The day is the one on which a visit was wanted, in its technician's zone. Times of visits stay where somebody else can
    go at that time; else they are moved by as little as possible.
    """

    of: ClassVar[type[View] | None] = ConflictView

    on: Day = Field(examples=["2026-03-05"])
    technician_id: PersonId | None = None


class PlanOutcome(Outcome):
    """What became of one item: the state of the conflict, or why it was not done."""

    conflict_id: UUID
    status: ConflictStatus | None = None


class PlanAnswer(Bilingual):
    """What became of each item, in the order in which they were sent."""

    items: list[PlanOutcome]

    def spoken(self, french: bool) -> "PlanAnswer":
        return PlanAnswer(items=[item.spoken(french) for item in self.items])


class AcceptPlan(Command[PlanAnswer]):
    """Decide about many visits that do not fit, as a plan proposes or otherwise. Each is done or refused on its own."""

    items: Annotated[tuple[ResolveConflict, ...], Field(min_length=1, max_length=MOST_PLANNED)]

    def takes(self) -> float:
        return len(self.items) * EACH
