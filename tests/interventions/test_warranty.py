"""Who pays for a visit: by the product, by a manager, and never unknown because something came late."""

import asyncio
from datetime import date, timedelta
from typing import Any, get_args

import pytest
import world
from eventually import eventually
from given_interventions import (
    BY_MANAGER,
    COVERED,
    NOW,
    PRODUCT,
    RECLAMATION,
    REPORTED,
    UNKNOWN,
    UNTIL_THE_FAULT,
    VISIT,
    assigned,
    cover,
    product,
    visit,
)
from given_views import a

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import ProductVerified, ProductView, WarrantyChanged
from sav_contracts.catalog.warranty import NO_PRODUCT, Warranty
from sav_contracts.claims.reclamation import ReclamationQualified, ReclamationView
from sav_contracts.interventions.visit import (
    DecideWarranty,
    InterventionPlanned,
    InterventionStatus,
    WarrantyDecided,
)

RELEASE = "UPDATE task SET due = now() WHERE use = 'parked'"
WAITING_FOR_A_LOCK = """
SELECT true FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"""


def decided(outcome: Outcome) -> WarrantyDecided:
    """The decision, which a visit has from its planning on."""
    *_, planned, decision = outcome.events
    assert isinstance(planned, InterventionPlanned)
    assert isinstance(decision, WarrantyDecided)
    assert decision.state.warranty
    assert decision.decision == decision.state.warranty.decision
    return decision


async def release(stage: Stage) -> None:
    """Lets what is parked come due."""
    await stage.database.pool.execute(RELEASE)
    await stage.reactor.release_due()
    assert await stage.parked() == []


async def decisions(stage: Stage) -> list[str]:
    """Who pays for each visit there is."""
    rows = await stage.database.pool.fetch("SELECT warranty->>'decision' AS decision FROM intervention")
    return [row["decision"] for row in rows]


def verified(state: ProductView) -> ProductVerified:
    return ProductVerified(state=state, accepted=state.proof_state == "accepted")


def decide(parts: int, labour: int, travel: int) -> DecideWarranty:
    return DecideWarranty(
        intervention_id=VISIT, parts=parts, labour=labour, travel=travel, reason="geste commercial"
    )


async def test_a_fault_in_words_asks_a_manager(stage: Stage) -> None:
    decision = decided(await stage.hears(assigned(world.karim)))
    assert decision.state.warranty == NO_PRODUCT
    assert decision.state.product_id is None


async def test_the_covers_of_the_day_of_the_fault_decide(stage: Stage) -> None:
    await stage.knows(product(UNTIL_THE_FAULT))
    on_its_last_day = decided(await stage.hears(assigned(world.karim, product_id=PRODUCT)))
    assert (on_its_last_day.decision, on_its_last_day.state.product_id) == ("covered", PRODUCT)


async def test_a_fault_after_the_last_cover_is_not_covered(stage: Stage) -> None:
    await stage.knows(product(cover(date(2024, 3, 1), date(2026, 3, 1))))
    decision = decided(await stage.hears(assigned(world.karim, product_id=PRODUCT)))
    assert (decision.decision, decision.state.warranty) == (
        "not_covered",
        Warranty(decision="not_covered", why="covers_ended", until=date(2026, 3, 1)),
    )


async def test_a_product_without_an_accepted_proof_asks_a_manager(stage: Stage) -> None:
    await stage.knows(product(UNTIL_THE_FAULT, accepted=False))
    assert decided(await stage.hears(assigned(world.karim, product_id=PRODUCT))).state.warranty == UNKNOWN


async def test_what_a_manager_decided_for_the_reclamation_counts_for_the_visit(stage: Stage) -> None:
    await stage.knows(product(UNTIL_THE_FAULT))
    decision = decided(await stage.hears(assigned(world.karim, product_id=PRODUCT, warranty=BY_MANAGER)))
    assert (decision.state.warranty, decision.reason) == (BY_MANAGER, "geste commercial")


async def test_what_a_rule_said_when_the_reclamation_was_qualified_is_asked_again(stage: Stage) -> None:
    await stage.knows(product(UNTIL_THE_FAULT))
    decision = decided(await stage.hears(assigned(world.karim, product_id=PRODUCT, warranty=UNKNOWN)))
    assert decision.decision == "covered"


async def test_a_visit_of_a_product_that_is_still_on_its_way_waits_for_it(stage: Stage) -> None:
    told = enveloped(assigned(world.karim, product_id=PRODUCT))
    assert (await stage.hears(told)).events == []
    [(parked, why)] = await stage.parked()
    assert (parked, str(PRODUCT) in why) == (told.id, True)

    await stage.knows(product(UNTIL_THE_FAULT))
    await release(stage)
    assert await decisions(stage) == ["covered"]


