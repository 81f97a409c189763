"""What somebody alters behind the services' backs is named by `./sav verify`, in each place where something is kept."""

import time
from base64 import b32decode
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

import asyncpg
import pytest
import stories
from eventually import eventually
from stories import done, voice
from system import PASSWORD, System

from sav_auth import totp
from sav_chassis.settings import Settings
from sav_ops.demo import journey
from sav_ops.demo.journey import Cast
from sav_ops.verify.verification import erased, look, summary, verify


class Plant(NamedTuple):
    """One row altered in its database, or (`to` is None) deleted, and what verify says of it."""

    room: str
    table: str
    where: str
    to: str | None
    finding: str


CLAIM, VISIT, INVOICE, FIRST = "id = '{claim}'", "id = '{visit}'", "id = '{invoice}'", "id = '{first}'"
LINE = "root = '{claim}' AND event_id = '{qualified}'"
OTHER_LINE = "root = '{claim}' AND event_id = '{created}'"
ROW = "claims: reclamation {claim} is not what its last event says: "
# Those of one list stand beside each other: each is named all the same.
PLANTS: dict[str, list[Plant]] = {
    "logs": [
        Plant("claims", "event_log", "id = '{qualified}'", "body = replace(body, 'high', 'low')", "claims: the body of event {qualified} is not what was said"),
        Plant("claims", "event_log", "id = '{created}'", "actor_id = '{nobody}'", "claims: event {created} is not what was chained"),
        Plant("auth", "event_log", "position = 2", "actor_role = 'king'", "cannot be read (auth.PolicyChanged.v1)"),
        Plant("catalog", "event_log", "type LIKE 'catalog.StockMoved%'", "actor_role = 'king'", "cannot be read (catalog.StockMoved.v1)"),
        Plant("interventions", "event_log", "subject = '{payment}'", None, "is gone from the log"),
        Plant("auth", "event_chain", "link = 3", "hash = body_hash", "auth: event"),
        Plant("calendar", "event_chain", "link = 2", None, "calendar: the chain of the log lacks 1 link(s) before 3"),
        Plant("notifier", "event_chain", "link = (SELECT max(link) FROM event_chain)", None, "is in no chain"),
        Plant("reporting", "event_log", "position = 1", "body = '{{}}'", "cannot be read"),
    ],
    "timelines": [
        Plant("edge", "timeline", LINE, "doc = replace(doc::text, 'high', 'low')::json", "timeline of {claim} tells event {qualified}"),
        Plant("edge", "timeline", OTHER_LINE, "doc_client = NULL", "timeline of {claim} tells event {created} otherwise"),
        Plant("edge", "timeline", "root = '{invoice}' AND kind = 'payment'", None, "the timeline of {invoice} lacks event"),
        Plant("edge", "timeline", "root = '{product}' AND kind = 'reclamation'", "event_id = '{nobody}'", "has {nobody}, which no log has"),
    ],
    "copies": [
        Plant("edge", "view", "id = '{payment}'", "doc = replace(doc::text, 'transfer', 'cash')::json, doc_client = NULL", "edge: its copy of payment {payment}"),
        Plant("edge", "view", CLAIM, "client_id = '{nobody}'", "edge: its copy of reclamation {claim}"),
        Plant("claims", "view", "kind = 'product' AND id = '{product}'", None, "claims: its copy of product {product}"),
        Plant("notifier", "view", "kind = 'account' AND id = '{client}'", "doc = replace(doc::text, 'example.com', 'example.net')::json", "notifier: its copy of account {client}"),
        Plant("interventions", "closing", "period = 'day'", "archive = NULL", "interventions: no archive_closing waits for"),
        Plant("interventions", "view", "kind = 'policy'", "version = version + 1", "interventions: its copy of policy"),
    ],
    "facts": [
        Plant("reporting", "reclamation_fact", CLAIM, "qualified_at = qualified_at - interval '1 hour'", "reporting: reclamation_fact {claim} is not what"),
        Plant("reporting", "visit_fact", VISIT, None, "reporting: visit_fact {visit} is missing"),
        Plant("reporting", "invoice_fact", INVOICE, "paid = 0", "reporting: invoice_fact {invoice} is not what"),
        Plant("reporting", "feedback", "intervention_id = '{visit}'", "rating = 1", "reporting: feedback {feedback} is not what its last event says: rating"),
    ],
    "rows": [
        Plant("claims", "reclamation", CLAIM, "description = 'all is well'", ROW + "description"),
        Plant("claims", "client", "id = '{client}'", "phones = '[\"+33612345678\"]'", "claims: client {client} is not what its last event says: phones"),
        Plant("claims", "photo", "reclamation_id = '{claim}'", None, "claims: photo {photo} has a log, and no row"),
        Plant("auth", "account", "id = '{client}'", "role = 'admin'", "auth: account {client} is not what its last event says: role"),
        Plant("auth", "account", "id = '{technician}'", "role = 'king'", "auth: account {technician} cannot be read: "),
        Plant("auth", "policy", "name = 'cors'", "value = '{{\"origins\": [\"*\"]}}'", "is not what its last event says: value"),
        Plant("calendar", "appointment", "intervention_id = '{visit}'", "status = 'cancelled'", "calendar: appointment {appointment} is not what its last event says: status"),
        Plant("calendar", "working_hours", "technician_id = '{technician}'", "shifts = '[]'", "calendar: working_hours {hours} is not what its last event says: shifts"),
        Plant("interventions", "intervention", VISIT, "warranty = NULL", "interventions: intervention {visit} is not what its last event says: warranty"),
        Plant("interventions", "report", "intervention_id = '{visit}'", "findings = 'nothing'", "is not what its last event says: findings"),
        Plant("interventions", "payment", "id = '{payment}'", "amount = amount - 1", "interventions: invoice {invoice} counts"),
        Plant("catalog", "product", "id = '{product}'", "serial = 'X'", "catalog: product {product} is not what its last event says: serial"),
        Plant("notifier", "notification", "id = '{message}'", "status = 'read'", "notifier: notification {message} is not what its last event says: status"),
        Plant("catalog", "stock_level", "article_id = '{article}'", "level = level + 1", "catalog: the stock of {reference} is"),
        Plant("catalog", "reservation", "line_id = '{line}'", "used = 1", "catalog: 2 of {needed} are reserved, 2 by its movements, 1 by its reservations"),
        Plant("catalog", "article", "id = '{article}'", "price = 1", "catalog: article {article} is not what its last event says: price"),
    ],
    "rows again": [
        Plant("claims", "reclamation", CLAIM, "status = 'resolved'", ROW + "status"),
        Plant("catalog", "stock_movement", "article_id = '{article}'", "quantity = quantity - 1", "catalog: the stock of {reference} is"),
        Plant("catalog", "stock_level", "reference = '{needed}'", "back_ordered = 3", "3 are back-ordered, 0 by these"),
        Plant("catalog", "view", "kind = 'reclamation' AND id = '{under_way}'", "open = false", "is over, and 2 of {needed} are reserved for it"),
        Plant("interventions", "invoice", FIRST, "net = net + 1", "interventions: invoice {first}: the lines amount to"),
        Plant("interventions", "invoice", INVOICE, "hash = reverse(hash)", "interventions: {number} is not what was issued: its hash differs"),
        Plant("interventions", "credit_note", "id = '{credit_note}'", "reason = 'autre'", "interventions: {credit_number} is not what was issued: its hash differs"),
        Plant("interventions", "invoice_series", "true", "last = last - 1", "interventions: the series FAC is at"),
        Plant("interventions", "intervention", VISIT, "version = version - 1", "interventions: intervention {visit} is at version"),
    ],
    "rows once more": [
        Plant("interventions", "credit_note", "id = '{credit_note}'", "tax = tax + 1, net = net - 1", "interventions: credit note {credit_note}: the tax is not"),
        Plant("catalog", "view", "kind = 'order' AND id = '{order}'", "open = false", "is over, and 1 of {bought} are reserved for it"),
        Plant("catalog", "stock_movement", "article_id = '{article}'", "reason = 'theft'", "of article {article} at"),
        Plant("catalog", "stocktake_line", "stocktake_id = '{stocktake}'", "expected = expected + 1", "in stocktake {stocktake}, is of no event"),
        Plant("interventions", "invoice", FIRST, None, "interventions: {number} does not stand on the one before"),
        Plant("interventions", "invoice", INVOICE, "lines = replace(lines::text, '\"minutes\": null', '\"minutes\": 120')::json", "interventions: invoice {invoice}: line 1 shows 1"),
        Plant("interventions", "payment", "id = '{payment}'", None, "interventions: payment {payment} has a log, and no row"),
    ],
    "payments": [
        Plant("interventions", "ledger_entry", "payment_id = '{payment}'", "amount = amount - 1", "of the ledger is not what was entered: its hash differs"),
        Plant("interventions", "invoice", INVOICE, "credited = 0", "interventions: invoice {invoice} counts 0.000 as credited"),
        Plant("interventions", "ledger", "true", "last = last - 1", "interventions: the ledger is at"),
        Plant("interventions", "credit_note", "id = '{credit_note}'", "lines = replace(lines::text, '\"1.00\"', '\"2.00\"')::json", "% is not what its lines of 2.00 leave"),
        Plant("interventions", "estimate", "status = 'accepted'", "document = NULL", "interventions: no print_estimate waits for"),
        Plant("interventions", "payment", "id = '{payment}'", "refunded = 2", "interventions: payment {payment}: the ledger says"),
        Plant("interventions", "closing", "period = 'day'", "total = total + 1", "has another perpetual total than the one before and its own make"),
    ],
    "access": [
        Plant("auth", "session", "id = '{ended}'", "ended_at = NULL", "auth: session {ended} is open, and its account {gone} is not active"),
        Plant("auth", "second_factor", "account_id = '{careful}'", None, "auth: the second factor of account {careful} is off, and on by the log"),
    ],
    "access again": [
        Plant("auth", "second_factor", "account_id = '{careful}'", "account_id = '{client}'", "auth: the second factor of account {client} is on, and off by the log"),
    ],
}  # fmt: skip
NAMES = {
    "claim": ("claims", "SELECT subject::text FROM event_log WHERE type LIKE '%ReclamationClosed%'"),
    "created": ("claims", "SELECT id::text FROM event_log WHERE subject = '{claim}' AND type LIKE '%ReclamationCreated%'"),
    "qualified": ("claims", "SELECT id::text FROM event_log WHERE subject = '{claim}' AND type LIKE '%ReclamationQualified%'"),
    "photo": ("claims", "SELECT id::text FROM photo WHERE reclamation_id = '{claim}'"),
    "payment": ("interventions", "SELECT id::text FROM payment WHERE invoice_id = '{invoice}'"),
    "feedback": ("reporting", "SELECT id::text FROM feedback WHERE intervention_id = '{visit}'"),
    "appointment": ("calendar", "SELECT id::text FROM appointment WHERE intervention_id = '{visit}'"),
    "hours": ("calendar", "SELECT id::text FROM working_hours WHERE technician_id = '{technician}'"),
    "message": ("notifier", "SELECT id::text FROM notification WHERE user_id = '{client}' AND status = 'kept_locally' LIMIT 1"),
    "article": ("catalog", "SELECT article_id::text FROM stock_movement m JOIN article a ON a.id = m.article_id WHERE '{product}' <> '' ORDER BY m.at DESC LIMIT 1"),
    "reference": ("catalog", "SELECT reference FROM article WHERE id = '{article}'"),
    "ended": ("auth", "SELECT id::text FROM session WHERE account_id = '{gone}' LIMIT 1"),
}  # fmt: skip


