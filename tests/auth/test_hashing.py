"""Passwords take a processor for a while: what that means for everybody else."""

import asyncio
import os
import threading

from eventually import eventually
from given_auth import AWAY, EMAIL, WRONG, account, refreshed, sign_in, signed_in, status

from sav_auth import passwords
from sav_chassis.testing import Stage

IN_A_TRANSACTION = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"""


def threads_are_held() -> threading.Event:
    """Nobody's password is looked at until this is set."""
    go = threading.Event()
    for _ in range(os.cpu_count() or 1):
        passwords._threads.submit(go.wait, 20)
    return go


async def are_waiting(count: int) -> bool:
    return passwords._waiting == count


async def test_a_flood_of_sign_ins_leaves_room_for_who_is_signed_in(stage: Stage) -> None:
    await account(stage)
    session = await signed_in(stage)
    go = threads_are_held()
    try:
        asked = [asyncio.create_task(stage.when(sign_in(), caller=AWAY)) for _ in range(passwords.AT_ONCE)]
        await eventually(lambda: are_waiting(passwords.AT_ONCE))
        assert await stage.database.pool.fetchval(IN_A_TRANSACTION) == 0
        one_more = await stage.when(sign_in(), caller=AWAY)
        assert one_more.problem
        assert (one_more.problem.status, one_more.problem.retry_after) == (503, 1)
        assert (await refreshed(stage, session.refresh_token)).problem is None
    finally:
        go.set()
    assert [(await each).problem for each in asked] == [None] * passwords.AT_ONCE


async def test_a_sign_in_that_waited_too_long_is_never_looked_at(stage: Stage) -> None:
    await account(stage)
    go = threads_are_held()
    try:
        assert status(await stage.when(sign_in(), caller=AWAY, seconds=0.3)) == 504
        assert passwords._waiting == 0
    finally:
        go.set()
    assert await stage.database.pool.fetchval("SELECT count(*) FROM login_attempt") == 0


async def test_who_has_to_wait_is_not_told_whether_the_password_was_right(stage: Stage) -> None:
    """Many tries that began before the first of them failed: the right one among them is no way in."""
    await account(stage)
    go = threads_are_held()
    tries = [sign_in(EMAIL, password) for password in [*[WRONG] * 9, sign_in().password]]
    asked = [asyncio.create_task(stage.when(each, caller=AWAY)) for each in tries]
    await eventually(lambda: are_waiting(len(tries)))
    go.set()
    answers = [await each for each in asked]
    assert sorted(status(each) for each in answers) == [401] * 5 + [429] * 5


async def test_passwords_give_way_to_everything_else(stage: Stage) -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert await passwords._in_turn(niceness) == niceness() + 5
