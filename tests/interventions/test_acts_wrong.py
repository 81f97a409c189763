"""Acts that are wrong by themselves, and those that are to be sent again."""

from typing import Any
from uuid import UUID, uuid4

import pytest
import world
from given_acts import LABOUR, Json, a_day, act, apply, at, move, seen, told
from given_interventions import VALVE, VISIT, visit
from pydantic import ValidationError

from sav_chassis.testing import Stage
from sav_contracts.interventions.act import ActsRefused, ApplyActs
from sav_contracts.interventions.visit import MoveIntervention

NO_CAUSE = move(40, "paused")


async def kept(stage: Stage) -> int:
    found = await stage.database.pool.fetchval("SELECT count(*) FROM answered_act")
    assert isinstance(found, int)
    return found


async def test_a_wrong_act_is_refused_alone_and_may_be_sent_corrected(stage: Stage) -> None:
    await stage.given(visit("planned"))
    day = a_day()
    wrong = move(72, "paused")
    outcome = await stage.when(apply(*day[:5], wrong, *day[5:]), by=world.karim)
    assert told(outcome) == [*["done"] * 5, "invalid", *["done"] * 4]
    refusal = outcome.reply["acts"][5]
    assert (refusal["id"], refusal["intervention_id"], refusal["again"]) == (wrong["id"], str(VISIT), False)
    assert [error["field"] for error in refusal["problem"]["errors"]] == ["move.cause"]
    assert refusal["problem"]["errors"][0]["french"].startswith("cause")
    assert await kept(stage) == 9


async def test_what_was_wrong_is_done_under_its_id_once_it_is_right(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    assert told(await stage.when(apply(NO_CAUSE), by=world.karim)) == ["invalid"]
    right = NO_CAUSE | {"move": NO_CAUSE["move"] | {"cause": "parts"}}
    assert told(await stage.when(apply(right), by=world.karim)) == ["done"]
    assert (await seen(stage))[0] == "paused"


async def test_what_names_a_wrong_act_as_the_one_before_it_waits(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    on = move(50, "in_progress", after=NO_CAUSE["id"])
    outcome = await stage.when(apply(NO_CAUSE, on), by=world.karim)
    assert told(outcome) == ["invalid", "act_before_missing"]
    assert [one["again"] for one in outcome.reply["acts"]] == [False, True]


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({}, {"at", "body"}),
        ({"at": at(0)}, {"body"}),
        ({"at": "noon", "submit": {"intervention_id": str(VISIT)}}, {"at"}),
        ({"at": at(0), "submit": {}}, {"submit.intervention_id"}),
        ({"at": at(0), "move": "paused"}, {"move"}),
        (
            {"at": at(0), "work": {"intervention_id": str(VISIT), "solution": "x", "labour": [{}]}},
            {"work.labour.0.description", "work.labour.0.minutes"},
        ),
    ],
)
async def test_each_wrong_field_of_an_act_is_named(stage: Stage, sent: Json, fields: set[str]) -> None:
    outcome = await stage.when(apply({"id": str(uuid4())} | sent), by=world.karim)
    assert told(outcome) == ["invalid"]
    named = {error["field"] for error in outcome.reply["acts"][0]["problem"]["errors"]}
    assert named == fields - ({"body"} if len(fields) > 1 else set())


@pytest.mark.parametrize("sent", [{}, {"id": "x"}, "act", None, [1]])
def test_what_has_no_id_refuses_the_whole_request(sent: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        ApplyActs.model_validate({"acts": [a_day()[0], sent]})
    assert {error["loc"][:2] for error in refused.value.errors()} == {("acts", 1)}


def test_a_wrong_act_reaches_its_owner_as_it_was_sent() -> None:
    sent = {"acts": [a_day()[0], NO_CAUSE]}
    there = ApplyActs.model_validate_json(ApplyActs.model_validate(sent).wire())
    assert there == ApplyActs.model_validate_json(there.wire())
    assert [one.id for one in there.acts] == [UUID(one["id"]) for one in sent["acts"]]


async def test_a_telephone_can_tell_what_to_send_again(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    built_in = act(0, "work", solution="ok", labour=LABOUR, parts=[{"article_id": str(VALVE), "quantity": 1}])
    tomorrow = move(60 * 30, "paused", cause="parts")
    for waits in (built_in, tomorrow, act(1, "sign", signed_by="Léa", signature="a" * 64)):
        [answer] = (await stage.when(apply(waits), by=world.karim)).reply["acts"]
        assert (answer["outcome"], answer["again"]) == ("refused", True), answer
    for good in (move(2, "accepted"), act(3, "submit")):
        [answer] = (await stage.when(apply(good), by=world.karim)).reply["acts"]
        assert (answer["outcome"], answer["again"]) == ("refused", False), answer


async def test_managers_hear_how_many_were_refused_with_those_that_are_wrong(stage: Stage) -> None:
    await stage.given(visit("planned"))
    for to in ("accepted", "en_route"):
        moved = MoveIntervention.model_validate({"intervention_id": VISIT, "to": to})
        await stage.when(moved, by=world.marie)
    outcome = await stage.when(apply(move(0, "accepted"), NO_CAUSE), by=world.karim)
    assert told(outcome) == ["illegal_move", "invalid"]
    refused = outcome.only(ActsRefused)
    assert (len(refused.acts), refused.number) == (1, 2)
