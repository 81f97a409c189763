"""Facts: one row for each réclamation, visit, appointment, invoice and feedback, made from its events in any order."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import asyncpg

from sav_chassis.envelope import Envelope
from sav_chassis.views import RecordedEvent, upsert
from sav_contracts import message_types
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.claims.reclamation import ReclamationMoved, ReclamationQualified, ReclamationView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import Event, View
from sav_contracts.reporting import FeedbackView
from sav_reporting.app import reporting


class Rule(NamedTuple):
    """Which of several values wins: `among` those of one batch, and `between` the row and the batch (SQL)."""

    among: str
    between: str


NEWEST = Rule(
    "(array_agg({0} ORDER BY version DESC))[1]",
    "CASE WHEN excluded.version > f.version THEN excluded.{0} ELSE f.{0} END",
)
EARLIEST = Rule("min({0})", "least(f.{0}, excluded.{0})")
LATEST = Rule("max({0})", "greatest(f.{0}, excluded.{0})")


class Column(NamedTuple):
    """A column of facts, and its value from an event: the view's field of this name, or what `says` returns."""

    name: str
    type: str
    rule: Rule = NEWEST
    says: Callable[[Envelope, Event], Any] | None = None

    def of(self, envelope: Envelope, event: Event) -> Any:
        return self.says(envelope, event) if self.says else getattr(event.state, self.name)


def merging(table: str, columns: Sequence[Column]) -> str:
    """SQL that merges the values of events, given as one array for each column, into a table, in the order of ids."""
    names = ", ".join(column.name for column in columns)
    arrays = ", ".join(f"${n}::{column.type}[]" for n, column in enumerate(columns, 1))
    merged = ", ".join(column.rule.among.format(column.name) for column in columns[1:])
    kept = ", ".join(f"{column.name} = {column.rule.between.format(column.name)}" for column in columns[1:])
    return f"""INSERT INTO {table} AS f ({names})
        SELECT id, {merged} FROM unnest({arrays}) AS told ({names}) GROUP BY id ORDER BY id
        ON CONFLICT (id) DO UPDATE SET {kept}"""


def keep(view: type[View], table: str, *said: Column) -> None:
    """Keeps a row for each record with this view, from every event that carries the view."""
    columns = Column("id", "uuid"), Column("version", "bigint", LATEST), *said
    statement = merging(table, columns)

    events = [event for event in message_types.EVENTS.values() if event.state_type() is view]

    @reporting.project(*events, into=table)
    async def merge(connection: asyncpg.Connection, recorded: Sequence[RecordedEvent]) -> None:
        rows = [[column.of(*one) for column in columns] for one in recorded]
        await upsert(connection, statement, rows, len(columns))


def _qualified_at(envelope: Envelope, event: Event) -> Any:
    return envelope.at if isinstance(event, ReclamationQualified) else None


def _resolved_at(envelope: Envelope, event: Event) -> Any:
    return envelope.at if isinstance(event, ReclamationMoved) and event.after == "resolved" else None


keep(
    ReclamationView,
    "reclamation_fact",
    Column("created_at", "timestamptz"),
    Column("client_id", "uuid"),
    Column("technician_id", "uuid"),
    Column("status", "text"),
    Column("open", "boolean", says=lambda _, event: event.state.is_open()),
    Column("problem_type", "text"),
    Column("priority", "text"),
    Column("coverage", "text"),
    Column("qualified_at", "timestamptz", EARLIEST, _qualified_at),
    Column("resolved_at", "timestamptz", LATEST, _resolved_at),
)
keep(
    InterventionView,
    "visit_fact",
    Column("reclamation_id", "uuid"),
    Column("client_id", "uuid"),
    Column("technician_id", "uuid"),
    Column("status", "text"),
    Column("closed_at", "timestamptz"),
)
keep(
    AppointmentView,
    "appointment_fact",
    Column("reclamation_id", "uuid"),
    Column("client_id", "uuid"),
    Column("technician_id", "uuid"),
    # None in old ones, which the client missed: their visits say so.
    Column("missed_by", "text"),
)
keep(
    InvoiceView,
    "invoice_fact",
    Column("reclamation_id", "uuid"),
    Column("client_id", "uuid"),
    Column("status", "text"),
    # What it asks for: a deposit is invoiced by itself, and what was credited is not asked for any more.
    Column("total", "numeric", says=lambda _, event: event.state.payable - event.state.credited),
    Column("paid", "numeric"),
)
# Reporting's own record: its handlers have written the row already, so this changes nothing. A rebuild needs it.
keep(
    FeedbackView,
    "feedback",
    Column("created_at", "timestamptz"),
    Column("updated_at", "timestamptz"),
    Column("client_id", "uuid"),
    Column("technician_id", "uuid"),
    Column("intervention_id", "uuid"),
    Column("reclamation_id", "uuid"),
    Column("status", "text"),
    Column("rating", "bigint"),
    Column("recommend", "bigint"),
    Column("comment", "text"),
    Column("contact_me", "boolean"),
    Column("open_until", "timestamptz"),
    Column("visit", "text"),
    Column("visited_on", "date"),
)
