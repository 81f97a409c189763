"""Stripe by its own library, against a local server that speaks its API."""

import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import world
from given_billing import INVOICE, client, invoice
from given_payments import ledger, paid, pay, refusal
from pydantic import ValidationError
from stripe_server import KEY, SECRET, StripeServer, event, signature

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.client_credit import CreditReceived
from sav_contracts.interventions.payment import (
    CheckoutStarted,
    GetSandboxCheckout,
    PaymentDisputed,
    PaymentFailed,
    PaymentRecorded,
    PaymentRefunded,
    PaymentView,
    RefundPayment,
    StartCheckout,
    TakePaymentNews,
)
from sav_interventions.online.provider import NotPayableOnline
from sav_interventions.online.stripe_checkout import in_units
from sav_interventions.settings import OnlinePayments, online_payments

START = StartCheckout(invoice_id=INVOICE)
INTENT = "pi_1"


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeServer]:
    server = StripeServer()
    for name, value in {
        "PAYMENT_PROVIDER": "stripe",
        "STRIPE_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_URL": server.url,
    }.items():
        monkeypatch.setenv(f"SAV_{name}", value)
    online_payments.cache_clear()
    yield server
    online_payments.cache_clear()
    server.close()


async def started(stage: Stage) -> PaymentView:
    await stage.knows(client(locale="fr"))
    await stage.given(invoice("issued"))
    return (await stage.when(START, by=world.lea)).only(CheckoutStarted).state


async def told(stage: Stage, kind: str, thing: dict[str, Any], id: str = "evt_1") -> Outcome:
    payload = event(kind, thing, id)
    signed = signature(payload, int(time.time()))
    return await stage.when(TakePaymentNews(payload=payload, signature=signed))


def session(payment: PaymentView, status: str = "paid") -> dict[str, Any]:
    return {
        "id": "cs_test_1",
        "object": "checkout.session",
        "metadata": {"sav_payment": str(payment.id)},
        "payment_status": status,
        "amount_total": 10188,
        "currency": "eur",
        "payment_intent": INTENT,
    }


async def captured(stage: Stage) -> PaymentView:
    payment = await started(stage)
    await told(stage, "checkout.session.completed", session(payment), "evt_paid")
    return payment


async def test_a_checkout_asks_stripe_for_the_balance_once(stage: Stage, stripe: StripeServer) -> None:
    payment = await started(stage)
    assert payment.checkout_url == "https://checkout.stripe.com/c/cs_test_1"
    [(path, sent)] = stripe.requests
    assert path == "/v1/checkout/sessions"
    assert sent["line_items[0][price_data][unit_amount]"] == "10188"
    assert sent["line_items[0][price_data][currency]"] == "eur"
    assert (
        sent["metadata[sav_payment]"] == sent["payment_intent_data[metadata][sav_payment]"] == str(payment.id)
    )
    assert sent["locale"] == "fr"
    again = await stage.when(START, by=world.lea)
    assert again.reply["id"] == str(payment.id)
    assert len(stripe.requests) == 1


@pytest.mark.parametrize(
    ("where", "back"),
    [
        ({"frontend_url": "https://sav.example.com/"}, f"https://sav.example.com/invoices/{INVOICE}"),
        ({"public_url": "https://api.example.com/"}, "https://api.example.com/back-from-payment"),
    ],
)
async def test_who_has_paid_comes_back_to_a_page(
    stage: Stage,
    stripe: StripeServer,
    monkeypatch: pytest.MonkeyPatch,
    where: dict[str, str],
    back: str,
) -> None:
    for name, value in where.items():
        monkeypatch.setattr(stage.settings, name, value)
    await started(stage)
    [(_, sent)] = stripe.requests
    assert sent["success_url"] == sent["cancel_url"] == back


