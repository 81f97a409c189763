"""No command that is accepted makes news that somebody cannot take, whatever its type lets pass."""

import copy
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest
from asked import leaves
from eventually import eventually
from extremes import WIDE, Ends, Json, filled
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from in_loop import run
from pictures import picture
from recipes import RECIPES, Scene, call, scene
from stories import done, items
from system import Person, System, door
from uuid_utils.compat import uuid7

from sav_chassis import topology
from sav_contracts.actor import Role
from sav_contracts.claims.triage import MOST
from sav_contracts.interventions.act import MOST_ACTS
from sav_contracts.messages import Command
from sav_contracts.surface import SURFACE, MessageRow, SignedRow
from sav_ops import queues, rooms
from sav_ops.demo.journey import BOILER

# What another system signs, nobody else writes.
COMMANDS = [
    row
    for row in SURFACE
    if isinstance(row, MessageRow) and issubclass(row.message, Command) and not isinstance(row, SignedRow)
]
ROWS = {row.route: row for row in COMMANDS}
# Who may do most comes first.
ROLES = (Role.MANAGER, Role.TECHNICIAN, Role.CLIENT, Role.ADMIN, Role.ANYONE)
# The recipe pays a cent of what is due, leaves a price that can be billed, lists and counts an article once, validates
# the list that there is, and changes what no other test minds.
GIVEN = {
    "PUT /reclamations/{reclamation_id}/parts": {"parts"},
    "POST /orders": {"purpose", "reclamation_id", "lines"},
    "POST /reclamations/{reclamation_id}/parts/validate": {"edition"},
    # Money was received within a year.
    "POST /invoices/{invoice_id}/payments": {"amount", "received_on"},
    "POST /invoices/{invoice_id}/credit": {"lines"},
    "POST /interventions/{intervention_id}/deposits": {"percent", "lines", "discount", "supply"},
    # A sale with its fitting, or one by telephone, is never urgent.
    "POST /interventions/{intervention_id}/estimates": {"discount", "supply", "supplies", "setting"},
    # Not signed before it was sent.
    "POST /estimates/{estimate_id}/acceptance": {"signed_on"},
    "POST /estimates/{estimate_id}/withdrawal": {"declared_on"},
    # Its last day is not over.
    "POST /estimates/{estimate_id}/validate": {"valid_until"},
    # Said before it is confirmed.
    "POST /withdrawal/{token}": {"confirm"},
    "POST /order-withdrawal/{token}": {"confirm"},
    # The invoice is of no estimate.
    "PATCH /invoices/{invoice_id}": {
        *("buyer_siren", "buyer_tax_number", "buyer_kind", "discount", "supply", "above_estimate"),
    },
    "POST /clients/{client_id}/payments": {"amount", "received_on"},
    "POST /payments/{payment_id}/refund": {"amount"},
    "POST /client-credits/{client_credit_id}/use": {"amount", "invoice_id"},
    "POST /client-credits/{client_credit_id}/refund": {"amount"},
    # An article is no part of itself.
    "PATCH /articles/{article_id}": {"price", "compatible_parts"},
    "PUT /policies/{name}": {"value"},
    # Each is on a weekday or on one day; a client's own comes by the site.
    "POST /reclamations": {"preferred_times"},
    "PUT /me/reclamation-draft": {"preferred_times"},
    "POST /stock/stocktakes": {"counted_at", "counts"},
    # Not before the day of the order.
    "POST /orders/{order_id}/withdrawal": {"said_on"},
    "POST /interventions/{intervention_id}/moves": {"at", "position"},
    # The réclamation says what it is about; no task of any visit has such a code, and dangerous air ends the visit.
    "POST /interventions": {"client_id", "product_id", "article", "place"},
    # A replacement has another serial number than what failed.
    "PUT /interventions/{intervention_id}/work": {
        *("tasks", "co_ppm", "co_measured_at", "co_not_measured", "replacement_serial")
    },
    # Its technician stays.
    "POST /appointments/{appointment_id}/reschedule": {"technician_id"},
    # Times that are free, and a conflict that there is.
    "POST /conflicts/{conflict_id}/offer": {"times"},
    "POST /times/{token}": {"choice"},
    "POST /conflicts/plan": {"items"},
    # Whoever works nowhere, or takes no visits, is of no use to other tests.
    "PATCH /technicians/{technician_id}": {"skills", "zone", "active"},
    "PUT /technicians/{technician_id}/hours": {"effective_from"},
    "POST /technicians/{technician_id}/absences": {"first_day", "last_day", "start", "end"},
}
# Those whose record is not used up by it.
AGAIN_AND_AGAIN = [
    row
    for row in COMMANDS
    for recipe in [RECIPES[row.route]]
    if not (recipe.fresh or recipe.alone or recipe.files)
]
HOURS = ("00:00:00", "06:00:00", "12:00:00", "18:00:00", "23:59:59.999999")
FULL_WEEK = [
    {"day": day, "start": start, "end": end}
    for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    for start, end in pairwise(HOURS)
]
TO_DO = """
SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM task WHERE state = 'waiting'
    AND (attempts = 0 AND (use = 'parked' OR due <= now()) OR error LIKE '%is not known here yet%')) AS count"""
