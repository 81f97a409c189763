"""Orders of parts: placed by clients and technicians, decided and shipped by managers, with their prices and reasons."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import world
from given_claims import client, reclamation
from given_orders import CLAIM, ORDER, PUMP, REPAIR, VALVE, act, placed
from given_parts import COVERED, article, code
from pydantic import TypeAdapter

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.address import Address
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.claims.order import (
    CancelOrder,
    GetArticlePrice,
    OrderCancelled,
    OrderPlaced,
    OrderRefused,
    OrderValidated,
    PlaceOrder,
)

GONE, DINAR = UUID(int=504), UUID(int=505)


@pytest.fixture
async def shop(stage: Stage) -> Stage:
    """Karim's réclamation, in progress, and what the catalogue has."""
    await stage.given(
        client(world.paul),
        reclamation(status="in_progress", technician_id=world.karim.id, warranty=COVERED, coverage="partly"),
    )
    await stage.knows(
        article(PUMP, "pump", price="186.40"),
        article(VALVE, "valve", price="0.10", vat_class="reduced"),
        article(GONE, "gone", status="retired"),
        article(DINAR, "dinar", currency="TND"),
    )
    return stage


async def orders(stage: Stage, by: Actor, *lines: tuple[UUID, int], **fields: Any) -> Outcome:
    usual: dict[str, Any] = {
        "purpose": "purchase" if by.role is Role.CLIENT else "repair",
        "lines": [{"article_id": id, "quantity": quantity} for id, quantity in lines or ((PUMP, 2),)],
    }
    if usual["purpose"] == "repair":
        usual["reclamation_id"] = CLAIM
    return await stage.when(PlaceOrder.model_validate(usual | fields), by=by)


async def test_a_client_buys_at_todays_prices(shop: Stage) -> None:
    outcome = await orders(shop, world.lea, (PUMP, 2), (VALVE, 3))
    order = outcome.only(OrderPlaced).state
    assert (order.status, order.purpose, order.client_id, order.technician_id) == (
        "placed", "purchase", world.lea.id, None,
    )  # fmt: skip
    assert [(line.article, line.quantity, line.unit_price, line.vat_class) for line in order.lines] == [
        ("pump", 2, Decimal("186.40"), "standard"),
        ("valve", 3, Decimal("0.10"), "reduced"),
    ]
    assert (order.net, order.currency) == (Decimal("373.10"), "EUR")
    # Nothing pays for a purchase.
    assert {(line.covered, line.state) for line in order.lines} == {(0, "ordered")}
    assert order.reference.startswith(f"CMD-{datetime.now(UTC).year}-")
    # What it costs later changes nothing.
    await shop.knows(article(PUMP, "pump", price="999.00", version=2))
    validated = (await act(shop, "validate", id=order.id)).only(OrderValidated)
    assert validated.state.net == Decimal("373.10")


@pytest.mark.parametrize(("postcode", "gross"), [("69003", "447.36"), ("97400", "404.49"), (None, "447.36")])
async def test_a_client_reads_what_they_pay_before_they_are_bound(
    shop: Stage, postcode: str | None, gross: str
) -> None:
    homes = [Address(address="3 rue des Lilas", postcode=postcode, city="Ici")] if postcode else []
    addresses = TypeAdapter(list[Address]).dump_json(homes).decode()
    await shop.database.pool.execute("UPDATE client SET addresses = $1", addresses)
    order = (await orders(shop, world.lea)).only(OrderPlaced).state
    assert (order.gross, order.for_client().gross) == (Decimal(gross), Decimal(gross))
    right = order.withdrawal
    assert right
    assert (right.right, right.days, right.counts_from, right.until) == (True, 14, "delivery", None)
    # It is what they agreed to, whatever becomes of it.
    assert (await act(shop, "validate", id=order.id)).only(OrderValidated).state.gross == Decimal(gross)


@pytest.mark.parametrize("by", [world.lea, world.karim], ids=lambda by: str(by.role))
async def test_an_order_that_no_invoice_could_bill_is_refused(shop: Stage, by: Actor) -> None:
    await shop.knows(article(PUMP, "pump", price="9999999999.99", version=2))
    refused = (await orders(shop, by)).problem
    assert refused
    assert [error.field for error in refused.errors or ()] == ["lines"]
    assert "they amount to more than" in refused.detail
    await shop.knows(article(PUMP, "pump", price="100000.00", version=3))
    assert (await orders(shop, by, (PUMP, 999))).only(OrderPlaced).state.net == Decimal("99900000.00")


