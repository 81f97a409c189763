"""What reporting hears of Léa's réclamations, visits and invoices, and when it was told."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import world
from given_views import a

from sav_chassis.events.projections import project_batch
from sav_chassis.testing import Stage, enveloped
from sav_chassis.views import RecordedEvent
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.claims.reclamation import (
    ReclamationChanged,
    ReclamationCreated,
    ReclamationMoved,
    ReclamationQualified,
    ReclamationView,
)
from sav_contracts.interventions.invoice import InvoiceChanged, InvoiceView
from sav_contracts.interventions.visit import InterventionChanged, InterventionClosed, InterventionView
from sav_contracts.messages import Event
from sav_reporting.model import Feedback, feedback_id

OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
RECLAMATION, VISIT = UUID(int=100), UUID(int=200)


def at(time: datetime, event: Event) -> RecordedEvent:
    """An event as it was told at that time."""
    return enveloped(event).model_copy(update={"at": time}), event


def hours(number: float) -> datetime:
    """So many hours after the usual réclamation was opened."""
    return OPENED + timedelta(hours=number)


async def learns(stage: Stage, told: Iterable[RecordedEvent]) -> None:
    """Its projections are given these events in one batch."""
    await project_batch(stage.service, stage.database, list(told))


async def facts(stage: Stage, table: str) -> list[dict[str, Any]]:
    """The rows of a table of facts."""
    return [dict(row) for row in await stage.database.pool.fetch(f"SELECT * FROM {table} ORDER BY id")]


def reclamation(number: int = 100, opened: datetime = OPENED, **fields: Any) -> ReclamationView:
    return a(ReclamationView, UUID(int=number), opened, **fields)


def story(
    last: ReclamationView, to_qualify: float | None = None, to_resolve: float | None = None
) -> list[RecordedEvent]:
    """How a réclamation came to this state: qualified and resolved after so many hours, where it was."""
    opened, last = last.created_at, last.model_copy(update={"version": 4})
    told = [at(opened, ReclamationCreated(state=earlier(last, 1, "submitted")))]
    if to_qualify is not None:
        state = earlier(last, 2, "qualified")
        qualified = ReclamationQualified(state=state, coverage=state.coverage, priority=state.priority)
        told.append(at(opened + timedelta(hours=to_qualify), qualified))
    if to_resolve is not None:
        state = earlier(last, 3, "resolved")
        resolved = ReclamationMoved(state=state, before="in_progress", after="resolved")
        told.append(at(opened + timedelta(hours=to_resolve), resolved))
    return [*told, at(opened, ReclamationChanged(state=last))]


def earlier(state: ReclamationView, version: int, status: str) -> ReclamationView:
    return state.model_copy(update={"version": version, "status": status})


def visit(reclamation: int = 100, number: int = 200, **fields: Any) -> InterventionView:
    """Karim's visit, planned unless the fields say otherwise."""
    usual: dict[str, Any] = {"reclamation_id": UUID(int=reclamation)}
    return a(InterventionView, UUID(int=number), **(usual | fields))


def closed(of: InterventionView, when: datetime = OPENED, outcome: Any = "completed") -> InterventionClosed:
    """The news that its report is validated."""
    state = of.model_copy(update={"version": of.version + 1, "status": outcome, "closed_at": when})
    return InterventionClosed(state=state, outcome=outcome)


def told_visit(of: InterventionView) -> RecordedEvent:
    return at(OPENED, InterventionChanged(state=of))


def told_appointment(event: type[Event], reclamation: int, number: int, **fields: Any) -> RecordedEvent:
    """This event about an appointment with Karim for it."""
    usual: dict[str, Any] = {"reclamation_id": UUID(int=reclamation)}
    return at(OPENED, event(state=a(AppointmentView, UUID(int=number), **(usual | fields))))


def told_invoice(
    reclamation: int, status: str, total: str, paid: str = "0.00", **fields: Any
) -> RecordedEvent:
    """Its invoice, which has no other amounts here."""
    view = a(
        InvoiceView,
        reclamation_id=UUID(int=reclamation),
        status=status,
        total=Decimal(total),
        paid=Decimal(paid),
        **fields,
    )
    return at(OPENED, InvoiceChanged(state=view))


def feedback(reclamation: int, rating: int | None, number: int = 200, **fields: Any) -> Feedback:
    """What Léa said about Karim's visit; only asked for where there is no rating."""
    usual = {
        "id": feedback_id(UUID(int=number)),
        "client_id": world.lea.id,
        "technician_id": world.karim.id,
        "intervention_id": UUID(int=number),
        "reclamation_id": UUID(int=reclamation),
        "status": "given" if rating else "invited",
        "rating": rating,
        "open_until": OPENED,
    }
    return Feedback(**(usual | fields))
