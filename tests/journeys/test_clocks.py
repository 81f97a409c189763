"""What is due, what is late, and the dashboard of it: through the edge, with real timers."""

from functools import partial
from typing import Any, get_args
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from eventually import eventually
from stories import Json, assigned, done, items, opened, qualified, refused
from system import Person, System

from sav_contracts.calendar.hours import Weekday

# The firm works day and night; what has a low priority is resolved within a minute.
ALWAYS: Json = {
    "openings": [{"day": day, "start": "00:00:00", "end": "23:59:59"} for day in get_args(Weekday)],
    "low": {"respond_minutes": 1, "resolve_minutes": 1},
    "warn_percent": 1,
    "holidays": "JP",
}


async def told(who: Person, template: str, claim: Json) -> list[Json]:
    notified = await items(who, "/notifications", limit="200")
    mine = [one for one in notified if one["user_id"] == who.id and one["template"] == template]
    return [one for one in mine if claim["reference"] in one["subject"]]


async def test_an_admin_sets_the_targets_and_managers_learn_what_is_late(
    system: System, marie: Person
) -> None:
    alex, lea = await system.admin(), await system.client()
    for who in (lea, marie):
        refused(await who.ask("PUT", "/policies/sla_targets", json={"value": ALWAYS}), 403, "not_allowed")
    waiting = await opened(lea)
    before = done(await marie.get(f"/reclamations/{waiting['id']}"))
    assert before["respond_by"]
    assert "respond_by" not in waiting
    done(await alex.ask("PUT", "/policies/sla_targets", json={"value": ALWAYS}))
    try:

        async def set_anew() -> bool:
            return bool(
                done(await marie.get(f"/reclamations/{waiting['id']}"))["respond_by"] != before["respond_by"]
            )

        # What was open already follows, in the background.
        await eventually(set_anew, 30)

        claim = await opened(lea)
        # Most of its minute is over.
        earlier = "UPDATE reclamation SET created_at = created_at - interval '45 seconds' WHERE id = $1"
        await system.sql("claims", earlier, UUID(claim["id"]))
        done(await marie.post(f"/reclamations/{claim['id']}/qualify", {"priority": "low", "reason": "petit"}))
        [warning] = await eventually(lambda: told(marie, "sla_warning", claim), 30)
        assert warning["subject"].startswith("Échéance proche")

        async def overdue() -> list[Json]:
            listed = await items(marie, "/reclamations", overdue="true", client_id=lea.id)
            return [one for one in listed if one["id"] == claim["id"]]

        [late] = await eventually(overdue, 90)
        assert (late["resolve_breached"], late["respond_breached"]) == (True, False)
        for who in (marie, alex):
            assert len(await eventually(partial(told, who, "sla_breached", claim), 30)) == 1
        assert not await told(lea, "sla_breached", claim)
    finally:
        done(await alex.ask("PUT", "/policies/sla_targets", json={"value": {}}))


def figures(part: Any) -> list[Json]:
    """Every figure of a dashboard."""
    if isinstance(part, list):
        return [one for each in part for one in figures(each)]
    if not isinstance(part, dict):
        return []
    here = [part] if "list" in part else []
    return here + [one for each in part.values() for one in figures(each)]


async def test_the_dashboard_counts_what_the_lists_show_each_role(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    await opened(lea)
    await qualified(lea, marie)
    await assigned(lea, marie, karim)
    for who in (lea, karim):
        dashboard = done(await who.get("/dashboards/reclamations"))
        assert dashboard["open"]["count"] == (3 if who is lea else 1)
        assert ("priorities" in dashboard) == (who is karim)
        for figure in figures(dashboard):
            path, _, query = figure["list"].partition("?")
            asked: dict[str, list[str]] = {}
            for name, value in parse_qsl(query):
                asked.setdefault(name, []).append(value)
            assert len(await items(who, path, **asked)) == figure["count"], figure
    everybodys = done(await marie.get("/dashboards/reclamations"))
    assert everybodys["open"]["count"] >= 3
    assert sum(one["count"] for one in everybodys["statuses"]) == everybodys["open"]["count"]


async def test_triage_of_many_shows_at_once_what_it_did(system: System, marie: Person) -> None:
    lea = await system.client()
    claims = [await opened(lea) for _ in range(5)]
    sent: list[Json] = [{"qualify": {"reclamation_id": one["id"], "priority": "low"}} for one in claims[:3]]
    sent.append({"reject": {"reclamation_id": claims[3]["id"], "reason": "hors secteur"}})
    sent.append({"assign": {"reclamation_id": claims[4]["id"], "technician_id": lea.id}})
    answer = await marie.post("/reclamations/bulk", {"items": sent})
    outcomes = done(answer)["items"]
    assert [one["status"] for one in outcomes] == ["qualified"] * 3 + ["rejected", None]
    assert outcomes[4]["problem"]["detail"]
    listed = {one["id"]: one["status"] for one in await items(marie, "/reclamations", client_id=lea.id)}
    assert [listed[one["id"]] for one in claims] == ["qualified"] * 3 + ["rejected", "submitted"]
    refused(await lea.post("/reclamations/bulk", {"items": sent}), 403, "not_allowed")


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_a_refused_item_speaks_the_callers_language(
    system: System, marie: Person, language: str
) -> None:
    claim = await opened(await system.client())
    sent = {"items": [{"assign": {"reclamation_id": claim["id"], "technician_id": marie.id}}]}
    answer = await marie.http.post(
        "/api/reclamations/bulk", json=sent, headers=marie.headers() | {"Accept-Language": language}
    )
    [item] = answer.json()["items"]
    assert ("introuvable" in item["problem"]["detail"]) == (language == "fr"), item
    assert "french" not in item["problem"]
    assert answer.headers["content-language"] == language
