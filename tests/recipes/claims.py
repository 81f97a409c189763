"""Recipes of the rows of claims."""

import stories
from eventually import eventually
from pictures import picture
from stories import Json, done

from recipes.recipe import Recipe, a_line
from recipes.scene import Scene, Side


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


RECIPES: dict[str, Recipe] = {
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
}
