"""Another unit in a unit's place: what becomes of the covers, in whatever order it is known (L217-13, L217-28)."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
import world
from given_catalog import PRODUCT, article, claim, file, product, sold, visit, work
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_catalog.model import Product
from sav_chassis.testing import Stage
from sav_contracts.catalog.product import (
    ProductRegistered,
    ProductVerified,
    ProductView,
    ReplacementUnclear,
    ReplaceProduct,
    VerifyProduct,
    WarrantyChanged,
)
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.claims.reclamation import ReclamationMoved, ReclamationQualified, ReclamationView
from sav_contracts.interventions.visit import InterventionClosed
from sav_contracts.messages import Event

BOUGHT = date(2025, 1, 10)
ASKED = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
CAME = datetime(2026, 10, 20, 14, 0, tzinfo=UTC)
PAID = Warranty.of_shares(100, 100, 100, why="cover_applies", cover="legal_conformity")
# Nineteen days without a unit.
SUSPENDED = {"legal_conformity": date(2027, 1, 29), "commercial": date(2028, 1, 29)}
AS_BOUGHT = {"legal_conformity": BOUGHT.replace(2027), "commercial": BOUGHT.replace(2028)}
BEGUN_ANEW = SUSPENDED | {"legal_conformity": date(2028, 10, 20)}


def asked(version: int = 1, **fields: Any) -> ReclamationView:
    usual = {"created_at": ASKED, "status": "in_progress", "coverage": "covered", "warranty": PAID}
    return claim(version=version, **(usual | fields))


def qualified() -> ReclamationQualified:
    return ReclamationQualified(state=asked(), coverage="covered", priority="high")


def moved(after: Any) -> ReclamationMoved:
    return ReclamationMoved(state=asked(version=9, status=after), before="in_progress", after=after)


def fitted(**fields: Any) -> InterventionClosed:
    """A visit that put the unit SN9 there."""
    usual = {
        "status": "completed",
        "purpose": "repair",
        "done_at": CAME,
        "closed_at": CAME,
        "warranty": PAID,
        "work": work("SN 1", "SN9"),
    }
    return InterventionClosed(state=visit(version=5, **(usual | fields)), outcome="completed")


async def replace(stage: Stage, imposed: bool = False) -> None:
    replacing = ReplaceProduct(
        product_id=PRODUCT, serial="SN9", delivery_date=CAME.date(), imposed=imposed, reason="percé"
    )
    assert (await stage.when(replacing, by=world.marie)).events


async def hears(stage: Stage, event: Event) -> list[Event]:
    """What is told of units then; the stock is told of, too."""
    await stage.knows(event.state)
    told = (await stage.hears(event)).events
    assert await stage.parked() == []
    return [one for one in told if isinstance(one.state, ProductView)]


async def units(stage: Stage) -> tuple[Product, Product]:
    """The old one and the new one."""
    async with AsyncSession(stage.database.engine) as session:
        found = {unit.serial: unit for unit in await session.scalars(select(Product))}
    return found["SN 1"], found["SN9"]


async def ends(stage: Stage) -> dict[str, date]:
    return {cover.kind: cover.end for cover in (await units(stage))[1].covers}


@pytest.fixture
async def installed(stage: Stage) -> Stage:
    ours = {"proof_state": "accepted", "covers": sold(BOUGHT, BOUGHT, parts=36), "repairs": []}
    await stage.given(article(), product(purchase_date=BOUGHT, delivery_date=BOUGHT, **ours))
    return stage


async def test_the_days_without_a_unit_suspend_its_covers(installed: Stage) -> None:
    await hears(installed, qualified())
    await replace(installed)
    assert await ends(installed) == SUSPENDED


async def test_so_they_do_where_it_is_qualified_only_after_the_new_one_came(installed: Stage) -> None:
    await replace(installed)
    assert await ends(installed) == AS_BOUGHT
    changed = [one for one in await hears(installed, qualified()) if isinstance(one, WarrantyChanged)]
    told = [(one.state.serial, one.cause) for one in changed]
    assert told == [("SN 1", "suspended"), ("SN9", "suspended")]
    assert await ends(installed) == SUSPENDED
    assert await hears(installed, qualified()) == []


async def test_so_they_do_where_nobody_has_qualified_it(installed: Stage) -> None:
    await installed.knows(asked(status="submitted", coverage="unknown", warranty=None))
    await replace(installed)
    assert await ends(installed) == SUSPENDED


@pytest.mark.parametrize(
    "fields",
    [
        {"coverage": "not_covered", "warranty": Warranty(decision="not_covered", why="covers_ended")},
        {"status": "resolved", "resolved_at": datetime(2026, 10, 5, 9, 0, tzinfo=UTC)},
        {"status": "cancelled", "ended_at": datetime(2026, 10, 5, 9, 0, tzinfo=UTC)},
        {"created_at": datetime(2026, 10, 21, 9, 0, tzinfo=UTC)},
    ],
    ids=["not covered", "advice before", "cancelled", "of the new one"],
)
async def test_what_did_not_wait_for_the_new_one_suspends_nothing(
    installed: Stage, fields: dict[str, Any]
) -> None:
    await installed.knows(asked(**fields))
    await replace(installed)
    assert await ends(installed) == AS_BOUGHT


async def test_what_ends_with_the_new_one_still_suspends(installed: Stage) -> None:
    """Also where the réclamation is resolved without a visit."""
    await hears(installed, qualified())
    await replace(installed)
    resolved = asked(version=9, status="resolved", resolved_at=CAME, resolution="replaced")
    await hears(installed, ReclamationMoved(state=resolved, before="qualified", after="resolved"))
    assert await ends(installed) == SUSPENDED


@pytest.mark.parametrize("end", ["cancelled", "rejected", "merged"])
async def test_what_waited_for_the_new_one_suspends_whatever_becomes_of_it(
    installed: Stage, end: Any
) -> None:
    await hears(installed, qualified())
    await replace(installed)
    over = asked(version=9, status=end, ended_at=datetime(2026, 10, 25, 9, 0, tzinfo=UTC))
    await hears(installed, ReclamationMoved(state=over, before="qualified", after=end))
    assert await ends(installed) == SUSPENDED


async def test_a_repair_before_another_unit_stays_where_its_request_is_reopened_afterwards(
    installed: Stage,
) -> None:
    back = datetime(2026, 10, 11, 9, 0, tzinfo=UTC)
    await installed.knows(asked(status="resolved", resolved_at=back, resolution="repaired"))
    await hears(installed, fitted(work=work(), done_at=back, closed_at=back))
    await replace(installed)
    repaired = {"legal_conformity": date(2027, 7, 20), "commercial": date(2028, 1, 20)}
    assert await ends(installed) == repaired
    reopened = asked(version=9, status="reopened")
    assert await hears(installed, ReclamationMoved(state=reopened, before="resolved", after="reopened")) == []
    assert await ends(installed) == repaired


async def test_a_repair_on_the_day_of_another_unit_keeps_its_months(installed: Stage) -> None:
    """The client chose another unit after it."""
    await installed.knows(asked(status="resolved", resolved_at=CAME, resolution="repaired"))
    await hears(installed, fitted(work=work()))
    await replace(installed)
    repaired = {"legal_conformity": date(2027, 7, 29), "commercial": date(2028, 1, 29)}
    assert await ends(installed) == repaired


@pytest.mark.parametrize("visited", [False, True], ids=["without a visit", "after a diagnostic"])
async def test_what_was_resolved_as_replaced_waited_for_the_new_one(installed: Stage, visited: bool) -> None:
    """The decision may come days before the new unit; until then the client has none that works."""
    decided = datetime(2026, 10, 8, 9, 0, tzinfo=UTC)
    if visited:
        came = {"purpose": "diagnostic", "done_at": decided, "closed_at": decided, "work": work()}
        await installed.knows(fitted(**came).state)
    await installed.knows(asked(status="resolved", resolved_at=decided, resolution="replaced"))
    await replace(installed)
    assert await ends(installed) == SUSPENDED


@pytest.mark.parametrize("after", ["awaiting_parts", "reopened"])
async def test_the_old_one_is_back_when_the_new_one_comes(installed: Stage, after: str) -> None:
    await hears(installed, qualified())
    await replace(installed)
    assert [unit.down_since for unit in await units(installed)] == [None, None]
    assert await hears(installed, moved(after)) == []
    assert [unit.down_since for unit in await units(installed)] == [None, None]


@pytest.mark.parametrize("known", [True, False], ids=["down", "nothing known"])
async def test_another_unit_instead_of_a_repair_begins_the_guarantee_anew(
    installed: Stage, known: bool
) -> None:
    """As in the law's own words: repair asked for on 1 October, replaced by us on 20 October: two years from then."""
    if known:
        await hears(installed, qualified())
    await installed.knows(asked())
    new, old, *more = await hears(installed, fitted())
    assert isinstance(new, ProductRegistered)
    assert isinstance(old, WarrantyChanged)
    assert (more, old.cause, old.until, old.state.down_since) == ([], "replaced", date(2028, 10, 20), None)
    assert await ends(installed) == BEGUN_ANEW
    assert await hears(installed, moved("resolved")) == []


