"""Technicians' cards, and visits that follow assignments and the calendar."""

from typing import Any
from uuid import UUID

import pytest
import world
from given_interventions import LATER, RECLAMATION, SLOT, VISIT, account, assigned, visit
from given_views import a

from sav_chassis.testing import Stage, enveloped
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import RoleAssigned, UserActivated, UserDeactivated, UserUpdated
from sav_contracts.calendar.appointment import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentChanged,
    AppointmentMissedByTechnician,
    AppointmentMoved,
    AppointmentView,
)
from sav_contracts.catalog.product import Place
from sav_contracts.claims.reclamation import (
    ReclamationClosed,
    ReclamationMoved,
    ReclamationStatus,
    ReclamationView,
    TechnicianUnassigned,
)
from sav_contracts.interventions.new_visit import InterventionUnscheduled
from sav_contracts.interventions.technician import TechnicianChanged, TechnicianLeft, TechnicianView
from sav_contracts.interventions.visit import (
    AssignmentRefused,
    EndingRefused,
    InterventionChanged,
    InterventionMoved,
    InterventionPlanned,
    InterventionScheduled,
    InterventionStatus,
    WarrantyDecided,
)
from sav_contracts.messages import Event
from sav_contracts.slot import Slot


def activated(role: Role) -> UserActivated:
    return UserActivated(state=account(role=role))


def booked(slot: Slot, for_visit: UUID | None = VISIT, who: Actor = world.karim) -> AppointmentBooked:
    times: dict[str, Any] = {"start": slot.start, "end": slot.end}
    state = a(
        AppointmentView,
        technician_id=who.id,
        reclamation_id=RECLAMATION,
        intervention_id=for_visit,
        **times,
    )
    return AppointmentBooked(state=state)


async def test_a_technician_who_can_sign_in_gets_a_card_with_the_same_id(stage: Stage) -> None:
    card = (await stage.hears(activated(Role.TECHNICIAN))).only(TechnicianChanged).state
    assert (card.id, card.technician_id, card.active) == (world.karim.id, world.karim.id, True)
    assert (await stage.hears(activated(Role.TECHNICIAN))).events == []


async def test_a_manager_gets_no_card(stage: Stage) -> None:
    assert (await stage.hears(activated(Role.MANAGER))).events == []


async def test_a_technician_who_is_kept_out_is_given_no_work_until_let_in_again(stage: Stage) -> None:
    await stage.hears(activated(Role.TECHNICIAN))
    out = account(role=Role.TECHNICIAN, status="deactivated")
    deactivated = UserDeactivated(state=out, revoked=(world.karim.id,))
    assert not (await stage.hears(deactivated)).only(TechnicianLeft).state.active
    assert (await stage.hears(activated(Role.TECHNICIAN))).only(TechnicianChanged).state.active


@pytest.mark.parametrize(("role", "active"), [(Role.MANAGER, False), (Role.TECHNICIAN, True)])
async def test_a_card_follows_the_role(stage: Stage, role: Role, active: bool) -> None:
    previous = Role.TECHNICIAN if role is Role.MANAGER else Role.MANAGER
    await stage.hears(activated(previous))
    assigned = RoleAssigned(state=account(role=role), role=role, previous=previous, revoked=(world.karim.id,))
    told: type[Event[TechnicianView]] = TechnicianChanged if active else TechnicianLeft
    assert (await stage.hears(assigned)).only(told).state.active == active


async def test_a_card_has_the_name_of_its_person(stage: Stage) -> None:
    await stage.hears(activated(Role.TECHNICIAN))
    updated = UserUpdated(state=account(role=Role.TECHNICIAN, name="Karim H."))
    assert (await stage.hears(updated)).only(TechnicianChanged).state.name == "Karim H."


async def test_what_was_meant_outside_working_hours_is_planned_so(stage: Stage) -> None:
    meant = assigned(world.karim).model_copy(update={"outside_hours": True})
    planned, _ = (await stage.hears(meant)).events
    assert isinstance(planned, InterventionPlanned)
    assert planned.outside_hours


async def test_an_assignment_plans_the_visit_whose_time_the_calendar_gives(stage: Stage) -> None:
    planned, decided = (await stage.hears(assigned(world.karim))).events
    assert isinstance(planned, InterventionPlanned)
    assert (planned.slot, planned.state.slot, planned.outside_hours) == (SLOT, None, False)
    assert (planned.state.technician_id, planned.state.client_id) == (world.karim.id, world.lea.id)
    # Lists of visits find it, and the report names it.
    assert planned.state.article == assigned(world.karim).state.article
    assert isinstance(decided, WarrantyDecided)
    assert decided.state == planned.state


async def test_the_same_assignment_twice_plans_one_visit(stage: Stage) -> None:
    told = enveloped(assigned(world.karim))
    assert len((await stage.hears(told)).events) == 2
    assert (await stage.hears(told)).events == []
    again = enveloped(assigned(world.karim))
    assert (await stage.hears(again)).events == []
    assert await stage.outcome_of(again) == "their visit is planned already"


