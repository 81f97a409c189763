"""How a réclamation follows its visits and comes to its end."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import OF_IT, VISIT, reclamation, visit
from given_views import a

from sav_chassis.testing import Stage, enveloped
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import CutOffs
from sav_contracts.calendar.appointment import AppointmentBooked, AppointmentView
from sav_contracts.claims.reclamation import (
    AssignTechnician,
    MoveReclamation,
    ReclamationChanged,
    ReclamationClosed,
    ReclamationMoved,
    ReclamationReopened,
    TechnicianAssigned,
    TechnicianUnassigned,
)
from sav_contracts.interventions.visit import (
    AssignmentRefused,
    Cause,
    EndingRefused,
    InterventionClosed,
    InterventionMoved,
    InterventionStarted,
)

RECLAMATION = UUID(int=100)
CLOSES_AFTER = CutOffs().closes_after
NEXT_VISIT = UUID(int=201)


def closed(id: UUID = VISIT, outcome: str = "completed", **fields: Any) -> InterventionClosed:
    return InterventionClosed.model_validate({"state": visit(id, **fields), "outcome": outcome})


def stopped(cause: Cause) -> InterventionMoved:
    state = visit(status="incomplete", cause=cause)
    return InterventionMoved(state=state, before="in_progress", after="incomplete")


async def in_progress(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id, assignment=1))
    await stage.hears(InterventionStarted(state=visit(status="in_progress")))


async def test_what_was_repaired_is_resolved(stage: Stage) -> None:
    await in_progress(stage)
    moved = (await stage.hears(closed())).only(ReclamationMoved)
    assert (moved.before, moved.after) == ("in_progress", "resolved")
    assert (moved.state.status, moved.state.resolution, moved.resolution) == (
        "resolved",
        "repaired",
        "repaired",
    )


async def test_a_resolved_reclamation_closes_by_itself_after_a_week(stage: Stage) -> None:
    await in_progress(stage)
    await stage.hears(closed())
    before = await stage.passes(datetime.now(UTC) + CLOSES_AFTER - timedelta(hours=1))
    assert before.events == []
    after = await stage.passes(datetime.now(UTC) + CLOSES_AFTER + timedelta(hours=1))
    assert after.only(ReclamationClosed).state.status == "closed"


@pytest.mark.parametrize("who", [world.lea, world.marie, world.alex], ids=lambda who: who.role)
async def test_its_client_or_a_manager_closes_it_and_nothing_comes_after(stage: Stage, who: Actor) -> None:
    await in_progress(stage)
    await stage.hears(closed())
    command = MoveReclamation(reclamation_id=RECLAMATION, to="closed", reason="tout va bien")
    told = (await stage.when(command, by=who)).only(ReclamationClosed)
    assert (told.state.status, told.reason, told.for_client().reason) == ("closed", "tout va bien", None)
    assert (await stage.passes(datetime.now(UTC) + CLOSES_AFTER * 2)).events == []


@pytest.mark.parametrize("status", ["submitted", "qualified", "assigned", "in_progress", "closed"])
async def test_what_is_not_resolved_is_not_closed(stage: Stage, status: str) -> None:
    await stage.given(reclamation(status=status))
    outcome = await stage.when(MoveReclamation(reclamation_id=RECLAMATION, to="closed"), by=world.lea)
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code) == (409, "illegal_move")


async def test_a_stranger_closes_nothing(stage: Stage) -> None:
    await stage.given(reclamation(status="resolved"))
    outcome = await stage.when(MoveReclamation(reclamation_id=RECLAMATION, to="closed"), by=world.paul)
    assert outcome.problem
    assert outcome.problem.status == 404


@pytest.mark.parametrize(("cause", "waits"), [("parts", "awaiting_parts"), ("access", "assigned")])
async def test_a_visit_that_stopped_leaves_it_waiting_for_the_next(
    stage: Stage, cause: Cause, waits: str
) -> None:
    await in_progress(stage)
    assert (await stage.hears(stopped(cause))).only(ReclamationMoved).after == waits
    again = await stage.hears(InterventionStarted(state=visit(NEXT_VISIT, status="in_progress")))
    assert again.only(ReclamationMoved).after == "in_progress"
    late = await stage.hears(enveloped(closed(VISIT, outcome="incomplete")))
    assert late.events == []
    assert (await stage.hears(closed(NEXT_VISIT))).only(ReclamationMoved).after == "resolved"


async def test_a_refused_estimate_ends_it_once_the_report_is_validated(stage: Stage) -> None:
    await in_progress(stage)
    assert (await stage.hears(stopped("estimate_refused"))).events == []
    over = closed(VISIT, status="incomplete", cause="estimate_refused", outcome="incomplete")
    moved = (await stage.hears(over)).only(ReclamationMoved)
    assert (moved.after, moved.resolution) == ("resolved", "estimate_refused")


async def assigned_only(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id, assignment=1))


async def test_a_visit_that_ended_for_want_of_an_agreement_leaves_it_assigned(stage: Stage) -> None:
    await assigned_only(stage)
    assert (await stage.hears(stopped("approval"))).events == []
    started = InterventionStarted(state=visit(NEXT_VISIT, status="in_progress"))
    assert (await stage.hears(started)).only(ReclamationMoved).after == "in_progress"


async def test_an_estimate_that_was_refused_before_the_work_began_resolves_it(stage: Stage) -> None:
    await assigned_only(stage)
    assert (await stage.hears(stopped("estimate_refused"))).events == []
    over = closed(VISIT, status="incomplete", cause="estimate_refused", outcome="incomplete")
    moved = (await stage.hears(over)).only(ReclamationMoved)
    assert (moved.before, moved.after, moved.resolution) == ("assigned", "resolved", "estimate_refused")


@pytest.mark.parametrize("ends", ["declined", "cancelled"])
async def test_a_next_visit_that_is_given_up_leaves_it_to_another_technician(stage: Stage, ends: str) -> None:
    await in_progress(stage)
    await stage.hears(stopped("parts"))
    given_up = InterventionMoved.model_validate(
        {"state": visit(NEXT_VISIT, status=ends, assignment=1), "before": "planned", "after": ends}
    )
    assert (await stage.hears(given_up)).only(TechnicianUnassigned).state.status == "qualified"


async def test_what_awaits_parts_may_be_given_to_another_technician(stage: Stage) -> None:
    await in_progress(stage)
    await stage.hears(stopped("parts"))
    command = AssignTechnician(reclamation_id=RECLAMATION, technician_id=world.sofia.id)
    assert (await stage.when(command, by=world.marie)).only(TechnicianAssigned).state.status == "assigned"


async def test_what_awaits_parts_is_given_to_its_technician_again_once_they_have_no_open_visit(
    stage: Stage,
) -> None:
    """The calendar gives their open visit its time: a slot that came with the command would be lost."""
    await in_progress(stage)
    await stage.hears(stopped("parts"))
    await stage.knows(visit(NEXT_VISIT, status="planned"))
    start = stage.now() + timedelta(days=2)
    slot = {"start": start, "end": start + timedelta(hours=2)}
    command = AssignTechnician.model_validate(
        {"reclamation_id": RECLAMATION, "technician_id": world.karim.id, "slot": slot}
    )
    refused = await stage.when(command, by=world.marie)
    assert refused.problem
    assert (refused.problem.status, refused.problem.code) == (409, "already_assigned")
    await stage.knows(visit(NEXT_VISIT, version=8, status="declined"))
    given = (await stage.when(command, by=world.marie)).only(TechnicianAssigned).slot
    assert given
    assert given.start == start


async def test_a_visit_whose_start_was_overtaken_still_resolves_it(stage: Stage) -> None:
    """A manager reassigned as it started; interventions restored its technician, and it was paused by then."""
    await stage.given(reclamation(status="assigned", technician_id=world.sofia.id, assignment=2))
    started = InterventionStarted(state=visit(status="in_progress", assignment=1))
    assert (await stage.hears(started)).events == []
    paused = visit(status="paused", assignment=1)
    await stage.hears(AssignmentRefused(state=paused, refused_technician_id=world.sofia.id))
    moved = (await stage.hears(closed(assignment=1))).only(ReclamationMoved)
    assert (moved.before, moved.after) == ("in_progress", "resolved")


async def test_the_closing_of_a_former_technicians_visit_is_old_news(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.sofia.id, assignment=2))
    assert (await stage.hears(closed(assignment=1))).events == []
    assert await stage.parked() == []


async def test_a_closing_that_comes_before_the_news_of_the_start_is_not_lost(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id, assignment=1))
    assert (await stage.hears(closed(assignment=1))).only(ReclamationMoved).after == "resolved"


async def test_what_an_earlier_visit_says_late_is_obsolete(stage: Stage) -> None:
    await in_progress(stage)
    started = await stage.hears(InterventionStarted(state=visit(NEXT_VISIT, status="in_progress")))
    started.only(ReclamationChanged)
    late = enveloped(stopped("access"))
    assert (await stage.hears(late)).events == []
    assert (
        await stage.outcome_of(late)
        == "obsolete: another visit was started since, or another technician assigned"
    )


def booking(who: Actor) -> AppointmentBooked:
    start = datetime(2026, 12, 1, 9, tzinfo=UTC)
    times: dict[str, Any] = {"start": start, "end": start + timedelta(hours=2)}
    state = a(AppointmentView, UUID(int=500), version=2, technician_id=who.id, **OF_IT, **times)
    return AppointmentBooked(state=state)


async def test_a_time_that_was_put_into_the_calendar_for_a_visit_chooses_nobody(stage: Stage) -> None:
    """It may be the time of a technician who has declined meanwhile."""
    await stage.given(reclamation(status="qualified"))
    of_a_visit = booking(world.karim).state.model_copy(update={"intervention_id": VISIT})
    assert (await stage.hears(AppointmentBooked(state=of_a_visit))).events == []


async def test_who_books_a_time_chooses_its_technician(stage: Stage) -> None:
    await stage.given(reclamation(status="qualified"))
    assigned = (await stage.hears(booking(world.sofia))).only(TechnicianAssigned)
    assert assigned.technician_id == assigned.state.technician_id == world.sofia.id
    assert assigned.slot
    assert assigned.slot.start.hour == 9


async def test_a_time_of_the_technician_who_has_it_changes_nothing(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    assert (await stage.hears(booking(world.karim))).events == []


@pytest.mark.parametrize("status", ["assigned", "in_progress", "closed"])
async def test_a_time_of_another_technician_is_old_news(stage: Stage, status: str) -> None:
    await stage.given(reclamation(status=status, technician_id=world.karim.id))
    assert (await stage.hears(booking(world.sofia))).events == []


async def reopened(stage: Stage) -> None:
    again = MoveReclamation(reclamation_id=RECLAMATION, to="reopened", reason="encore en panne")
    (await stage.when(again, by=world.lea)).only(ReclamationReopened)


async def test_after_two_reopenings_the_first_visit_says_nothing_new(stage: Stage) -> None:
    await in_progress(stage)
    await stage.hears(closed(assignment=1))
    await reopened(stage)
    given = AssignTechnician(reclamation_id=RECLAMATION, technician_id=world.karim.id)
    await stage.when(given, by=world.marie)
    await stage.hears(InterventionStarted(state=visit(NEXT_VISIT, status="in_progress", assignment=2)))
    await stage.hears(closed(NEXT_VISIT, assignment=2))
    await reopened(stage)
    await stage.when(given, by=world.marie)
    late = enveloped(closed(assignment=1))
    assert (await stage.hears(late)).events == []
    assert await stage.outcome_of(late) == "obsolete: it was reopened after this visit"
    (
        await stage.hears(InterventionStarted(state=visit(UUID(int=202), status="in_progress", assignment=3)))
    ).only(ReclamationMoved)


async def test_what_was_reopened_goes_on_with_the_technician_who_is_on_site_after_all(stage: Stage) -> None:
    """A manager resolved it as the technician arrived, and its client reopened it before interventions refused."""
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id, assignment=1))
    done = MoveReclamation(reclamation_id=RECLAMATION, to="resolved", resolution="advice")
    await stage.when(done, by=world.marie)
    await reopened(stage)
    on_site = visit(status="in_progress", assignment=1)
    refused = EndingRefused(state=on_site, refused="resolved", assignment=1)
    moved = (await stage.hears(refused)).only(ReclamationMoved)
    assert (moved.before, moved.after) == ("reopened", "in_progress")
    assert moved.state.technician_id == world.karim.id
    assert (await stage.hears(closed(assignment=1))).only(ReclamationMoved).after == "resolved"
