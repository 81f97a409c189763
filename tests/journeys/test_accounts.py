"""Signing up, signing in, being invited: also twice, at once, wrongly, and before the news has spread."""

import asyncio

import asyncpg
import pytest
from eventually import eventually
from faults import BROKEN, SLOW, held_back, on_insert
from stories import PLACE, done, ids, opened, refused, wrong_fields
from system import PASSWORD, Person, System, in_a_hurry
from uuid_utils.compat import uuid7

from sav_chassis.identity import Links
from sav_contracts.actor import Role
from sav_contracts.auth.account import StaffRole

OPENING = {"article": "WC", "problem_type": "leak", "description": "fuite", "place": PLACE}


def somebody(**changes: str) -> dict[str, str]:
    return {"email": f"{uuid7()}@example.com", "password": PASSWORD, "name": "Léa Bernard"} | changes


async def accounts(system: System, email: str) -> list[asyncpg.Record]:
    return await system.sql("auth", "SELECT id FROM account WHERE email = $1", email)


async def test_signing_up_twice_gets_the_same_answer_and_one_account(system: System) -> None:
    visitor, lea = system.visitor(), somebody()
    first = await visitor.post("/auth/register", lea)
    second = await visitor.post(
        "/auth/register",
        lea | {"email": lea["email"].upper(), "password": "another password", "name": "Mallory"},
    )
    assert (first.status_code, first.text) == (second.status_code, second.text) == (202, '{"accepted":true}')
    assert len(await accounts(system, lea["email"])) == 1
    me = await system.sign_in(lea["email"])
    assert done(await me.get("/me"))["name"] == "Léa Bernard"
    stolen = await visitor.post("/auth/login", {"email": lea["email"], "password": "another password"})
    refused(stolen, 401, "not_signed_in")


