"""Signing up, signing in, being invited."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_auth import (
    ANOTHER,
    EMAIL,
    PASSWORD,
    acceptance,
    account,
    link,
    refused,
    sign_in,
    status,
    wrong_fields,
)
from pydantic import SecretStr, ValidationError

from sav_chassis.identity import Verifier
from sav_chassis.testing import Stage
from sav_contracts.actor import ANYONE, SYSTEM, Actor, Role
from sav_contracts.auth.account import (
    AcceptInvitation,
    EmailVerificationRequested,
    EmailVerified,
    InviteAgain,
    InviteUser,
    OfferFirstAdmin,
    RegisterClient,
    RequestVerification,
    SignUpRepeated,
    UserActivated,
    UserInvited,
    UserRegistered,
    VerifyEmail,
)
from sav_contracts.auth.session import ResetPassword


def sign_up(email: str = EMAIL, password: SecretStr = PASSWORD) -> RegisterClient:
    return RegisterClient(email=email, password=password, name="Léa Bernard")


async def invitation(stage: Stage, role: Role = Role.TECHNICIAN) -> UserInvited:
    command = InviteUser.model_validate({"email": "karim@example.com", "name": "Karim", "role": role})
    return (await stage.when(command, by=world.alex)).only(UserInvited)


def verification(stage: Stage, grant_id: UUID | None, purpose: str = "verify-email") -> VerifyEmail:
    return VerifyEmail(token=link(stage, purpose, grant_id))


async def test_signing_up_makes_an_active_client(stage: Stage) -> None:
    outcome = await stage.when(sign_up("Lea@Example.com"))
    account = outcome.only(UserRegistered).state
    assert (account.email, account.role, account.status) == ("lea@example.com", Role.CLIENT, "active")
    assert outcome.reply == {"accepted": True}


async def test_a_known_address_gets_the_same_answer_and_changes_nothing(stage: Stage) -> None:
    first = await stage.when(sign_up())
    again = await stage.when(sign_up("LEA@example.com", SecretStr("another password")))
    assert again.reply == first.reply
    again.only(SignUpRepeated)
    assert (await stage.when(sign_in())).problem is None


async def test_who_forgot_that_there_is_an_account_gets_a_link_but_not_without_end(stage: Stage) -> None:
    await account(stage)
    outcomes = [await stage.when(sign_up(password=ANOTHER)) for _ in range(5)]
    assert [len(outcome.events) for outcome in outcomes] == [1, 1, 1, 0, 0]
    grant = outcomes[0].only(SignUpRepeated).grant_id
    reset = ResetPassword(token=link(stage, "password-reset", grant), password=ANOTHER)
    assert (await stage.when(reset)).problem is None
    assert (await stage.when(sign_in(password=ANOTHER))).problem is None


async def test_who_signs_up_although_invited_gets_the_invitation_again(stage: Stage) -> None:
    first = await invitation(stage, Role.TECHNICIAN)
    again = await stage.when(sign_up("karim@example.com"))
    assert again.reply == {"accepted": True}
    grant = again.only(UserInvited).grant_id
    refused(await stage.when(acceptance(stage, first.grant_id)), 410, "link_expired")
    assert (await stage.when(acceptance(stage, grant))).problem is None
    assert (await stage.when(sign_in("karim@example.com"))).reply["role"] == "technician"


async def test_a_used_link_is_no_place_to_try_passwords(stage: Stage) -> None:
    invited = await invitation(stage)
    await stage.when(acceptance(stage, invited.grant_id))
    await stage.passes(timedelta(minutes=11))
    refused(await stage.when(acceptance(stage, invited.grant_id)), 410, "link_expired")


async def test_two_sign_ups_at_once_make_one_account(stage: Stage) -> None:
    outcomes = await asyncio.gather(*(stage.when(sign_up()) for _ in range(4)))
    assert all(outcome.reply == {"accepted": True} for outcome in outcomes)
    assert await stage.database.pool.fetchval("SELECT count(*) FROM account") == 1
    told = "SELECT count(*) FROM event_log WHERE type LIKE '%UserRegistered%'"
    assert await stage.database.pool.fetchval(told) == 1


async def test_the_token_says_who_and_in_which_session(stage: Stage) -> None:
    await stage.when(sign_up())
    told = (await stage.when(sign_in())).reply
    actor = Verifier(stage.settings.public_keys).actor(told["access_token"])
    assert (str(actor.id), actor.role) == (told["user_id"], Role.CLIENT)
    assert actor.session is not None


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(stage: Stage) -> None:
    await stage.when(sign_up())
    wrong = await stage.when(sign_in(password=SecretStr("not the password")))
    unknown = await stage.when(sign_in("nobody@example.com"))
    assert wrong.problem == unknown.problem
    assert status(wrong) == 401


async def test_an_invited_person_chooses_a_password_and_signs_in(stage: Stage) -> None:
    invited = await invitation(stage)
    assert invited.state.status == "invited"
    assert status(await stage.when(sign_in("karim@example.com"))) == 401

    activated = (await stage.when(acceptance(stage, invited.grant_id))).only(UserActivated)
    assert activated.state.status == "active"
    assert (await stage.when(sign_in("karim@example.com"))).reply["role"] == "technician"


async def test_an_invitation_works_once_and_repeating_it_is_no_error(stage: Stage) -> None:
    invited = await invitation(stage)
    await stage.when(acceptance(stage, invited.grant_id))
    again = await stage.when(acceptance(stage, invited.grant_id))
    assert (again.reply, again.events) == ({"accepted": True}, [])
    other = acceptance(stage, invited.grant_id, password=SecretStr("somebody else's password"))
    assert status(await stage.when(other)) == 410
    assert (await stage.when(sign_in("karim@example.com"))).problem is None


async def test_who_has_not_accepted_is_invited_again(stage: Stage) -> None:
    first, second = await invitation(stage), await invitation(stage)
    assert first.state.id == second.state.id
    assert first.grant_id != second.grant_id
    (await stage.when(acceptance(stage, second.grant_id))).only(UserActivated)
    late = acceptance(stage, first.grant_id, password=SecretStr("somebody else's password"))
    refused(await stage.when(late), 410, "link_expired")
    command = InviteUser(email="karim@example.com", name="Karim", role=Role.TECHNICIAN)
    assert status(await stage.when(command, by=world.alex)) == 409


async def test_an_invitation_expires(stage: Stage) -> None:
    invited = await invitation(stage)
    await stage.database.pool.execute(
        'UPDATE "grant" SET expires_at = expires_at - $1::interval', timedelta(days=8)
    )
    assert status(await stage.when(acceptance(stage, invited.grant_id))) == 410


async def test_a_link_for_another_purpose_or_grant_is_no_invitation(stage: Stage) -> None:
    invited = await invitation(stage)
    assert status(await stage.when(acceptance(stage, invited.grant_id, "password-reset"))) == 410
    assert status(await stage.when(acceptance(stage, UUID(int=1)))) == 410


async def test_a_known_address_is_not_invited_again(stage: Stage) -> None:
    await invitation(stage)
    again = InviteUser(email="karim@example.com", name="Karim", role=Role.MANAGER)
    assert status(await stage.when(again, by=world.alex)) == 409


@pytest.mark.parametrize(
    "who", [world.lea, world.karim, world.marie], ids=["client", "technician", "manager"]
)
async def test_only_admins_invite(stage: Stage, who: Actor) -> None:
    command = InviteUser(email="x@example.com", name="X", role=Role.ADMIN)
    assert status(await stage.when(command, by=who)) == 403


async def test_no_secret_stays_behind(stage: Stage) -> None:
    await stage.when(sign_up(), key="a-key")
    token = (await stage.when(sign_in(), key="a-key")).reply["access_token"]
    tables = ("event_log", "outbox", "answered", "handled", "task", "login_attempt")
    stored = [str(await stage.database.pool.fetch(f"SELECT t::text FROM {table} t")) for table in tables]
    assert not any(
        PASSWORD.get_secret_value() in rows or token in rows or "argon2" in rows for rows in stored
    )
    assert await stage.database.pool.fetchval("SELECT count(*) FROM answered") == 0


@pytest.mark.parametrize("password", ["short", "x" * 129])
def test_a_password_is_neither_short_nor_endless(password: str) -> None:
    with pytest.raises(ValidationError):
        sign_up(password=SecretStr(password))


def test_nobody_is_invited_as_a_client() -> None:
    with pytest.raises(ValidationError):
        InviteUser.model_validate({"email": "x@example.com", "name": "X", "role": "client"})


async def test_a_new_invitation_is_the_only_one_that_works(stage: Stage) -> None:
    first = await invitation(stage)
    again = await stage.when(InviteAgain(account_id=first.state.id), by=world.alex)
    assert again.reply["status"] == "invited"
    refused(await stage.when(acceptance(stage, first.grant_id)), 410, "link_expired")
    assert (await stage.when(acceptance(stage, again.only(UserInvited).grant_id))).problem is None
    refused(await stage.when(InviteAgain(account_id=first.state.id), by=world.alex), 409, "conflict")


async def test_an_invited_client_chooses_a_password_too(stage: Stage) -> None:
    paul = await account(stage, email="paul@example.com", status="invited", password_hash=None)
    again = await stage.when(InviteAgain(account_id=paul.id), by=world.alex)
    assert (await stage.when(acceptance(stage, again.only(UserInvited).grant_id))).problem is None
    assert (await stage.when(sign_in("paul@example.com"))).reply["role"] == "client"


@pytest.mark.parametrize(
    "password",
    ["Password123", "password12345!", "azertyuiop", "motdepasse2026", "LeaBernard1985", "lea@example.com"],
)
async def test_what_is_tried_first_is_no_password(stage: Stage, password: str) -> None:
    assert wrong_fields(await stage.when(sign_up(password=SecretStr(password)))) == ["password"]
    invited = await invitation(stage)
    own = SecretStr("Karim-karim-2026") if "ea" in password.casefold() else SecretStr(password)
    assert wrong_fields(await stage.when(acceptance(stage, invited.grant_id, password=own))) == ["password"]
    assert await stage.database.pool.fetchval("SELECT count(*) FROM account WHERE status = 'active'") == 0


async def test_who_signs_up_confirms_the_address_by_link(stage: Stage) -> None:
    registered = (await stage.when(sign_up())).only(UserRegistered)
    assert not registered.state.email_verified
    wrong = verification(stage, registered.grant_id, "password-reset")
    refused(await stage.when(wrong), 410, "link_expired")
    confirmed = await stage.when(verification(stage, registered.grant_id))
    assert confirmed.only(EmailVerified).state.email_verified
    again = await stage.when(verification(stage, registered.grant_id))
    assert (again.reply, again.events) == ({"accepted": True}, [])


async def test_a_link_that_ran_out_confirms_nothing_and_another_is_sent(stage: Stage) -> None:
    registered = (await stage.when(sign_up())).only(UserRegistered)
    await stage.passes(timedelta(days=3, seconds=1))
    refused(await stage.when(verification(stage, registered.grant_id)), 410, "link_expired")
    known = await stage.when(RequestVerification(email=EMAIL.upper()))
    unknown = await stage.when(RequestVerification(email="nobody@example.com"))
    assert known == unknown
    asked = (await stage.passes(timedelta())).only(EmailVerificationRequested)
    (await stage.when(verification(stage, asked.grant_id))).only(EmailVerified)
    await stage.when(RequestVerification(email=EMAIL))
    assert (await stage.passes(timedelta())).events == [], "there is nothing left to confirm"


async def test_nobodys_mailbox_is_filled_with_links(stage: Stage) -> None:
    await account(stage)
    for _ in range(5):
        await stage.when(RequestVerification(email=EMAIL))
    assert len((await stage.passes(timedelta())).events) == 3
    await stage.passes(timedelta(minutes=16))
    await stage.when(RequestVerification(email=EMAIL))
    assert len((await stage.passes(timedelta())).events) == 1


async def test_the_first_admin_comes_in_with_a_code_that_works_once(stage: Stage) -> None:
    old = (await stage.when(OfferFirstAdmin(), by=SYSTEM)).reply
    code = (await stage.when(OfferFirstAdmin(), by=SYSTEM)).reply

    def coming(offer: dict[str, str], **who: Any) -> AcceptInvitation:
        return acceptance(stage, UUID(offer["grant_id"]), "first-admin", **who)

    alex = {"email": "alex@example.com", "name": "Alex Dubois"}
    refused(await stage.when(coming(old, **alex)), 410, "link_expired")
    assert wrong_fields(await stage.when(coming(code))) == ["email", "name"]
    come = (await stage.when(coming(code, **alex))).only(UserActivated)
    assert (come.state.role, come.state.email) == (Role.ADMIN, "alex@example.com")
    again = await stage.when(coming(code, **alex))
    assert (again.reply, again.events) == ({"accepted": True}, [])
    refused(await stage.when(coming(code, **alex | {"email": "eve@example.com"})), 410, "link_expired")
    refused(await stage.when(OfferFirstAdmin(), by=SYSTEM), 409, "conflict")
    assert (await stage.when(sign_in("alex@example.com"))).reply["role"] == "admin"


async def test_the_code_is_worth_nothing_once_there_is_an_admin_or_a_day_has_passed(stage: Stage) -> None:
    offer = (await stage.when(OfferFirstAdmin(), by=SYSTEM)).reply
    late = acceptance(stage, UUID(offer["grant_id"]), "first-admin", email="eve@example.com", name="Eve")
    await stage.passes(timedelta(days=1, seconds=1))
    refused(await stage.when(late), 410, "link_expired")
    offer = (await stage.when(OfferFirstAdmin(), by=SYSTEM)).reply
    await account(stage, Role.ADMIN, "alex@example.com")
    late = acceptance(stage, UUID(offer["grant_id"]), "first-admin", email="eve@example.com", name="Eve")
    refused(await stage.when(late), 410, "link_expired")


async def test_the_first_admin_may_be_invited_by_mail_instead(stage: Stage) -> None:
    outcome = await stage.when(OfferFirstAdmin(email="alex@example.com"), by=SYSTEM)
    invited = outcome.only(UserInvited)
    assert outcome.reply["invited"]
    assert (invited.state.role, str(invited.grant_id)) == (Role.ADMIN, outcome.reply["grant_id"])


@pytest.mark.parametrize("who", [world.lea, world.marie, world.alex, ANYONE], ids=lambda who: who.role)
async def test_only_sav_itself_offers_the_first_admin(stage: Stage, who: Actor) -> None:
    assert status(await stage.when(OfferFirstAdmin(), by=who)) == (401 if who == ANYONE else 403)