async def test_a_copy_that_arrives_while_a_visit_is_planned_is_not_overlooked(stage: Stage) -> None:
    await stage.knows(product(version=1, accepted=False))
    accepted = product(UNTIL_THE_FAULT, version=2)
    async with stage.database.pool.acquire() as deciding, deciding.transaction():
        # As `decide_again` does while it looks for visits.
        await deciding.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", f"product {PRODUCT}")
        planning = asyncio.create_task(stage.hears(assigned(world.karim, product_id=PRODUCT)))
        await eventually(lambda: stage.database.pool.fetch(WAITING_FOR_A_LOCK))
        await stage.knows(accepted)
    assert decided(await planning).decision == "covered"


@pytest.mark.parametrize("now", get_args(InterventionStatus))
async def test_a_proof_accepted_later_decides_the_visits_that_ask(
    stage: Stage, now: InterventionStatus
) -> None:
    accepted = product(UNTIL_THE_FAULT, version=2)
    await stage.knows(accepted)
    await stage.given(visit(now, product_id=PRODUCT, warranty=UNKNOWN))
    outcome = await stage.hears(verified(accepted))
    if now in {"declined", "cancelled", "no_access"}:
        assert outcome.events == []
    else:
        decision = outcome.only(WarrantyDecided)
        assert (decision.state.id, decision.decision) == (VISIT, "covered")
        assert decision.state.warranty == accepted.warranty(on=REPORTED)


@pytest.mark.parametrize(
    "fields",
    [{"warranty": COVERED}, {"warranty": BY_MANAGER}],
    ids=["decided by rule", "decided by a manager"],
)
async def test_a_proof_accepted_later_changes_no_other_visit(stage: Stage, fields: dict[str, Any]) -> None:
    accepted = product(cover(date(2020, 1, 1), date(2021, 1, 1)), version=2)
    await stage.knows(accepted)
    await stage.given(visit("completed", product_id=PRODUCT, **fields))
    assert (await stage.hears(verified(accepted))).events == []


async def test_a_visit_that_is_not_over_follows_a_cover_that_is_added_or_voided(stage: Stage) -> None:
    changed = product(cover(date(2020, 1, 1), date(2021, 1, 1)), version=2)
    await stage.knows(changed)
    await stage.given(visit("planned", product_id=PRODUCT, warranty=COVERED))
    voided = await stage.hears(WarrantyChanged(state=changed, cause="cover_voided"))
    assert voided.only(WarrantyDecided).decision == "not_covered"
    again = product(UNTIL_THE_FAULT, version=3)
    await stage.knows(again)
    added = await stage.hears(WarrantyChanged(state=again, cause="cover_added"))
    assert added.only(WarrantyDecided).decision == "covered"


@pytest.mark.parametrize("days", [-1, 0, 1])
async def test_a_visit_stays_covered_when_another_unit_takes_the_place(stage: Stage, days: int) -> None:
    """Also where that came on the day of the request, or is told with an earlier day."""
    came = {"replaced_by_id": RECLAMATION, "replaced_on": REPORTED + timedelta(days)}
    gone = product(UNTIL_THE_FAULT, version=2).model_copy(update=came)
    await stage.knows(gone)
    await stage.given(visit("in_progress", product_id=PRODUCT, warranty=gone.warranty_at(NOW)))
    assert (await stage.hears(WarrantyChanged(state=gone, cause="replaced"))).events == []
    assert await decisions(stage) == ["covered"]


async def test_a_proof_accepted_after_the_visit_was_closed_still_says_who_pays(stage: Stage) -> None:
    accepted = product(UNTIL_THE_FAULT, version=2)
    await stage.knows(accepted)
    await stage.given(visit("completed", product_id=PRODUCT, warranty=UNKNOWN, closed_at=NOW))
    assert (await stage.hears(verified(accepted))).only(WarrantyDecided).decision == "covered"


async def test_a_proof_that_is_refused_or_told_twice_asks_no_manager_again(stage: Stage) -> None:
    refused = product(version=2, accepted=False)
    await stage.knows(refused)
    await stage.given(visit("planned", product_id=PRODUCT, warranty=UNKNOWN))
    assert (await stage.hears(verified(refused))).events == []
    accepted = product(UNTIL_THE_FAULT, version=3)
    await stage.knows(accepted)
    assert (await stage.hears(verified(accepted))).only(WarrantyDecided).decision == "covered"
    assert (await stage.hears(verified(accepted))).events == []


