"""Recipes of the rows of the calendar, the notifier, reporting and the edge."""

from uuid import UUID

from eventually import eventually
from stories import Json, done, items

from recipes.claims import qualified
from recipes.recipe import Recipe
from recipes.scene import Scene, Side
from sav_chassis.identity import Links


async def free(scene: Scene, side: Side) -> Json:
    """A time at which the side's technician could come."""
    claim = await qualified(scene, side)
    wanted = {"reclamation_id": claim["id"], "technician_id": side.technician.id}
    slots = done(await scene.manager.get("/slots", **wanted))["items"]
    return wanted | {"start": slots[-1]["start"]}


async def held(scene: Scene, side: Side) -> Json:
    return done(await side.client.post("/appointments/hold", await free(scene, side)), 201)


async def colliding(scene: Scene, side: Side) -> Json:
    """The conflict of a visit that was planned at a time which another one has, and another time of its technician."""
    claim = await qualified(scene, side)
    [taken, *_] = await items(
        scene.manager, "/appointments", technician_id=side.technician.id, status="booked"
    )
    slot = {"start": taken["start"], "end": taken["end"]}
    done(
        await scene.manager.post(
            f"/reclamations/{claim['id']}/assign", {"technician_id": side.technician.id, "slot": slot}
        )
    )
    [conflict] = await eventually(lambda: items(scene.manager, "/conflicts", reclamation_id=claim["id"]))
    slots = done(await scene.manager.get("/slots", technician_id=side.technician.id))["items"]
    return dict(conflict) | {"free": {"start": slots[-1]["start"], "end": slots[-1]["end"]}}


def decided(conflict: Json) -> Json:
    return {"slot": conflict.get("free", conflict["wanted"])}


async def linked(scene: Scene, side: Side) -> Json:
    """Feedback of the side's client, with what is signed into its link."""
    id = side.records["feedback"]
    return {"id": id, "token": Links(scene.system.settings.link_secret).token("feedback", UUID(id))}


RECIPES: dict[str, Recipe] = {
    "GET /slots": Recipe("reclamation", lambda claim: {"reclamation_id": claim["id"]}),
    "POST /appointments/hold": Recipe(
        "appointment",
        lambda time: {name: time[name] for name in ("reclamation_id", "technician_id", "start")},
        free,
    ),
    "POST /appointments": Recipe("appointment", lambda held: {"appointment_id": held["id"]}, held),
    "POST /conflicts/{conflict_id}/resolve": Recipe("conflict", decided, colliding),
    "PUT /technicians/{technician_id}/hours": Recipe(
        "working_hours", lambda hours: {name: hours[name] for name in ("zone", "holidays", "shifts")}
    ),
    "POST /notifications/{notification_id}/read": Recipe("notification"),
    "GET /reports/reclamations": Recipe(),
    "POST /interventions/{intervention_id}/feedback": Recipe("feedback", lambda _: {"rating": 4}),
    "GET /feedback/link/{token}": Recipe("feedback", fresh=linked),
    "POST /feedback/link/{token}": Recipe("feedback", lambda _: {"rating": 4}, linked),
    "GET /audit": Recipe(),
}