async def test_nothing_is_sold_to_where_its_vat_is_not_known(shop: Stage) -> None:
    there = [Address(address="1 rue de la Loi", postcode="1000", city="Bruxelles", country="BE")]
    addresses = TypeAdapter(list[Address]).dump_json(there).decode()
    await shop.database.pool.execute("UPDATE client SET addresses = $1", addresses)
    assert code(await shop.when(GetArticlePrice(article_id=PUMP), by=world.lea)) == (
        409,
        "not_invoiced_there",
    )
    assert code(await orders(shop, world.lea)) == (409, "not_invoiced_there")


async def test_a_client_asks_what_an_article_costs_before_they_order(shop: Stage) -> None:
    found = (await shop.when(GetArticlePrice(article_id=PUMP, quantity=2), by=world.lea)).reply
    assert (found["net"], found["gross"], found["currency"]) == ("372.80", "447.36", "EUR")
    assert code(await shop.when(GetArticlePrice(article_id=DINAR), by=world.lea)) == (409, "not_invoiced")


async def test_what_a_visit_bills_has_no_price_of_its_own(shop: Stage) -> None:
    order = (await orders(shop, world.karim)).only(OrderPlaced).state
    assert (order.gross, order.withdrawal) == (None, None)


async def test_a_technician_orders_for_a_repair_of_theirs(shop: Stage) -> None:
    order = (await orders(shop, world.karim)).only(OrderPlaced).state
    assert (order.purpose, order.client_id, order.technician_id, order.reclamation_id) == (
        "repair", world.lea.id, world.karim.id, CLAIM,
    )  # fmt: skip
    assert order.reclamation_reference == "REC-2026-000100"
    assert [line.covered for line in order.lines] == [80]


async def test_what_the_warranty_pays_is_as_it_is_when_a_manager_validates(shop: Stage) -> None:
    order = (await orders(shop, world.karim)).only(OrderPlaced).state
    nothing = Warranty(decision="unknown", why="no_product").model_dump_json()
    await shop.database.pool.execute("UPDATE reclamation SET warranty = $1", nothing)
    validated = (await act(shop, "validate", id=order.id)).only(OrderValidated)
    assert [line.covered for line in validated.state.lines] == [None]


async def test_references_count_and_have_the_year_of_the_firms_days(shop: Stage) -> None:
    first, second = [(await orders(shop, world.lea)).only(OrderPlaced).state.reference for _ in range(2)]
    assert int(second[-6:]) == int(first[-6:]) + 1
    # New year has begun in Paris, not yet in Greenwich.
    now = shop.now()
    midnight = datetime(now.year, 12, 31, 23, 30, tzinfo=UTC)
    await shop.passes(midnight + timedelta(minutes=1))
    assert (await orders(shop, world.lea)).only(OrderPlaced).state.reference[4:8] == str(now.year + 1)


async def test_what_is_priced_in_another_currency_than_the_invoices_is_not_sold(shop: Stage) -> None:
    outcome = await orders(shop, world.lea, (DINAR, 1))
    assert code(outcome) == (409, "not_invoiced")
    assert "TND" in str(outcome.problem)
    # A repair is billed by its visit.
    assert (await orders(shop, world.karim, (DINAR, 1))).only(OrderPlaced).state.currency == "TND"


@pytest.mark.parametrize(("status", "what"), [("placed", "validate"), ("reserved", "ship")])
async def test_one_from_before_goes_no_further_and_whoever_tries_is_told(
    shop: Stage, status: str, what: str
) -> None:
    await shop.given(placed(status=status, currency="TND"))
    assert code(await act(shop, what)) == (409, "not_invoiced")


@pytest.mark.parametrize(
    ("by", "purpose"), [(world.lea, "repair"), (world.karim, "purchase")], ids=["client", "technician"]
)
async def test_clients_buy_and_technicians_repair(shop: Stage, by: Actor, purpose: str) -> None:
    for_it = {"reclamation_id": CLAIM if purpose == "repair" else None}
    outcome = await orders(shop, by, purpose=purpose, **for_it)
    assert code(outcome) == (422, "invalid")
    assert outcome.problem
    assert [error.field for error in outcome.problem.errors or []] == ["purpose"]


