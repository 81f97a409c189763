"""Nothing about who signed in when and where is kept for ever."""

from datetime import timedelta
from uuid import UUID

import pytest
from given_auth import EMAIL, WRONG, account, link, refreshed, refused, sign_in, signed_in

from sav_auth import timers
from sav_auth.starting import forget
from sav_chassis.envelope import Context
from sav_chassis.testing import Stage
from sav_chassis.tx import transaction
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.session import (
    FindSignIns,
    PasswordResetRequested,
    RequestPasswordReset,
    ResetPassword,
)

DAY = timedelta(days=1)


@pytest.fixture
async def started(stage: Stage) -> None:
    """As auth does when it starts, which several replicas do."""
    for _ in range(2):
        context = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=UUID(int=7))
        async with transaction(stage.database, stage.settings, context, lambda _: None) as tx:
            await forget(tx)


async def kept(stage: Stage) -> dict[str, int]:
    tables = {"login_attempt": "login_attempt", "session": "session", "grant": '"grant"'}
    counted = {name: f"SELECT count(*) FROM {table}" for name, table in tables.items()}
    return {name: await stage.database.pool.fetchval(count) for name, count in counted.items()}


@pytest.mark.usefixtures("started")
async def test_tries_sessions_and_links_are_kept_for_three_months_and_no_longer(stage: Stage) -> None:
    lea = await account(stage)
    await stage.when(sign_in(password=WRONG))
    await stage.when(sign_in("nobody@example.com"))
    me = await signed_in(stage)
    await stage.when(RequestPasswordReset(email=EMAIL))
    await stage.passes(89 * DAY)
    assert await kept(stage) == {"login_attempt": 3, "session": 1, "grant": 1}
    assert len((await stage.when(FindSignIns(account_id=lea.id), by=me.actor)).reply["items"]) == 2

    await stage.passes(3 * DAY)
    # The session ran out only two weeks after it was begun.
    assert await kept(stage) == {"login_attempt": 0, "session": 1, "grant": 0}
    await stage.passes(14 * DAY)
    assert await kept(stage) == {"login_attempt": 0, "session": 0, "grant": 0}
    refused(await refreshed(stage, me.refresh_token), 401, "not_signed_in")


@pytest.mark.usefixtures("started")
async def test_a_session_that_is_used_is_not_forgotten(stage: Stage) -> None:
    await account(stage)
    token = (await signed_in(stage)).refresh_token
    for _ in range(4):
        await stage.passes(7 * DAY)
        token = (await refreshed(stage, token)).reply["refresh_token"]
    await stage.passes(90 * DAY)
    assert (await kept(stage))["session"] == 1, "it ran out after a month, the longest that there is"
    await stage.passes(4 * DAY)
    assert (await kept(stage))["session"] == 0


@pytest.mark.usefixtures("started")
async def test_a_link_that_was_forgotten_is_answered_as_one_that_ran_out(stage: Stage) -> None:
    await account(stage)
    await stage.when(RequestPasswordReset(email=EMAIL))
    grant = (await stage.passes(timedelta())).only(PasswordResetRequested).grant_id
    await stage.passes(100 * DAY)
    late = ResetPassword(token=link(stage, "password-reset", grant), password=WRONG)
    refused(await stage.when(late), 410, "link_expired")


@pytest.mark.usefixtures("started")
async def test_a_great_many_are_forgotten_a_piece_at_a_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timers, "AT_ONCE", 2)
    for number in range(9):
        await stage.when(sign_in(f"guess-{number}@example.com"))
    await stage.passes(92 * DAY)
    assert (await kept(stage))["login_attempt"] == 0, "more than two a day"
    [waits] = await stage.waiting()
    assert (waits.function, waits.due > stage.now()) == ("forget_old", True)