async def test_nothing_is_paid_where_nobody_could_come_back(
    stage: Stage, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.knows(client())
    await stage.given(invoice("issued"))
    monkeypatch.setattr(stage.settings, "environment", "production")
    assert refusal(await stage.when(START, by=world.lea)) == (409, "no_payment_online")


async def test_while_stripe_is_away_nothing_is_recorded(stage: Stage, stripe: StripeServer) -> None:
    await stage.knows(client())
    await stage.given(invoice("issued"))
    stripe.away = True
    assert refusal(await stage.when(START, by=world.lea)) == (503, "unavailable")
    assert await stage.database.pool.fetchval("SELECT count(*) FROM payment") == 0
    stripe.away = False
    assert (await stage.when(START, by=world.lea)).problem is None


@pytest.mark.parametrize("later", [timedelta(minutes=3), timedelta(minutes=20)])
async def test_a_checkout_whose_answer_was_lost_is_asked_for_again(
    stage: Stage, stripe: StripeServer, later: timedelta
) -> None:
    await stage.knows(client())
    await stage.given(invoice("issued"))
    # A quarter of an hour begins now.
    await stage.passes(timedelta(seconds=900 - stage.now().timestamp() % 900))
    stripe.loses_answers = True
    assert refusal(await stage.when(START, by=world.lea)) == (503, "unavailable")
    stripe.loses_answers = False
    await stage.passes(later)
    payment = (await stage.when(START, by=world.lea)).only(CheckoutStarted).state
    assert len(stripe.asked) == (1 if later < timedelta(minutes=15) else 2)
    assert payment.checkout_url
    assert payment.checkout_url.endswith(f"cs_test_{len(stripe.asked)}")
    lost = session(payment, "unpaid") | {"id": "cs_test_0"}
    assert (await told(stage, "checkout.session.expired", lost)).reply == {"changed": False}


@pytest.mark.parametrize(
    ("kind", "refused"),
    [("invalid_request_error", (409, "not_payable_online")), ("idempotency_error", (503, "unavailable"))],
)
async def test_what_stripe_refuses_is_refused_here(
    stage: Stage, stripe: StripeServer, kind: str, refused: tuple[int, str]
) -> None:
    await stage.knows(client())
    await stage.given(invoice("issued"))
    stripe.refuses = kind
    assert refusal(await stage.when(START, by=world.lea)) == refused


async def test_what_stripe_signs_is_a_payment_once(stage: Stage, stripe: StripeServer) -> None:
    payment = await started(stage)
    waits = await told(stage, "checkout.session.completed", session(payment, "unpaid"), "evt_0")
    assert (waits.reply, waits.events) == ({"changed": False}, [])
    outcome = await told(stage, "checkout.session.completed", session(payment))
    assert isinstance(outcome.events[0], PaymentRecorded)
    assert (await told(stage, "checkout.session.completed", session(payment))).reply == {"changed": False}
    late = await told(stage, "checkout.session.async_payment_succeeded", session(payment), "evt_2")
    assert late.reply == {"changed": False}
    expired = await told(stage, "checkout.session.expired", session(payment), "evt_3")
    assert expired.reply == {"changed": False}
    assert await paid(stage) == ("paid", Decimal("101.88"))
    assert await ledger(stage) == [("received", Decimal("101.88"))]


async def test_only_stripes_own_signature_counts(stage: Stage, stripe: StripeServer) -> None:
    payment = await started(stage)
    payload, now = event("checkout.session.completed", session(payment)), int(time.time())
    for wrong in (
        "",
        signature(payload, now, "whsec_other"),
        signature(payload + " ", now),
        signature(payload, now - 301),
        "t=abc,v1=x",
        f"t={now},v1=é",
    ):
        outcome = await stage.when(TakePaymentNews(payload=payload, signature=wrong))
        assert refusal(outcome) == (400, "wrong_signature"), wrong
    no_event = TakePaymentNews(payload="[]", signature=signature("[]", now))
    assert (await stage.when(no_event)).reply == {"changed": False}


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("customer.created", {"id": "cus_1", "object": "customer"}),
        ("checkout.session.completed", {"id": "cs_9", "object": "checkout.session", "metadata": {}}),
        (
            "checkout.session.completed",
            {"id": "cs_9", "object": "checkout.session", "metadata": {"sav_payment": "n° 12"}},
        ),
        (
            "charge.refunded",
            {"object": "charge", "payment_intent": "pi_9", "amount_refunded": 1, "currency": "usd"},
        ),
        (
            "charge.refunded",
            {"object": "charge", "payment_intent": "pi_9", "amount_refunded": 1, "currency": "eur"},
        ),
        ("charge.dispute.created", {"object": "dispute", "payment_intent": "pi_9"}),
    ],
)
async def test_what_is_not_about_a_payment_of_ours_changes_nothing(
    stage: Stage, stripe: StripeServer, kind: str, thing: dict[str, Any]
) -> None:
    await captured(stage)
    assert (await told(stage, kind, thing)).reply == {"changed": False}


