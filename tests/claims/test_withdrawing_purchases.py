"""A client withdraws from a purchase: in two steps, until fourteen days after its receipt; managers record what comes back."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import world
from given_claims import client, reclamation
from given_orders import ORDER, REPAIR, act, placed, status
from given_parts import code

from sav_chassis.law.withdrawal import holidays_at, last_day
from sav_chassis.testing import Outcome, Stage
from sav_claims.sales import right_of_buyer
from sav_contracts.claims.order import (
    BeginOrderWithdrawal,
    ConfirmOrderWithdrawal,
    OrderChanged,
    OrderReceived,
    OrderReturned,
    OrderStatus,
    OrderWithdrawn,
    ReturnOrder,
)

PARIS = ZoneInfo("Europe/Paris")
RIGHT = right_of_buyer(date(2026, 3, 2))
begin = BeginOrderWithdrawal(order_id=ORDER)
confirm = ConfirmOrderWithdrawal(order_id=ORDER)
returned = ReturnOrder(order_id=ORDER)


async def withdraws(stage: Stage) -> Outcome:
    (await stage.when(begin, by=world.lea)).only(OrderChanged)
    return await stage.when(confirm, by=world.lea)


def bought(status: OrderStatus, **fields: Any) -> Any:
    return placed(status=status, **({"withdrawal": RIGHT} | fields))


@pytest.mark.parametrize("before", ["placed", "validated", "reserved", "back_ordered"])
async def test_before_it_is_shipped_it_is_cancelled(stage: Stage, before: OrderStatus) -> None:
    await stage.given(bought(before))
    assert code(await stage.when(confirm, by=world.lea)) == (409, "withdrawal_not_asked")
    asked = (await stage.when(begin, by=world.lea)).only(OrderChanged).state
    assert (asked.status, asked.withdrawn_at) == (before, None), "the first step cancels nothing"
    told = (await stage.when(confirm, by=world.lea)).only(OrderWithdrawn)
    assert (told.state.status, told.state.withdrawn_at) == ("cancelled", told.at)
    assert told.pay_back_by == told.at.astimezone(PARIS).date() + timedelta(14)
    for step in (begin, confirm):
        assert code(await stage.when(step, by=world.lea)) == (409, "withdrawn_already")
    assert code(await stage.when(returned, by=world.marie)) == (409, "nothing_to_return")


@pytest.mark.parametrize("before", ["shipped", "received"])
async def test_after_it_the_goods_come_back_once(stage: Stage, before: OrderStatus) -> None:
    await stage.given(bought(before))
    assert code(await stage.when(returned, by=world.marie)) == (409, "nothing_to_return")
    assert (await withdraws(stage)).only(OrderWithdrawn).state.status == before
    back = (await stage.when(returned, by=world.marie)).only(OrderReturned).state
    assert (back.status, back.is_open()) == (before, False)
    assert back.returned_at
    assert code(await stage.when(returned, by=world.marie)) == (409, "nothing_to_return")


async def test_the_days_count_from_the_receipt_and_the_last_one_as_a_whole(stage: Stage) -> None:
    await stage.given(bought("shipped"))
    here = stage.now().astimezone(PARIS)
    right = (await act(stage, "receive", by=world.lea)).only(OrderReceived).state.withdrawal
    assert right
    assert right.until == last_day(here.date(), 14, holidays_at(None, "FR"))
    last = here.replace(hour=23, minute=59, second=0) + timedelta((right.until - here.date()).days)
    stage.ahead = last - stage.now()
    assert (await stage.when(begin, by=world.lea)).problem is None
    stage.ahead += timedelta(minutes=2)
    assert code(await stage.when(confirm, by=world.lea)) == (409, "no_right_to_withdraw")


async def test_who_bought_before_it_was_told_may_withdraw_too(stage: Stage) -> None:
    await stage.given(placed(status="received"))
    assert (await stage.when(begin, by=world.lea)).only(OrderChanged).state.withdrawal == RIGHT


async def test_there_is_none_from_what_a_repair_needs(stage: Stage) -> None:
    await stage.given(reclamation(status="in_progress"), placed(status="placed", **REPAIR))
    assert code(await stage.when(begin, by=world.lea)) == (409, "no_right_to_withdraw")


@pytest.mark.parametrize("over", ["refused", "cancelled"])
async def test_what_is_over_is_not_withdrawn_from(stage: Stage, over: OrderStatus) -> None:
    await stage.given(bought(over))
    assert code(await stage.when(begin, by=world.lea)) == (409, "illegal_move")
    assert await status(stage) == over


async def test_only_its_client_withdraws_and_only_a_manager_takes_back(stage: Stage) -> None:
    await stage.given(client(world.paul), bought("shipped"))
    for who in (world.karim, world.marie, world.alex):
        assert code(await stage.when(begin, by=who))[0] == 403
    assert code(await stage.when(begin, by=world.paul))[0] == 404
    (await withdraws(stage)).only(OrderWithdrawn)
    assert code(await stage.when(returned, by=world.lea))[0] == 403