@pytest.fixture(scope="module")
async def names(system: System) -> dict[str, str]:
    """What is called how, after two whole stories."""
    people = [await system.client(), await system.technician(), await system.manager(), await system.admin()]
    cast = Cast(*(voice(person, person.role) for person in people))
    first = await journey.outside_warranty(cast)
    story = await journey.outside_warranty(cast)
    assert first.invoice
    assert story.invoice
    credit = {"lines": [{"line": 1, "amount": "1.00"}], "reason": "Geste commercial."}
    path = f"POST /invoices/{story.invoice['id']}/credit"
    note = await cast.manager.does("credits a part", path, credit, status=201)
    needed = await with_reserved_parts(system) | await with_an_order(system) | await with_access(system)
    counts = [{"article_id": story.product["article_id"], "counted": 3}]
    sheet = {"counted_at": datetime.now(UTC).isoformat(), "counts": counts}
    stocktake = await cast.manager.does("counts stock", "POST /stock/stocktakes", sheet, status=201)
    assert await verify(system.settings, 20) == []
    told = needed | {
        "credit_note": note["id"],
        "credit_number": note["number"],
        "stocktake": stocktake["id"],
        "claim": story.claim["id"], "visit": story.visit["id"], "product": story.product["id"],
        "invoice": story.invoice["id"], "number": story.invoice["number"], "first": first.invoice["id"],
        "client": cast.client.id, "technician": cast.technician.id,
        "nobody": "ffffffff-ffff-4fff-8fff-ffffffffffff",
    }  # fmt: skip
    for name, (room, query) in NAMES.items():
        if name not in told:
            [[told[name]], *_] = await system.sql(room, query.format(**told))
    return told


