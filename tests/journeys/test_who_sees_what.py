"""What each of them reads of the same réclamation, before and after it changed hands."""

from typing import Any

import pytest
from eventually import eventually
from recipes import CLIENT_FORMS
from stories import (
    Json,
    assign,
    assigned,
    done,
    ids,
    items,
    move,
    opened,
    qualified,
    refused,
    types,
    visit_of,
    wrong_fields,
)
from system import Person, System

from sav_contracts.claims.reclamation import ReclamationForClient
from sav_contracts.interventions.visit import InterventionForClient
from sav_contracts.messages import View

STAFF_FIELDS = {
    name
    for view, form in CLIENT_FORMS.items()
    for name in view.model_fields.keys() - form.model_fields.keys()
}
SECRET_WORDS = ("raison interne", "chien méchant")


async def story(system: System, marie: Person) -> tuple[Person, Person, Person, Json, Json]:
    """Léa's réclamation was with Karim, who told why, and is now Sofia's, who is there."""
    lea = await system.client()
    karim, sofia = await system.technician("Karim Haddad"), await system.technician("Sofia Martin")
    claim, first = await assigned(lea, marie, karim)
    again = {"priority": "low", "reason": "raison interne"}
    done(await marie.post(f"/reclamations/{claim['id']}/qualify", again))
    await move(karim, first, "accepted")
    done(await assign(marie, claim, sofia))
    second = await visit_of(sofia, claim)
    await eventually(lambda: ids(karim, "/interventions", status="cancelled"))
    await move(sofia, second, "accepted", "en_route", "on_site", reason="chien méchant")
    return lea, karim, sofia, claim, second


async def test_no_staff_field_ever_reaches_the_client(system: System, marie: Person) -> None:
    lea, _, sofia, claim, second = await story(system, marie)
    forms: dict[str, type[View]] = {
        "/reclamations": ReclamationForClient,
        "/interventions": InterventionForClient,
    }
    assert {
        *("assignment", "priority", "priority_reason", "reason", "cause", "work", "acts"),
        *(
            "requested_at",
            "respond_by",
            "resolve_by",
            "responded_at",
            "resolve_met",
            "paused_total",
            "legal_due",
        ),
        *("respond_breached", "resolve_breached", "legal_breached", "overdue", "due_at"),
        *("minimum_stock", "hash", "previous_hash", "parts_edition", "parts_validated"),
        *("notes", "author_id", "author", "mentions"),
        *("channel", "opened_by", "unanswered", "repeat_of", "earlier_visit_id"),
        *("before_waiting", "needs_technician", "tasks", "appliance", "skills_needed"),
        *("lateness_cause", "help_asked_at", "help_asked_for"),
        *("supply", "lacks", "reminders", "agreed", "unestimated"),
        *("busy_until", "close", "closer"),
    } == STAFF_FIELDS
    for path, form in forms.items():
        for listed in await items(lea, path):
            assert listed.keys() == form.model_fields.keys()
            assert done(await lea.get(f"{path}/{listed['id']}")) == listed
    for path in (
        "/me",
        "/clients",
        f"/clients/{lea.id}",
        "/technicians",
        f"/technicians/{sofia.id}",
        *forms,
        f"/reclamations/{claim['id']}/timeline",
    ):
        answer = await lea.get(path)
        told = done(answer)
        # That a visit is late its client may know, not so the clocks of a réclamation.
        known = {"overdue"} if path == "/interventions" else set()
        assert not fields(told) & (STAFF_FIELDS - known | {"by_id"}), path
        for word in SECRET_WORDS:
            assert word not in answer.text, path
    reread = done(await marie.get(f"/interventions/{second['id']}"))
    assert reread["reason"] == "chien méchant", "the staff's form has it, so this test can fail"
    assert fields(await items(marie, f"/reclamations/{claim['id']}/timeline")) >= {"priority", "by_id"}


def fields(told: Any) -> set[str]:
    """Every name in a JSON document that says something; a warranty's `reason` is there, and empty for clients."""
    if isinstance(told, dict):
        said = {name: value for name, value in told.items() if value is not None}
        return set(said).union(*map(fields, said.values()))
    return set().union(*map(fields, told)) if isinstance(told, list) else set()


