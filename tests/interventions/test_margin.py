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
from sav_contracts.interventions.credit_note import CreditGiven, CreditInvoice, CreditNoteIssued
from sav_contracts.interventions.invoice import InvoiceDrafted, InvoiceIssued
from sav_contracts.interventions.line import Discount
from sav_contracts.interventions.margin import InvoiceMarginChanged, InvoiceMarginCounted, InvoiceMarginView
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


def credit(*lines: CreditGiven) -> CreditInvoice:
    return CreditInvoice(invoice_id=INVOICE, lines=[*lines] or None, reason="pièce reprise")


async def lowered(stage: Stage, *lines: CreditGiven) -> InvoiceMarginView:
    """The margin after these lines, or all that is left, are credited."""
    outcome = await stage.when(credit(*lines), by=world.marie)
    [note] = [event for event in outcome.events if isinstance(event, CreditNoteIssued)]
    return (await stage.hears(note)).only(InvoiceMarginChanged).state


async def test_what_is_credited_lowers_the_margin_line_by_line(stage: Stage) -> None:
    await stage.knows(cost(VALVE, "40.00"))
    labour = line("standard", kind="labour", unit="hour", unit_price=Decimal(62))
    parts = [
        line("standard", article_id=VALVE),
        line("standard"),
        line("standard", article_id=VALVE, covered=100),
    ]
    off = Discount(label="Remise", percent=Decimal(10))
    await stage.given(invoice("draft", labour, *parts, discount=off))
    its = margin(await issued(stage))
    assert (its.net, its.cost, its.margin, its.unknown) == (
        Decimal("208.62"),
        Decimal(80),
        Decimal("128.62"),
        1,
    )
    # A part of the price is given back: the part itself costs as much, and the discount was off what is credited too.
    its = await lowered(stage, CreditGiven(line=2, amount=Decimal(30)))
    assert [part.credited for part in its.parts] == [Decimal(30), Decimal(0), Decimal(0)]
    assert (its.net, its.cost, its.margin) == (Decimal("181.62"), Decimal(80), Decimal("101.62"))
    # The rest of the line: the part is taken back.
    its = await lowered(stage, CreditGiven(line=2))
    assert (its.parts[0].credited, its.net, its.cost) == (Decimal("84.90"), Decimal("132.21"), Decimal(40))
    # One whose cost nobody knew is not missed any more.
    its = await lowered(stage, CreditGiven(line=3))
    assert (its.net, its.margin, its.unknown) == (Decimal("55.80"), Decimal("15.80"), 0)
    # All of it: it is billed anew, with what it costs, also what a warranty pays.
    its = await lowered(stage)
    assert (its.net, its.cost, its.margin) == (Decimal(0), Decimal(0), Decimal(0))


async def test_a_credit_note_that_is_heard_first_is_counted_once(stage: Stage) -> None:
    await stage.knows(cost(VALVE, "40.00"))
    await stage.given(invoice("draft", line("standard", article_id=VALVE), line("standard")))
    told = (await stage.when(issue, by=world.marie)).only(InvoiceIssued)
    credited = await stage.when(credit(CreditGiven(line=1)), by=world.marie)
    [note] = [enveloped(event) for event in credited.events if isinstance(event, CreditNoteIssued)]
    assert (await stage.hears(note)).events == []
    its = margin(await stage.hears(told))
    assert (its.net, its.cost, its.parts[0].credited) == (Decimal("84.90"), Decimal(0), Decimal("84.90"))
    # Nor is one counted twice of which the margin was counted with it.
    assert (await stage.hears(enveloped(note.event()))).events == []


async def test_a_deposit_has_no_margin_of_its_own(stage: Stage) -> None:
    await stage.given(invoice("draft", deposit=True))
    assert (await issued(stage)).events == []
    credited = await stage.when(credit(), by=world.marie)
    [note] = [event for event in credited.events if isinstance(event, CreditNoteIssued)]
    assert (await stage.hears(note)).events == []


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
