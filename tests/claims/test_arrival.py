"""A réclamation waits for parts no longer than it has to, and a return visit is proposed."""

from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import VISIT, reclamation, visit
from given_orders import ORDER, REPAIR, kept_for, order_line, placed
from given_parts import CLAIM, PUMP, VALVE, article, lists, reserved, short, validates
from given_views import a

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_claims.orders import PlacedLine
from sav_contracts.catalog.reservation import ReservationStatus
from sav_contracts.claims.order import CancelOrder, OrderStatus, ReceiveOrder, RefuseOrder
from sav_contracts.claims.parts_list import PartsArrived, PartsValidated
from sav_contracts.claims.reclamation import (
    ReclamationChanged,
    ReclamationMoved,
    ReclamationStatus,
    ReclamationView,
)
from sav_contracts.interventions.visit import InterventionMoved, InterventionStatus

# With the visit that follows it.
OVER, NEXT = UUID(int=210), UUID(int=211)


@pytest.fixture
async def waits(stage: Stage) -> Stage:
    """Karim's réclamation that waits for a pump, back-ordered; his visit was incomplete, another one is planned."""
    await stage.given(reclamation(status="in_progress", technician_id=world.karim.id))
    await stage.knows(
        article(PUMP, "pump"),
        article(VALVE, "valve"),
        visit(OVER, status="incomplete", cause="parts"),
        visit(NEXT, status="planned", follows_id=OVER),
    )
    await lists(stage, pump=2)
    await validates(stage)
    await stage.hears(short(PUMP))
    await now(stage, "awaiting_parts")
    return stage


async def now(stage: Stage, status: ReclamationStatus) -> None:
    await stage.database.pool.execute("UPDATE reclamation SET status = $1", status)


async def status(stage: Stage) -> str:
    found: str = await stage.database.pool.fetchval("SELECT status FROM reclamation")
    return found


def both(outcome: Outcome) -> tuple[str, bool]:
    """To which state it went on, and whether a return visit is proposed."""
    moved, arrived = outcome.events
    assert isinstance(moved, ReclamationMoved)
    assert isinstance(arrived, PartsArrived)
    assert moved.before == "awaiting_parts"
    return moved.after, arrived.return_visit


async def test_when_the_parts_arrive_a_return_visit_is_proposed(waits: Stage) -> None:
    assert both(await waits.hears(reserved(PUMP, version=2))) == ("assigned", True)
    assert await status(waits) == "assigned"


async def test_without_a_technician_it_waits_for_one(waits: Stage) -> None:
    await waits.database.pool.execute("UPDATE reclamation SET technician_id = NULL")
    assert both(await waits.hears(reserved(PUMP, version=2))) == ("qualified", True)


@pytest.mark.parametrize("going_on", ["on_site", "in_progress", "paused"])
async def test_a_visit_that_is_still_open_goes_on(waits: Stage, going_on: InterventionStatus) -> None:
    await waits.knows(visit(NEXT, version=9, status=going_on))
    assert both(await waits.hears(reserved(PUMP, version=2))) == ("in_progress", False)


@pytest.mark.parametrize("other", ["listed", "back_ordered", "validated"])
async def test_it_waits_until_the_last_part_is_there(waits: Stage, other: ReservationStatus | str) -> None:
    await lists(waits, pump=2, valve=1)
    if other != "listed":
        await validates(waits, 2)
    if other == "back_ordered":
        await waits.hears(short(VALVE, quantity=1))
    (await waits.hears(reserved(PUMP, version=2))).only(ReclamationChanged)
    assert await status(waits) == "awaiting_parts"


async def test_a_list_of_which_all_is_there_when_it_is_validated_ends_the_wait(waits: Stage) -> None:
    await waits.hears(reserved(VALVE, quantity=1))
    await lists(waits, valve=1)
    outcome = await validates(waits, 2)
    # Nothing is known of the valves' reservation but what the list said before.
    assert isinstance(outcome.events[0], PartsValidated)
    moved = await waits.hears(reserved(VALVE, version=2, quantity=1))
    assert both(moved) == ("assigned", True)


async def test_it_does_not_wait_when_a_manager_validates_that_nothing_is_needed(waits: Stage) -> None:
    await lists(waits)
    validated, moved = (await validates(waits, 2)).events
    assert isinstance(validated, PartsValidated)
    # No parts have arrived, and nobody says so.
    assert isinstance(moved, ReclamationMoved)
    assert (moved.before, moved.after) == ("awaiting_parts", "assigned")


async def test_it_does_not_wait_when_its_list_is_emptied_before_anybody_looked(stage: Stage) -> None:
    await stage.given(reclamation(status="awaiting_parts", technician_id=world.karim.id))
    await stage.knows(article(PUMP, "pump"))
    await lists(stage, pump=2)
    assert await status(stage) == "awaiting_parts"
    moved = (await lists(stage)).only(ReclamationMoved)
    assert (moved.before, moved.after) == ("awaiting_parts", "assigned")


