"""Recipes of the rows of interventions."""

import stories
from pictures import picture
from stories import Json

from recipes.recipe import Recipe, told
from recipes.scene import Scene, Side


async def planned(scene: Scene, side: Side) -> Json:
    _, visit = await stories.assigned(side.client, scene.manager, side.technician)
    return visit


RECIPES: dict[str, Recipe] = {
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
}
