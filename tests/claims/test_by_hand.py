"""What claims does about visits that were planned by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import given_claims
import pytest
import world
from given_claims import reclamation

from sav_chassis.testing import Stage, enveloped
from sav_contracts.actor import Actor
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.claims.reclamation import (
    ReclamationMoved,
    ReclamationStatus,
    TechnicianAssigned,
    TechnicianUnassigned,
)
from sav_contracts.claims.visits import PlannedVisitRefused
from sav_contracts.interventions.new_visit import PlannedVisitOver
from sav_contracts.interventions.visit import (
    InterventionClosed,
    InterventionMoved,
    InterventionPlanned,
    InterventionStarted,
    InterventionView,
    WarrantyDecided,
)
from sav_contracts.messages import Event
from sav_contracts.slot import Slot

START = datetime(2126, 3, 5, 8, 0, tzinfo=UTC)
BY_MANAGER = Warranty.of_shares(50, 0, 0, why="decided_by_manager", reason="un geste", decided_at=START)
SLOT = Slot(start=START, end=START + timedelta(hours=2))


def visit(who: Actor = world.karim, **fields: Any) -> InterventionView:
    usual: dict[str, Any] = {"technician_id": who.id, "status": "planned", "assignment": 3}
    return given_claims.visit(**(usual | fields))


def planned(who: Actor = world.karim, by_hand: bool = True, **fields: Any) -> InterventionPlanned:
    return InterventionPlanned(state=visit(who, **fields), slot=SLOT, outside_hours=True, by_hand=by_hand)


async def test_a_visit_that_was_planned_by_hand_assigns_its_technician(stage: Stage) -> None:
    await stage.given(reclamation(status="qualified", assignment=2))
    told = (await stage.hears(planned())).only(TechnicianAssigned)
    assert (told.technician_id, told.previous_technician_id) == (world.karim.id, None)
    assert (told.slot, told.outside_hours) == (SLOT, True)
    assert (told.state.status, told.state.technician_id) == ("assigned", world.karim.id)
    assert told.state.assignment == 3, "the visit belongs to it"
    assert (await stage.hears(planned())).events == [], "told again, as after a restored backup"


async def test_a_visit_after_an_assignment_or_another_visit_assigns_nobody(stage: Stage) -> None:
    await stage.given(reclamation(status="qualified", assignment=2))
    assert (await stage.hears(planned(by_hand=False))).events == []


@pytest.mark.parametrize("status", ["assigned", "in_progress", "awaiting_parts"])
async def test_a_further_visit_changes_nothing(stage: Stage, status: ReclamationStatus) -> None:
    await stage.given(reclamation(status=status, technician_id=world.karim.id, assignment=3))
    told = enveloped(planned())
    assert (await stage.hears(told)).events == []
    assert await stage.outcome_of(told, "assign_who_was_planned") == "theirs already"


@pytest.mark.parametrize(
    "now",
    [
        {"status": "awaiting_client", "assignment": 2},
        {"status": "cancelled", "assignment": 2},
        {"status": "resolved", "technician_id": world.karim.id, "assignment": 3},
        {"status": "assigned", "technician_id": world.sofia.id, "assignment": 3},
        # It was somebody's, and was taken back, since the visit was planned.
        {"status": "qualified", "assignment": 3},
    ],
    ids=lambda now: f"{now['status']} {now['assignment']}",
)
async def test_a_visit_that_comes_too_late_is_refused(stage: Stage, now: dict[str, Any]) -> None:
    await stage.given(reclamation(**now))
    refused = (await stage.hears(planned())).only(PlannedVisitRefused)
    assert (refused.intervention_id, refused.technician_id) == (given_claims.VISIT, world.karim.id)
    assert refused.state.status == now["status"]


async def test_it_waits_for_somebody_again_when_the_visit_is_declined(stage: Stage) -> None:
    await stage.given(reclamation(status="qualified", assignment=2))
    await stage.hears(planned())
    declined = InterventionMoved(state=visit(status="declined"), before="planned", after="declined")
    assert (await stage.hears(declined)).only(TechnicianUnassigned).state.status == "qualified"


async def test_it_waits_for_somebody_again_where_the_visit_was_over_before(stage: Stage) -> None:
    """Its end was heard before its beginning."""
    await stage.given(reclamation(status="qualified", assignment=2))
    declined = InterventionMoved(state=visit(status="declined"), before="planned", after="declined")
    assert (await stage.hears(declined)).events == []
    (await stage.hears(planned())).only(TechnicianAssigned)
    over = PlannedVisitOver(state=visit(status="declined", version=9))
    assert (await stage.hears(over)).only(TechnicianUnassigned).state.status == "qualified"
    assert (await stage.hears(over)).events == []


async def test_who_was_assigned_at_the_same_moment_keeps_it(stage: Stage) -> None:
    """Karim's visit was planned by hand, for what became Sofia's third assignment; it is cancelled for that."""
    await stage.given(reclamation(status="assigned", technician_id=world.sofia.id, assignment=3))
    cancelled = InterventionMoved(state=visit(status="cancelled"), before="planned", after="cancelled")
    assert (await stage.hears(cancelled)).events == []


FIRST = UUID(int=199)
BEFORE: dict[str, Any] = {"id": FIRST, "created_at": given_claims.NOW - timedelta(days=1)}


def closed(follow_up: UUID | None) -> InterventionClosed:
    state = visit(status="completed", closed_at=START, **BEFORE)
    return InterventionClosed(state=state, outcome="completed", follow_up_id=follow_up)


@pytest.mark.parametrize(
    ("further", "resolved"), [("planned", False), ("in_progress", False), ("cancelled", True)]
)
async def test_it_is_not_resolved_while_a_further_visit_is_open(
    stage: Stage, further: Any, resolved: bool
) -> None:
    await stage.given(reclamation(status="in_progress", technician_id=world.karim.id, assignment=3))
    await stage.knows(visit(status=further), closed(None).state)
    events = (await stage.hears(closed(given_claims.VISIT))).events
    assert [type(event) for event in events] == ([ReclamationMoved] if resolved else [])


async def test_it_waits_for_the_copy_of_the_further_visit(stage: Stage) -> None:
    await stage.given(reclamation(status="in_progress", technician_id=world.karim.id, assignment=3))
    assert (await stage.hears(closed(given_claims.VISIT))).events == []
    assert len(await stage.parked()) == 1


def gone(how: str = "declined") -> InterventionMoved:
    state = visit(status=how, version=9)
    return InterventionMoved.model_validate({"state": state, "before": "planned", "after": how})


async def begun(stage: Stage, **fields: Any) -> None:
    """Karim's first visit is completed; a further one of his is planned."""
    theirs = {"technician_id": world.karim.id, "assignment": 3}
    await stage.given(reclamation(status="in_progress", visit_id=FIRST, **theirs))
    await stage.knows(visit(**(BEFORE | {"status": "completed"} | fields)), visit())


