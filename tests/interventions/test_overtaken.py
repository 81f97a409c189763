"""What is told late never replaces what is newer: work, reports, signatures, and what was measured."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
import world
from given_acts import LABOUR, Json, act, apply, at, told
from given_interventions import SIGNATURE, VISIT, report, visit
from given_readings import measured, service
from pydantic import ValidationError
from pydantic_core import from_json

from sav_chassis.testing import Stage
from sav_contracts.interventions.act import KeepSignature
from sav_contracts.interventions.report import SendBackReport, SignReport, SubmitReport, WriteReport
from sav_contracts.interventions.visit import CarbonMonoxideFound, MoveIntervention, RecordWork
from sav_contracts.interventions.work import LabourGiven

COMPLETE = MoveIntervention(intervention_id=VISIT, to="completed")
SIGN = SignReport(intervention_id=VISIT, refused="elle est partie")
SUBMIT = SubmitReport(intervention_id=VISIT)
SEND_BACK = SendBackReport(intervention_id=VISIT, reason="il manque la pression")


def record(solution: str = "fini", **fields: Any) -> RecordWork:
    labour = [LabourGiven(description="entretien", minutes=60)]
    return RecordWork(intervention_id=VISIT, solution=solution, labour=labour, **fields)


def write(found: str) -> WriteReport:
    return WriteReport(intervention_id=VISIT, findings=found, work_done="purgé")


def did(minutes: float, solution: str, **fields: Any) -> Json:
    return act(minutes, "work", solution=solution, labour=LABOUR, **fields)


def said(minutes: float, found: str) -> Json:
    return act(minutes, "report", findings=found, work_done="purgé")


async def work_now(stage: Stage) -> Any:
    found = await stage.database.pool.fetchval("SELECT work FROM intervention WHERE id = $1", VISIT)
    return found and from_json(found)


async def report_now(stage: Stage) -> Any:
    return await stage.database.pool.fetchrow(
        "SELECT findings, status, signature_refused FROM report WHERE intervention_id = $1", VISIT
    )


async def test_an_older_reading_lifts_no_danger(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    await stage.when(record(co_ppm=60), by=world.karim)
    assert told(await stage.when(apply(did(0, "vu", co_ppm=3)), by=world.karim)) == ["overtaken"]
    refused = await stage.when(COMPLETE, by=world.karim)
    assert refused.problem
    assert refused.problem.code == "air_is_dangerous"


async def test_a_danger_that_is_told_late_stands_where_nothing_was_measured_since(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    await stage.when(record("fini", co_not_measured="no_instrument"), by=world.karim)
    outcome = await stage.when(apply(did(0, "mesuré", co_ppm=60)), by=world.karim)
    assert told(outcome) == ["overtaken"]
    found = outcome.events[-1]
    assert isinstance(found, CarbonMonoxideFound)
    work = await work_now(stage)
    assert (work["solution"], work["co_ppm"], work["co_not_measured"]) == ("fini", 60, None)


async def test_a_danger_that_was_measured_again_before_it_was_told_is_told_once(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    await stage.when(record(co_ppm=3), by=world.karim)
    older = apply(did(0, "mesuré", co_ppm=80))
    outcome = await stage.when(older, by=world.karim)
    assert told(outcome) == ["overtaken"]
    found = outcome.only(CarbonMonoxideFound)
    assert (found.ppm, found.air) == (80, "dangerous")
    assert (await work_now(stage))["co_ppm"] == 3
    assert (await stage.when(older, by=world.karim)).events == []


async def test_a_danger_at_the_moment_of_a_normal_reading_stands(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    for ppm in (60, 3):
        await stage.when(apply(did(5, "mesuré", co_ppm=ppm)), by=world.karim)
    assert (await work_now(stage))["co_ppm"] == 60


STORY = [("a", {"co_ppm": 60}), ("b", {"co_ppm": 3}), ("c", {}), ("d", {"co_ppm": 80}), ("e", {})]


@pytest.mark.parametrize("number", range(2, len(STORY) + 1))
async def test_work_ends_the_same_in_whatever_order_it_comes(stage: Stage, number: int) -> None:
    """As in the order in which it happened: the last work, with the danger that nothing lifted."""
    acts = [did(minute, solution, **reading) for minute, (solution, reading) in enumerate(STORY[:number])]
    ends = set()
    for order in list(permutations(acts))[:: 1 if number < 5 else 7]:
        await stage.clear()
        await stage.given(visit("in_progress"))
        for one in order:
            assert told(await stage.when(apply(one), by=world.karim)) in (["done"], ["overtaken"])
        work = await work_now(stage)
        ends.add((work["solution"], work["co_ppm"]))
    expected = {2: ("b", 3), 3: ("c", None), 4: ("d", 80), 5: ("e", 80)}
    assert ends == {expected[number]}


@pytest.mark.parametrize("again", ["b", "a"], ids=["another text", "the same text"])
async def test_a_report_ends_the_same_in_whatever_order_it_comes(stage: Stage, again: str) -> None:
    ends = set()
    for order in permutations([said(0, "a"), said(1, "x"), said(2, again)]):
        await stage.clear()
        await stage.given(visit("in_progress"))
        for one in order:
            assert told(await stage.when(apply(one), by=world.karim)) in (["done"], ["overtaken"])
        ends.add((await report_now(stage))["findings"])
    assert ends == {again}


async def test_what_was_written_online_stays(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    await stage.when(record("en ligne"), by=world.karim)
    await stage.when(write("en ligne"), by=world.karim)
    outcome = await stage.when(apply(did(0, "avant"), said(1, "avant")), by=world.karim)
    assert (told(outcome), outcome.events) == (["overtaken"] * 2, [])
    assert [one["again"] for one in outcome.reply["acts"]] == [False, False]
    assert (await work_now(stage))["solution"] == "en ligne"
    assert (await report_now(stage))["findings"] == "en ligne"


@pytest.mark.parametrize("corrected", [True, False])
async def test_acts_from_before_a_report_was_sent_back_change_nothing_of_it(
    stage: Stage, corrected: bool
) -> None:
    await stage.given(service("completed"))
    for step in (write("d'abord"), SIGN, SUBMIT):
        assert (await stage.when(step, by=world.karim)).problem is None
    await stage.when(SEND_BACK, by=world.marie)
    if corrected:
        for step in (write("corrigé"), SIGN):
            assert (await stage.when(step, by=world.karim)).problem is None
    before = await report_now(stage)
    stale = [said(0, "périmé"), act(1, "sign", refused="non"), act(2, "submit")]
    codes = told(await stage.when(apply(*stale), by=world.karim))
    assert codes == ["overtaken", "paper_changed", "overtaken"]
    assert await report_now(stage) == before


@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.parametrize("changed", ["text", "work"])
async def test_a_client_signs_only_what_they_saw(stage: Stage, changed: str, refused: bool) -> None:
    await stage.given(visit("in_progress"))
    await stage.when(apply(did(0, "vu"), said(1, "vu")), by=world.karim)
    later = record("plus tard") if changed == "work" else write("plus tard")
    await stage.when(later, by=world.karim)
    await stage.when(KeepSignature(intervention_id=VISIT, signature=SIGNATURE), by=world.karim)
    how: Json = {"refused": "non"} if refused else {"signed_by": "Léa", "signature": SIGNATURE.sha256}
    assert told(await stage.when(apply(act(2, "sign", **how)), by=world.karim)) == ["paper_changed"]
    now = datetime.now(UTC).isoformat()
    assert told(await stage.when(apply(act(2, "sign", **how) | {"at": now}), by=world.karim)) == ["done"]


async def test_the_same_said_again_does_not_undo_what_the_client_signs(stage: Stage) -> None:
    """Telephones save while somebody types."""
    await stage.given(visit("in_progress"))
    await stage.when(apply(did(0, "vu"), said(1, "vu")), by=world.karim)
    assert (await stage.when(write("vu"), by=world.karim)).events == []
    stamped = await stage.database.pool.fetchrow("SELECT last_at, reads_since FROM report")
    assert stamped
    assert stamped["reads_since"].isoformat() == at(1)
    assert stamped["last_at"] > stamped["reads_since"] + timedelta(minutes=5)


OTHER = UUID(int=199)


@pytest.mark.parametrize("status", ["incomplete", "in_progress"])
@pytest.mark.parametrize(("apart", "code"), [(-1, None), (0, "measure_again"), (1, "measure_again")])
async def test_a_reading_from_before_a_danger_elsewhere_lifts_nothing(
    stage: Stage, status: Any, apart: int, code: str | None
) -> None:
    """Two visits to one unit: the danger of the other one was measured so many hours after this one's reading."""
    measured_at = datetime.now(UTC) - timedelta(hours=4)
    there = measured_at + timedelta(hours=apart)
    stopped = service(
        status, id=OTHER, work=measured(co_ppm=60), cause="stopped_for_safety", measured_at=there
    )
    stopped.reclamation_id, stopped.done_at = UUID(int=1), there + timedelta(hours=2)
    await stage.given(stopped, service(measured_at=measured_at))
    outcome = await stage.when(COMPLETE, by=world.karim)
    assert (outcome.problem and outcome.problem.code) == code
    await stage.when(
        record(co_ppm=4, tasks=[{"code": task["code"]} for task in await tasks(stage)]), by=world.karim
    )
    if code:
        assert (await stage.when(COMPLETE, by=world.karim)).problem is None


