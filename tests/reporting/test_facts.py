"""Facts: whatever the order, the batches and the repetitions, one row says where a record is now."""

import asyncio
from typing import Any, cast

import pytest
import world
from eventually import eventually
from given_reporting import OPENED, RECLAMATION, at, facts, hours, learns, reclamation, told_visit, visit
from given_views import a
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sav_chassis.events.projections import project_batch
from sav_chassis.testing import Stage
from sav_chassis.views import RecordedEvent
from sav_contracts import message_types
from sav_contracts.calendar.appointment import AppointmentView
from sav_contracts.claims.reclamation import (
    ReclamationChanged,
    ReclamationClosed,
    ReclamationCreated,
    ReclamationMoved,
    ReclamationQualified,
    ReclamationStatus,
    ReclamationView,
    TechnicianAssigned,
)
from sav_contracts.interventions.invoice import InvoiceChanged, InvoiceView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import Event, View
from sav_reporting.app import reporting

karim, sofia = world.karim.id, world.sofia.id


def life(number: int) -> list[RecordedEvent]:
    """A réclamation that is qualified, resolved, reopened and all this again, an hour for each step."""

    def state(version: int, status: ReclamationStatus, **fields: Any) -> ReclamationView:
        return reclamation(number, version=version, status=status, **fields)

    def moved(version: int, to: ReclamationStatus, **fields: Any) -> ReclamationMoved:
        return ReclamationMoved(state=state(version, to, **fields), before="assigned", after=to)

    def qualified(version: int, **fields: Any) -> ReclamationQualified:
        return ReclamationQualified(
            state=state(version, "qualified", **fields), coverage="unknown", priority="high"
        )

    news: list[Event] = [
        ReclamationCreated(state=state(1, "submitted", priority="normal")),
        qualified(2, coverage="covered"),
        TechnicianAssigned(state=state(3, "assigned", technician_id=karim), technician_id=karim),
        moved(4, "in_progress", technician_id=karim),
        # Told in one transaction: both carry the state after it.
        ReclamationChanged(state=state(6, "resolved", technician_id=karim)),
        moved(6, "resolved", technician_id=karim),
        moved(7, "reopened"),
        qualified(8, priority="critical"),
        TechnicianAssigned(state=state(9, "assigned", technician_id=sofia), technician_id=sofia),
        moved(10, "resolved", technician_id=sofia, priority="critical"),
        ReclamationClosed(state=state(11, "closed", technician_id=sofia, priority="critical")),
    ]
    return [at(hours(n), event) for n, event in enumerate(news)]


LIVES = [*life(100), *life(101)]


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[RecordedEvent], list[list[RecordedEvent]]]:
    """Some of the news in order; the same in any order, some of it again, in batches of any size."""
    ordered = [LIVES[n] for n in sorted(draw(st.sets(st.integers(0, len(LIVES) - 1), min_size=1)))]
    again = draw(st.lists(st.sampled_from(ordered), max_size=8))
    told, batches = draw(st.permutations([*ordered, *again])), []
    while told:
        size = draw(st.integers(1, 10))
        batches.append(told[:size])
        told = told[size:]
    return ordered, batches


@given(telling=tellings())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_repetition_and_batching_makes_the_same_rows(
    stage: Stage, telling: tuple[list[RecordedEvent], list[list[RecordedEvent]]]
) -> None:
    ordered, batches = telling
    await stage.clear()
    for one in ordered:
        await learns(stage, [one])
    expected = await facts(stage, "reclamation_fact")

    await stage.clear()
    for batch in batches:
        await learns(stage, batch)
    assert await facts(stage, "reclamation_fact") == expected


async def test_a_reclamation_is_where_its_newest_event_says_first_qualified_and_last_resolved(
    stage: Stage,
) -> None:
    await learns(stage, reversed(life(100)))
    assert await facts(stage, "reclamation_fact") == [
        {
            "id": RECLAMATION,
            "version": 11,
            "created_at": OPENED,
            "client_id": world.lea.id,
            "technician_id": sofia,
            "status": "closed",
            "open": False,
            "problem_type": "leak",
            "priority": "critical",
            "coverage": "unknown",
            "qualified_at": hours(1),
            "resolved_at": hours(9),
        }
    ]


@pytest.mark.parametrize("first", [slice(0, 6), slice(6, None)], ids=["older", "newer"])
async def test_batches_that_meet_on_a_row_are_both_counted(stage: Stage, first: slice) -> None:
    both = life(100)
    later = [one for one in both if one not in both[first]]
    pool = stage.database.pool
    async with pool.acquire() as connection:
        async with connection.transaction():
            for events, projection, _ in stage.service.projections:
                if chosen := [one for one in both[first] if type(one[1]) in events]:
                    await projection(cast(Any, connection), chosen)
            taken = asyncio.create_task(project_batch(stage.service, stage.database, later))
            await eventually(lambda: _somebody_waits(stage))
        await taken
    [row] = await facts(stage, "reclamation_fact")
    assert (row["version"], row["status"], row["technician_id"]) == (11, "closed", sofia)
    assert (row["qualified_at"], row["resolved_at"]) == (hours(1), hours(9))


async def _somebody_waits(stage: Stage) -> bool:
    waiting = (
        "SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(await stage.database.pool.fetchval(f"SELECT EXISTS ({waiting})"))


@pytest.mark.parametrize("newer_first", [False, True])
@pytest.mark.parametrize("together", [False, True])
async def test_a_visit_and_an_invoice_are_where_their_newest_event_says(
    stage: Stage, newer_first: bool, together: bool
) -> None:
    bill = a(InvoiceView, reclamation_id=RECLAMATION)
    told = [
        told_visit(visit(version=1)),
        at(OPENED, InvoiceChanged(state=bill)),
        told_visit(visit(version=3, status="completed", closed_at=hours(5), technician_id=sofia)),
        at(OPENED, InvoiceChanged(state=bill.model_copy(update={"version": 2, "status": "issued"}))),
    ]
    if newer_first:
        told.reverse()
    for batch in [told] if together else [[one] for one in told]:
        await learns(stage, batch)
    [row] = await facts(stage, "visit_fact")
    assert (row["version"], row["status"], row["closed_at"]) == (3, "completed", hours(5))
    assert (row["reclamation_id"], row["technician_id"]) == (RECLAMATION, sofia)
    [row] = await facts(stage, "invoice_fact")
    assert (row["version"], row["status"], row["reclamation_id"]) == (2, "issued", RECLAMATION)


async def test_a_visit_may_be_for_no_reclamation(stage: Stage) -> None:
    await learns(stage, [told_visit(visit(reclamation_id=None, purpose="maintenance"))])
    [row] = await facts(stage, "visit_fact")
    assert (row["reclamation_id"], row["status"]) == (None, "planned")


@pytest.mark.parametrize("view", [ReclamationView, InterventionView, AppointmentView, InvoiceView])
def test_every_event_that_shows_a_record_is_heard(view: type[View]) -> None:
    telling = {event.type_name() for event in message_types.EVENTS.values() if event.state_type() is view}
    assert telling
    assert telling <= set(reporting.bindings()["reporting.views"])
