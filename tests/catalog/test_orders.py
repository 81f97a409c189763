"""The stock of orders: reserved whole and in turn, released, and out of the stock when a purchase ships."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID, uuid5

import pytest
from given_catalog import BOILER, JOINT, article, stock
from given_orders import ORDER, REPAIR, order_line, order_view
from given_stock import FIRST, closed, comes_in, ends, movements, needs, of, over, shelf, used
from given_views import a
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from in_loop import run

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.actor import Role
from sav_contracts.catalog.reservation import StockReleased, StockReserved, StockShort, StockUsed
from sav_contracts.catalog.stock import StockMoved, StockOverdrawn
from sav_contracts.claims.order import (
    OrderCancelled,
    OrderLine,
    OrderShipped,
    OrderStatus,
    OrderValidated,
    OrderView,
    OrderWithdrawn,
)
from sav_contracts.claims.reclamation import ReclamationClosed
from sav_contracts.interventions.estimate import EstimateView, EstimateWithdrawn

FOR_FIRST = REPAIR | {"reclamation_id": FIRST}


@pytest.fixture
async def five(stage: Stage) -> Stage:
    """Five boilers."""
    await stage.given(article(), stock())
    await comes_in(stage, 5)
    return stage


def pieces(order_id: UUID, quantity: int, article_id: UUID = BOILER) -> OrderLine:
    return order_line(article_id, quantity, id=uuid5(order_id, str(article_id)))


def order(
    status: OrderStatus, quantity: int = 2, id: UUID = ORDER, version: int = 2, **fields: Any
) -> OrderView:
    fields = {"lines": (pieces(id, quantity),)} | fields
    return order_view(id=id, status=status, version=version, reference=f"CMD-2026-{id.int:06}", **fields)


async def validated(stage: Stage, quantity: int = 2, id: UUID = ORDER, **fields: Any) -> Outcome:
    state = order("validated", quantity, id, **fields)
    await stage.knows(state)
    return await stage.hears(OrderValidated(state=state))


async def cancelled(stage: Stage, quantity: int = 2, id: UUID = ORDER, **fields: Any) -> Outcome:
    state = order("cancelled", quantity, id, version=5, **fields)
    await stage.knows(state)
    return await stage.hears(OrderCancelled(state=state, by=Role.MANAGER))


async def shipped(stage: Stage, quantity: int = 2, id: UUID = ORDER, **fields: Any) -> Outcome:
    state = order("shipped", quantity, id, version=4, **fields)
    await stage.knows(state)
    return await stage.hears(OrderShipped(state=state))


def moved(outcome: Outcome) -> list[tuple[str, int, str]]:
    return [(one.movement, one.quantity, one.reason) for one in of(outcome, StockMoved)]


async def test_what_is_there_is_reserved_for_the_order(five: Stage) -> None:
    outcome = await validated(five)
    [reserved] = of(outcome, StockReserved)
    assert (reserved.state.for_kind, reserved.state.for_id) == ("order", ORDER)
    assert reserved.state.for_reference == "CMD-2026-000700"
    assert moved(outcome) == [("reserve", -2, "needed")]
    assert await shelf(five) == (3, 2, 0)


async def test_a_line_that_is_too_large_waits_for_all_of_it(five: Stage) -> None:
    assert len(of(await validated(five, 6), StockShort)) == 1
    assert await shelf(five) == (5, 0, 6)
    assert len(of(await comes_in(five, 1), StockReserved)) == 1
    assert await shelf(five) == (0, 6, 0)


async def test_orders_and_repairs_wait_in_one_line(five: Stage) -> None:
    await validated(five, 6)
    await needs(five, FIRST, 1)
    assert await shelf(five) == (5, 0, 7)
    outcome = await comes_in(five, 2)
    assert [one.state.for_id for one in of(outcome, StockReserved)] == [ORDER, FIRST]


async def test_a_visit_for_no_reclamation_takes_nothing_that_is_reserved_for_others(five: Stage) -> None:
    await validated(five)
    upkeep: dict[str, Any] = {
        "reclamation_id": None,
        "reclamation_reference": None,
        "reference": "INT-2026-000001",
    }
    outcome = await five.hears(closed(used(quantity=2), **upkeep))
    assert moved(outcome) == [("consume", -2, "built_in")]
    assert (await movements(five))[-1]["reference"] == "INT-2026-000001"
    assert await shelf(five) == (1, 2, 0)


async def test_a_cancelled_order_gives_back_what_it_had(five: Stage) -> None:
    await validated(five)
    assert len(of(await cancelled(five), StockReleased)) == 1
    assert await shelf(five) == (5, 0, 0)


async def test_a_purchase_that_is_withdrawn_from_gives_back_what_is_still_here(five: Stage) -> None:
    await validated(five)
    state = order("cancelled", 2, ORDER, version=5)
    await five.knows(state)
    outcome = await five.hears(OrderWithdrawn(state=state, at=state.updated_at))
    assert len(of(outcome, StockReleased)) == 1
    assert await shelf(five) == (5, 0, 0)


async def test_what_was_shipped_comes_back_by_hand(five: Stage) -> None:
    """Also where nobody here has heard of the shipping yet: it will take what is reserved."""
    await validated(five)
    state = order("shipped", 2, ORDER, version=5)
    assert (await five.hears(OrderWithdrawn(state=state, at=state.updated_at))).events == []
    assert await shelf(five) == (3, 2, 0)


async def test_a_cancelled_order_waits_no_longer(five: Stage) -> None:
    await validated(five, 6)
    await cancelled(five, 6)
    assert await shelf(five) == (5, 0, 0)


async def test_one_that_was_never_validated_has_nothing_to_give_back(five: Stage) -> None:
    assert (await cancelled(five)).events == []


async def test_a_validation_that_is_heard_after_the_end_reserves_nothing(five: Stage) -> None:
    late = enveloped(OrderValidated(state=order("validated")))
    await cancelled(five)
    assert (await five.hears(late)).events == []
    assert await five.outcome_of(late) == "obsolete: the order is cancelled"
    assert await shelf(five) == (5, 0, 0)


async def test_a_validation_that_is_heard_before_its_copy_is_there_waits(five: Stage) -> None:
    await five.hears(OrderValidated(state=order("validated")))
    assert len(await five.parked()) == 1
    assert await shelf(five) == (5, 0, 0)


async def test_an_event_that_comes_twice_reserves_and_consumes_once(five: Stage) -> None:
    told = enveloped(OrderValidated(state=order("validated")))
    await five.knows(order("validated"))
    await five.hears(told)
    assert (await five.hears(told)).events == []
    # Another event that says the same, as after a repair of the queues.
    assert (await validated(five)).events == []
    left = enveloped(OrderShipped(state=order("shipped", version=4)))
    await five.hears(left)
    assert (await five.hears(left)).events == []
    assert await shelf(five) == (3, 0, 0)


async def test_nothing_is_reserved_for_a_repair_that_is_over(five: Stage) -> None:
    await five.knows(over(FIRST))
    assert (await validated(five, **FOR_FIRST)).events == []


async def test_a_purchase_leaves_the_stock_when_it_is_shipped(five: Stage) -> None:
    await validated(five)
    outcome = await shipped(five)
    assert moved(outcome) == [("release", 2, "shipped"), ("consume", -2, "shipped")]
    assert [(one.quantity, one.state.status) for one in of(outcome, StockUsed)] == [(2, "used")]
    assert await shelf(five) == (3, 0, 0)


async def test_what_was_shipped_although_it_was_missing_is_to_be_counted(five: Stage) -> None:
    await validated(five, 4)
    await comes_in(five, -3, "adjust")
    assert await shelf(five) == (2, 0, 4)
    [overdrawn] = of(await shipped(five, 4), StockOverdrawn)
    assert (overdrawn.used, overdrawn.there, overdrawn.reference) == (4, 2, "CMD-2026-000700")
    assert await shelf(five) == (0, 0, 0)


async def test_what_is_shipped_for_a_repair_leaves_the_stock_with_the_work(five: Stage) -> None:
    await validated(five, **FOR_FIRST)
    assert (await shipped(five, **FOR_FIRST)).events == []
    assert await shelf(five) == (3, 2, 0)
    outcome = await five.hears(closed(used(quantity=2), of_claim=FIRST))
    assert moved(outcome) == [("release", 2, "built_in"), ("consume", -2, "built_in")]
    assert [one.state.for_id for one in of(outcome, StockUsed)] == [ORDER]
    assert await shelf(five) == (3, 0, 0)


async def test_work_takes_from_the_list_and_from_orders_for_the_repair(five: Stage) -> None:
    await needs(five, FIRST, 1)
    await validated(five, 2, **FOR_FIRST)
    outcome = await five.hears(closed(used(quantity=3), of_claim=FIRST))
    assert [(one.state.for_id, one.quantity) for one in of(outcome, StockUsed)] == [(FIRST, 1), (ORDER, 2)]
    assert await shelf(five) == (2, 0, 0)


async def test_a_list_that_is_validated_again_leaves_the_orders_alone(five: Stage) -> None:
    await validated(five, 2, **FOR_FIRST)
    await needs(five, FIRST, 1)
    await needs(five, FIRST, 2, edition=2)
    assert await shelf(five) == (1, 4, 0)


async def test_when_the_repair_is_over_what_was_ordered_for_it_is_released(five: Stage) -> None:
    await needs(five, FIRST, 1)
    await validated(five, 2, **FOR_FIRST)
    outcome = await ends(five, FIRST)
    assert {one.state.for_id for one in of(outcome, StockReleased)} == {FIRST, ORDER}
    assert await shelf(five) == (5, 0, 0)


async def test_what_was_shipped_for_a_repair_that_is_over_is_not_on_the_shelf(five: Stage) -> None:
    await needs(five, FIRST, 1)
    await validated(five, 2, **FOR_FIRST)
    await shipped(five, 2, **FOR_FIRST)
    outcome = await ends(five, FIRST)
    assert [one.state.for_id for one in of(outcome, StockReleased)] == [FIRST]
    assert [(one.state.for_id, one.quantity) for one in of(outcome, StockUsed)] == [(ORDER, 2)]
    assert await shelf(five) == (3, 0, 0)
    await comes_in(five, 2, "return")
    assert await shelf(five) == (5, 0, 0), "somebody brought it back"


async def test_what_is_heard_to_be_shipped_after_the_end_of_the_repair_leaves_the_stock(five: Stage) -> None:
    await validated(five, 2, **FOR_FIRST)
    await ends(five, FIRST)
    await shipped(five, 2, **FOR_FIRST)
    assert await shelf(five) == (3, 0, 0)


async def test_what_was_shipped_and_missing_when_it_was_counted_leaves_the_stock_once(five: Stage) -> None:
    await validated(five, 2, **FOR_FIRST)
    await shipped(five, 2, **FOR_FIRST)
    await comes_in(five, -4, "adjust")
    assert await shelf(five) == (1, 0, 2)
    await ends(five, FIRST)
    assert await shelf(five) == (1, 0, 0)


async def test_a_withdrawal_leaves_what_was_shipped_to_the_repair(five: Stage) -> None:
    await needs(five, FIRST, 1)
    await validated(five, 2, **FOR_FIRST)
    await shipped(five, 2, **FOR_FIRST)
    estimate = a(EstimateView, status="withdrawn", reclamation_id=FIRST)
    outcome = await five.hears(EstimateWithdrawn(state=estimate, at=five.now()))
    assert [one.state.for_id for one in of(outcome, StockReleased)] == [FIRST]
    assert await shelf(five) == (3, 2, 0)


async def test_an_order_of_several_articles_is_reserved_line_by_line(five: Stage) -> None:
    await five.given(article(id=JOINT, reference="J-1"), stock(article_id=JOINT))
    lines = (pieces(ORDER, 1, JOINT), pieces(ORDER, 2))
    outcome = await validated(five, lines=lines)
    assert [one.state.article_id for one in of(outcome, StockReserved)] == [BOILER]
    assert [one.state.article_id for one in of(outcome, StockShort)] == [JOINT]


async def test_twenty_orders_for_ten_pieces_get_what_there_is_and_the_rest_in_turn(five: Stage) -> None:
    await comes_in(five, 5)
    ids = [UUID(int=800 + number) for number in range(20)]
    await asyncio.gather(*(validated(five, 1, id) for id in ids))
    assert await shelf(five) == (0, 10, 10)
    turns = await five.database.pool.fetch(
        "SELECT for_id FROM reservation WHERE status = 'back_ordered' ORDER BY place"
    )
    arrived = [one.state.for_id for one in of(await comes_in(five, 4), StockReserved)]
    assert arrived == [row["for_id"] for row in turns[:4]]
    assert await shelf(five) == (0, 14, 6)
    assert await five.parked() == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["validate", "validate", "cancel", "ship", "receive", "lose", "need", "end"]),
        st.integers(0, 5),
        st.integers(1, 4),
    ),
    min_size=4,
    max_size=18,
)


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
async def test_whatever_happens_the_stock_is_possible(stage: Stage) -> None:
    @given(steps=STEPS)
    @settings(
        max_examples=30,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    async def live(steps: list[tuple[str, int, int]]) -> None:
        await stage.clear()
        await stage.given(article(), stock())
        await comes_in(stage, 4)
        ids = [UUID(int=900 + number) for number in range(6)]
        state: dict[UUID, str] = {}
        for step, which, quantity in steps:
            id, now = ids[which], state.get(ids[which])
            if step == "validate" and now is None:
                await validated(stage, quantity, id)
                state[id] = f"open {quantity}"
            elif step == "cancel" and now and now.startswith("open"):
                await cancelled(stage, id=id)
                state[id] = "over"
            elif step == "ship" and now and now.startswith("open"):
                await shipped(stage, int(now.split()[1]), id)
                state[id] = "over"
            elif step in ("receive", "lose"):
                await comes_in(stage, quantity if step == "receive" else -quantity, "adjust")
            elif step == "need":
                await needs(stage, FIRST, quantity, edition=len(state) + 1)
            elif step == "end" and which == 0:
                await stage.knows(over(FIRST))
                await stage.hears(ReclamationClosed(state=over(FIRST)))
            await possible(stage, {id for id, is_now in state.items() if is_now == "over"})
        assert await stage.parked() == []

    await run(live)


async def possible(stage: Stage, ended: set[UUID]) -> None:
    """The level is the sum of movements; what is promised is what reservations say; who is over has nothing."""
    free, reserved, awaited = await shelf(stage)
    rows = await stage.database.pool.fetch("SELECT for_id, quantity - used AS rest, status FROM reservation")
    held: Counter[str] = Counter()
    for row in rows:
        held[row["status"]] += row["rest"]
        assert not (row["for_id"] in ended and row["status"] in ("reserved", "back_ordered"))
    assert (held["reserved"], held["back_ordered"]) == (reserved, awaited)
    assert free == sum(row["quantity"] for row in await movements(stage)) >= 0
    # Nobody waits while the first in turn could be served.
    first = await stage.database.pool.fetchval(
        "SELECT quantity - used FROM reservation WHERE status = 'back_ordered' ORDER BY place LIMIT 1"
    )
    assert first is None or first > free
