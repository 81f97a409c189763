"""Signing in: who tried, from where, and how long who tries too often has to wait."""

import asyncio
import time
from datetime import timedelta

import pytest
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

from sav_auth.agents import browser_and_system
from sav_chassis.envelope import INSIDE, Caller
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import ANYONE, Role
from sav_contracts.auth.session import FindSignIns, SignedInFromNewPlace, SignInFailedRepeatedly
from sav_contracts.messages import Event

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


async def flooded(stage: Stage, caller: Caller) -> None:
    """Somebody there has failed for twenty accounts that there are not."""
    for number in range(20):
        await tried(stage, 1, f"guess-{number}@example.com", caller)


async def test_twenty_failures_from_one_place_make_every_account_wait_that_is_not_known_there(
    stage: Stage,
) -> None:
    await account(stage)
    await signed_in(stage, caller=AWAY)
    await flooded(stage, HOME)
    refused(await stage.when(sign_in(), caller=HOME), 429, "too_many_attempts")
    refused(await stage.when(sign_in(NOBODY), caller=HOME), 429, "too_many_attempts")
    assert (await stage.when(sign_in(), caller=AWAY)).problem is None
    await stage.passes(timedelta(seconds=1))
    assert (await stage.when(sign_in(), caller=HOME)).problem is None


async def test_who_is_known_at_a_place_gets_in_however_long_somebody_else_fails_there(stage: Stage) -> None:
    await account(stage)
    await signed_in(stage, caller=HOME)
    await flooded(stage, HOME)
    looked_at = 0
    for _ in range(114):
        [guess] = await tried(stage, 1, NOBODY, HOME)
        looked_at += status(guess) == 401
        assert (await stage.when(sign_in(), caller=HOME)).problem is None
        await stage.passes(timedelta(seconds=10))
    # Of nineteen minutes: those until the wait is a minute, then one a minute.
    assert looked_at < 30


async def test_who_is_known_at_a_place_waits_for_their_own_failures_there(stage: Stage) -> None:
    await account(stage)
    await signed_in(stage, caller=HOME)
    await flooded(stage, HOME)
    assert [status(outcome) for outcome in await tried(stage, 6, caller=HOME)] == [401] * 5 + [429]
    refused(await stage.when(sign_in(), caller=HOME), 429, "too_many_attempts")
    await stage.passes(timedelta(seconds=1))
    assert (await stage.when(sign_in(), caller=HOME)).problem is None


async def test_failures_with_another_browser_do_not_keep_out_the_one_that_is_known(stage: Stage) -> None:
    """Somebody beside them, who knows their address."""
    await account(stage)
    await signed_in(stage, caller=HOME)
    beside = Caller(HOME.address, "curl")
    assert [status(outcome) for outcome in await tried(stage, 6, caller=beside)] == [401] * 5 + [429]
    assert (await stage.when(sign_in(), caller=HOME)).problem is None


async def test_another_browser_where_one_is_known_is_kept_waiting_by_nobodys_failures(stage: Stage) -> None:
    await account(stage)
    await signed_in(stage, caller=HOME)
    await flooded(stage, HOME)
    await tried(stage, 6, caller=AWAY)
    assert (await stage.when(sign_in(), caller=Caller(HOME.address, "Chrome"))).problem is None


async def test_no_choice_of_browsers_makes_room_for_more_guesses(stage: Stage) -> None:
    await account(stage)
    await signed_in(stage, caller=HOME)
    began = time.monotonic()
    statuses = [
        status(outcome)
        for number in range(30)
        for outcome in await tried(stage, 1, caller=Caller(HOME.address, f"browser {'x' * number}"))
    ]
    # After five, one more in each second at most.
    assert statuses[:6] == [401] * 5 + [429]
    assert statuses.count(401) <= 5 + (time.monotonic() - began)
    assert set(statuses) == {401, 429}
    guesses = await asyncio.gather(*(tried(stage, 1, caller=HOME) for _ in range(12)))
    assert sorted(status(outcome) for [outcome] in guesses) == [401] * 5 + [429] * 7


