"""What the profiles of clients say to their accounts: a newer name, and an address that was given later."""

from typing import Any

import pytest
from given_auth import EMAIL, acceptance, account, refused, sign_in
from given_views import a

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import (
    AddClient,
    ChangeProfile,
    ChangeUser,
    ClientEmailRefused,
    UserInvited,
    UserUpdated,
)
from sav_contracts.claims.client import ClientChanged, ClientEmailGiven, ClientView


def profile(who: Actor, **fields: Any) -> ClientView:
    usual: dict[str, Any] = {"client_id": who.id, "name": "Léa Bernard"}
    return a(ClientView, who.id, **(usual | fields))


def given_address(who: Actor, by: Actor, email: str = EMAIL) -> ClientEmailGiven:
    return ClientEmailGiven(state=profile(who, email=email), email=email, by_id=by.id)


@pytest.fixture
async def marie(stage: Stage) -> Actor:
    return await account(stage, Role.MANAGER, "marie@example.com")


@pytest.fixture
async def paul(stage: Stage, marie: Actor) -> Actor:
    """A client without an address."""
    made = await stage.when(AddClient(name="Paul"), by=marie)
    return Actor(id=made.reply["id"], role=Role.CLIENT)


def kinds(outcome: Outcome) -> list[type]:
    return [type(event) for event in outcome.events]


async def test_a_change_of_the_name_is_counted_and_the_profile_hears_of_it(
    stage: Stage, marie: Actor
) -> None:
    lea, alex = await account(stage), await account(stage, Role.ADMIN, "alex@example.com")
    told = (await stage.when(ChangeProfile(name="Léa Martin"), by=lea)).only(UserUpdated).state
    assert (told.name, told.name_edition, told.locale_edition) == ("Léa Martin", 1, 0)
    told = (await stage.when(ChangeUser(account_id=lea.id, locale="en"), by=alex)).only(UserUpdated).state
    assert (told.name_edition, told.locale_edition) == (1, 1)


async def test_an_account_follows_a_newer_profile_only(stage: Stage) -> None:
    lea = await account(stage)
    newer = profile(lea, name="Léa Martin", name_edition=1, locale="en", locale_edition=1)
    told = (await stage.hears(ClientChanged(state=newer))).only(UserUpdated)
    assert (told.state.name, told.state.locale, told.previous_email) == ("Léa Martin", "en", None)
    assert (await stage.hears(ClientChanged(state=newer))).events == []

    await stage.when(ChangeProfile(name="Léa Petit"), by=lea)
    assert (await stage.hears(ClientChanged(state=newer))).events == []
    at_once = profile(lea, name="Léa Grand", name_edition=2, locale_edition=1, locale="en")
    assert (await stage.hears(ClientChanged(state=at_once))).events == [], "the profile yields"


async def test_a_client_who_gets_an_address_later_is_invited_and_signs_in(
    stage: Stage, marie: Actor, paul: Actor
) -> None:
    outcome = await stage.hears(given_address(paul, marie))
    assert kinds(outcome) == [UserUpdated, UserInvited]
    invited = outcome.events[1]
    assert isinstance(invited, UserInvited)
    assert invited.state.email == EMAIL
    assert (await stage.when(acceptance(stage, invited.grant_id))).problem is None
    assert (await stage.when(sign_in())).reply["user_id"] == str(paul.id)
    assert (await stage.hears(given_address(paul, marie))).events == [], "told again"


async def test_an_address_that_was_taken_meanwhile_is_refused_to_whoever_gave_it(
    stage: Stage, marie: Actor, paul: Actor
) -> None:
    await account(stage)
    refusing = (await stage.hears(given_address(paul, marie))).only(ClientEmailRefused)
    assert (refusing.email, refusing.by_id, refusing.state.email) == (EMAIL, marie.id, "")


async def test_the_address_that_an_admin_gave_first_stays(stage: Stage, marie: Actor, paul: Actor) -> None:
    alex = await account(stage, Role.ADMIN, "alex@example.com")
    await stage.when(ChangeUser(account_id=paul.id, email="paul@example.com"), by=alex)
    refusing = (await stage.hears(given_address(paul, marie))).only(ClientEmailRefused)
    assert refusing.state.email == "paul@example.com"


async def test_a_deactivated_client_gets_the_address_and_no_invitation(stage: Stage, marie: Actor) -> None:
    gone = await account(stage, email="", status="deactivated", password_hash=None)
    assert kinds(await stage.hears(given_address(gone, marie))) == [UserUpdated]
    refused(await stage.when(sign_in()), 401, "not_signed_in")
