"""Technicians who leave, visits that go on, and products that are named later."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import PRODUCT, VISIT, client, product, reclamation, technician, visit
from given_views import a

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.calendar.appointment import AppointmentMoved, AppointmentView
from sav_contracts.calendar.conflict import ConflictResolved, ConflictView
from sav_contracts.claims.reclamation import (
    AssignTechnician,
    QualifyReclamation,
    ReclamationMoved,
    ReclamationQualified,
    Safety,
    TechnicianAssigned,
)
from sav_contracts.interventions.technician import TechnicianChanged, TechnicianLeft
from sav_contracts.interventions.visit import AssignmentRefused, EndingRefused
from sav_contracts.slot import Slot

ID, OTHER = UUID(int=100), UUID(int=101)
WITH_KARIM: dict[str, Any] = {"technician_id": world.karim.id, "assignment": 1}


async def karim_is(stage: Stage, active: bool, version: int = 2) -> Outcome:
    card = technician(world.karim, active).model_copy(update={"version": version})
    await stage.knows(card)
    return await stage.hears(TechnicianChanged(state=card) if active else TechnicianLeft(state=card))


async def test_what_a_technician_who_left_had_waits_on_a_list_of_managers(stage: Stage) -> None:
    await stage.given(
        reclamation(status="assigned", **WITH_KARIM),
        reclamation(id=OTHER, reference="REC-2026-000101", status="awaiting_parts", **WITH_KARIM),
        reclamation(id=UUID(int=102), reference="REC-2026-000102", status="closed", **WITH_KARIM),
        reclamation(
            id=UUID(int=103), reference="REC-2026-000103", status="assigned", technician_id=world.sofia.id
        ),
    )
    told = await karim_is(stage, active=False)
    assert {(event.state.id, event.state.needs_technician) for event in told.events} == {
        (ID, True),
        (OTHER, True),
    }
    given = AssignTechnician(reclamation_id=ID, technician_id=world.sofia.id)
    assert not (await stage.when(given, by=world.marie)).only(TechnicianAssigned).state.needs_technician
    back = await karim_is(stage, active=True, version=3)
    assert [(event.state.id, event.state.needs_technician) for event in back.events] == [(OTHER, False)]


async def test_a_new_name_of_a_technician_changes_nothing(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", **WITH_KARIM))
    assert (await karim_is(stage, active=True)).events == []


async def test_what_a_refusal_gives_back_to_somebody_who_left_is_on_that_list(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.sofia.id, assignment=2))
    await karim_is(stage, active=False)
    on_site = visit(status="on_site", technician_id=world.karim.id, assignment=1)
    refused = AssignmentRefused(state=on_site, refused_technician_id=world.sofia.id)
    assert (await stage.hears(refused)).only(TechnicianAssigned).state.needs_technician


@pytest.mark.parametrize(
    ("visit_is", "goes_on"),
    [("on_site", "assigned"), ("in_progress", "in_progress"), ("paused", "in_progress")],
)
@pytest.mark.parametrize("status", ["cancelled", "merged", "resolved", "qualified", "closed"])
async def test_what_ended_just_as_its_technician_arrived_goes_on(
    stage: Stage, status: Any, visit_is: str, goes_on: str
) -> None:
    ended: dict[str, Any] = {"merged_into_id": OTHER} if status == "merged" else {}
    if status in ("resolved", "closed"):
        ended = {"resolution": "advice", "resolved_at": stage.now()}
    await stage.given(reclamation(status=status, **(WITH_KARIM | ended)))
    told = EndingRefused(
        state=visit(status=visit_is, technician_id=world.karim.id, assignment=1), refused=status, assignment=1
    )
    moved = (await stage.hears(told)).only(ReclamationMoved)
    assert (moved.before, moved.after, moved.state.technician_id) == (status, goes_on, world.karim.id)
    assert (moved.state.resolution, moved.state.merged_into_id) == (None, None)
    assert (await stage.hears(told)).events == [], "told again"


async def test_what_was_given_to_somebody_else_since_does_not_go_back_by_an_old_refusal(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.sofia.id, assignment=2))
    told = EndingRefused(
        state=visit(status="on_site", technician_id=world.karim.id, assignment=1),
        refused="qualified",
        assignment=1,
    )
    assert (await stage.hears(told)).events == []


async def test_what_was_given_to_somebody_else_and_then_ended_goes_back_to_who_is_on_site(
    stage: Stage,
) -> None:
    await stage.given(reclamation(status="cancelled", technician_id=world.sofia.id, assignment=2))
    on_site = visit(status="on_site", technician_id=world.karim.id, assignment=1)
    late = AssignmentRefused(state=on_site, refused_technician_id=world.sofia.id)
    assert (await stage.hears(late)).events == [], "its end is refused too"
    assigned, moved = (
        await stage.hears(EndingRefused(state=on_site, refused="cancelled", assignment=2))
    ).events
    assert isinstance(assigned, TechnicianAssigned)
    assert (assigned.technician_id, assigned.state.assignment) == (world.karim.id, 3)
    assert isinstance(moved, ReclamationMoved)
    assert (moved.before, moved.after) == ("cancelled", "assigned")


def qualifying(**fields: Any) -> QualifyReclamation:
    return QualifyReclamation.model_validate({"reclamation_id": ID, "priority": "high"} | fields)


async def test_the_product_of_what_was_described_in_words_is_named_when_qualifying(stage: Stage) -> None:
    await stage.knows(product(world.lea))
    await stage.given(reclamation(created_at=stage.now()))
    told = (await stage.when(qualifying(product_id=PRODUCT), by=world.marie)).only(ReclamationQualified)
    assert (told.state.product_id, told.state.article) == (PRODUCT, "Chaudière")
    assert told.state.coverage != "unknown"


async def test_the_product_is_named_later_with_a_reason(stage: Stage) -> None:
    await stage.knows(product(world.lea))
    await stage.given(reclamation(status="assigned", **WITH_KARIM))
    assert wrong(await stage.when(qualifying(product_id=PRODUCT), by=world.marie)) == ["reason"]
    later = qualifying(product_id=PRODUCT, reason="lu sur la plaque")
    told = (await stage.when(later, by=world.marie)).only(ReclamationQualified)
    assert (told.state.product_id, told.state.status) == (PRODUCT, "assigned")


async def test_only_a_product_of_the_client_that_is_in_place_is_named(stage: Stage) -> None:
    await stage.given(client(world.paul), reclamation())
    await stage.knows(product(world.paul))
    assert wrong(await stage.when(qualifying(product_id=PRODUCT), by=world.marie)) == ["product_id"]
    await stage.knows(product(world.lea, id=OTHER, replaced_by_id=PRODUCT))
    assert wrong(await stage.when(qualifying(product_id=OTHER), by=world.marie)) == ["product_id"]


async def test_reported_danger_stays_critical_unless_a_manager_says_why_not(stage: Stage) -> None:
    await stage.given(reclamation(priority="critical", safety=Safety(co_alarm=True)))
    assert wrong(await stage.when(qualifying(), by=world.marie)) == ["reason"]
    lowered = qualifying(reason="pile du détecteur vide, vérifié au téléphone")
    told = (await stage.when(lowered, by=world.marie)).only(ReclamationQualified)
    assert told.state.priority == "high"


def wrong(outcome: Outcome) -> list[str]:
    assert outcome.problem
    return [error.field for error in outcome.problem.errors or []]


async def test_a_visit_that_did_not_help_says_nothing_of_what_was_reopened(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", earlier_visit_id=VISIT, **WITH_KARIM))
    paused = visit(status="paused", technician_id=world.karim.id)
    refused = AssignmentRefused(state=paused, refused_technician_id=world.sofia.id)
    assert (await stage.hears(refused)).events == []


def resolved(to: UUID | None, **fields: Any) -> ConflictResolved:
    """A manager has decided about Karim's visit."""
    conflict = a(ConflictView, technician_id=world.karim.id, reclamation_id=ID, status="resolved", **fields)
    return ConflictResolved(state=conflict, technician_id=to, slot=conflict.wanted)


