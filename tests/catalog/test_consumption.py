"""A closed visit takes the parts that it used out of the stock."""

import asyncio
from uuid import UUID

import pytest
import world
from given_catalog import BOILER, JOINT, article, stock
from given_stock import FIRST, SECOND, closed, comes_in, ends, have, movements, needs, of, shelf, used, work

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.catalog.reservation import StockReleased, StockReserved, StockUsed
from sav_contracts.catalog.stock import MoveStock, StockLow, StockMoved, StockOverdrawn
from sav_contracts.interventions.work import Work


@pytest.fixture
async def five(stage: Stage) -> Stage:
    """Five boilers."""
    await stage.given(article(), stock())
    await comes_in(stage, 5)
    return stage


def moved(outcome: Outcome) -> list[tuple[str, int]]:
    return [(one.movement, one.quantity) for one in of(outcome, StockMoved)]


@pytest.mark.parametrize("outcome", ["completed", "incomplete"])
async def test_what_a_closed_visit_used_leaves_the_stock(five: Stage, outcome: str) -> None:
    told = enveloped(closed(used(quantity=2), outcome=outcome), world.marie)
    assert moved(await five.hears(told)) == [("consume", -2)]
    *_, row = await movements(five)
    assert (row["movement"], row["quantity"], row["reason"], row["reference"], row["by_id"]) == (
        "consume",
        -2,
        "built_in",
        "REC-2026-000101",
        world.marie.id,
    )
    assert await shelf(five) == (3, 0, 0)


async def test_an_event_that_comes_twice_consumes_once(five: Stage) -> None:
    told = enveloped(closed(used(quantity=2)))
    await five.hears(told)
    assert (await five.hears(told)).events == []
    assert await shelf(five) == (3, 0, 0)


async def test_pieces_with_serial_numbers_of_their_own_are_counted_together(five: Stage) -> None:
    outcome = await five.hears(closed(used(serial="A"), used(serial="B"), used(quantity=2)))
    assert moved(outcome) == [("consume", -4)]


@pytest.mark.parametrize("what", [None, work()], ids=["no work", "no part"])
async def test_a_visit_without_parts_moves_nothing(five: Stage, what: Work | None) -> None:
    told = enveloped(closed(work=what))
    assert (await five.hears(told)).events == []
    assert await five.outcome_of(told, "consume_parts") == "no part was used"


async def test_parts_of_a_retired_article_are_used_up(stage: Stage) -> None:
    await stage.given(article(status="retired"), stock())
    await comes_in(stage, 2)
    assert moved(await stage.hears(closed(used()))) == [("consume", -1)]


async def test_what_is_reserved_for_the_claim_is_used_first(five: Stage) -> None:
    await needs(five, FIRST, 2)
    outcome = await five.hears(closed(used(quantity=3)))
    assert moved(outcome) == [("release", 2), ("consume", -2), ("consume", -1)]
    [told] = of(outcome, StockUsed)
    assert (told.quantity, told.state.used, told.state.status) == (2, 2, "used")
    assert await shelf(five) == (2, 0, 0)


async def test_what_is_left_of_a_reservation_is_kept_until_the_claim_ends(five: Stage) -> None:
    await needs(five, FIRST, 3)
    [told] = of(await five.hears(closed(used())), StockUsed)
    assert (told.state.used, told.state.status) == (1, "reserved")
    assert await shelf(five) == (2, 2, 0)
    [released] = of(await ends(five, FIRST), StockReleased)
    assert (released.state.used, released.state.status) == (1, "used")
    assert await shelf(five) == (4, 0, 0)


async def test_another_visit_goes_on_where_the_first_left_off(five: Stage) -> None:
    await needs(five, FIRST, 3)
    await five.hears(closed(used(quantity=2), outcome="incomplete"))
    outcome = await five.hears(closed(used(), id=UUID(int=401)))
    assert moved(outcome) == [("release", 1), ("consume", -1)]
    assert await have(five) == {FIRST: ("used", 3)}