# What other tests kept from somebody may wait for minutes between two tries by now.
TRY_NOW = """
UPDATE task SET due = now() WHERE state = 'waiting' AND use = 'parked' AND due > now() + interval '2 seconds'
    AND error LIKE '%is not known here yet%' RETURNING 1"""
FAILED = """
SELECT concat(message::json ->> 'type', message::json ->> 'function', ' ', key, ': ', error) AS failed
FROM task WHERE state = 'dead' OR attempts > 0"""


@pytest.fixture(scope="module", name="scene")
async def a_scene_of_its_own(system: System) -> AsyncIterator[Scene]:
    """Behind a door that counts nobody's requests; whatever is sent may be taken."""
    async with door(system.settings.model_copy(update={"rate_limits_scale": 0})) as http:
        patient = copy.copy(system)
        patient.http = http
        found = await scene(patient)
        yield found
        system.staying.discard(found.manager.id)


async def failures(system: System) -> set[str]:
    """What reactions, timers and effects have failed at, and what no projection could take; once all is heard."""

    async def heard() -> bool:
        for room in rooms.SERVICES:
            await system.sql(room, TRY_NOW)
        left = {room: (await system.sql(room, TO_DO))[0]["count"] for room in rooms.SERVICES}
        depths = await queues.depths(system.settings.broker_url, list(topology.wanted()))
        left |= {queue: depth.messages for queue, depth in depths.items()}
        busy.update(left)
        return not any(left.values())

    busy: dict[str, int] = {}
    try:
        await eventually(heard, 120)
    except AssertionError:
        left = [row["failed"] for room in rooms.SERVICES for row in await system.sql(room, FAILED)]
        raise AssertionError(f"{ {name: count for name, count in busy.items() if count} }: {left}") from None
    found = {row["failed"] for room in rooms.SERVICES for row in await system.sql(room, FAILED)}
    [dead] = (await queues.depths(system.settings.broker_url, [topology.DEAD])).values()
    return found | ({f"{dead.messages} dead message(s)"} if dead.messages else set())


@pytest.fixture(scope="module", autouse=True)
async def nobody_fails_at_it(system: System) -> AsyncIterator[None]:
    """Whatever was accepted here is taken in by everybody, in the end; other tests have left things of their own."""
    earlier = await failures(system)
    yield
    assert await failures(system) - earlier == set()


def kept(row: MessageRow) -> set[str]:
    """What stands in the path, and what is said better than by its type."""
    return GIVEN.get(row.route, set()) | set(re.findall(r"{(\w+)}", row.path))


async def to_the_end(
    who: Person, row: MessageRow, path: str, right: Json, ends: Ends, kind: str = "json", **sent: Any
) -> httpx.Response:
    """Sends it with every text as long as may be; a little shorter, where all of them together are too long."""
    while True:
        told = filled(row.message, right, ends, kept(row))
        answer = await who.ask(row.method, path, **sent | {kind: told})
        if "shorte" not in answer.text or ends.share < 0.1:
            return answer
        ends.share -= 0.05