async def with_reserved_parts(system: System) -> dict[str, str]:
    """A réclamation under way, for which two pieces are reserved."""
    client, technician, manager = await system.client(), await system.technician(), await system.manager()
    article = done(await manager.post("/articles", journey.PUMP | {"reference": "NEEDED-2"}), 201)
    came = {"movement": "receive", "quantity": 2}
    done(await manager.post(f"/articles/{article['id']}/stock-movements", came), 201)
    visit = await stories.at_work(client, manager, technician)
    path = f"/reclamations/{visit['reclamation_id']}/parts"
    needs = {"parts": [{"article_id": article["id"], "quantity": 2}]}
    [line] = done(await technician.ask("PUT", path, json=needs))["parts"]
    done(await manager.post(f"{path}/validate", {"edition": 1}))
    reserved = {"article_id": article["id"], "status": "reserved"}
    await eventually(lambda: stories.items(manager, "/reservations", **reserved))
    return {"needed": "NEEDED-2", "line": line["id"], "under_way": visit["reclamation_id"]}


async def with_an_order(system: System) -> dict[str, str]:
    """A purchase for which a piece is reserved."""
    client, manager = await system.client(), await system.manager()
    article = done(await manager.post("/articles", journey.PUMP | {"reference": "BOUGHT-1"}), 201)
    came = {"movement": "receive", "quantity": 1}
    done(await manager.post(f"/articles/{article['id']}/stock-movements", came), 201)
    lines = {"lines": [{"article_id": article["id"], "quantity": 1}]}
    order = done(await client.post("/orders", {"purpose": "purchase"} | lines), 201)
    done(await manager.post(f"/orders/{order['id']}/validate"))
    reserved = {"reference": order["reference"], "status": "reserved"}
    await eventually(lambda: stories.items(manager, "/orders", **reserved))
    return {"bought": "BOUGHT-1", "order": order["id"]}


