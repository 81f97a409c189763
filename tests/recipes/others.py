"""Recipes of the rows of the calendar, the notifier, reporting and the edge."""

from stories import Json, done

from recipes.claims import qualified
from recipes.recipe import Recipe
from recipes.scene import Scene, Side


async def free(scene: Scene, side: Side) -> Json:
    """A time at which the side's technician could come."""
    claim = await qualified(scene, side)
    wanted = {"reclamation_id": claim["id"], "technician_id": side.technician.id}
    slots = done(await scene.manager.get("/slots", **wanted))["items"]
    return wanted | {"start": slots[-1]["start"]}


async def held(scene: Scene, side: Side) -> Json:
    return done(await side.client.post("/appointments/hold", await free(scene, side)), 201)


RECIPES: dict[str, Recipe] = {
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
    "POST /notifications/{notification_id}/read": Recipe("notification"),
    "GET /reports/reclamations": Recipe(),
    "POST /interventions/{intervention_id}/feedback": Recipe("feedback", lambda _: {"rating": 4}),
    "GET /audit": Recipe(),
}
