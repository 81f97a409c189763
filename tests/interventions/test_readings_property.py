"""Whatever is measured and moved in whatever order, no visit ends against a dangerous reading, and each can end."""

from typing import Any

import world
from given_interventions import VISIT
from given_readings import article, measured, service, unit
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from in_loop import run

from sav_chassis.testing import Stage
from sav_contracts.interventions.visit import InterventionView, MoveIntervention, RecordWork
from sav_contracts.interventions.work import LabourGiven

LABOUR = [LabourGiven(description="entretien", minutes=60)]
readings: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(dict, co_ppm=st.sampled_from([0, 9, 10, 49, 50, 51, 10_000])),
    st.builds(dict, co_not_measured=st.sampled_from(["sealed", "no_instrument"])),
    st.just({}),
)
moves: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({"to": "completed"}),
    st.just({"to": "in_progress"}),
    st.just({"to": "paused", "cause": "parts"}),
    st.builds(
        dict, to=st.just("incomplete"), cause=st.sampled_from(["parts", "other", "stopped_for_safety"])
    ),
)


def recorded(**reading: Any) -> RecordWork:
    return RecordWork(intervention_id=VISIT, solution="mesuré", labour=LABOUR, **reading)


def moved(**move: Any) -> MoveIntervention:
    return MoveIntervention.model_validate({"intervention_id": VISIT} | move)


async def test_no_sequence_of_readings_and_moves_ends_a_visit_against_its_reading(stage: Stage) -> None:
    seen: set[str] = set()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        purpose=st.sampled_from(["repair", "maintenance"]),
        ppm=st.sampled_from([3, 80]),
        story=st.lists(readings | moves, max_size=8),
    )
    @example(purpose="repair", ppm=3, story=[{"to": "completed"}])
    @example(purpose="repair", ppm=80, story=[{"to": "completed"}])
    async def happens(purpose: Any, ppm: int, story: list[dict[str, Any]]) -> None:
        await stage.clear()
        await stage.given(service(purpose=purpose, tasks=[], work=measured(co_ppm=ppm)))
        await stage.knows(unit(), article())
        now, last = "in_progress", ppm
        for step in [*story, {"to": "incomplete", "cause": "stopped_for_safety"}]:
            message = moved(**step) if "to" in step else recorded(**step)
            outcome = await stage.when(message, by=world.karim)
            assert outcome.problem is None or outcome.problem.status == 409, outcome
            if outcome.problem is None:
                last = step.get("co_ppm", last)
            for event in outcome.events:
                if isinstance(event.state, InterventionView) and event.state.id == VISIT:
                    # A danger that is told once it is over does not open it again (ADR 53).
                    assert event.state.status == now or not contradicts(event.state, last), event
                    now = event.state.status
        assert now in {"completed", "incomplete"}, "it can always be stopped for safety"
        seen.add(now)

    await run(happens)
    assert seen == {"completed", "incomplete"}


def contradicts(state: InterventionView, last: int) -> bool:
    """Whether it ended as what was measured does not allow. `last` is what was measured last, whatever is recorded now."""
    if last >= 50 and (
        state.status == "completed" or (state.status == "incomplete" and state.cause != "stopped_for_safety")
    ):
        return True
    if state.status != "completed" or state.purpose != "maintenance":
        return False
    work = state.work
    return work is None or (work.co_ppm is None and work.co_not_measured != "sealed")
