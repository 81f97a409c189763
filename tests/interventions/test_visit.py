"""What technicians, and managers for them, do about a visit."""

from typing import Any, get_args

import pytest
import world
from given_interventions import BY_MANAGER, COVERED, PRODUCT, RECLAMATION, VISIT, assigned, visit, work

from sav_chassis.errors import IllegalMove, NotAllowed
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.catalog.product import Place
from sav_contracts.interventions.visit import (
    Cause,
    InterventionMove,
    InterventionMoved,
    InterventionPlanned,
    InterventionStarted,
    InterventionStatus,
    MoveIntervention,
)
from sav_interventions.lifecycle import INTERVENTION

TECHNICIAN, MANAGER, ADMIN = Role.TECHNICIAN, Role.MANAGER, Role.ADMIN
STAFF = {TECHNICIAN, MANAGER, ADMIN}
CANCELLING = {MANAGER, ADMIN, Role.SYSTEM}
# Said once more, state by state: what the table must be, and nothing else.
TABLE: dict[InterventionStatus, dict[InterventionMove, set[Role]]] = {
    "planned": {"accepted": STAFF, "declined": STAFF, "cancelled": CANCELLING},
    "accepted": {"declined": STAFF, "en_route": STAFF, "cancelled": CANCELLING},
    "declined": {},
    "en_route": {"declined": STAFF, "on_site": STAFF, "cancelled": CANCELLING},
    "on_site": {"in_progress": STAFF, "incomplete": STAFF, "no_access": STAFF},
    "in_progress": {"paused": STAFF, "completed": STAFF, "incomplete": STAFF},
    "paused": {"in_progress": STAFF, "completed": STAFF, "incomplete": STAFF},
    "completed": {},
    "incomplete": {},
    "no_access": {},
    "cancelled": {},
}
STATES = get_args(InterventionStatus)
MOVES = get_args(InterventionMove)


def move(to: InterventionMove, reason: str | None = None, cause: Cause | None = None) -> MoveIntervention:
    return MoveIntervention(intervention_id=VISIT, to=to, reason=reason, cause=cause)


def whatever_it_takes(to: InterventionMove) -> MoveIntervention:
    return move(to, reason="parce que", cause="approval")


def wrong_fields(outcome: Outcome) -> list[str]:
    assert outcome.problem
    assert outcome.problem.status == 422
    return [error.field for error in outcome.problem.errors or []]


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("now", STATES)
def test_the_table_says_who_moves_what_where(now: InterventionStatus, role: Role) -> None:
    who = Actor(role=role)
    assert INTERVENTION.legal(now, who) == [to for to in MOVES if role in TABLE[now].get(to, set())]
    for to in STATES:
        allowed = TABLE[now].get(to, set())
        if role in allowed:
            INTERVENTION.check(now, to, who)
        else:
            with pytest.raises(NotAllowed if allowed else IllegalMove):
                INTERVENTION.check(now, to, who)


@pytest.mark.parametrize(
    "who", [world.karim, world.marie, world.alex], ids=["technician", "manager", "admin"]
)
@pytest.mark.parametrize("now", STATES)
async def test_a_visit_is_moved_as_the_table_says_and_not_otherwise(
    stage: Stage, now: InterventionStatus, who: Actor
) -> None:
    await stage.given(visit(now, work=work()))
    for to in MOVES:
        outcome = await stage.when(whatever_it_takes(to), by=who)
        meant: InterventionMove = "declined" if to == "cancelled" and who is world.karim else to
        allowed = TABLE[now].get(meant, set())
        if who.role in allowed:
            assert outcome.problem is None, (now, to)
            assert outcome.reply["status"] == meant
            await stage.clear()
            await stage.given(visit(now, work=work()))
        elif allowed:
            assert refusal(outcome) == (403, "not_allowed")
        else:
            assert refusal(outcome) == (409, "illegal_move")
            assert outcome.problem
            assert outcome.problem.moves == INTERVENTION.legal(now, who)


@pytest.mark.parametrize(
    ("now", "to"),
    [
        ("planned", "accepted"),
        ("accepted", "en_route"),
        ("en_route", "on_site"),
        ("in_progress", "paused"),
        ("paused", "in_progress"),
        ("in_progress", "completed"),
        ("planned", "cancelled"),
    ],
)
async def test_a_move_tells_where_from_and_where_to(
    stage: Stage, now: InterventionStatus, to: InterventionMove
) -> None:
    await stage.given(visit(now, work=work()))
    moved = (await stage.when(whatever_it_takes(to), by=world.marie)).only(InterventionMoved)
    assert (moved.before, moved.after, moved.state.status) == (now, to, to)


async def test_starting_has_an_event_of_its_own(stage: Stage) -> None:
    await stage.given(visit("on_site"))
    started = (await stage.when(move("in_progress"), by=world.karim)).only(InterventionStarted)
    assert started.state.status == "in_progress"


@pytest.mark.parametrize(
    ("now", "to"), [("planned", "declined"), ("planned", "cancelled"), ("on_site", "no_access")]
)
async def test_what_takes_a_visit_off_the_plan_needs_a_reason(
    stage: Stage, now: InterventionStatus, to: InterventionMove
) -> None:
    await stage.given(visit(now))
    assert wrong_fields(await stage.when(move(to), by=world.marie)) == ["reason"]
    first, *_ = (await stage.when(move(to, "malade"), by=world.marie)).events
    assert isinstance(first, InterventionMoved)
    assert first.reason == first.state.reason == "malade"