async def with_access(system: System) -> dict[str, str]:
    """Somebody with a second factor, and somebody who was deactivated."""
    careful, gone, manager = await system.client(), await system.client(), await system.manager()
    secret = done(await careful.post("/me/totp", {"password": PASSWORD}))["secret"]
    code = totp.code(b32decode(secret), int(time.time()) // totp.STEP_SECONDS)
    done(await careful.post("/me/totp/confirm", {"code": code}))
    done(await manager.post(f"/users/{gone.id}/deactivate"))
    return {"careful": careful.id, "gone": gone.id}


# The columns of a table that the database does not compute itself.
WRITTEN = """SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"""


@asynccontextmanager
async def planted(settings: Settings, plant: Plant, names: dict[str, str]) -> AsyncIterator[None]:
    """Altered, past every trigger; as it was at the end."""
    connection = await asyncpg.connect(settings.database(plant.room))
    try:
        await connection.execute("SET session_replication_role = replica")
        table, where = f'"{plant.table}"', plant.where.format(**names)
        rows = await connection.fetch(
            f"SELECT ctid::text, row_to_json(t)::text AS row FROM {table} t WHERE {where} LIMIT 1"
        )
        assert rows, f"there is no {plant.table} where {where}"
        there = f"ctid = '{rows[0]['ctid']}'"
        if plant.to is None:
            await connection.execute(f"DELETE FROM {table} WHERE {there}")
        else:
            change = f"UPDATE {table} SET {plant.to.format(**names)} WHERE {there} RETURNING ctid::text, row_to_json({table})::text"
            [[ctid, row]] = await connection.fetch(change)
            assert row != rows[0]["row"], f"nothing was altered: {change}"
            there = f"ctid = '{ctid}'"
        try:
            yield
        finally:
            async with connection.transaction():
                await connection.execute(f"DELETE FROM {table} WHERE {there}")
                columns = await connection.fetchval(WRITTEN, table)
                await connection.execute(
                    f"""INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
                    SELECT {columns} FROM json_populate_record(NULL::{table}, $1::json)""",
                    rows[0]["row"],
                )
    finally:
        await connection.close()


@pytest.mark.parametrize("plants", PLANTS.values(), ids=PLANTS.keys())
async def test_an_alteration_is_named(system: System, names: dict[str, str], plants: Sequence[Plant]) -> None:
    async with AsyncExitStack() as stack:
        for plant in plants:
            await stack.enter_async_context(planted(system.settings, plant, names))
        found = await verify(system.settings, 0)
    unnamed = [plant for plant in plants if not any(plant.finding.format(**names) in line for line in found)]
    assert not unnamed, "\n".join(found)


async def test_a_lost_file_and_one_with_other_bytes_are_named(system: System, names: dict[str, str]) -> None:
    kept = await system.sql(
        "claims", "SELECT file ->> 'sha256' FROM photo WHERE id = $1::uuid", names["photo"]
    )
    printed = await system.sql(
        "interventions",
        "SELECT document ->> 'sha256' FROM invoice WHERE id = $1::uuid",
        names["invoice"],
    )
    archived = await system.sql(
        "interventions", "SELECT archive ->> 'sha256' FROM closing WHERE archive IS NOT NULL LIMIT 1"
    )
    [photo], [paper], [archive] = [path(system.settings, rows[0][0]) for rows in (kept, printed, archived)]
    content, written, proof = photo.read_bytes(), paper.read_bytes(), archive.read_bytes()
    photo.unlink()
    paper.write_bytes(written + b" ")
    archive.write_bytes(proof + b" ")
    try:
        found = await verify(system.settings, 0)
    finally:
        photo.write_bytes(content)
        paper.write_bytes(written)
        archive.write_bytes(proof)
    assert any("interventions: closing" in line and "has other bytes" in line for line in found)
    assert any(f"photo {names['photo']}: file" in line and "is not in the store" in line for line in found)
    assert any(f"invoice {names['invoice']}: file" in line and "has other bytes" in line for line in found)


def path(settings: Settings, sha256: str) -> list[Path]:
    return [Path(url2pathname(urlsplit(settings.files_url).path)) / sha256[:2] / sha256[2:]]


@pytest.mark.usefixtures("names")
async def test_it_tells_what_it_looked_at(system: System) -> None:
    found, checked = await look(system.settings, 10)
    assert found == []
    counted = {
        "events": ("claims", "SELECT count(*) FROM event_log"),
        "lines of timelines": ("edge", "SELECT count(*) FROM timeline"),
        "invoices": ("interventions", "SELECT count(*) FROM invoice"),
        "credit notes": ("interventions", "SELECT count(*) FROM credit_note"),
        "ledger entries": ("interventions", "SELECT count(*) FROM ledger_entry"),
        "closings": ("interventions", "SELECT count(*) FROM closing"),
        "stock movements": ("catalog", "SELECT count(*) FROM stock_movement"),
        "reservations": ("catalog", "SELECT count(*) FROM reservation"),
        "sessions": ("auth", "SELECT count(*) FROM session"),
    }
    there = {name: (await system.sql(*query))[0][0] for name, query in counted.items()}
    assert checked["events"] > there.pop("events")
    assert there == {name: checked[name] for name in there}
    assert checked["logs"] == 7
    assert all(checked[name] for name in ("rows", "reactions", "copies", "facts", "files"))
    assert f"{checked['events']:,} events in 7 logs" in summary(checked)


# What a receipt alone must not make right.
FORGED = {
    "another text": (
        "SELECT erase_body(position, replace(body, 'high', 'low'), 'asked for') FROM event_log WHERE id = $1::uuid",
        "was replaced, and nothing about a person is blanked in it",
    ),
    "nothing": (
        "INSERT INTO erased SELECT position, body_hash(body), 'asked for' FROM event_log WHERE id = $1::uuid RETURNING 1",
        "has a receipt of another erasure, or of none",
    ),
    "no event": (
        "INSERT INTO erased SELECT 4242 + 0 * length($1::text), '', 'asked for' RETURNING 1",
        "a body was erased at position 4242, where the log has no event",
    ),
    "no guard": (
        "ALTER TABLE event_chain DISABLE TRIGGER kept; SELECT $1",
        "the triggers that keep event_chain as it is are off",
    ),
}


@pytest.mark.parametrize(("forge", "finding"), FORGED.values(), ids=FORGED.keys())
async def test_a_receipt_alone_makes_nothing_right(
    system: System, names: dict[str, str], forge: str, finding: str
) -> None:
    connection = await asyncpg.connect(system.settings.database("claims"))
    body = await connection.fetchval("SELECT body FROM event_log WHERE id = $1::uuid", names["created"])
    try:
        await connection.execute(forge.replace("$1", f"'{names['created']}'"))
        found = await verify(system.settings, 0)
    finally:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE event_log SET body = $2 WHERE id = $1::uuid", names["created"], body)
        await connection.execute("DELETE FROM erased; ALTER TABLE event_chain ENABLE TRIGGER kept")
        await connection.close()
    assert any(line.startswith("claims: ") and finding in line for line in found), "\n".join(found)
    assert await verify(system.settings, 0) == []


async def test_a_body_that_was_erased_is_told_and_no_contradiction(
    system: System, names: dict[str, str]
) -> None:
    erase = """SELECT erase_body(position, regexp_replace(body, '"description":"[^"]*"', '"description":"…"'), 'asked for')
        FROM event_log WHERE id = $1::uuid"""
    await system.sql("claims", erase, names["qualified"])
    found, checked = await look(system.settings, 10)
    assert found == []
    assert checked["erased"] == 1
    assert "(1 erased)" in summary(checked)
    [line] = await erased(system.settings)
    assert line.startswith("1 event(s) of claims had their bodies erased on ")
    assert line.endswith(f": asked for (the first: {names['qualified']})")
