"""The states of an order: who takes it where, and how it follows its stock and its réclamation."""

import asyncio
import json
from typing import Any

import pytest
import world
from given_claims import client, reclamation
from given_orders import (
    ACTS,
    CLAIM,
    ORDERED_BY,
    PUMP,
    REPAIR,
    VALVE,
    act,
    is_released,
    is_reserved,
    is_short,
    is_used,
    order_line,
    placed,
    status,
)
from given_parts import code
from given_views import a
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from in_loop import run

from sav_chassis.testing import Stage, enveloped
from sav_claims.lifecycle import ORDER as STATES
from sav_contracts.actor import Actor, Role
from sav_contracts.claims.order import NEEDS_STOCK, OrderCancelled, OrderChanged, OrderMoved, OrderStatus
from sav_contracts.claims.reclamation import (
    ReclamationClosed,
    ReclamationMoved,
    ReclamationStatus,
    ReclamationView,
    TechnicianAssigned,
)

# What each act makes of an order in each state, as domain.md says; other states refuse it.
TABLE: dict[str, dict[OrderStatus, OrderStatus]] = {
    "validate": {"placed": "validated"},
    "refuse": {"placed": "refused"},
    "ship": {"reserved": "shipped"},
    "receive": {"shipped": "received"},
    "cancel": dict.fromkeys(("placed", "validated", "reserved", "back_ordered"), "cancelled"),
}
ALL: tuple[OrderStatus, ...] = (
    "placed", "validated", "refused", "reserved", "back_ordered", "shipped", "received", "cancelled",
)  # fmt: skip


@pytest.fixture
async def shop(stage: Stage) -> Stage:
    """Karim's réclamation for Léa, in progress, and another client."""
    await stage.given(client(world.paul), reclamation(status="in_progress", technician_id=world.karim.id))
    return stage


@pytest.mark.parametrize("purpose", ["purchase", "repair"])
@pytest.mark.parametrize("before", ALL)
@pytest.mark.parametrize("name", ACTS)
async def test_a_manager_makes_the_moves_of_the_table_and_no_others(
    shop: Stage, name: str, before: OrderStatus, purpose: str
) -> None:
    await shop.given(placed(status=before, **(REPAIR if purpose == "repair" else {})))
    outcome = await act(shop, name)
    after = TABLE[name].get(before)
    assert await status(shop) == (after or before)
    if after is None:
        assert code(outcome) == (409, "illegal_move")
        assert outcome.problem
        legal = [state for moves in TABLE.values() for start, state in moves.items() if start == before]
        assert sorted(outcome.problem.moves or []) == sorted(legal)


@pytest.mark.parametrize("purpose", ["purchase", "repair"])
@pytest.mark.parametrize("before", ALL)
@pytest.mark.parametrize("name", ACTS)
async def test_whoever_ordered_cancels_before_validation_and_confirms_the_receipt(
    shop: Stage, name: str, before: OrderStatus, purpose: str
) -> None:
    await shop.given(placed(status=before, **(REPAIR if purpose == "repair" else {})))
    outcome = await act(shop, name, by=ORDERED_BY[purpose])
    if (name, before) in {("cancel", "placed"), ("receive", "shipped")}:
        assert outcome.problem is None
        assert await status(shop) == TABLE[name][before]
    else:
        assert code(outcome)[0] in (403, 409)
        assert await status(shop) == before


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.parametrize(
    ("by", "expected"),
    [(world.paul, {403, 404}), (world.sofia, {403, 404}), (world.alex, {403})],
    ids=["another client", "another technician", "admin"],
)
async def test_nobody_else_does_anything_with_it(
    shop: Stage, name: str, by: Actor, expected: set[int]
) -> None:
    await shop.given(placed(status="placed" if name != "receive" else "shipped"))
    assert code(await act(shop, name, by=by))[0] in expected


async def test_a_client_sees_what_is_ordered_for_their_repair_but_cannot_cancel_it(shop: Stage) -> None:
    await shop.given(placed(**REPAIR))
    assert code(await act(shop, "cancel", by=world.lea)) == (403, "not_allowed")
    await shop.database.pool.execute("UPDATE parts_order SET status = 'shipped'")
    assert code(await act(shop, "receive", by=world.lea)) == (403, "not_allowed")


async def test_it_is_reserved_when_its_last_line_is(shop: Stage) -> None:
    await shop.given(placed(order_line(), order_line(VALVE), status="validated"))
    first = (await shop.hears(is_reserved())).only(OrderChanged)
    assert [line.state for line in first.state.lines] == ["reserved", "ordered"]
    moved = (await shop.hears(is_reserved(VALVE))).only(OrderMoved)
    assert (moved.before, moved.after, moved.state.status) == ("validated", "reserved", "reserved")
    assert "reservation" not in moved.model_dump_json()


async def test_it_is_back_ordered_when_one_line_is_and_reserved_when_that_arrives(shop: Stage) -> None:
    await shop.given(placed(order_line(), order_line(VALVE), status="validated"))
    # Nothing is told before it is known of each line.
    (await shop.hears(is_short())).only(OrderChanged)
    assert (await shop.hears(is_reserved(VALVE))).only(OrderMoved).after == "back_ordered"
    moved = (await shop.hears(is_reserved(PUMP, 2))).only(OrderMoved)
    assert (moved.before, moved.after) == ("back_ordered", "reserved")


async def test_where_fewer_pieces_were_counted_it_waits_again(shop: Stage) -> None:
    await shop.given(placed(status="validated"))
    await shop.hears(is_reserved())
    assert (await shop.hears(is_short(version=2))).only(OrderMoved).after == "back_ordered"
    assert code(await act(shop, "ship")) == (409, "illegal_move")


