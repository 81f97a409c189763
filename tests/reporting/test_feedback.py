"""Feedback: asked for once, given by the client of the visit, and changed for a fortnight."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import world
from given_reporting import RECLAMATION, VISIT, closed, visit
from pydantic import SecretStr, ValidationError

from sav_chassis.errors import Problem
from sav_chassis.identity import Links
from sav_chassis.testing import Stage, enveloped
from sav_chassis.written import day
from sav_contracts.actor import ANYONE, Actor
from sav_contracts.interventions.visit import InterventionStatus
from sav_contracts.reporting import (
    FeedbackAsked,
    FeedbackGiven,
    FeedbackInvited,
    GetFeedbackByLink,
    GiveFeedback,
    GiveFeedbackByLink,
)
from sav_contracts.time_zone import CENTRAL

FORTNIGHT = timedelta(days=14)
GOOD = GiveFeedback(intervention_id=VISIT, rating=4, recommend=9, comment="à l'heure", contact_me=True)


async def invited(stage: Stage) -> FeedbackInvited:
    """Léa is asked how Karim's visit was, which was closed just now."""
    return (await stage.hears(closed(visit(), stage.now()))).only(FeedbackInvited)


async def refused(stage: Stage, by: Actor = world.lea) -> Problem:
    outcome = await stage.when(GOOD, by=by)
    assert outcome.problem
    assert outcome.events == []
    return outcome.problem


async def test_a_client_is_asked_how_a_completed_visit_was(stage: Stage) -> None:
    told = closed(visit(), stage.now())
    feedback = (await stage.hears(told)).only(FeedbackInvited).state
    assert (feedback.status, feedback.rating, feedback.contact_me) == ("invited", None, False)
    assert (feedback.client_id, feedback.technician_id) == (world.lea.id, world.karim.id)
    assert (feedback.intervention_id, feedback.reclamation_id) == (VISIT, RECLAMATION)
    assert told.state.closed_at
    assert feedback.open_until == told.state.closed_at + FORTNIGHT


async def test_a_client_reads_which_visit_they_are_asked_about(stage: Stage) -> None:
    # In Paris it is the next day already.
    done = visit(done_at=datetime(2026, 3, 5, 23, 30, tzinfo=UTC))
    feedback = (await stage.hears(closed(done, stage.now()))).only(FeedbackInvited).state
    known = ("REC-2026-000001", date(2026, 3, 6))
    assert (feedback.visit, feedback.visited_on) == known
    read = (await stage.when(GetFeedbackByLink(token=by_link(stage, feedback.id)), by=ANYONE)).reply
    assert (read["visit"], read["visited_on"]) == (known[0], "2026-03-06")


async def test_a_visit_for_no_reclamation_is_asked_about_too(stage: Stage) -> None:
    upkeep = visit(reclamation_id=None, reclamation_reference=None, purpose="maintenance")
    feedback = (await stage.hears(closed(upkeep, stage.now()))).only(FeedbackInvited).state
    assert feedback.reclamation_id is None
    assert feedback.timeline_roots() == {VISIT}
    assert (await stage.when(GOOD, by=world.lea)).only(FeedbackGiven).state.rating == 4


async def test_nobody_is_asked_twice_about_a_visit(stage: Stage) -> None:
    told = enveloped(closed(visit(), stage.now()))
    assert (await stage.hears(told)).events
    assert (await stage.hears(told)).events == []
    again = enveloped(closed(visit(), stage.now()))
    assert (await stage.hears(again)).events == []
    assert await stage.outcome_of(again) == "asked already"


async def test_each_visit_is_asked_about(stage: Stage) -> None:
    await invited(stage)
    (await stage.hears(closed(visit(number=201), stage.now()))).only(FeedbackInvited)


async def test_nobody_is_asked_about_a_visit_that_goes_on_another_day(stage: Stage) -> None:
    assert (await stage.hears(closed(visit(), stage.now(), "incomplete"))).events == []