async def test_what_is_reserved_for_others_is_not_taken(five: Stage) -> None:
    await needs(five, SECOND, 4)
    outcome = await five.hears(closed(used(quantity=2)))
    assert moved(outcome) == [("consume", -1)]
    [told] = of(outcome, StockOverdrawn)
    assert (told.used, told.there, told.reference) == (2, 1, "REC-2026-000101")
    assert (told.state.level, told.state.reserved) == (0, 4)
    assert await have(five) == {SECOND: ("reserved", 4)}


async def test_what_the_stock_does_not_have_was_used_all_the_same(stage: Stage) -> None:
    await stage.given(article(), stock())
    outcome = await stage.hears(closed(used(quantity=2)))
    [told] = outcome.events
    assert isinstance(told, StockOverdrawn)
    assert (told.used, told.there, told.state.level) == (2, 0, 0)
    assert await movements(stage) == []


async def test_pieces_from_elsewhere_end_the_waiting_for_them(stage: Stage) -> None:
    await stage.given(article(), stock())
    await needs(stage, FIRST, 3)
    [told] = of(await stage.hears(closed(used(quantity=2))), StockUsed)
    assert (told.state.used, told.state.status) == (2, "back_ordered")
    assert await shelf(stage) == (0, 0, 1)
    [served] = of(await comes_in(stage, 5), StockReserved)
    assert served.state.for_id == FIRST
    assert await shelf(stage) == (4, 1, 0)
    await stage.hears(closed(used(quantity=4), id=UUID(int=401)))
    assert await have(stage) == {FIRST: ("used", 3)}
    assert await shelf(stage) == (1, 0, 0)


async def test_free_pieces_that_are_too_few_for_a_line_end_the_waiting_for_them_when_used(
    five: Stage,
) -> None:
    await needs(five, FIRST, 7)
    outcome = await five.hears(closed(used(quantity=4)))
    assert moved(outcome) == [("consume", -4)]
    assert [(one.state.used, one.state.status) for one in of(outcome, StockUsed)] == [(4, "back_ordered")]
    assert await shelf(five) == (1, 0, 3)


async def test_a_line_whose_pieces_are_used_grows_by_what_is_needed_more(five: Stage) -> None:
    await needs(five, FIRST, 2)
    await five.hears(closed(used(quantity=2), outcome="incomplete"))
    outcome = await needs(five, FIRST, 3, edition=2)
    assert moved(outcome) == [("reserve", -1)]
    assert await shelf(five) == (2, 1, 0)
    # A list from before the visit, which asks for less than was used.
    assert (await needs(five, FIRST, 1, edition=3)).problem is None
    assert await have(five) == {FIRST: ("used", 2)}
    assert await shelf(five) == (3, 0, 0)
    assert (await needs(five, FIRST, 1, edition=4)).events == []


async def test_a_reserved_piece_that_is_used_makes_no_stock_low(stage: Stage) -> None:
    await stage.given(article(minimum_stock=3), stock(minimum=3))
    await comes_in(stage, 5)
    assert len(of(await needs(stage, FIRST, 3), StockLow)) == 1
    outcome = await stage.hears(closed(used(quantity=3)))
    assert moved(outcome) == [("release", 3), ("consume", -3)]
    assert of(outcome, StockLow) == []


async def test_visits_and_managers_who_move_the_same_parts_do_not_wait_in_a_circle(five: Stage) -> None:
    await five.given(article(id=JOINT, reference="J-1"), stock(article_id=JOINT))
    visits = [
        closed(
            *[used(), used(JOINT)][:: 1 if number % 2 else -1],
            of_claim=UUID(int=1000 + number),
            id=UUID(int=2000 + number),
        )
        for number in range(8)
    ]
    coming = [
        MoveStock(article_id=one, movement="receive", quantity=1) for one in (BOILER, JOINT) for _ in range(6)
    ]
    await asyncio.gather(
        *(five.hears(one) for one in visits),
        *(five.when(one, by=world.marie, seconds=20) for one in coming),
        *(needs(five, UUID(int=1000 + number), 1) for number in range(4)),
    )
    assert await five.parked() == []
    for id in (BOILER, JOINT):
        level = await five.database.pool.fetchval("SELECT level FROM stock_level WHERE article_id = $1", id)
        assert level == sum(row["quantity"] for row in await movements(five) if row["article_id"] == id) >= 0
