"""Signing up, signing in, being invited."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
import world
from pydantic import SecretStr, ValidationError

from sav_chassis.identity import Links, Verifier
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.auth import (
    AcceptInvitation,
    InviteUser,
    RegisterClient,
    SignIn,
    SignInFailedRepeatedly,
    UserActivated,
    UserInvited,
    UserRegistered,
)

PASSWORD = SecretStr("correct horse battery")


def sign_up(email: str = "lea@example.com", password: SecretStr = PASSWORD) -> RegisterClient:
    return RegisterClient(email=email, password=password, name="Léa")


def sign_in(email: str = "lea@example.com", password: SecretStr = PASSWORD) -> SignIn:
    return SignIn(email=email, password=password)


async def invitation(stage: Stage, role: Role = Role.TECHNICIAN) -> UserInvited:
    command = InviteUser.model_validate({"email": "karim@example.com", "name": "Karim", "role": role})
    return (await stage.when(command, by=world.alex)).only(UserInvited)


def acceptance(
    stage: Stage, grant_id: UUID, purpose: str = "invitation", password: SecretStr = PASSWORD
) -> AcceptInvitation:
    token = Links(stage.settings.link_secret).token(purpose, grant_id)
    return AcceptInvitation(token=SecretStr(token), password=password)


def status(outcome: Outcome) -> int:
    assert outcome.problem
    return outcome.problem.status


async def test_signing_up_makes_an_active_client(stage: Stage) -> None:
    outcome = await stage.when(sign_up("Lea@Example.com"))
    account = outcome.only(UserRegistered).state
    assert (account.email, account.role, account.status) == ("lea@example.com", Role.CLIENT, "active")
    assert outcome.reply == {"accepted": True}


async def test_a_known_address_gets_the_same_answer_and_changes_nothing(stage: Stage) -> None:
    first = await stage.when(sign_up())
    again = await stage.when(sign_up("LEA@example.com", SecretStr("another password")))
    assert again.reply == first.reply
    assert again.events == []
    assert (await stage.when(sign_in())).problem is None


async def test_two_sign_ups_at_once_make_one_account(stage: Stage) -> None:
    outcomes = await asyncio.gather(*(stage.when(sign_up()) for _ in range(4)))
    assert all(outcome.reply == {"accepted": True} for outcome in outcomes)
    assert await stage.database.pool.fetchval("SELECT count(*) FROM account") == 1
    assert await stage.database.pool.fetchval("SELECT count(*) FROM event_log") == 1


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


async def test_a_failed_sign_in_is_recorded_and_repeated_ones_are_told(stage: Stage) -> None:
    await stage.when(sign_up())
    wrong = sign_in(password=SecretStr("not the password"))
    outcomes = [await stage.when(wrong) for _ in range(6)]
    assert [status(outcome) for outcome in outcomes] == [401] * 6
    assert [len(outcome.events) for outcome in outcomes] == [0, 0, 0, 0, 1, 0]
    assert isinstance(outcomes[4].events[0], SignInFailedRepeatedly)
    assert await stage.database.pool.fetchval("SELECT count(*) FROM login_attempt WHERE NOT succeeded") == 6


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
    assert (await stage.when(acceptance(stage, second.grant_id))).only(UserActivated)
    late = acceptance(stage, first.grant_id, password=SecretStr("somebody else's password"))
    assert status(await stage.when(late)) == 410
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
