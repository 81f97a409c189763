"""Recipes of the rows of claims."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import stories
from eventually import eventually
from pictures import picture
from stories import PLACE, Json, done
from system import Person

from recipes.recipe import Recipe, a_line
from recipes.scene import Scene, Side
from sav_chassis.identity import Links
from sav_contracts.actor import MANAGERS, Role
from sav_ops.demo.journey import BOILER


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


async def orderable(scene: Scene, role: Role) -> tuple[Person, Json]:
    """What somebody in this role may order: a technician for a repair, others as a client."""
    side = scene.near
    article = done(await scene.manager.post("/articles", BOILER | {"reference": a_line()}), 201)
    received = {"movement": "receive", "quantity": 5}
    done(await scene.manager.post(f"/articles/{article['id']}/stock-movements", received), 201)
    if role is not Role.TECHNICIAN:
        return side.client, {"id": side.client.id, "article_id": article["id"], "purpose": "purchase"}
    claim, _ = await stories.assigned(side.client, scene.manager, side.technician)
    return side.technician, claim | {"article_id": article["id"]}


def order(record: Json) -> Json:
    lines = {"lines": [{"article_id": record.get("article_id", record["id"]), "quantity": 1}]}
    if record.get("purpose") == "purchase":
        return {"purpose": "purchase"} | lines
    return {"purpose": "repair", "reclamation_id": record["id"]} | lines


async def ordered(scene: Scene, role: Role) -> tuple[Person, Json]:
    """An order that nobody has looked at, by somebody in this role; a client's, where it is for managers."""
    who, record = await orderable(scene, role)
    placed = done(await who.post("/orders", order(record)), 201)
    return scene.who(role) if role in MANAGERS else who, placed


async def reserved(scene: Scene, role: Role) -> tuple[Person, Json]:
    who, placed = await ordered(scene, role)
    done(await scene.manager.post(f"/orders/{placed['id']}/validate"))
    one = {"reference": placed["reference"], "status": "reserved"}
    await eventually(lambda: stories.items(scene.manager, "/orders", **one), 20)
    return who, placed


async def shipped(scene: Scene, role: Role) -> tuple[Person, Json]:
    who, placed = await reserved(scene, role)
    return who, done(await scene.manager.post(f"/orders/{placed['id']}/ship"))


async def withdrawing(scene: Scene, role: Role) -> tuple[Person, Json]:
    """A purchase from which its client has begun to withdraw."""
    who, placed = await ordered(scene, role)
    return who, done(await who.post(f"/orders/{placed['id']}/withdraw"))


async def to_withdraw_from(scene: Scene, side: Side) -> Json:
    """A purchase of the near side, with what stands in the link to withdraw from it."""
    _, placed = await ordered(scene, Role.CLIENT)
    token = Links(scene.system.settings.link_secret).token("withdraw-order", UUID(placed["id"]))
    return placed | {"token": token}


async def to_come_back(scene: Scene, role: Role) -> tuple[Person, Json]:
    """A purchase that was shipped, and from which its client withdrew."""
    who, placed = await shipped(scene, role)
    for step in ("withdraw", "withdraw/confirm"):
        done(await scene.near.client.post(f"/orders/{placed['id']}/{step}"))
    return who, placed


async def resolved(scene: Scene, side: Side) -> Json:
    visit = await stories.closed(side.client, scene.manager, side.technician)
    one = {"client_id": side.client.id, "reference": visit["reclamation_reference"], "status": "resolved"}
    [claim] = await eventually(lambda: stories.items(scene.manager, "/reclamations", **one))
    return dict(claim)


async def with_a_draft(scene: Scene, role: Role) -> tuple[Person, Json]:
    who = scene.who(role)
    return who, done(await who.ask("PUT", "/me/reclamation-draft", json={"article": "Mitigeur"}))


def urgent(record: Json) -> Json:
    return {
        "name": f"Urgences {a_line()}",
        "list": "/reclamations",
        "query": "priority=critical&sort=reference",
    }