@pytest.mark.parametrize("status", ["planned", "accepted", "en_route"])
async def test_a_reassignment_cancels_the_open_visit_and_plans_another(
    stage: Stage, status: InterventionStatus
) -> None:
    await stage.given(visit(status))
    cancelled, planned, _ = (await stage.hears(assigned(world.sofia, previous=world.karim))).events
    assert isinstance(cancelled, InterventionMoved)
    assert (cancelled.state.id, cancelled.before, cancelled.after) == (VISIT, status, "cancelled")
    assert isinstance(planned, InterventionPlanned)
    assert planned.state.technician_id == world.sofia.id


async def test_a_follow_up_that_is_reassigned_still_continues_the_first_visit(stage: Stage) -> None:
    await stage.given(visit("incomplete", id=UUID(int=199)), visit("planned", follows_id=UUID(int=199)))
    _, planned, _ = (await stage.hears(assigned(world.sofia, previous=world.karim))).events
    assert isinstance(planned, InterventionPlanned)
    assert planned.state.follows_id == UUID(int=199)


@pytest.mark.parametrize("status", ["on_site", "in_progress", "paused"])
async def test_a_visit_on_site_refuses_the_reassignment(stage: Stage, status: InterventionStatus) -> None:
    await stage.given(visit(status))
    refused = (await stage.hears(assigned(world.sofia, previous=world.karim))).only(AssignmentRefused)
    assert refused.refused_technician_id == world.sofia.id
    assert (refused.state.technician_id, refused.state.status) == (world.karim.id, status)


@pytest.mark.parametrize("status", ["declined", "cancelled", "completed", "incomplete", "no_access"])
async def test_a_visit_that_is_over_makes_room_for_the_next(stage: Stage, status: InterventionStatus) -> None:
    await stage.given(visit(status))
    planned, _ = (await stage.hears(assigned(world.karim))).events
    assert isinstance(planned, InterventionPlanned)
    assert planned.state.id != VISIT


@pytest.mark.parametrize("status", ["planned", "accepted"])
@pytest.mark.parametrize("before", [None, SLOT], ids=["without a time", "at another time"])
async def test_a_visit_takes_the_slot_that_the_calendar_booked(
    stage: Stage, status: InterventionStatus, before: Slot | None
) -> None:
    await stage.given(visit(status, slot=before))
    told = (await stage.hears(booked(LATER))).only(InterventionScheduled)
    assert (told.state.id, told.slot, told.state.slot, told.state.status) == (VISIT, LATER, LATER, status)


async def test_a_slot_that_a_client_booked_before_the_visit_was_known_is_taken_too(stage: Stage) -> None:
    await stage.given(visit("planned"))
    assert (await stage.hears(booked(LATER, for_visit=None))).only(InterventionScheduled).slot == LATER


async def test_a_slot_that_was_booked_before_the_visit_was_planned_is_taken_when_the_calendar_links_it(
    stage: Stage,
) -> None:
    await stage.given(visit("planned"))
    linked = AppointmentChanged(state=booked(LATER).state)
    assert (await stage.hears(linked)).only(InterventionScheduled).slot == LATER


async def test_a_held_or_lapsed_slot_is_no_time_of_a_visit(stage: Stage) -> None:
    await stage.given(visit("planned"))
    for status in ("held", "expired", "cancelled"):
        state = booked(LATER).state.model_copy(update={"status": status})
        assert (await stage.hears(AppointmentChanged(state=state))).events == []


async def test_a_technician_who_is_assigned_anew_keeps_the_visit_for_that_assignment(stage: Stage) -> None:
    await stage.given(visit("on_site", assignment=1))
    again = assigned(world.karim)
    again = again.model_copy(update={"state": again.state.model_copy(update={"assignment": 3})})
    assert (await stage.hears(again)).only(InterventionChanged).state.assignment == 3
    assert (await stage.hears(again)).events == []


async def test_a_slot_that_the_visit_has_already_changes_nothing(stage: Stage) -> None:
    await stage.given(visit("planned", slot=SLOT))
    told = enveloped(booked(SLOT))
    assert (await stage.hears(told)).events == []
    assert await stage.outcome_of(told) == "known"


async def test_a_visit_follows_its_appointment_to_another_time(stage: Stage) -> None:
    await stage.given(visit("accepted", slot=SLOT))
    told = AppointmentMoved(state=booked(LATER).state, before=SLOT)
    assert (await stage.hears(told)).only(InterventionScheduled).slot == LATER


def called_off(slot: Slot = SLOT, **fields: Any) -> AppointmentCancelled:
    state = booked(slot, **fields).state.model_copy(update={"status": "cancelled"})
    return AppointmentCancelled(state=state, called_off=True)


def missed() -> AppointmentMissedByTechnician:
    return AppointmentMissedByTechnician(state=called_off().state.model_copy(update={"status": "no_show"}))