async def test_news_of_a_product_waits_for_its_copy_so_that_no_visit_is_planned_by_an_older_one(
    stage: Stage,
) -> None:
    await stage.knows(product(version=1, accepted=False))
    accepted = product(UNTIL_THE_FAULT, version=2)
    told = enveloped(verified(accepted))
    assert (await stage.hears(told)).events == []
    assert decided(await stage.hears(assigned(world.karim, product_id=PRODUCT))).decision == "unknown"

    await stage.knows(accepted)
    await release(stage)
    assert await decisions(stage) == ["covered"]


@pytest.mark.parametrize(
    ("shares", "decision"),
    [((100, 100, 100), "covered"), ((0, 0, 0), "not_covered"), ((100, 50, 0), "partly")],
)
async def test_a_manager_decides_in_percent(
    stage: Stage, shares: tuple[int, int, int], decision: str
) -> None:
    await stage.given(visit("completed", warranty=UNKNOWN))
    told = (await stage.when(decide(*shares), by=world.marie)).only(WarrantyDecided)
    kept = told.state.warranty
    assert kept
    assert (kept.parts, kept.labour, kept.travel) == shares
    assert (kept.why, kept.reason, told.reason) == (
        "decided_by_manager",
        "geste commercial",
        "geste commercial",
    )
    assert told.decision == kept.decision == decision


def qualified(warranty: Warranty) -> ReclamationQualified:
    state = assigned(world.karim, warranty=warranty).state
    return ReclamationQualified(state=state, coverage=warranty.decision, priority="normal")


async def test_what_a_manager_decides_for_the_reclamation_holds_for_its_visits(stage: Stage) -> None:
    await stage.given(visit("completed", warranty=UNKNOWN, closed_at=NOW))
    told = (await stage.hears(qualified(BY_MANAGER))).only(WarrantyDecided)
    assert (told.state.warranty, told.reason) == (BY_MANAGER, "geste commercial")


async def test_of_two_decisions_of_managers_the_later_one_stands(stage: Stage) -> None:
    await stage.given(visit("planned", warranty=BY_MANAGER))
    for earlier in (BY_MANAGER, BY_MANAGER.model_copy(update={"decided_at": NOW - timedelta(minutes=1)})):
        assert (await stage.hears(qualified(earlier))).events == []
    later = BY_MANAGER.model_copy(update={"decided_at": NOW + timedelta(minutes=1), "parts": 100})
    assert (await stage.hears(qualified(later))).only(WarrantyDecided).state.warranty == later


async def test_what_a_rule_says_of_the_reclamation_leaves_its_visits(stage: Stage) -> None:
    await stage.given(visit("planned", warranty=UNKNOWN))
    assert (await stage.hears(qualified(COVERED))).events == []


async def test_what_a_manager_decided_for_a_visit_stays_when_it_is_reassigned(stage: Stage) -> None:
    await stage.given(visit("planned", warranty=BY_MANAGER))
    assert (
        decided(await stage.hears(assigned(world.sofia, previous=world.karim))).state.warranty == BY_MANAGER
    )


@pytest.mark.parametrize("now", ["declined", "cancelled", "no_access"])
async def test_there_is_nothing_to_pay_of_a_visit_that_did_not_happen(
    stage: Stage, now: InterventionStatus
) -> None:
    await stage.given(visit(now))
    refused = await stage.when(decide(0, 0, 0), by=world.marie)
    assert refused.problem
    assert (refused.problem.status, refused.problem.code) == (409, "did_not_happen")


@pytest.mark.parametrize("who", [world.karim, world.alex, world.lea], ids=["technician", "admin", "client"])
async def test_a_manager_decides_and_nobody_else(stage: Stage, who: Actor) -> None:
    await stage.given(visit("planned"))
    refused = await stage.when(decide(0, 0, 0), by=who)
    assert refused.problem
    assert refused.problem.status == 403
    assert refused.events == []


async def test_a_product_that_is_named_later_decides_for_the_visit_too(stage: Stage) -> None:
    await stage.hears(assigned(world.karim))
    await stage.knows(product(cover(REPORTED, REPORTED)))
    named = a(ReclamationView, RECLAMATION, status="assigned", product_id=PRODUCT, created_at=NOW)
    gas = named.model_copy(update={"skills_needed": ("heating", "gas")})
    told = ReclamationQualified(state=gas, coverage="covered", priority="high")
    decision = (await stage.hears(told)).only(WarrantyDecided)
    assert (decision.state.product_id, decision.decision) == (PRODUCT, "covered")
    assert decision.state.skills_needed == ("heating", "gas")
    assert (await stage.hears(told)).events == [], "told again"