async def test_one_account_is_guarded_against_many_places_also_where_it_is_known_elsewhere(
    stage: Stage,
) -> None:
    await account(stage)
    await signed_in(stage, caller=HOME)
    outcomes = [
        outcome
        for number in range(30)
        for outcome in await tried(stage, 1, caller=Caller(f"203.0.113.{number}", "Firefox"))
    ]
    assert [status(outcome) for outcome in outcomes] == [401] * 5 + [429] * 25


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


CHROME = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Mobile Safari/537.36"


async def signing_in(stage: Stage, caller: Caller) -> list[Event]:
    outcome = await stage.when(sign_in(), caller=caller)
    assert outcome.problem is None
    return outcome.events


async def test_a_sign_in_from_a_new_place_or_with_something_new_is_told_once(stage: Stage) -> None:
    lea = await account(stage)
    assert await signing_in(stage, HOME) == [], "the first one is no news"
    [told] = await signing_in(stage, Caller("198.51.100.9", CHROME.format(120)))
    assert isinstance(told, SignedInFromNewPlace)
    assert (told.state.id, told.address, told.agent) == (lea.id, "198.51.100.9", "Chrome, Android")
    assert await signing_in(stage, Caller("198.51.100.9", CHROME.format(121))) == [], "a newer version"
    assert await signing_in(stage, HOME) == []
    [told] = await signing_in(stage, Caller(HOME.address, CHROME.format(121)))
    assert isinstance(told, SignedInFromNewPlace)
    [told] = await signing_in(stage, Caller("203.0.113.5", HOME.agent))
    assert isinstance(told, SignedInFromNewPlace)


async def test_failures_make_no_place_known(stage: Stage) -> None:
    await account(stage)
    await signing_in(stage, HOME)
    assert [one.events for one in await tried(stage, 3)] == [[], [], []]
    [told] = await signing_in(stage, AWAY)
    assert isinstance(told, SignedInFromNewPlace)
    assert (told.address, told.agent) == (AWAY.address, None)


async def test_the_other_addresses_of_ones_network_are_no_new_place(stage: Stage) -> None:
    await account(stage)
    await signing_in(stage, Caller("2001:db8::1", "Firefox"))
    assert await signing_in(stage, Caller("2001:db8::2", "Firefox")) == []


async def test_what_is_kept_for_three_months_is_known_so_long(stage: Stage) -> None:
    await account(stage)
    await signing_in(stage, HOME)
    await stage.passes(timedelta(days=89))
    assert await signing_in(stage, HOME) == []
    # As the tries of long ago are forgotten.
    await stage.database.pool.execute("DELETE FROM login_attempt")
    await stage.passes(timedelta(days=2))
    [told] = await signing_in(stage, HOME)
    assert isinstance(told, SignedInFromNewPlace), "this account is older than its first known sign-in"


async def test_within_sav_itself_there_is_no_place(stage: Stage) -> None:
    await account(stage)
    await signing_in(stage, HOME)
    assert await signing_in(stage, INSIDE) == []


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0",
            "Firefox, Windows",
        ),
        (CHROME.format(120), "Chrome, Android"),
        (
            CHROME.format(120).replace("Android 14; Pixel 8", "x86_64").replace("Mobile ", "") + " Edg/120.0",
            "Edge, Linux",
        ),
        ("win-a-boiler-Bot/1.0 (+https://evil.example) Safari-of-mine", None),
        ("Mozilla/5.0 " + "x" * 200_000 + " Firefox/131.0", None),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile/15E148 Safari/604",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/17 Safari/605",
            "Safari, macOS",
        ),
        ("https://evil.example/win-a-boiler", None),
        ("", None),
        (None, None),
    ],
)
def test_an_agent_is_called_by_names_that_people_know(agent: str | None, name: str | None) -> None:
    assert browser_and_system(agent) == name


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
