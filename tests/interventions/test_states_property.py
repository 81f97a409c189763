"""No sequence of moves and news brings a visit into an impossible state, and every visit can end."""

from collections.abc import Iterator
from itertools import count
from typing import Any, get_args
from uuid import UUID

import world
from given_interventions import RECLAMATION, VISIT, assigned, visit, work
from given_views import a
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from in_loop import run

from sav_chassis.testing import Stage
from sav_contracts.claims.reclamation import ReclamationMoved, ReclamationView, TechnicianUnassigned
from sav_contracts.claims.visits import PlannedVisitRefused
from sav_contracts.interventions.new_visit import CreateIntervention
from sav_contracts.interventions.visit import (
    OPEN_VISIT,
    Cause,
    InterventionStatus,
    InterventionView,
    MoveIntervention,
)
from sav_contracts.messages import Event
from sav_interventions.lifecycle import INTERVENTION, NOT_BEGUN, WAITS_FOR
from sav_interventions.model import Technician

# Which of its legal moves a visit makes, and for which cause.
moves = st.tuples(st.integers(0, 1000), st.sampled_from(get_args(Cause)))
UNDER_WAY = {"in_progress", "paused"}


@st.composite
def news(draw: st.DrawFn) -> Event:
    """What claims may tell, in time or late."""
    state = a(ReclamationView, RECLAMATION, assignment=draw(st.integers(0, 3)), status="cancelled")
    who = draw(st.sampled_from([world.karim, world.sofia]))
    return draw(
        st.sampled_from(
            [
                assigned(who),
                ReclamationMoved(state=state, before="assigned", after="cancelled"),
                PlannedVisitRefused(state=state, intervention_id=VISIT, technician_id=who.id),
                ReclamationMoved(state=state, before="in_progress", after="awaiting_parts"),
                TechnicianUnassigned(state=state, technician_id=who.id),
            ]
        )
    )


versions = count(10)


@st.composite
def known(draw: st.DrawFn) -> ReclamationView:
    """The réclamation, as somebody knows it who plans a visit by hand."""
    who = draw(st.sampled_from([world.karim, world.sofia, None]))
    return a(
        ReclamationView,
        RECLAMATION,
        version=next(versions),
        assignment=draw(st.integers(0, 3)),
        status="assigned" if who else "qualified",
        technician_id=who.id if who else None,
    )


def by_hand(known: ReclamationView) -> CreateIntervention:
    who = known.technician_id or world.karim.id
    return CreateIntervention(reclamation_id=known.id, technician_id=who)


def impossible(state: InterventionView) -> Iterator[str]:
    """What contradicts itself in a visit."""
    if (state.done_at is not None) != (state.status in {"completed", "incomplete"}):
        yield "done, and not since when"
    if state.status == "paused" and state.cause not in WAITS_FOR:
        yield "paused for nothing"
    if state.status == "incomplete" and state.cause is None:
        yield "incomplete without a cause"
    if state.status == "completed" and state.work is None:
        yield "completed without work"
    if [act.to for act in state.acts[-1:]] != [state.status] and (
        state.acts or state.status not in OPEN_VISIT
    ):
        yield "moved, and not since when"
    if sorted(act.at for act in state.acts) != [act.at for act in state.acts]:
        yield "moved back in time"
    if state.overdue and state.status not in NOT_BEGUN:
        yield "late, and begun or over"
    if state.status in {"declined", "cancelled", "no_access"} and state.reason is None:
        yield "given up without a reason"


async def test_no_sequence_of_moves_and_news_makes_an_impossible_visit(stage: Stage) -> None:
    ended: set[InterventionStatus] = set()

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        start=st.sampled_from(sorted(OPEN_VISIT)),
        story=st.lists(st.one_of(moves, moves, moves, news(), known()), min_size=4, max_size=16),
    )
    @example(start="in_progress", story=[(number, "parts") for number in range(8)])
    async def happens(start: InterventionStatus, story: list[Any]) -> None:
        await stage.clear()
        await stage.given(
            Technician(id=world.karim.id, name="Karim", account_active=True),
            Technician(id=world.sofia.id, name="Sofia", account_active=True),
            visit(start, cause="parts", work=work("VAN-1")),
        )
        visits: dict[UUID, InterventionStatus] = {VISIT: start}
        for step in story:
            if isinstance(step, Event):
                outcome = await stage.hears(step)
            elif isinstance(step, ReclamationView):
                await stage.knows(step)
                outcome = await stage.when(by_hand(step), by=world.marie)
                assert outcome.problem is None or outcome.problem.code == "visit_open", outcome
            else:
                outcome = await stage.when(moving(visits, *step), by=world.marie)
                assert outcome.problem is None or outcome.problem.status in {409, 422}, outcome
            for event in outcome.events:
                if isinstance(event.state, InterventionView):
                    visits[event.state.id] = event.state.status
                    assert list(impossible(event.state)) == []
            assert sum(status in OPEN_VISIT for status in visits.values()) <= 1, (
                "two technicians for one fault"
            )
        assert await stage.parked() == []
        ended.update(visits.values())

    await run(happens)
    assert ended & {"completed", "incomplete"}, "a story of moves only goes to an end"


def moving(visits: dict[UUID, InterventionStatus], number: int, cause: Cause) -> MoveIntervention:
    """A legal move of the newest visit; of one that is over, any."""
    id, now = list(visits.items())[-1]
    legal = INTERVENTION.legal(now, world.marie) or ["accepted"]
    return MoveIntervention.model_validate(
        {"intervention_id": id, "to": legal[number % len(legal)], "cause": cause, "reason": "parce que"}
    )


def test_every_visit_can_end() -> None:
    ways: dict[str, set[str]] = {}
    for now, to in INTERVENTION.moves:
        ways.setdefault(now, set()).add(to)

    def ends(status: str, seen: frozenset[str] = frozenset()) -> bool:
        return status not in OPEN_VISIT or any(ends(to, seen | {status}) for to in ways[status] - seen)

    assert [status for status in get_args(InterventionStatus) if not ends(status)] == []
