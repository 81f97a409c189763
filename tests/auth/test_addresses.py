"""Another address to sign in with: asked for with the password, in force once its link was opened."""

from datetime import timedelta

import pytest
from given_auth import (
    ANOTHER,
    EMAIL,
    PASSWORD,
    WRONG,
    SignedIn,
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

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Role
from sav_contracts.auth.account import (
    ChangeProfile,
    ChangeUser,
    DeactivateUser,
    EmailChangeRequested,
    EmailVerificationRequested,
    UserUpdated,
    VerifyEmail,
)
from sav_contracts.auth.session import (
    ChangePassword,
    PasswordResetRequested,
    RequestPasswordReset,
    ResetPassword,
)

NEW = "lea.martin@example.com"


@pytest.fixture
async def lea(stage: Stage) -> SignedIn:
    await account(stage)
    return await signed_in(stage)


def asking(email: str = NEW, password: SecretStr | None = PASSWORD) -> ChangeProfile:
    return ChangeProfile(email=email, current_password=password)


def opening(stage: Stage, asked: Outcome) -> VerifyEmail:
    """The link that was sent to the new address."""
    _, sent = asked.events
    assert isinstance(sent, EmailVerificationRequested)
    return VerifyEmail(token=link(stage, "change-email", sent.grant_id))


async def test_the_new_address_counts_once_its_link_was_opened(stage: Stage, lea: SignedIn) -> None:
    asked = await stage.when(asking(NEW.upper()), by=lea.actor)
    told, sent = asked.events
    assert isinstance(told, EmailChangeRequested)
    assert isinstance(sent, EmailVerificationRequested)
    assert (sent.email, sent.state.email, asked.reply["email"]) == (NEW, EMAIL, EMAIL)
    assert (await stage.when(sign_in())).problem is None
    refused(await stage.when(sign_in(NEW)), 401, "not_signed_in")

    changed = (await stage.when(opening(stage, asked))).only(UserUpdated)
    assert (changed.state.email, changed.previous_email, changed.state.email_verified) == (NEW, EMAIL, True)
    assert (await stage.when(sign_in(NEW))).problem is None
    refused(await stage.when(sign_in()), 401, "not_signed_in")


async def test_where_the_person_is_signed_in_they_stay_so(stage: Stage, lea: SignedIn) -> None:
    await stage.when(opening(stage, await stage.when(asking(), by=lea.actor)))
    session(stage, await refreshed(stage, lea.refresh_token))


async def test_the_link_works_once_and_repeating_it_is_no_error(stage: Stage, lea: SignedIn) -> None:
    command = opening(stage, await stage.when(asking(), by=lea.actor))
    await stage.when(command)
    again = await stage.when(command)
    assert (again.reply, again.events) == ({"accepted": True}, [])
    back = opening(stage, await stage.when(asking(EMAIL), by=lea.actor))
    await stage.when(back)
    refused(await stage.when(command), 410, "link_expired")


async def test_whoever_finds_an_open_screen_cannot_take_the_account_away(stage: Stage, lea: SignedIn) -> None:
    assert wrong_fields(await stage.when(asking(password=None), by=lea.actor)) == ["current_password"]
    for _ in range(5):
        wrong = await stage.when(asking(password=WRONG), by=lea.actor)
        assert (wrong_fields(wrong), wrong.events) == (["current_password"], [])
    refused(await stage.when(asking(), by=lea.actor), 429, "too_many_attempts")


async def test_a_wrong_password_changes_nothing_else_either(stage: Stage, lea: SignedIn) -> None:
    command = ChangeProfile(email=NEW, current_password=WRONG, name="Mallory")
    assert wrong_fields(await stage.when(command, by=lea.actor)) == ["current_password"]
    renamed = ChangeProfile(email=NEW, current_password=PASSWORD, name="Léa Martin")
    assert (await stage.when(renamed, by=lea.actor)).reply["name"] == "Léa Martin"


async def test_the_address_that_one_has_needs_no_password_and_none_cannot_be(
    stage: Stage, lea: SignedIn
) -> None:
    same = await stage.when(asking(EMAIL.upper(), password=None), by=lea.actor)
    assert (same.problem, same.events) == (None, [])
    assert wrong_fields(await stage.when(ChangeProfile(email=None), by=lea.actor)) == ["email"]
    assert wrong_fields(await stage.when(ChangeProfile(current_password=PASSWORD), by=lea.actor)) == ["body"]


async def test_who_has_an_address_is_told_by_its_own_link_alone(stage: Stage, lea: SignedIn) -> None:
    await account(stage, email=NEW)
    taken = await stage.when(asking(), by=lea.actor)
    free = await stage.when(asking("nobody@example.com"), by=lea.actor)
    assert [type(event) for event in taken.events] == [type(event) for event in free.events]
    assert taken.reply["email"] == free.reply["email"] == EMAIL


async def test_an_address_that_somebody_has_by_then_is_refused(stage: Stage, lea: SignedIn) -> None:
    command = opening(stage, await stage.when(asking(), by=lea.actor))
    paul = await account(stage, email=NEW)
    refused(await stage.when(command), 409, "email_taken")
    alex = await account(stage, Role.ADMIN, "alex@example.com")
    await stage.when(ChangeUser(account_id=paul.id, email="paul@example.com"), by=alex)
    assert (await stage.when(command)).only(UserUpdated).state.email == NEW


async def test_only_the_newest_link_works_and_only_for_a_day(stage: Stage, lea: SignedIn) -> None:
    first = opening(stage, await stage.when(asking("typo@example.com"), by=lea.actor))
    second = opening(stage, await stage.when(asking(), by=lea.actor))
    refused(await stage.when(first), 410, "link_expired")
    await stage.passes(timedelta(days=1, seconds=1))
    refused(await stage.when(second), 410, "link_expired")


async def test_another_password_takes_the_request_back(stage: Stage, lea: SignedIn) -> None:
    mallorys = opening(stage, await stage.when(asking(), by=lea.actor))
    await stage.when(ChangePassword(current_password=PASSWORD, password=ANOTHER), by=lea.actor)
    refused(await stage.when(mallorys), 410, "link_expired")
    mallorys = opening(stage, await stage.when(asking(password=ANOTHER), by=lea.actor))
    await stage.when(RequestPasswordReset(email=EMAIL))
    grant = (await stage.passes(timedelta())).only(PasswordResetRequested).grant_id
    reset = ResetPassword(token=link(stage, "password-reset", grant), password=PASSWORD)
    assert (await stage.when(reset)).problem is None
    refused(await stage.when(mallorys), 410, "link_expired")


async def test_links_that_went_to_the_old_address_are_worth_nothing_at_the_new_one(
    stage: Stage, lea: SignedIn
) -> None:
    await stage.when(RequestPasswordReset(email=EMAIL))
    grant = (await stage.passes(timedelta())).only(PasswordResetRequested).grant_id
    await stage.when(opening(stage, await stage.when(asking(), by=lea.actor)))
    reset = ResetPassword(token=link(stage, "password-reset", grant), password=ANOTHER)
    refused(await stage.when(reset), 410, "link_expired")


async def test_who_is_kept_out_changes_no_address(stage: Stage, lea: SignedIn) -> None:
    command = opening(stage, await stage.when(asking(), by=lea.actor))
    alex = await account(stage, Role.ADMIN, "alex@example.com")
    await stage.when(DeactivateUser(account_id=lea.actor.id), by=alex)
    refused(await stage.when(command), 410, "link_expired")


async def test_nobody_fills_the_mailboxes_of_others(stage: Stage, lea: SignedIn) -> None:
    for number in range(3):
        assert (await stage.when(asking(f"x{number}@example.com"), by=lea.actor)).problem is None
    waits = await stage.when(asking(), by=lea.actor)
    refused(waits, 429, "too_many_links")
    await stage.passes(timedelta(minutes=15, seconds=1))
    assert (await stage.when(asking(), by=lea.actor)).problem is None


async def test_a_link_for_one_thing_does_not_do_the_other(stage: Stage, lea: SignedIn) -> None:
    _, sent = (await stage.when(asking(), by=lea.actor)).events
    assert isinstance(sent, EmailVerificationRequested)
    for purpose in ("verify-email", "password-reset", "invitation"):
        wrong = VerifyEmail(token=link(stage, purpose, sent.grant_id))
        refused(await stage.when(wrong), 410, "link_expired")
    assert (await stage.when(sign_in())).problem is None


async def test_the_password_stays_nowhere(stage: Stage, lea: SignedIn) -> None:
    await stage.when(asking(), by=lea.actor, key="a-key")
    await stage.when(asking(password=WRONG), by=lea.actor, key="another-key")
    tables = ("event_log", "answered", "task", "login_attempt", '"grant"')
    stored = "".join([str(await stage.database.pool.fetch(f"SELECT t::text FROM {one} t")) for one in tables])
    assert NEW in stored, "or this would find nothing anywhere"
    assert PASSWORD.get_secret_value() not in stored
    assert WRONG.get_secret_value() not in stored
