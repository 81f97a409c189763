"""A client withdraws from a purchase: in two steps, until fourteen days after its receipt; managers record what comes back."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import world
from given_claims import client, reclamation
from given_orders import ORDER, REPAIR, act, placed, status
from given_parts import code
from pydantic import SecretStr

from sav_chassis.identity import Links
from sav_chassis.law.withdrawal import holidays_at, last_day
from sav_chassis.testing import Outcome, Stage
from sav_claims.sales import right_of_buyer
from sav_contracts.actor import ANYONE
from sav_contracts.claims.order import (
    BeginOrderWithdrawal,
    ConfirmOrderWithdrawal,
    GetOrderWithdrawalByLink,
    OrderChanged,
    OrderReceived,
    OrderReturned,
    OrderStatus,
    OrderWithdrawn,
    PurchaseStanding,
    RecordOrderWithdrawal,
    ReturnOrder,
    WithdrawFromOrderByLink,
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
    gone = (await withdraws(stage)).only(OrderWithdrawn).state
    assert (gone.status, gone.is_open()) == (before, True), "the goods are to come back"
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
    outcome = await stage.when(begin, by=world.lea)
    assert code(outcome) == (409, "no_right_to_withdraw")
    assert outcome.problem
    assert outcome.problem.detail == f"Order CMD-2026-000700 was {over}: there is nothing to withdraw from"
    assert await status(stage) == over


async def test_only_its_client_withdraws_and_only_a_manager_takes_back(stage: Stage) -> None:
    await stage.given(client(world.paul), bought("shipped"))
    for who in (world.karim, world.marie, world.alex):
        assert code(await stage.when(begin, by=who))[0] == 403
    assert code(await stage.when(begin, by=world.paul))[0] == 404
    (await withdraws(stage)).only(OrderWithdrawn)
    assert code(await stage.when(returned, by=world.lea))[0] == 403


def link(stage: Stage, purpose: str = "withdraw-order", id: UUID = ORDER) -> SecretStr:
    return SecretStr(Links(stage.settings.link_secret).token(purpose, id))


async def shown(stage: Stage) -> Any:
    return (await stage.when(GetOrderWithdrawalByLink(token=link(stage)), by=ANYONE)).reply


async def test_by_the_link_without_an_account(stage: Stage) -> None:
    await stage.given(bought("reserved"))
    say, sure = (WithdrawFromOrderByLink(token=link(stage), confirm=confirm) for confirm in (False, True))
    assert (await shown(stage))["status"] == "open"
    assert code(await stage.when(sure, by=ANYONE)) == (409, "withdrawal_not_asked")
    said = await stage.when(say, by=ANYONE)
    assert said.only(OrderChanged).state.status == "reserved"
    assert said.reply["status"] == (await shown(stage))["status"] == "asked"
    done = await stage.when(sure, by=ANYONE)
    assert done.only(OrderWithdrawn).state.status == "cancelled"
    again = await stage.when(sure, by=ANYONE)
    assert (again.events, again.reply) == ([], done.reply)
    assert (done.reply["status"], done.reply["shipped"]) == ("withdrawn", False)
    assert done.reply["withdrawn_on"] == f"{stage.now().astimezone(PARIS):%Y-%m-%d}"


async def test_of_many_who_confirm_at_once_one_counts_and_none_fails(stage: Stage) -> None:
    await stage.given(bought("shipped", withdrawal_asked_at=stage.now()))
    sure = WithdrawFromOrderByLink(token=link(stage), confirm=True)
    outcomes = await asyncio.gather(*(stage.when(sure, by=ANYONE) for _ in range(5)))
    assert [outcome.problem for outcome in outcomes if outcome.problem] == []
    assert {outcome.reply["status"] for outcome in outcomes} == {"withdrawn"}
    assert await stage.database.pool.fetchval("SELECT version FROM parts_order") == 2, "it was changed once"


async def test_a_link_of_another_kind_or_order_opens_nothing(stage: Stage) -> None:
    await stage.given(bought("shipped"))
    for token in (link(stage, "withdraw"), link(stage, "paper"), link(stage, id=UUID(int=9)), SecretStr("x")):
        for message in (GetOrderWithdrawalByLink(token=token), WithdrawFromOrderByLink(token=token)):
            assert code(await stage.when(message, by=ANYONE)) == (410, "link_expired")


async def test_a_link_to_what_a_repair_needs_says_that_there_is_no_right(stage: Stage) -> None:
    await stage.given(reclamation(status="in_progress"), placed(status="placed", **REPAIR))
    for message in (GetOrderWithdrawalByLink(token=link(stage)), WithdrawFromOrderByLink(token=link(stage))):
        assert code(await stage.when(message, by=ANYONE)) == (409, "no_right_to_withdraw")


@pytest.mark.parametrize(
    ("before", "until", "standing", "refusal"),
    [
        ("received", date(2026, 1, 5), "over", "no_right_to_withdraw"),
        ("received", date(2999, 1, 7), "open", None),
        ("refused", None, "refused", "no_right_to_withdraw"),
        ("cancelled", None, "cancelled", "no_right_to_withdraw"),
    ],
)
async def test_the_link_says_how_it_stands(
    stage: Stage, before: OrderStatus, until: date | None, standing: PurchaseStanding, refusal: str | None
) -> None:
    await stage.given(bought(before, withdrawal=RIGHT.model_copy(update={"until": until})))
    read = await shown(stage)
    assert (read["status"], read["until"]) == (standing, until and until.isoformat())
    outcome = await stage.when(WithdrawFromOrderByLink(token=link(stage)), by=ANYONE)
    assert (outcome.problem.code if outcome.problem else None) == refusal


async def test_the_link_shows_what_is_paid_back_and_what_came_back(stage: Stage) -> None:
    await stage.given(bought("received"))
    today = stage.now().astimezone(PARIS).date()
    read = await shown(stage)
    assert (read["shipped"], read["net"], read["client"]) == (True, "372.80", "Léa")
    assert [(line["article"], line["quantity"]) for line in read["lines"]] == [("Circulateur 25-60", 2)]
    assert read["pay_back_by"] == str(today + timedelta(14)), "as if it were today"
    await withdraws(stage)
    await stage.when(returned, by=world.marie)
    stage.ahead = timedelta(days=3)
    read = await shown(stage)
    assert (read["status"], read["returned_on"]) == ("withdrawn", str(today))
    assert read["pay_back_by"] == str(today + timedelta(14))


def said(on: date) -> RecordOrderWithdrawal:
    return RecordOrderWithdrawal(order_id=ORDER, said_on=on)


@pytest.mark.parametrize(("before", "after"), [("reserved", "cancelled"), ("received", "received")])
async def test_a_manager_records_what_was_sent_in_time(
    stage: Stage, before: OrderStatus, after: OrderStatus
) -> None:
    ordered = stage.now().astimezone(PARIS).date()
    last = ordered + timedelta(1)
    await stage.given(bought(before, withdrawal=RIGHT.model_copy(update={"until": last})))
    stage.ahead = timedelta(days=3)
    assert code(await stage.when(begin, by=world.lea)) == (409, "no_right_to_withdraw")
    assert code(await stage.when(said(last + timedelta(1)), by=world.marie)) == (409, "no_right_to_withdraw")
    assert code(await stage.when(said(last), by=world.lea))[0] == 403
    told = (await stage.when(said(last), by=world.marie)).only(OrderWithdrawn)
    assert (told.state.status, told.pay_back_by) == (after, ordered + timedelta(3 + 14))
    assert code(await stage.when(said(last), by=world.marie)) == (409, "withdrawn_already")


async def test_nobody_withdrew_before_they_bought_or_tomorrow(stage: Stage) -> None:
    await stage.given(bought("shipped"))
    today = stage.now().astimezone(PARIS).date()
    for day in (today - timedelta(1), today + timedelta(1)):
        problem = (await stage.when(said(day), by=world.marie)).problem
        assert problem
        assert [error.field for error in problem.errors or ()] == ["said_on"]
    (await stage.when(said(today), by=world.marie)).only(OrderWithdrawn)
