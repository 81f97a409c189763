"""Passwords take a processor for a while: what that means for everybody else."""

import asyncio
import os
import threading
from uuid import UUID

import cheap_passwords
from argon2 import Type, extract_parameters
from eventually import eventually
from given_auth import AWAY, account, refreshed, sign_in, signed_in, status
from uuid_utils.compat import uuid7

from sav_auth import passwords
from sav_auth.model import LoginAttempt
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
    """A try that began before others had failed, and is looked at when they have: it is no way in."""
    lea = await account(stage)
    go = threads_are_held()
    try:
        asked = asyncio.create_task(stage.when(sign_in(), caller=AWAY))
        await eventually(lambda: are_waiting(1))
        await stage.given(*(failure(stage, lea.id) for _ in range(5)))
    finally:
        go.set()
    assert status(await asked) == 429


def failure(stage: Stage, account_id: UUID) -> LoginAttempt:
    """As another try leaves it."""
    now, origin = stage.now(), AWAY.address
    return LoginAttempt(id=uuid7(), account_id=account_id, at=now, result="wrong_password", origin=origin)


def test_a_password_costs_what_owasp_advises() -> None:
    cost = extract_parameters(cheap_passwords.IN_LIFE.hash("a password"))
    assert (cost.type, cost.memory_cost, cost.time_cost, cost.parallelism) == (Type.ID, 19 * 1024, 2, 1)


async def test_passwords_give_way_to_everything_else(stage: Stage) -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert await passwords._in_turn(niceness) == niceness() + 5