def known(scene: Scene) -> Json:
    part = scene.near.records["article"]
    chosen = {"list": "/reclamations", "query": "&".join(["status=submitted"] * 117)}
    claim = scene.near.records["reclamation"]
    items = [{"reject": {"reclamation_id": claim, "reason": WIDE * 500}}] * MOST
    moved = {"intervention_id": scene.near.records["intervention"], "to": "completed", "reason": WIDE * 400}
    at = datetime.now(UTC).isoformat()
    acts = [{"id": str(uuid7()), "at": at, "move": moved} for _ in range(MOST_ACTS)]
    many = {"compatible_parts": [part] * 50, "shifts": FULL_WEEK, "items": items, "acts": acts}
    # One of the country.
    return {"article_id": part, "postcode": "69003"} | many | chosen


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.route)
async def test_the_most_that_a_command_takes_is_taken(row: MessageRow, scene: Scene) -> None:
    role = next(role for role in ROLES if role in row.roles)
    asked = await call(row, scene, scene.near, role)
    kind = "data" if "data" in asked.sent else "json"
    right, ends = asked.sent.pop(kind, {}), Ends(known=known(scene))
    answer = await to_the_end(asked.who or scene.who(role), row, asked.path, right, ends, kind, **asked.sent)
    assert answer.status_code < 300, f"{row.route}, texts of {ends.share:.0%}: {answer.text}"