async def test_a_client_says_how_it_was(stage: Stage) -> None:
    await invited(stage)
    outcome = await stage.when(GOOD, by=world.lea)
    feedback = outcome.only(FeedbackGiven).state
    assert (feedback.status, feedback.rating, feedback.recommend) == ("given", 4, 9)
    assert (feedback.comment, feedback.contact_me) == ("à l'heure", True)
    assert (outcome.reply["id"], outcome.reply["rating"]) == (str(feedback.id), 4)


async def test_what_is_said_again_replaces_everything_said_before(stage: Stage) -> None:
    await invited(stage)
    await stage.when(GOOD, by=world.lea)
    await stage.passes(FORTNIGHT - timedelta(minutes=1))
    again = GiveFeedback(intervention_id=VISIT, rating=2)
    feedback = (await stage.when(again, by=world.lea)).only(FeedbackGiven).state
    assert (feedback.version, feedback.rating, feedback.recommend) == (3, 2, None)
    assert (feedback.comment, feedback.contact_me) == (None, False)


@pytest.mark.parametrize("given", [False, True])
async def test_after_a_fortnight_it_is_too_late(stage: Stage, given: bool) -> None:
    await invited(stage)
    if given:
        await stage.when(GOOD, by=world.lea)
    await stage.passes(FORTNIGHT + timedelta(minutes=1))
    problem = await refused(stage)
    assert (problem.status, problem.code) == (409, "feedback_over")
    until = (stage.now() - timedelta(minutes=1)).astimezone(ZoneInfo(CENTRAL)).date()
    assert problem.in_french().detail.endswith(f"jusqu’au {day(until, 'fr')}")


@pytest.mark.parametrize(
    ("who", "status"), [(world.paul, 404), (world.karim, 403), (world.marie, 403), (world.alex, 403)]
)
async def test_nobody_else_speaks_for_the_client(stage: Stage, who: Actor, status: int) -> None:
    await stage.projects(closed(visit(), stage.now()))
    assert (await refused(stage, who)).status == status
    await invited(stage)
    assert (await refused(stage, who)).status == status


async def test_a_visit_that_nobody_heard_of_is_unknown(stage: Stage) -> None:
    problem = await refused(stage)
    assert (problem.status, problem.code) == (404, "not_found")
    assert str(VISIT) in problem.detail


@pytest.mark.parametrize("status", ["planned", "in_progress", "paused", "completed"])
async def test_a_visit_whose_report_is_not_validated_is_not_over(
    stage: Stage, status: InterventionStatus
) -> None:
    await stage.projects(closed(visit(), stage.now()).model_copy(update={"state": visit(status=status)}))
    problem = await refused(stage)
    assert (problem.status, problem.code) == (409, "visit_not_over")


@pytest.mark.parametrize("status", ["incomplete", "no_access", "cancelled", "declined"])
async def test_of_a_visit_without_the_work_the_reason_is_said(
    stage: Stage, status: InterventionStatus
) -> None:
    await stage.projects(closed(visit(), stage.now()).model_copy(update={"state": visit(status=status)}))
    problem = await refused(stage)
    assert (problem.status, problem.code) == (409, "visit_not_done")


async def test_a_visit_that_goes_on_another_day_is_asked_about_then(stage: Stage) -> None:
    await stage.projects(closed(visit(), stage.now(), "incomplete"))
    assert (await refused(stage)).code == "visit_not_done"


async def test_an_invitation_that_arrives_soon_is_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.command_server, "patience", 5.0)
    await stage.projects(closed(visit(), stage.now()))
    giving = asyncio.create_task(stage.when(GOOD, by=world.lea))
    # That it waits cannot be seen from outside; had it not begun yet, it would not have to.
    await asyncio.sleep(0.2)
    # It may be given before `hears` has looked what happened.
    await stage.hears(closed(visit(), stage.now()))
    assert (await giving).problem is None


