"""Sessions: kept by refresh tokens that are good once, seen and ended by their person."""

import asyncio
from datetime import timedelta

from given_auth import AWAY, HOME, account, refreshed, refused, session, signed_in
from uuid_utils.compat import uuid7

from sav_chassis.testing import Stage
from sav_contracts.actor import Role
from sav_contracts.auth.session import EndSession, FindSessions, SessionEnded, SignOut


async def test_a_refresh_keeps_the_session_and_answers_the_role_of_now(stage: Stage) -> None:
    karim = await account(stage, Role.TECHNICIAN)
    me = await signed_in(stage)
    await stage.database.pool.execute("UPDATE account SET role = 'manager' WHERE id = $1", karim.id)
    after = session(stage, await refreshed(stage, me.refresh_token))
    assert (after.actor.id, after.session_id) == (karim.id, me.session_id)
    assert (after.actor.role, after.reply["role"]) == (Role.MANAGER, "manager")
    assert after.refresh_token != me.refresh_token


async def test_who_is_not_active_any_more_refreshes_nothing(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    await stage.database.pool.execute("UPDATE account SET status = 'closed'")
    refused(await refreshed(stage, me.refresh_token), 401, "not_signed_in")


async def test_two_tabs_that_refresh_at_once_get_the_same_successor(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    one, two = await asyncio.gather(*(refreshed(stage, me.refresh_token) for _ in range(2)))
    assert session(stage, one).refresh_token == session(stage, two).refresh_token
    await stage.passes(timedelta(seconds=9))
    assert (
        session(stage, await refreshed(stage, me.refresh_token)).refresh_token == one.reply["refresh_token"]
    )
    session(stage, await refreshed(stage, one.reply["refresh_token"]))


async def test_a_token_that_comes_back_later_ends_the_session(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    newest = session(stage, await refreshed(stage, me.refresh_token)).refresh_token
    await stage.passes(timedelta(seconds=11))
    stolen = await refreshed(stage, me.refresh_token)
    refused(stolen, 401, "not_signed_in")
    ended = stolen.only(SessionEnded)
    assert (ended.why, ended.revoked) == ("reused", (me.session_id,))
    refused(await refreshed(stage, newest), 401, "not_signed_in")


async def test_a_token_of_two_refreshes_ago_ends_the_session_at_once(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    first = session(stage, await refreshed(stage, me.refresh_token))
    second = session(stage, await refreshed(stage, first.refresh_token))
    assert (await refreshed(stage, me.refresh_token)).only(SessionEnded).why == "reused"
    refused(await refreshed(stage, second.refresh_token), 401, "not_signed_in")


async def test_a_token_of_nobody_or_altered_is_refused_and_ends_nothing(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    altered = me.refresh_token[:-4] + ("AAAA" if me.refresh_token[-4:] != "AAAA" else "BBBB")
    for token in (altered, "é", "x", me.reply["access_token"], "A" * len(me.refresh_token)):
        outcome = await refreshed(stage, token)
        refused(outcome, 401, "not_signed_in")
        assert outcome.events == []
    session(stage, await refreshed(stage, me.refresh_token))


async def test_a_session_ends_after_two_idle_weeks(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    assert me.reply["refresh_expires_in"] == 14 * 24 * 3600
    await stage.passes(timedelta(days=13))
    newest = session(stage, await refreshed(stage, me.refresh_token)).refresh_token
    await stage.passes(timedelta(days=14, seconds=1))
    refused(await refreshed(stage, newest), 401, "not_signed_in")


async def test_a_session_ends_after_a_month_however_much_it_is_used(stage: Stage) -> None:
    await account(stage)
    token = (await signed_in(stage)).refresh_token
    for _ in range(3):
        await stage.passes(timedelta(days=9))
        newest = session(stage, await refreshed(stage, token))
        token = newest.refresh_token
    assert newest.reply["refresh_expires_in"] <= 3 * 24 * 3600
    await stage.passes(timedelta(days=3, seconds=1))
    refused(await refreshed(stage, token), 401, "not_signed_in")


async def test_who_signs_out_cannot_refresh_and_the_other_session_goes_on(stage: Stage) -> None:
    await account(stage)
    here, there = await signed_in(stage), await signed_in(stage)
    ended = (await stage.when(SignOut(), by=here.actor)).only(SessionEnded)
    assert (ended.why, ended.revoked) == ("signed_out", (here.session_id,))
    refused(await refreshed(stage, here.refresh_token), 401, "not_signed_in")
    session(stage, await refreshed(stage, there.refresh_token))


async def test_a_person_sees_where_they_are_signed_in(stage: Stage) -> None:
    await account(stage)
    await account(stage, email="paul@example.com")
    laptop, phone = await signed_in(stage, caller=HOME), await signed_in(stage, caller=AWAY)
    await signed_in(stage, "paul@example.com", HOME)
    await stage.passes(timedelta(minutes=1))
    await refreshed(stage, laptop.refresh_token, HOME)
    items = (await stage.when(FindSessions(), by=laptop.actor)).reply["items"]
    shown = [(item["id"], item["current"], item["address"], item["agent"]) for item in items]
    assert shown == [(str(laptop.session_id), True, *HOME), (str(phone.session_id), False, *AWAY)]


async def test_a_person_ends_one_of_their_sessions(stage: Stage) -> None:
    await account(stage)
    here, there = await signed_in(stage), await signed_in(stage)
    ending = EndSession(session_id=there.session_id)
    ended = (await stage.when(ending, by=here.actor)).only(SessionEnded)
    assert (ended.why, ended.revoked) == ("ended", (there.session_id,))
    again = await stage.when(ending, by=here.actor)
    assert (again.reply, again.events) == ({"accepted": True}, [])
    refused(await refreshed(stage, there.refresh_token), 401, "not_signed_in")
    items = (await stage.when(FindSessions(), by=here.actor)).reply["items"]
    assert [item["id"] for item in items] == [str(here.session_id)]


async def test_another_persons_session_is_not_there(stage: Stage) -> None:
    await account(stage)
    await account(stage, Role.ADMIN, "alex@example.com")
    lea, alex = await signed_in(stage), await signed_in(stage, "alex@example.com")
    for theirs in (lea.session_id, uuid7()):
        outcome = await stage.when(EndSession(session_id=theirs), by=alex.actor)
        refused(outcome, 404, "not_found")
    session(stage, await refreshed(stage, lea.refresh_token))