@pytest.mark.parametrize("how", ["declined", "cancelled"])
async def test_it_waits_for_somebody_again_when_the_further_visit_falls_away(stage: Stage, how: str) -> None:
    await begun(stage)
    await stage.knows(closed(None).state.model_copy(update={"version": 8}))
    assert (await stage.hears(closed(given_claims.VISIT))).events == [], "the further visit goes on"
    await stage.knows(gone(how).state)
    told = (await stage.hears(gone(how))).only(TechnicianUnassigned)
    assert (told.state.status, told.state.technician_id) == ("qualified", None)
    assert await stage.parked() == []


async def test_the_report_of_the_first_visit_still_resolves_it_when_the_further_one_fell_away(
    stage: Stage,
) -> None:
    await begun(stage)
    await stage.knows(gone().state)
    assert (await stage.hears(gone())).events == []
    moved = (await stage.hears(closed(given_claims.VISIT))).only(ReclamationMoved)
    assert (moved.before, moved.after) == ("in_progress", "resolved")


async def test_the_report_of_a_visit_that_was_incomplete_resolves_nothing(stage: Stage) -> None:
    """Its parts have come, so it is in progress again."""
    await begun(stage, status="incomplete", cause="parts")
    await stage.knows(gone().state)
    assert (await stage.hears(gone())).only(TechnicianUnassigned).state.status == "qualified"


async def test_it_waits_for_the_copy_of_the_first_visit(stage: Stage) -> None:
    await begun(stage, status="in_progress")
    await stage.knows(gone().state)
    assert (await stage.hears(gone())).events == []
    assert len(await stage.parked()) == 1


async def test_it_does_not_wait_while_another_visit_was_planned_since(stage: Stage) -> None:
    await begun(stage)
    later = visit(id=UUID(int=201), created_at=START)
    await stage.knows(closed(None).state.model_copy(update={"version": 8}), gone().state, later)
    assert (await stage.hears(gone())).events == []
    assert await stage.parked() == []


NONE: dict[str, Any] = {"reclamation_id": None, "reclamation_reference": None, "reference": "INT-2026-000001"}


@pytest.mark.parametrize(
    "event",
    [
        planned(**NONE),
        InterventionStarted(state=visit(status="in_progress", **NONE)),
        InterventionMoved(state=visit(status="declined", **NONE), before="planned", after="declined"),
        InterventionMoved(state=visit(status="incomplete", **NONE), before="paused", after="incomplete"),
        InterventionClosed(state=visit(status="completed", **NONE), outcome="completed"),
        WarrantyDecided(state=visit(warranty=BY_MANAGER, **NONE), decision=BY_MANAGER.decision),
    ],
    ids=lambda event: type(event).__name__,
)
async def test_a_visit_for_no_reclamation_is_no_matter_of_claims(stage: Stage, event: Event) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id, assignment=3))
    assert (await stage.hears(event)).events == []
    assert await stage.parked() == []
