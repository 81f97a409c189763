"""Accounts as people live with them, through the edge: links by mail, sessions, second factors, being kept out."""

import asyncio
import time
from base64 import b32decode
from collections.abc import Iterator
from dataclasses import replace

import pytest
from eventually import eventually
from sessions import is_out, letter, mailed
from stories import PLACE, Json, done, ids, items, refused, wrong_fields
from system import PASSWORD, Person, System
from uuid_utils.compat import uuid7

from sav_auth import totp

ANOTHER = "staple of the battery"


async def refresh(system: System, who: Person) -> Person:
    told = done(await system.visitor().post("/auth/refresh", {"refresh_token": who.refresh_token}))
    return replace(who, role=told["role"], token=told["access_token"], refresh_token=told["refresh_token"])


async def cannot_refresh(who: Person) -> None:
    visitor = replace(who, token="")
    refused(await visitor.post("/auth/refresh", {"refresh_token": who.refresh_token}), 401, "not_signed_in")


def code_of(told: Json, later: int = 0) -> str:
    return totp.code(b32decode(told["secret"]), int(time.time()) // totp.STEP_SECONDS + later)


async def test_who_signs_up_confirms_the_address_by_the_mailed_code(system: System) -> None:
    lea = await system.client()
    assert not done(await lea.get("/me"))["email_verified"]
    code = await mailed(system, lea.email, "Bienvenue")
    done(await system.visitor().post("/auth/verify-email", {"token": code}))
    assert done(await lea.get("/me"))["email_verified"]
    refused(
        await system.visitor().post("/auth/verify-email", {"token": code[:-2] + "xx"}), 410, "link_expired"
    )


async def test_a_client_who_phoned_is_made_by_a_manager_and_comes_in_by_the_mailed_code(
    system: System, marie: Person
) -> None:
    email = f"{uuid7()}@example.com"
    home = {"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon"}
    known = {"email": email, "name": "Zoé Petit", "phones": ["+33 6 12 34 56 78"], "addresses": [home]}
    answer = await marie.post("/clients", known)
    made = done(answer, 201)
    # There at once; the profile of the same id follows by event.
    assert answer.headers["location"] == f"/api/users/{made['id']}"
    refused(await marie.post("/clients", known), 409, "email_taken")

    # The profile is claims' own: it is there within milliseconds, and who opens a réclamation waits for it.
    fault = {
        "article": "Chaudière",
        "problem_type": "no_heating",
        "description": "plus de chauffage",
        "place": PLACE,
    }
    done(await marie.post("/reclamations", fault | {"client_id": made["id"]}), 201)
    profile = done(await marie.get(f"/clients/{made['id']}"))
    assert (profile["email"], profile["phones"]) == (email, ["+33612345678"])
    assert profile["addresses"] == [home | {"country": "FR"}]

    code = await mailed(system, email, "Votre compte")
    done(await system.visitor().post("/auth/invitations/accept", {"token": code, "password": PASSWORD}))
    zoe = await system.sign_in(email)
    assert (zoe.id, zoe.role) == (made["id"], "client")
    done(await zoe.post("/reclamations", fault), 201)
    assert len(await items(zoe, "/reclamations")) == 2


async def test_a_client_without_an_address_is_served_by_phone(system: System, marie: Person) -> None:
    made = done(await marie.post("/clients", {"name": "Zoé Petit", "phones": ["+33 6 12 34 56 78"]}), 201)
    fault = {
        "article": "Chaudière",
        "problem_type": "no_heating",
        "description": "plus de chauffage",
        "place": PLACE,
    }
    claim = done(await marie.post("/reclamations", fault | {"client_id": made["id"]}), 201)

    async def not_written_to() -> list[Json]:
        return await items(marie, "/notifications", about_id=claim["id"], user_id=made["id"])

    [message] = await eventually(not_written_to)
    assert (message["status"], message["reason"]) == ("suppressed", "no address is known")
    wrong = await marie.post("/clients", {"name": "Zoé Petit", "phones": ["12 34 56 78"]})
    assert wrong_fields(wrong) == {"phones.0"}


async def test_another_address_counts_once_its_mailed_code_was_sent(system: System, marie: Person) -> None:
    lea, email = await system.client(), f"{uuid7()}@example.com"
    asked = {"email": email, "current_password": PASSWORD}
    assert done(await lea.ask("PATCH", "/me", json=asked))["email"] == lea.email
    await letter(system, lea.email, "changement d’adresse")
    code = await mailed(system, email, "Confirmez votre nouvelle adresse")
    done(await system.visitor().post("/auth/verify-email", {"token": code}))
    await letter(system, lea.email, "L’adresse de votre compte a changé")

    me = done(await lea.get("/me"))
    assert (me["email"], me["email_verified"]) == (email, True)
    assert (await system.sign_in(email)).id == lea.id
    login = {"email": lea.email, "password": PASSWORD}
    refused(await system.visitor().post("/auth/login", login), 401, "not_signed_in")

    async def written_to_there() -> bool:
        return bool(done(await marie.get(f"/clients/{lea.id}"))["email"] == email)

    await eventually(written_to_there)


async def test_two_tabs_refresh_at_once_and_a_stolen_token_ends_the_session(system: System) -> None:
    lea = await system.client()
    one, two = await asyncio.gather(refresh(system, lea), refresh(system, lea))
    assert one.refresh_token == two.refresh_token != lea.refresh_token
    newest = await refresh(system, one)
    assert done(await newest.get("/me"))["id"] == lea.id
    await cannot_refresh(lea)
    await cannot_refresh(newest)
    await is_out(newest)


async def test_who_signs_out_is_out_and_elsewhere_still_in(system: System) -> None:
    here = await system.client()
    there = await system.sign_in(here.email)
    assert len(done(await here.get("/me/sessions"))["items"]) == 2
    done(await here.post("/auth/logout"))
    await is_out(here)
    await cannot_refresh(here)
    assert len(done(await there.get("/me/sessions"))["items"]) == 1


async def test_a_lost_phone_is_signed_out_from_the_laptop(system: System) -> None:
    laptop = await system.client()
    phone = await system.sign_in(laptop.email)
    [other] = [one for one in done(await laptop.get("/me/sessions"))["items"] if not one["current"]]
    assert other["agent"].startswith("python-httpx")
    assert other["address"].startswith("2001:db8:")
    done(await laptop.ask("DELETE", f"/me/sessions/{other['id']}"))
    await is_out(phone)
    done(await laptop.get("/me"))
    paul = await system.client()
    refused(await paul.ask("DELETE", f"/me/sessions/{other['id']}"), 404, "not_found")


async def test_of_a_user_agent_only_what_can_be_shown_is_kept(system: System) -> None:
    lea = await system.client()
    login = {"email": lea.email, "password": PASSWORD}
    agent = {"User-Agent": "Fire\tfox " + "x" * 500}
    done(await system.visitor().ask("POST", "/auth/login", json=login, headers=agent))
    newest = done(await lea.get("/me/sessions"))["items"][0]
    assert newest["agent"] == "Firefox " + "x" * 192


async def test_a_new_password_ends_the_other_sessions(system: System) -> None:
    here = await system.client()
    there = await system.sign_in(here.email)
    done(await here.post("/me/password", {"current_password": PASSWORD, "password": ANOTHER}))
    await is_out(there)
    await cannot_refresh(there)
    done(await here.get("/me"))
    assert (await system.sign_in(here.email, ANOTHER)).id == here.id


async def test_a_forgotten_password_is_chosen_anew_by_the_mailed_code(system: System) -> None:
    lea, visitor = await system.client(), system.visitor()
    known = await visitor.post("/auth/password-reset", {"email": lea.email})
    unknown = await visitor.post("/auth/password-reset", {"email": f"{uuid7()}@example.com"})
    assert (
        (known.status_code, known.text) == (unknown.status_code, unknown.text) == (202, '{"accepted":true}')
    )
    code = await mailed(system, lea.email, "nouveau mot de passe")
    done(await visitor.post("/auth/password-reset/confirm", {"token": code, "password": ANOTHER}))
    await is_out(lea)
    assert (await system.sign_in(lea.email, ANOTHER)).id == lea.id
    again = {"token": code, "password": "somebody else's password"}
    refused(await visitor.post("/auth/password-reset/confirm", again), 410, "link_expired")


async def test_a_second_factor_is_asked_for_once_it_is_confirmed(system: System) -> None:
    lea, visitor = await system.client(), system.visitor()
    told = done(await lea.post("/me/totp", {"password": PASSWORD}))
    codes = done(await lea.post("/me/totp/confirm", {"code": code_of(told)}))["codes"]
    login = {"email": lea.email, "password": PASSWORD}
    refused(await visitor.post("/auth/login", login), 401, "second_factor_required")
    done(await visitor.post("/auth/login", login | {"code": code_of(told, 1)}))
    refused(await visitor.post("/auth/login", login | {"code": code_of(told, 1)}), 401, "not_signed_in")
    done(await visitor.post("/auth/login", login | {"code": codes[0]}))
    audit = done(await lea.get(f"/users/{lea.id}/logins"))
    assert (audit["second_factor"], audit["recovery_codes_left"]) == (True, 9)
    assert [one["result"] for one in audit["items"]] == [
        *("signed_in", "wrong_code", "signed_in", "second_factor_required", "signed_in")
    ]
    done(await lea.ask("DELETE", "/me/totp", json={"code": codes[1]}))
    assert (await system.sign_in(lea.email)).id == lea.id


async def test_who_is_deactivated_is_out_at_once_and_comes_back(system: System, marie: Person) -> None:
    lea, visitor = await system.client(), system.visitor()
    out = done(await marie.post(f"/users/{lea.id}/deactivate"))
    assert out["status"] == "deactivated"
    await is_out(lea)
    await cannot_refresh(lea)
    refused(
        await visitor.post("/auth/login", {"email": lea.email, "password": PASSWORD}), 401, "not_signed_in"
    )
    done(await marie.post(f"/users/{lea.id}/activate"))
    assert (await system.sign_in(lea.email)).id == lea.id


async def test_another_role_counts_at_once(system: System) -> None:
    alex, omar = await system.admin(), await system.technician("Omar Saïd")
    assert (await omar.get("/users")).status_code == 403
    done(await alex.ask("PUT", f"/users/{omar.id}/role", json={"role": "manager"}))
    await is_out(omar)
    omar = await refresh(system, omar)
    assert omar.role == "manager"
    done(await omar.get("/users"))


async def test_a_manager_finds_clients_and_technicians_an_admin_everybody(
    system: System, marie: Person
) -> None:
    alex, lea, karim = await system.admin(), await system.client(), await system.technician()
    newest = {"sort": "-created_at", "limit": 3}
    assert set(await ids(alex, "/users", **newest)) == {alex.id, lea.id, karim.id}
    seen = await items(marie, "/users", **newest)
    assert {one["id"] for one in seen} >= {lea.id, karim.id}
    assert {one["role"] for one in seen} <= {"client", "technician"}
    assert await ids(marie, "/users", role="admin") == []
    assert await ids(marie, "/users", email=lea.email) == [lea.id]
    refused(await marie.get(f"/users/{alex.id}"), 404, "not_found")
    refused(await marie.post(f"/users/{alex.id}/deactivate"), 404, "not_found")
    refused(await marie.post(f"/users/{karim.id}/deactivate"), 404, "not_found")
    security = ("password", "factor", "recovery", "session", "attempt")
    assert not [name for name in seen[0] if any(word in name for word in security)]


@pytest.fixture
def required(system: System) -> Iterator[None]:
    system.settings.admin_second_factor = True
    yield
    system.settings.admin_second_factor = False


@pytest.mark.usefixtures("required")
async def test_an_admin_sets_up_a_second_factor_before_anything_else(system: System) -> None:
    alex = await system.admin()
    done(await alex.get("/me"))
    for row in ("/users", f"/users/{alex.id}", "/reclamations"):
        refused(await alex.get(row), 403, "second_factor_missing")
    refused(await alex.ask("PATCH", "/me", json={"locale": "en"}), 403, "second_factor_missing")
    told = done(await alex.post("/me/totp", {"password": PASSWORD}))
    done(await alex.post("/me/totp/confirm", {"code": code_of(told)}))
    refused(await alex.get("/users"), 403, "second_factor_missing")
    alex = await refresh(system, alex)
    done(await alex.get("/users"))
