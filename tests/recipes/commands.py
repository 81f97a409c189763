"""What is sent with each command and query, and to which record."""

import time
from base64 import b32decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stories
from eventually import eventually
from papers import PDF
from pictures import picture
from stories import Json, done
from system import PASSWORD, Person
from uuid_utils.compat import uuid7

from recipes.scene import IMAGE, Scene, Side, promised
from sav_auth import totp
from sav_contracts.actor import Role
from sav_ops.demo.journey import BOILER, PLACE

Fresh = Callable[[Scene, Side], Awaitable[Json]]
# Whoever asks is used up by it: somebody new in that role, and the record.
Alone = Callable[[Scene, Role], Awaitable[tuple[Person, Json]]]
PROOF = ("facture.pdf", PDF, "application/pdf")
# An import that changes nothing: it says of no article anything but its reference.
TABLE = ("tarif.csv", b"reference\r\n", "text/csv")


def nothing(record: Json) -> Json:
    return {}


def same(record: Json) -> Json:
    return record


@dataclass(frozen=True)
class Recipe:
    """The kind of record that is asked for, how one is made where asking changes it, and what is sent."""

    kind: str = ""
    body: Callable[[Json], Json] = nothing
    fresh: Fresh | None = None
    files: dict[str, Any] | None = None
    alone: Alone | None = None


def a_line() -> str:
    """That nobody else has."""
    return str(uuid7())


async def invited(scene: Scene, side: Side) -> Json:
    _, token = await scene.system.invited(Role.TECHNICIAN)
    return {"token": token}


async def newcomer(scene: Scene, role: Role) -> Person:
    """Somebody in this role whom nobody else needs."""
    system = scene.system
    makes = {
        Role.CLIENT: system.client,
        Role.TECHNICIAN: system.technician,
        Role.MANAGER: system.manager,
        Role.ADMIN: system.admin,
    }
    return await makes[role]()


async def by_somebody_new(scene: Scene, role: Role) -> tuple[Person, Json]:
    return await newcomer(scene, role), {}


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


CONTRACT = {"kind": "contract", "start": "2026-01-01", "end": "2026-12-31", "reason": "contrat signé"}


async def article(scene: Scene, side: Side) -> Json:
    return done(await scene.manager.post("/articles", BOILER | {"reference": a_line()}), 201)


async def importing(scene: Scene, side: Side) -> Json:
    """An import that is not over: of more lines than are read before somebody can stop it."""
    lines = "\r\n".join(f"{a_line()};X" for _ in range(20_000))
    many = ("tarif.csv", f"reference;name\r\n{lines}".encode())
    return done(await scene.manager.ask("POST", "/articles/import", files={"file": many}), 202)


async def product(scene: Scene, side: Side) -> Json:
    """Without a proof."""
    return done(await side.client.post("/products", registration(side.seen["product"])), 201)


async def proven(scene: Scene, side: Side) -> Json:
    """With a proof that nobody has looked at."""
    path = f"/products/{(await product(scene, side))['id']}/proof"
    return done(await side.client.ask("PUT", path, files={"proof": PROOF}))


async def contracted(scene: Scene, side: Side) -> Json:
    """With a contract, whose id it names beside its own."""
    unit = (await product(scene, side))["id"]
    made = done(await scene.manager.post(f"/products/{unit}/covers", CONTRACT), 201)
    return made | {"product_id": unit, "cover_id": made["covers"][-1]["id"]}


async def opened(scene: Scene, side: Side) -> Json:
    return await stories.opened(side.client)


async def qualified(scene: Scene, side: Side) -> Json:
    """Without a technician; this side's could take it."""
    claim = await stories.qualified(side.client, scene.manager)
    return claim | {"technician_id": side.technician.id}


async def needing(scene: Scene, side: Side) -> Json:
    """Given to this side's technician, with an article that it needs."""
    claim, _ = await stories.assigned(side.client, scene.manager, side.technician)
    return claim | {"article_id": side.seen["article"]["id"]}


async def listed(scene: Scene, side: Side) -> Json:
    """With a parts list that waits for a manager."""
    claim = await needing(scene, side)
    path = f"/reclamations/{claim['id']}/parts"
    return done(await side.technician.ask("PUT", path, json=parts(claim)))


