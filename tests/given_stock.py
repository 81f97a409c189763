"""What moves stock in tests: validated parts lists, ends of réclamations, closed visits, and deliveries."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import world
from given_catalog import BOILER, claim, visit

from sav_chassis.testing import Outcome, Stage
from sav_contracts.catalog.stock import MoveStock
from sav_contracts.claims.parts_list import PartsValidated
from sav_contracts.claims.reclamation import ReclamationClosed, ReclamationStatus, ReclamationView
from sav_contracts.interventions.visit import InterventionClosed, InterventionView
from sav_contracts.interventions.work import Labour, PartPriced, Work
from sav_contracts.messages import Event
from sav_contracts.parts import PartNeeded

FIRST, SECOND, THIRD = (UUID(int=number) for number in (101, 102, 103))


def line(claim_id: UUID, quantity: int, article_id: UUID = BOILER) -> PartNeeded:
    return PartNeeded(id=uuid5(claim_id, str(article_id)), article_id=article_id, quantity=quantity)


async def validated(
    stage: Stage, id: UUID, *lines: PartNeeded, edition: int = 1, version: int | None = None
) -> Outcome:
    """Catalog has its copy of the réclamation, and hears that its list was validated."""
    state = claim(
        product_id=None, id=id, version=version or 3 + edition, parts_edition=edition, parts_validated=edition
    )
    await stage.knows(state)
    return await stage.hears(PartsValidated(state=state, edition=edition, lines=lines))


async def needs(stage: Stage, id: UUID, quantity: int, edition: int = 1) -> Outcome:
    return await validated(stage, id, line(id, quantity), edition=edition)


def over(id: UUID, status: ReclamationStatus = "closed", version: int = 90) -> ReclamationView:
    return claim(product_id=None, id=id, status=status, version=version)


async def ends(stage: Stage, id: UUID) -> Outcome:
    await stage.knows(over(id))
    return await stage.hears(ReclamationClosed(state=over(id)))


async def comes_in(stage: Stage, quantity: int, movement: str = "receive") -> Outcome:
    moved = {"article_id": BOILER, "movement": movement, "quantity": quantity, "reason": "inventaire"}
    return await stage.when(MoveStock.model_validate(moved), by=world.marie, seconds=20)


async def shelf(stage: Stage, article_id: UUID = BOILER) -> tuple[int, int, int]:
    """Free, reserved and back-ordered pieces."""
    row = await stage.database.pool.fetchrow(
        "SELECT level, reserved, back_ordered FROM stock_level WHERE article_id = $1", article_id
    )
    assert row is not None
    return row["level"], row["reserved"], row["back_ordered"]


async def have(stage: Stage) -> dict[UUID, tuple[str, int]]:
    """The status and the quantity of each réclamation's reservation."""
    rows = await stage.database.pool.fetch("SELECT for_id, status, quantity FROM reservation")
    return {row["for_id"]: (row["status"], row["quantity"]) for row in rows}


def of(outcome: Outcome, event: type[Event]) -> list[Any]:
    return [one for one in outcome.events if type(one) is event]


async def movements(stage: Stage) -> list[Any]:
    """All movements of stock, in their order."""
    return list(await stage.database.pool.fetch("SELECT * FROM stock_movement ORDER BY at, id"))


def used(article_id: UUID = BOILER, quantity: int = 1, serial: str | None = None) -> PartPriced:
    return PartPriced(
        article_id=article_id,
        quantity=quantity,
        serial=serial,
        reference="CH-24",
        name="Chaudière 24",
        unit_price=Decimal(10),
        vat_class="standard",
    )


def work(*parts: PartPriced) -> Work:
    return Work(
        solution="remplacé",
        labour=[Labour(description="pose", minutes=30)],
        parts=list(parts),
        travel_km=Decimal(0),
        readings={},
        failed_serial=None,
        replacement_serial=None,
        labour_rate=Decimal(50),
        travel_rate=Decimal(1),
        currency="EUR",
    )


def closed(
    *parts: PartPriced, of_claim: UUID = FIRST, outcome: str = "completed", **fields: Any
) -> InterventionClosed:
    usual = {"reclamation_id": of_claim, "reclamation_reference": "REC-2026-000101", "work": work(*parts)}
    state: InterventionView = visit(product_id=None, **(usual | {"status": outcome} | fields))
    return InterventionClosed.model_validate({"state": state, "outcome": outcome})