async def test_a_payment_that_failed_later_is_told(stage: Stage, stripe: StripeServer) -> None:
    payment = await started(stage)
    outcome = await told(stage, "checkout.session.async_payment_failed", session(payment, "unpaid"))
    assert outcome.only(PaymentFailed).state.status == "failed"


@pytest.mark.parametrize(("of", "left"), [(10188, "0.00"), (3000, "71.88")])
async def test_a_dispute_at_stripe_opens_the_balance(
    stage: Stage, stripe: StripeServer, of: int, left: str
) -> None:
    await captured(stage)
    dispute = {"object": "dispute", "payment_intent": INTENT, "amount": of, "currency": "eur"}
    outcome = await told(stage, "charge.dispute.created", dispute)
    assert isinstance(outcome.events[0], PaymentDisputed)
    assert (await paid(stage))[1] == Decimal(left)
    await told(stage, "charge.dispute.closed", dispute | {"status": "won"}, "evt_2")
    assert await paid(stage) == ("paid", Decimal("101.88"))


async def test_what_a_manager_pays_back_is_asked_of_stripe_once(stage: Stage, stripe: StripeServer) -> None:
    payment = await captured(stage)
    back = RefundPayment(payment_id=payment.id, amount=Decimal("20.00"), reason="un geste")
    await stage.when(back, by=world.marie)
    stripe.away = True
    await stage.runs_effects()
    [waiting] = [one for one in await stage.waiting() if one.function == "refund_online"]
    assert waiting.attempts == 1
    stripe.away = False
    await stage.runs_effects()
    await stage.runs_effects()
    [(_, sent)] = [asked for asked in stripe.requests if asked[0] == "/v1/refunds"]
    assert sent == {"payment_intent": INTENT, "amount": "2000"}
    charge = {"object": "charge", "payment_intent": INTENT, "amount_refunded": 2000, "currency": "eur"}
    assert (await told(stage, "charge.refunded", charge)).reply == {"changed": False}


async def test_a_refund_whose_answer_was_lost_is_not_paid_twice(stage: Stage, stripe: StripeServer) -> None:
    payment = await captured(stage)
    back = RefundPayment(payment_id=payment.id, amount=Decimal("20.00"), reason="un geste")
    await stage.when(back, by=world.marie)
    stripe.loses_answers = True
    await stage.runs_effects()
    stripe.loses_answers = False
    more = RefundPayment(payment_id=payment.id, amount=Decimal("10.00"), reason="un autre")
    await stage.when(more, by=world.marie)
    await stage.runs_effects()
    paid_back = [sent["amount"] for path, sent, _ in stripe.asked.values() if path == "/v1/refunds"]
    assert paid_back == ["2000", "1000"]
    assert await stage.database.pool.fetchval("SELECT provider_refunded FROM payment") == Decimal("30.00")


async def test_a_refund_that_overtakes_its_payment_comes_again(stage: Stage, stripe: StripeServer) -> None:
    payment = await started(stage)
    charge = {
        "object": "charge",
        "metadata": {"sav_payment": str(payment.id)},
        "payment_intent": INTENT,
        "amount_refunded": 1500,
        "currency": "eur",
    }
    assert refusal(await told(stage, "charge.refunded", charge)) == (404, "not_found")
    await told(stage, "checkout.session.completed", session(payment), "evt_paid")
    assert isinstance((await told(stage, "charge.refunded", charge)).events[0], PaymentRefunded)


async def test_a_dispute_that_overtakes_its_payment_is_taken_with_it(
    stage: Stage, stripe: StripeServer
) -> None:
    """A dispute names only the charge: nobody knows yet whose it is, and Stripe tells it once."""
    payment = await started(stage)
    dispute = {"object": "dispute", "payment_intent": INTENT, "reason": "fraudulent"}
    assert (await told(stage, "charge.dispute.created", dispute)).reply == {"changed": False}
    outcome = await told(stage, "checkout.session.completed", session(payment), "evt_paid")
    assert [
        type(event) for event in outcome.events if isinstance(event, PaymentRecorded | PaymentDisputed)
    ] == [
        PaymentRecorded,
        PaymentDisputed,
    ]
    assert await paid(stage) == ("issued", Decimal("0.00"))
    assert (await told(stage, "charge.dispute.created", dispute)).reply == {"changed": False}
    won = {"object": "dispute", "payment_intent": INTENT, "status": "won"}
    assert (await told(stage, "charge.dispute.closed", won, "evt_won")).reply == {"changed": True}
    assert await paid(stage) == ("paid", Decimal("101.88"))


