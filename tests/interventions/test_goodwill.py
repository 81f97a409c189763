"""What a manager decides about a warranty keeps the covers that pay: a repair under them prolongs them."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import client, closed, told_closed
from given_interventions import (
    BY_MANAGER,
    NOW,
    PRODUCT,
    UNKNOWN,
    UNTIL_THE_FAULT,
    VISIT,
    cover,
    product,
    reclamation,
    valve,
    visit,
)

from sav_catalog.covers import covered_repairs
from sav_chassis.testing import Stage
from sav_contracts.catalog.product import ProductVerified, WarrantyChanged
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.invoice import InvoiceDrafted
from sav_contracts.interventions.visit import DecideWarranty, WarrantyDecided

FURTHER = UUID(int=201)
LEGAL = "legal_conformity"
ONLY_PARTS = cover(date(2025, 1, 10), date(2026, 3, 2), labour=0, travel=0)


def decide(parts: int, labour: int, travel: int) -> DecideWarranty:
    return DecideWarranty(
        intervention_id=VISIT, parts=parts, labour=labour, travel=travel, reason="geste commercial"
    )


def covers_of(warranty: Warranty | None) -> tuple[Any, ...]:
    assert warranty
    return warranty.cover, warranty.parts_cover, warranty.labour_cover, warranty.travel_cover


@pytest.mark.parametrize(
    ("shares", "covers"),
    [
        ((100, 100, 100), (LEGAL, LEGAL, LEGAL, LEGAL)),
        ((100, 50, 0), (LEGAL, LEGAL, LEGAL, None)),
        ((0, 0, 0), (None, None, None, None)),
    ],
)
async def test_a_share_that_a_cover_pays_keeps_its_cover(
    stage: Stage, shares: tuple[int, int, int], covers: tuple[Any, ...]
) -> None:
    await stage.knows(product(UNTIL_THE_FAULT))
    await stage.given(visit("completed", product_id=PRODUCT, warranty=UNKNOWN))
    told = (await stage.when(decide(*shares), by=world.marie)).only(WarrantyDecided)
    assert covers_of(told.state.warranty) == covers
    assert told.for_this_visit


async def test_a_share_that_only_goodwill_pays_has_no_cover(stage: Stage) -> None:
    await stage.knows(product(ONLY_PARTS))
    await stage.given(visit("completed", product_id=PRODUCT, warranty=UNKNOWN))
    kept = (await stage.when(decide(100, 100, 100), by=world.marie)).only(WarrantyDecided).state.warranty
    assert covers_of(kept) == (LEGAL, LEGAL, None, None)
    assert kept
    assert (kept.until, kept.paid_by()) == (date(2026, 3, 2), {LEGAL})


async def test_a_second_decision_finds_the_covers_that_the_first_one_left_out(stage: Stage) -> None:
    await stage.knows(product(UNTIL_THE_FAULT))
    await stage.given(visit("completed", product_id=PRODUCT, warranty=BY_MANAGER))
    kept = (await stage.when(decide(100, 100, 100), by=world.marie)).only(WarrantyDecided).state.warranty
    assert covers_of(kept) == (LEGAL, LEGAL, LEGAL, LEGAL)


async def test_a_repair_that_a_manager_decided_prolongs_the_legal_guarantee(stage: Stage) -> None:
    """As without the decision: L217-13 grants six months for a repair under it."""
    unit = product(UNTIL_THE_FAULT.model_copy(update={"months": 24}))
    await stage.knows(unit)
    await stage.given(closed(warranty=UNKNOWN))
    told = (await stage.when(decide(100, 100, 50), by=world.marie)).only(WarrantyDecided)
    claim = reclamation(world.karim, product_id=PRODUCT, status="closed", created_at=NOW)
    [repair] = covered_repairs([claim], [told.state], unit.place, unit.serial)
    assert repair.covers == [LEGAL]
    assert unit.covers[0].prolonged(unit.purchase_date, [repair]).end > date(2027, 7, 9)


@pytest.mark.parametrize("now", ["planned", "completed"])
async def test_an_accepted_proof_says_which_covers_pay_what_a_manager_decided(stage: Stage, now: Any) -> None:
    proven = product(UNTIL_THE_FAULT, version=2)
    await stage.knows(proven)
    await stage.given(visit(now, product_id=PRODUCT, warranty=BY_MANAGER))
    told = (await stage.hears(ProductVerified(state=proven, accepted=True))).only(WarrantyDecided)
    kept = told.state.warranty
    assert kept
    assert (kept.parts, kept.labour, kept.travel, kept.reason) == (50, 0, 0, BY_MANAGER.reason)
    assert covers_of(kept) == (LEGAL, LEGAL, None, None)
    assert not told.for_this_visit, "its client knows the decision"


@pytest.mark.parametrize(("now", "heard"), [("planned", 1), ("completed", 0)])
async def test_a_cover_that_comes_after_the_visit_changes_nothing(stage: Stage, now: Any, heard: int) -> None:
    changed = product(UNTIL_THE_FAULT, version=2)
    await stage.knows(changed)
    await stage.given(visit(now, product_id=PRODUCT, warranty=BY_MANAGER))
    outcome = await stage.hears(WarrantyChanged(state=changed, cause="cover_added"))
    assert len(outcome.events) == heard


def test_a_client_reads_the_reason_of_a_decision_that_was_made_for_them() -> None:
    told = Warranty.by_manager((0, 0, 0), "calcaire", NOW, None)
    assert told.for_client().reason == "calcaire"
    state = told_closed(closed(warranty=told)).state
    event = WarrantyDecided(state=state, decision="not_covered", reason="calcaire", for_this_visit=True)
    assert event.for_client().reason == "calcaire"
    # Older ones were given for staff.
    older = state.model_copy(update={"warranty": BY_MANAGER})
    assert BY_MANAGER.for_client().reason is None
    assert WarrantyDecided(state=older, decision="partly", reason="un geste").for_client().reason is None


async def test_a_follow_up_under_the_same_decision_bills_its_own_work_only(stage: Stage) -> None:
    await stage.knows(client(), product(), valve())
    first, further = closed(warranty=BY_MANAGER), closed(warranty=BY_MANAGER).follow_up(FURTHER)
    assert (further.warranty, further.work, further.follows_id) == (BY_MANAGER, None, VISIT)
    # Somebody came, and did nothing.
    further.status, further.closed_at, further.created_at = "incomplete", NOW, NOW
    further.overdue, further.by_hand, further.acts, further.tasks = False, False, [], []
    heard = [told_closed(closed(warranty=BY_MANAGER)), told_closed(closed(id=FURTHER))]
    await stage.given(first, further)
    (await stage.hears(heard[0])).only(InvoiceDrafted)
    assert (await stage.hears(heard[1])).events == [], "nothing is billed a second time"
