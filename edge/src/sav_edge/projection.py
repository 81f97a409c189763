"""The read model: every record's newest view, and a timeline row for each event that tells and related root."""

from collections.abc import Iterator, Sequence
from typing import Any

from sav_chassis.envelope import Envelope
from sav_chassis.projector import COLUMNS, UPSERT, Executes, Told, arrays, rows
from sav_contracts.messages import Event
from sav_contracts.timeline import Entry

# What `apply` writes, in its order.
TABLES = ("view", "timeline")
LINE = ("uuid", "uuid", "timestamptz", "text", "uuid", "json", "json")
APPLY = f"""
WITH shown AS ({UPSERT})
INSERT INTO timeline (root, event_id, at, kind, subject, doc, doc_client)
SELECT * FROM unnest({", ".join(f"${n}::{type}[]" for n, type in enumerate(LINE, len(COLUMNS) + 1))})
ON CONFLICT DO NOTHING"""


async def apply(connection: Executes, told: Sequence[Told]) -> None:
    """Applies events, in any order, any number of times; one statement whatever their number."""
    if told:
        views = arrays(rows(event.state for _, event in told), len(COLUMNS))
        lines = arrays(sorted(_lines(told), key=lambda row: (row[0], row[2], row[1])), len(LINE))
        await connection.execute(APPLY, *views, *lines)


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
