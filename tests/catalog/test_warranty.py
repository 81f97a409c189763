"""The warranty of a product on a date, and who may ask for it."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import world
from given_catalog import PRODUCT, article, claim, product, sold, visit

from sav_catalog.model import Product
from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.product import GetWarranty
from sav_contracts.messages import View


def covered(bought: date = date(2025, 1, 31)) -> Product:
    """Léa's boiler with an accepted proof, two years on parts, one on labour."""
    covers = sold(bought, bought, 24, 12)
    return product(purchase_date=bought, delivery_date=bought, proof_state="accepted", covers=covers)


@pytest.mark.parametrize("who", [world.lea, world.marie, world.alex], ids=["client", "manager", "admin"])
async def test_whose_it_is_and_managers_read_the_warranty(stage: Stage, who: Actor) -> None:
    await stage.given(article(), covered())
    outcome = await stage.when(GetWarranty(product_id=PRODUCT, on=date(2026, 5, 1)), by=who)
    assert outcome.reply["decision"] == "covered"
    assert outcome.reply["cover"] == "legal_conformity"
    assert outcome.reply["until"] == "2027-01-31"
    assert outcome.events == []


async def test_after_its_last_day_nothing_is_covered(stage: Stage) -> None:
    await stage.given(article(), covered())
    outcome = await stage.when(GetWarranty(product_id=PRODUCT, on=date(2027, 2, 1)), by=world.lea)
    assert (outcome.reply["decision"], outcome.reply["why"]) == ("not_covered", "covers_ended")


@pytest.mark.parametrize("state", ["none", "submitted", "refused"])
async def test_without_an_accepted_proof_nobody_knows(stage: Stage, state: str) -> None:
    await stage.given(article(), product(proof_state=state))
    outcome = await stage.when(GetWarranty(product_id=PRODUCT), by=world.lea)
    assert (outcome.reply["decision"], outcome.reply["why"]) == ("unknown", "proof_not_accepted")


async def test_without_a_date_it_is_told_for_today(stage: Stage) -> None:
    today = datetime.now(UTC).date()
    await stage.given(article(), covered(today - timedelta(days=30)))
    assert (await stage.when(GetWarranty(product_id=PRODUCT), by=world.lea)).reply["decision"] == "covered"
    stage.ahead = timedelta(days=3 * 365)
    later = await stage.when(GetWarranty(product_id=PRODUCT), by=world.lea)
    assert later.reply["decision"] == "not_covered"


async def not_found(stage: Stage, by: Actor) -> bool:
    outcome = await stage.when(GetWarranty(product_id=PRODUCT), by=by)
    return outcome.problem is not None and outcome.problem.status == 404


async def test_a_product_that_does_not_exist_is_not_found(stage: Stage) -> None:
    assert await not_found(stage, world.marie)


async def test_another_client_does_not_find_it(stage: Stage) -> None:
    await stage.given(article(), covered())
    assert await not_found(stage, world.paul)


@pytest.mark.parametrize("named_by", [claim(), visit()], ids=["reclamation", "intervention"])
async def test_a_technician_reads_it_while_their_open_work_names_it(stage: Stage, named_by: View) -> None:
    await stage.given(article(), covered())
    assert await not_found(stage, world.karim)

    await stage.knows(named_by)
    assert not await not_found(stage, world.karim)
    assert await not_found(stage, world.sofia)


@pytest.mark.parametrize(
    "named_by",
    [
        claim(status="closed"),
        visit(status="completed"),
        claim(product_id=UUID(int=301)),
        visit(product_id=None),
        claim(technician_id=world.sofia.id),
    ],
    ids=["claim closed", "visit over", "another product", "no product", "a colleague's"],
)
async def test_a_technician_does_not_find_what_no_open_work_of_theirs_names(
    stage: Stage, named_by: View
) -> None:
    await stage.given(article(), covered())
    await stage.knows(named_by)
    assert await not_found(stage, world.karim)


async def test_a_client_who_names_it_in_a_claim_does_not_find_it_thereby(stage: Stage) -> None:
    await stage.given(article(), covered())
    await stage.knows(claim(client_id=world.paul.id, technician_id=world.paul.id))
    assert await not_found(stage, world.paul)


async def test_nobody_without_a_token_asks(stage: Stage) -> None:
    await stage.given(article(), covered())
    outcome = await stage.when(GetWarranty(product_id=PRODUCT))
    assert outcome.problem
    assert outcome.problem.status == 401
