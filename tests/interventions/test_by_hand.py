"""Visits that people plan by hand, for a réclamation or for none."""

from typing import Any
from uuid import UUID

import pytest
import world
from given_by_hand import further, nobodys, planned, refusal, soon, upkeep, wrong
from given_interventions import (
    RECLAMATION,
    VISIT,
    account,
    assigned,
    reclamation,
    visit,
    work,
)
from given_views import a

from sav_chassis.testing import Stage, enveloped
from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import ReclamationStatus, ReclamationView
from sav_contracts.claims.visits import NOT_PLANNABLE, PlannedVisitRefused
from sav_contracts.interventions.new_visit import PlannedVisitOver
from sav_contracts.interventions.visit import (
    EndingRefused,
    InterventionChanged,
    InterventionMoved,
    InterventionStatus,
    InterventionView,
    MoveIntervention,
)


async def test_a_manager_plans_a_visit_of_a_qualified_reclamation(at_work: Stage) -> None:
    await at_work.knows(nobodys(assignment=3, product_id=None))
    slot = soon()
    asked = further(technician_id=world.karim.id, purpose="diagnostic", slot=slot, outside_hours=True)
    event = planned(await at_work.when(asked, by=world.marie))
    assert event.slot
    assert (event.slot.start, event.slot.end, event.outside_hours) == (slot.start, slot.end, True)
    state = event.state
    assert (state.status, state.slot, state.purpose) == ("planned", None, "diagnostic")
    assert (state.client_id, state.technician_id) == (world.lea.id, world.karim.id)
    assert (state.reclamation_id, state.reclamation_reference) == (RECLAMATION, "REC-2026-000100")
    # It belongs to the assignment that claims makes when it hears of it.
    assert (state.assignment, state.reference, state.follows_id) == (4, None, None)


async def test_the_assignment_that_follows_plans_no_second_visit(at_work: Stage) -> None:
    await at_work.knows(nobodys(assignment=3))
    first = planned(await at_work.when(further(technician_id=world.karim.id), by=world.marie)).state
    told = enveloped(assigned(world.karim, assignment=4))
    assert (await at_work.hears(told)).events == []
    assert await at_work.outcome_of(told) == "their visit is planned already"
    # Claims had assigned it and taken it back meanwhile.
    again = await at_work.hears(assigned(world.karim, assignment=6))
    assert (again.only(InterventionChanged).state.id, again.only(InterventionChanged).state.assignment) == (
        first.id,
        6,
    )


async def test_a_visit_that_was_declined_before_claims_heard_of_it_is_not_planned_again(
    at_work: Stage,
) -> None:
    await at_work.knows(nobodys(assignment=3))
    first = planned(await at_work.when(further(technician_id=world.karim.id), by=world.marie)).state
    declining = MoveIntervention(intervention_id=first.id, to="declined", reason="malade")
    await at_work.when(declining, by=world.karim)
    over = (await at_work.hears(assigned(world.karim, assignment=4))).only(PlannedVisitOver)
    assert (over.state.id, over.state.status, over.state.assignment) == (first.id, "declined", 4)
    # Assigned once more since, they come.
    again, _ = (await at_work.hears(assigned(world.karim, assignment=5))).events
    assert (again.state.status, again.state.assignment) == ("planned", 5)


@pytest.mark.parametrize("now", ["completed", "incomplete", "no_access"])
async def test_a_visit_that_was_made_before_claims_heard_of_it_is_not_planned_again(
    at_work: Stage, now: InterventionStatus
) -> None:
    await at_work.given(visit(now, by_hand=True, assignment=4, work=work()))
    told = enveloped(assigned(world.karim, assignment=4))
    assert (await at_work.hears(told)).events == []
    assert await at_work.outcome_of(told) == f"their visit was planned by hand, and is {now}"
    # Whoever is assigned since comes.
    again, _ = (await at_work.hears(assigned(world.sofia, assignment=5))).events
    assert (again.state.status, again.state.technician_id) == ("planned", world.sofia.id)


async def test_who_was_assigned_meanwhile_comes_instead(at_work: Stage) -> None:
    await at_work.knows(nobodys(assignment=3))
    first = planned(await at_work.when(further(technician_id=world.karim.id), by=world.marie)).state
    cancelled, again, _ = (await at_work.hears(assigned(world.sofia, assignment=4))).events
    assert (cancelled.state.id, cancelled.state.status) == (first.id, "cancelled")
    assert (again.state.technician_id, again.state.assignment) == (world.sofia.id, 4)


@pytest.mark.parametrize(
    "who", [world.karim, world.marie, world.alex], ids=["technician", "manager", "admin"]
)
@pytest.mark.parametrize("status", ["assigned", "in_progress", "awaiting_parts"])
async def test_a_further_visit_follows_the_one_to_which_somebody_came(
    at_work: Stage, status: ReclamationStatus, who: Actor
) -> None:
    await at_work.given(
        visit("incomplete", id=UUID(int=201)),
        visit("completed", work=work()),
        visit("cancelled", id=UUID(int=202)),
    )
    await at_work.knows(reclamation(world.karim, status=status, assignment=2))
    state = planned(await at_work.when(further(), by=who)).state
    assert (state.technician_id, state.assignment) == (world.karim.id, 2)
    assert (state.follows_id, state.purpose) == (VISIT, "repair")