async def test_a_reading_that_is_sent_again_is_no_later_one(stage: Stage) -> None:
    """Elsewhere the same unit was dangerous after it: only what is measured since then lifts that."""
    measured_at = datetime.now(UTC) - timedelta(hours=4)
    there = measured_at + timedelta(hours=1)
    await stage.given(
        service(
            "incomplete", id=OTHER, work=measured(co_ppm=60), cause="stopped_for_safety", measured_at=there
        ),
        service(work=None),
    )
    done = [{"code": task["code"]} for task in await tasks(stage)]
    for solution in ("mesuré", "mesuré et nettoyé"):
        again = record(solution, co_ppm=3, co_measured_at=measured_at, tasks=done)
        assert (await stage.when(again, by=world.karim)).problem is None
        refused = await stage.when(COMPLETE, by=world.karim)
        assert refused.problem
        assert refused.problem.code == "measure_again"
    later = record(co_ppm=3, co_measured_at=there + timedelta(hours=1), tasks=done)
    assert (await stage.when(later, by=world.karim)).problem is None
    assert (await stage.when(COMPLETE, by=world.karim)).problem is None


def test_only_a_reading_says_when_it_was_made() -> None:
    with pytest.raises(ValidationError, match="only of a reading"):
        record(co_measured_at=datetime.now(UTC))