@pytest.mark.parametrize("cause", get_args(Cause))
async def test_a_visit_pauses_for_what_it_waits_for(stage: Stage, cause: Cause) -> None:
    await stage.given(visit("in_progress"))
    outcome = await stage.when(move("paused", cause=cause), by=world.karim)
    if cause in {"parts", "access", "approval"}:
        assert outcome.only(InterventionMoved).state.cause == cause
        resumed = (await stage.when(move("in_progress"), by=world.karim)).only(InterventionMoved)
        assert resumed.state.cause is None
    else:
        assert wrong_fields(outcome) == ["cause"]


async def test_a_visit_is_not_completed_before_its_work_is_described(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    assert refusal(await stage.when(move("completed"), by=world.karim)) == (409, "work_missing")


async def test_parts_that_a_warranty_pays_need_their_serials(stage: Stage) -> None:
    await stage.given(visit("in_progress", work=work(), warranty=COVERED))
    refused = await stage.when(move("completed"), by=world.karim)
    assert refusal(refused) == (409, "serials_missing")
    assert refused.problem
    assert "Vanne gaz" in refused.problem.detail


@pytest.mark.parametrize(
    "fields",
    [
        {"work": work(serial="V-1"), "warranty": COVERED},
        {"work": work(), "warranty": BY_MANAGER.model_copy(update={"parts": 0})},
        {"work": work()},
    ],
    ids=["with serials", "parts are not paid for", "nobody knows yet"],
)
async def test_a_visit_with_what_it_takes_is_completed(stage: Stage, fields: dict[str, Any]) -> None:
    await stage.given(visit("in_progress", **fields))
    completed = (await stage.when(move("completed"), by=world.karim)).only(InterventionMoved)
    assert completed.state.status == "completed"


@pytest.mark.parametrize("now", ["in_progress", "paused"])
@pytest.mark.parametrize("cause", [cause for cause in get_args(Cause) if cause != "estimate_refused"])
async def test_an_incomplete_visit_is_followed_by_another(
    stage: Stage, now: InterventionStatus, cause: Cause
) -> None:
    home = Place(address="8 quai Perrache", postcode="69002", city="Lyon")
    await stage.given(
        visit(now, product_id=PRODUCT, warranty=COVERED, assignment=2, purpose="maintenance", place=home)
    )
    ended, planned = (await stage.when(move("incomplete", cause=cause), by=world.karim)).events
    assert isinstance(ended, InterventionMoved)
    assert (ended.state.status, ended.state.cause) == ("incomplete", cause)
    assert isinstance(planned, InterventionPlanned)
    follow_up = planned.state
    assert (follow_up.status, follow_up.slot, planned.slot, follow_up.work) == ("planned", None, None, None)
    assert (follow_up.follows_id, follow_up.assignment) == (VISIT, 2)
    assert (follow_up.technician_id, follow_up.client_id) == (world.karim.id, world.lea.id)
    assert (follow_up.reclamation_id, follow_up.product_id) == (RECLAMATION, PRODUCT)
    assert (follow_up.purpose, follow_up.warranty, follow_up.place) == ("maintenance", COVERED, home)


async def test_nobody_comes_again_after_a_refused_estimate(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    refused = await stage.when(move("incomplete", cause="estimate_refused"), by=world.karim)
    assert refused.only(InterventionMoved).state.status == "incomplete"


async def test_a_closed_door_is_followed_by_another_visit(stage: Stage) -> None:
    await stage.given(visit("on_site"))
    _, planned = (await stage.when(move("no_access", "personne"), by=world.karim)).events
    assert isinstance(planned, InterventionPlanned)
    assert planned.state.follows_id == VISIT


async def test_a_follow_up_is_the_visit_that_a_reassignment_replaces(stage: Stage) -> None:
    await stage.given(visit("on_site"))
    _, planned = (await stage.when(move("no_access", "personne"), by=world.karim)).events
    cancelled, *_ = (await stage.hears(assigned(world.sofia, previous=world.karim))).events
    assert cancelled.state.id == planned.state.id


@pytest.mark.parametrize("now", ["planned", "accepted", "en_route"])
async def test_a_technician_who_cancels_declines(stage: Stage, now: InterventionStatus) -> None:
    await stage.given(visit(now))
    assert wrong_fields(await stage.when(move("cancelled"), by=world.karim)) == ["reason"]
    told = (await stage.when(move("cancelled", "malade"), by=world.karim)).only(InterventionMoved)
    assert (told.before, told.after, told.state.status, told.reason) == (
        now,
        "declined",
        "declined",
        "malade",
    )


async def test_somebody_elses_visit_does_not_exist(stage: Stage) -> None:
    await stage.given(visit("planned"))
    assert refusal(await stage.when(move("accepted"), by=world.sofia)) == (404, "not_found")


async def test_a_client_does_not_move_visits(stage: Stage) -> None:
    await stage.given(visit("planned"))
    assert refusal(await stage.when(move("accepted"), by=world.lea)) == (403, "not_allowed")


async def test_a_client_sees_neither_costs_nor_causes(stage: Stage) -> None:
    await stage.given(visit("in_progress", work=work()))
    paused = (await stage.when(move("paused", "il manque un joint", "parts"), by=world.karim)).only(
        InterventionMoved
    )
    shown = paused.state.for_client().model_dump()
    assert not {"work", "cause", "reason", "assignment"} & shown.keys()
    assert shown["status"] == "paused"


@pytest.mark.parametrize(("now", "shown"), [("accepted", "planned"), ("declined", "cancelled")])
async def test_a_client_reads_plainer_states(
    stage: Stage, now: InterventionMove, shown: InterventionStatus
) -> None:
    await stage.given(visit("planned"))
    moved = (await stage.when(whatever_it_takes(now), by=world.karim)).only(InterventionMoved)
    assert moved.state.for_client().status == shown
    assert moved.for_client() is None
