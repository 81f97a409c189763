"""The main job of the product, from an article to a paid invoice, through the edge."""

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest
from eventually import eventually
from stories import done, items, types
from system import Person, System

from sav_ops.demo import journey
from sav_ops.demo.journey import Act, Cast, Player, Story

CLIENT_READS = {
    "ReclamationCreated",
    "PhotoAdded",
    "ReclamationQualified",
    "TechnicianAssigned",
    "InterventionPlanned",
    "WarrantyDecided",
    "AppointmentBooked",
    "InterventionMoved",
    "InterventionStarted",
    "ReclamationMoved",
    "ReportValidated",
    "InterventionClosed",
    "FeedbackGiven",
    "ReclamationClosed",
}
BILLING = {"InvoiceIssued", "PaymentRecorded", "InvoicePaid"}
AGREED = {"EstimateSent", "EstimateAccepted"}
STAFF_READS = CLIENT_READS | {
    "WorkRecorded",
    "VisitPhotoAdded",
    "ReportSubmitted",
    "AppointmentAttended",
    "FeedbackInvited",
}


async def unheard(act: Act) -> None:
    """Nobody watches."""


def voice(person: Person, name: str) -> Player:
    return Player(person.http, name, person.role, person.id, person.token, unheard)


@pytest.fixture(scope="module")
async def cast(system: System) -> Cast:
    return Cast(
        client=voice(await system.client(), "Léa Bernard"),
        technician=voice(await system.technician("Karim Haddad"), "Karim Haddad"),
        manager=voice(await system.manager(), "Marie Laurent"),
        admin=voice(await system.admin(), "Alex Dubois"),
    )


@pytest.fixture(scope="module")
async def paid(cast: Cast) -> Story:
    return await journey.outside_warranty(cast)


@pytest.fixture(scope="module")
async def covered(system: System, cast: Cast) -> Story:
    return await journey.under_warranty(replace(cast, client=voice(await system.client(), "Paul Petit")))


async def told(who: Player, **parameters: Any) -> list[dict[str, Any]]:
    """The messages to somebody beside those about the account, once none is on its way any more.

    The list of a day, which waits for the morning, is left out.
    """

    async def look() -> list[dict[str, Any]] | None:
        seen = await who.sees("/notifications", user_id=who.id, limit=200, **parameters)
        found = [one for one in seen if one["template"] != "visits_of_day"]
        return found if not any(one["status"] in ("planned", "queued") for one in found) else None

    found = await eventually(look)
    assert found
    return [one for one in found if one["category"] != "account"]


async def test_outside_warranty_it_ends_with_a_paid_invoice(paid: Story) -> None:
    assert paid.invoice
    assert re.fullmatch(r"FAC-20\d\d-\d{6}", paid.invoice["number"])
    assert (paid.invoice["status"], paid.invoice["balance"]) == ("paid", "0.00")
    assert paid.claim["coverage"] == "not_covered"
    assert {line["kind"] for line in paid.invoice["lines"]} == {"labour", "part", "travel"}
    assert {total["rate"] for total in paid.invoice["vat"]} == {"10"}
    assert paid.pdf.startswith(b"%PDF")
    assert (paid.claim["status"], paid.claim["resolution"]) == ("closed", "repaired")


async def test_every_step_stands_in_the_timeline_of_whoever_it_concerns(cast: Cast, paid: Story) -> None:
    client, technician, manager = [
        set(await types(Person(v.id, "", v.role, v.http, v.token), paid.claim))
        for v in (cast.client, cast.technician, cast.manager)
    ]
    assert client == CLIENT_READS | BILLING | AGREED
    assert manager >= STAFF_READS | BILLING | AGREED | {"InvoiceDrafted", "EstimateWritten"}
    assert technician >= STAFF_READS | AGREED | {"EstimateWritten"}
    assert not technician & (BILLING | {"InvoiceDrafted"})


async def test_the_product_has_its_service_history(cast: Cast, paid: Story) -> None:
    entries = await cast.client.sees(f"/products/{paid.product['id']}/timeline", limit=200)
    names = {entry["type"].split(".")[1] for entry in entries}
    assert {"ProductRegistered", "ProofSubmitted", "ProductVerified", "ReclamationCreated"} <= names
    assert "InterventionClosed" in names


async def test_everybody_is_told_and_the_history_says_where_the_mail_is(cast: Cast, paid: Story) -> None:
    client, technician, manager = [await told(who) for who in (cast.client, cast.technician, cast.manager)]
    for one in [*client, *technician, *manager]:
        # The story is quicker than any person: a message may be overtaken before it leaves, and says so.
        overtaken = one["status"] == "suppressed" and one["reason"]
        assert one["status"] == "kept_locally" or overtaken, one
    assert {"reclamation", "assignment", "appointment", "billing", "feedback"} <= {
        one["category"] for one in client
    }
    assert "billing" in {one["category"] for one in manager}
    assert {one["category"] for one in technician} <= {"assignment", "appointment", "reclamation"}


async def test_the_report_counts_it(cast: Cast, paid: Story) -> None:
    async def counted() -> dict[str, Any] | None:
        report = done(await cast.client.http.get("/api/reports/reclamations", headers=cast.client.headers()))
        return report if report["closed"] else None

    report = await eventually(counted)
    assert (report["opened"], report["closed"], report["visits"]) == (1, 1, 1)
    assert (report["feedback"], report["average_rating"]) == (1, 5.0)
    assert paid.invoice
    assert report["invoiced"] == report["received"] == paid.invoice["total"]


async def test_under_warranty_there_is_nothing_to_pay(cast: Cast, covered: Story) -> None:
    assert covered.claim["coverage"] == "covered"
    assert covered.claim["status"] == "closed"
    assert await cast.manager.sees("/invoices", reclamation_id=covered.claim["id"]) == []


async def test_under_warranty_nobody_is_told_about_billing(cast: Cast, covered: Story) -> None:
    messages = await cast.manager.sees("/notifications", user_id=covered.claim["client_id"], limit=200)
    assert messages
    assert "billing" not in {one["category"] for one in messages}


async def test_a_late_event_of_the_catalogue_is_waited_for_and_decides_right(
    system: System, cast: Cast
) -> None:
    """Interventions has no copy of the product when the technician is assigned: not unknown, but not yet."""
    client = voice(await system.client(), "Nora Lambert")
    late = replace(cast, client=client)
    held = await asyncpg.connect(system.settings.database("interventions"))
    try:
        async with held.transaction():
            # Reads go on; no copy arrives.
            await held.execute("LOCK TABLE view IN EXCLUSIVE MODE")
            story = await journey.registered(late, bought=date.today() - timedelta(days=50))
            await journey.reported(late, story)
            await cast.manager.does(
                "assigns Karim",
                f"POST /reclamations/{story.claim['id']}/assign",
                {"technician_id": cast.technician.id},
            )
            [parked] = await eventually(
                lambda: system.sql(
                    "interventions",
                    "SELECT error FROM task WHERE use = 'parked' AND lane = $1 AND error LIKE '%NotYet%'",
                    story.claim["id"],
                )
            )
            assert "product" in parked["error"]
            assert (
                await items(
                    Person(cast.technician.id, "", "technician", client.http, cast.technician.token),
                    "/interventions",
                    reclamation_id=story.claim["id"],
                )
                == []
            )
    finally:
        await held.close()
    visit = await cast.technician.awaits("/interventions", reclamation_id=story.claim["id"])
    assert (visit["warranty"]["decision"], visit["warranty"]["why"]) == ("covered", "cover_applies")
