"""Carbon monoxide: how a visit may end, and who is told."""

from typing import Any, get_args
from uuid import UUID

import pytest
import world
from given_interventions import PRODUCT, VISIT, assigned, visit
from given_readings import BOILER, HEAT_PUMP, all_done, article, measured, service, unit
from pydantic import ValidationError

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.task import CoNotMeasured, Stopped
from sav_contracts.interventions.visit import (
    CarbonMonoxideFound,
    Cause,
    InterventionMoved,
    InterventionPlanned,
    InterventionView,
    MoveIntervention,
    RecordWork,
    WorkRecorded,
)
from sav_contracts.interventions.work import LabourGiven

COMPLETE = MoveIntervention(intervention_id=VISIT, to="completed")
EARLIER = UUID(int=199)
BETWEEN = UUID(int=197)
BY_HAND: dict[str, Any] = {
    "reclamation_id": None,
    "reclamation_reference": None,
    "reference": "INT-2026-000001",
    "article": "Chaudière",
}


def incomplete(cause: Cause) -> MoveIntervention:
    return MoveIntervention(intervention_id=VISIT, to="incomplete", cause=cause)


def reading(**fields: Any) -> RecordWork:
    labour = [LabourGiven(description="entretien", minutes=60)]
    return RecordWork(intervention_id=VISIT, solution="mesuré", labour=labour, **fields)


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


@pytest.mark.parametrize(
    ("ppm", "air"),
    [(0, None), (9, None), (10, "abnormal"), (49, "abnormal"), (50, "dangerous"), (400, "dangerous")],
)
async def test_a_reading_that_is_not_normal_is_told(stage: Stage, ppm: int, air: str | None) -> None:
    await stage.given(service(purpose="repair", work=None))
    outcome = await stage.when(reading(co_ppm=ppm), by=world.karim)
    recorded, *told = outcome.events
    assert isinstance(recorded, WorkRecorded)
    assert recorded.state.work
    assert recorded.state.work.co_ppm == ppm
    assert [(one.ppm, one.air) for one in told if isinstance(one, CarbonMonoxideFound)] == (
        [(ppm, air)] if air else []
    )


async def test_the_same_reading_is_told_once(stage: Stage) -> None:
    await stage.given(service(work=measured(co_ppm=60)))
    assert [type(one) for one in (await stage.when(reading(co_ppm=60), by=world.karim)).events] == [
        WorkRecorded
    ]
    _, found = (await stage.when(reading(co_ppm=12), by=world.karim)).events
    assert isinstance(found, CarbonMonoxideFound)
    assert found.air == "abnormal"


def test_there_is_a_reading_or_why_there_is_none() -> None:
    with pytest.raises(ValidationError, match="co_ppm, or co_not_measured"):
        reading(co_ppm=3, co_not_measured="sealed")
    with pytest.raises(ValidationError):
        reading(co_ppm=-1)


@pytest.mark.parametrize("status", ["in_progress", "paused"])
async def test_from_fifty_ppm_on_a_visit_is_not_completed(stage: Stage, status: Any) -> None:
    await stage.given(service(status, purpose="repair", cause="parts", work=measured(co_ppm=50)))
    assert refusal(await stage.when(COMPLETE, by=world.karim)) == (409, "air_is_dangerous")
    assert refusal(await stage.when(COMPLETE, by=world.marie)) == (409, "air_is_dangerous")


@pytest.mark.parametrize("cause", get_args(Cause))
async def test_then_it_only_ends_as_stopped_for_safety(stage: Stage, cause: Cause) -> None:
    await stage.given(service(work=measured(co_ppm=50)))
    await stage.knows(unit(), article())
    outcome = await stage.when(incomplete(cause), by=world.karim)
    if cause == "stopped_for_safety":
        moved, planned = outcome.events
        assert isinstance(moved, InterventionMoved)
        assert isinstance(planned, InterventionPlanned)
        assert (moved.state.cause, planned.state.follows_id) == (cause, VISIT)
        assert planned.state.appliance
        assert moved.state.done_at
        assert planned.state.appliance.stopped == Stopped(at=moved.state.done_at, ppm=50)
    else:
        assert refusal(outcome) == (409, "air_is_dangerous")


async def test_what_is_measured_again_counts(stage: Stage) -> None:
    await stage.given(service(purpose="repair", work=measured(co_ppm=80)))
    await stage.when(reading(co_ppm=4), by=world.karim)
    assert (await stage.when(COMPLETE, by=world.karim)).only(InterventionMoved).after == "completed"


@pytest.mark.parametrize("why", [None, *get_args(CoNotMeasured)])
async def test_a_dangerous_reading_stays_until_something_is_measured(
    stage: Stage, why: CoNotMeasured | None
) -> None:
    await stage.given(service(purpose="repair", work=measured(co_ppm=80)))
    recorded = (await stage.when(reading(co_not_measured=why), by=world.karim)).only(WorkRecorded).state.work
    assert recorded
    assert (recorded.solution, recorded.co_ppm, recorded.co_not_measured) == ("mesuré", 80, None)
    assert refusal(await stage.when(COMPLETE, by=world.karim)) == (409, "air_is_dangerous")


@pytest.mark.parametrize("why", [None, *get_args(CoNotMeasured)])
async def test_what_burns_is_measured_after_its_service_unless_it_is_sealed(
    stage: Stage, why: CoNotMeasured | None
) -> None:
    await stage.given(service(work=measured(co_not_measured=why)))
    outcome = await stage.when(COMPLETE, by=world.karim)
    if why == "sealed":
        assert outcome.only(InterventionMoved).after == "completed"
    else:
        assert refusal(outcome) == (409, "reading_missing")


