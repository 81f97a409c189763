"""Recipes of the rows of the calendar, the notifier, reporting and the edge."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

from eventually import eventually
from stories import Json, done, items

from recipes.claims import qualified
from recipes.recipe import Recipe, by_somebody_new
from recipes.scene import Scene, Side, away
from sav_chassis.identity import Links

# Each asks for the times of another week: hundreds of tests book the one technician of a side.
WEEKS = itertools.cycle(range(1, 40))


async def a_free_time(scene: Scene, side: Side, **of: str) -> Json:
    """A time at which the side's technician could come, weeks ahead."""
    since = (datetime.now(UTC) + timedelta(weeks=next(WEEKS))).isoformat()
    wanted = of | {"technician_id": side.technician.id, "from": since}
    return dict(done(await scene.manager.get("/slots", **wanted))["items"][-1])


async def free(scene: Scene, side: Side) -> Json:
    """What to hold for a new réclamation, with the side's technician."""
    claim = await qualified(scene, side)
    time = await a_free_time(scene, side, reclamation_id=claim["id"])
    return {"reclamation_id": claim["id"], "technician_id": side.technician.id, "start": time["start"]}


async def held(scene: Scene, side: Side) -> Json:
    return done(await side.client.post("/appointments/hold", await free(scene, side)), 201)


async def booked(scene: Scene, side: Side) -> Json:
    """An appointment whose visit is planned, and another free time of its technician."""
    appointment = await linked(scene, await free(scene, side))
    return appointment | {"free": (await a_free_time(scene, side))["start"]}


async def linked(scene: Scene, time: Json) -> Json:
    """An appointment at that time, once its visit is planned."""
    held = done(await scene.manager.post("/appointments/hold", time), 201)
    done(await scene.manager.post("/appointments", {"appointment_id": held["id"]}), 201)

    async def planned() -> Json | None:
        found = done(await scene.manager.get(f"/appointments/{held['id']}"))
        return found if found["intervention_id"] else None

    return dict(await eventually(planned, 20))


async def waiting(scene: Scene, side: Side) -> Json:
    """The wish for an earlier visit of one that is booked."""
    appointment = await booked(scene, side)
    return done(await side.client.ask("PUT", f"/reclamations/{appointment['reclamation_id']}/earlier"))


def moved(appointment: Json) -> Json:
    return {"start": appointment.get("free", appointment["start"]), "reason": "Formation."}


# An hour and a half earlier than now: its technician could arrive within an hour.
GONE_BY = """UPDATE appointment SET start = now() - interval '90 minutes', "end" = now() + interval '30 minutes',
    busy_until = now() + interval '30 minutes' WHERE id = $1"""


async def gone_by(scene: Scene, side: Side) -> Json:
    """An appointment at which its technician can arrive no more, and is not there."""
    claim = await qualified(scene, side)
    # Whose whole day is free.
    technician = await scene.system.technician()
    soon = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    time = {"reclamation_id": claim["id"], "technician_id": technician.id, "start": soon}
    appointment = await linked(scene, time | {"outside_hours": True})
    await scene.system.sql("calendar", GONE_BY, appointment["id"])
    return appointment


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
    time = await a_free_time(scene, side)
    return dict(conflict) | {"free": {"start": time["start"], "end": time["end"]}}


def decided(conflict: Json) -> Json:
    return {"slot": conflict.get("free", conflict["wanted"])}


def days_off(absence: Json) -> Json:
    return {"first_day": absence["start"][:10], "last_day": absence["end"][:10]}


def off(absence: Json) -> Json:
    return days_off(absence) | {"cause": absence["cause"]}


async def gone(scene: Scene, side: Side) -> Json:
    """An absence that can be removed."""
    return await away(scene.manager, side.technician)


def offering(conflict: Json) -> Json:
    return {"times": [decided(conflict)]}


async def offered(scene: Scene, side: Side) -> Json:
    """A conflict whose client may choose another time, with what is signed into the link."""
    conflict = await colliding(scene, side)
    done(await scene.manager.post(f"/conflicts/{conflict['id']}/offer", offering(conflict)))
    found = "SELECT offer_grant AS grant FROM conflict WHERE id = $1"
    [row] = await scene.system.sql("calendar", found, conflict["id"])
    token = Links(scene.system.settings.link_secret).token("times", row["grant"])
    return conflict | {"token": token}


