"""What a client reads and does by the link of a visit about which somebody still has to decide."""

from typing import Any
from uuid import UUID

import pytest
import world
from given_calendar import (
    APPOINTMENT,
    VISIT_ID,
    appointment,
    at,
    hours,
    is_away,
    is_back,
    leaves,
    technician,
    visit,
)
from given_calendar import asked as conflict_of
from pydantic import SecretStr

from sav_calendar.commands.visit_link import PURPOSE
from sav_chassis.identity import Links
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import ANYONE
from sav_contracts.calendar.conflict import ConflictBecameMoot, ConflictDetected
from sav_contracts.calendar.offer import GetOfferByLink, OfferTimes, TimeToOffer
from sav_contracts.calendar.visit_link import AnswerVisitByLink, GetVisitByLink
from sav_contracts.slot import WantedSlot


def token(stage: Stage) -> SecretStr:
    return SecretStr(Links(stage.settings.link_secret).token(PURPOSE, APPOINTMENT))


async def shown(stage: Stage) -> dict[str, Any]:
    outcome = await stage.when(GetVisitByLink(token=token(stage)))
    assert outcome.problem is None, outcome.problem
    return dict(outcome.reply)


async def answers(stage: Stage, answer: str, **fields: Any) -> Outcome:
    said = {"token": token(stage), "answer": answer}
    return await stage.when(AnswerVisitByLink.model_validate(said | fields))


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


async def away(stage: Stage) -> UUID:
    """Karim is away when he is expected; the conflict of that."""
    await stage.knows(visit())
    await stage.given(appointment(at(3, 8), intervention_id=VISIT_ID))
    [found] = await is_away(stage, at(3, 7), at(3, 12))
    assert isinstance(found, ConflictDetected)
    return found.state.id


async def test_a_time_about_which_somebody_decides_is_not_confirmed(stage: Stage) -> None:
    await away(stage)
    read = await shown(stage)
    assert (read["status"], read["unsettled"], read["times_token"]) == ("booked", True, None)
    assert refusal(await answers(stage, "confirm")) == (409, "visit_unsettled")
    assert refusal(await answers(stage, "move", start=at(3, 8))) == (409, "visit_unsettled")
    await is_back(stage)
    assert not (await shown(stage))["unsettled"]
    assert (await answers(stage, "confirm")).problem is None


@pytest.mark.parametrize("answer", ["move", "cancel"])
async def test_whoever_moves_or_cancels_it_settles_it(stage: Stage, answer: str) -> None:
    await away(stage)
    assert (await shown(stage))["may_change"]
    outcome = await answers(stage, answer, start=at(4, 8))
    assert (outcome.problem, outcome.reply["unsettled"]) == (None, False)
    assert ConflictBecameMoot in map(type, outcome.events)


@pytest.mark.parametrize("why", ["away", "left"])
async def test_whoever_is_asked_to_choose_another_time_is_led_to_those_while_they_can(
    stage: Stage, why: str
) -> None:
    conflict = await away(stage)
    await stage.given(hours(world.sofia))
    await stage.knows(technician(world.sofia))
    if why == "left":
        conflict = conflict_of(await leaves(stage)).id
    assert (await shown(stage))["times_token"] is None
    offer = TimeToOffer(technician_id=world.sofia.id, slot=WantedSlot(start=at(2, 8), end=at(2, 10)))
    offers = OfferTimes(conflict_id=conflict, times=[offer])
    assert (await stage.when(offers, by=world.marie)).problem is None
    read = await shown(stage)
    assert read["unsettled"]
    looks = GetOfferByLink(token=SecretStr(read["times_token"]))
    assert len((await stage.when(looks, by=ANYONE)).reply["times"]) == 1
    await stage.passes(at(2, 8))
    read = await shown(stage)
    assert (read["unsettled"], read["times_token"]) == (True, None)