async def test_a_reading_of_49_does_not_keep_a_service_from_being_completed(stage: Stage) -> None:
    await stage.given(service(work=measured(co_ppm=49)))
    assert (await stage.when(COMPLETE, by=world.karim)).only(InterventionMoved).after == "completed"


async def test_a_heat_pump_needs_no_reading(stage: Stage) -> None:
    await stage.given(service(appliance=HEAT_PUMP, tasks=all_done(HEAT_PUMP), work=measured()))
    assert (await stage.when(COMPLETE, by=world.karim)).only(InterventionMoved).after == "completed"


async def test_a_service_without_its_tasks_yet_looks_at_its_article(stage: Stage) -> None:
    await stage.given(service(appliance=None, tasks=[], work=measured()))
    await stage.knows(unit(), article())
    assert refusal(await stage.when(COMPLETE, by=world.karim)) == (409, "reading_missing")


@pytest.mark.parametrize("product_id", [PRODUCT, None], ids=["of a unit", "described in words"])
async def test_what_was_stopped_is_measured_before_it_is_in_service_again(
    stage: Stage, product_id: UUID | None
) -> None:
    stopped = service(
        "incomplete", id=EARLIER, product_id=product_id, work=measured(co_ppm=70), cause="stopped_for_safety"
    )
    stopped.done_at = stopped.reported_at
    again = visit("in_progress", product_id=product_id, appliance=BOILER, work=measured(), follows_id=EARLIER)
    await stage.given(stopped, again)
    assert refusal(await stage.when(COMPLETE, by=world.karim)) == (409, "measure_again")
    await stage.when(reading(co_not_measured="sealed"), by=world.karim)
    assert refusal(await stage.when(COMPLETE, by=world.karim)) == (409, "measure_again")
    await stage.when(reading(co_ppm=2), by=world.karim)
    assert (await stage.when(COMPLETE, by=world.karim)).only(InterventionMoved).after == "completed"


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"product_id": None}, {}),
        (BY_HAND, {}),
        (BY_HAND | {"product_id": None}, {"follows_id": BETWEEN}),
        (BY_HAND | {"product_id": None}, BY_HAND | {"follows_id": BETWEEN}),
    ],
    ids=["the unit was named later", "the same unit", "named later, continued", "continued"],
)
async def test_the_visit_that_was_stopped_is_found(stage: Stage, before: Any, now: Any) -> None:
    at = visit("planned").reported_at
    stopped = {"work": measured(co_ppm=70), "cause": "stopped_for_safety", "done_at": at} | before
    nobody = BY_HAND | {"product_id": None, "follows_id": EARLIER}
    again = {"product_id": PRODUCT, "appliance": BOILER, "work": measured()} | now
    await stage.given(
        service("incomplete", id=EARLIER, **stopped),
        visit("no_access", id=BETWEEN, **nobody),
        visit("in_progress", **again),
    )
    assert refusal(await stage.when(COMPLETE, by=world.karim)) == (409, "measure_again")


async def test_another_appliance_is_not_measured_for_it(stage: Stage) -> None:
    """Nothing joins two visits that are for no réclamation and about no unit."""
    nobody = BY_HAND | {"product_id": None}
    at = visit("planned").reported_at
    stopped = {"work": measured(co_ppm=70), "cause": "stopped_for_safety", "done_at": at} | nobody
    await stage.given(
        service("incomplete", id=EARLIER, **stopped), visit("in_progress", work=measured(), **nobody)
    )
    assert (await stage.when(COMPLETE, by=world.karim)).only(InterventionMoved).after == "completed"


async def test_once_it_was_normal_again_nobody_asks(stage: Stage) -> None:
    at = visit("planned").reported_at
    await stage.given(
        service("incomplete", id=EARLIER, work=measured(co_ppm=70), cause="stopped_for_safety", done_at=at),
        service("completed", id=UUID(int=198), work=measured(co_ppm=2), done_at=at.replace(month=4)),
        visit("in_progress", product_id=PRODUCT, appliance=BOILER, work=measured()),
    )
    assert (await stage.when(COMPLETE, by=world.karim)).only(InterventionMoved).after == "completed"


@pytest.mark.parametrize(
    ("earlier", "stopped"),
    [
        ([{"work": measured(co_ppm=70)}], (3, 70)),
        ([{}], (3, None)),
        ([{"work": measured(co_ppm=70)}, {"work": measured(co_ppm=2), "cause": "parts"}], None),
        ([{}, {"status": "completed", "cause": None}], None),
        ([{"cause": "parts"}, {"work": measured(co_ppm=60)}], (4, 60)),
    ],
    ids=["by a reading", "for another danger", "measured less since", "completed since", "only then"],
)
async def test_who_comes_next_sees_in_the_visit_that_the_appliance_was_stopped(
    stage: Stage, earlier: list[dict[str, Any]], stopped: tuple[int, int | None] | None
) -> None:
    at = visit("planned").reported_at
    usual: dict[str, Any] = {"status": "incomplete", "cause": "stopped_for_safety"}
    for number, fields in enumerate(earlier):
        ended = at.replace(month=3 + number)
        await stage.given(service(id=UUID(int=190 + number), done_at=ended, **usual | fields))
    await stage.knows(unit(), article())
    told, _ = (await stage.hears(assigned(world.karim, product_id=PRODUCT))).events
    planned = told.state
    assert isinstance(planned, InterventionView)
    assert planned.appliance
    found = planned.appliance.stopped
    assert (found and (found.at.month, found.ppm)) == stopped
    assert "appliance" not in planned.for_client().model_dump()