async def test_late_and_repeated_news_change_nothing(shop: Stage) -> None:
    await shop.given(placed(status="validated"))
    news = enveloped(is_reserved(version=2))
    await shop.hears(news)
    assert (await shop.hears(news)).events == []
    assert (await shop.hears(is_short(version=1))).events == []
    assert await status(shop) == "reserved"


@pytest.mark.parametrize("over", ["shipped", "received", "cancelled"])
async def test_news_of_stock_move_no_order_that_needs_none(shop: Stage, over: OrderStatus) -> None:
    await shop.given(placed(status=over))
    (await shop.hears(is_short())).only(OrderChanged)
    (await shop.hears(is_reserved(version=2))).only(OrderChanged)
    assert await status(shop) == over
    assert await shop.parked() == []


async def test_what_was_built_in_before_it_was_shipped_needs_no_stock(shop: Stage) -> None:
    await shop.given(placed(order_line(), order_line(VALVE), status="validated", **REPAIR))
    await shop.hears(is_short())
    await shop.hears(is_reserved(VALVE))
    moved = (await shop.hears(is_used(version=2))).only(OrderMoved)
    assert moved.after == "reserved"
    assert [line.state for line in moved.state.lines] == ["consumed", "reserved"]


@pytest.mark.parametrize("ended", ["closed", "cancelled", "rejected", "merged"])
@pytest.mark.parametrize("before", ALL)
async def test_orders_for_what_is_over_are_cancelled_unless_they_were_shipped(
    shop: Stage, before: OrderStatus, ended: ReclamationStatus
) -> None:
    await shop.given(placed(status=before, **REPAIR))
    await shop.database.pool.execute("UPDATE reclamation SET status = $1", ended)
    claim = (await shop.hears(_end(ended))).events
    if before in NEEDS_STOCK | {"placed"}:
        assert [type(event) for event in claim] == [OrderCancelled]
        assert claim[0].by is Role.SYSTEM  # type: ignore[attr-defined]
    else:
        assert claim == []
    assert await status(shop) == ("cancelled" if before in NEEDS_STOCK | {"placed"} else before)


@pytest.mark.parametrize("before", ALL)
async def test_what_is_not_shipped_yet_goes_to_the_technician_who_has_the_repair_now(
    shop: Stage, before: OrderStatus
) -> None:
    await shop.given(placed(status=before, **REPAIR))
    await shop.database.pool.execute("UPDATE reclamation SET technician_id = $1", world.sofia.id)
    state = a(ReclamationView, CLAIM, version=9, status="assigned", technician_id=world.sofia.id)
    told = TechnicianAssigned(
        state=state, technician_id=world.sofia.id, previous_technician_id=world.karim.id
    )
    outcome = await shop.hears(told)
    if before in NEEDS_STOCK | {"placed"}:
        assert outcome.only(OrderChanged).state.technician_id == world.sofia.id
    else:
        assert outcome.events == []


async def test_an_end_that_was_undone_since_cancels_nothing(shop: Stage) -> None:
    await shop.given(placed(status="reserved", **REPAIR))
    assert (await shop.hears(_end("closed"))).events == []
    assert await status(shop) == "reserved"


def _end(ended: ReclamationStatus) -> ReclamationClosed | ReclamationMoved:
    view = a(ReclamationView, CLAIM, version=9, status=ended, technician_id=world.karim.id)
    if ended == "closed":
        return ReclamationClosed(state=view)
    return ReclamationMoved(state=view, before="assigned", after=ended)


NEWS = {"reserved": is_reserved, "short": is_short, "used": is_used, "released": is_released}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([*ACTS]), st.sampled_from(["manager", "client"])),
        st.tuples(st.sampled_from([*NEWS]), st.sampled_from([PUMP, VALVE])),
    ),
    min_size=3,
    max_size=14,
)


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
async def test_no_sequence_of_acts_and_news_leads_off_the_table(shop: Stage) -> None:
    @given(steps=STEPS)
    @settings(
        max_examples=40,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    async def live(steps: list[tuple[str, Any]]) -> None:
        await shop.clear()
        await shop.given(client(world.lea), placed(order_line(), order_line(VALVE)))
        version = {PUMP: 0, VALVE: 0}
        for name, what in steps:
            before = await status(shop)
            if name in ACTS:
                await act(shop, name, by=world.marie if what == "manager" else world.lea)
            else:
                version[what] += 1
                await shop.hears(NEWS[name](what, version[what]))
            after = await status(shop)
            assert before == after or (before, after) in STATES.moves
            if after == "reserved":
                assert await states(shop) <= {"reserved", "consumed", "released"}
        assert await shop.parked() == []

    await run(live)


async def states(stage: Stage) -> set[str]:
    """Those of its lines."""
    lines = json.loads(await stage.database.pool.fetchval("SELECT lines FROM parts_order"))
    return {line["state"] for line in lines}


def test_every_state_of_an_order_can_end() -> None:
    ends = {"refused", "received", "cancelled"}
    reached = set(ends)
    while more := {start for start, to in STATES.moves if to in reached} - reached:
        reached |= more
    assert reached == set(ALL)
    assert not {start for start, _ in STATES.moves} & ends


async def test_of_twenty_who_decide_at_once_one_does(shop: Stage) -> None:
    await shop.given(placed())
    names = ["validate", "refuse"] * 10
    outcomes = await asyncio.gather(*(act(shop, name) for name in names))
    assert [outcome.problem is None for outcome in outcomes].count(True) == 1
    assert {code(outcome) for outcome in outcomes if outcome.problem} == {(409, "illegal_move")}
    assert await shop.database.pool.fetchval("SELECT count(*) FROM event_log") == 1
