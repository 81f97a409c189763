"""The read model: every record's newest view, a timeline row for each event that tells and related root, and what of it
is new to those who listen."""

from collections.abc import Iterator, Sequence
from typing import Any

from sav_chassis.envelope import Envelope
from sav_chassis.projector import COLUMNS, UPSERT, Executes, Told, arrays, rows
from sav_contracts.messages import Event
from sav_contracts.timeline import Entry

# What `replay` writes, in its order; `apply` also says in `change` what has changed.
TABLES = ("view", "timeline")
LINE = ("uuid", "uuid", "timestamptz", "text", "uuid", "json", "json")
# What says who sees a record.
WHOSE = "parent, user_id, client_id, technician_id"
SHOWN = f"""
WITH shown AS ({UPSERT} RETURNING kind, id, version, {WHOSE}, nullif(doc_client IS NOT NULL, false) AS doc_client)"""
LINES = f"""
INSERT INTO timeline (root, event_id, at, kind, subject, doc, doc_client)
SELECT * FROM unnest({", ".join(f"${n}::{type}[]" for n, type in enumerate(LINE, len(COLUMNS) + 1))})
ON CONFLICT DO NOTHING"""
# A record that had been somebody else's is a change for both. A statement sees a table as it was before; where another
# replica writes the same record at that very moment, the one between the two may not be told.
TOLD = f""",
told AS (
    INSERT INTO change (kind, id, version, {WHOSE}, doc_client) SELECT * FROM shown UNION ALL
    SELECT was.kind, was.id, shown.version, was.parent, was.user_id, was.client_id, was.technician_id,
        nullif(was.doc_client IS NOT NULL, false)
    FROM shown JOIN view was ON was.kind = shown.kind AND was.id = shown.id
    WHERE (was.client_id, was.technician_id, was.doc_client IS NOT NULL)
        IS DISTINCT FROM (shown.client_id, shown.technician_id, shown.doc_client IS NOT NULL))"""
APPLY, REPLAY = SHOWN + TOLD + LINES, SHOWN + LINES


async def apply(connection: Executes, told: Sequence[Told]) -> None:
    """Applies events, in any order, any number of times; one statement whatever their number."""
    await _write(connection, APPLY, told)


async def replay(connection: Executes, told: Sequence[Told]) -> None:
    """The same for what has happened long ago: nobody is told."""
    await _write(connection, REPLAY, told)


async def _write(connection: Executes, statement: str, told: Sequence[Told]) -> None:
    if told:
        views = arrays(rows(event.state for _, event in told), len(COLUMNS))
        lines = arrays(sorted(_lines(told), key=lambda row: (row[0], row[2], row[1])), len(LINE))
        await connection.execute(statement, *views, *lines)


def _lines(told: Sequence[Told]) -> Iterator[tuple[Any, ...]]:
    for envelope, event in told:
        if not event.tells:
            continue
        shown = event.for_client()
        entry = _entry(envelope, event).model_dump_json(exclude_none=True)
        entry_client = (
            _entry(envelope, shown, who=False).model_dump_json(exclude_none=True) if shown else None
        )
        for root in event.state.roots():
            yield root, envelope.id, envelope.at, envelope.kind, envelope.subject, entry, entry_client


def _entry(envelope: Envelope, event: Event, who: bool = True) -> Entry:
    return Entry(
        id=envelope.id,
        at=envelope.at,
        type=envelope.type,
        kind=envelope.kind,
        subject=envelope.subject,
        by=envelope.actor_role,
        by_id=envelope.actor_id if who else None,
        facts=event.model_dump(mode="json", exclude={"state"}, exclude_none=True),
    )
