"""Planning visits by event, and what technicians do about them."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
import world

from sav_chassis.testing import Stage, enveloped
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.auth import AccountView, UserActivated
from sav_contracts.claims import ReclamationView, Safety, Slot, TechnicianAssigned
from sav_contracts.interventions import (
    AssignmentRefused,
    InterventionMove,
    InterventionMoved,
    InterventionPlanned,
    InterventionStarted,
    InterventionStatus,
    MoveIntervention,
    TechnicianChanged,
)
from sav_interventions.lifecycle import INTERVENTION
from sav_interventions.model import Intervention

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VISIT = UUID(int=200)
RECLAMATION = UUID(int=100)
SLOT = Slot(start=NOW + timedelta(days=1), end=NOW + timedelta(days=1, hours=2))


def assigned(to: Actor, previous: Actor | None = None, version: int = 3) -> TechnicianAssigned:
    state = ReclamationView(
        id=RECLAMATION,
        version=version,
        created_at=NOW,
        updated_at=NOW,
        reference="REC-2026-000100",
        client_id=world.lea.id,
        technician_id=to.id,
        article="Chaudière",
        problem_type="leak",
        description="goutte à goutte",
        safety=Safety(),
        status="assigned",
        coverage="unknown",
        priority="high",
        priority_reason="leak",
    )
    return TechnicianAssigned(
        state=state, technician_id=to.id, previous_technician_id=previous.id if previous else None, slot=SLOT
    )


def visit(status: InterventionStatus, **fields: Any) -> Intervention:
    usual = {
        "id": VISIT,
        "client_id": world.lea.id,
        "technician_id": world.karim.id,
        "reclamation_id": RECLAMATION,
        "reclamation_reference": "REC-2026-000100",
        "status": status,
    }
    return Intervention(**(usual | fields))


def move(to: InterventionMove, reason: str | None = None) -> MoveIntervention:
    return MoveIntervention(intervention_id=VISIT, to=to, reason=reason)


def activated(role: Role) -> UserActivated:
    account = AccountView(
        id=world.karim.id,
        version=1,
        created_at=NOW,
        updated_at=NOW,
        user_id=world.karim.id,
        email="karim@example.com",
        name="Karim",
        role=role,
        locale="fr",
        status="active",
    )
    return UserActivated(state=account)


async def test_a_technician_who_can_sign_in_gets_a_card_with_the_same_id(stage: Stage) -> None:
    card = (await stage.hears(activated(Role.TECHNICIAN))).only(TechnicianChanged).state
    assert (card.id, card.technician_id, card.active) == (world.karim.id, world.karim.id, True)
    assert (await stage.hears(activated(Role.TECHNICIAN))).events == []


async def test_a_manager_gets_no_card(stage: Stage) -> None:
    assert (await stage.hears(activated(Role.MANAGER))).events == []


async def test_an_assignment_plans_the_visit_with_its_slot(stage: Stage) -> None:
    planned = (await stage.hears(assigned(world.karim))).only(InterventionPlanned)
    assert planned.slot == planned.state.slot == SLOT
    assert (planned.state.technician_id, planned.state.client_id) == (world.karim.id, world.lea.id)


async def test_the_same_assignment_twice_plans_one_visit(stage: Stage) -> None:
    told = enveloped(assigned(world.karim))
    first = (await stage.hears(told)).only(InterventionPlanned)
    assert (await stage.hears(told)).events == []
    assert first.state.version == 1


@pytest.mark.parametrize("status", ["planned", "accepted", "en_route"])
async def test_a_reassignment_cancels_the_open_visit_and_plans_another(
    stage: Stage, status: InterventionStatus
) -> None:
    await stage.given(visit(status))
    outcome = await stage.hears(assigned(world.sofia, previous=world.karim))
    cancelled, planned = outcome.events
    assert isinstance(cancelled, InterventionMoved)
    assert (cancelled.state.id, cancelled.before, cancelled.after) == (VISIT, status, "cancelled")
    assert isinstance(planned, InterventionPlanned)
    assert planned.state.technician_id == world.sofia.id


@pytest.mark.parametrize("status", ["on_site", "in_progress", "paused"])
async def test_a_visit_on_site_refuses_the_reassignment(stage: Stage, status: InterventionStatus) -> None:
    await stage.given(visit(status))
    refused = (await stage.hears(assigned(world.sofia, previous=world.karim))).only(AssignmentRefused)
    assert refused.refused_technician_id == world.sofia.id
    assert (refused.state.technician_id, refused.state.status) == (world.karim.id, status)


@pytest.mark.parametrize("status", ["declined", "cancelled", "completed", "no_access"])
async def test_a_visit_that_is_over_makes_room_for_the_next(stage: Stage, status: InterventionStatus) -> None:
    await stage.given(visit(status))
    assert (await stage.hears(assigned(world.karim))).only(InterventionPlanned).state.id != VISIT


@pytest.mark.parametrize(
    ("now", "to"),
    [("planned", "accepted"), ("accepted", "en_route"), ("en_route", "on_site")],
)
@pytest.mark.parametrize(
    "who", [world.karim, world.marie, world.alex], ids=["technician", "manager", "admin"]
)
async def test_the_technician_or_a_manager_moves_a_visit(
    stage: Stage, now: InterventionStatus, to: InterventionMove, who: Actor
) -> None:
    await stage.given(visit(now))
    moved = (await stage.when(move(to), by=who)).only(InterventionMoved)
    assert (moved.before, moved.after, moved.state.status) == (now, to, to)


async def test_starting_has_an_event_of_its_own(stage: Stage) -> None:
    await stage.given(visit("on_site"))
    started = (await stage.when(move("in_progress"), by=world.karim)).only(InterventionStarted)
    assert started.state.status == "in_progress"


async def test_declining_needs_a_reason(stage: Stage) -> None:
    await stage.given(visit("planned"))
    refused = await stage.when(move("declined"), by=world.karim)
    assert refused.problem
    assert [error.field for error in refused.problem.errors or []] == ["reason"]
    declined = (await stage.when(move("declined", "ill"), by=world.karim)).only(InterventionMoved)
    assert declined.reason == declined.state.reason == "ill"


async def test_every_move_that_is_not_in_the_table_is_answered_with_the_legal_ones(stage: Stage) -> None:
    for now in get_args(InterventionStatus):
        await stage.clear()
        await stage.given(visit(now))
        for to in get_args(InterventionMove):
            if INTERVENTION.allows(now, to):
                continue
            refused = await stage.when(move(to, "because"), by=world.karim)
            assert refused.problem
            assert refused.problem.status == 409
            assert refused.problem.moves == INTERVENTION.legal(now, world.karim)
            assert refused.events == []


@pytest.mark.parametrize("who", [world.sofia], ids=["another technician"])
async def test_somebody_elses_visit_does_not_exist(stage: Stage, who: Actor) -> None:
    await stage.given(visit("planned"))
    outcome = await stage.when(move("accepted"), by=who)
    assert outcome.problem
    assert outcome.problem.status == 404


async def test_a_client_does_not_move_visits(stage: Stage) -> None:
    await stage.given(visit("planned"))
    outcome = await stage.when(move("accepted"), by=world.lea)
    assert outcome.problem
    assert outcome.problem.status == 403


def test_only_sav_itself_cancels_at_present() -> None:
    for now in get_args(InterventionStatus):
        assert "cancelled" not in INTERVENTION.legal(now, world.marie)
        assert ("cancelled" in INTERVENTION.legal(now, SYSTEM)) == (
            now in {"planned", "accepted", "en_route"}
        )
