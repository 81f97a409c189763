"""A visit that is late, one that needs help, and ones that do not finish the work: who sees and reads what."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from eventually import eventually
from stories import Json, assigned, at_work, done, ids, items, move, qualified, refused, types, wrong_fields
from system import Person, System

# Sends the visit an hour past the end of its slot, and its timer to the front.
LATE = """UPDATE intervention SET late_at = now() - interval '1 hour', planned = json_build_object(
    'start', now() - interval '3 hours', 'end', now() - interval '1 hour') WHERE id = $1"""
RINGS = "UPDATE task SET due = now() WHERE key = 'mark_late ' || $1"


async def told(who: Person, template: str, about: str) -> list[Json]:
    """What somebody was told about a record."""
    notified = await items(who, "/notifications", limit=200)
    return [
        one
        for one in notified
        if (one["user_id"], one["template"], one["about_id"]) == (who.id, template, about)
        and one["status"] == "kept_locally"
    ]


async def is_told(who: Person, template: str, about: str) -> Json:
    [one] = await eventually(lambda: told(who, template, about), 30)
    return one


async def with_a_time(lea: Person, marie: Person, karim: Person) -> Json:
    """Karim's visit, which stands in the calendar."""
    claim = await qualified(lea, marie)
    start = (datetime.now(UTC) + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    slot = {"start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat()}
    wanted = {"technician_id": karim.id, "slot": slot, "outside_hours": True}
    done(await marie.post(f"/reclamations/{claim['id']}/assign", wanted))

    async def timed() -> list[Json]:
        visits = await items(karim, "/interventions", reclamation_id=claim["id"])
        return [one for one in visits if one["slot"]]

    [visit] = await eventually(timed)
    return dict(visit)


async def late(system: System, visit: Json) -> None:
    """Its slot is over."""
    await system.sql("interventions", LATE, visit["id"])
    await system.sql("interventions", RINGS, visit["id"])


async def moves(who: Person, visit: Json, to: str, **fields: Any) -> Any:
    return await who.post(f"/interventions/{visit['id']}/moves", {"to": to} | fields)


async def test_a_late_visit_is_listed_and_told_and_its_next_move_says_why(
    system: System, marie: Person
) -> None:
    lea, karim = await system.client(), await system.technician()
    paul, sofia = await system.client(), await system.technician("Sofia Martin")
    visit = await with_a_time(lea, marie, karim)
    assert not visit["overdue"]
    await late(system, visit)
    for who in (lea, karim, marie):
        listed = await eventually(partial(items, who, "/interventions", overdue="true", limit=200))
        assert visit["id"] in [one["id"] for one in listed]
        assert visit["id"] not in await ids(who, "/interventions", overdue="false", limit=200)
    for who in (paul, sofia):
        assert await ids(who, "/interventions", overdue="true") == []
    assert "retard" in (await is_told(lea, "visit_late", visit["id"]))["subject"]
    assert "retard" in (await is_told(marie, "visit_overdue", visit["id"]))["subject"]
    history = await items(lea, f"/reclamations/{visit['reclamation_id']}/timeline")
    assert "La visite a du retard" in [one["text"] for one in history]

    assert wrong_fields(await moves(karim, visit, "accepted")) == {"lateness_cause"}
    moved = done(await moves(karim, visit, "accepted", lateness_cause="traffic"))
    assert (moved["overdue"], moved["lateness_cause"]) == (True, "traffic")
    await move(karim, visit, "en_route", "on_site", "in_progress")
    assert not done(await lea.get(f"/interventions/{visit['id']}"))["overdue"]
    assert "lateness_cause" not in done(await lea.get(f"/interventions/{visit['id']}"))


async def test_a_technician_asks_for_help_and_managers_learn_where(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    sofia = await system.technician("Sofia Martin")
    visit = await at_work(lea, marie, karim)
    path = f"/interventions/{visit['id']}/help"
    asking = {"text": "la vanne ne ferme plus"}
    refused(await sofia.post(path, asking), 404, "not_found")
    for who in (lea, marie):
        refused(await who.post(path, asking), 403, "not_allowed")
    assert wrong_fields(await karim.post(path)) == {"text"}
    asked = done(await karim.post(path, asking))
    assert (asked["help_asked_for"], bool(asked["help_asked_at"])) == ("la vanne ne ferme plus", True)
    assert "Aide demandée" in (await is_told(marie, "help_asked", visit["id"]))["subject"]
    shown = done(await lea.get(f"/interventions/{visit['id']}"))
    assert not {"help_asked_at", "help_asked_for"} & shown.keys()
    assert "HelpRequested" not in await types(lea, {"id": visit["reclamation_id"]})
    assert "HelpRequested" in await types(marie, {"id": visit["reclamation_id"]})
    paused = done(await moves(karim, visit, "paused", cause="approval"))
    assert paused["help_asked_at"] is None


async def test_an_incomplete_visit_is_told_with_the_one_that_follows(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    visit = await at_work(lea, marie, karim)
    done(await moves(karim, visit, "incomplete", cause="stopped_for_safety", reason="fuite de gaz"))
    await is_told(lea, "visit_incomplete", visit["id"])
    await is_told(marie, "visit_not_done", visit["id"])
    [follow_up] = await items(
        marie, "/interventions", reclamation_id=visit["reclamation_id"], status="planned"
    )
    assert (follow_up["follows_id"], follow_up["slot"]) == (visit["id"], None)


async def test_a_closed_door_is_told_too(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    _, visit = await assigned(lea, marie, karim)
    await move(karim, visit, "accepted", "en_route", "on_site")
    done(await moves(karim, visit, "no_access", reason="personne ne répond"))
    await is_told(lea, "visit_no_access", visit["id"])
    await is_told(marie, "visit_not_done", visit["id"])


async def test_a_technician_who_cancels_declines_and_managers_are_told(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    claim, visit = await assigned(lea, marie, karim)
    await move(karim, visit, "accepted", "en_route")
    declined = done(await moves(karim, visit, "cancelled", reason="accident"))
    assert declined["status"] == "declined"
    await is_told(marie, "visit_declined", visit["id"])

    async def waits_for_another() -> bool:
        return bool(done(await marie.get(f"/reclamations/{claim['id']}"))["status"] == "qualified")

    await eventually(waits_for_another)
    problem = refused(await moves(karim, visit, "cancelled", reason="accident"), 409, "illegal_move")
    assert problem["moves"] == []


async def test_everybody_concerned_reads_the_warranty_of_a_visit(system: System, marie: Person) -> None:
    lea, karim, paul = await system.client(), await system.technician(), await system.client()
    _, visit = await assigned(lea, marie, karim)
    path = f"/interventions/{visit['id']}/warranty"
    assert done(await lea.get(path))["decision"] == "unknown"
    assert wrong_fields(await marie.post(path, {"parts": 100, "labour": 50, "travel": 0})) == {"reason"}
    goodwill = {"parts": 100, "labour": 50, "travel": 0, "reason": "geste commercial"}
    done(await marie.post(path, goodwill))
    for who in (lea, karim, marie):
        read = done(await who.get(path))
        assert (read["decision"], read["labour"], read["why"]) == ("partly", 50, "decided_by_manager")
        assert read["reason"] == "geste commercial"
    refused(await paul.get(path), 404, "not_found")
    refused(await karim.post(path, goodwill), 403, "not_allowed")
