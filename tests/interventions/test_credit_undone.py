"""An invoice that was paid from a client's credit, when the payment online that the credit came from is undone."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, client, invoice
from given_payments import ledger, paid, pay, refusal, signed

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.client_credit import CreditReceived, RefundCredit, UseCredit
from sav_contracts.interventions.credit_note import CreditInvoice
from sav_contracts.interventions.payment import (
    CheckoutStarted,
    DisputeClosed,
    PaymentDisputed,
    PaymentRefunded,
    RefundPayment,
    StartCheckout,
)
from sav_ops.verify.invoices import UNPAID
from sav_ops.verify.payments import CREDITS, LEFT_OVER, PAYMENTS

OTHER, THIRD = UUID(int=701), UUID(int=702)
D = Decimal


async def agrees(stage: Stage) -> None:
    """The checks of `sav verify`."""
    for statement in (UNPAID, PAYMENTS, CREDITS, LEFT_OVER):
        assert [dict(row) for row in await stage.database.pool.fetch(statement)] == []


async def news(stage: Stage, kind: str, payment_id: UUID, **fields: Any) -> Outcome:
    outcome = await stage.when(signed(stage, kind, payment_id, **fields))
    await agrees(stage)
    return outcome


async def used(stage: Stage, amount: str = "60.00") -> tuple[UUID, UUID, UUID]:
    """A payment online of 101.88, of which 60.00 was too much; its credit; and the payment of another invoice from that."""
    await stage.knows(client())
    await stage.given(invoice("issued"))
    begun = (await stage.when(StartCheckout(invoice_id=INVOICE), by=world.lea)).only(CheckoutStarted).state
    await stage.when(pay("60.00"), by=world.marie)
    credit = (await news(stage, "captured", begun.id)).events[-1].state
    await stage.given(invoice("issued", number=2, id=OTHER))
    message = UseCredit(client_credit_id=credit.id, invoice_id=OTHER, amount=D(amount))
    outcome = await stage.when(message, by=world.marie)
    return begun.id, credit.id, UUID(outcome.reply["id"])


async def remaining(stage: Stage, credit: UUID) -> D:
    return await stage.database.pool.fetchval("SELECT remaining FROM client_credit WHERE id = $1", credit)  # type: ignore[no-any-return]


async def test_a_dispute_opens_what_its_credit_paid_and_tells_of_each_once(stage: Stage) -> None:
    online, credit, _ = await used(stage, "40.00")
    outcome = await news(stage, "disputed", online, id="d1")
    told = [event for event in outcome.events if isinstance(event, PaymentDisputed)]
    assert [(one.state.invoice_id, one.amount) for one in told] == [
        (INVOICE, D("41.88")),
        (OTHER, D("40.00")),
    ]
    assert await paid(stage) == ("partly_paid", D("60.00"))
    assert await paid(stage, OTHER) == ("issued", D("0.00"))
    # All that the bank took: 41.88, 40.00 and the 20.00 that nobody had used.
    assert sum(amount for _, amount in await ledger(stage)) == D("60.00")
    assert (await news(stage, "disputed", online, id="d1")).events == []
    assert (await news(stage, "disputed", online, id="d2")).events == []
    back = UseCredit(client_credit_id=credit, invoice_id=OTHER)
    assert refusal(await stage.when(back, by=world.marie)) == (409, "credit_held")


async def test_a_dispute_that_is_won_pays_them_again(stage: Stage) -> None:
    online, credit, _ = await used(stage, "40.00")
    await news(stage, "disputed", online)
    # Meanwhile a part of the other invoice is paid otherwise.
    await stage.when(pay("80.00", invoice_id=OTHER), by=world.marie)
    outcome = await news(stage, "dispute_won", online)
    closed = [event for event in outcome.events if isinstance(event, DisputeClosed)]
    assert [(one.state.invoice_id, one.won, one.amount) for one in closed] == [
        (INVOICE, True, D("41.88")),
        (OTHER, True, D("40.00")),
    ]
    assert await paid(stage) == ("paid", D("101.88"))
    assert await paid(stage, OTHER) == ("paid", D("101.88"))
    # 21.88 were needed, 18.12 are credit again, left of the payment online; with the 20.00 that waited.
    [left] = [event.state for event in outcome.events if isinstance(event, CreditReceived)]
    assert (left.payment_id, left.remaining) == (online, D("18.12"))
    assert await remaining(stage, credit) == D("20.00")
    assert sum(amount for _, amount in await ledger(stage)) == D("241.88")


async def test_a_dispute_that_is_lost_leaves_them_to_be_paid(stage: Stage) -> None:
    online, credit, payment = await used(stage, "40.00")
    await news(stage, "disputed", online)
    await news(stage, "dispute_lost", online)
    states = "SELECT status FROM payment WHERE id = ANY ($1)"
    rows = await stage.database.pool.fetch(states, [online, payment])
    assert [row["status"] for row in rows] == ["refunded", "refunded"]
    assert (await paid(stage, OTHER), await remaining(stage, credit)) == (("issued", D("0.00")), D("0.00"))
    await stage.runs_effects()
    assert sum(amount for _, amount in await ledger(stage)) == D("60.00")


async def test_what_is_paid_back_there_opens_what_its_credit_paid_last(stage: Stage) -> None:
    online, credit, _ = await used(stage, "40.00")
    # 41.88 of the invoice, then 20.00 of the credit, then 10.00 of what was paid from it.
    outcome = await news(stage, "refunded", online, amount=D("71.88"))
    told = [event for event in outcome.events if isinstance(event, PaymentRefunded)]
    assert [(one.state.invoice_id, one.amount, one.at_provider) for one in told] == [
        (INVOICE, D("41.88"), True),
        (OTHER, D("10.00"), True),
    ]
    assert (await paid(stage, OTHER), await remaining(stage, credit)) == (
        ("partly_paid", D("30.00")),
        D("0.00"),
    )
    assert (await news(stage, "refunded", online, id="again", amount=D("71.88"))).events == []
    await news(stage, "refunded", online, id="rest", amount=D("101.88"))
    assert await paid(stage, OTHER) == ("issued", D("0.00"))
    assert sum(amount for _, amount in await ledger(stage)) == D("60.00")


async def test_what_was_all_credit_is_followed_too(stage: Stage) -> None:
    """Nothing of the payment counts for its own invoice any more: its credit is still paid back and disputed."""
    online, _, _ = await used(stage, "40.00")
    await stage.when(RefundPayment(payment_id=online, reason="un geste"), by=world.marie)
    await stage.runs_effects()
    await news(stage, "refunded", online, id="r1", amount=D("41.88"))
    await news(stage, "refunded", online, id="r2", amount=D("51.88"))
    assert sum(amount for _, amount in await ledger(stage)) == D("110.00")
    outcome = await news(stage, "disputed", online)
    assert outcome.reply == {"changed": True}
    assert await paid(stage, OTHER) == ("issued", D("0.00"))
    assert sum(amount for _, amount in await ledger(stage)) == D("60.00")
    await news(stage, "dispute_won", online)
    assert await paid(stage, OTHER) == ("partly_paid", D("40.00"))


async def test_credit_that_a_credit_note_gave_back_is_still_of_the_payment_online(stage: Stage) -> None:
    online, _, _ = await used(stage)
    outcome = await stage.when(CreditInvoice(invoice_id=OTHER, reason="erreur"), by=world.marie)
    [again] = [event.state for event in outcome.events if isinstance(event, CreditReceived)]
    assert again.payment_id == online
    await news(stage, "disputed", online)
    back = RefundCredit(client_credit_id=again.id, reason="trop-perçu")
    assert refusal(await stage.when(back, by=world.marie)) == (409, "credit_held")
    assert sum(amount for _, amount in await ledger(stage)) == D("60.00")


async def test_a_refund_that_is_told_during_a_dispute_counts_when_that_is_won(stage: Stage) -> None:
    online, _, _ = await used(stage, "40.00")
    await news(stage, "disputed", online)
    await news(stage, "refunded", online, amount=D("30.00"))
    assert sum(amount for _, amount in await ledger(stage)) == D("60.00")
    await news(stage, "dispute_won", online)
    assert sum(amount for _, amount in await ledger(stage)) == D("131.88")
    assert await paid(stage) == ("partly_paid", D("71.88"))


@pytest.mark.parametrize("attempt", range(3))
async def test_a_credit_is_not_used_while_it_is_disputed(stage: Stage, attempt: int) -> None:
    online, credit, _ = await used(stage, "20.00")
    await stage.given(invoice("issued", number=3, id=THIRD))
    use = UseCredit(client_credit_id=credit, invoice_id=THIRD)
    outcome, _ = await asyncio.gather(
        stage.when(use, by=world.marie, seconds=20),
        stage.when(signed(stage, "disputed", online), seconds=20),
    )
    await agrees(stage)
    assert outcome.problem is None or outcome.problem.code == "credit_held"
    assert await paid(stage, THIRD) == ("issued", D("0.00"))
    assert sum(amount for _, amount in await ledger(stage)) == D("60.00")


async def standing(stage: Stage, payment: UUID) -> tuple[str, D, D]:
    row = await stage.database.pool.fetchrow(
        "SELECT status, disputed, refunded FROM payment WHERE id = $1", payment
    )
    assert row
    return row["status"], row["disputed"], row["refunded"]


@pytest.mark.parametrize("end", ["dispute_won", "dispute_lost"])
async def test_a_bank_that_disputes_a_part_takes_only_that_part(stage: Stage, end: str) -> None:
    online, credit, _ = await used(stage, "40.00")
    outcome = await news(stage, "disputed", online, amount=D("30.00"))
    assert [one.amount for one in outcome.events if isinstance(one, PaymentDisputed)] == [D("30.00")]
    assert await standing(stage, online) == ("disputed", D("30.00"), D("0.00"))
    assert await paid(stage) == ("partly_paid", D("71.88"))
    assert await paid(stage, OTHER) == ("partly_paid", D("40.00"))
    assert (await ledger(stage))[-1] == ("disputed", D("-30.00"))
    # What nobody disputes is still the client's.
    assert (
        await stage.when(UseCredit(client_credit_id=credit, invoice_id=OTHER), by=world.marie)
    ).problem is None
    outcome = await news(stage, end, online, amount=D("30.00"))
    [closed] = [event for event in outcome.events if isinstance(event, DisputeClosed)]
    assert (closed.won, closed.amount) == (end == "dispute_won", D("30.00"))
    back = end == "dispute_won"
    assert await paid(stage) == (("paid", D("101.88")) if back else ("partly_paid", D("71.88")))
    assert await standing(stage, online) == (
        ("captured", D("0.00"), D("0.00")) if back else ("partly_refunded", D("0.00"), D("30.00"))
    )


async def test_a_part_beyond_the_invoice_is_taken_of_its_credit(stage: Stage) -> None:
    online, credit, payment = await used(stage, "40.00")
    # 41.88 of the invoice, 20.00 of the credit, 10.00 of what was paid from it.
    await news(stage, "disputed", online, id="d1", amount=D("71.88"))
    assert await paid(stage, OTHER) == ("partly_paid", D("30.00"))
    assert await standing(stage, payment) == ("disputed", D("10.00"), D("0.00"))
    back = RefundCredit(client_credit_id=credit, reason="trop-perçu")
    assert refusal(await stage.when(back, by=world.marie)) == (409, "credit_held")
    # Another part, of which the bank decides first.
    await news(stage, "disputed", online, id="d2", amount=D("5.00"))
    await news(stage, "dispute_won", online, id="w2", amount=D("5.00"))
    assert (await standing(stage, online))[:2] == ("disputed", D("36.88"))
    await news(stage, "dispute_lost", online, id="l1", amount=D("71.88"))
    assert await standing(stage, online) == ("partly_refunded", D("0.00"), D("36.88"))
    assert await standing(stage, payment) == ("partly_refunded", D("0.00"), D("15.00"))
    assert await remaining(stage, credit) == D("0.00")
    assert sum(amount for _, amount in await ledger(stage)) == D("161.88") - D("71.88")


async def test_what_is_paid_back_there_beside_a_part_that_was_lost_is_entered(stage: Stage) -> None:
    online, _, _ = await used(stage, "40.00")
    await news(stage, "disputed", online, amount=D("30.00"))
    await news(stage, "dispute_lost", online, amount=D("30.00"))
    outcome = await news(stage, "refunded", online, amount=D("5.00"))
    assert [one.amount for one in outcome.events if isinstance(one, PaymentRefunded)] == [D("5.00")]
    assert await paid(stage) == ("partly_paid", D("66.88"))


async def test_a_credit_note_gives_back_what_is_not_disputed(stage: Stage) -> None:
    online, _, _ = await used(stage, "40.00")
    await news(stage, "disputed", online, amount=D("30.00"))
    await stage.when(CreditInvoice(invoice_id=INVOICE, reason="erreur"), by=world.marie)
    await agrees(stage)
    assert await paid(stage) == ("credited", D("0.00"))
    outcome = await news(stage, "dispute_won", online, amount=D("30.00"))
    [left] = [event.state for event in outcome.events if isinstance(event, CreditReceived)]
    assert (left.payment_id, left.remaining) == (online, D("30.00"))
