"""Another unit in a unit's place: what becomes of the covers, in whatever order it is known (L217-13, L217-28)."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import world
from given_catalog import PRODUCT, article, claim, product, sold, visit, work
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_catalog.model import Product
from sav_chassis.testing import Stage
from sav_contracts.catalog.product import ProductRegistered, ProductView, ReplaceProduct, WarrantyChanged
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
        {"status": "cancelled"},
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


async def test_what_no_guarantee_paid_begins_nothing_anew(installed: Stage) -> None:
    goodwill = Warranty.of_shares(100, 100, 100, why="decided_by_manager")
    await installed.knows(asked(warranty=goodwill))
    await hears(installed, fitted(warranty=goodwill))
    assert await ends(installed) == AS_BOUGHT