@pytest.mark.parametrize("status", ["planned", "accepted", "en_route", "on_site", "in_progress", "paused"])
async def test_a_reclamation_has_one_open_visit(at_work: Stage, status: InterventionStatus) -> None:
    await at_work.given(visit(status))
    await at_work.knows(reclamation(world.karim))
    refused = await at_work.when(further(), by=world.marie)
    assert refusal(refused) == (409, "visit_open")


@pytest.mark.parametrize("status", sorted(NOT_PLANNABLE))
async def test_a_reclamation_that_gets_no_visits_says_why(at_work: Stage, status: ReclamationStatus) -> None:
    await at_work.knows(nobodys(status=status))
    asked = further(technician_id=world.karim.id)
    refused = await at_work.when(asked, by=world.marie, seconds=1.5)
    assert refusal(refused) == (409, "not_plannable")
    assert refused.problem
    assert NOT_PLANNABLE[status].en in refused.problem.detail


async def test_a_technician_plans_for_their_own_reclamations_only(at_work: Stage) -> None:
    await at_work.knows(reclamation(world.sofia))
    refused = await at_work.when(further(), by=world.karim, seconds=1.5)
    assert refusal(refused) == (404, "not_found")
    unknown = await at_work.when(further(reclamation_id=UUID(int=999)), by=world.karim, seconds=1.5)
    assert refusal(unknown) == (404, "not_found"), "nobody learns which ids there are"


async def test_a_technician_plans_neither_for_others_nor_without_a_reclamation(at_work: Stage) -> None:
    await at_work.knows(reclamation(world.karim))
    others = await at_work.when(further(technician_id=world.sofia.id), by=world.karim)
    assert wrong(others) == ["technician_id"]
    assert refusal(await at_work.when(upkeep(), by=world.karim)) == (403, "not_allowed")
    assert refusal(await at_work.when(further(), by=world.lea)) == (403, "not_allowed")


async def test_somebody_elses_reclamation_is_assigned_anew_instead(at_work: Stage) -> None:
    await at_work.knows(reclamation(world.karim))
    refused = await at_work.when(further(technician_id=world.sofia.id), by=world.marie)
    assert refusal(refused) == (409, "another_technician")


async def test_somebody_has_to_come(at_work: Stage) -> None:
    await at_work.knows(nobodys())
    assert wrong(await at_work.when(further(), by=world.marie)) == ["technician_id"]
    assert wrong(await at_work.when(upkeep(technician_id=None), by=world.marie)) == ["technician_id"]


async def test_who_takes_no_visits_gets_none(at_work: Stage) -> None:
    await at_work.knows(nobodys())
    for asked in (further(technician_id=UUID(int=13)), upkeep(technician_id=UUID(int=13))):
        refused = await at_work.when(asked, by=world.marie)
        assert refusal(refused) == (409, "technician_unavailable")
        assert refused.problem
        assert "Omar" in refused.problem.detail


@pytest.mark.parametrize("status", ["deactivated", "closed"])
async def test_nobody_comes_to_a_client_whose_account_is_over(at_work: Stage, status: str) -> None:
    fields: dict[str, Any] = {"user_id": world.lea.id, "role": "client", "name": "Léa", "status": status}
    await at_work.knows(account(id=world.lea.id, **fields))
    assert refusal(await at_work.when(upkeep(), by=world.marie)) == (409, "client_gone")


@pytest.mark.parametrize("days", [-1, 400])
async def test_a_visit_is_planned_within_a_year(at_work: Stage, days: int) -> None:
    assert wrong(await at_work.when(upkeep(slot=soon(days)), by=world.marie)) == ["slot"]


def refused_visit(status: ReclamationStatus, **fields: Any) -> PlannedVisitRefused:
    known = a(ReclamationView, RECLAMATION, status=status, **fields)
    return PlannedVisitRefused(state=known, intervention_id=VISIT, technician_id=world.karim.id)


@pytest.mark.parametrize(
    ("status", "reason"),
    [("cancelled", "reclamation_cancelled"), ("awaiting_client", "reclamation_awaiting_client"),
     ("assigned", "reassigned")],
)  # fmt: skip
async def test_a_visit_that_its_reclamation_refuses_is_cancelled(
    stage: Stage, status: ReclamationStatus, reason: str
) -> None:
    await stage.given(visit("accepted", by_hand=True, assignment=4))
    moved = (await stage.hears(refused_visit(status))).only(InterventionMoved)
    assert (moved.before, moved.after, moved.reason) == ("accepted", "cancelled", reason)
    assert (await stage.hears(refused_visit(status))).events == [], "told again"


async def test_who_is_on_site_already_goes_on(stage: Stage) -> None:
    await stage.given(visit("on_site", by_hand=True, assignment=4))
    told = (await stage.hears(refused_visit("cancelled", assignment=3))).only(EndingRefused)
    assert (told.refused, told.assignment) == ("cancelled", 3)


def test_old_visits_are_read_as_they_were() -> None:
    """A visit that was told before there were any without a réclamation."""
    old = a(InterventionView, reclamation_id=RECLAMATION).model_dump(mode="json")
    for name in ("reference", "article"):
        del old[name]
    assert InterventionView.model_validate(old).called == "REC-2026-000001"