async def test_who_is_faster_than_their_invitation_may_try_again(stage: Stage) -> None:
    await stage.projects(closed(visit(), stage.now()))
    problem = await refused(stage)
    assert (problem.status, problem.code) == (503, "not_yet_known")
    assert problem.retry_after


@pytest.mark.parametrize(
    "wrong",
    [
        *({"rating": rating} for rating in (0, 6, None)),
        *({"recommend": recommend} for recommend in (-1, 11)),
        *({"comment": comment} for comment in ("", "zero\x00byte", "x" * 4001)),
        {"said_by": str(UUID(int=2))},
    ],
)
def test_what_no_feedback_can_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refusal:
        GiveFeedback.model_validate({"intervention_id": VISIT, "rating": 3} | wrong)
    assert [error["loc"] for error in refusal.value.errors()] == [tuple(wrong)]


def by_link(stage: Stage, feedback_id: UUID, purpose: str = "feedback") -> SecretStr:
    return SecretStr(Links(stage.settings.link_secret).token(purpose, feedback_id))


async def test_who_holds_the_link_reads_and_says_how_it_was_without_an_account(stage: Stage) -> None:
    token = by_link(stage, (await invited(stage)).state.id)
    asked = await stage.when(GetFeedbackByLink(token=token), by=ANYONE)
    assert (asked.reply["status"], asked.reply["rating"], asked.events) == ("invited", None, [])
    said = GiveFeedbackByLink(token=token, rating=4, recommend=9, comment="à l'heure", contact_me=True)
    outcome = await stage.when(said, by=ANYONE)
    feedback = outcome.only(FeedbackGiven).state
    assert (feedback.status, feedback.rating, feedback.comment) == ("given", 4, "à l'heure")
    assert (feedback.client_id, feedback.contact_me) == (world.lea.id, True)
    assert outcome.reply.keys() == FeedbackAsked.model_fields.keys()
    again = GiveFeedbackByLink(token=token, rating=1)
    assert (await stage.when(again, by=ANYONE)).only(FeedbackGiven).state.comment is None
    read = (await stage.when(GetFeedbackByLink(token=token), by=ANYONE)).reply
    assert (read["status"], read["rating"], read["comment"]) == ("given", 1, None)


async def test_a_link_that_is_not_ours_says_and_reads_nothing(stage: Stage) -> None:
    feedback = (await invited(stage)).state
    worthless = (
        by_link(stage, feedback.id, "invitation"),
        by_link(stage, feedback.intervention_id),
        SecretStr("x"),
        SecretStr("é"),
    )
    for token in worthless:
        for message in (GetFeedbackByLink(token=token), GiveFeedbackByLink(token=token, rating=4)):
            outcome = await stage.when(message, by=ANYONE)
            assert outcome.problem
            assert (outcome.problem.status, outcome.problem.code) == (410, "link_expired")
            assert outcome.events == []


async def test_a_link_holds_for_a_fortnight(stage: Stage) -> None:
    token = by_link(stage, (await invited(stage)).state.id)
    await stage.passes(FORTNIGHT + timedelta(minutes=1))
    outcome = await stage.when(GiveFeedbackByLink(token=token, rating=4), by=ANYONE)
    assert outcome.problem
    assert outcome.problem.code == "feedback_over"


@pytest.mark.parametrize("bounds", [(1, 0), (5, 10)])
async def test_the_bounds_are_fine(stage: Stage, bounds: tuple[int, int]) -> None:
    await invited(stage)
    rating, recommend = bounds
    said = GiveFeedback(intervention_id=VISIT, rating=rating, recommend=recommend)
    feedback = (await stage.when(said, by=world.lea)).only(FeedbackGiven).state
    assert (feedback.rating, feedback.recommend) == bounds


async def test_a_client_reads_all_of_what_they_said(stage: Stage) -> None:
    await invited(stage)
    told = (await stage.when(GOOD, by=world.lea)).only(FeedbackGiven)
    assert told.state.for_client() == told.state
    assert told.for_client() == told
    assert (told.state.client_id, told.state.technician_id) == (world.lea.id, world.karim.id)
