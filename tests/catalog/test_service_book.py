"""What a unit learns from visits: its services, what was built in, and the unit that took its place."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_catalog import BOILER, HOME, JOINT, PRODUCT, article, file, product, stock, visit, work
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_catalog import services
from sav_catalog.model import Product
from sav_catalog.model.product import MOST_BUILT_IN
from sav_chassis.testing import Stage, enveloped
from sav_contracts.catalog.article import ChangeArticle
from sav_contracts.catalog.product import (
    PlaceGiven,
    ProductChanged,
    ProductRegistered,
    ProductVerified,
    ProductView,
    RegisterProduct,
    ReplacementUnclear,
    ReplaceProduct,
    VerifyProduct,
    WarrantyChanged,
)
from sav_contracts.interventions.visit import InterventionClosed
from sav_contracts.interventions.work import PartPriced
from sav_contracts.messages import Event

# It is past midnight in Paris.
AT = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
ON = date(2026, 3, 5)
OTHER = UUID(int=301)


def boiler(**fields: Any) -> Any:
    return article(**({"fuel": "gas", "heats": "space_and_water", "power_kw": Decimal(24)} | fields))


def part(serial: str | None, reference: str = "CIR-25-60") -> PartPriced:
    return PartPriced(
        article_id=JOINT,
        quantity=1,
        serial=serial,
        reference=reference,
        name="Circulateur",
        unit_price=Decimal("186.40"),
        vat_class="standard",
    )


def closed(outcome: Any = "completed", version: int = 5, **fields: Any) -> InterventionClosed:
    usual: dict[str, Any] = {"status": outcome, "done_at": AT, "closed_at": AT, "purpose": "maintenance"}
    return InterventionClosed(state=visit(version=version, **(usual | fields)), outcome=outcome)


async def hears(stage: Stage, event: Event) -> list[Event]:
    """What is told of units then; the stock is told of, too."""
    await stage.knows(event.state)
    told = (await stage.hears(event)).events
    assert await stage.parked() == []
    return [one for one in told if isinstance(one.state, ProductView)]


async def units(stage: Stage) -> dict[str, Product]:
    async with AsyncSession(stage.database.engine) as session:
        return {found.serial: found for found in await session.scalars(select(Product))}


@pytest.fixture
async def installed(stage: Stage) -> Stage:
    first = date(HOME.day(stage.now()).year, 12, 31)
    joint = article(id=JOINT, reference="JT-18", family="part")
    await stage.given(boiler(), joint, stock(99, article_id=JOINT), product(next_service_due=first))
    return stage


async def test_a_registered_unit_says_when_its_first_service_is_due(stage: Stage) -> None:
    await stage.given(boiler())
    today = HOME.day(stage.now())
    bought = RegisterProduct(
        article_id=BOILER, serial="SN 2", place=PlaceGiven(**HOME.model_dump()), purchase_date=today
    )
    registered = (await stage.when(bought, by=world.lea)).only(ProductRegistered).state
    assert (registered.next_service_due, registered.serviced_on) == (date(today.year + 1, 12, 31), None)


async def test_what_needs_no_service_says_none(stage: Stage) -> None:
    await stage.given(article())
    bought = RegisterProduct(
        article_id=BOILER,
        serial="SN 2",
        place=PlaceGiven(**HOME.model_dump()),
        purchase_date=date(2026, 1, 2),
    )
    assert (await stage.when(bought, by=world.lea)).only(ProductRegistered).state.next_service_due is None


async def test_it_follows_the_days_that_a_proof_shows(stage: Stage) -> None:
    today = HOME.day(stage.now())
    await stage.given(
        boiler(fuel="heat_pump", heats="space"),
        product(
            proof_state="submitted",
            proof=file(),
            purchase_date=today.replace(month=1, day=2),
            delivery_date=today.replace(month=1, day=2),
        ),
    )
    accept = VerifyProduct(
        product_id=PRODUCT, proof="a" * 64, accepted=True, commissioning_date=today.replace(month=1, day=20)
    )
    verified = (await stage.when(accept, by=world.marie)).only(ProductVerified).state
    assert verified.next_service_due == date(today.year + 2, 1, 20)


async def test_a_service_sets_when_the_next_one_is_due(installed: Stage) -> None:
    [told] = await hears(installed, closed())
    assert type(told) is ProductChanged
    assert (told.state.serviced_on, told.state.next_service_due) == (ON, date(2027, 3, 5))


async def test_a_service_told_twice_or_late_counts_once(installed: Stage) -> None:
    event = closed()
    await hears(installed, event)
    assert await hears(installed, closed()) == []
    earlier = closed(id=UUID(int=401), done_at=datetime(2025, 3, 4, 9, 0, tzinfo=UTC))
    assert await hears(installed, earlier) == []


@pytest.mark.parametrize(
    "event",
    [closed("incomplete"), closed(purpose="repair"), closed(product_id=None)],
    ids=["incomplete", "a repair", "no unit"],
)
async def test_what_is_no_completed_service_sets_no_day_of_service(
    stage: Stage, event: InterventionClosed
) -> None:
    await stage.given(boiler(), product(next_service_due=date(stage.now().year, 12, 31)))
    assert await hears(stage, event) == []


@pytest.mark.parametrize("at_once", [1, 2, 200])
async def test_units_follow_what_is_said_of_their_article(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(services, "AT_ONCE", at_once)
    other = product(id=OTHER, serial="SN 2", replaced_by_id=PRODUCT, replaced_on=ON)
    await stage.given(article(), product(), other, product(id=UUID(int=302), serial="SN 3"))
    named = ChangeArticle(article_id=BOILER, name="Chaudière 25")
    await stage.when(named, by=world.marie)
    assert [waiting.function for waiting in await stage.waiting()] == []
    await stage.when(ChangeArticle(article_id=BOILER, fuel="gas", heats="space"), by=world.marie)
    told = (await stage.runs_effects()).events
    assert [(type(one), one.state.serial) for one in told] == [
        (ProductChanged, "SN 1"),
        (ProductChanged, "SN 3"),
    ]
    due = {serial: unit.next_service_due for serial, unit in (await units(stage)).items()}
    year = HOME.day(stage.now()).year
    assert due == {"SN 1": date(year, 12, 31), "SN 2": None, "SN 3": date(year, 12, 31)}


async def test_an_installation_commissions_the_unit(installed: Stage) -> None:
    [told] = await hears(installed, closed(purpose="install"))
    assert type(told) is ProductChanged
    assert (told.state.commissioning_date, told.state.serviced_on) == (ON, None)
    again = closed(id=UUID(int=401), purpose="install", done_at=datetime(2026, 4, 4, 9, 0, tzinfo=UTC))
    assert await hears(installed, again) == []


async def test_parts_with_serial_numbers_stand_on_the_unit(installed: Stage) -> None:
    used = work("CIR-0417", "CIR-2291", part("CIR-2291"), part("VAN-7", "VAN-22"), part(None, "JT-18"))
    [told] = await hears(installed, closed(purpose="repair", work=used))
    assert type(told) is ProductChanged
    assert [(one.serial, one.replaces, one.reference, one.on) for one in told.state.built_in] == [
        ("CIR-2291", "CIR-0417", "CIR-25-60", ON),
        ("VAN-7", None, "VAN-22", ON),
    ]


async def test_a_replaced_part_that_is_no_used_part_stands_there_too(installed: Stage) -> None:
    [told] = await hears(installed, closed("incomplete", purpose="repair", work=work("CIR-0417", "CIR-2291")))
    assert type(told) is ProductChanged
    [one] = told.state.built_in
    assert (one.serial, one.replaces, one.reference) == ("CIR-2291", "CIR-0417", None)


async def test_a_unit_keeps_the_newest_of_very_many(installed: Stage) -> None:
    for number in range(3):
        parts = [part(f"P-{number}-{index}") for index in range(20)]
        event = closed(id=UUID(int=500 + number), purpose="repair", work=work(None, None, *parts))
        await hears(installed, event)
    built_in = (await units(installed))["SN 1"].built_in
    assert len(built_in) == MOST_BUILT_IN
    assert built_in[-1].serial == "P-2-19"


async def test_where_the_unit_itself_failed_another_one_takes_its_place(installed: Stage) -> None:
    new, old, *more = await hears(installed, closed(purpose="repair", work=work("SN 1", "SN9")))
    assert isinstance(new, ProductRegistered)
    assert isinstance(old, WarrantyChanged)
    assert more == []
    assert (new.state.serial, new.state.replaces_id, new.state.delivery_date) == ("SN9", PRODUCT, ON)
    assert (old.cause, old.new_serial, old.state.replaced_by_id) == ("replaced", "SN9", new.state.id)
    assert (old.state.next_service_due, new.state.next_service_due) == (None, date(2027, 12, 31))
    assert (old.state.built_in, new.state.built_in) == ([], [])


async def test_a_replacement_told_twice_is_made_once(installed: Stage) -> None:
    told = closed(purpose="repair", work=work("SN 1", "SN9"))
    await installed.knows(told.state)
    event = enveloped(told)
    await installed.hears(event)
    assert (await installed.hears(event)).events == []
    again = closed(purpose="repair", work=work("SN 1", "SN9"), id=UUID(int=402))
    assert await hears(installed, again) == []
    assert set(await units(installed)) == {"SN 1", "SN9"}


async def test_a_replacement_that_a_manager_registered_first_is_known(installed: Stage) -> None:
    replace = ReplaceProduct(
        product_id=PRODUCT, serial="SN9", delivery_date=date(2026, 3, 1), imposed=True, reason="percé"
    )
    await installed.when(replace, by=world.marie)
    assert await hears(installed, closed(purpose="repair", work=work("SN 1", "SN9"))) == []


async def test_a_unit_that_was_replaced_by_another_one_is_for_a_manager(installed: Stage) -> None:
    await hears(installed, closed(purpose="repair", work=work("SN 1", "SN9")))
    later = closed(id=UUID(int=402), purpose="repair", work=work("SN 1", "SN8"))
    [told] = await hears(installed, later)
    assert isinstance(told, ReplacementUnclear)
    assert (told.why, told.new_serial, told.intervention_id) == ("replaced_already", "SN8", UUID(int=402))


async def test_a_serial_number_that_is_taken_is_for_a_manager(installed: Stage) -> None:
    await installed.given(product(id=OTHER, serial="SN9", client_id=world.paul.id))
    [told] = await hears(installed, closed(purpose="repair", work=work("SN 1", "SN9")))
    assert isinstance(told, ReplacementUnclear)
    assert told.why == "serial_taken"
    assert (await units(installed))["SN 1"].replaced_by_id is None
