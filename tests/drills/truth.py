"""What SAV owes to people, looked for where it is kept: messages, invoices and their papers, times, work to do."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from drills.post import Post
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.files import FileLost, Files
from sav_chassis.migrate import engine_for
from sav_chassis.settings import Settings
from sav_interventions.model.invoice import GENESIS, Invoice
from sav_notifier.relevance import NOTHING_NEW
from sav_ops import rooms
from sav_ops.databases import Databases

# How many people each of these is told to.
TOLD = {
    "claims.ReclamationCreated.v1": 2,
    "claims.TechnicianAssigned.v1": 1,
    "claims.ReclamationClosed.v1": 1,
    "interventions.InvoiceIssued.v1": 1,
    "interventions.PaymentRecorded.v1": 1,
    "reporting.FeedbackInvited.v1": 1,
}
OVERLAPPING = """
SELECT count(*) FROM appointment a JOIN appointment b
ON a.technician_id = b.technician_id AND a.id < b.id AND a.start < b."end" AND b.start < a."end"
WHERE a.status IN ('held', 'booked') AND b.status IN ('held', 'booked')"""


async def broken_promises(databases: Databases, settings: Settings, post: Post) -> list[str]:
    """In words."""
    found = [line async for line in unsent(databases, settings, post)]
    found += [line async for line in papers(settings)]
    for room in rooms.SERVICES:
        for row in await databases[room].fetch("SELECT use, key, error FROM task WHERE due <= now()"):
            found.append(f"{room}: {row['use']} {row['key']} is due: {row['error']}")
    if overlapping := await databases["calendar"].fetchval(OVERLAPPING):
        found.append(f"calendar: {overlapping} appointments overlap")
    return found


async def unsent(databases: Databases, settings: Settings, post: Post) -> AsyncIterator[str]:
    """Everybody has each message, by the way that its record tells of, and has it once."""
    messages = await databases["notifier"].fetch("SELECT * FROM notification")
    for row in messages:
        # What is planned is for a later morning; that its delivery waits is looked at by `verify`.
        if row["status"] not in ("sent", "kept_locally", "planned") and not (
            row["status"] == "suppressed" and row["reason"]
        ):
            yield f"{row['template']} {row['id']} is {row['status']}: {row['reason']}"
    if len({(row["event_id"], row["user_id"], row["channel"]) for row in messages}) < len(messages):
        yield "somebody is told twice of one event"
    told = [row["event_id"] for row in messages]
    # To whom another message said it already, such as the one about the appointment that they chose.
    known = {
        row["event_id"]
        for row in await databases["notifier"].fetch(
            "SELECT event_id FROM handled WHERE strpos(outcome, $1) > 0", NOTHING_NEW
        )
    }
    for type_name, people in TOLD.items():
        owner = databases[type_name.partition(".")[0]]
        for row in await owner.fetch("SELECT id FROM event_log WHERE type = $1", type_name):
            if told.count(row["id"]) != (0 if row["id"] in known else people):
                yield f"{type_name} {row['id']} was told to {told.count(row['id'])} and not to {people}"
    posted = {id: f"<{id}@example.com>" for id in (row["id"] for row in messages)}
    kept = sorted(path.stem[-8:] for path in Path(settings.mailbox).glob("*.eml"))
    if len(set(kept)) < len(kept):
        yield "a message is kept twice"
    for row in messages:
        if row["status"] == "sent" and posted[row["id"]] not in post.taken:
            yield f"the server has no {row['template']} {row['id']}"
        if row["status"] == "kept_locally" and row["id"].hex[:8] not in kept:
            yield f"the mailbox has no {row['template']} {row['id']}"
    for id in post.taken.keys() - set(posted.values()):
        yield f"the server has {id}, which nobody wrote"
    for id, copies in post.taken.items():
        if len({(copy["To"], copy["Subject"], copy["Date"]) for copy in copies}) > 1:
            yield f"the copies of {id} differ"


async def papers(settings: Settings) -> AsyncIterator[str]:
    """Every issued invoice is on paper, their numbers have no gap, and each stands on the one before."""
    engine = engine_for(settings.database("interventions"))
    try:
        async with AsyncSession(engine) as session:
            issued = select(Invoice).where(Invoice.number.is_not(None)).order_by(Invoice.number)
            invoices = list(await session.scalars(issued))
    finally:
        await engine.dispose()
    for line in chained(invoices):
        yield line
    for invoice in invoices:
        try:
            paper = await Files(settings.files_url).get(invoice.document) if invoice.document else b""
        except FileLost as error:
            yield f"{invoice.number}: {error}"
        else:
            if not paper.startswith(b"%PDF"):
                yield f"{invoice.number} is not on paper"


def chained(invoices: list[Invoice]) -> Iterator[str]:
    previous = GENESIS
    for place, invoice in enumerate(invoices, 1):
        if not re.fullmatch(rf"FAC-\d{{4}}-{place:06}", invoice.number or ""):
            yield f"{invoice.number} is number {place}"
        if invoice.previous_hash != previous or invoice.digest(previous) != invoice.hash:
            yield f"{invoice.number} does not stand on the one before"
        previous = invoice.hash or ""
