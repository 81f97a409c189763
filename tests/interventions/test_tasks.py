"""The tasks of a visit: listed by what it is about, answered with the work, wanted before a service is completed."""

from typing import Any, get_args
from uuid import UUID

import pytest
import world
from given_interventions import PRODUCT, VISIT, assigned, visit, work
from given_readings import BOILER, HEAT_PUMP, article, measured, service, unit

from sav_chassis.testing import Outcome, Stage
from sav_contracts.catalog.servicing import ApplianceKind
from sav_contracts.interventions.task import Appliance, TaskGiven
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionPlanned,
    InterventionView,
    MoveIntervention,
    Purpose,
    RecordWork,
    WorkRecorded,
)
from sav_contracts.interventions.work import LabourGiven
from sav_contracts.messages import Event
from sav_interventions.checklists import CHECKLISTS, TEXTS, tasks_for

COMPLETE = MoveIntervention(intervention_id=VISIT, to="completed")
ACCEPT = MoveIntervention(intervention_id=VISIT, to="accepted")


def recording(*tasks: TaskGiven, **fields: Any) -> RecordWork:
    labour = [LabourGiven(description="entretien", minutes=60)]
    return RecordWork(intervention_id=VISIT, solution="nettoyée", labour=labour, tasks=list(tasks), **fields)


def codes(outcome: Outcome, event: Any = InterventionMoved) -> list[str]:
    return [task.code for task in outcome.only(event).state.tasks]


def first(outcome: Outcome, event_type: type[Event]) -> InterventionView:
    """The visit, as the first event of this type shows it."""
    state = next(event.state for event in outcome.events if isinstance(event, event_type))
    assert isinstance(state, InterventionView)
    return state


def test_there_is_a_list_for_every_kind_and_purpose_and_a_text_for_every_task() -> None:
    assert {(kind, purpose) for kind, lists in CHECKLISTS.items() for purpose in lists} == {
        (kind, purpose) for kind in get_args(ApplianceKind) for purpose in get_args(Purpose)
    }
    named = {code for lists in CHECKLISTS.values() for codes in lists.values() for code in codes}
    assert named == set(TEXTS)
    assert all(text.fr and text.en and text.fr != text.en for text in TEXTS.values())


def test_whatever_burns_is_measured() -> None:
    for kind in get_args(ApplianceKind):
        for purpose in get_args(Purpose):
            burning = Appliance(product_id=PRODUCT, kind=kind, burns=True)
            assert "measure_co" in [task.code for task in tasks_for(burning, purpose)]


async def test_a_planned_visit_has_the_tasks_of_its_unit(stage: Stage) -> None:
    await stage.knows(unit(), article())
    planned = first(await stage.hears(assigned(world.karim, product_id=PRODUCT)), InterventionPlanned)
    assert planned.appliance == BOILER
    assert [task.code for task in planned.tasks] == list(CHECKLISTS["boiler"]["repair"])
    assert all(task.done is None for task in planned.tasks)


async def test_a_visit_about_something_in_words_has_the_tasks_of_any_appliance(stage: Stage) -> None:
    planned = first(await stage.hears(assigned(world.karim, product_id=None)), InterventionPlanned)
    assert [task.code for task in planned.tasks] == list(CHECKLISTS["other"]["repair"])


async def test_tasks_are_listed_once_the_article_has_arrived(stage: Stage) -> None:
    await stage.given(visit("planned", product_id=PRODUCT))
    await stage.knows(unit())
    assert codes(await stage.when(ACCEPT, by=world.karim)) == []
    await stage.knows(article(fuel="heat_pump", heats="space"))
    moved = await stage.when(MoveIntervention(intervention_id=VISIT, to="en_route"), by=world.karim)
    assert codes(moved) == list(CHECKLISTS["heat_pump"]["repair"])


async def test_another_unit_has_other_tasks_and_what_was_said_stays(stage: Stage) -> None:
    other = UUID(int=301)
    said = [task.model_copy(update={"done": True}) for task in tasks_for(BOILER, "repair")]
    await stage.given(visit("accepted", product_id=other, appliance=BOILER, tasks=said))
    await stage.knows(unit().model_copy(update={"id": other}), article(fuel="heat_pump", heats="space"))
    moved = await stage.when(MoveIntervention(intervention_id=VISIT, to="en_route"), by=world.karim)
    tasks = {task.code: task.done for task in moved.only(InterventionMoved).state.tasks}
    assert tasks == dict.fromkeys(CHECKLISTS["heat_pump"]["repair"]) | dict.fromkeys(
        set(CHECKLISTS["boiler"]["repair"]) & set(CHECKLISTS["heat_pump"]["repair"]), True
    )


