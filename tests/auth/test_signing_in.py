"""Signing in: who tried, from where, and how long who tries too often has to wait."""

import asyncio
from datetime import timedelta

from given_auth import (
    AWAY,
    EMAIL,
    HOME,
    PASSWORD,
    WRONG,
    account,
    refused,
    sign_in,
    signed_in,
    status,
)

from sav_chassis.asking import Caller
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import ANYONE, Role
from sav_contracts.auth.session import FindSignIns, SignInFailedRepeatedly

NOBODY = "nobody@example.com"


async def tried(stage: Stage, times: int, email: str = EMAIL, caller: Caller = AWAY) -> list[Outcome]:
    return [await stage.when(sign_in(email, WRONG), caller=caller) for _ in range(times)]


async def test_five_failures_are_told_about_once_and_the_sixth_waits(stage: Stage) -> None:
    await account(stage)
    outcomes = await tried(stage, 6)
    assert [status(outcome) for outcome in outcomes] == [401] * 5 + [429]
    assert [len(outcome.events) for outcome in outcomes] == [0, 0, 0, 0, 1, 0]
    assert outcomes[4].only(SignInFailedRepeatedly).failures == 5
    refused(outcomes[5], 429, "too_many_attempts")
    assert outcomes[5].problem
    assert outcomes[5].problem.retry_after == 1


async def test_while_it_waits_the_right_password_is_not_looked_at(stage: Stage) -> None:
    await account(stage)
    await tried(stage, 5)
    refused(await stage.when(sign_in(), caller=AWAY), 429, "too_many_attempts")
    await stage.passes(timedelta(seconds=1))
    assert (await stage.when(sign_in(), caller=AWAY)).problem is None


async def test_the_wait_doubles_up_to_a_minute_and_nobody_is_locked_out(stage: Stage) -> None:
    await account(stage)
    waits = []
    await tried(stage, 5)
    for _ in range(8):
        [waiting] = await tried(stage, 1)
        assert waiting.problem
        waits.append(waiting.problem.retry_after or 0)
        await stage.passes(timedelta(seconds=waits[-1]))
        await tried(stage, 1)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    await stage.passes(timedelta(minutes=15))
    assert [status(outcome) for outcome in await tried(stage, 5)] == [401] * 5


async def test_an_address_without_an_account_is_answered_the_same(stage: Stage) -> None:
    await account(stage)
    known = await tried(stage, 7)
    unknown = await tried(stage, 7, NOBODY)
    assert [outcome.problem for outcome in known] == [outcome.problem for outcome in unknown]
    kept = await stage.database.pool.fetch("SELECT l::text AS row FROM login_attempt l")
    assert not any(NOBODY in attempt["row"] for attempt in kept)


async def test_many_tries_at_once_are_no_more_than_one_after_the_other(stage: Stage) -> None:
    await account(stage)
    outcomes = await asyncio.gather(*(tried(stage, 1) for _ in range(12)))
    assert sorted(status(outcome) for [outcome] in outcomes) == [401] * 5 + [429] * 7


async def test_somebody_elses_failures_do_not_keep_a_person_out_of_where_they_are_known(stage: Stage) -> None:
    await account(stage)
    await signed_in(stage, caller=HOME)
    await tried(stage, 8)
    refused(await stage.when(sign_in(), caller=AWAY), 429, "too_many_attempts")
    assert (await stage.when(sign_in(), caller=HOME)).problem is None
    await stage.passes(timedelta(days=31))
    await tried(stage, 5)
    refused(await stage.when(sign_in(), caller=HOME), 429, "too_many_attempts")


async def test_twenty_failures_from_one_place_make_every_account_wait_there(stage: Stage) -> None:
    await account(stage)
    await signed_in(stage, caller=HOME)
    for number in range(20):
        await tried(stage, 1, f"guess-{number}@example.com", HOME)
    refused(await stage.when(sign_in(), caller=HOME), 429, "too_many_attempts")
    assert (await stage.when(sign_in(), caller=AWAY)).problem is None
    await stage.passes(timedelta(seconds=1))
    assert (await stage.when(sign_in(), caller=HOME)).problem is None


async def test_the_addresses_of_one_network_are_one_place(stage: Stage) -> None:
    for number in range(20):
        await tried(stage, 1, f"guess-{number}@example.com", Caller(f"2001:db8::{number:x}"))
    outcome = await stage.when(sign_in(NOBODY), caller=Caller("2001:db8::abcd"))
    refused(outcome, 429, "too_many_attempts")
    refused(await stage.when(sign_in(NOBODY), caller=Caller("2001:db8:0:1::1")), 401, "not_signed_in")


async def test_who_is_not_active_is_answered_as_with_a_wrong_password(stage: Stage) -> None:
    await account(stage, status="deactivated")
    right, wrong = await stage.when(sign_in()), await stage.when(sign_in(password=WRONG))
    assert right.problem == wrong.problem
    refused(right, 401, "not_signed_in")


async def test_the_audit_says_who_tried_from_where(stage: Stage) -> None:
    lea = await account(stage)
    await tried(stage, 1)
    me = await signed_in(stage, caller=HOME)
    told = (await stage.when(FindSignIns(account_id=lea.id), by=me.actor)).reply
    shown = [(item["result"], item["address"], item["agent"]) for item in told["items"]]
    assert shown == [("signed_in", *HOME), ("wrong_password", *AWAY)]
    assert (told["second_factor"], told["recovery_codes_left"]) == (False, 0)
    newest = told["items"][0]["at"]
    earlier = FindSignIns.model_validate({"account_id": lea.id, "before": newest})
    assert [item["result"] for item in (await stage.when(earlier, by=me.actor)).reply["items"]] == [
        "wrong_password"
    ]


async def test_an_audit_is_the_persons_own_and_the_admins(stage: Stage) -> None:
    lea = await account(stage)
    for role in (Role.CLIENT, Role.TECHNICIAN, Role.MANAGER):
        await account(stage, role, f"{role}@example.com")
        me = await signed_in(stage, f"{role}@example.com")
        refused(await stage.when(FindSignIns(account_id=lea.id), by=me.actor), 404, "not_found")
    await account(stage, Role.ADMIN, "alex@example.com")
    alex = await signed_in(stage, "alex@example.com")
    assert (await stage.when(FindSignIns(account_id=lea.id), by=alex.actor)).problem is None
    refused(await stage.when(FindSignIns(account_id=lea.id), by=ANYONE), 401, "not_signed_in")


async def test_no_secret_stays_in_what_is_kept_of_a_sign_in(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage, caller=HOME)
    tables = ("session", "login_attempt", "event_log", "answered", "task")
    stored = "".join(
        [str(await stage.database.pool.fetch(f"SELECT t::text FROM {name} t")) for name in tables]
    )
    assert "Firefox" in stored, "or this would find nothing anywhere"
    for secret in (PASSWORD.get_secret_value(), me.refresh_token, me.reply["access_token"]):
        assert secret not in stored