async def test_a_conflict_that_is_resolved_by_another_technician_assigns_them(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", needs_technician=True, **WITH_KARIM))
    told = (await stage.hears(resolved(world.sofia.id))).only(TechnicianAssigned)
    assert (told.technician_id, told.previous_technician_id) == (world.sofia.id, world.karim.id)
    assert (told.state.assignment, told.state.needs_technician) == (2, False)
    assert told.slot is not None
    assert (await stage.hears(resolved(world.sofia.id))).events == [], "once"


@pytest.mark.parametrize("to", [None, world.karim.id], ids=["nobody is named", "the same"])
async def test_a_conflict_that_is_resolved_by_another_time_assigns_nobody(
    stage: Stage, to: UUID | None
) -> None:
    await stage.given(reclamation(status="assigned", **WITH_KARIM))
    assert (await stage.hears(resolved(to))).events == []


async def test_a_decision_about_a_visit_by_hand_waits_until_its_reclamation_is_assigned_by_that(
    stage: Stage,
) -> None:
    await stage.given(reclamation(status="qualified", assignment=2))
    by_hand = visit(status="planned", technician_id=world.karim.id, assignment=3)
    await stage.knows(by_hand)
    told = enveloped(resolved(world.sofia.id, intervention_id=VISIT))
    assert (await stage.hears(told)).events == []
    assert [id for id, _ in await stage.parked()] == [told.id]


@pytest.mark.parametrize("now", [{"assignment": 2}, {"assignment": 3, "status": "cancelled"}])
async def test_a_decision_about_a_visit_that_is_old_or_over_assigns_nobody(
    stage: Stage, now: dict[str, Any]
) -> None:
    await stage.given(reclamation(status="qualified", assignment=2))
    usual: dict[str, Any] = {"status": "planned", "technician_id": world.karim.id}
    await stage.knows(visit(**(usual | now)))
    assert (await stage.hears(resolved(world.sofia.id, intervention_id=VISIT))).events == []
    assert await stage.parked() == []


async def test_a_decision_that_was_overtaken_assigns_nobody(stage: Stage) -> None:
    await stage.given(reclamation(status="cancelled", **WITH_KARIM))
    assert (await stage.hears(resolved(world.sofia.id))).events == []
    assert await stage.parked() == []


def handed_over(to: UUID = world.sofia.id, **facts: Any) -> AppointmentMoved:
    """The appointment of Karim's visit, moved into somebody else's calendar."""
    start = datetime(2026, 3, 5, 8, tzinfo=UTC)
    state = a(
        AppointmentView, reclamation_id=ID, technician_id=to, start=start, end=start + timedelta(hours=2)
    )
    usual: dict[str, Any] = {
        "before": Slot(start=start - timedelta(days=1), end=start),
        "previous_technician_id": world.karim.id,
    }
    return AppointmentMoved(state=state, **(usual | facts))


async def test_a_visit_that_is_moved_to_another_technician_gives_them_the_reclamation(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", **WITH_KARIM))
    event = handed_over(outside_hours=True)
    told = (await stage.hears(event)).only(TechnicianAssigned)
    assert (told.technician_id, told.previous_technician_id) == (world.sofia.id, world.karim.id)
    assert told.slot == Slot(start=event.state.start, end=event.state.end)
    assert told.outside_hours
    assert (await stage.hears(event)).events == []


async def test_another_time_alone_or_a_late_word_gives_it_to_nobody(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=UUID(int=13), assignment=2))
    for event in (handed_over(previous_technician_id=None), handed_over()):
        assert (await stage.hears(event)).events == []