AGAIN = {
    "a danger, then a normal reading": ([(0, 60), (1, 3), (0, 60)], None),
    "a normal reading, then a danger": ([(0, 3), (1, 60), (0, 3)], 60),
}


@pytest.mark.parametrize(("story", "expected"), AGAIN.values(), ids=AGAIN)
async def test_what_was_measured_first_counts_as_the_first_also_when_it_is_sent_again(
    stage: Stage, story: list[tuple[int, int]], expected: int | None
) -> None:
    acts = [
        did(5 + number, "mesuré", co_ppm=ppm, co_measured_at=at(minute))
        for number, (minute, ppm) in enumerate(story)
    ]
    for order in permutations(acts):
        await stage.clear()
        await stage.given(visit("in_progress"))
        for one in order:
            assert told(await stage.when(apply(one), by=world.karim)) in (["done"], ["overtaken"])
        assert (await work_now(stage))["co_ppm"] == expected


async def tasks(stage: Stage) -> Any:
    return from_json(
        await stage.database.pool.fetchval("SELECT tasks FROM intervention WHERE id = $1", VISIT)
    )


async def test_a_reading_that_is_sent_again_after_the_visit_is_one_of_the_visit(stage: Stage) -> None:
    ended = datetime.now(UTC) - timedelta(hours=2)
    await stage.given(service("completed", done_at=ended), report("sent_back"))
    again = record(co_ppm=3, tasks=[{"code": task["code"]} for task in await tasks(stage)])
    assert (await stage.when(again, by=world.karim)).problem is None
    assert await stage.database.pool.fetchval("SELECT measured_at FROM intervention") == ended
