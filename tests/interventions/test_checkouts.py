"""Payments online: a checkout asks for the balance, and only signed news of the provider say that it was paid."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
import world
from asyncpg import LockNotAvailableError
from eventually import eventually
from given_billing import INVOICE, client, invoice
from given_payments import ledger, paid, pay, refusal, signed

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.client_credit import CreditReceived, RefundCredit, UseCredit
from sav_contracts.interventions.credit_note import CreditGiven, CreditInvoice
from sav_contracts.interventions.invoice import InvoiceChanged, InvoicePaid
from sav_contracts.interventions.payment import (
    CheckoutStarted,
    DisputeClosed,
    GetSandboxCheckout,
    PayInSandbox,
    PaymentDisputed,
    PaymentFailed,
    PaymentRecorded,
    PaymentRefunded,
    PaymentView,
    RefundPayment,
    StartCheckout,
    TakePaymentNews,
)

OTHER = UUID(int=701)
START = StartCheckout(invoice_id=INVOICE)
WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def started(stage: Stage, paid_before: str = "0.00") -> PaymentView:
    await stage.knows(client())
    await stage.given(invoice("issued" if paid_before == "0.00" else "partly_paid", paid=paid_before))
    return (await stage.when(START, by=world.lea)).only(CheckoutStarted).state


async def status(stage: Stage, payment: PaymentView) -> str:
    return await stage.database.pool.fetchval("SELECT status FROM payment WHERE id = $1", payment.id)  # type: ignore[no-any-return]


async def news(stage: Stage, kind: str, payment: PaymentView, **fields: object) -> Outcome:
    return await stage.when(signed(stage, kind, payment.id, **fields))  # type: ignore[arg-type]


async def test_a_client_is_asked_for_the_balance_and_no_more(stage: Stage) -> None:
    payment = await started(stage, paid_before="100.00")
    assert (payment.amount, payment.status) == (Decimal("1.88"), "initiated")
    assert payment.checkout_url
    assert payment.checkout_url.endswith(f"/sandbox/checkout?checkout_id={payment.id}")
    assert await ledger(stage) == []
    assert await paid(stage) == ("partly_paid", Decimal("100.00"))


async def test_a_checkout_that_is_asked_for_again_is_the_same(stage: Stage) -> None:
    payment = await started(stage)
    outcomes = await asyncio.gather(*(stage.when(START, by=world.lea, seconds=20) for _ in range(4)))
    assert {outcome.reply["id"] for outcome in outcomes} == {str(payment.id)}
    assert all(outcome.events == [] for outcome in outcomes)


async def test_a_checkout_whose_time_is_over_is_not_offered_again(stage: Stage) -> None:
    first = await started(stage)
    stage.ahead = timedelta(hours=2)
    again = (await stage.when(START, by=world.lea)).only(CheckoutStarted).state
    assert again.id != first.id


async def test_first_checkouts_at_once_are_one(stage: Stage) -> None:
    await stage.knows(client())
    await stage.given(invoice("issued"))
    outcomes = await asyncio.gather(*(stage.when(START, by=world.lea, seconds=20) for _ in range(4)))
    assert len({outcome.reply["id"] for outcome in outcomes}) == 1
    assert await stage.database.pool.fetchval("SELECT count(*) FROM payment") == 1


async def test_another_client_does_not_see_the_invoice(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    assert refusal(await stage.when(START, by=world.paul)) == (404, "not_found")
    assert refusal(await stage.when(START, by=world.marie)) == (403, "not_allowed")


@pytest.mark.parametrize("state", ["paid", "credited"])
async def test_nothing_is_asked_where_nothing_is_owed(stage: Stage, state: str) -> None:
    await stage.given(invoice(state, paid="101.88" if state == "paid" else "0.00"))
    assert refusal(await stage.when(START, by=world.lea)) == (409, "nothing_left_to_pay")


async def test_signed_news_pay_the_invoice_once_however_often_they_come(stage: Stage) -> None:
    payment = await started(stage)
    recorded, settled = (await news(stage, "captured", payment, id="n1")).events
    assert isinstance(recorded, PaymentRecorded)
    assert isinstance(settled, InvoicePaid)
    assert (recorded.state.status, recorded.balance) == ("captured", Decimal("0.00"))
    doubled = await news(stage, "captured", payment, id="n1")
    another = await news(stage, "captured", payment, id="n2")
    assert [doubled.reply, another.reply] == [{"changed": False}] * 2
    assert doubled.events == another.events == []
    assert await ledger(stage) == [("received", Decimal("101.88"))]


@pytest.mark.parametrize(("amount", "left", "credit"), [("100.00", "1.88", None), ("110.00", "0.00", "8.12")])
async def test_what_was_received_counts_whatever_was_asked(
    stage: Stage, amount: str, left: str, credit: str | None
) -> None:
    payment = await started(stage)
    outcome = await news(stage, "captured", payment, amount=Decimal(amount))
    recorded = outcome.events[0]
    assert isinstance(recorded, PaymentRecorded)
    assert (recorded.state.amount, recorded.balance) == (Decimal(amount), Decimal(left))
    assert await ledger(stage) == [("received", Decimal(amount))]
    left_over = [event.state.amount for event in outcome.events if isinstance(event, CreditReceived)]
    assert left_over == ([Decimal(credit)] if credit else [])


@pytest.mark.parametrize("kind", ["captured", "refunded"])
async def test_news_of_another_currency_are_refused_aloud(stage: Stage, kind: str) -> None:
    payment = await started(stage)
    if kind == "refunded":
        await news(stage, "captured", payment, currency="EUR")
    before = await ledger(stage)
    outcome = await news(stage, kind, payment, id="n9", amount=Decimal("5.00"), currency="USD")
    assert refusal(outcome) == (409, "another_currency")
    assert await ledger(stage) == before
    # Nothing of it was taken: corrected, it counts.
    right = await news(stage, kind, payment, id="n9", amount=Decimal("5.00"), currency="EUR")
    assert right.reply == {"changed": True}


async def test_refunds_that_overtake_each_other_count_once(stage: Stage) -> None:
    payment = await started(stage)
    await news(stage, "captured", payment)
    await news(stage, "refunded", payment, id="r2", amount=Decimal("30.00"))
    assert (await news(stage, "refunded", payment, id="r1", amount=Decimal("20.00"))).events == []
    assert [amount for _, amount in await ledger(stage)] == [Decimal("101.88"), Decimal("-30.00")]


async def test_news_at_once_count_once(stage: Stage) -> None:
    payment = await started(stage)
    told = [signed(stage, "captured", payment.id, id=f"n{n % 2}") for n in range(6)]
    outcomes = await asyncio.gather(*(stage.when(one, seconds=20) for one in told))
    assert sorted(outcome.reply["changed"] for outcome in outcomes) == [False] * 5 + [True]
    assert await ledger(stage) == [("received", Decimal("101.88"))]


async def test_only_what_the_provider_signed_counts(stage: Stage) -> None:
    payment = await started(stage)
    right = signed(stage, "captured", payment.id)
    old = signed(stage, "captured", payment.id, at=stage.now() - timedelta(minutes=6))
    for wrong in (
        TakePaymentNews(payload=right.payload, signature=""),
        TakePaymentNews(payload=right.payload, signature="t=1,v1=é"),
        TakePaymentNews(payload=right.payload + " ", signature=right.signature),
        TakePaymentNews(payload=right.payload, signature=right.signature.replace("t=", "t=0")),
        old,
        TakePaymentNews(payload=right.payload, signature="t=999999999999,v1=x"),
    ):
        assert refusal(await stage.when(wrong)) == (400, "wrong_signature")
    assert await status(stage, payment) == "initiated"


async def test_news_of_a_payment_that_is_not_known_yet_are_sent_again(stage: Stage) -> None:
    assert refusal(await stage.when(signed(stage, "captured", uuid4(), id="n1"))) == (404, "not_found")
    payment = await started(stage)
    assert (await news(stage, "captured", payment, id="n1")).reply == {"changed": True}


async def test_money_that_comes_after_the_checkout_was_given_up_is_a_fact(stage: Stage) -> None:
    payment = await started(stage)
    failed = (await stage.passes(timedelta(hours=1))).events
    assert [type(event) for event in failed] == [PaymentFailed]
    assert await status(stage, payment) == "expired"
    assert isinstance((await news(stage, "captured", payment)).events[0], PaymentRecorded)
    assert await paid(stage) == ("paid", Decimal("101.88"))


async def test_after_one_that_failed_another_is_begun(stage: Stage) -> None:
    payment = await started(stage)
    failed = (await news(stage, "failed", payment, reason="card_declined")).only(PaymentFailed)
    assert (failed.reason, failed.state.status) == ("card_declined", "failed")
    again = (await stage.when(START, by=world.lea)).only(CheckoutStarted).state
    assert again.id != payment.id
    assert (await news(stage, "failed", payment, id="late")).events == []


async def test_a_payment_at_the_visit_ends_the_checkout_that_asks_for_more(stage: Stage) -> None:
    payment = await started(stage)
    await stage.when(pay("50.00"), by=world.marie)
    assert await status(stage, payment) == "expired"
    again = (await stage.when(START, by=world.lea)).only(CheckoutStarted).state
    assert again.amount == Decimal("51.88")
    await stage.runs_effects()
    assert [one for one in await stage.waiting() if one.function == "end_checkout"] == []


@pytest.mark.parametrize(
    "lines", [None, [CreditGiven(line=1, amount=Decimal("0.01"))]], ids=["whole", "part"]
)
async def test_a_credit_note_ends_the_checkout_that_asks_for_more(
    stage: Stage, lines: list[CreditGiven] | None
) -> None:
    payment = await started(stage)
    credit = CreditInvoice(invoice_id=INVOICE, lines=lines, reason="un geste")
    assert (await stage.when(credit, by=world.marie)).problem is None
    assert await status(stage, payment) == "expired"


async def test_what_is_paid_twice_is_the_clients_credit(stage: Stage) -> None:
    payment = await started(stage)
    await stage.when(pay("101.88"), by=world.marie)
    outcome = await news(stage, "captured", payment)
    assert [type(event) for event in outcome.events] == [PaymentRecorded, CreditReceived]
    assert outcome.events[1].state.amount == Decimal("101.88")
    assert await paid(stage) == ("paid", Decimal("101.88"))
    assert [kind for kind, _ in await ledger(stage)] == ["received", "received"]


async def test_a_dispute_opens_the_balance_and_one_that_is_won_closes_it(stage: Stage) -> None:
    payment = await started(stage)
    await news(stage, "captured", payment)
    disputed, told = (await news(stage, "disputed", payment)).events
    assert isinstance(disputed, PaymentDisputed)
    assert type(told) is InvoiceChanged
    assert (disputed.amount, told.state.status) == (Decimal("101.88"), "issued")
    closed, settled = (await news(stage, "dispute_won", payment)).events
    assert isinstance(closed, DisputeClosed)
    assert closed.won
    assert isinstance(settled, InvoicePaid)
    assert [kind for kind, _ in await ledger(stage)] == ["received", "disputed", "reinstated"]


async def test_a_dispute_that_is_lost_is_money_that_is_gone(stage: Stage) -> None:
    payment = await started(stage)
    await news(stage, "captured", payment)
    await news(stage, "disputed", payment)
    closed = (await news(stage, "dispute_lost", payment)).only(DisputeClosed)
    assert (closed.won, closed.state.status, closed.state.refunded) == (False, "refunded", Decimal("101.88"))
    assert await paid(stage) == ("issued", Decimal("0.00"))
    assert await ledger(stage) == [("received", Decimal("101.88")), ("disputed", Decimal("-101.88"))]


async def test_a_credit_of_a_disputed_payment_waits_for_the_decision(stage: Stage) -> None:
    payment = await started(stage)
    await stage.when(pay("60.00"), by=world.marie)
    credit = (await news(stage, "captured", payment)).events[-1].state
    assert credit.remaining == Decimal("60.00")
    await news(stage, "disputed", payment)
    back = RefundCredit(client_credit_id=credit.id, reason="trop-perçu")
    assert refusal(await stage.when(back, by=world.marie)) == (409, "credit_held")
    await news(stage, "dispute_lost", payment)
    assert refusal(await stage.when(back, by=world.marie)) == (422, "invalid")
    assert sum(amount for _, amount in await ledger(stage)) == Decimal("60.00")


async def test_what_is_paid_back_at_the_provider_is_entered_once(stage: Stage) -> None:
    payment = await started(stage)
    await news(stage, "captured", payment)
    refunded = (await news(stage, "refunded", payment, id="r1", amount=Decimal("20.00"))).events[0]
    assert isinstance(refunded, PaymentRefunded)
    assert refunded.amount == Decimal("20.00")
    assert (await news(stage, "refunded", payment, id="r2", amount=Decimal("20.00"))).events == []
    back = RefundPayment(payment_id=payment.id, amount=Decimal("10.00"), reason="un geste")
    await stage.when(back, by=world.marie)
    await stage.runs_effects()
    assert (await news(stage, "refunded", payment, id="r3", amount=Decimal("30.00"))).events == []
    assert [amount for _, amount in await ledger(stage)] == [
        Decimal("101.88"),
        Decimal("-20.00"),
        Decimal("-10.00"),
    ]


async def test_what_was_paid_back_there_first_is_not_asked_for_again(stage: Stage) -> None:
    payment = await started(stage)
    await news(stage, "captured", payment)
    back = RefundPayment(payment_id=payment.id, amount=Decimal("20.00"), reason="un geste")
    await stage.when(back, by=world.marie)
    await news(stage, "refunded", payment, amount=Decimal("20.00"))
    known = await stage.database.pool.fetchval("SELECT provider_refunded FROM payment")
    assert known == Decimal("20.00")


@pytest.mark.parametrize("kind", ["refunded", "disputed", "dispute_won", "dispute_lost"])
async def test_news_that_overtake_the_payment_come_again(stage: Stage, kind: str) -> None:
    payment = await started(stage)
    assert refusal(await news(stage, kind, payment, amount=Decimal("5.00"))) == (404, "not_found")
    await news(stage, "captured", payment)
    if kind.startswith("dispute_"):
        assert refusal(await news(stage, kind, payment)) == (404, "not_found")
        await news(stage, "disputed", payment)
    assert (await news(stage, kind, payment, amount=Decimal("5.00"))).reply == {"changed": True}


async def test_credits_are_locked_before_the_ledger(stage: Stage) -> None:
    payment = await started(stage)
    await stage.when(pay("60.00"), by=world.marie)
    await news(stage, "captured", payment)
    pool = stage.database.pool
    async with pool.acquire() as other, pool.acquire() as looking:
        async with other.transaction():
            await other.execute("SELECT FROM ledger FOR UPDATE")
            taken = asyncio.ensure_future(news(stage, "refunded", payment, amount=Decimal("70.00")))
            await eventually(lambda: looking.fetch(WAITING))
            with pytest.raises(LockNotAvailableError):
                await looking.execute("SELECT FROM client_credit FOR UPDATE NOWAIT")
        outcome = await taken
    assert [event.amount for event in outcome.events if isinstance(event, PaymentRefunded)] == [
        Decimal("41.88")
    ]
    assert (await ledger(stage))[-2:] == [("refunded", Decimal("-41.88")), ("refunded", Decimal("-28.12"))]


async def of_credit(stage: Stage) -> tuple[PaymentView, UUID]:
    """A payment online that was too much, and the one of another invoice that its credit made."""
    payment = await started(stage)
    await stage.when(pay("60.00"), by=world.marie)
    credit = (await news(stage, "captured", payment)).events[-1].state
    await stage.given(invoice("issued", number=2, id=OTHER))
    used = await stage.when(UseCredit(client_credit_id=credit.id, invoice_id=OTHER), by=world.marie)
    return payment, UUID(used.reply["id"])


async def test_a_payment_from_the_credit_of_one_online_is_paid_back_there(stage: Stage) -> None:
    payment, used = await of_credit(stage)
    back = RefundPayment(payment_id=used, amount=Decimal("20.00"), reason="un geste")
    outcome = await stage.when(back, by=world.marie)
    [credit] = [event.state for event in outcome.events if isinstance(event, CreditReceived)]
    assert (credit.remaining, credit.payment_id) == (Decimal("20.00"), payment.id)
    assert await paid(stage, OTHER) == ("partly_paid", Decimal("40.00"))
    # No money moved yet.
    assert [kind for kind, _ in await ledger(stage)] == ["received", "received"]
    await stage.when(RefundCredit(client_credit_id=credit.id, reason="un geste"), by=world.marie)
    await stage.runs_effects()
    at_provider = "SELECT provider_refunded FROM payment WHERE id = $1"
    assert await stage.database.pool.fetchval(at_provider, payment.id) == Decimal("20.00")
    assert (await ledger(stage))[-1] == ("refunded", Decimal("-20.00"))
    rest = RefundPayment(payment_id=used, amount=Decimal("40.01"), reason="trop")
    assert refusal(await stage.when(rest, by=world.marie)) == (422, "invalid")


async def test_a_payment_from_a_disputed_credit_waits_for_the_decision(stage: Stage) -> None:
    payment, used = await of_credit(stage)
    await news(stage, "disputed", payment)
    back = RefundPayment(payment_id=used, reason="un geste")
    assert refusal(await stage.when(back, by=world.marie)) == (409, "credit_held")


@pytest.mark.parametrize(
    ("outcome", "becomes"), [("paid", "captured"), ("failed", "failed"), ("cancelled", "expired")]
)
async def test_the_sandbox_pays_fails_or_gives_up(stage: Stage, outcome: str, becomes: str) -> None:
    payment = await started(stage)
    shown = await stage.when(GetSandboxCheckout(checkout_id=payment.id))
    assert (shown.reply["amount"], shown.reply["invoice_number"]) == ("101.88", "FAC-2026-000001")
    act = PayInSandbox.model_validate({"checkout_id": payment.id, "outcome": outcome})
    assert (await stage.when(act)).reply["status"] == becomes
    again = await stage.when(act)
    assert (again.reply["status"], again.events) == (becomes, [])


async def test_the_sandbox_knows_only_its_own(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    cash = await stage.when(pay("1.00", "cash"), by=world.marie)
    for id in (UUID(cash.reply["id"]), uuid4()):
        assert refusal(await stage.when(GetSandboxCheckout(checkout_id=id))) == (404, "not_found")
        act = PayInSandbox(checkout_id=id, outcome="paid")
        assert refusal(await stage.when(act)) == (404, "not_found")
