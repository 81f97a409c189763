"""Clients whom staff make: with an address and an invitation, or without."""

import asyncio
from typing import Any

import pytest
from given_auth import EMAIL, acceptance, account, refused, sign_in
from pydantic import ValidationError

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import (
    AddClient,
    ChangeUser,
    ClientAdded,
    InviteAgain,
    UserInvited,
    UserUpdated,
)

PHONES = ["+33612345678", "+33472000000"]
HOME = {"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon"}


def lea(**fields: Any) -> AddClient:
    return AddClient.model_validate({"email": EMAIL, "name": "Léa Bernard"} | fields)


@pytest.fixture
async def marie(stage: Stage) -> Actor:
    return await account(stage, Role.MANAGER, "marie@example.com")


@pytest.fixture
async def alex(stage: Stage) -> Actor:
    return await account(stage, Role.ADMIN, "alex@example.com")


def invited(outcome: Outcome) -> UserInvited:
    return next(event for event in outcome.events if isinstance(event, UserInvited))


async def test_a_client_whom_a_manager_makes_is_invited_and_the_contact_data_are_told(
    stage: Stage, marie: Actor
) -> None:
    outcome = await stage.when(lea(phones=PHONES, addresses=[HOME], locale="en"), by=marie)
    added, _ = outcome.events
    assert isinstance(added, ClientAdded)
    assert added.phones == tuple(PHONES)
    assert [(one.city, one.country) for one in added.addresses] == [("Lyon", "FR")]
    told = outcome.reply
    assert (told["role"], told["status"], told["email"], told["locale"]) == ("client", "invited", EMAIL, "en")
    assert told["phone"] == PHONES[0]

    assert (await stage.when(acceptance(stage, invited(outcome).grant_id))).problem is None
    assert (await stage.when(sign_in())).reply["user_id"] == told["id"]


async def test_an_address_that_somebody_has_is_taken_however_it_is_written(
    stage: Stage, marie: Actor
) -> None:
    await account(stage)
    refused(await stage.when(lea(email=EMAIL.upper()), by=marie), 409, "email_taken")
    await stage.when(lea(email="zoe@example.com"), by=marie)
    refused(await stage.when(lea(email="zoe@example.com"), by=marie), 409, "email_taken")


async def test_of_two_managers_who_make_the_same_client_one_is_refused(stage: Stage, marie: Actor) -> None:
    outcomes = await asyncio.gather(*(stage.when(lea(), by=marie) for _ in range(2)))
    assert sorted(one.problem.code if one.problem else "" for one in outcomes) == ["", "email_taken"]


async def test_the_same_request_sent_again_makes_no_second_client(stage: Stage, marie: Actor) -> None:
    first = await stage.when(lea(email=None), by=marie, key="once")
    again = await stage.when(lea(email=None), by=marie, key="once")
    assert (again.reply["id"], again.events) == (first.reply["id"], [])


async def test_clients_without_an_address_are_many_and_nobody_signs_in_as_one(
    stage: Stage, marie: Actor, alex: Actor
) -> None:
    paul = await stage.when(lea(email=None, name="Paul"), by=marie)
    assert paul.only(ClientAdded).state.email == ""
    assert (await stage.when(lea(email=None, name="Zoé"), by=marie)).problem is None
    refused(await stage.when(InviteAgain(account_id=paul.reply["id"]), by=alex), 409, "conflict")
    with pytest.raises(ValidationError):
        sign_in("")


async def test_who_gets_an_address_later_is_invited_there(stage: Stage, marie: Actor, alex: Actor) -> None:
    id = (await stage.when(lea(email=None), by=marie)).reply["id"]
    given = await stage.when(ChangeUser(account_id=id, email=EMAIL), by=alex)
    assert [type(event) for event in given.events] == [UserUpdated, UserInvited]
    assert (await stage.when(acceptance(stage, invited(given).grant_id))).problem is None
    assert (await stage.when(sign_in())).reply["user_id"] == id


@pytest.mark.parametrize(
    "wrong",
    [
        {"phones": ["+999999999"]},
        {"phones": PHONES * 3},
        {"addresses": [HOME | {"country": "France"}]},
        {"addresses": [{"city": "Lyon"}]},
        {"addresses": [HOME] * 11},
        {"email": "lea"},
        {"email": ""},
        {"name": " "},
        {"role": "admin"},
    ],
)
def test_contact_data_have_their_form(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        lea(**wrong)


@pytest.mark.parametrize("role", [Role.CLIENT, Role.TECHNICIAN])
async def test_only_managers_and_admins_make_clients(stage: Stage, role: Role) -> None:
    refused(await stage.when(lea(), by=await account(stage, role, "x@example.com")), 403, "not_allowed")