@pytest.mark.parametrize("by", [world.marie, world.alex], ids=["manager", "admin"])
async def test_managers_and_admins_order_nothing(shop: Stage, by: Actor) -> None:
    assert code(await orders(shop, by))[0] == 403


async def test_another_technicians_repair_is_not_found(shop: Stage) -> None:
    assert code(await orders(shop, world.sofia))[0] in (404, 422)


@pytest.mark.parametrize("state", ["resolved", "closed", "cancelled", "merged"])
async def test_nothing_is_ordered_for_what_is_over(shop: Stage, state: str) -> None:
    await shop.database.pool.execute("UPDATE reclamation SET status = $1", state)
    assert code(await orders(shop, world.karim)) == (409, "no_parts_needed")


async def test_a_retired_article_is_named(shop: Stage) -> None:
    outcome = await orders(shop, world.lea, (PUMP, 1), (GONE, 1))
    assert outcome.problem
    assert [error.field for error in outcome.problem.errors or []] == ["lines.1.article_id"]


async def test_an_article_that_there_is_not_is_named(shop: Stage) -> None:
    outcome = await orders(shop, world.lea, (uuid4(), 1))
    assert outcome.problem
    assert [error.field for error in outcome.problem.errors or []] == ["lines.0.article_id"]


async def test_an_order_has_one_currency(shop: Stage) -> None:
    assert code(await orders(shop, world.lea, (PUMP, 1), (DINAR, 1))) == (409, "several_currencies")


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [{"article_id": str(PUMP), "quantity": 0}],
        [{"article_id": str(PUMP), "quantity": 1000}],
        [{"article_id": str(PUMP), "quantity": 1}] * 2,
        [{"article_id": str(UUID(int=n)), "quantity": 1} for n in range(51)],
    ],
    ids=["none", "no pieces", "too many pieces", "one article twice", "too many lines"],
)
def test_an_order_of_the_wrong_shape_is_refused(lines: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="lines"):
        PlaceOrder.model_validate({"purpose": "purchase", "lines": lines})


@pytest.mark.parametrize(
    "fields", [{"purpose": "repair"}, {"purpose": "purchase", "reclamation_id": str(CLAIM)}]
)
def test_only_a_repair_has_a_reclamation(fields: dict[str, Any]) -> None:
    lines = [{"article_id": str(PUMP), "quantity": 1}]
    with pytest.raises(ValueError, match="reclamation_id"):
        PlaceOrder.model_validate(fields | {"lines": lines})


async def test_the_longest_order_fits_into_its_events(shop: Stage) -> None:
    articles = [UUID(int=5000 + number) for number in range(50)]
    await shop.knows(*(article(id, f"Joint torique 18 x 2,5 n° {id.int}") for id in articles))
    outcome = await orders(shop, world.lea, *((id, 999) for id in articles))
    order = outcome.only(OrderPlaced).state
    said = CancelOrder(order_id=order.id, reason="\U00020bb7" * 500)
    (await shop.when(said, by=world.marie)).only(OrderCancelled)


async def test_an_order_of_the_longest_names_is_refused_at_once(shop: Stage) -> None:
    articles = [UUID(int=5000 + number) for number in range(50)]
    await shop.knows(*(article(id, "\U00020bb7" * 190 + str(id.int)) for id in articles))
    assert code(await orders(shop, world.lea, *((id, 999) for id in articles))) == (413, "too_large")


async def test_why_it_was_refused_is_told(shop: Stage) -> None:
    await shop.given(placed())
    told = (await act(shop, "refuse")).only(OrderRefused)
    assert told.reason == told.state.reason == "plus fabriqué"
    assert told.for_client().reason == told.state.for_client().reason == "plus fabriqué"


async def test_what_a_manager_says_of_a_technicians_order_is_for_staff(shop: Stage) -> None:
    await shop.given(placed(**REPAIR))
    told = (await act(shop, "refuse")).only(OrderRefused)
    assert told.state.reason == "plus fabriqué"
    assert told.for_client().reason is told.state.for_client().reason is None


async def test_a_manager_says_why_they_cancel(shop: Stage) -> None:
    await shop.given(placed(status="reserved"))
    outcome = await shop.when(CancelOrder(order_id=ORDER), by=world.marie)
    assert code(outcome) == (422, "invalid")
    told = (await act(shop, "cancel")).only(OrderCancelled)
    assert (told.by, told.reason) == (Role.MANAGER, "plus fabriqué")
