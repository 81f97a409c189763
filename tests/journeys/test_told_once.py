"""One cause, one message: what follows from a reassignment is told as what it means to each person."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from eventually import eventually
from kept_mails import plain, read
from stories import Json, done, items, qualified, visit_of
from system import Person, System

# What the person is told about the réclamation itself comes whenever it is heard.
ABOUT_VISITS = ("appointment_", "technician_", "visit_")
NBSP = "\N{NO-BREAK SPACE}"
SAINT_DENIS = {"address": "4 rue de Paris", "postcode": "97400", "city": "Saint-Denis"}
# 8 o'clock in Réunion.
START = datetime.now(UTC).replace(hour=4, minute=0, second=0, microsecond=0) + timedelta(days=8)
SLOT = {"start": START.isoformat(), "end": (START + timedelta(hours=2)).isoformat()}


async def works_in_reunion(technician: Person) -> None:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    shifts = [{"day": day, "start": "06:00", "end": "20:00"} for day in days]
    hours = {"zone": "Indian/Reunion", "holidays": "FR", "shifts": shifts}
    done(await technician.ask("PUT", f"/technicians/{technician.id}/hours", json=hours))


async def assign(manager: Person, claim: Json, technician: Person) -> None:
    asked = {"technician_id": technician.id, "slot": SLOT, "outside_hours": True}
    done(await manager.post(f"/reclamations/{claim['id']}/assign", asked))


async def messages(person: Person) -> list[tuple[str, str]]:
    """Template and status of what is said about a visit, the oldest first."""
    found = await items(person, "/notifications", user_id=person.id, limit=50)
    about = [one for one in reversed(found) if one["template"].startswith(ABOUT_VISITS)]
    return [(one["template"], one["status"]) for one in about]


async def sent(person: Person, template: str, times: int) -> list[str]:
    """The templates that somebody was sent, once this one is so often among them and nothing waits any more."""

    async def all_of_it() -> list[str] | None:
        known = await messages(person)
        left = [name for name, status in known if status == "kept_locally"]
        waits = any(status == "queued" for _, status in known)
        return left if left.count(template) == times and not waits else None

    return await eventually(all_of_it, 30)


async def test_another_technician_at_the_same_time(system: System, marie: Person) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician("Sofia")
    for technician in (karim, sofia):
        await works_in_reunion(technician)
    claim = await qualified(lea, marie, place=SAINT_DENIS)
    await assign(marie, claim, karim)
    first = await sent(lea, "appointment_booked", 1)
    assert await sent(karim, "visit_planned", 1) == ["visit_planned"]

    await assign(marie, claim, sofia)
    await visit_of(sofia, claim)
    assert await sent(karim, "visit_cancelled", 1) == ["visit_planned", "visit_cancelled"]
    assert await sent(sofia, "visit_planned", 1) == ["visit_planned"]
    settled = await eventually(lambda: settled_appointments(lea, claim), 90)
    assert len(settled) == 1
    assert await sent(lea, "appointment_booked", 2) == [*first, "appointment_booked"], "who comes, and when"

    for technician in (karim, sofia):
        texts = [
            plain(read(path)) for path in Path(system.settings.mailbox).glob(f"*{technician.email}*.eml")
        ]
        visits = [text.replace(NBSP, " ") for text in texts if claim["reference"] in text]
        assert visits
        assert all("de 8 h à 10 h" in text for text in visits)


async def settled_appointments(client: Person, claim: Json) -> list[Json]:
    """What is booked, once what was said of it has all been judged."""
    statuses = [status for name, status in await messages(client) if name.startswith("appointment_")]
    if len(statuses) < 3 or "queued" in statuses:
        return []
    return await items(client, "/appointments", reclamation_id=claim["id"], status="booked")