@pytest.mark.parametrize("status", ["planned", "accepted"])
@pytest.mark.parametrize("event", [called_off(), missed()], ids=["called off", "nobody came"])
async def test_a_visit_without_its_time_waits_for_another_one(
    stage: Stage, status: InterventionStatus, event: AppointmentCancelled | AppointmentMissedByTechnician
) -> None:
    await stage.given(visit(status, slot=SLOT))
    told = (await stage.hears(event)).only(InterventionUnscheduled)
    assert (told.before, told.state.slot, told.state.status) == (SLOT, None, status)
    assert (await stage.hears(event)).events == []
    assert (await stage.hears(booked(LATER))).only(InterventionScheduled).slot == LATER


@pytest.mark.parametrize(
    ("now", "event"),
    [
        ("planned", called_off().model_copy(update={"called_off": False})),
        ("planned", called_off(LATER)),
        ("planned", called_off(for_visit=UUID(int=1))),
        ("en_route", called_off()),
        ("cancelled", called_off()),
    ],
    ids=["another one follows", "another time", "another visit", "on the way", "over"],
)
async def test_a_visit_keeps_its_time_when_another_one_is_called_off(
    stage: Stage, now: InterventionStatus, event: AppointmentCancelled
) -> None:
    await stage.given(visit(now, slot=SLOT))
    assert (await stage.hears(event)).events == []


@pytest.mark.parametrize(
    ("now", "event"),
    [
        (visit, booked(LATER, for_visit=UUID(int=1))),
        (visit, booked(LATER, who=world.sofia)),
    ],
    ids=["of an earlier visit", "of another technician"],
)
async def test_a_slot_of_somebody_or_something_else_is_not_taken(
    stage: Stage, now: Any, event: AppointmentBooked
) -> None:
    await stage.given(now("planned", slot=SLOT))
    told = enveloped(event)
    assert (await stage.hears(told)).events == []
    assert (await stage.outcome_of(told) or "").startswith("obsolete")


@pytest.mark.parametrize("status", ["en_route", "on_site", "in_progress", "paused", "completed", "cancelled"])
async def test_a_slot_that_comes_too_late_is_obsolete(stage: Stage, status: InterventionStatus) -> None:
    await stage.given(visit(status, slot=SLOT))
    told = enveloped(booked(LATER))
    assert (await stage.hears(told)).events == []
    assert (await stage.outcome_of(told) or "").startswith("obsolete")


def ended(status: ReclamationStatus, assignment: int = 1) -> ReclamationMoved:
    state = a(ReclamationView, RECLAMATION, status=status, assignment=assignment)
    return ReclamationMoved(state=state, before="assigned", after=status)


def unassigned() -> TechnicianUnassigned:
    state = a(ReclamationView, RECLAMATION, status="qualified", assignment=1)
    return TechnicianUnassigned(state=state, technician_id=world.karim.id)


@pytest.mark.parametrize("status", ["planned", "accepted", "en_route"])
@pytest.mark.parametrize("end", ["cancelled", "rejected", "merged", "resolved"])
async def test_nobody_comes_for_what_has_ended(
    stage: Stage, end: ReclamationStatus, status: InterventionStatus
) -> None:
    await stage.given(visit(status, assignment=1))
    moved = (await stage.hears(ended(end))).only(InterventionMoved)
    assert (moved.before, moved.after, moved.state.reason) == (status, "cancelled", f"reclamation_{end}")
    assert (await stage.hears(ended(end))).events == [], "told again"


async def test_nobody_comes_for_what_was_closed_or_taken_from_its_technician(stage: Stage) -> None:
    await stage.given(visit("planned", assignment=1))
    assert (await stage.hears(unassigned())).only(InterventionMoved).reason == "unassigned"
    await stage.given(visit("planned", id=UUID(int=201), assignment=2))
    closed = a(ReclamationView, RECLAMATION, status="closed", assignment=2)
    told = (await stage.hears(ReclamationClosed(state=closed))).only(InterventionMoved)
    assert told.reason == "reclamation_closed"


@pytest.mark.parametrize("status", ["on_site", "in_progress", "paused"])
async def test_who_is_on_site_already_stays(stage: Stage, status: InterventionStatus) -> None:
    await stage.given(visit(status, assignment=1))
    told = (await stage.hears(ended("cancelled"))).only(EndingRefused)
    assert (told.refused, told.state.status) == ("cancelled", status)
    assert (await stage.hears(unassigned())).only(EndingRefused).refused == "qualified"


@pytest.mark.parametrize("status", ["completed", "incomplete", "declined", "no_access"])
async def test_the_end_of_a_reclamation_is_no_matter_to_visits_that_are_over(
    stage: Stage, status: InterventionStatus
) -> None:
    await stage.given(visit(status, assignment=1))
    assert (await stage.hears(ended("resolved"))).events == []


async def test_what_goes_on_keeps_its_visit_and_a_later_assignment_too(stage: Stage) -> None:
    await stage.given(visit("planned", assignment=2))
    assert (await stage.hears(ended("awaiting_parts", 2))).events == []
    assert (await stage.hears(ended("cancelled", 1))).events == [], "it was reopened and assigned since"


async def test_a_visit_is_where_its_reclamation_is(stage: Stage) -> None:
    home = Place(address="8 quai Perrache", postcode="69002", city="Lyon", access_notes="Code 7B")
    planned, _ = (await stage.hears(assigned(world.karim, place=home))).events
    assert planned.state.place == home
