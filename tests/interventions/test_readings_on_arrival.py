"""What is measured before the work has begun: a danger on arrival stops the visit, and nothing of it is billed."""

from decimal import Decimal
from typing import Any, get_args

import pytest
import world
from given_billing import NOT_COVERED
from given_interventions import VALVE, VISIT, report
from given_readings import article, lea, measured, service, unit
from pydantic import ValidationError

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.interventions.report import ValidateReport
from sav_contracts.interventions.visit import (
    CarbonMonoxideFound,
    Cause,
    InterventionClosed,
    InterventionMoved,
    InterventionPlanned,
    MoveIntervention,
    RecordWork,
    WorkRecorded,
)
from sav_interventions.model import Intervention

SAFETY = MoveIntervention(intervention_id=VISIT, to="incomplete", cause="stopped_for_safety")


def arrived(status: Any = "on_site", **fields: Any) -> Intervention:
    """A service that the client pays for, without an estimate: its work may not begin."""
    return service(status, **({"warranty": NOT_COVERED, "tasks": [], "work": None} | fields))


def reading(**fields: Any) -> RecordWork:
    return RecordWork.model_validate(
        {"intervention_id": VISIT, "solution": "mesuré à l’arrivée", "co_ppm": 80} | fields
    )


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


async def test_a_danger_on_arrival_is_told_and_stops_the_visit(stage: Stage) -> None:
    await stage.given(arrived())
    await stage.knows(unit(), article())
    begin = MoveIntervention(intervention_id=VISIT, to="in_progress")
    assert refusal(await stage.when(begin, by=world.karim)) == (409, "estimate_missing")
    recorded, told = (await stage.when(reading(readings={"CO": "80 ppm"}), by=world.karim)).events
    assert isinstance(recorded, WorkRecorded)
    assert isinstance(told, CarbonMonoxideFound)
    assert (told.air, told.state.status) == ("dangerous", "on_site")
    ended, planned = (await stage.when(SAFETY, by=world.karim)).events
    assert isinstance(ended, InterventionMoved)
    assert isinstance(planned, InterventionPlanned)
    assert (ended.before, ended.state.status, ended.state.cause) == (
        "on_site",
        "incomplete",
        "stopped_for_safety",
    )
    assert ended.state.done_at
    assert planned.state.appliance
    assert planned.state.appliance.stopped
    assert planned.state.appliance.stopped.ppm == 80


@pytest.mark.parametrize(
    "said", [{"co_ppm": 80}, {"co_ppm": 0}, {"co_not_measured": "sealed"}, {"readings": {"CO": "80 ppm"}}]
)
@pytest.mark.parametrize("status", ["on_site", "in_progress"])
async def test_a_reading_is_taken_without_a_word_beside_it(
    stage: Stage, status: Any, said: dict[str, Any]
) -> None:
    await stage.given(arrived(status))
    await stage.knows(unit(), article())
    bare = RecordWork.model_validate({"intervention_id": VISIT} | said)
    outcome = await stage.when(bare, by=world.karim)
    assert outcome.problem is None
    recorded = outcome.events[0]
    assert isinstance(recorded, WorkRecorded)
    assert recorded.state.work
    assert (recorded.state.work.solution, recorded.state.work.labour) == ("", [])
    told = [event for event in outcome.events if isinstance(event, CarbonMonoxideFound)]
    assert len(told) == (said.get("co_ppm") == 80)


@pytest.mark.parametrize("status", ["in_progress", "completed"])
@pytest.mark.parametrize("said", [{"co_ppm": 12}, {"co_not_measured": "sealed"}, {"readings": {"O2": "6 %"}}])
async def test_a_reading_alone_takes_back_nothing_that_is_recorded(
    stage: Stage, status: Any, said: dict[str, Any]
) -> None:
    before = service(status)
    work, tasks = before.work, before.tasks
    assert work
    await stage.given(before)
    await stage.knows(unit(), article())
    outcome = await stage.when(RecordWork.model_validate({"intervention_id": VISIT} | said), by=world.karim)
    recorded = outcome.events[0]
    assert isinstance(recorded, WorkRecorded)
    measured = {"co_ppm": None, "co_not_measured": None} | said if "readings" not in said else {}
    readings = said.get("readings", work.readings)
    assert recorded.state.work == work.model_copy(update=measured | {"readings": readings})
    assert recorded.state.tasks == tasks


def test_who_says_and_measures_nothing_is_asked_what_was_done() -> None:
    with pytest.raises(ValidationError, match="solution_missing"):
        RecordWork.model_validate({"intervention_id": VISIT})


async def test_a_visit_is_not_completed_without_a_word_of_what_was_done(stage: Stage) -> None:
    await stage.given(service(purpose="repair", work=measured(solution="", co_ppm=3)))
    complete = MoveIntervention(intervention_id=VISIT, to="completed")
    assert refusal(await stage.when(complete, by=world.karim)) == (409, "work_missing")


@pytest.mark.parametrize(
    "done",
    [
        {"labour": [{"description": "entretien", "minutes": 60}]},
        {"parts": [{"article_id": VALVE, "quantity": 1}]},
        {"travel_km": Decimal("12.5")},
        {"failed_serial": "CIR-0417"},
        {"replacement_serial": "CIR-2291"},
        {"tasks": [{"code": "check_flue"}]},
    ],
    ids=lambda done: next(iter(done)),
)
async def test_nothing_but_what_was_measured_is_recorded_then(stage: Stage, done: dict[str, Any]) -> None:
    await stage.given(arrived())
    outcome = await stage.when(reading(**done), by=world.karim)
    assert refusal(outcome) == (409, "work_not_begun")
    assert outcome.problem
    assert next(iter(done)) in outcome.problem.detail


@pytest.mark.parametrize("cause", get_args(Cause))
async def test_after_a_danger_on_arrival_a_visit_ends_for_that_alone(stage: Stage, cause: Cause) -> None:
    await stage.given(arrived(work=measured(labour=[], co_ppm=80)))
    if cause == "stopped_for_safety":
        nobody = MoveIntervention(intervention_id=VISIT, to="no_access", reason="personne")
        assert refusal(await stage.when(nobody, by=world.karim)) == (409, "air_is_dangerous")
        return
    outcome = await stage.when(SAFETY.model_copy(update={"cause": cause}), by=world.karim)
    unbegun = cause in {"approval", "estimate_refused", "technician_unavailable"}
    assert refusal(outcome) == ((409, "air_is_dangerous") if unbegun else (422, "invalid"))


async def test_nothing_of_it_is_billed(stage: Stage) -> None:
    await stage.given(arrived(), report("submitted"))
    await stage.knows(unit(), article(), lea())
    for step in (reading(), SAFETY):
        assert (await stage.when(step, by=world.karim)).problem is None
    outcome = await stage.when(ValidateReport(intervention_id=VISIT), by=world.marie)
    [closed] = [event for event in outcome.events if isinstance(event, InterventionClosed)]
    assert (await stage.hears(enveloped(closed))).events == []


async def test_a_visit_with_a_mere_reading_is_not_completed(stage: Stage) -> None:
    await stage.given(service(purpose="repair", work=measured(labour=[], co_ppm=3)))
    complete = MoveIntervention(intervention_id=VISIT, to="completed")
    assert refusal(await stage.when(complete, by=world.karim)) == (409, "work_missing")
