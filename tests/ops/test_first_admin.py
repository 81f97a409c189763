"""The way in for the first admin, as `./sav up` tells it."""

import re
from collections.abc import AsyncIterator

import pytest
from stories import done, refused
from system import PASSWORD, System
from uuid_utils.compat import uuid7

from sav_ops.launch import first_admin


@pytest.fixture
async def without_admins(system: System) -> AsyncIterator[None]:
    """Nobody governs it, for a moment."""
    keep_out = (
        "UPDATE account SET status = 'deactivated' WHERE role = 'admin' AND status = 'active' RETURNING id"
    )
    out = [row["id"] for row in await system.sql("auth", keep_out)]
    yield
    await system.sql("auth", "UPDATE account SET status = 'active' WHERE id = ANY($1::uuid[])", out)


@pytest.mark.usefixtures("without_admins")
async def test_the_printed_code_lets_the_first_admin_in_once(system: System) -> None:
    overtaken, said = [await first_admin.way_in(system.settings) for _ in range(2)]
    assert overtaken
    assert said
    old, code = (
        re.findall(r"http://127.0.0.1:\d+/first-admin\?token=(.+)", told)[0] for told in (overtaken, said)
    )
    visitor, alex = (
        system.visitor(),
        {"email": f"{uuid7()}@example.com", "name": "Alex", "password": PASSWORD},
    )
    refused(await visitor.post("/auth/invitations/accept", alex | {"token": old}), 410, "link_expired")
    done(await visitor.post("/auth/invitations/accept", alex | {"token": code}))
    assert (await system.sign_in(alex["email"])).role == "admin"
    assert await first_admin.way_in(system.settings) is None


@pytest.mark.usefixtures("without_admins")
async def test_an_address_in_the_settings_is_invited_by_mail(system: System) -> None:
    email = f"{uuid7()}@example.com"
    told = await first_admin.way_in(system.settings.model_copy(update={"first_admin_email": email}))
    assert told
    assert email in told
    [account] = await system.sql("auth", "SELECT role, status FROM account WHERE email = $1", email)
    assert tuple(account) == ("admin", "invited")


async def test_where_there_is_an_admin_nothing_is_offered(system: System) -> None:
    await system.admin()
    assert await first_admin.way_in(system.settings) is None
