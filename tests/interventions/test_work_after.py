"""Work that is recorded after the visit: while its report may still be written, and within what was measured."""

from typing import Any, get_args

import pytest
import world
from given_interventions import COVERED, NOW, SIGNATURE, VALVE, VISIT, report, valve, visit, work

from sav_chassis.testing import Outcome, Stage
from sav_contracts.claims.safety import Words
from sav_contracts.interventions.report import (
    ReportChanged,
    ReportStatus,
    ReportSubmitted,
    ReportView,
    SendBackReport,
    SignReport,
    SubmitReport,
)
from sav_contracts.interventions.task import Task
from sav_contracts.interventions.visit import (
    CarbonMonoxideFound,
    InterventionStatus,
    RecordWork,
    WorkRecorded,
)
from sav_contracts.interventions.work import LabourGiven
from sav_interventions.tasks import IN_WORDS

OPEN: tuple[ReportStatus, ...] = ("draft", "sent_back")
send_back = SendBackReport(intervention_id=VISIT, reason="il manque la pression")
submit = SubmitReport(intervention_id=VISIT)
sign = SignReport(intervention_id=VISIT, signed_by="Léa", signature=SIGNATURE)


def done(**fields: Any) -> RecordWork:
    usual: dict[str, Any] = {
        "intervention_id": VISIT,
        "solution": "vanne remplacée",
        "labour": [LabourGiven(description="remplacement", minutes=90)],
        "readings": {"pression": "1,4 bar"},
    }
    return RecordWork(**(usual | fields))


def measured(ppm: int | None) -> Any:
    return work().model_copy(update={"co_ppm": ppm, "parts": []})


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


@pytest.mark.parametrize("now", get_args(ReportStatus))
@pytest.mark.parametrize("ended", ["completed", "incomplete"])
async def test_work_is_recorded_again_while_its_report_may_be_written(
    stage: Stage, now: ReportStatus, ended: InterventionStatus
) -> None:
    await stage.given(visit(ended, work=work("V-1")), report(now))
    outcome = await stage.when(done(), by=world.karim)
    if now in OPEN:
        recorded = next(event for event in outcome.events if isinstance(event, WorkRecorded))
        assert recorded.state.work
        assert recorded.state.work.readings == {"pression": "1,4 bar"}
    else:
        assert refusal(outcome) == (409, "signed_already")


async def test_a_report_that_was_sent_back_is_signed_again_after_the_work_changed(stage: Stage) -> None:
    await stage.given(
        visit("completed", work=work()), report("sent_back", submitted_at=NOW, document=SIGNATURE)
    )
    _, unsigned = (await stage.when(done(), by=world.karim)).events
    assert isinstance(unsigned.state, ReportView)
    assert (unsigned.state.signature, unsigned.state.document, unsigned.state.submitted_at) == (
        None,
        None,
        None,
    )
    assert refusal(await stage.when(submit, by=world.karim)) == (409, "signature_missing")
    await stage.when(sign, by=world.karim)
    (await stage.when(submit, by=world.karim)).only(ReportSubmitted)


async def test_the_same_work_again_leaves_the_signature(stage: Stage) -> None:
    await stage.given(visit("completed"), report("draft"))
    await stage.when(done(), by=world.karim)
    for step, by in ((sign, world.karim), (submit, world.karim), (send_back, world.marie)):
        await stage.when(step, by=by)
    (await stage.when(done(), by=world.karim)).only(WorkRecorded)
    assert (await stage.when(submit, by=world.karim)).only(ReportSubmitted).state.signature == SIGNATURE


async def test_nothing_is_recorded_once_the_visit_is_closed(stage: Stage) -> None:
    await stage.given(visit("completed", work=work(), closed_at=NOW), report("sent_back", edition=2))
    assert refusal(await stage.when(done(), by=world.karim)) == (409, "not_under_way")


@pytest.mark.parametrize("now", ["draft", "signed", "signature_refused", "sent_back"])
async def test_work_that_was_forgotten_is_recorded_before_the_report_is_submitted(
    stage: Stage, now: ReportStatus
) -> None:
    await stage.given(visit("incomplete", cause="parts"), report(now))
    if now != "draft":
        assert refusal(await stage.when(submit, by=world.karim)) == (409, "work_missing")
    recorded = (await stage.when(done(), by=world.karim)).events[0]
    assert isinstance(recorded, WorkRecorded)
    # What was signed before said nothing of it.
    assert (await stage.when(submit, by=world.karim)).problem
    await stage.when(sign, by=world.karim)
    (await stage.when(submit, by=world.karim)).only(ReportSubmitted)