async def test_the_end_of_a_dispute_that_overtakes_all_is_taken_in_its_place(
    stage: Stage, stripe: StripeServer
) -> None:
    payment = await started(stage)
    dispute = {"object": "dispute", "payment_intent": INTENT, "status": "lost"}
    await told(stage, "charge.dispute.closed", dispute, "evt_lost")
    await told(stage, "checkout.session.completed", session(payment), "evt_paid")
    assert await paid(stage) == ("paid", Decimal("101.88"))
    await told(stage, "charge.dispute.created", dispute, "evt_disputed")
    assert await paid(stage) == ("issued", Decimal("0.00"))
    assert await stage.database.pool.fetchval("SELECT status FROM payment") == "refunded"


async def test_a_session_in_another_currency_is_refused_aloud(stage: Stage, stripe: StripeServer) -> None:
    payment = await started(stage)
    wrong = session(payment) | {"currency": "usd"}
    outcome = await told(stage, "checkout.session.completed", wrong)
    assert refusal(outcome) == (409, "another_currency")
    assert await ledger(stage) == []


async def test_two_sessions_of_one_request_that_are_both_paid_are_two_payments(
    stage: Stage, stripe: StripeServer
) -> None:
    """The answer of the first was lost; what is paid twice is the client's credit."""
    payment = await captured(stage)
    second = session(payment) | {"id": "cs_test_2", "payment_intent": "pi_2"}
    outcome = await told(stage, "checkout.session.completed", second, "evt_second")
    assert [type(event) for event in outcome.events] == [PaymentRecorded, CreditReceived]
    assert await ledger(stage) == [("received", Decimal("101.88"))] * 2
    assert (await told(stage, "checkout.session.completed", second, "evt_third")).reply == {"changed": False}


async def test_what_is_paid_back_in_stripes_own_pages_is_entered(stage: Stage, stripe: StripeServer) -> None:
    await captured(stage)
    charge = {"object": "charge", "payment_intent": INTENT, "amount_refunded": 1500, "currency": "eur"}
    outcome = await told(stage, "charge.refunded", charge)
    assert isinstance(outcome.events[0], PaymentRefunded)
    await stage.runs_effects()
    assert [path for path, _ in stripe.requests] == ["/v1/checkout/sessions"]
    assert [amount for _, amount in await ledger(stage)] == [Decimal("101.88"), Decimal("-15.00")]


async def test_a_checkout_that_is_over_here_is_ended_at_stripe(stage: Stage, stripe: StripeServer) -> None:
    await started(stage)
    await stage.when(pay("101.88"), by=world.marie)
    await stage.runs_effects()
    assert stripe.expired == ["cs_test_1"]


async def test_one_that_stripe_ended_first_is_over_all_the_same(stage: Stage, stripe: StripeServer) -> None:
    await started(stage)
    stripe.expired.append("cs_test_1")
    await stage.passes(timedelta(hours=2))
    await stage.runs_effects()
    assert [one for one in await stage.waiting() if one.function == "end_checkout"] == []


async def test_the_sandbox_is_closed_where_stripe_is_set(stage: Stage, stripe: StripeServer) -> None:
    payment = await started(stage)
    outcome = await stage.when(GetSandboxCheckout(checkout_id=payment.id))
    assert refusal(outcome) == (409, "no_payment_online")


def test_stripe_takes_amounts_of_three_decimals_in_tens() -> None:
    assert in_units(Decimal("101.88"), "EUR") == 10188
    assert in_units(Decimal("15.680"), "TND") == 15680
    with pytest.raises(NotPayableOnline):
        in_units(Decimal("15.685"), "TND")


def test_stripe_needs_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAV_PAYMENT_PROVIDER", "stripe")
    with pytest.raises(ValidationError, match="SAV_STRIPE_KEY"):
        OnlinePayments()
