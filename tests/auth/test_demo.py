"""The demo's people, whose password everybody can read: not in production, by no way in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cheap_passwords import CHEAP
from given_auth import (
    ANOTHER,
    EMAIL,
    acceptance,
    account,
    link,
    refreshed,
    refused,
    sign_in,
    signed_in,
    wrong_fields,
)
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from sav_auth import demo
from sav_chassis.envelope import Context
from sav_chassis.startup_checks import CannotStart
from sav_chassis.testing import Outcome, Stage
from sav_chassis.tx import Tx, transaction
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.auth.account import (
    ActivateUser,
    InviteUser,
    RegisterClient,
    UserActivated,
    UserDeactivated,
    UserInvited,
)
from sav_contracts.auth.session import (
    ChangePassword,
    PasswordResetRequested,
    RequestPasswordReset,
    ResetPassword,
)
from sav_contracts.demo import PASSWORD

DEMO = SecretStr(PASSWORD)
HASH = CHEAP.hash(PASSWORD)
ALEX = "alex@example.com"


@asynccontextmanager
async def of_sav(stage: Stage) -> AsyncIterator[Tx]:
    """A transaction as one at the start of the process."""
    context = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=uuid7())
    async with transaction(stage.database, stage.settings, context, lambda _: None) as tx:
        yield tx


async def starts(stage: Stage) -> None:
    async with of_sav(stage) as tx:
        await stage.service.starts[0](tx)


async def removed(stage: Stage) -> list[str]:
    async with of_sav(stage) as tx:
        return await demo.remove(tx)


async def alex(stage: Stage, **fields: Any) -> Actor:
    return await account(stage, **({"role": Role.ADMIN, "email": ALEX, "password_hash": HASH} | fields))


async def told(stage: Stage) -> list[tuple[str, UUID, list[UUID]]]:
    """The events that are to be relayed: type, record and whose tokens they revoke."""
    rows = await stage.database.pool.fetch(
        """SELECT type, subject, ARRAY(SELECT json_array_elements_text(body::json -> 'revoked')::uuid) AS revoked
            FROM event_log JOIN outbox USING (position) ORDER BY position"""
    )
    return [(row["type"], row["subject"], row["revoked"]) for row in rows]


@pytest.fixture
def production(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.settings, "environment", "production")


@pytest.mark.usefixtures("production")
async def test_auth_does_not_start_in_production_where_a_demo_person_could_sign_in(stage: Stage) -> None:
    await starts(stage)
    await alex(stage)
    await account(stage, Role.MANAGER, "claire@example.com", password_hash=HASH)
    with pytest.raises(CannotStart, match=rf"{ALEX}, whose .*: \./sav demo --remove"):
        await starts(stage)


async def test_in_development_the_demo_is_welcome(stage: Stage) -> None:
    await alex(stage)
    await starts(stage)
    await signed_in(stage, ALEX, password=DEMO)


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    "fields",
    [
        {"password_hash": CHEAP.hash("a person's own")},
        {"email": "alex@our-firm.example"},
        {"status": "deactivated"},
        {"status": "invited", "password_hash": None},
    ],
)
async def test_who_has_another_password_or_address_or_is_kept_out_is_no_danger(
    stage: Stage, fields: dict[str, Any]
) -> None:
    await alex(stage, **fields)
    await starts(stage)
    assert await removed(stage) == []
    assert await told(stage) == []


async def test_who_was_removed_gets_in_by_no_way_and_everybody_hears_of_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    invited = await stage.when(InviteUser(email=ALEX, name="Alex Dubois", role=Role.ADMIN), by=SYSTEM)
    grant = invited.only(UserInvited).grant_id
    who = (await stage.when(acceptance(stage, grant, password=DEMO))).only(UserActivated).state.id
    before = await signed_in(stage, ALEX, password=DEMO)
    await stage.when(RequestPasswordReset(email=ALEX))
    asked = (await stage.passes(timedelta())).only(PasswordResetRequested).grant_id
    already = len(await told(stage))

    assert await removed(stage) == [ALEX]
    assert (await told(stage))[already:] == [(UserDeactivated.type_name(), who, [who])]
    assert await removed(stage) == []
    monkeypatch.setattr(stage.settings, "environment", "production")
    await starts(stage)
    for password in (DEMO, ANOTHER):
        refused(await stage.when(sign_in(ALEX, password)), 401, "not_signed_in")
        refused(await stage.when(acceptance(stage, grant, password=password)), *WORTHLESS[password == DEMO])
        reset = ResetPassword(token=link(stage, "password-reset", asked), password=password)
        refused(await stage.when(reset), *WORTHLESS[password == DEMO])
    refused(await refreshed(stage, before.refresh_token), 401, "not_signed_in")
    await stage.when(RequestPasswordReset(email=ALEX))
    assert (await stage.passes(timedelta())).events == []


# What a link answers that is good for nothing any more; and where the demo's password is to be chosen by it.
WORTHLESS = {False: (410, "link_expired"), True: (422, "invalid")}


async def test_who_is_let_in_again_does_not_have_that_password_any_more(stage: Stage) -> None:
    who = await alex(stage)
    await removed(stage)
    admin = await account(stage, Role.ADMIN, "claire@our-firm.example")
    assert (await stage.when(ActivateUser(account_id=who.id), by=admin)).problem is None
    refused(await stage.when(sign_in(ALEX, DEMO)), 401, "not_signed_in")


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("typed", [PASSWORD, PASSWORD.replace("sav", "ｓａｖ")])
async def test_in_production_the_demos_password_opens_no_account_at_all(stage: Stage, typed: str) -> None:
    await account(stage, Role.MANAGER, "claire@our-firm.example", password_hash=HASH)
    right = await stage.when(sign_in("claire@our-firm.example", SecretStr(typed)))
    wrong = await stage.when(sign_in("claire@our-firm.example", ANOTHER))
    assert right.problem == wrong.problem
    refused(right, 401, "not_signed_in")
    results = await stage.database.pool.fetch("SELECT result FROM login_attempt")
    assert [row["result"] for row in results] == ["wrong_password"] * 2


async def registered(stage: Stage) -> Outcome:
    """Or whoever signs up as Léa with it would keep auth from starting again."""
    return await stage.when(RegisterClient(email=EMAIL, password=DEMO, name="Léa Bernard"))


async def accepted(stage: Stage) -> Outcome:
    invited = await stage.when(InviteUser(email=ALEX, name="Alex Dubois", role=Role.ADMIN), by=SYSTEM)
    return await stage.when(acceptance(stage, invited.only(UserInvited).grant_id, password=DEMO))


async def changed(stage: Stage) -> Outcome:
    await account(stage)
    me = await signed_in(stage)
    return await stage.when(
        ChangePassword(current_password=SecretStr("correct horse battery"), password=DEMO), by=me.actor
    )


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("choosing", [registered, accepted, changed])
async def test_in_production_nobody_chooses_the_demos_password(stage: Stage, choosing: Any) -> None:
    assert wrong_fields(await choosing(stage)) == ["password"]
    await starts(stage)