def parts(claim: Json) -> Json:
    return {"parts": [{"article_id": claim.get("article_id", claim["id"]), "quantity": 1}]}


async def resolved(scene: Scene, side: Side) -> Json:
    visit = await stories.closed(side.client, scene.manager, side.technician)
    one = {"client_id": side.client.id, "reference": visit["reclamation_reference"], "status": "resolved"}
    [claim] = await eventually(lambda: stories.items(scene.manager, "/reclamations", **one))
    return dict(claim)


async def planned(scene: Scene, side: Side) -> Json:
    _, visit = await stories.assigned(side.client, scene.manager, side.technician)
    return visit


def told(story: Callable[[Person, Person, Person], Awaitable[Json]]) -> Fresh:
    """What the story makes."""

    async def fresh(scene: Scene, side: Side) -> Json:
        return await story(side.client, scene.manager, side.technician)

    return fresh


async def free(scene: Scene, side: Side) -> Json:
    """A time at which the side's technician could come."""
    claim = await qualified(scene, side)
    wanted = {"reclamation_id": claim["id"], "technician_id": side.technician.id}
    slots = done(await scene.manager.get("/slots", **wanted))["items"]
    return wanted | {"start": slots[-1]["start"]}


async def held(scene: Scene, side: Side) -> Json:
    return done(await side.client.post("/appointments/hold", await free(scene, side)), 201)


def registration(product: Json) -> Json:
    """Another one of this client's."""
    return {
        "client_id": product["client_id"],
        "article_id": product["article_id"],
        "serial": a_line(),
        "place": PLACE,
        "purchase_date": "2024-03-02",
    }


def counted_now(article: Json) -> Json:
    """As many as nobody has reserved; no two counts are of the same moment."""
    return {
        "counted_at": datetime.now(UTC).isoformat(),
        "counts": [{"article_id": article["id"], "counted": 100}],
    }


