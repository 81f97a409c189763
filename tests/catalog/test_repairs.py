"""Covers follow the repairs that they pay, in whatever order these become known."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from given_catalog import PRODUCT, article, claim, product, sold, visit
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from sav_catalog.model import Product
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import ProductChanged, WarrantyChanged
from sav_contracts.catalog.warranty import CoverKind, Warranty
from sav_contracts.claims.reclamation import ReclamationMoved, ReclamationQualified, ReclamationView
from sav_contracts.interventions.visit import (
    InterventionClosed,
    InterventionMoved,
    InterventionView,
)
from sav_contracts.messages import Event, View

BOUGHT = date(2024, 6, 15)
ASKED = datetime(2025, 3, 1, 10, 0, tzinfo=UTC)
BACK = datetime(2025, 3, 15, 14, 0, tzinfo=UTC)
ENDS = date(2026, 6, 15)
OTHER = UUID(int=301)


def paid(kind: CoverKind = "legal_conformity") -> Warranty:
    return Warranty.of_shares(100, 100, 100, why="cover_applies", cover=kind)


def asked(version: int = 1, **fields: Any) -> ReclamationView:
    usual = {"created_at": ASKED, "status": "assigned", "coverage": "covered", "warranty": paid()}
    return claim(version=version, **(usual | fields))


def repaired(version: int = 1, **fields: Any) -> InterventionView:
    usual = {
        "status": "completed",
        "warranty": paid(),
        "done_at": BACK,
        "closed_at": datetime(2025, 3, 16, 8, 0, tzinfo=UTC),
        "purpose": "repair",
    }
    return visit(version=version, **(usual | fields))


def closed(state: InterventionView) -> InterventionClosed:
    return InterventionClosed(state=state, outcome="completed")


async def hears(stage: Stage, event: Event) -> list[Event]:
    await stage.knows(event.state)
    return (await stage.hears(event)).events


async def unit(stage: Stage, id: UUID = PRODUCT) -> Product:
    async with AsyncSession(stage.database.engine) as session:
        found = await session.scalar(select(Product).where(Product.id == id))
        assert found
        return found


@pytest.fixture
async def installed(stage: Stage) -> Stage:
    covers = sold(BOUGHT, BOUGHT, parts=36)
    await stage.given(
        article(),
        product(
            purchase_date=BOUGHT, delivery_date=BOUGHT, proof_state="accepted", covers=covers, repairs=[]
        ),
    )
    return stage


async def test_a_unit_is_down_from_the_request_until_it_is_back(installed: Stage) -> None:
    qualified = ReclamationQualified(state=asked(), coverage="covered", priority="high")
    [down] = await hears(installed, qualified)
    assert type(down) is ProductChanged
    assert down.state.down_since == date(2025, 3, 1)
    assert [cover.end for cover in down.state.covers] == [ENDS, date(2027, 6, 15)]

    [back] = await hears(installed, closed(repaired()))
    assert isinstance(back, WarrantyChanged)
    assert (back.cause, back.until, back.state.down_since) == ("repaired", date(2027, 6, 29), None)
    # Six months and fourteen days; our own warranty fourteen days.
    assert [cover.end for cover in back.state.covers] == [date(2026, 12, 29), date(2027, 6, 29)]


async def test_a_repair_counts_once_however_often_it_is_told(installed: Stage) -> None:
    await hears(installed, ReclamationQualified(state=asked(), coverage="covered", priority="high"))
    assert await hears(installed, closed(repaired()))
    assert await hears(installed, closed(repaired())) == []
    resolved = asked(version=2, status="resolved")
    assert (
        await hears(installed, ReclamationMoved(state=resolved, before="in_progress", after="resolved")) == []
    )


async def test_events_in_any_order_make_the_same_covers(installed: Stage) -> None:
    first, second = UUID(int=100), UUID(int=101)
    told: list[Event] = [
        ReclamationQualified(state=asked(id=first), coverage="covered", priority="high"),
        closed(repaired(reclamation_id=first)),
        ReclamationQualified(
            state=asked(id=second, created_at=datetime(2026, 1, 5, 9, 0, tzinfo=UTC), status="resolved"),
            coverage="covered",
            priority="high",
        ),
        closed(
            repaired(id=UUID(int=401), reclamation_id=second, done_at=datetime(2026, 1, 8, 9, 0, tzinfo=UTC))
        ),
    ]
    ends = set()
    for order in permutations(told):
        await installed.clear()
        covers = sold(BOUGHT, BOUGHT, parts=36)
        await installed.given(
            article(),
            product(
                purchase_date=BOUGHT, delivery_date=BOUGHT, proof_state="accepted", covers=covers, repairs=[]
            ),
        )
        for event in order:
            await hears(installed, event)
        ends.add(tuple(cover.end for cover in (await unit(installed)).covers))
    assert ends == {(date(2027, 7, 2), date(2027, 7, 2))}


@pytest.mark.parametrize(
    "records",
    [
        [asked(warranty=Warranty.of_shares(100, 100, 100, why="decided_by_manager"))],
        [asked(warranty=Warranty(decision="not_covered", why="covers_ended"))],
        [asked(status="cancelled"), repaired(purpose="diagnostic")],
        [asked(status="rejected")],
        [asked(status="resolved", resolution="advice")],
        [asked(warranty=None)],
    ],
    ids=["goodwill", "not covered", "cancelled", "rejected", "advice only", "not qualified"],
)
async def test_what_is_no_covered_repair_changes_no_cover(installed: Stage, records: list[View]) -> None:
    await installed.knows(*records)
    [reclamation, *_] = records
    assert isinstance(reclamation, ReclamationView)
    event = ReclamationQualified(state=reclamation, coverage="covered", priority="high")
    assert (await installed.hears(event)).events == []
    # That very event would, were it a covered one.
    again = ReclamationQualified(state=asked(version=9), coverage="covered", priority="high")
    assert await hears(installed, again)


async def test_a_commercial_repair_suspends_and_prolongs_nothing(installed: Stage) -> None:
    kind = paid("commercial")
    await installed.knows(asked(warranty=kind, status="resolved"))
    await hears(installed, closed(repaired(warranty=kind)))
    assert [cover.end for cover in (await unit(installed)).covers] == [date(2026, 6, 29), date(2027, 6, 29)]


async def test_what_the_visit_decided_counts_over_what_the_reclamation_says(installed: Stage) -> None:
    by_manager = Warranty.of_shares(100, 0, 0, why="decided_by_manager")
    await installed.knows(asked(status="resolved"))
    assert await hears(installed, closed(repaired(warranty=by_manager))) == []


async def test_a_visit_that_was_not_closed_leaves_the_unit_down(installed: Stage) -> None:
    await hears(installed, ReclamationQualified(state=asked(), coverage="covered", priority="high"))
    done = repaired(closed_at=None)
    await hears(installed, InterventionMoved(state=done, before="in_progress", after="completed"))
    assert (await unit(installed)).down_since == date(2025, 3, 1)


async def test_a_fault_that_comes_back_makes_the_unit_down_again(installed: Stage) -> None:
    await installed.knows(asked(status="resolved"))
    await hears(installed, closed(repaired()))
    assert (await unit(installed)).down_since is None
    reopened = asked(version=2, status="reopened")
    await hears(installed, ReclamationMoved(state=reopened, before="resolved", after="reopened"))
    assert (await unit(installed)).down_since == date(2025, 3, 1)


async def test_a_reclamation_that_is_reopened_and_repaired_again_counts_two_repairs(installed: Stage) -> None:
    await installed.knows(asked(status="resolved"))
    await hears(installed, closed(repaired()))
    again = datetime(2025, 4, 10, 9, 0, tzinfo=UTC)
    await hears(installed, closed(repaired(id=UUID(int=401), done_at=again)))
    # Twelve months, and the forty days from the request until it worked for good.
    assert [cover.end for cover in (await unit(installed)).covers] == [date(2027, 7, 25), date(2027, 7, 25)]


@pytest.mark.parametrize(
    "other",
    [{"purpose": "diagnostic"}, {"warranty": paid("commercial")}, {"status": "incomplete"}],
    ids=["a diagnosis", "paid by another cover", "incomplete"],
)
async def test_a_visit_that_is_no_legal_repair_adds_none(installed: Stage, other: dict[str, Any]) -> None:
    await installed.knows(asked(status="resolved"))
    await hears(installed, closed(repaired(id=UUID(int=401), done_at=BACK - timedelta(days=3), **other)))
    await hears(installed, closed(repaired()))
    assert (await unit(installed)).covers[0].end == date(2026, 12, 29)


@pytest.mark.parametrize("end", ["cancelled", "rejected", "merged"])
async def test_a_repair_that_took_place_counts_whatever_becomes_of_the_request(
    installed: Stage, end: Any
) -> None:
    """The client reopened it, and gave it up (L217-13)."""
    await installed.knows(asked(status="resolved"))
    await hears(installed, closed(repaired()))
    given_up = asked(version=2, status=end)
    await hears(installed, ReclamationMoved(state=given_up, before="qualified", after=end))
    assert [cover.end for cover in (await unit(installed)).covers] == [date(2026, 12, 29), date(2027, 6, 29)]


async def test_an_event_whose_copy_has_not_arrived_waits(installed: Stage) -> None:
    await installed.knows(asked())
    newer = ReclamationQualified(state=asked(version=5), coverage="covered", priority="high")
    assert (await installed.hears(newer)).events == []
    assert len(await installed.parked()) == 1


async def test_a_reclamation_without_a_product_is_nothing_here(installed: Stage) -> None:
    words_only = ReclamationQualified(state=asked(product_id=None), coverage="covered", priority="high")
    assert await hears(installed, words_only) == []
    assert await installed.parked() == []


async def test_eight_covered_repairs_each_add_six_months(installed: Stage) -> None:
    chance = random.Random(8)
    told: list[Event] = []
    for n in range(8):
        day = datetime(2024, 7, 1 + n, 9, 0, tzinfo=UTC)
        about = asked(id=UUID(int=1000 + n), created_at=day, status="resolved")
        told += [
            ReclamationQualified(state=about, coverage="covered", priority="high"),
            closed(repaired(id=UUID(int=2000 + n), reclamation_id=about.id, done_at=day)),
        ]
    for event in chance.sample(told, len(told)):
        await hears(installed, event)
    assert [cover.end for cover in (await unit(installed)).covers] == [date(2030, 6, 15), date(2027, 6, 15)]


async def test_a_product_that_it_is_not_about_any_more_is_not_down(installed: Stage) -> None:
    await installed.given(
        product(
            id=OTHER,
            serial="another one",
            purchase_date=BOUGHT,
            delivery_date=BOUGHT,
            proof_state="accepted",
            covers=sold(BOUGHT, BOUGHT, parts=36),
            repairs=[],
        )
    )
    await hears(installed, ReclamationQualified(state=asked(), coverage="covered", priority="high"))
    assert (await unit(installed)).view().down_since
    again = ReclamationQualified(
        state=asked(version=2, product_id=OTHER),
        coverage="covered",
        priority="high",
        previous_product_id=PRODUCT,
    )
    told = {event.state.id: event.state.down_since for event in await hears(installed, again)}
    assert told == {PRODUCT: None, OTHER: date(2025, 3, 1)}
    assert await hears(installed, again) == []


async def test_units_are_locked_in_the_order_of_their_ids(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that took another's place: somebody may hold it and wait for a later one."""
    former = UUID(int=302)
    await stage.given(
        article(),
        product(),
        product(id=OTHER, serial="SN 2", replaces_id=PRODUCT, delivery_date=BACK.date()),
        product(id=former, serial="SN 3"),
    )
    replaced = {"replaced_by_id": OTHER, "replaced_on": BACK.date()}
    async with AsyncSession(stage.database.engine) as session, session.begin():
        await session.execute(update(Product).where(Product.id == PRODUCT).values(replaced))
    locked = []
    load = Tx.load

    async def noted(tx: Tx, model: Any, id: UUID, by: Actor) -> Any:
        locked.append(id)
        return await load(tx, model, id, by)

    monkeypatch.setattr(Tx, "load", noted)
    named = ReclamationQualified(
        state=asked(), coverage="covered", priority="high", previous_product_id=former
    )
    await hears(stage, named)
    assert locked == [PRODUCT, OTHER, former]
