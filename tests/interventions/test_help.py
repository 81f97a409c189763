"""Asking for help on a visit."""

from typing import get_args

import pytest
import world
from given_interventions import VISIT, visit

from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.interventions.help import AskForHelp, HelpRequested
from sav_contracts.interventions.visit import (
    OPEN_VISIT,
    InterventionMoved,
    InterventionStatus,
    MoveIntervention,
)

ASKED = AskForHelp(intervention_id=VISIT, text="la vanne ne ferme plus")


@pytest.mark.parametrize("now", sorted(OPEN_VISIT))
async def test_a_technician_asks_for_help_while_the_visit_is_open(
    stage: Stage, now: InterventionStatus
) -> None:
    await stage.given(visit(now, cause="parts"))
    told = (await stage.when(ASKED, by=world.karim)).only(HelpRequested)
    assert (told.text, told.state.help_asked_for) == ("la vanne ne ferme plus", "la vanne ne ferme plus")
    assert told.state.help_asked_at is not None
    assert told.state.status == now


async def test_asking_again_says_what_is_needed_now(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    first = (await stage.when(ASKED, by=world.karim)).only(HelpRequested).state.help_asked_at
    again = AskForHelp(intervention_id=VISIT, text="elle est fermée, il manque un joint")
    state = (await stage.when(again, by=world.karim)).only(HelpRequested).state
    assert state.help_asked_for == "elle est fermée, il manque un joint"
    assert state.help_asked_at
    assert first
    assert state.help_asked_at > first


async def test_the_next_move_ends_the_call(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    await stage.when(ASKED, by=world.karim)
    paused = MoveIntervention(intervention_id=VISIT, to="paused", cause="parts")
    state = (await stage.when(paused, by=world.marie)).only(InterventionMoved).state
    assert (state.help_asked_at, state.help_asked_for) == (None, None)


@pytest.mark.parametrize(
    "now", [status for status in get_args(InterventionStatus) if status not in OPEN_VISIT]
)
async def test_nobody_helps_with_what_is_over(stage: Stage, now: InterventionStatus) -> None:
    await stage.given(visit(now, reason="parce que"))
    outcome = await stage.when(ASKED, by=world.karim)
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code) == (409, "nothing_to_help_with")


@pytest.mark.parametrize(
    ("who", "status"), [(world.sofia, 404), (world.lea, 403), (world.marie, 403), (world.alex, 403)]
)
async def test_help_is_asked_by_the_technician_of_the_visit(stage: Stage, who: Actor, status: int) -> None:
    await stage.given(visit("in_progress"))
    outcome = await stage.when(ASKED, by=who)
    assert outcome.problem
    assert (outcome.problem.status, outcome.events) == (status, [])