RECIPES: dict[str, Recipe] = {
    # auth
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
    # catalog
    "POST /articles": Recipe(body=lambda _: BOILER | {"reference": a_line()}),
    "PATCH /articles/{article_id}": Recipe("article", lambda _: {"description": "chauffage seul"}),
    "DELETE /articles/{article_id}": Recipe("article", fresh=article),
    "PUT /articles/{article_id}/image": Recipe("article", files={"image": IMAGE}),
    "POST /articles/{article_id}/stock-movements": Recipe(
        "article", lambda _: {"movement": "receive", "quantity": 1}
    ),
    "GET /articles/{article_id}/stock-movements": Recipe("article"),
    "GET /stock/report": Recipe(),
    "GET /stock/count-sheet": Recipe(),
    "POST /stock/stocktakes": Recipe("article", counted_now),
    "GET /stock/stocktakes/{stocktake_id}/counts": Recipe("stocktake"),
    "POST /articles/import": Recipe(files={"file": TABLE}),
    "POST /articles/imports/{article_import_id}/cancel": Recipe("article_import", fresh=importing),
    "POST /products": Recipe("product", registration),
    "PATCH /products/{product_id}": Recipe("product", lambda _: {"place": PLACE}),
    "PUT /products/{product_id}/proof": Recipe("product", files={"proof": PROOF}, fresh=product),
    "POST /products/{product_id}/verify": Recipe(
        "product", lambda product: {"accepted": True, "proof": product["proof"]["sha256"]}, proven
    ),
    "POST /products/{product_id}/covers": Recipe("product", lambda _: CONTRACT),
    "POST /products/{product_id}/covers/{cover_id}/void": Recipe(
        "product", lambda _: {"reason": "résilié"}, contracted
    ),
    "POST /products/{product_id}/replace": Recipe(
        "product",
        lambda product: {
            "serial": a_line(),
            "delivery_date": product["delivery_date"],
            "imposed": True,
            "reason": "corps de chauffe percé",
        },
        product,
    ),
    "GET /products/{product_id}/warranty": Recipe("product", lambda _: {"on": "2026-03-02"}),
    # claims
    "POST /clients": Recipe(
        body=lambda _: {
            "email": f"{a_line()}@example.com",
            "name": "Zoé Petit",
            "phones": ["+33 6 12 34 56 78"],
            "addresses": [{"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon"}],
        }
    ),
    "POST /reclamations": Recipe(
        "client",
        lambda client: {
            "client_id": client["id"],
            "article": "Mitigeur",
            "problem_type": "leak",
            "description": "il goutte",
        },
    ),
    "POST /reclamations/{reclamation_id}/photos": Recipe(
        "reclamation", files={"photos": ("a.jpg", picture())}
    ),
    "POST /reclamations/{reclamation_id}/qualify": Recipe(
        "reclamation",
        lambda _: {"priority": "normal", "coverage": "covered", "reason": "un geste"},
        opened,
    ),
    "POST /reclamations/{reclamation_id}/assign": Recipe(
        "reclamation", lambda claim: {"technician_id": claim["technician_id"]}, qualified
    ),
    "PUT /reclamations/{reclamation_id}/parts": Recipe("reclamation", parts, needing),
    "POST /reclamations/{reclamation_id}/parts/validate": Recipe(
        "reclamation", lambda claim: {"edition": claim["parts_edition"] or 1}, listed
    ),
    "POST /reclamations/{reclamation_id}/moves": Recipe("reclamation", lambda _: {"to": "closed"}, resolved),
    # interventions
    "POST /interventions/{intervention_id}/moves": Recipe(
        "intervention", lambda _: {"to": "accepted"}, planned
    ),
    "PUT /interventions/{intervention_id}/work": Recipe(
        "intervention",
        lambda _: {"solution": "purgé", "labour": [{"description": "Purge", "minutes": 20}]},
        told(stories.at_work),
    ),
    "POST /interventions/{intervention_id}/warranty": Recipe(
        "intervention", lambda _: {"parts": 100, "labour": 50, "travel": 0, "reason": "un geste"}
    ),
    "PUT /interventions/{intervention_id}/report": Recipe(
        "report", lambda _: {"findings": "joint usé", "work_done": "joint changé"}, told(stories.at_work)
    ),
    "POST /interventions/{intervention_id}/report/sign": Recipe(
        "report",
        lambda _: {"signed_by": "Léa Bernard"},
        told(stories.reported),
        {"signature": ("a.png", picture("PNG"))},
    ),
    "POST /interventions/{intervention_id}/report/submit": Recipe("report", fresh=told(stories.signed)),
    "POST /interventions/{intervention_id}/report/validate": Recipe("report", fresh=told(stories.submitted)),
    "POST /interventions/{intervention_id}/report/send-back": Recipe(
        "report", lambda _: {"reason": "photo illisible"}, told(stories.submitted)
    ),
    "PATCH /invoices/{invoice_id}": Recipe(
        "invoice", lambda _: {"buyer_name": "Léa Bernard"}, told(stories.drafted)
    ),
    "POST /invoices/{invoice_id}/discard": Recipe(
        "invoice", lambda _: {"reason": "un geste"}, told(stories.drafted)
    ),
    "POST /invoices/{invoice_id}/issue": Recipe("invoice", fresh=told(stories.drafted)),
    "POST /invoices/{invoice_id}/payments": Recipe("invoice", lambda _: {"method": "cash", "amount": "0.01"}),
    # calendar
    "GET /slots": Recipe("reclamation", lambda claim: {"reclamation_id": claim["id"]}),
    "POST /appointments/hold": Recipe(
        "appointment",
        lambda time: {name: time[name] for name in ("reclamation_id", "technician_id", "start")},
        free,
    ),
    "POST /appointments": Recipe("appointment", lambda held: {"appointment_id": held["id"]}, held),
    "PUT /technicians/{technician_id}/hours": Recipe(
        "working_hours", lambda hours: {name: hours[name] for name in ("zone", "holidays", "shifts")}
    ),
    # notifier
    "POST /notifications/{notification_id}/read": Recipe("notification"),
    # reporting
    "GET /reports/reclamations": Recipe(),
    "POST /interventions/{intervention_id}/feedback": Recipe("feedback", lambda _: {"rating": 4}),
    # edge
    "GET /audit": Recipe(),
}