@pytest.mark.parametrize("open_order", ["placed", "validated", "reserved", "back_ordered", "shipped"])
async def test_it_waits_for_what_was_ordered_too(waits: Stage, open_order: OrderStatus) -> None:
    await waits.given(placed(status=open_order, **REPAIR))
    (await waits.hears(reserved(PUMP, version=2))).only(ReclamationChanged)
    assert await status(waits) == "awaiting_parts"


async def test_it_goes_on_when_the_technician_has_received_the_order(waits: Stage) -> None:
    await waits.hears(reserved(PUMP, version=2))
    await now(waits, "awaiting_parts")
    await waits.given(placed(status="shipped", **REPAIR))
    received = await waits.when(ReceiveOrder(order_id=ORDER), by=world.karim)
    assert both(await waits.hears(received.events[0])) == ("assigned", True)


async def test_what_a_former_technician_received_is_not_at_hand(stage: Stage) -> None:
    """No parts have arrived for the technician who has it now, and nobody says so."""
    await stage.given(reclamation(status="awaiting_parts", technician_id=world.sofia.id))
    here = kept_for(version=1)
    line = PlacedLine.model_validate(order_line().model_dump()).follows(here)
    await stage.given(placed(line, status="shipped", **REPAIR))
    received = await stage.when(ReceiveOrder(order_id=ORDER), by=world.karim)
    moved = (await stage.hears(received.events[0])).only(ReclamationMoved)
    assert moved.after == "assigned"


@pytest.mark.parametrize("how", [RefuseOrder, CancelOrder])
async def test_it_does_not_wait_for_what_will_not_come(stage: Stage, how: type[Any]) -> None:
    await stage.given(reclamation(status="awaiting_parts", technician_id=world.karim.id))
    await stage.given(placed(**REPAIR))
    ended = await stage.when(how(order_id=ORDER, reason="plus fabriqué"), by=world.marie)
    # No parts have arrived, and nobody says so.
    moved = (await stage.hears(ended.events[0])).only(ReclamationMoved)
    assert (moved.before, moved.after) == ("awaiting_parts", "assigned")


async def test_a_purchase_is_nothing_to_wait_for(stage: Stage) -> None:
    await stage.given(placed(status="shipped"))
    received = await stage.when(ReceiveOrder(order_id=ORDER), by=world.lea)
    assert (await stage.hears(received.events[0])).events == []
    assert await stage.parked() == []


async def test_waiting_for_what_is_all_there_ends_by_itself(waits: Stage) -> None:
    await waits.hears(reserved(PUMP, version=2))
    await now(waits, "awaiting_parts")
    assert both(await waits.hears(_waiting())) == ("assigned", True)


async def test_waiting_before_anything_is_listed_goes_on(stage: Stage) -> None:
    await stage.given(reclamation(status="awaiting_parts", technician_id=world.karim.id))
    assert (await stage.hears(_waiting())).events == []
    assert await status(stage) == "awaiting_parts"
    # The whole list is in stock.
    await stage.knows(article(PUMP, "pump"))
    await lists(stage, pump=2)
    await validates(stage)
    assert both(await stage.hears(reserved(PUMP))) == ("assigned", True)


async def test_a_visit_that_stops_for_parts_that_came_meanwhile_does_not_leave_it_waiting(
    waits: Stage,
) -> None:
    await now(waits, "in_progress")
    (await waits.hears(reserved(PUMP, version=2))).only(PartsArrived)
    stopped = InterventionMoved(
        state=visit(VISIT, status="incomplete", cause="parts"), before="in_progress", after="incomplete"
    )
    moved = (await waits.hears(stopped)).only(ReclamationMoved)
    assert moved.after == "awaiting_parts"
    assert both(await waits.hears(moved)) == ("assigned", True)


async def test_news_that_come_twice_end_one_wait(waits: Stage) -> None:
    news = enveloped(reserved(PUMP, version=2))
    assert both(await waits.hears(news)) == ("assigned", True)
    assert (await waits.hears(news)).events == []


@pytest.mark.parametrize("ended", ["resolved", "closed", "cancelled"])
async def test_what_is_over_does_not_go_on(waits: Stage, ended: ReclamationStatus) -> None:
    await now(waits, ended)
    (await waits.hears(reserved(PUMP, version=2))).only(ReclamationChanged)
    assert await status(waits) == ended


async def test_a_wait_that_is_over_already_is_not_ended_again(waits: Stage) -> None:
    await now(waits, "assigned")
    told = enveloped(_waiting())
    assert (await waits.hears(told)).events == []
    assert await waits.outcome_of(told, "wait_for_nothing") == "it waits for parts"


def _waiting() -> ReclamationMoved:
    """A technician or a manager took it there by hand."""
    state = a(ReclamationView, CLAIM, version=9, status="awaiting_parts", technician_id=world.karim.id)
    return ReclamationMoved(state=state, before="in_progress", after="awaiting_parts")
