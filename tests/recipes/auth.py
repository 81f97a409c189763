"""Recipes of the rows of auth."""

import time
from base64 import b32decode

from stories import Json, done
from system import PASSWORD, Person

from recipes.recipe import Recipe, a_line, by_somebody_new, newcomer, same
from recipes.scene import Scene, Side, promised
from sav_auth import totp
from sav_contracts.actor import Role


async def invited(scene: Scene, side: Side) -> Json:
    _, token = await scene.system.invited(Role.TECHNICIAN)
    return {"token": token}


async def with_another_session(scene: Scene, role: Role) -> tuple[Person, Json]:
    who = await newcomer(scene, role)
    await scene.system.sign_in(who.email)
    sessions = done(await who.get("/me/sessions"))["items"]
    return who, next(one for one in sessions if not one["current"])


async def with_an_authenticator(scene: Scene, role: Role) -> tuple[Person, Json]:
    who = await newcomer(scene, role)
    told = done(await who.post("/me/totp", {"password": PASSWORD}))
    step = int(time.time()) // totp.STEP_SECONDS
    return who, {"code": totp.code(b32decode(told["secret"]), step)}


async def account(scene: Scene, side: Side) -> Json:
    """Of a new client."""
    client = await scene.system.client()
    return done(await scene.admin.get(f"/users/{client.id}"))


async def invitee(scene: Scene, side: Side) -> Json:
    """Of a technician who has not come yet."""
    new = {"email": f"{a_line()}@example.com", "name": "Omar", "role": "technician"}
    return done(await scene.admin.post("/users", new), 201)


async def deactivated(scene: Scene, side: Side) -> Json:
    return done(await scene.admin.post(f"/users/{(await account(scene, side))['id']}/deactivate"))


async def refreshable(scene: Scene, side: Side) -> Json:
    return {"refresh_token": (await scene.system.client()).refresh_token}


async def unconfirmed(scene: Scene, side: Side) -> Json:
    client = await scene.system.client()
    return {"token": await scene.system.link("verify-email", client)}


async def forgetful(scene: Scene, side: Side) -> Json:
    client = await scene.system.client()
    done(await scene.system.visitor().post("/auth/password-reset", {"email": client.email}), 202)
    return {"token": await scene.system.link("password-reset", client)}


RECIPES: dict[str, Recipe] = {
    "POST /auth/register": Recipe(
        body=lambda _: {"email": f"{a_line()}@example.com", "password": PASSWORD, "name": "Léa Bernard"}
    ),
    "POST /auth/login": Recipe("client", lambda client: {"email": client["email"], "password": PASSWORD}),
    "POST /auth/invitations/accept": Recipe(body=lambda link: link | {"password": PASSWORD}, fresh=invited),
    "POST /auth/refresh": Recipe(body=same, fresh=refreshable),
    "POST /auth/logout": Recipe(alone=by_somebody_new),
    "POST /auth/password-reset": Recipe(body=lambda _: {"email": f"{a_line()}@example.com"}),
    "POST /auth/password-reset/confirm": Recipe(
        body=lambda link: link | {"password": "another good one"}, fresh=forgetful
    ),
    "POST /auth/verify-email": Recipe(body=same, fresh=unconfirmed),
    "POST /auth/verify-email/resend": Recipe(body=lambda _: {"email": f"{a_line()}@example.com"}),
    "PATCH /me": Recipe(body=lambda _: {"phone": "+33 6 12 34 56 78"}),
    "POST /me/password": Recipe(
        body=lambda _: {"current_password": PASSWORD, "password": "another good one"}, alone=by_somebody_new
    ),
    "GET /me/sessions": Recipe(),
    "DELETE /me/sessions/{session_id}": Recipe("session", alone=with_another_session),
    "POST /me/totp": Recipe(body=lambda _: {"password": PASSWORD}),
    "POST /me/totp/confirm": Recipe(
        body=lambda phone: phone or {"code": "123456"}, alone=with_an_authenticator
    ),
    "DELETE /me/totp": Recipe(body=lambda _: {"password": PASSWORD}),
    "PATCH /users/{account_id}": Recipe("account", lambda _: {"phone": "+33 6 12 34 56 78"}, account),
    "POST /users/{account_id}/invite": Recipe("account", fresh=invitee),
    "DELETE /users/{account_id}/totp": Recipe("account", fresh=account),
    "PUT /users/{account_id}/role": Recipe("account", lambda _: {"role": "manager"}, invitee),
    "POST /users/{account_id}/deactivate": Recipe("account", fresh=account),
    "POST /users/{account_id}/activate": Recipe("account", fresh=deactivated),
    "GET /users/{account_id}/logins": Recipe("self"),
    "POST /users": Recipe(
        body=lambda _: {"email": f"{a_line()}@example.com", "name": "Omar", "role": "technician"}
    ),
    "PUT /policies/{name}": Recipe("policy", lambda _: {"value": promised()}),
}
