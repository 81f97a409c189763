"""Recipes of the rows of interventions."""

from datetime import UTC, datetime

import stories
from pictures import picture
from stories import Json
from uuid_utils.compat import uuid7

from recipes.recipe import Recipe, told
from recipes.scene import Scene, Side


async def planned(scene: Scene, side: Side) -> Json:
    _, visit = await stories.assigned(side.client, scene.manager, side.technician)
    return visit


def an_act(visit: Json) -> Json:
    accepted = {"intervention_id": visit["id"], "to": "accepted"}
    return {"acts": [{"id": str(uuid7()), "at": datetime.now(UTC).isoformat(), "move": accepted}]}


RECIPES: dict[str, Recipe] = {
    # A further one, after one that is completed.
    "POST /interventions": Recipe(
        "reclamation",
        lambda found: {"reclamation_id": found.get("reclamation_id", found["id"])},
        told(stories.reported),
    ),
    "POST /interventions/batch": Recipe("intervention", an_act, planned),
    "POST /interventions/{intervention_id}/signatures": Recipe(
        "intervention", files={"signature": ("a.png", picture("PNG"))}
    ),
    "POST /interventions/{intervention_id}/moves": Recipe(
        "intervention", lambda _: {"to": "accepted"}, planned
    ),
    "POST /interventions/{intervention_id}/help": Recipe(
        "intervention", lambda _: {"text": "la vanne ne ferme plus"}, planned
    ),
    "PUT /interventions/{intervention_id}/work": Recipe(
        "intervention",
        lambda _: {"solution": "purgé", "labour": [{"description": "Purge", "minutes": 20}]},
        told(stories.at_work),
    ),
    "POST /interventions/{intervention_id}/photos": Recipe(
        "intervention", files={"photos": ("a.jpg", picture())}
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
    "POST /interventions/{intervention_id}/report/archive": Recipe("report", fresh=told(stories.closed)),
    "PATCH /technicians/{technician_id}": Recipe("technician", lambda _: {"zone": []}),
    "PATCH /invoices/{invoice_id}": Recipe(
        "invoice", lambda _: {"buyer_name": "Léa Bernard"}, told(stories.drafted)
    ),
    "POST /invoices/{invoice_id}/discard": Recipe(
        "invoice", lambda _: {"reason": "un geste"}, told(stories.drafted)
    ),
    "POST /invoices/{invoice_id}/issue": Recipe("invoice", fresh=told(stories.drafted)),
    "POST /invoices/{invoice_id}/payments": Recipe("invoice", lambda _: {"method": "cash", "amount": "0.01"}),
}
