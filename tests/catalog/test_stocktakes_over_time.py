"""Stocktakes beside losses, movements and each other, whenever they are counted and sent."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import world
from given_movements import Moved, Stocked, stocked
from given_stocktakes import HOUR, PUMP, counted, free, moves, of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from in_loop import run

from sav_chassis.testing import Outcome, Stage

# What happens to one article: it comes and goes, is kept for somebody, is lost unnoticed, is counted; a count is sent.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["receive", "consume", "reserve", *2 * ["lose"], *3 * ["count"], *3 * ["send"]]),
        st.integers(1, 4),
    ),
    min_size=10,
    max_size=30,
)


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
async def test_whenever_counts_are_taken_and_sent_what_is_on_record_is_on_the_shelf(stage: Stage) -> None:
    @given(steps=STEPS)
    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    async def live(steps: list[tuple[str, int]]) -> None:
        await stage.clear()
        await stocked(stage, Stocked(PUMP, [Moved(stage.now() - HOUR, "receive", 8)]))
        shelf, reserved, record, lost_since = 8, 0, 8, 0
        # Counts on paper, each with what was lost after it; the moment of the last one that was taken.
        papers: list[list[Any]] = []
        last: datetime | None = None
        for step, pieces in steps:
            await stage.passes(timedelta(minutes=1))
            if step == "lose" and shelf >= pieces:
                shelf -= pieces
                for paper in papers:
                    paper[2] += pieces
                lost_since += pieces
            elif step == "count":
                papers.append([stage.now(), shelf, 0])
                await stage.passes(timedelta(minutes=1))
            elif step == "send" and papers:
                moment, found, lost = papers.pop(pieces % len(papers))
                outcome = await counted(stage, (of(PUMP), found), ago=stage.now() - moment)
                told = outcome.problem
                if told is None:
                    assert last is None or moment > last
                    last, lost_since, record = moment, lost, shelf + lost
                else:
                    assert (last and moment <= last) or record - reserved < record - shelf - lost
            elif step == "reserve" and record - reserved >= pieces:
                reserved += pieces
                await kept(stage, pieces)
            elif step == "receive" or (step == "consume" and min(record - reserved, shelf) >= pieces):
                change = pieces if step == "receive" else -pieces
                assert (await moves(stage, PUMP, step, pieces)).problem is None
                shelf, record = shelf + change, record + change
            assert await free(stage) == [record - reserved]
            assert last is None or record - shelf == lost_since

    await run(live)


async def kept(stage: Stage, pieces: int) -> None:
    """Keeps so many pumps for somebody."""
    await stage.database.pool.execute(
        "UPDATE stock_level SET level = level - $2 WHERE article_id = $1", of(PUMP), pieces
    )
    await stage.database.pool.execute(
        """INSERT INTO stock_movement (id, article_id, movement, quantity, by_id, at)
        VALUES (gen_random_uuid(), $1, 'reserve', -$2::bigint, $3, $4)""",
        of(PUMP),
        pieces,
        world.marie.id,
        stage.now(),
    )


async def test_two_stocktakes_and_movements_at_once_do_not_wait_in_a_circle(stage: Stage) -> None:
    came = stage.now() - 10 * HOUR
    numbers = range(1, 13)
    await stocked(stage, *(Stocked(number, [Moved(came, "receive", 50)]) for number in numbers))

    async def counts(order: Sequence[int], found: int, minutes: int) -> Outcome:
        return await counted(stage, *((of(one), found) for one in order), ago=timedelta(minutes=minutes))

    outcomes = await asyncio.gather(
        counts(numbers, 48, 30),
        counts(numbers[::-1], 49, 20),
        counts(numbers[::2], 47, 10),
        *(moves(stage, number, "consume", 1) for number in numbers),
        *(moves(stage, number, "receive", 2) for number in numbers[::-1]),
    )
    problems = [outcome.problem for outcome in outcomes]
    assert problems[3:] == [None] * 24
    # Whichever came first: a later one may only find that the article was counted since.
    for one in problems[:3]:
        assert one is None or all("was counted at" in error.message for error in one.errors or [])
    assert problems[2] is None
    last = {number: 47 if number in numbers[::2] else None for number in numbers}
    for number, level in zip(numbers, await free(stage), strict=True):
        if last[number]:
            assert level == 47 - 1 + 2