async def invited(scene: Scene, side: Side) -> Json:
    """Feedback of the side's client, with what is signed into its link."""
    id = side.records["feedback"]
    return {"id": id, "token": Links(scene.system.settings.link_secret).token("feedback", UUID(id))}


async def with_an_address(scene: Scene, side: Side) -> Json:
    """The secret address of the side's client."""
    made = done(await side.client.post("/me/calendar/rotate"))
    return {"token": made["url"].partition("token=")[2]}


async def visit_linked(scene: Scene, side: Side) -> Json:
    """A booked visit that is planned, with what is signed into its link."""
    id = (await booked(scene, side))["id"]
    token = Links(scene.system.settings.link_secret).token("visit", UUID(id))

    async def planned() -> bool:
        return bool(done(await side.client.get(f"/visit/{token}"))["may_change"])

    await eventually(planned)
    return {"id": id, "token": token}


RECIPES: dict[str, Recipe] = {
    "GET /visit/{token}": Recipe("appointment", fresh=visit_linked),
    "POST /visit/{token}": Recipe("appointment", lambda _: {"answer": "confirm"}, visit_linked),
    "GET /me/calendar.ics": Recipe(
        body=lambda made: {"token": made.get("token", "x")}, fresh=with_an_address
    ),
    "POST /me/calendar/rotate": Recipe(alone=by_somebody_new),
    "GET /slots": Recipe("reclamation", lambda claim: {"reclamation_id": claim["id"]}),
    "POST /appointments/hold": Recipe(
        "appointment",
        lambda time: {name: time[name] for name in ("reclamation_id", "technician_id", "start")},
        free,
    ),
    "POST /appointments": Recipe("appointment", lambda held: {"appointment_id": held["id"]}, held),
    "POST /appointments/{appointment_id}/reschedule": Recipe("appointment", moved, booked),
    "POST /appointments/{appointment_id}/cancel": Recipe(
        "appointment", lambda _: {"reason": "Formation."}, booked
    ),
    "POST /appointments/{appointment_id}/no-show": Recipe("appointment", fresh=gone_by),
    "PUT /reclamations/{reclamation_id}/earlier": Recipe("earlier_visit"),
    "DELETE /reclamations/{reclamation_id}/earlier": Recipe("earlier_visit", fresh=waiting),
    "POST /conflicts/{conflict_id}/resolve": Recipe("conflict", decided, colliding),
    "POST /conflicts/{conflict_id}/offer": Recipe("conflict", offering, colliding),
    "GET /times/{token}": Recipe("conflict", fresh=offered),
    "POST /times/{token}": Recipe("conflict", lambda _: {"choice": 1}, offered),
    "GET /conflicts/plan": Recipe("conflict", lambda conflict: {"on": conflict["wanted"]["start"][:10]}),
    "POST /conflicts/plan": Recipe(
        "conflict",
        lambda conflict: {"items": [{"conflict_id": conflict["id"]} | decided(conflict)]},
        colliding,
    ),
    "PUT /technicians/{technician_id}/hours": Recipe(
        "working_hours", lambda hours: {name: hours[name] for name in ("zone", "holidays", "shifts")}
    ),
    "POST /technicians/{technician_id}/hours/preview": Recipe(
        "working_hours", lambda hours: {name: hours[name] for name in ("zone", "holidays", "shifts")}
    ),
    "POST /technicians/{technician_id}/absences": Recipe("absence", off),
    "POST /technicians/{technician_id}/absences/preview": Recipe("absence", days_off),
    "DELETE /technicians/{technician_id}/absences/{absence_id}": Recipe("absence", fresh=gone),
    "GET /reclamations/{reclamation_id}/candidates": Recipe("reclamation"),
    "POST /notifications/{notification_id}/read": Recipe("notification"),
    "GET /reports/reclamations": Recipe(),
    "POST /interventions/{intervention_id}/feedback": Recipe("feedback", lambda _: {"rating": 4}),
    "GET /feedback/link/{token}": Recipe("feedback", fresh=invited),
    "POST /feedback/link/{token}": Recipe("feedback", lambda _: {"rating": 4}, invited),
    "GET /audit": Recipe(),
}
