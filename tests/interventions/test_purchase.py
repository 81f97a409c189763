"""What a client bought is billed when it is shipped."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import world
from given_billing import client
from given_estimates import refusal, wrong_fields
from given_orders import ORDER, REPAIR, order_line, order_view

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.address import Address
from sav_contracts.claims.order import OrderShipped, OrderWithdrawn
from sav_contracts.interventions.client_credit import CreditReceived
from sav_contracts.interventions.credit_note import CreditNoteIssued
from sav_contracts.interventions.invoice import (
    ChangeInvoice,
    DiscardInvoice,
    InvoiceChanged,
    InvoiceDiscarded,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceView,
    IssueInvoice,
)
from sav_contracts.interventions.line import LineGiven, SupplyGiven
from sav_contracts.interventions.payment import RecordPayment

HOME = Address(address="3 rue des Lilas", postcode="69003", city="Lyon")
COUNT = "SELECT count(*) FROM invoice"
LATER = datetime(2026, 3, 6, 18, 3, tzinfo=UTC)


async def shipped(stage: Stage, *lines: Any, **fields: Any) -> Outcome:
    return await stage.hears(OrderShipped(state=order_view(*lines, status="shipped", **fields)))


async def test_a_shipped_purchase_makes_a_draft(stage: Stage) -> None:
    await stage.knows(client(addresses=(HOME,)))
    # Half past midnight in Paris.
    at = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
    lines = [order_line(), order_line(quantity=1, unit_price=Decimal("10.00"), vat_class="intermediate")]
    draft = (
        (await shipped(stage, *lines, reference="CMD-2026-000700", updated_at=at)).only(InvoiceDrafted).state
    )
    assert (draft.status, draft.client_id, draft.order_id) == ("draft", world.lea.id, ORDER)
    assert (draft.order_reference, draft.intervention_id) == ("CMD-2026-000700", None)
    assert [(line.description, str(line.amount)) for line in draft.lines] == [
        ("Circulateur 25-60 (R-501)", "372.80"),
        ("Circulateur 25-60 (R-501)", "10.00"),
    ]
    # Goods without fitting have the normal rate.
    assert [(total.rate, str(total.vat)) for total in draft.vat] == [(Decimal(20), "76.56")]
    assert (draft.buyer.address, draft.supplied_on) == ("3 rue des Lilas, 69003 Lyon", date(2026, 3, 4))
    assert draft.lacks == []
    assert ORDER in draft.timeline_roots()
    issued = await stage.when(IssueInvoice(invoice_id=draft.id), by=world.marie)
    assert issued.only(InvoiceIssued).state.total == Decimal("459.36")


async def test_what_it_lacks_is_told_with_the_draft(stage: Stage) -> None:
    await stage.knows(client())
    draft = (await shipped(stage)).only(InvoiceDrafted).state
    assert draft.lacks == ["buyer_address", "place"]
    refused = await stage.when(IssueInvoice(invoice_id=draft.id), by=world.marie)
    assert refused.problem
    assert refused.problem.code == "buyer_incomplete"
    address = ChangeInvoice(invoice_id=draft.id, buyer_address="9 rue du Port, 97400 Saint-Denis")
    (await stage.when(address, by=world.marie)).only(InvoiceChanged)
    unplaced = await stage.when(IssueInvoice(invoice_id=draft.id), by=world.marie)
    assert unplaced.problem
    assert unplaced.problem.code == "supply_unknown"
    complete = ChangeInvoice(
        invoice_id=draft.id,
        buyer_address="9 rue du Port, 97400 Saint-Denis",
        supply=SupplyGiven(postcode="97400"),
    )
    changed = (await stage.when(complete, by=world.marie)).only(InvoiceChanged).state
    assert (changed.lacks, [total.rate for total in changed.vat]) == ([], [Decimal("8.5")])


async def test_more_than_the_order_costs_waits_for_a_managers_reason(stage: Stage) -> None:
    await stage.knows(client(addresses=(HOME,)))
    draft = (await shipped(stage, gross=Decimal("447.36"))).only(InvoiceDrafted).state
    assert (draft.total, draft.lacks) == (Decimal("447.36"), [])
    dearer = LineGiven(kind="fixed", description="Port", unit="flat", unit_price=Decimal("372.81"))
    change = ChangeInvoice(invoice_id=draft.id, lines=[dearer])
    changed = (await stage.when(change, by=world.marie)).only(InvoiceChanged).state
    assert changed.lacks == ["above_order"]
    issue = IssueInvoice(invoice_id=draft.id)
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "above_order")
    why = ChangeInvoice(invoice_id=draft.id, above_estimate="Port express convenu avec la cliente.")
    assert (await stage.when(why, by=world.marie)).only(InvoiceChanged).state.lacks == []
    (await stage.when(issue, by=world.marie)).only(InvoiceIssued)


async def test_a_buyer_who_moved_where_it_is_dearer_pays_what_they_saw(stage: Stage) -> None:
    await stage.knows(client(addresses=(HOME,)))
    # In Martinique, where the order was placed.
    draft = (await shipped(stage, gross=Decimal("404.49"))).only(InvoiceDrafted).state
    assert (draft.total, draft.lacks) == (Decimal("447.36"), ["above_order"])


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"works": "repair"}, "supply.works"),
        ({"works": "install", "energy_saving": True}, "supply.works"),
        ({"subcontracted": True}, "supply.subcontracted"),
        ({"postcode": "97300"}, "supply.postcode"),
    ],
    ids=["works", "installed", "subcontracted", "elsewhere"],
)
async def test_what_was_sent_stays_a_sale_at_its_place(
    stage: Stage, said: dict[str, Any], field: str
) -> None:
    await stage.knows(client(addresses=(HOME,)))
    draft = (await shipped(stage)).only(InvoiceDrafted).state
    change = ChangeInvoice(invoice_id=draft.id, supply=SupplyGiven(**said))
    assert wrong_fields(await stage.when(change, by=world.marie)) == [field]
    near = ChangeInvoice(invoice_id=draft.id, supply=SupplyGiven(postcode="69008"))
    changed = (await stage.when(near, by=world.marie)).only(InvoiceChanged).state
    assert [total.rate for total in changed.vat] == [Decimal(20)]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (REPAIR, "it is for a repair: its visit is billed"),
        ({"currency": "TND"}, "it is in TND, and invoices are in EUR"),
        ({"lines": (order_line(unit_price=Decimal(0)),)}, "there is nothing to pay"),
    ],
    ids=["repair", "currency", "free"],
)
async def test_what_is_not_to_be_paid_makes_no_draft(stage: Stage, fields: dict[str, Any], why: str) -> None:
    await stage.knows(client())
    told = enveloped(OrderShipped(state=order_view(status="shipped", **fields)))
    assert (await stage.hears(told)).events == []
    assert await stage.outcome_of(told, "bill_purchase") == why
    assert await stage.database.pool.fetchval(COUNT) == 0


async def test_a_purchase_is_billed_once(stage: Stage) -> None:
    await stage.knows(client())
    draft = (await shipped(stage)).only(InvoiceDrafted).state
    assert (await shipped(stage)).events == []
    discard = DiscardInvoice(invoice_id=draft.id, reason="réglé au comptoir")
    (await stage.when(discard, by=world.marie)).only(InvoiceDiscarded)
    assert (await shipped(stage)).events == []
    assert await stage.database.pool.fetchval(COUNT) == 1


def withdrawn() -> OrderWithdrawn:
    return OrderWithdrawn(state=order_view(status="shipped", withdrawn_at=LATER, version=2), at=LATER)


async def issued(stage: Stage) -> InvoiceView:
    await stage.knows(client(addresses=(HOME,)))
    draft = (await shipped(stage)).only(InvoiceDrafted).state
    return (await stage.when(IssueInvoice(invoice_id=draft.id), by=world.marie)).only(InvoiceIssued).state


async def test_a_draft_is_discarded_when_its_client_withdraws(stage: Stage) -> None:
    await stage.knows(client(addresses=(HOME,)))
    draft = (await shipped(stage)).only(InvoiceDrafted).state
    gone = (await stage.hears(withdrawn())).only(InvoiceDiscarded)
    assert (gone.state.id, gone.reason) == (draft.id, "Rétractation de la commande CMD-2026-000001")


async def paid(stage: Stage, amount: str) -> InvoiceView:
    draft = await issued(stage)
    pay = RecordPayment(invoice_id=draft.id, method="transfer", amount=Decimal(amount))
    assert (await stage.when(pay, by=world.marie)).problem is None
    return draft


@pytest.mark.parametrize("amount", ["100.00", "447.36"])
async def test_what_was_paid_is_credited_and_asked_for_no_more(stage: Stage, amount: str) -> None:
    draft = await paid(stage, amount)
    outcome = await stage.hears(withdrawn())
    [note] = [one for one in outcome.events if isinstance(one, CreditNoteIssued)]
    [kept] = [one.state for one in outcome.events if isinstance(one, CreditReceived)]
    assert (note.state.invoice_id, note.state.whole, note.state.total) == (draft.id, True, Decimal("447.36"))
    assert (note.overpaid, kept.amount, kept.origin) == (Decimal(amount), Decimal(amount), "credit_note")
    assert note.state.reason == "Rétractation de la commande CMD-2026-000001"
    assert note.withdrawn_from == "CMD-2026-000001", "nobody typed the reason"
    assert [one.function for one in await stage.waiting() if one.function == "remind_of_invoice"] == []


async def test_what_was_not_paid_is_owed_no_more(stage: Stage) -> None:
    draft = await issued(stage)
    outcome = await stage.hears(withdrawn())
    [note] = [one.state for one in outcome.events if isinstance(one, CreditNoteIssued)]
    assert (note.invoice_id, note.whole) == (draft.id, True)


async def test_what_was_never_shipped_has_nothing_to_undo(stage: Stage) -> None:
    told = enveloped(OrderWithdrawn(state=order_view(status="cancelled", withdrawn_at=LATER), at=LATER))
    assert (await stage.hears(told)).events == []
    assert await stage.outcome_of(told, "undo_withdrawn_purchase") == "there is no invoice"
