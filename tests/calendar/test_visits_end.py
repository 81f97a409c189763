"""What the calendar does when a visit has ended."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
import world
from given_calendar import (
    APPOINTMENT,
    RECLAMATION,
    VISIT_ID,
    appointment,
    at,
    chosen,
    elsewhere,
    held,
    moved,
    planned,
    reclamation,
    slot,
    visit,
    why,
)

from sav_calendar.lifecycle import AFTER_VISIT
from sav_calendar.model.conflict import PlanningConflict
from sav_chassis.testing import Stage, enveloped
from sav_contracts.calendar.appointment import (
    AppointmentAttended,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentChanged,
    AppointmentMissedByClient,
    AppointmentView,
    HoldSlot,
)
from sav_contracts.calendar.conflict import ConflictBecameMoot, ConflictDetected, ConflictView
from sav_contracts.claims.reclamation import ReclamationClosed, ReclamationMoved, ReclamationStatus
from sav_contracts.interventions.visit import InterventionStatus
from sav_contracts.messages import Event


@pytest.mark.parametrize("after", ["declined", "cancelled"])
@pytest.mark.parametrize("linked", [VISIT_ID, None], ids=["linked", "not linked yet"])
async def test_a_visit_that_does_not_take_place_frees_its_time(
    stage: Stage, after: InterventionStatus, linked: UUID | None
) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=linked))
    cancelled = (await stage.hears(moved(after))).only(AppointmentCancelled).state
    assert (cancelled.id, cancelled.status) == (APPOINTMENT, "cancelled")
    # What a technician told the manager is not for the client, who reads this view.
    assert "my back" not in cancelled.model_dump_json()
    (await stage.hears(planned(slot(1, 8), id=UUID(int=299)))).only(AppointmentBooked)


async def test_a_held_time_ends_with_its_visit(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    assert (await stage.hears(moved("cancelled"))).only(AppointmentChanged).state.status == "cancelled"


@pytest.mark.parametrize(
    ("after", "told", "status"),
    [
        ("no_access", AppointmentMissedByClient, "no_show"),
        ("completed", AppointmentAttended, "done"),
        ("incomplete", AppointmentAttended, "done"),
    ],
)
@pytest.mark.parametrize("linked", [VISIT_ID, None], ids=["linked", "not linked yet"])
async def test_an_appointment_was_attended_or_missed_by_its_client(
    stage: Stage,
    after: InterventionStatus,
    told: type[Event[AppointmentView]],
    status: str,
    linked: UUID | None,
) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=linked))
    state = (await stage.hears(moved(after))).only(told).state
    assert (state.status, state.intervention_id) == (status, VISIT_ID)
    assert await why(stage, enveloped(moved(after))) == "it has no appointment"


async def test_a_time_that_is_only_held_is_neither_attended_nor_missed(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    assert await why(stage, enveloped(moved("completed"))) == "obsolete: the appointment is held"


@pytest.mark.parametrize("after", sorted(set(get_args(InterventionStatus)) - set(AFTER_VISIT)))
async def test_while_the_visit_goes_on_its_appointment_stays(stage: Stage, after: InterventionStatus) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    assert await why(stage, enveloped(moved(after))) == "the visit goes on"


@pytest.mark.parametrize("after", sorted(AFTER_VISIT))
@pytest.mark.parametrize(
    "fields",
    [{"intervention_id": UUID(int=299)}, {"technician_id": world.sofia.id}, {"status": "cancelled"},
     {"reclamation_id": UUID(int=101)}],
    ids=["another visit's", "another technician's", "over", "another réclamation's"],
)  # fmt: skip
async def test_other_appointments_stay_as_they_are(
    stage: Stage, after: InterventionStatus, fields: dict[str, Any]
) -> None:
    await stage.given(appointment(at(1, 8), **fields))
    assert await why(stage, enveloped(moved(after))) == "it has no appointment"


async def test_a_time_chosen_after_the_visit_ended_is_for_the_next_one(stage: Stage) -> None:
    await stage.knows(visit("declined", version=2))
    await chosen(stage)
    assert await why(stage, enveloped(moved("declined", version=2))) == "it has no appointment"


@pytest.mark.parametrize("off", [timedelta(days=-1), timedelta(days=1)], ids=["behind", "ahead"])
async def test_no_clock_of_another_service_says_for_which_visit_a_time_was_chosen(
    stage: Stage, off: timedelta
) -> None:
    await chosen(stage)
    told = moved("declined", updated_at=datetime.now(UTC) + off)
    (await stage.hears(told)).only(AppointmentCancelled)


async def test_an_end_that_is_told_again_leaves_the_next_time(stage: Stage) -> None:
    await stage.hears(moved("declined"))
    await chosen(stage)
    assert await why(stage, enveloped(moved("declined"))) == "it has no appointment"


@pytest.mark.parametrize("after", sorted(AFTER_VISIT))
async def test_a_conflict_is_moot_when_its_visit_ends(stage: Stage, after: InterventionStatus) -> None:
    await stage.given(elsewhere(at(1, 8)))
    conflict = (await stage.hears(planned(slot(1, 8)))).only(ConflictDetected).state
    settled = (await stage.hears(moved(after))).only(ConflictBecameMoot).state
    assert (settled.id, settled.status, settled.version) == (conflict.id, "moot", 2)
    assert isinstance(settled, ConflictView)
    assert not settled.is_open()


async def test_a_resolved_conflict_stays_resolved(stage: Stage) -> None:
    await stage.given(
        PlanningConflict(
            id=UUID(int=400), technician_id=world.karim.id, reclamation_id=RECLAMATION, status="resolved",
            reclamation_reference="REC-2026-000100", intervention_id=VISIT_ID, problem="slot_taken",
            wanted=slot(1, 8), proposals=[],
        )
    )  # fmt: skip
    assert await why(stage, enveloped(moved("cancelled"))) == "it has no appointment"


def ended(status: ReclamationStatus) -> ReclamationMoved | ReclamationClosed:
    state = reclamation(status=status, version=3)
    if status == "closed":
        return ReclamationClosed(state=state)
    return ReclamationMoved(state=state, before="qualified", after=status)


ENDS: list[ReclamationStatus] = ["awaiting_client", "rejected", "merged", "cancelled", "resolved", "closed"]


@pytest.mark.parametrize("status", ENDS)
async def test_a_chosen_time_is_free_again_when_the_reclamation_gets_no_visit(
    stage: Stage, status: ReclamationStatus
) -> None:
    """Claims had moved it when it heard of the booking: nobody plans a visit."""
    await chosen(stage)
    told = ended(status)
    await stage.knows(told.state)
    event = (await stage.hears(told)).only(AppointmentCancelled)
    assert (event.state.status, event.state.reason) == ("cancelled", f"reclamation_{status}")
    assert event.cause == "reclamation_over"
    again = HoldSlot(reclamation_id=RECLAMATION, technician_id=world.karim.id, start=at(1, 8))
    refused = await stage.when(again, by=world.lea)
    assert refused.problem
    assert refused.problem.code == "not_plannable"


async def test_a_held_time_is_free_again_too(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    told = ended("rejected")
    await stage.knows(told.state)
    assert (await stage.hears(told)).only(AppointmentChanged).state.status == "cancelled"


async def test_the_end_of_a_reclamation_waits_for_its_copy_so_that_nothing_is_booked_after_it(
    stage: Stage,
) -> None:
    assert (await stage.hears(ended("rejected"))).events == []
    assert len(await stage.parked()) == 1


async def test_a_planned_time_ends_with_its_visit_only(stage: Stage) -> None:
    """Its technician may be there already, and the réclamation go on."""
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    told = ended("resolved")
    await stage.knows(told.state)
    assert await why(stage, enveloped(told)) == "no time was chosen for it"


async def test_a_reclamation_that_goes_on_keeps_its_time(stage: Stage) -> None:
    await chosen(stage)
    told = ReclamationMoved(
        state=reclamation(status="in_progress", version=3), before="assigned", after="in_progress"
    )
    assert await why(stage, enveloped(told)) == "it may get a visit"