async def test_signing_up_several_times_at_once_makes_one_account(system: System) -> None:
    visitor, lea = system.visitor(), somebody()
    async with on_insert(system, "auth", "account", SLOW):
        answers = await asyncio.gather(*(visitor.post("/auth/register", lea) for _ in range(3)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"accepted":true}')}
    assert len(await accounts(system, lea["email"])) == 1
    me = await system.sign_in(lea["email"])
    assert await eventually(lambda: ids(me, "/clients")) == [me.id]


async def test_an_address_signs_in_however_it_is_written(system: System) -> None:
    lea = await system.client()
    again = await system.sign_in(lea.email.upper())
    assert again.id == lea.id


async def test_wrong_and_unknown_are_told_the_same_and_told_about_once(system: System) -> None:
    lea, visitor = await system.client(), system.visitor()
    at_home = {"extensions": {"address": "192.0.2.7"}}
    right = {"email": lea.email, "password": PASSWORD}
    done(await visitor.ask("POST", "/auth/login", json=right, **at_home))
    wrong = right | {"password": "not her password"}
    answers = [await visitor.post("/auth/login", wrong) for _ in range(5)]
    answers.append(await visitor.post("/auth/login", wrong | {"email": f"{uuid7()}@example.com"}))
    assert {answer.text for answer in answers} == {answers[0].text}
    refused(answers[0], 401, "not_signed_in")
    waiting = await visitor.post("/auth/login", right)
    refused(waiting, 429, "too_many_attempts")
    assert int(waiting.headers["retry-after"]) > 0
    told = await system.sql(
        "auth",
        "SELECT FROM event_log WHERE subject = $1 AND type LIKE '%SignInFailedRepeatedly%'",
        lea.id,
    )
    assert len(told) == 1
    assert done(await visitor.ask("POST", "/auth/login", json=right, **at_home))["user_id"] == lea.id


async def test_a_client_who_just_signed_up_opens_a_reclamation(system: System) -> None:
    for _ in range(3):
        lea = await system.client()
        claim = await opened(lea)
        assert claim["client_id"] == lea.id
        assert await ids(lea, "/reclamations") == [claim["id"]]


async def test_who_is_not_known_to_claims_yet_waits_for_the_news(system: System) -> None:
    visitor, new = system.visitor(), somebody()
    async with held_back(system, "claims", "client"):
        done(await visitor.post("/auth/register", new), 202)
        lea = await system.sign_in(new["email"])
        opening = asyncio.create_task(lea.post("/reclamations", OPENING))
        await asyncio.sleep(0.3)
        assert await ids(lea, "/clients") == []
        assert not opening.done()
    assert done(await opening, 201)["client_id"] == lea.id


async def test_who_stays_unknown_is_told_to_come_back(system: System) -> None:
    """The account's event is parked in claims, as behind a fault there."""
    visitor, new = system.visitor(), somebody()
    async with on_insert(system, "claims", "client", BROKEN):
        done(await visitor.post("/auth/register", new), 202)
        lea = await system.sign_in(new["email"])
        async with in_a_hurry(system, lea) as hurried:
            answer = await hurried.post("/reclamations", OPENING)
        refused(answer, 503, "not_yet_known")
        assert int(answer.headers["retry-after"]) > 0

    async def works() -> bool:
        return (await lea.post("/reclamations", OPENING)).status_code == 201

    await eventually(works, 10)


@pytest.mark.parametrize("role", [Role.TECHNICIAN, Role.MANAGER, Role.ADMIN])
async def test_an_invitation_works_once(system: System, role: StaffRole) -> None:
    email, link = await system.invited(role)
    visitor = system.visitor()
    refused(await visitor.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "not_signed_in")
    done(await visitor.post("/auth/invitations/accept", {"token": link, "password": PASSWORD}))
    again = await visitor.post("/auth/invitations/accept", {"token": link, "password": "another password"})
    refused(again, 410, "link_expired")
    who = await system.sign_in(email)
    assert done(await who.get("/me"))["role"] == role


async def test_an_invitation_used_at_once_by_two_lets_one_in(system: System) -> None:
    email, link = await system.invited(Role.TECHNICIAN)
    visitor, passwords = system.visitor(), ["the first password", "the second password"]
    answers = await asyncio.gather(
        *(
            visitor.post("/auth/invitations/accept", {"token": link, "password": password})
            for password in passwords
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 410]
    signed_in = [
        (await visitor.post("/auth/login", {"email": email, "password": password})).status_code
        for password in passwords
    ]
    assert sorted(signed_in) == [200, 401]
    assert [a.status_code for a in answers] == [{200: 200, 401: 410}[status] for status in signed_in]


async def test_an_invitation_that_ran_out_is_gone(system: System) -> None:
    email, link = await system.invited(Role.TECHNICIAN)
    await system.sql(
        "auth",
        """UPDATE "grant" SET expires_at = now() WHERE account_id = (SELECT id FROM account WHERE email = $1)""",
        email,
    )
    accepting = {"token": link, "password": PASSWORD}
    refused(await system.visitor().post("/auth/invitations/accept", accepting), 410, "link_expired")


async def test_a_link_that_was_not_signed_for_this_opens_nothing(system: System) -> None:
    email, link = await system.invited(Role.TECHNICIAN)
    [grant] = await system.sql(
        "auth",
        'SELECT g.id FROM "grant" g JOIN account a ON a.id = g.account_id WHERE a.email = $1',
        email,
    )
    secret = system.settings.link_secret
    assert Links(secret).token("invitation", grant["id"]) == link
    for forged in (
        Links("guessed").token("invitation", grant["id"]),
        Links(secret).token("password-reset", grant["id"]),
        Links(secret).token("invitation", uuid7()),
        link[:-2],
        link + "AAAA",
        str(grant["id"]),
        "é",
        "x" * 1000,
    ):
        accepting = {"token": forged, "password": PASSWORD}
        refused(await system.visitor().post("/auth/invitations/accept", accepting), 410, "link_expired")
    too_long = {"token": "x" * 1001, "password": "short"}
    answer = await system.visitor().post("/auth/invitations/accept", too_long)
    assert wrong_fields(answer) == {"token", "password"}


async def test_an_admin_invites_over_http_and_no_secret_is_answered(system: System) -> None:
    alex = await system.admin()
    invited = done(
        await alex.post("/users", {"email": f"{uuid7()}@example.com", "name": "Omar", "role": "manager"}), 201
    )
    assert (invited["status"], invited["role"]) == ("invited", "manager")
    assert not {"password", "password_hash", "token", "grant_id"} & invited.keys()


async def test_a_technician_can_be_assigned_once_they_can_sign_in(system: System, marie: Person) -> None:
    alex = await system.admin()
    invited = done(
        await alex.post("/users", {"email": f"{uuid7()}@example.com", "name": "Omar", "role": "technician"}),
        201,
    )
    omar = await system.technician("Omar Saïd")

    async def card() -> bool:
        return (await marie.get(f"/technicians/{omar.id}")).status_code == 200

    await eventually(card)
    assert done(await marie.get(f"/technicians/{omar.id}"))["name"] == "Omar Saïd"
    assert (await marie.get(f"/technicians/{invited['id']}")).status_code == 404
