"""No sequence of moves that are allowed brings a réclamation into an impossible state, and every state can end."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import world
from given_claims import NOW, VISIT, client, reclamation, technician, visit
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from in_loop import run

from sav_chassis.testing import Stage
from sav_claims.lifecycle import RECLAMATION
from sav_contracts.actor import Actor, Role
from sav_contracts.claims.reclamation import (
    OVER,
    AssignTechnician,
    MoveReclamation,
    QualifyReclamation,
    ReclamationMove,
    ReclamationStatus,
    ReclamationView,
)
from sav_contracts.interventions.visit import (
    AssignmentRefused,
    EndingRefused,
    InterventionClosed,
    InterventionMoved,
    InterventionStarted,
    InterventionView,
)
from sav_contracts.messages import Event, RequestMessage

ID, TARGET = UUID(int=100), UUID(int=101)
PEOPLE = (world.lea, world.karim, world.sofia, world.marie)
WITH_TECHNICIAN = {"assigned", "in_progress", "awaiting_parts"}
WITHOUT = {"submitted", "qualified", "awaiting_client", "reopened", "rejected"}

commands = st.one_of(
    st.builds(
        MoveReclamation,
        reclamation_id=st.just(ID),
        to=st.sampled_from(get_args(ReclamationMove)),
        reason=st.sampled_from([None, "parce que", "parce que"]),
        question=st.sampled_from([None, "Quel code ?", "Quel code ?"]),
        resolution=st.sampled_from([None, "advice", "no_repair"]),
        target_id=st.sampled_from([None, TARGET, TARGET]),
    ),
    st.builds(
        AssignTechnician,
        reclamation_id=st.just(ID),
        technician_id=st.sampled_from([world.karim.id, world.sofia.id]),
    ),
    st.builds(QualifyReclamation, reclamation_id=st.just(ID), priority=st.just("high"), reason=st.just("vu")),
)
acts = st.tuples(st.sampled_from([*PEOPLE, world.marie, world.marie]), commands)


THEIRS: dict[str, Any] = {"technician_id": world.karim.id, "assignment": 1}
DONE: dict[str, Any] = {"resolution": "repaired", "resolved_at": NOW}
STARTS: dict[ReclamationStatus, dict[str, Any]] = {
    "submitted": {},
    "qualified": {},
    "awaiting_client": {"question": "Et ?", "before_waiting": "qualified"},
    "assigned": THEIRS,
    "in_progress": THEIRS | {"visit_id": VISIT},
    "awaiting_parts": THEIRS,
    "resolved": THEIRS | DONE,
    "closed": THEIRS | DONE | {"closed_at": NOW},
    "reopened": {"earlier_visit_id": VISIT, "assignment": 1},
    "cancelled": THEIRS,
    "rejected": {},
    "merged": {"merged_into_id": TARGET},
}
# Which of the moves that the table allows a manager makes.
picks = st.integers(0, 1000)


def picked(number: int, now: ReclamationStatus) -> tuple[Actor, RequestMessage[Any]] | None:
    """A manager's legal act, complete in all it needs."""
    legal = RECLAMATION.legal(now, world.marie)
    if not legal:
        return None
    # What goes on leads further than what ends.
    goes_on = [to for to in legal if to not in OVER] or legal
    among = legal if number % 7 == 0 else goes_on
    to = among[number // 7 % len(among)]
    if to == "assigned":
        who = (world.karim, world.sofia)[number // 100 % 2]
        return world.marie, AssignTechnician(reclamation_id=ID, technician_id=who.id)
    if (now, to) == ("submitted", "qualified"):
        return world.marie, QualifyReclamation(reclamation_id=ID, priority="high")
    needed: dict[str, Any] = {"reason": "vu", "question": "Et ?", "resolution": "advice", "target_id": TARGET}
    return world.marie, MoveReclamation.model_validate({"reclamation_id": ID, "to": to} | needed)


def one_of_its_visits(number: int, **fields: Any) -> InterventionView:
    """Each was planned after the one before."""
    return visit(UUID(int=VISIT.int + number), created_at=NOW + timedelta(days=number), **fields)


@st.composite
def news(draw: st.DrawFn) -> Event:
    """What interventions may tell of a visit, in time or late."""
    status = draw(
        st.sampled_from(["on_site", "in_progress", "paused", "completed", "cancelled", "incomplete"])
    )
    who = draw(st.sampled_from([world.karim, world.sofia]))
    of: dict[str, Any] = {"technician_id": who.id, "client_id": world.lea.id}
    state = one_of_its_visits(draw(st.integers(0, 2)), status=status, **of).model_copy(
        update={"assignment": draw(st.integers(0, 3)), "cause": draw(st.sampled_from([None, "parts"]))}
    )
    return draw(
        st.sampled_from(
            [
                InterventionStarted(state=state),
                InterventionMoved(state=state, before="in_progress", after=state.status),
                InterventionClosed(state=state, outcome="completed"),
                AssignmentRefused(state=state, refused_technician_id=world.sofia.id),
                EndingRefused(state=state, refused="cancelled", assignment=draw(st.integers(0, 3))),
            ]
        )
    )


def impossible(state: ReclamationView) -> Iterator[str]:
    """What contradicts itself in a réclamation."""
    status = state.status
    if (status in WITH_TECHNICIAN) > (state.technician_id is not None):
        yield "somebody has it, and nobody does"
    if status in WITHOUT and state.technician_id:
        yield "nobody has it yet, and somebody does"
    if status == "resolved" and not (state.resolution and state.resolved_at):
        yield "resolved without a resolution"
    if state.resolution and status not in ("resolved", "closed", "merged"):
        yield "a resolution of what is not resolved"
    if (status == "closed") != (state.closed_at is not None):
        yield "closed, and not since when"
    if (status == "awaiting_client") != (state.question is not None and state.before_waiting is not None):
        yield "waits for the client, who was asked nothing"
    if (status == "merged") != (state.merged_into_id is not None):
        yield "merged into nothing"
    if state.needs_technician and status not in WITH_TECHNICIAN:
        yield "waits for another technician, and had none"


async def test_no_sequence_of_acts_and_news_makes_an_impossible_reclamation(stage: Stage) -> None:
    reached: set[ReclamationStatus] = set()
    begun = one_of_its_visits(0, status="on_site", technician_id=world.karim.id, client_id=world.lea.id)
    usual = [
        (world.marie, QualifyReclamation(reclamation_id=ID, priority="high")),
        (world.marie, AssignTechnician(reclamation_id=ID, technician_id=world.karim.id)),
        InterventionStarted(state=begun.model_copy(update={"assignment": 1})),
    ]

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        start=st.sampled_from(get_args(ReclamationStatus)),
        story=st.lists(st.one_of(picks, picks, acts, news()), min_size=3, max_size=20),
    )
    @example(start="submitted", story=usual)
    async def happens(start: ReclamationStatus, story: list[Any]) -> None:
        await stage.clear()
        await stage.knows(technician(world.karim), technician(world.sofia))
        await stage.knows(*(one_of_its_visits(number, closed_at=NOW) for number in range(3)))
        await stage.given(
            client(world.lea),
            reclamation(status=start, **STARTS[start]),
            reclamation(id=TARGET, reference="REC-2026-000101"),
        )
        now = start
        for step in story:
            one = picked(step, now) if isinstance(step, int) else step
            if one is None:
                continue
            outcome = await (stage.hears(one) if isinstance(one, Event) else stage.when(one[1], by=one[0]))
            if not isinstance(one, Event):
                assert outcome.problem is None or outcome.problem.status in {403, 404, 409, 422}, outcome
            for event in outcome.events:
                if event.state.id == ID:
                    now = event.state.status
                    reached.add(now)
                    assert list(impossible(event.state)) == []
        assert await stage.parked() == []

    await run(happens)
    assert reached >= {"qualified", "assigned", "in_progress"}, "the usual story goes its way"


def test_every_state_can_end() -> None:
    ways: dict[str, set[str]] = {}
    for (now, to), who in RECLAMATION.moves.items():
        if Role.MANAGER in who or Role.CLIENT in who:
            ways.setdefault(now, set()).add(to)

    def ends(status: str, seen: frozenset[str] = frozenset()) -> bool:
        return status in OVER or any(ends(to, seen | {status}) for to in ways.get(status, set()) - seen)

    assert [status for status in get_args(ReclamationStatus) if not ends(status)] == []


def test_managers_can_bring_each_state_to_each_end_that_it_may_have() -> None:
    """Everything that is not over may be merged, whatever it waits for."""
    open_ones = [status for status in get_args(ReclamationStatus) if status not in OVER]
    assert all(Role.MANAGER in RECLAMATION.moves[status, "merged"] for status in open_ones)