async def test_the_client_reads_plainer_states_of_a_visit(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    _, visit = await assigned(lea, marie, karim)
    path = f"/interventions/{visit['id']}"
    await move(karim, visit, "accepted")
    assert done(await karim.get(path))["status"] == "accepted"
    assert done(await lea.get(path))["status"] == "planned"
    assert await ids(lea, "/interventions", status="planned") == [visit["id"]]
    assert await ids(lea, "/interventions", status="accepted") == []
    assert await ids(karim, "/interventions", status="planned") == []
    assert await ids(karim, "/interventions", status="accepted") == [visit["id"]]

    other, declined = await assigned(lea, marie, karim)
    await move(karim, declined, "declined", reason="malade")
    assert done(await lea.get(f"/interventions/{declined['id']}"))["status"] == "cancelled"
    assert await ids(lea, "/interventions", status="declined") == []
    assert await ids(lea, "/interventions", reclamation_id=other["id"]) == [declined["id"]]


@pytest.mark.parametrize("parameter", ["priority", "priority_reason"])
async def test_a_client_cannot_filter_or_sort_by_what_only_staff_see(
    system: System, marie: Person, parameter: str
) -> None:
    lea = await system.client()
    assert wrong_fields(await lea.get("/reclamations", **{parameter: "high"})) == {parameter}
    assert wrong_fields(await lea.get("/reclamations", sort=parameter)) == {"sort"}
    if parameter == "priority":
        done(await marie.get("/reclamations", priority="high"))


async def test_a_client_filter_finds_nothing_of_others(system: System, marie: Person) -> None:
    lea, paul, karim = await system.client(), await system.client(), await system.technician()
    his, _ = await assigned(paul, marie, karim)
    for parameters in (
        {"client_id": paul.id},
        {"technician_id": karim.id},
        {"reference": his["reference"]},
        {"status": ["submitted", "qualified", "assigned"]},
    ):
        assert await ids(lea, "/reclamations", **parameters) == []
    assert await ids(lea, "/interventions", reclamation_id=his["id"]) == []
    assert await ids(paul, "/reclamations", reference=his["reference"]) == [his["id"]]


async def test_timelines_show_each_their_own_after_a_reassignment(system: System, marie: Person) -> None:
    lea, karim, sofia, claim, _ = await story(system, marie)
    everything = await types(marie, claim)
    assert everything == [
        "ReclamationCreated",
        "ReclamationQualified",
        "TechnicianAssigned",
        "InterventionPlanned",
        "WarrantyDecided",
        "ReclamationQualified",
        "InterventionMoved",  # Karim accepts
        "TechnicianAssigned",
        "InterventionMoved",  # his visit is cancelled
        "InterventionPlanned",
        "WarrantyDecided",
        "InterventionMoved",  # Sofia accepts, goes, is there
        "InterventionMoved",
        "InterventionMoved",
    ]

    def without(*places: int) -> list[str]:
        return [name for n, name in enumerate(everything) if n not in places]

    assert await types(sofia, claim) == without(3, 4, 6, 8)
    hers = await types(lea, claim)
    # Not who accepted, nor that it was qualified anew with a reason of the house.
    assert [name for name in hers if name != "ReclamationQualified"] == without(1, 5, 6, 11)
    refused(await karim.get(f"/reclamations/{claim['id']}/timeline"), 404, "not_found")


async def test_a_client_reads_in_which_role_somebody_acted_not_who(system: System, marie: Person) -> None:
    lea = await system.client()
    claim = await qualified(lea, marie)
    hers = await items(lea, f"/reclamations/{claim['id']}/timeline")
    assert hers[0]["by"] == "client"
    assert all("by_id" not in entry for entry in hers)
    staff = await items(marie, f"/reclamations/{claim['id']}/timeline")
    assert [(entry["by"], entry["by_id"]) for entry in staff] == [("client", lea.id), ("manager", marie.id)]


async def test_a_timeline_is_paged_oldest_first(system: System, marie: Person) -> None:
    lea, _, _, claim, _ = await story(system, marie)
    path = f"/reclamations/{claim['id']}/timeline"
    for who in (lea, marie):
        whole = await items(who, path)
        assert [entry["at"] for entry in whole] == sorted(entry["at"] for entry in whole)
        for limit in (1, 5):
            paged: list[Json] = []
            after: dict[str, str] = {}
            while True:
                page = done(await who.get(path, limit=limit, **after))
                paged += page["items"]
                assert len(page["items"]) <= limit
                if page["next"] is None:
                    break
                after = {"after": page["next"]}
            assert paged == whole
    wrong = await lea.get(path, sort="at", status="x", created_from="2026-01-01T00:00:00Z", after="x")
    assert wrong_fields(wrong) == {"sort", "status", "created_from", "after"}


async def test_a_technician_reads_a_profile_while_an_open_record_names_its_client(
    system: System, marie: Person
) -> None:
    lea, karim, sofia = await system.client(), await system.technician(), await system.technician()
    await eventually(lambda: ids(lea, "/clients"))
    refused(await karim.get(f"/clients/{lea.id}"), 404, "not_found")
    claim, _ = await assigned(lea, marie, karim)
    assert done(await karim.get(f"/clients/{lea.id}"))["email"] == lea.email
    assert await ids(karim, "/clients") == [lea.id]
    refused(await sofia.get(f"/clients/{lea.id}"), 404, "not_found")

    done(await assign(marie, claim, sofia))
    await visit_of(sofia, claim)
    await eventually(lambda: ids(karim, "/interventions", status="cancelled"))
    refused(await karim.get(f"/clients/{lea.id}"), 404, "not_found")
    assert await ids(karim, "/clients") == []
    assert await ids(sofia, "/clients") == [lea.id]


async def test_a_client_reads_the_cards_of_those_who_work_or_worked_for_them(
    system: System, marie: Person
) -> None:
    lea, karim, sofia, _, _ = await story(system, marie)
    nadia, paul = await system.technician("Nadia"), await system.client()
    assert set(await ids(lea, "/technicians")) == {karim.id, sofia.id}
    assert done(await lea.get(f"/technicians/{karim.id}"))["name"] == "Karim Haddad"
    refused(await lea.get(f"/technicians/{nadia.id}"), 404, "not_found")
    assert await ids(paul, "/technicians") == []
    refused(await paul.get(f"/technicians/{karim.id}"), 404, "not_found")
    assert await ids(karim, "/technicians") == [karim.id]
    refused(await karim.get(f"/technicians/{sofia.id}"), 404, "not_found")


async def test_a_former_technician_keeps_their_own_visits_only(system: System, marie: Person) -> None:
    _, karim, sofia, claim, second = await story(system, marie)
    [kept] = await items(karim, "/interventions")
    assert kept["technician_id"] == karim.id
    assert kept["status"] == "cancelled"
    refused(await karim.get(f"/interventions/{second['id']}"), 404, "not_found")
    refused(await karim.get(f"/reclamations/{claim['id']}"), 404, "not_found")
    assert await ids(karim, "/reclamations") == []
    acting = await karim.post(f"/interventions/{second['id']}/moves", {"to": "in_progress"})
    refused(acting, 404, "not_found")
    assert await ids(sofia, "/interventions") == [second["id"]]


async def test_a_client_sees_nothing_of_another_client(system: System, marie: Person) -> None:
    _, _, _, claim, second = await story(system, marie)
    paul = await system.client()
    await eventually(lambda: ids(paul, "/clients"))
    assert await ids(paul, "/clients") == [paul.id]
    for path in ("/reclamations", "/interventions", "/technicians"):
        assert await ids(paul, path) == []
    for path in (
        f"/reclamations/{claim['id']}",
        f"/interventions/{second['id']}",
        f"/clients/{claim['client_id']}",
    ):
        refused(await paul.get(path), 404, "not_found")


async def test_each_sees_their_writes_at_once(system: System, marie: Person) -> None:
    lea, karim = await system.client(), await system.technician()
    claim = await opened(lea)
    path = f"/reclamations/{claim['id']}"
    assert done(await lea.get(path)) == claim
    assert await ids(lea, "/reclamations") == [claim["id"]]
    assert await types(lea, claim) == ["ReclamationCreated"]
    for command, body in (
        ("qualify", {"priority": "high", "coverage": "covered", "reason": "sous garantie"}),
        ("qualify", {"priority": "low", "reason": "moins grave"}),
        ("assign", {"technician_id": karim.id}),
    ):
        written = done(await marie.post(f"{path}/{command}", body))
        assert done(await marie.get(path)) == written
        assert (await items(marie, "/reclamations", client_id=lea.id)) == [written]
    visit = await visit_of(karim, claim)
    for step in ("accepted", "en_route", "on_site", "in_progress"):
        written = done(await karim.post(f"/interventions/{visit['id']}/moves", {"to": step}))
        assert done(await karim.get(f"/interventions/{visit['id']}")) == written
        assert await ids(karim, "/interventions", status=step) == [visit["id"]]