async def test_a_manager_who_says_first_that_the_client_chose_it_is_believed(installed: Stage) -> None:
    await hears(installed, qualified())
    await replace(installed, imposed=False)
    assert await hears(installed, fitted()) == []
    assert await ends(installed) == SUSPENDED


async def test_a_repair_counts_where_the_new_unit_is_unclear(installed: Stage) -> None:
    """The old one keeps its place until a manager has looked; it was without use all the same."""
    await installed.given(product(id=UUID(int=301), serial="SN9", client_id=world.paul.id))
    await hears(installed, qualified())
    changed, unclear = await hears(installed, fitted())
    assert isinstance(changed, WarrantyChanged)
    assert isinstance(unclear, ReplacementUnclear)
    assert (changed.cause, changed.until, changed.state.down_since) == (
        "repaired",
        SUSPENDED["commercial"],
        None,
    )
    assert {cover.kind: cover.end for cover in changed.state.covers} == SUSPENDED


async def test_what_no_guarantee_paid_begins_nothing_anew(installed: Stage) -> None:
    goodwill = Warranty.of_shares(100, 100, 100, why="decided_by_manager")
    await installed.knows(asked(warranty=goodwill))
    await hears(installed, fitted(warranty=goodwill))
    assert await ends(installed) == AS_BOUGHT


