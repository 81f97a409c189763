"""What is left of an invoice, for admins alone."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import world
from given_billing import INVOICE, client, closed, home, invoice, issue, line, told_closed
from given_interventions import VALVE, valve
from given_views import a

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.actor import Role
from sav_contracts.catalog.article_cost import ArticleCostView
from sav_contracts.interventions.invoice import InvoiceDrafted, InvoiceIssued
from sav_contracts.interventions.margin import InvoiceMarginCounted, InvoiceMarginView
from sav_contracts.visibility import ALL, NOTHING

OTHER = UUID(int=402)


def cost(article: UUID, price: str, **fields: Any) -> ArticleCostView:
    usual: dict[str, Any] = {"id": uuid5(article, "cost"), "article_id": article, "price": Decimal(price)}
    return a(ArticleCostView, **(usual | fields))


async def issued(stage: Stage) -> Outcome:
    told = (await stage.when(issue, by=world.marie)).only(InvoiceIssued)
    return await stage.hears(told)


def margin(outcome: Outcome) -> InvoiceMarginView:
    return outcome.only(InvoiceMarginCounted).state


async def test_a_margin_is_what_is_billed_less_what_the_parts_cost(stage: Stage) -> None:
    parts = [
        line("standard", article_id=VALVE, quantity=Decimal(2), covered=50),
        line("standard", article_id=OTHER),
        line("standard"),
        line("standard", kind="labour", unit="hour", unit_price=Decimal(62)),
    ]
    await stage.knows(cost(VALVE, "40.00"), cost(OTHER, "12.000", currency="TND"))
    await stage.given(invoice("draft", *parts))
    its = margin(await issued(stage))
    # What a warranty pays of it costs as much.
    assert [part.cost for part in its.parts] == [Decimal(80), None, None]
    assert [part.amount for part in its.parts] == [Decimal("84.90")] * 3
    assert (its.net, its.cost, its.margin) == (Decimal("316.70"), Decimal(80), Decimal("236.70"))
    assert (its.unknown, its.invoice_id, its.parent) == (2, INVOICE, INVOICE)


async def test_a_margin_may_be_a_loss_and_is_counted_once(stage: Stage) -> None:
    await stage.knows(cost(VALVE, "100.00"))
    await stage.given(invoice("draft", line("standard", article_id=VALVE)))
    told = enveloped((await stage.when(issue, by=world.marie)).only(InvoiceIssued))
    assert margin(await stage.hears(told)).margin == Decimal("-15.10")
    # Another price does not change what was counted.
    await stage.knows(cost(VALVE, "1.00", version=2))
    assert (await stage.hears(told)).events == []


async def test_a_deposit_has_no_margin_of_its_own(stage: Stage) -> None:
    await stage.given(invoice("draft", deposit=True))
    assert (await issued(stage)).events == []


async def test_the_parts_of_a_visit_are_known(stage: Stage) -> None:
    visit = closed()
    await stage.knows(client(), home(True), valve(), cost(VALVE, "40.00"))
    await stage.given(visit)
    draft = (await stage.hears(told_closed(closed()))).only(InvoiceDrafted).state
    assert [line.article_id for line in draft.lines] == [None, VALVE, None]


def test_only_admins_see_costs_and_margins() -> None:
    for view in (ArticleCostView, InvoiceMarginView):
        assert {role: view.visible.to(role) for role in Role if role is not Role.SYSTEM} == {
            role: ALL if role is Role.ADMIN else NOTHING for role in Role if role is not Role.SYSTEM
        }