async def saved(scene: Scene, role: Role) -> tuple[Person, Json]:
    """A filter of whoever asks."""
    who = scene.who(role)
    return who, done(await who.ask("PUT", "/me/filters", json=urgent({})))


async def movable(scene: Scene, role: Role) -> tuple[Person, Json]:
    """One that this role may move, and where to."""
    side = scene.near
    if role is Role.TECHNICIAN:
        return side.technician, await needing(scene, side) | {"to": "in_progress"}
    return scene.who(role), await resolved(scene, side)


RECIPES: dict[str, Recipe] = {
    "PATCH /clients/{client_id}": Recipe(
        "client", lambda _: {"name": "Léa Bernard", "phones": ["06 12 34 56 78"]}
    ),
    "POST /reclamations/{reclamation_id}/comments": Recipe(
        "reclamation", lambda _: {"text": "Le bruit revient le matin."}
    ),
    "POST /reclamations/{reclamation_id}/notes": Recipe(
        "reclamation", lambda _: {"text": "Prévoir deux personnes."}
    ),
    "PUT /me/filters": Recipe(body=urgent),
    "DELETE /me/filters/{saved_filter_id}": Recipe("saved_filter", alone=saved),
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
            "place": PLACE,
        },
    ),
    "GET /problem-types": Recipe(),
    "PUT /me/reclamation-draft": Recipe(body=lambda _: {"article": "Mitigeur", "description": "il goutte"}),
    "GET /me/reclamation-draft": Recipe(alone=with_a_draft),
    "DELETE /me/reclamation-draft": Recipe(),
    "POST /reclamations/{reclamation_id}/photos": Recipe(
        "reclamation", files={"photos": ("a.jpg", picture())}
    ),
    "POST /reclamations/{reclamation_id}/qualify": Recipe(
        "reclamation",
        lambda _: {"priority": "normal", "coverage": "covered", "reason": "un geste"},
        opened,
    ),
    "POST /reclamations/bulk": Recipe(
        "reclamation",
        lambda claim: {
            "items": [
                {"qualify": {"reclamation_id": claim["id"], "priority": "normal", "reason": "un geste"}}
            ]
        },
        opened,
    ),
    "POST /reclamations/{reclamation_id}/assign": Recipe(
        "reclamation", lambda claim: {"technician_id": claim["technician_id"]}, qualified
    ),
    "PUT /reclamations/{reclamation_id}/parts": Recipe("reclamation", parts, needing),
    "POST /reclamations/{reclamation_id}/parts/validate": Recipe(
        "reclamation", lambda claim: {"edition": claim["parts_edition"] or 1}, listed
    ),
    "GET /articles/{article_id}/price": Recipe("article", lambda _: {"quantity": 2}),
    "POST /orders": Recipe("reclamation", order, alone=orderable),
    "POST /orders/{order_id}/validate": Recipe("order", alone=ordered),
    "POST /orders/{order_id}/refuse": Recipe("order", lambda _: {"reason": "épuisé"}, alone=ordered),
    "POST /orders/{order_id}/ship": Recipe("order", alone=reserved),
    "POST /orders/{order_id}/receive": Recipe("order", alone=shipped),
    "POST /orders/{order_id}/cancel": Recipe("order", lambda _: {"reason": "erreur"}, alone=ordered),
    "POST /orders/{order_id}/withdraw": Recipe("order", alone=ordered),
    "POST /orders/{order_id}/withdraw/confirm": Recipe("order", alone=withdrawing),
    "GET /order-withdrawal/{token}": Recipe("order", fresh=to_withdraw_from),
    "POST /order-withdrawal/{token}": Recipe("order", fresh=to_withdraw_from),
    "POST /orders/{order_id}/withdrawal": Recipe(
        "order", lambda _: {"said_on": str(datetime.now(ZoneInfo("Europe/Paris")).date())}, alone=ordered
    ),
    "POST /orders/{order_id}/return": Recipe("order", alone=to_come_back),
    "POST /reclamations/{reclamation_id}/moves": Recipe(
        "reclamation", lambda claim: {"to": claim.get("to", "closed")}, alone=movable
    ),
}