NOT_COVERED = Warranty.of_shares(0, 0, 0, why="covers_ended")


@pytest.mark.parametrize("by_visit", [True, False], ids=["its visit", "a manager"])
async def test_a_unit_that_the_client_pays_has_the_guarantee_of_any_sale(
    stage: Stage, by_visit: bool
) -> None:
    """Two years from its own delivery, whatever the old one had left (L217-3, L217-7)."""
    long_ago = date(2023, 1, 10)
    await stage.given(
        article(warranty_parts_months=36, warranty_labour_months=0),
        product(
            purchase_date=long_ago,
            delivery_date=long_ago,
            proof_state="accepted",
            covers=sold(long_ago, long_ago, parts=36),
            repairs=[],
        ),
    )
    await stage.knows(asked(warranty=NOT_COVERED, coverage="not_covered"))
    if by_visit:
        assert await hears(stage, fitted(warranty=NOT_COVERED))
    else:
        await replace(stage)
    new = (await units(stage))[1]
    assert await ends(stage) == {"legal_conformity": date(2028, 10, 20), "commercial": date(2029, 10, 20)}
    assert (new.purchase_date, new.proof_state, new.guaranteed_from) == (CAME.date(), "accepted", None)
    assert new.view().warranty(CAME.date()).decision == "covered"


async def test_what_we_sold_in_the_place_of_a_unit_of_another_seller_is_guaranteed_by_us(
    stage: Stage,
) -> None:
    theirs = {"purchase_date": BOUGHT, "delivery_date": BOUGHT, "sold_by": "Brico Rhône", "repairs": []}
    await stage.given(article(), product(**theirs))
    assert await hears(stage, fitted(warranty=Warranty.of_shares(0, 0, 0, why="sold_by_another")))
    assert (await ends(stage))["legal_conformity"] == date(2028, 10, 20)
    assert (await units(stage))[1].sold_by is None


@pytest.mark.parametrize("accepted", [True, False])
async def test_the_answer_to_the_proof_holds_for_the_unit_before(stage: Stage, accepted: bool) -> None:
    """What visits and réclamations of that one wait for, and what they repaired counts for the new one."""
    waiting = {"purchase_date": BOUGHT, "delivery_date": BOUGHT, "proof": file(), "proof_state": "submitted"}
    await stage.given(article(), product(**waiting))
    await replace(stage)
    old, new = await units(stage)
    verifying = VerifyProduct(
        product_id=new.id, proof=file().sha256, accepted=accepted, reason=None if accepted else "illisible"
    )
    told = (await stage.when(verifying, by=world.marie)).events
    assert [(type(event), event.state.id) for event in told] == [
        (ProductVerified, new.id),
        (ProductVerified, old.id),
    ]
    old, new = await units(stage)
    assert old.proof_state == new.proof_state == ("accepted" if accepted else "refused")
    assert [cover.end for cover in old.covers] == [cover.end for cover in new.covers]
    decision = old.view().warranty_at(ASKED).decision
    assert decision == ("covered" if accepted else "unknown")
    # The repair of the old one, which is decided now.
    back = datetime(2026, 10, 11, 9, 0, tzinfo=UTC)
    await stage.knows(asked(status="resolved", resolved_at=back, resolution="repaired"))
    await hears(stage, fitted(work=work(), done_at=back, closed_at=back))
    assert (await ends(stage)).get("legal_conformity") == (date(2027, 7, 20) if accepted else None)


async def test_whoever_verifies_the_proof_may_say_that_it_was_bought_by_itself(installed: Stage) -> None:
    await replace(installed)
    new = (await units(installed))[1]
    verifying = VerifyProduct(
        product_id=new.id,
        proof="a" * 64,
        accepted=True,
        purchase_date=CAME.date(),
        delivery_date=CAME.date(),
        reason="vendu",
    )
    assert (await installed.when(verifying, by=world.marie)).events
    assert (await ends(installed))["legal_conformity"] == date(2028, 10, 20)