async def test_a_follow_up_begins_with_open_tasks(stage: Stage) -> None:
    await stage.given(service(purpose="repair"))
    await stage.knows(unit(), article())
    stop = MoveIntervention(intervention_id=VISIT, to="incomplete", cause="parts")
    planned = first(await stage.when(stop, by=world.karim), InterventionPlanned)
    assert [task.done for task in planned.tasks] == [None] * len(CHECKLISTS["boiler"]["repair"])


async def test_what_is_said_of_a_task_is_kept_and_recorded_again_replaces_it(stage: Stage) -> None:
    await stage.given(service(tasks=tasks_for(BOILER, "maintenance")))
    said = [
        TaskGiven(code="clean_burner"),
        TaskGiven(code="check_flue", done=False, reason="trappe condamnée"),
    ]
    recorded = (await stage.when(recording(*said), by=world.karim)).only(WorkRecorded).state
    tasks = {task.code: (task.done, task.reason) for task in recorded.tasks}
    assert tasks["clean_burner"] == (True, None)
    assert tasks["check_flue"] == (False, "trappe condamnée")
    assert tasks["advise"] == (None, None)
    again = (await stage.when(recording(TaskGiven(code="advise")), by=world.karim)).only(WorkRecorded).state
    assert [task.code for task in again.tasks if task.done is not None] == ["advise"]


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ([TaskGiven(code="descale")], "tasks.0.code"),
        ([TaskGiven(code="advise"), TaskGiven(code="advise")], "tasks.1.code"),
    ],
    ids=["none of its tasks", "twice"],
)
async def test_an_answer_that_is_wrong_is_named(stage: Stage, said: list[TaskGiven], wrong: str) -> None:
    await stage.given(service())
    outcome = await stage.when(recording(*said), by=world.karim)
    assert outcome.problem
    assert [error.field for error in outcome.problem.errors or []] == [wrong]


def test_what_was_not_done_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="say why this task was not done"):
        TaskGiven(code="advise", done=False)


async def test_the_work_is_recorded_with_tasks_of_a_visit_that_had_none(stage: Stage) -> None:
    await stage.given(visit("in_progress", product_id=PRODUCT))
    await stage.knows(unit(), article())
    recorded = (
        (await stage.when(recording(TaskGiven(code="test_run")), by=world.karim)).only(WorkRecorded).state
    )
    assert [task.code for task in recorded.tasks if task.done] == ["test_run"]


@pytest.mark.parametrize("purpose", ["maintenance", "install"])
async def test_a_service_is_completed_once_every_task_is_answered(stage: Stage, purpose: Purpose) -> None:
    tasks = tasks_for(HEAT_PUMP, purpose)
    await stage.given(service(purpose=purpose, appliance=HEAT_PUMP, tasks=tasks, work=measured()))
    outcome = await stage.when(COMPLETE, by=world.karim)
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code, outcome.events) == (409, "tasks_open", [])
    assert all(f"“{task.text.en}” ({task.code})" in outcome.problem.detail for task in tasks)
    french = outcome.problem.in_french().detail
    assert all(
        f"«\N{NO-BREAK SPACE}{task.text.fr}\N{NO-BREAK SPACE}» ({task.code})" in french for task in tasks
    )
    said = [TaskGiven(code=task.code) for task in tasks[1:]]
    await stage.when(
        recording(*said, TaskGiven(code=tasks[0].code, done=False, reason="gel")), by=world.karim
    )
    assert (await stage.when(COMPLETE, by=world.karim)).only(InterventionMoved).after == "completed"


async def test_a_repair_may_be_completed_with_open_tasks(stage: Stage) -> None:
    await stage.given(visit("in_progress", tasks=tasks_for(BOILER, "repair"), work=work()))
    assert (await stage.when(COMPLETE, by=world.karim)).only(InterventionMoved).after == "completed"
