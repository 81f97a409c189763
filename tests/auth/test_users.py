"""Other people's accounts: changed, given a role, kept out and let in again; and one's own."""

import asyncio
from uuid import uuid4

import pytest
from given_auth import (
    EMAIL,
    acceptance,
    account,
    link,
    refreshed,
    refused,
    session,
    sign_in,
    signed_in,
    wrong_fields,
)
from pydantic import ValidationError

from sav_chassis.testing import Stage
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.auth.account import (
    ActivateUser,
    AssignRole,
    ChangeProfile,
    ChangeUser,
    DeactivateUser,
    EmailVerificationRequested,
    InviteAgain,
    RoleAssigned,
    UserActivated,
    UserDeactivated,
    UserInvited,
    UserUpdated,
    VerifyEmail,
)

ALEX, MARIE = "alex@example.com", "marie@example.com"


@pytest.fixture
async def alex(stage: Stage) -> Actor:
    return await account(stage, Role.ADMIN, ALEX)


@pytest.fixture
async def marie(stage: Stage) -> Actor:
    return await account(stage, Role.MANAGER, MARIE)


async def test_a_person_changes_what_their_account_says(stage: Stage) -> None:
    lea = await account(stage)
    change = ChangeProfile(
        name="Léa Martin", phone="+33 6 12 34 56 78", locale="en", time_zone="Africa/Tunis"
    )
    outcome = await stage.when(change, by=lea)
    state = outcome.only(UserUpdated).state
    told = (state.name, state.phone, state.locale, state.time_zone, state.email)
    assert told == ("Léa Martin", "+33612345678", "en", "Africa/Tunis", EMAIL)
    assert outcome.reply["name"] == "Léa Martin"
    assert (await stage.when(change, by=lea)).events == [], "the same once more"
    assert (await stage.when(ChangeProfile(phone=None), by=lea)).only(UserUpdated).state.phone is None


async def test_a_change_says_what_and_takes_no_name_away(stage: Stage) -> None:
    lea = await account(stage)
    assert wrong_fields(await stage.when(ChangeProfile(), by=lea)) == ["body"]
    assert wrong_fields(await stage.when(ChangeProfile(name=None, locale=None), by=lea)) == ["locale", "name"]


