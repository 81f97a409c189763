"""An admin governs accounts, roles and policies, from the one-time code on."""

from dataclasses import replace
from typing import Any

import httpx
from eventually import eventually
from sessions import is_out, mailed
from stories import Json, done, ids, items, refused
from system import PASSWORD, Person, System, door
from uuid_utils.compat import uuid7

ORIGIN = "https://app.example.com"


def address(name: str) -> str:
    return f"{name}.{uuid7()}@example.com"


async def comes_in(system: System, email: str) -> Person:
    """The invited person chooses a password by the code of the mail, and signs in."""
    code = await mailed(system, email, "Votre invitation")
    done(await system.visitor().post("/auth/invitations/accept", {"token": code, "password": PASSWORD}))
    return await system.sign_in(email)


async def log_of(admin: Person, who: Person, **wanted: Any) -> list[Json]:
    """What this person asked for, once the audit has it."""
    return await eventually(lambda: items(admin, "/audit", user_id=who.id, **wanted))


async def test_an_admin_governs_who_may_do_what(system: System) -> None:
    alex = await system.admin()

    # People: invited, working, changed, given another role, put out and let in again.
    emails = {role: address(role) for role in ("technician", "manager")}
    for role, email in emails.items():
        invited = {"email": email, "name": f"Sam {role.title()}", "role": role}
        assert done(await alex.post("/users", invited), 201)["status"] == "invited"
    karim = await comes_in(system, emails["technician"])
    marie = await comes_in(system, emails["manager"])
    assert await eventually(lambda: ids(marie, "/technicians")), "the technician's card follows"

    told = done(await alex.ask("PATCH", f"/users/{karim.id}", json={"phone": "+33 6 12 34 56 78"}))
    assert told["phone"] == "+33612345678"
    assert karim.id in await ids(marie, "/users", role="technician")
    assert alex.id not in await ids(marie, "/users")

    refused(await marie.ask("PUT", f"/users/{karim.id}/role", json={"role": "manager"}), 403, "not_allowed")
    done(await alex.ask("PUT", f"/users/{karim.id}/role", json={"role": "manager"}))
    await is_out(karim)
    karim = await system.sign_in(karim.email)
    assert karim.role == "manager"
    assert done(await karim.get("/reclamations"))["items"] is not None
    done(await alex.post(f"/users/{karim.id}/deactivate"))
    await is_out(karim)
    barred = {"email": karim.email, "password": PASSWORD}
    refused(await system.visitor().post("/auth/login", barred), 401, "not_signed_in")
    done(await alex.post(f"/users/{karim.id}/activate"))
    karim = await system.sign_in(karim.email)

    # What happened to the account, and who tried to sign in to it.
    signed_in = done(await alex.get(f"/users/{karim.id}/logins"))["items"]
    assert [one["result"] for one in signed_in][:2] == ["signed_in", "not_active"]
    refused(await marie.get(f"/users/{karim.id}/logins"), 404, "not_found")

    # Who asked for what.
    [first, *_] = await log_of(alex, marie, route="PUT /users/{account_id}/role")
    assert (first["status"], first["role"]) == (403, "manager")


async def test_an_admin_sets_limits_and_origins_while_everything_runs(system: System) -> None:
    alex = await system.admin()
    async with door(system.settings.model_copy(update={"rate_limits_scale": 1.0})) as http:
        await sets_limits_and_origins(replace(alex, http=http), replace(await system.client(), http=http))


async def sets_limits_and_origins(alex: Person, lea: Person) -> None:
    before = done(await alex.get("/policies"))["items"]
    values = {policy["name"]: policy["value"] for policy in before}
    try:
        limits = {"client": {"reads": 3, "writes": 60, "uploads": 20}}
        done(await alex.ask("PUT", "/policies/rate_limits", json={"value": limits}))
        refused(await eventually(lambda: too_many(lea)), 429, "too_many_requests")
        assert (await alex.get("/me")).status_code == 200, "nobody else is limited"

        assert await preflight(lea) is None
        done(await alex.ask("PUT", "/policies/cors", json={"value": {"origins": [ORIGIN]}}))
        assert await eventually(lambda: preflight(lea)) == ORIGIN
        refused(
            await alex.ask("PUT", "/policies/cors", json={"value": {"origins": ["nonsense"]}}), 422, "invalid"
        )
        refused(await lea.ask("PUT", "/policies/cors", json={"value": {}}), 403, "not_allowed")
    finally:
        for name in ("rate_limits", "cors"):
            done(await alex.ask("PUT", f"/policies/{name}", json={"value": values.get(name, {})}))
    changed = {policy["name"]: policy["changed_by"] for policy in done(await alex.get("/policies"))["items"]}
    assert changed["cors"] == changed["rate_limits"] == alex.id


async def too_many(who: Person) -> httpx.Response | None:
    answer = await who.get("/me")
    return answer if answer.status_code == 429 else None


async def preflight(who: Person) -> str | None:
    """The origin that may ask."""
    asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    answer = await who.http.request("OPTIONS", "/api/me", headers=asks)
    origin: str | None = answer.headers.get("access-control-allow-origin")
    return origin
