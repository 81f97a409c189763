"""The projection of the read model: every record's newest view, a timeline row for each root of an event that makes
one, and the changes for the listeners of the stream."""

from collections.abc import Iterator, Sequence
from typing import Any

from sav_chassis.envelope import Envelope
from sav_chassis.views import RecordedEvent, SqlExecutor, arrays, rows, upserting
from sav_contracts.messages import Event
from sav_contracts.timeline import Entry
from sav_edge.listed import COLUMNS, LISTED, row_of

# The tables that `replay` writes, in its order; `apply` also writes the changes to `change`.
TABLES = ("view", "timeline")
LINE = ("uuid", "uuid", "timestamptz", "text", "uuid", "json", "json")
WORD = ("text", "text")
# The columns that decide who sees a record.
WHOSE = "parent, user_id, client_id, technician_id"
SHOWN = f"""
WITH shown AS ({upserting(COLUMNS)}
    RETURNING kind, id, version, {WHOSE}, nullif(doc_client IS NOT NULL, false) AS doc_client)"""


def _unnested(types: Sequence[str], after: int) -> str:
    return f"unnest({', '.join(f'${n}::{type}[]' for n, type in enumerate(types, after + 1))})"


LINES = f"""
INSERT INTO timeline (root, event_id, at, kind, subject, doc, doc_client)
SELECT * FROM {_unnested(LINE, len(COLUMNS))} ON CONFLICT DO NOTHING"""
# When a record changes hands, its old and its new owner are notified. A statement sees the table as it was before the
# statement began: when two replicas write a record concurrently, an owner in between may not be notified.
CHANGES = f""",
told AS (
    INSERT INTO change (kind, id, version, {WHOSE}, doc_client)
    SELECT kind, id, version, {WHOSE}, doc_client FROM shown UNION ALL
    SELECT was.kind, was.id, shown.version, was.parent, was.user_id, was.client_id, was.technician_id,
        nullif(was.doc_client IS NOT NULL, false)
    FROM shown JOIN view was ON was.kind = shown.kind AND was.id = shown.id
    WHERE (was.client_id, was.technician_id, was.doc_client IS NOT NULL)
        IS DISTINCT FROM (shown.client_id, shown.technician_id, shown.doc_client IS NOT NULL))"""

# The words that occur; a search corrects others to them. Sorted as in `declared`, so that nobody waits in a circle.
WORDS = f""",
worded AS (
    INSERT INTO word (kind, word) SELECT * FROM {_unnested(WORD, len(COLUMNS) + len(LINE))} AS one (kind, word)
    ORDER BY kind, word COLLATE "C" ON CONFLICT DO NOTHING)"""
APPLY, REPLAY = SHOWN + CHANGES + WORDS + LINES, SHOWN + LINES


async def apply(connection: SqlExecutor, events: Sequence[RecordedEvent]) -> None:
    """Applies events, in any order and any number of times; all of them in one statement."""
    await _write(connection, APPLY, events, *arrays(_words(events), len(WORD)))


async def replay(connection: SqlExecutor, events: Sequence[RecordedEvent]) -> None:
    """The same for past events: listeners are not notified, and words are left to `declared.replace_words`."""
    await _write(connection, REPLAY, events)


def _words(events: Sequence[RecordedEvent]) -> Iterator[tuple[str, str]]:
    """The words of these records, each once, with the kind in which it occurs."""
    occur: dict[str, set[str]] = {}
    for _, event in events:
        if listed := LISTED.get(type(event.state)):
            occur.setdefault(event.state.kind(), set()).update(listed.words(event.state))
    return ((kind, word) for kind, words in occur.items() for word in words)


async def _write(
    connection: SqlExecutor, statement: str, events: Sequence[RecordedEvent], *words: Sequence[str]
) -> None:
    if events:
        views = arrays(rows((event.state for _, event in events), row_of), len(COLUMNS))
        lines = arrays(sorted(_lines(events), key=lambda row: (row[0], row[2], row[1])), len(LINE))
        await connection.execute(statement, *views, *lines, *words)


def _lines(events: Sequence[RecordedEvent]) -> Iterator[tuple[Any, ...]]:
    for envelope, event in events:
        if not event.makes_timeline_line:
            continue
        shown = event.for_client()
        entry = _entry(envelope, event).model_dump_json(exclude_none=True)
        entry_client = (
            _entry(envelope, shown, who=False).model_dump_json(exclude_none=True) if shown else None
        )
        for root in event.state.timeline_roots():
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
