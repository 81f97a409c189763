"""Passwords: changed, forgotten, chosen anew; what they open ends with them."""

from datetime import timedelta
from uuid import UUID

import pytest
from given_auth import (
    ANOTHER,
    EMAIL,
    PASSWORD,
    WRONG,
    account,
    link,
    refreshed,
    refused,
    session,
    sign_in,
    signed_in,
    wrong_fields,
)
from pydantic import SecretStr

from sav_auth.passwords import check_password, common
from sav_chassis.errors import Invalid
from sav_chassis.settings import Settings
from sav_chassis.testing import Stage
from sav_contracts.auth.session import (
    ChangePassword,
    PasswordChanged,
    PasswordResetRequested,
    RequestPasswordReset,
    ResetPassword,
)


def changing(current: SecretStr = PASSWORD, password: SecretStr = ANOTHER) -> ChangePassword:
    return ChangePassword(current_password=current, password=password)


async def reset_asked(stage: Stage) -> PasswordResetRequested:
    await stage.when(RequestPasswordReset(email=EMAIL))
    return (await stage.passes(timedelta())).only(PasswordResetRequested)


def resetting(stage: Stage, grant_id: UUID, password: SecretStr = ANOTHER) -> ResetPassword:
    return ResetPassword(token=link(stage, "password-reset", grant_id), password=password)


async def test_another_password_ends_the_other_sessions_and_this_one_goes_on(stage: Stage) -> None:
    await account(stage)
    here, there = await signed_in(stage), await signed_in(stage)
    changed = (await stage.when(changing(), by=here.actor)).only(PasswordChanged)
    assert (changed.revoked, changed.by_link) == ((there.session_id,), False)
    refused(await refreshed(stage, there.refresh_token), 401, "not_signed_in")
    session(stage, await refreshed(stage, here.refresh_token))
    refused(await stage.when(sign_in()), 401, "not_signed_in")
    assert (await stage.when(sign_in(password=ANOTHER))).problem is None


async def test_whoever_finds_an_open_screen_cannot_change_or_guess_the_password(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    for _ in range(5):
        assert wrong_fields(await stage.when(changing(WRONG), by=me.actor)) == ["current_password"]
    refused(await stage.when(changing(), by=me.actor), 429, "too_many_attempts")
    await stage.passes(timedelta(seconds=1))
    assert (await stage.when(sign_in())).problem is None


async def test_a_new_password_is_none_of_those_that_are_tried_first(stage: Stage) -> None:
    await account(stage)
    me = await signed_in(stage)
    for password in ("password123", "lea.bernard"):
        outcome = await stage.when(changing(password=SecretStr(password)), by=me.actor)
        assert wrong_fields(outcome) == ["password"]
    reset = await reset_asked(stage)
    for password in ("password123", "lea.bernard"):
        outcome = await stage.when(resetting(stage, reset.grant_id, SecretStr(password)))
        assert wrong_fields(outcome) == ["password"]


async def test_a_forgotten_password_is_chosen_anew_by_link_and_every_session_ends(stage: Stage) -> None:
    await account(stage)
    sessions = [await signed_in(stage) for _ in range(2)]
    reset = await reset_asked(stage)
    changed = (await stage.when(resetting(stage, reset.grant_id))).only(PasswordChanged)
    assert set(changed.revoked) == {one.session_id for one in sessions}
    assert changed.by_link
    assert changed.state.email_verified, "the link came to the address"
    for one in sessions:
        refused(await refreshed(stage, one.refresh_token), 401, "not_signed_in")
    assert (await stage.when(sign_in(password=ANOTHER))).problem is None


async def test_the_link_works_once_and_repeating_it_is_no_error(stage: Stage) -> None:
    await account(stage)
    first, second = await reset_asked(stage), await reset_asked(stage)
    (await stage.when(resetting(stage, first.grant_id))).only(PasswordChanged)
    again = await stage.when(resetting(stage, first.grant_id))
    assert (again.reply, again.events) == ({"accepted": True}, [])
    for grant in (first.grant_id, second.grant_id):
        late = resetting(stage, grant, SecretStr("somebody else's password"))
        refused(await stage.when(late), 410, "link_expired")


async def test_a_link_is_worth_nothing_after_an_hour_or_once_the_password_is_another(stage: Stage) -> None:
    await account(stage)
    late = await reset_asked(stage)
    await stage.passes(timedelta(hours=1, seconds=1))
    refused(await stage.when(resetting(stage, late.grant_id)), 410, "link_expired")
    overtaken = await reset_asked(stage)
    me = await signed_in(stage)
    await stage.when(changing(), by=me.actor)
    mallorys = resetting(stage, overtaken.grant_id, SecretStr("somebody else's password"))
    refused(await stage.when(mallorys), 410, "link_expired")


async def test_a_known_and_an_unknown_address_are_answered_the_same(stage: Stage) -> None:
    await account(stage)
    known = await stage.when(RequestPasswordReset(email=EMAIL.upper()))
    unknown = await stage.when(RequestPasswordReset(email="nobody@example.com"))
    assert known == unknown
    assert known.events == []
    assert (await stage.passes(timedelta())).only(PasswordResetRequested).state.email == EMAIL
    assert await stage.database.pool.fetchval("SELECT count(*) FROM wish") == 0


@pytest.mark.parametrize("status", ["invited", "deactivated"])
async def test_who_cannot_sign_in_gets_no_link(stage: Stage, status: str) -> None:
    await account(stage, status=status)
    await stage.when(RequestPasswordReset(email=EMAIL))
    assert (await stage.passes(timedelta())).events == []


async def test_nobodys_mailbox_is_filled(stage: Stage) -> None:
    await account(stage)
    for _ in range(5):
        await stage.when(RequestPasswordReset(email=EMAIL))
    assert len((await stage.passes(timedelta())).events) == 3


def test_the_list_of_common_passwords_is_long() -> None:
    assert len(common()) > 20_000
    assert {"motdepasse", "azertyuiop", "sunshine"} <= common()


@pytest.mark.parametrize(
    "password", ["correct horse battery", "lea likes boilers", "bernard-et-ses-chats", "9182736450"]
)
def test_what_nobody_tries_first_is_taken(password: str) -> None:
    check_password(Settings(), SecretStr(password), EMAIL, "Léa Bernard")


@pytest.mark.parametrize(
    "password", ["PASSWORD123", "123password!", "1234567890", "Léa-Bernard-69", "bernardlea"]
)
def test_what_is_tried_first_is_not(password: str) -> None:
    with pytest.raises(Invalid):
        check_password(Settings(), SecretStr(password), EMAIL, "Léa Bernard")
