"""Profiles of clients: who changes what of them, and that name and address agree with the account."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import client
from given_views import a
from pydantic import ValidationError

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_claims.model import Client
from sav_contracts.actor import Actor
from sav_contracts.auth.account import AccountChanged, AccountView, ClientEmailRefused, UserUpdated
from sav_contracts.claims.client import ChangeClient, ClientChanged, ClientEmailGiven

HOME = {"address": "3 rue des Lilas", "postcode": "69 003", "city": "Lyon"}


def changing(who: Actor = world.lea, **fields: Any) -> ChangeClient:
    return ChangeClient.model_validate({"client_id": who.id} | fields)


def refused(outcome: Outcome) -> tuple[int, str, set[str]]:
    assert outcome.problem, outcome.reply
    assert outcome.events == []
    return (
        outcome.problem.status,
        outcome.problem.code,
        {error.field for error in outcome.problem.errors or []},
    )


def account(who: Actor, **fields: Any) -> AccountView:
    usual: dict[str, Any] = {"user_id": who.id, "role": who.role}
    return a(AccountView, who.id, **(usual | fields))


async def test_a_client_changes_their_own_contact_data(stage: Stage) -> None:
    said = changing(
        name="Léa Martin", phones=["06 12 34 56 78", "+33612345678", "00216 71 123 456"], addresses=[HOME]
    )
    outcome = await stage.when(said, by=world.lea)
    told = outcome.only(ClientChanged).state
    assert (told.name, told.phones) == ("Léa Martin", ("+33612345678", "+21671123456"))
    assert [(one.postcode, one.country) for one in told.addresses] == [("69003", "FR")]
    assert (told.name_edition, told.locale_edition) == (1, 0)
    assert "notes" not in outcome.reply


async def test_what_is_said_again_changes_nothing(stage: Stage) -> None:
    await stage.when(changing(name="Léa Martin", phones=["0612345678"]), by=world.lea)
    again = await stage.when(changing(name=" Léa  Martin", phones=["+33 6 12 34 56 78"]), by=world.marie)
    assert (again.problem, again.events) == (None, [])


@pytest.mark.parametrize("who", [world.marie, world.alex], ids=["manager", "admin"])
async def test_managers_and_admins_change_any_profile_and_write_notes(stage: Stage, who: Actor) -> None:
    told = (await stage.when(changing(notes="Rappeler le soir.", locale="en"), by=who)).only(ClientChanged)
    assert (told.state.notes, told.state.locale) == ("Rappeler le soir.", "en")
    gone = (await stage.when(changing(notes=None), by=who)).only(ClientChanged)
    assert gone.state.notes is None


async def test_technicians_and_other_clients_change_nothing(stage: Stage) -> None:
    await stage.given(client(world.paul))
    said = changing(name="Autre")
    assert refused(await stage.when(said, by=world.karim)) == (403, "not_allowed", set())
    assert refused(await stage.when(said, by=world.paul)) == (404, "not_found", set())


async def test_a_client_writes_no_notes_and_confirms_an_address_in_the_account(stage: Stage) -> None:
    said = changing(notes="x", email="l@example.com", name="Léa Martin")
    assert refused(await stage.when(said, by=world.lea)) == (422, "invalid", {"notes", "email"})


async def test_nothing_said_and_empty_fields_are_refused(stage: Stage) -> None:
    assert refused(await stage.when(changing(), by=world.lea)) == (422, "invalid", {"body"})
    said = changing(name=None, phones=None, addresses=None, locale=None)
    assert refused(await stage.when(said, by=world.marie)) == (
        422, "invalid", {"name", "phones", "addresses", "locale"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {"phones": ["06 12 34 56"]},
        {"phones": [f"06 12 34 56 7{n}" for n in range(6)]},
        {"addresses": [HOME] * 11},
        {"addresses": [HOME | {"country": "France"}]},
        {"name": " "},
        {"locale": "de"},
        {"email": "lea"},
        {"status": "x"},
    ],
)
def test_contact_data_have_their_form(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        changing(**wrong)
    changing(phones=[f"06 12 34 56 7{n}" for n in range(5)], addresses=[HOME] * 10)


@pytest.fixture
async def paul(stage: Stage) -> Actor:
    """A client without an address."""
    await stage.given(Client(id=world.paul.id, name="Paul", email="", locale="fr"))
    await stage.knows(account(world.paul, email="", name="Paul", status="invited"))
    return world.paul


async def test_an_address_that_is_given_later_goes_to_auth_in_its_canonical_form(
    stage: Stage, paul: Actor
) -> None:
    outcome = await stage.when(changing(paul, email="Paul@EXAMPLE.com", name="Paul Durand"), by=world.marie)
    _, told = outcome.events
    assert isinstance(told, ClientEmailGiven)
    assert (told.email, told.by_id, told.state.email) == (
        "paul@example.com",
        world.marie.id,
        "paul@example.com",
    )
    assert (told.state.name, told.state.name_edition) == ("Paul Durand", 1)
    again = await stage.when(changing(paul, email="paul@example.com"), by=world.marie)
    assert (again.problem, again.events) == (None, [])


async def test_a_client_with_an_address_is_given_no_other(stage: Stage) -> None:
    assert refused(await stage.when(changing(email="new@example.com"), by=world.marie))[:2] == (
        409,
        "has_address",
    )


async def test_an_address_that_anybody_has_is_taken(stage: Stage, paul: Actor) -> None:
    await stage.knows(account(world.karim, email="karim@example.com"))
    for taken in ("KARIM@example.com", f"{world.lea.id}@example.com"):
        assert refused(await stage.when(changing(paul, email=taken), by=world.alex))[:2] == (
            409,
            "address_taken",
        )


async def test_of_two_clients_who_get_the_same_address_at_once_one_is_refused(
    stage: Stage, paul: Actor
) -> None:
    nadia = Actor(id=UUID(int=3), role=paul.role)
    await stage.given(Client(id=nadia.id, name="Nadia", email="", locale="fr"))
    outcomes = await asyncio.gather(
        *(stage.when(changing(who, email="one@example.com"), by=world.marie) for who in (paul, nadia))
    )
    assert sorted(one.problem.code if one.problem else "" for one in outcomes) == ["", "address_taken"]


async def test_auth_takes_an_address_back_that_was_taken_there(stage: Stage, paul: Actor) -> None:
    await stage.when(changing(paul, email="paul@example.com"), by=world.marie)
    state = account(paul, email="", version=4)
    refusing = ClientEmailRefused(state=state, email="paul@example.com", by_id=world.marie.id)
    assert (await stage.hears(refusing)).only(ClientChanged).state.email == ""
    assert (await stage.hears(refusing)).events == []


async def test_an_account_that_got_the_given_address_moves_nothing_in_the_profile(
    stage: Stage, paul: Actor
) -> None:
    await stage.when(changing(paul, email="paul@example.com"), by=world.marie)
    given = UserUpdated(state=account(paul, email="paul@example.com", name="Paul"), previous_email="")
    assert (await stage.hears(given)).events == []


async def test_the_profile_takes_the_name_and_language_of_the_account(stage: Stage) -> None:
    newer = account(world.lea, name="Léa Martin", locale="en", name_edition=1, locale_edition=1, version=2)
    told = (await stage.hears(UserUpdated(state=newer))).only(ClientChanged).state
    assert (told.name, told.locale, told.name_edition) == ("Léa Martin", "en", 1)
    assert (await stage.hears(UserUpdated(state=newer))).events == []
    await stage.when(changing(name="Léa Petit"), by=world.marie)
    late = enveloped(AccountChanged(state=newer))
    assert (await stage.hears(late)).events == [], "news from before the change"


async def test_an_account_that_is_told_anew_brings_its_name(stage: Stage) -> None:
    """As after the upgrade: until then profiles kept the name of the sign-up."""
    told = await stage.hears(AccountChanged(state=account(world.lea, name="Léa Martin")))
    assert told.only(ClientChanged).state.name == "Léa Martin"
    assert (await stage.hears(AccountChanged(state=account(world.karim, name="Karim")))).events == []