@pytest.mark.parametrize("now", ["signed", "signature_refused"])
async def test_work_that_changes_takes_its_signature_away(stage: Stage, now: ReportStatus) -> None:
    await stage.given(visit("in_progress", work=work()), report(now))
    day = done(labour=[LabourGiven(description="remplacement", minutes=1440)])
    _, unsigned = (await stage.when(day, by=world.karim)).events
    assert type(unsigned) is ReportChanged
    said = unsigned.state
    assert (said.status, said.signed_by, said.signature, said.signature_refused) == (
        "draft",
        None,
        None,
        None,
    )
    assert refusal(await stage.when(submit, by=world.karim)) == (409, "illegal_move")


async def test_tasks_that_change_take_the_signature_away_too(stage: Stage) -> None:
    task = Task(code="check_flue", text=Words(en="Check the flue", fr="Vérifier le conduit"))
    await stage.given(visit("in_progress", tasks=[task], appliance=IN_WORDS), report("draft"))
    await stage.when(done(), by=world.karim)
    await stage.when(sign, by=world.karim)
    (await stage.when(done(), by=world.karim)).only(WorkRecorded)
    answered = await stage.when(done(tasks=[{"code": "check_flue"}]), by=world.karim)
    assert [type(event) for event in answered.events] == [WorkRecorded, ReportChanged]


@pytest.mark.parametrize("again", [{}, {"co_ppm": 3}, {"co_not_measured": "sealed"}], ids=str)
async def test_a_danger_is_not_corrected_away_afterwards(stage: Stage, again: dict[str, Any]) -> None:
    stopped = visit("incomplete", cause="stopped_for_safety", work=measured(80))
    await stage.given(stopped, report("sent_back"))
    outcome = await stage.when(done(**again), by=world.karim)
    if "co_ppm" in again:
        assert refusal(outcome) == (409, "danger_stands")
    else:
        recorded = outcome.events[0]
        assert isinstance(recorded, WorkRecorded)
        assert recorded.state.work
        assert recorded.state.work.co_ppm == 80


async def test_a_visit_that_was_completed_stays_one_that_may_be(stage: Stage) -> None:
    open_task = Task(code="check_flue", text=Words(en="Check the flue", fr="Vérifier le conduit"))
    await stage.given(
        visit("completed", purpose="maintenance", work=measured(3), tasks=[open_task]), report("sent_back")
    )
    for ppm in (4, 80):
        assert refusal(await stage.when(done(co_ppm=ppm), by=world.karim)) == (409, "tasks_open")
    answered = done(co_ppm=4, tasks=[{"code": "check_flue"}])
    assert isinstance((await stage.when(answered, by=world.karim)).events[0], WorkRecorded)


async def test_a_danger_of_completed_work_is_taken_and_told_and_stands(stage: Stage) -> None:
    await stage.given(visit("completed", work=measured(5)), report("sent_back"))
    told = (await stage.when(done(co_ppm=50), by=world.karim)).events[-1]
    assert isinstance(told, CarbonMonoxideFound)
    assert (told.ppm, told.air, told.state.status) == (50, "dangerous", "completed")
    assert refusal(await stage.when(done(co_ppm=5), by=world.karim)) == (409, "danger_stands")


async def test_a_danger_that_is_told_late_is_told(stage: Stage) -> None:
    await stage.given(visit("incomplete", cause="parts"))
    _, told = (await stage.when(done(co_ppm=80), by=world.karim)).events
    assert isinstance(told, CarbonMonoxideFound)
    assert (told.air, told.state.cause) == ("dangerous", "stopped_for_safety")


async def test_parts_that_a_warranty_pays_still_need_their_serials(stage: Stage) -> None:
    await stage.knows(valve())
    await stage.given(visit("completed", warranty=COVERED, work=work("V-1")), report("sent_back"))
    bare = done(parts=[{"article_id": str(VALVE), "quantity": 1}])
    assert refusal(await stage.when(bare, by=world.karim)) == (409, "serials_missing")