@pytest.mark.parametrize(
    "field",
    [
        {"phone": "+999999999"},
        {"phone": "+33 6"},
        {"time_zone": "Mars/Base"},
        {"time_zone": "localtime"},
        {"time_zone": "right/UTC"},
        {"role": "admin"},
        {"status": "active"},
    ],
)
def test_nobody_changes_anything_else_or_to_nonsense(field: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        ChangeProfile.model_validate(field)


async def test_a_new_address_is_to_be_confirmed_and_old_links_are_worth_nothing(
    stage: Stage, alex: Actor
) -> None:
    lea = await account(stage, email_verified=True)
    outcome = await stage.when(ChangeUser(account_id=lea.id, email="Lea.Martin@example.com"), by=alex)
    updated, asked = outcome.events
    assert isinstance(updated, UserUpdated)
    assert isinstance(asked, EmailVerificationRequested)
    assert (asked.state.email, asked.state.email_verified) == ("lea.martin@example.com", False)
    again = await stage.when(ChangeUser(account_id=lea.id, email="lea.m@example.com"), by=alex)
    old = VerifyEmail(token=link(stage, "verify-email", asked.grant_id))
    refused(await stage.when(old), 410, "link_expired")
    [_, asked] = again.events
    assert isinstance(asked, EmailVerificationRequested)
    new = VerifyEmail(token=link(stage, "verify-email", asked.grant_id))
    assert (await stage.when(new)).problem is None
    assert (await stage.when(sign_in("lea.m@example.com"))).problem is None
    refused(await stage.when(sign_in()), 401, "not_signed_in")


async def test_an_invitation_that_went_to_the_wrong_address_opens_nothing(stage: Stage, alex: Actor) -> None:
    karim = await account(stage, Role.TECHNICIAN, "karrim@example.com", status="invited", password_hash=None)
    lost = (await stage.when(InviteAgain(account_id=karim.id), by=alex)).only(UserInvited)
    corrected = await stage.when(ChangeUser(account_id=karim.id, email="karim@example.com"), by=alex)
    refused(await stage.when(acceptance(stage, lost.grant_id)), 410, "link_expired")
    _, new = corrected.events
    assert isinstance(new, UserInvited)
    assert (await stage.when(acceptance(stage, new.grant_id))).problem is None


async def test_nobody_gets_the_address_of_another(stage: Stage, alex: Actor) -> None:
    lea = await account(stage)
    refused(await stage.when(ChangeUser(account_id=lea.id, email=ALEX.upper()), by=alex), 409, "email_taken")
    same = await stage.when(ChangeUser(account_id=lea.id, email=EMAIL.upper()), by=alex)
    assert (same.problem, same.events) == (None, [])


async def test_another_role_counts_with_the_next_refresh(stage: Stage, alex: Actor) -> None:
    karim = await account(stage, Role.TECHNICIAN)
    me = await signed_in(stage)
    outcome = await stage.when(AssignRole(account_id=karim.id, role=Role.MANAGER), by=alex)
    told = outcome.only(RoleAssigned)
    assert (told.previous, told.role, told.state.role) == (Role.TECHNICIAN, Role.MANAGER, Role.MANAGER)
    assert told.revoked == (karim.id,)
    assert session(stage, await refreshed(stage, me.refresh_token)).actor.role is Role.MANAGER
    again = await stage.when(AssignRole(account_id=karim.id, role=Role.MANAGER), by=alex)
    assert (again.problem, again.events) == (None, [])


async def test_a_client_stays_a_client(stage: Stage, alex: Actor) -> None:
    lea = await account(stage)
    refused(await stage.when(AssignRole(account_id=lea.id, role=Role.MANAGER), by=alex), 409, "conflict")
    with pytest.raises(ValidationError):
        AssignRole.model_validate({"account_id": lea.id, "role": "client"})


async def test_there_is_always_an_admin(stage: Stage, alex: Actor) -> None:
    for last in (AssignRole(account_id=alex.id, role=Role.MANAGER), DeactivateUser(account_id=alex.id)):
        refused(await stage.when(last, by=alex), 409, "last_admin")
    omar = await account(stage, Role.ADMIN, "omar@example.com")
    outcomes = await asyncio.gather(
        stage.when(AssignRole(account_id=alex.id, role=Role.MANAGER), by=SYSTEM),
        stage.when(AssignRole(account_id=omar.id, role=Role.MANAGER), by=SYSTEM),
    )
    assert sorted(outcome.problem.code if outcome.problem else "" for outcome in outcomes) == [
        "",
        "last_admin",
    ]


async def test_two_decisions_about_admins_are_taken_one_after_the_other(stage: Stage, alex: Actor) -> None:
    omar = await account(stage, Role.ADMIN, "omar@example.com")
    async with stage.database.pool.acquire() as other, other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock(hashtextextended('admins', 1))")
        waiting = await stage.when(DeactivateUser(account_id=omar.id), by=alex, seconds=0.3)
        refused(waiting, 504, "outcome_unknown")
    (await stage.when(DeactivateUser(account_id=omar.id), by=alex)).only(UserDeactivated)


async def test_who_is_deactivated_is_out_at_once_and_comes_back_with_the_old_password(
    stage: Stage, alex: Actor
) -> None:
    lea = await account(stage)
    me = await signed_in(stage)
    out = (await stage.when(DeactivateUser(account_id=lea.id), by=alex)).only(UserDeactivated)
    assert (out.state.status, out.revoked) == ("deactivated", (lea.id,))
    refused(await refreshed(stage, me.refresh_token), 401, "not_signed_in")
    refused(await stage.when(sign_in()), 401, "not_signed_in")
    refused(await stage.when(DeactivateUser(account_id=lea.id), by=alex), 409, "illegal_move")
    back = (await stage.when(ActivateUser(account_id=lea.id), by=alex)).only(UserActivated)
    assert back.state.status == "active"
    refused(await refreshed(stage, me.refresh_token), 401, "not_signed_in")
    assert (await stage.when(sign_in())).problem is None


async def test_a_sign_in_under_way_does_not_survive_a_deactivation(stage: Stage, alex: Actor) -> None:
    lea = await account(stage)
    await asyncio.gather(
        stage.when(sign_in()), stage.when(DeactivateUser(account_id=lea.id), by=alex), stage.when(sign_in())
    )
    open_ones = "SELECT count(*) FROM session WHERE ended_at IS NULL"
    assert await stage.database.pool.fetchval(open_ones) == 0


@pytest.mark.parametrize(
    ("role", "code"),
    [
        (Role.CLIENT, ""),
        (Role.TECHNICIAN, "not_found"),
        (Role.MANAGER, "not_found"),
        (Role.ADMIN, "not_found"),
    ],
)
async def test_a_manager_keeps_out_clients_only(stage: Stage, marie: Actor, role: Role, code: str) -> None:
    other = await account(stage, role)
    await account(stage, Role.ADMIN, ALEX)
    out = await stage.when(DeactivateUser(account_id=other.id), by=marie)
    assert (out.problem.code if out.problem else "") == code
    if code:
        await stage.database.pool.execute("UPDATE account SET status = 'deactivated' WHERE id = $1", other.id)
    back = await stage.when(ActivateUser(account_id=other.id), by=marie)
    assert (back.problem.code if back.problem else "") == code


async def test_who_was_invited_is_not_let_in_without_a_password(stage: Stage, alex: Actor) -> None:
    karim = await account(stage, Role.TECHNICIAN, status="invited", password_hash=None)
    refused(await stage.when(ActivateUser(account_id=karim.id), by=alex), 403, "not_allowed")


COMMANDS = {
    "change": ChangeUser(account_id=uuid4(), name="X"),
    "invite": InviteAgain(account_id=uuid4()),
    "role": AssignRole(account_id=uuid4(), role=Role.ADMIN),
    "deactivate": DeactivateUser(account_id=uuid4()),
    "activate": ActivateUser(account_id=uuid4()),
}


@pytest.mark.parametrize("name", COMMANDS)
async def test_an_account_that_there_is_not_is_not_found(stage: Stage, alex: Actor, name: str) -> None:
    refused(await stage.when(COMMANDS[name], by=alex), 404, "not_found")


@pytest.mark.parametrize("name", ["change", "invite", "role"])
async def test_a_manager_does_not_govern_accounts(stage: Stage, marie: Actor, name: str) -> None:
    refused(await stage.when(COMMANDS[name], by=marie), 403, "not_allowed")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("role", [Role.CLIENT, Role.TECHNICIAN])
async def test_nobody_else_touches_accounts(stage: Stage, role: Role, name: str) -> None:
    refused(await stage.when(COMMANDS[name], by=await account(stage, role)), 403, "not_allowed")
