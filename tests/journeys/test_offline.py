"""A technician works in a cellar, and the telephone sends the day when it is online again."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
from eventually import eventually
from pictures import picture
from sessions import letter
from stories import Json, assign, assigned, done, field, items, visit_of
from system import Person, System
from uuid_utils.compat import uuid7

WORK = {"solution": "joint changé", "labour": [{"description": "Pose du joint", "minutes": 30}]}
WRITTEN = {"findings": "joint usé", "work_done": "joint changé"}


def act(minutes: int, kind: str, visit: Json, **fields: Any) -> Json:
    """What was done that many minutes after it began, two hours ago."""
    when = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2, minutes=-minutes)
    return {"id": str(uuid7()), "at": when.isoformat(), kind: {"intervention_id": visit["id"]} | fields}


def a_day(visit: Json, signature: str) -> list[Json]:
    moves = {"accepted": 0, "en_route": 5, "on_site": 30, "in_progress": 35, "completed": 80}
    return [
        *(act(minutes, "move", visit, to=to) for to, minutes in moves.items()),
        act(70, "work", visit, **WORK),
        act(85, "report", visit, **WRITTEN),
        act(90, "sign", visit, signed_by="Léa Bernard", signature=signature),
        act(91, "submit", visit),
    ]


async def send(technician: Person, acts: list[Json], **request: Any) -> list[Json]:
    answer = await technician.ask("POST", "/interventions/batch", json={"acts": acts}, **request)
    answered: list[Json] = done(answer)["acts"]
    return answered


async def signed(technician: Person, visit: Json) -> httpx.Response:
    drawn = {"signature": ("s.png", picture("PNG"))}
    return await technician.ask("POST", f"/interventions/{visit['id']}/signatures", files=drawn)


async def test_a_day_in_a_cellar_counts_once_however_often_it_is_sent(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician("Karim Haddad")
    claim, visit = await assigned(lea, marie, karim)
    path = f"/interventions/{visit['id']}"
    day = a_day(visit, done(await signed(karim, visit), 201)["sha256"])
    # Cut off after a part, which nobody knows arrived; then all of it, the wrong way round; and once more.
    assert {one["outcome"] for one in await send(karim, day[:3])} == {"done"}
    whole = await send(karim, day[::-1])
    assert [one["outcome"] for one in whole] == ["done"] * 6 + ["done_before"] * 3
    assert {one["outcome"] for one in await send(karim, day)} == {"done_before"}

    told = done(await karim.get(path))
    assert (told["status"], told["done_at"][:19]) == ("completed", day[4]["at"][:19])
    assert [(one["to"], one["at"][:19]) for one in told["acts"]] == [
        (one["move"]["to"], one["at"][:19]) for one in day[:5]
    ]
    await eventually(partial(is_now, lea, claim, "in_progress"))
    assert "acts" not in done(await lea.get(path))
    assert done(await marie.get(f"{path}/report"))["signed_at"][:19] == day[7]["at"][:19]
    done(await marie.post(f"{path}/report/validate"))
    await eventually(partial(is_now, lea, claim, "resolved"))
    mails = await system.sql("notifier", TOLD, "technician_on_the_way", lea.id)
    assert mails == [], "that was two hours ago"


async def test_what_came_too_late_is_answered_and_told(system: System, marie: Person) -> None:
    lea, karim, sofia = (
        await system.client(),
        await system.technician("Karim Haddad"),
        await system.technician(),
    )
    claim, visit = await assigned(lea, marie, karim)
    done(await assign(marie, claim, sofia))
    await visit_of(karim, claim, "cancelled")
    french = {"Accept-Language": "fr"}
    first, *others = await send(karim, a_day(visit, "a" * 64)[:5], headers=french)
    assert (first["outcome"], first["problem"]["code"]) == ("refused", "illegal_move")
    assert "n’est pas possible" in first["problem"]["detail"]
    assert {one["outcome"] for one in others} == {"refused"}
    text = await letter(
        system, marie.email, f"Travail hors connexion non enregistré\u00a0: {claim['reference']}"
    )
    assert "Karim Haddad" in text
    [hers] = await items(sofia, "/interventions", reclamation_id=claim["id"])
    assert hers["status"] == "planned"


TOLD = "SELECT FROM notification WHERE template = $1 AND user_id = $2"


async def is_now(who: Person, claim: Json, status: str) -> bool:
    return bool(await field(who, f"/reclamations/{claim['id']}", "status") == status)
