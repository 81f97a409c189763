"""However a day's acts come – shuffled, doubled, cut off, again – the visits end the same, and each act is answered the same."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
import world
from given_interventions import visit
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from in_loop import run
from pydantic_core import from_json
from uuid_utils.compat import uuid7

from sav_chassis.testing import Stage
from sav_contracts.interventions.act import ActsRefused, ApplyActs
from sav_contracts.interventions.visit import InterventionMove

Json = dict[str, Any]
PATH = ["accepted", "en_route", "on_site", "in_progress", "work", "completed", "report", "sign", "submit"]
WRITTEN: dict[str, Json] = {
    "work": {"solution": "purgé", "labour": [{"description": "Purge", "minutes": 20}]},
    "report": {"findings": "joint usé", "work_done": "joint changé"},
    "sign": {"refused": "elle est partie"},
    "submit": {},
}
WHOLE = ["next"] * len(PATH)
KINDS = [*get_args(InterventionMove), *WRITTEN]
# What a telephone records: mostly the next step of a visit, now and then anything.
stories = st.lists(st.one_of(*[st.just("next")] * 3, st.sampled_from(KINDS)), min_size=3, max_size=14)


def acts_of(story: list[str], visit: UUID, chained: bool) -> list[Json]:
    """The acts in the order in which they happened."""
    began, path = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=3), iter(PATH)
    acts: list[Json] = []
    for minute, step in enumerate(story):
        kind = next(path, "submit") if step == "next" else step
        fields = WRITTEN.get(kind, {"to": kind, "cause": "parts", "reason": "parce que"})
        what = {kind if kind in WRITTEN else "move": {"intervention_id": str(visit)} | fields}
        act = {"id": str(uuid7()), "at": (began + timedelta(minutes=minute)).isoformat()} | what
        acts.append(act | ({"after": acts[-1]["id"]} if chained and acts else {}))
    return acts


@st.composite
def anyhow(draw: st.DrawFn) -> tuple[list[str], list[list[int]]]:
    """A story, and pieces of it in any order, of which some never arrive: then all of it once more."""
    story = draw(stories)
    any_acts = st.lists(st.integers(0, len(story) - 1), min_size=1, max_size=len(story))
    pieces = draw(st.lists(any_acts, max_size=4))
    return story, [*pieces, draw(st.permutations(range(len(story))))]


@st.composite
def cut(draw: st.DrawFn) -> tuple[list[str], list[list[int]]]:
    """A story that comes piece by piece, each shuffled and with acts that came before."""
    story = draw(stories)
    ends = sorted({*draw(st.lists(st.integers(1, len(story)), max_size=4)), len(story)})
    pieces = []
    for begin, end in zip([0, *ends], ends, strict=False):
        before = draw(st.lists(st.integers(0, end - 1), max_size=5))
        pieces.append(draw(st.permutations([*range(begin, end), *before])))
    return story, pieces


async def send(stage: Stage, acts: list[Json], order: list[int], outcomes: dict[str, str]) -> None:
    command = ApplyActs.model_validate({"acts": [acts[number] for number in order]})
    answer = await stage.when(command, by=world.karim)
    assert answer.problem is None, answer.problem
    for act in answer.reply["acts"]:
        code = (act["problem"] or {}).get("code") or act["outcome"]
        known = outcomes.get(act["id"], "act_before_missing")
        expected = {"done": "done_before"}.get(known, known)
        assert code == expected or known == "act_before_missing", "an answer stays the same"
        outcomes[act["id"]] = "done" if code == "done_before" else code


async def ended(stage: Stage, id: UUID) -> Any:
    """What must be the same: the visit with its moves and work, its report, and how many visits follow."""
    pool = stage.database.pool
    row = await pool.fetchrow("SELECT * FROM intervention WHERE id = $1", id)
    assert row
    moves = [(one["to"], one["at"]) for one in from_json(row["acts"])]
    report = await pool.fetchrow(
        "SELECT status, findings, signature_refused FROM report WHERE intervention_id = $1", id
    )
    follow_ups = await pool.fetchval("SELECT count(*) FROM intervention WHERE follows_id = $1", id)
    # How often managers were told of what was refused depends on the pieces.
    told = await pool.fetchval(
        "SELECT count(*) FROM event_log WHERE subject = $1 AND type = $2", id, ActsRefused.type_name()
    )
    said = (row["status"], row["reason"], row["cause"], row["done_at"], row["work"], row["version"] - told)
    return said, moves, report and tuple(report), follow_ups


async def the_same(stage: Stage, story: list[str], pieces: list[list[int]], chained: bool) -> str:
    """Sends one visit's acts all at once, another's in these pieces; answers the state in which both end."""
    await stage.clear()
    at_once, in_pieces = uuid4(), uuid4()
    for id in (at_once, in_pieces):
        await stage.given(visit("planned", id=id, reclamation_id=uuid4()))
    whole, parts = acts_of(story, at_once, chained), acts_of(story, in_pieces, chained)
    first: dict[str, str] = {}
    await send(stage, whole, list(range(len(whole))), first)
    second: dict[str, str] = {}
    for piece in pieces:
        await send(stage, parts, piece, second)
    assert [second[act["id"]] for act in parts] == [first[act["id"]] for act in whole]
    state = await ended(stage, at_once)
    assert await ended(stage, in_pieces) == state
    return str(state[0][0])


# Hypothesis sees that others in this process use `random` meanwhile.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
async def test_shuffled_doubled_and_cut_off_it_ends_the_same(stage: Stage) -> None:
    found: set[str] = set()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(drawn=anyhow())
    @example(drawn=(WHOLE, [[5, 2], [8, 0, 7], [3, 6, 1, 5, 0, 4, 8, 2, 7]]))
    async def happens(drawn: tuple[list[str], list[list[int]]]) -> None:
        found.add(await the_same(stage, *drawn, chained=True))

    await run(happens)
    assert "completed" in found, "a whole story goes to its end"


# Hypothesis sees that others in this process use `random` meanwhile.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
async def test_piece_by_piece_it_ends_the_same_also_without_a_chain(stage: Stage) -> None:
    found: set[str] = set()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(drawn=cut())
    @example(drawn=(WHOLE, [[2, 0, 1], [4, 1, 3], [8, 5, 7, 6, 2]]))
    async def happens(drawn: tuple[list[str], list[list[int]]]) -> None:
        found.add(await the_same(stage, *drawn, chained=False))

    await run(happens)
    assert "completed" in found, "a whole story goes to its end"