# Hypothesis sees that others in this process use `random` meanwhile.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@pytest.mark.parametrize("row", AGAIN_AND_AGAIN, ids=lambda row: row.route)
async def test_whatever_is_taken_of_a_command_is_taken_by_all(row: MessageRow, scene: Scene) -> None:
    role = next(role for role in ROLES if role in row.roles)
    asked = await call(row, scene, scene.near, role, fresh=False)
    there = [leaf.path for leaf in leaves(row.message)]

    @given(
        most=st.booleans(),
        share=st.sampled_from([1.0, 0.3]),
        letter=st.sampled_from(
            [WIDE, '"', "\u2028", "\u202e", "\u0301", "\U0001f468\u200d\U0001f527", "%", "{", "<"]
        ),
        day=st.sampled_from([date(1900, 1, 1), date(2200, 12, 31), date.today()]),
        chosen=st.sets(st.sampled_from(there)) if there else st.just(set()),
    )
    @settings(
        max_examples=6,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    async def send(most: bool, share: float, letter: str, day: date, chosen: set[Any]) -> None:
        ends = Ends(most, share, letter, known(scene), day)
        right = asked.sent.get("json", {})
        told = filled(row.message, right, ends, kept(row), lambda leaf: leaf.path in chosen)
        answer = await scene.who(role).ask(row.method, asked.path, json=told)
        assert answer.status_code < 500, f"{told}: {answer.text}"

    await run(send)


@pytest.mark.parametrize("letter", [WIDE, '"', "\u2028"], ids=["wide", "escaped", "ending a line"])
async def test_a_whole_life_of_the_longest_words_and_the_largest_amounts(scene: Scene, letter: str) -> None:
    """What each step takes is added to what the record has already; all of it is billed, printed and mailed."""
    client, technician, manager = await scene.system.client(), scene.near.technician, scene.manager

    async def does(
        who: Person, route: str, right: Json | None = None, known: Json | None = None, **ids: Any
    ) -> Json:
        row, ends = ROWS[route], Ends(letter=letter, known={"postcode": "69003"} | (known or {}))
        answer = await to_the_end(who, row, row.path.format(**ids), right or {}, ends)
        return done(answer, row.status)

    await does(client, "PATCH /me")
    boiler = await does(manager, "POST /articles", BOILER, {"price": "95000000.00", "compatible_parts": []})
    its = {"article_id": boiler["id"]}
    product = await does(client, "POST /products", its, its)
    paper = {"proof": ("f.png", picture("PNG"))}
    proven = done(await client.ask("PUT", f"/products/{product['id']}/proof", files=paper))
    looked = {"proof": proven["proof"]["sha256"]}
    await does(manager, "POST /products/{product_id}/verify", looked, looked, product_id=product["id"])

    # What a product gives itself, and days of a weekday or a date, which exclude each other.
    of_product = {"article": None, "place": None, "preferred_times": None}
    broken = {"product_id": product["id"], "problem_type": "leak"}
    claim = {"reclamation_id": (await does(client, "POST /reclamations", broken, of_product))["id"]}
    urgent = {"priority": "critical", "coverage": "partly"}
    await does(manager, "POST /reclamations/{reclamation_id}/qualify", urgent, **claim)
    whom = {"technician_id": technician.id}
    await does(manager, "POST /reclamations/{reclamation_id}/assign", whom, **claim)
    [visit, *_] = await eventually(lambda: items(technician, "/interventions", **claim))
    visit = {"intervention_id": visit["id"]}

    dear = {"covered": 1, "minutes": 60, "discount": None, "unit_price": "1600000.00"}
    distant = {"setting": "at_distance", "urgent": None}
    estimates = "POST /interventions/{intervention_id}/estimates"
    written = await does(technician, estimates, distant, dear | distant, **visit)
    estimate = {"estimate_id": written["id"]}
    await does(manager, "POST /estimates/{estimate_id}/validate", **estimate)
    at_once = {"begins_early": True, "acknowledges_loss": True}
    await does(client, "POST /estimates/{estimate_id}/accept", at_once, at_once, **estimate)

    async def moves(*steps: str) -> None:
        for step in steps:
            to = {"to": step, "cause": "parts"}
            await does(technician, "POST /interventions/{intervention_id}/moves", to, **visit)

    await moves("accepted", "en_route", "on_site", "in_progress", "paused", "in_progress")
    used = {"parts": [its | {"quantity": 1, "serial": f"x{letter * 58}x"}]}
    await does(technician, "PUT /interventions/{intervention_id}/work", known=used, **visit)
    await moves("completed")
    partly = dict.fromkeys(("parts", "labour", "travel"), 1)
    await does(manager, "POST /interventions/{intervention_id}/warranty", known=partly, **visit)
    await does(technician, "PUT /interventions/{intervention_id}/report", **visit)
    refused = {"refused": f"x{letter * 498}x"}
    await does(technician, "POST /interventions/{intervention_id}/report/sign", refused, **visit)
    await does(technician, "POST /interventions/{intervention_id}/report/submit", **visit)
    await does(manager, "POST /interventions/{intervention_id}/report/send-back", **visit)
    await does(technician, "POST /interventions/{intervention_id}/report/submit", **visit)
    await does(manager, "POST /interventions/{intervention_id}/report/validate", **visit)

    [draft] = await eventually(lambda: items(manager, "/invoices", **visit), 20)
    invoice = {"invoice_id": draft["id"]}
    beyond = {"above_estimate": f"x{letter * 498}x"}
    await does(manager, "PATCH /invoices/{invoice_id}", beyond, dear, **invoice)
    due = await does(manager, "POST /invoices/{invoice_id}/issue", **invoice)
    paid = {"method": "transfer", "amount": due["balance"]}
    await does(manager, "POST /invoices/{invoice_id}/payments", paid, **invoice)
    await eventually(lambda: items(client, "/feedback", **visit), 20)
    await does(client, "POST /interventions/{intervention_id}/feedback", **visit)
    await does(manager, "POST /reclamations/{reclamation_id}/moves", {"to": "closed"}, **claim)

    async def printed() -> bool:
        report = f"/interventions/{visit['intervention_id']}/report"
        papers = [await client.get(f"{one}.pdf") for one in (f"/invoices/{draft['id']}", report)]
        return all(paper.content[:4] == b"%PDF" for paper in papers)

    await eventually(printed, 30)
