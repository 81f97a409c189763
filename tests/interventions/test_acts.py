"""What was done offline: applied once, in the order in which it happened, each act answered on its own."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import get_args
from uuid import UUID, uuid4

import pytest
import world
from given_acts import LABOUR, Json, a_day, act, apply, at, move, seen, told
from given_interventions import NOW, VALVE, VISIT, report, valve, visit
from pydantic import ValidationError

from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.interventions.act import (
    MOST_ACTS,
    ActsAnswer,
    ActsRefused,
)
from sav_contracts.interventions.report import ReportChanged, ReportSubmitted, SendBackReport
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionStarted,
    MadeMove,
    MoveIntervention,
    WorkRecorded,
)

OTHER = UUID(int=201)


async def test_a_day_is_applied_as_by_the_single_commands(stage: Stage) -> None:
    await stage.given(visit("planned"))
    outcome = await stage.when(apply(*a_day()), by=world.karim)
    assert told(outcome) == ["done"] * 9
    assert [act["status"] for act in outcome.reply["acts"]] == [
        *("accepted", "en_route", "on_site", "in_progress"), None, "completed", *(None, None, None),
    ]  # fmt: skip
    assert [type(event) for event in outcome.events] == [
        *(InterventionMoved, InterventionMoved, InterventionMoved, InterventionStarted, WorkRecorded),
        *(InterventionMoved, ReportChanged, ReportChanged, ReportSubmitted),
    ]
    ended = outcome.events[5]
    assert isinstance(ended, InterventionMoved)
    assert ended.state.done_at == ended.happened_at == datetime.fromisoformat(at(80))
    assert [act.at.isoformat() for act in ended.state.acts] == [at(0), at(10), at(30), at(35), at(80)]


async def test_it_is_applied_in_the_order_in_which_it_happened_and_answered_in_the_order_sent(
    stage: Stage,
) -> None:
    await stage.given(visit("planned"))
    backwards = a_day()[::-1]
    outcome = await stage.when(apply(*backwards), by=world.karim)
    assert told(outcome) == ["done"] * 9
    assert [act["id"] for act in outcome.reply["acts"]] == [act["id"] for act in backwards]


async def test_an_act_that_comes_again_is_not_done_again(stage: Stage) -> None:
    await stage.given(visit("planned"))
    day = a_day()
    first = await stage.when(apply(*day[:4], day[0]), by=world.karim)
    assert told(first) == ["done"] * 4 + ["done_before"]
    again = await stage.when(apply(*day), by=world.karim)
    assert told(again) == ["done_before"] * 4 + ["done"] * 5
    assert [act["status"] for act in again.reply["acts"]][:2] == ["accepted", "en_route"]
    nothing = await stage.when(apply(*day), by=world.karim)
    assert (told(nothing), nothing.events) == (["done_before"] * 9, [])


async def test_one_that_is_refused_changes_nothing_for_the_others_and_stays_refused(stage: Stage) -> None:
    await stage.given(visit("planned"), visit("planned", id=OTHER, reclamation_id=uuid4()))
    acts = [
        move(0, "accepted"),
        move(1, "completed"),
        move(2, "en_route"),
        act(3, "work", solution="purgé", labour=LABOUR),
        move(4, "accepted", OTHER),
        move(5, "on_site"),
    ]
    outcome = await stage.when(apply(*acts), by=world.karim)
    expected = ["done", "illegal_move", "done", "not_under_way", "done", "done"]
    assert told(outcome) == expected
    assert outcome.reply["acts"][1]["problem"]["moves"] == ["declined", "en_route"]
    *moved, refused = outcome.events
    assert [event.state.status for event in moved] == ["on_site", "on_site", "accepted", "on_site"]
    assert isinstance(refused, ActsRefused)
    # Later it would be possible: it is not done at another time than it says.
    await stage.when(apply(move(6, "in_progress")), by=world.karim)
    again = await stage.when(apply(*acts), by=world.karim)
    assert told(again) == [
        "done_before",
        "illegal_move",
        "done_before",
        "not_under_way",
        *["done_before"] * 2,
    ]
    assert again.events == []


async def test_the_refusal_speaks_both_languages_until_the_edge_chooses(stage: Stage) -> None:
    await stage.given(visit("planned"))
    outcome = await stage.when(apply(move(0, "completed")), by=world.karim)
    answer = ActsAnswer.model_validate(outcome.reply)
    english, french = (answer.spoken(chosen).acts[0].problem for chosen in (False, True))
    assert english
    assert french
    assert english.detail != french.detail
    assert (english.french, french.french) == (None, None)
    again = await stage.when(apply(move(0, "completed")), by=world.karim)
    assert again.reply["acts"][0]["problem"]["french"] == french.detail


async def test_another_act_under_the_same_id_is_refused(stage: Stage) -> None:
    await stage.given(visit("planned"))
    first = move(0, "accepted")
    other = move(1, "en_route") | {"id": first["id"]}
    assert told(await stage.when(apply(first, other), by=world.karim)) == ["done", "invalid"]
    assert told(await stage.when(apply(other), by=world.karim)) == ["invalid"]
    assert (await seen(stage))[0] == "accepted"


async def test_two_technicians_may_choose_the_same_id(stage: Stage) -> None:
    theirs = visit("planned", id=OTHER, reclamation_id=uuid4(), technician_id=world.sofia.id)
    await stage.given(visit("planned"), theirs)
    mine = move(0, "accepted")
    hers = move(0, "accepted", OTHER) | {"id": mine["id"]}
    assert told(await stage.when(apply(mine), by=world.karim)) == ["done"]
    assert told(await stage.when(apply(hers), by=world.sofia)) == ["done"]


@pytest.mark.parametrize("number", range(9))
async def test_somebody_elses_visit_does_not_exist(stage: Stage, number: int) -> None:
    await stage.given(visit("planned"), report("draft"))
    mine, nobodys = a_day()[number], a_day(uuid4())[number]
    answers = [await stage.when(apply(act), by=world.sofia) for act in (mine, nobodys)]
    assert [told(answer) for answer in answers] == [["not_found"]] * 2


@pytest.mark.parametrize("who", [world.marie, world.alex, world.lea], ids=["manager", "admin", "client"])
async def test_only_technicians_send_acts(stage: Stage, who: Actor) -> None:
    await stage.given(visit("planned"))
    outcome = await stage.when(apply(move(0, "accepted")), by=who)
    assert outcome.problem
    assert outcome.problem.code == "not_allowed"


async def test_an_act_waits_for_the_one_before_it(stage: Stage) -> None:
    await stage.given(visit("planned"))
    first, second = move(0, "accepted"), move(10, "en_route")
    second["after"] = first["id"]
    alone = await stage.when(apply(second), by=world.karim)
    assert (told(alone), alone.events) == (["act_before_missing"], [])
    assert told(await stage.when(apply(second, first), by=world.karim)) == ["done", "done"]


async def test_acts_of_one_moment_are_in_the_order_of_their_chain(stage: Stage) -> None:
    await stage.given(visit("planned"))
    acts = [move(0, "accepted"), move(0, "en_route"), move(0, "on_site")]
    for number, (before, after) in enumerate(pairwise(acts)):
        # Ids that sort the other way round.
        before["id"], after["after"] = str(UUID(int=9 - number)), str(UUID(int=9 - number))
    outcome = await stage.when(apply(*acts[::-1]), by=world.karim)
    assert told(outcome) == ["done"] * 3
    assert outcome.events[-1].state.status == "on_site"


async def test_acts_of_one_moment_are_otherwise_in_the_order_in_which_they_were_sent(stage: Stage) -> None:
    await stage.given(visit("planned"))
    acts = [move(0, to) for to in ("accepted", "en_route", "on_site", "in_progress")]
    for number, one in enumerate(acts):
        one["id"] = str(UUID(int=9 - number))
    assert told(await stage.when(apply(*acts), by=world.karim)) == ["done"] * 4


async def test_acts_that_name_each_other_in_a_circle_are_refused(stage: Stage) -> None:
    await stage.given(visit("planned"))
    one, other, itself = move(0, "accepted"), move(1, "accepted"), move(2, "accepted")
    one["after"], other["after"], itself["after"] = other["id"], one["id"], itself["id"]
    assert told(await stage.when(apply(one, other, itself), by=world.karim)) == ["act_before_missing"] * 3


async def test_an_act_after_one_that_was_refused_is_tried(stage: Stage) -> None:
    await stage.given(visit("planned"))
    wrong, right = move(0, "completed"), move(10, "accepted")
    right["after"] = wrong["id"]
    assert told(await stage.when(apply(wrong), by=world.karim)) == ["illegal_move"]
    assert told(await stage.when(apply(right), by=world.karim)) == ["done"]


async def test_a_clock_that_is_fast_is_waited_for(stage: Stage) -> None:
    await stage.given(visit("planned"))
    early = move(0, "accepted") | {"at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    assert told(await stage.when(apply(early), by=world.karim)) == ["invalid"]
    stage.ahead = timedelta(hours=2)
    assert told(await stage.when(apply(early), by=world.karim)) == ["done"]


async def test_what_comes_after_an_act_that_waits_waits_too(stage: Stage) -> None:
    """Whatever is done of it without the act before it would be refused for good."""
    await stage.given(visit("in_progress"), visit("planned", id=OTHER, reclamation_id=uuid4()))
    built_in = act(0, "work", solution="ok", labour=LABOUR, parts=[{"article_id": str(VALVE), "quantity": 1}])
    acts = [
        built_in,
        move(5, "completed"),
        act(6, "report", findings="purgé", work_done="purgé"),
        move(7, "accepted", OTHER),
    ]
    outcome = await stage.when(apply(*acts), by=world.karim)
    assert told(outcome) == ["invalid", "act_before_missing", "act_before_missing", "done"]
    await stage.knows(valve())
    outcome = await stage.when(apply(*acts), by=world.karim)
    assert told(outcome) == ["done", "done", "done", "done_before"]


@pytest.mark.parametrize("number", range(9))
async def test_no_act_is_done_before_its_time(stage: Stage, number: int) -> None:
    """Otherwise a fast clock would have what was written refused, for a move that waits."""
    await stage.given(visit("planned"))
    day = a_day()
    if number:
        await stage.when(apply(*day[:number]), by=world.karim)
    early = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    late = [one | {"at": early} for one in day[number:]]
    outcome = await stage.when(apply(*late), by=world.karim)
    assert told(outcome) == ["invalid"] + ["act_before_missing"] * (len(late) - 1)
    stage.ahead = timedelta(hours=2)
    assert told(await stage.when(apply(*late), by=world.karim)) == ["done"] * len(late)


async def test_a_part_that_is_not_known_here_yet_is_asked_for_again(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    built_in = act(0, "work", solution="ok", labour=LABOUR, parts=[{"article_id": str(VALVE), "quantity": 1}])
    outcome = await stage.when(apply(built_in), by=world.karim)
    assert told(outcome) == ["invalid"]
    assert "work.parts.0.article_id" in outcome.reply["acts"][0]["problem"]["detail"]
    await stage.knows(valve())
    assert told(await stage.when(apply(built_in), by=world.karim)) == ["done"]


async def test_what_was_written_before_its_report_was_validated_is_no_correction(stage: Stage) -> None:
    await stage.given(visit("completed"), report("validated"))
    before = [
        act(0, "report", findings="purgé", work_done="purgé"),
        act(1, "sign", refused="elle est partie"),
        act(2, "submit"),
    ]
    outcome = await stage.when(apply(*before), by=world.karim)
    assert told(outcome) == ["final_since", "illegal_move", "illegal_move"]
    assert await stage.database.pool.fetchval("SELECT count(*) FROM report") == 1
    since = before[0] | {"id": str(uuid4()), "at": datetime.now(UTC).isoformat()}
    assert told(await stage.when(apply(since), by=world.karim)) == ["report_final"]
    await stage.when(SendBackReport(intervention_id=VISIT, reason="la pression manque"), by=world.marie)
    older = before[0] | {"id": str(uuid4())}
    assert told(await stage.when(apply(older), by=world.karim)) == ["final_since"]
    anew = before[0] | {"id": str(uuid4()), "at": datetime.now(UTC).isoformat()}
    changed = (await stage.when(apply(anew), by=world.karim)).only(ReportChanged)
    assert (changed.state.edition, changed.state.status) == (2, "sent_back")


async def test_a_visit_that_could_not_be_done_is_followed_by_another(stage: Stage) -> None:
    await stage.given(visit("planned"))
    acts = [*a_day()[:4], move(50, "incomplete", cause="parts", reason="vanne à commander")]
    outcome = await stage.when(apply(*acts), by=world.karim)
    assert told(outcome) == ["done"] * 5
    assert isinstance(outcome.events[-1], InterventionPlanned)
    assert outcome.events[-1].state.follows_id == VISIT


async def test_a_record_that_would_grow_too_large_is_refused_alone(stage: Stage) -> None:
    """Else the whole batch would be refused in the end, each time that it is sent."""
    made = MadeMove(to="paused", at=NOW, recorded_at=NOW, by_id=world.karim.id)
    await stage.given(visit("in_progress", acts=[made] * 80))
    readings = {f"{number:02}" + "é" * 190: "é" * 190 for number in range(26)}
    large = act(0, "work", solution="purgé", labour=LABOUR, readings=readings)
    small = act(1, "work", solution="purgé", labour=LABOUR)
    outcome = await stage.when(apply(large, small, move(2, "completed")), by=world.karim)
    assert told(outcome) == ["too_large", "done", "done"]
    assert outcome.events[-1].state.status == "completed"


async def test_batches_and_single_commands_at_once_do_not_block_each_other(stage: Stage) -> None:
    ids = [UUID(int=number) for number in range(210, 218)]
    await stage.given(*(visit("planned", id=id, reclamation_id=uuid4()) for id in ids))
    days = [act for id in ids for act in a_day(id)]

    async def batch(acts: list[Json]) -> set[str]:
        return set(told(await stage.when(apply(*acts), by=world.karim, seconds=60)))

    async def one(id: UUID) -> set[str]:
        accept = MoveIntervention(intervention_id=id, to="accepted")
        told_alone = await stage.when(accept, by=world.marie, seconds=60)
        return {told_alone.problem.code} if told_alone.problem else set()

    found = await asyncio.gather(batch(days), batch(days[::-1]), *map(one, ids), batch(days[40:] + days[:40]))
    assert set[str]().union(*found) <= {"done", "done_before", "illegal_move"}
    for id in ids:
        assert (await seen(stage, id))[0] == "completed"


async def test_it_is_done_once_under_one_key(stage: Stage) -> None:
    await stage.given(visit("planned"))
    command = apply(*a_day())
    first = await stage.when(command, by=world.karim, key="batch")
    again = await stage.when(command, by=world.karim, key="batch")
    assert len(first.events) == 9
    assert (again.events, again.reply) == ([], first.reply)


@pytest.mark.parametrize(
    "acts",
    [
        (),
        ({"at": at(0)},),
        (move(0, "accepted"),) * (MOST_ACTS + 1),
    ],
    ids=["none", "no id", "too many"],
)
def test_what_is_no_batch_is_refused_as_a_whole(acts: tuple[Json, ...]) -> None:
    with pytest.raises(ValidationError):
        apply(*acts)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": str(uuid4()), "at": at(0)},
        move(0, "accepted") | act(0, "submit"),
        move(0, "accepted", at=at(0)),
        act(0, "sign", signature="a" * 64),
        act(0, "sign", signed_by="Léa", signature="nothing"),
    ],
    ids=["nothing", "two", "two times", "no name", "no hash"],
)
async def test_what_is_no_act_is_refused_alone(stage: Stage, wrong: Json) -> None:
    await stage.given(visit("planned"))
    outcome = await stage.when(apply(wrong, move(1, "accepted")), by=world.karim)
    assert told(outcome) == ["invalid", "done"]


def test_every_move_may_be_an_act() -> None:
    moves = get_args(MoveIntervention.model_fields["to"].annotation)
    assert [apply(move(0, to, cause="parts")).acts[0].name for to in moves] == list(moves)
