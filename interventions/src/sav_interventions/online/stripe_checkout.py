"""Stripe, by its own library: its checkout pages, refunds and signed webhooks."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID, uuid5

import stripe
import structlog
from pydantic import BaseModel, ValidationError

from sav_chassis.settings import Settings
from sav_contracts.money import PLACES, Currency, places
from sav_interventions.online.provider import (
    News,
    NewsKind,
    NoPaymentOnline,
    NotPayableOnline,
    OpenCheckout,
    ProviderAway,
    ToPay,
    WrongSignature,
)
from sav_interventions.settings import OnlinePayments

T = TypeVar("T")
log = structlog.get_logger()

# Seconds for a request. A command has five in all.
WITHIN = 4.0
# Seconds for which a signature counts.
TOLERANCE = 300
# Names the payment of ours in what Stripe keeps of it.
OURS = "sav_payment"


class Data(BaseModel):
    """What an event is about."""

    object: dict[str, Any]


class StripeEvent(BaseModel):
    """An event, as far as it is read."""

    id: str
    type: str
    data: Data


class Stripe:
    """The provider where `SAV_PAYMENT_PROVIDER=stripe`."""

    name = "stripe"

    def __init__(self, settings: Settings, own: OnlinePayments) -> None:
        self._secret = own.stripe_webhook_secret.get_secret_value()
        self._frontend = settings.frontend_url.rstrip("/")
        self._edge = settings.edge_site
        self._client = stripe.StripeClient(
            own.stripe_key.get_secret_value(),
            base_addresses={"api": own.stripe_url},
            http_client=stripe.RequestsClient(timeout=WITHIN),
            max_network_retries=0,
        )

    async def open(self, wanted: ToPay) -> OpenCheckout:
        here = self._back(wanted)
        ours = {OURS: str(wanted.payment_id)}
        line = {
            "quantity": 1,
            "price_data": {
                "currency": wanted.currency.lower(),
                "unit_amount": in_units(wanted.amount, wanted.currency),
                "product_data": {"name": wanted.invoice_number},
            },
        }
        asked: Any = {
            "mode": "payment",
            "client_reference_id": str(wanted.payment_id),
            "line_items": [line],
            "metadata": ours,
            "payment_intent_data": {"metadata": ours},
            "success_url": here,
            "cancel_url": here,
            "expires_at": int(wanted.expires_at.timestamp()),
            "locale": wanted.locale,
        }
        # The same request is one checkout, another one (the hour or the amount changed meanwhile) another checkout.
        options: Any = {"idempotency_key": f"checkout-{uuid5(wanted.payment_id, json.dumps(asked))}"}
        try:
            session = await _ask(lambda: self._client.v1.checkout.sessions.create(asked, options))
        except stripe.InvalidRequestError as error:
            log.warning("stripe refuses a checkout", payment=str(wanted.payment_id), exc_info=error)
            raise NotPayableOnline from error
        return OpenCheckout(session.id, session.url or "")

    def _back(self, wanted: ToPay) -> str:
        """Where who has paid, or gave up, comes back to: the invoice in the frontend, or a page of the edge."""
        if self._frontend:
            return f"{self._frontend}/invoices/{wanted.invoice_id}"
        if not self._edge:
            log.error("nothing is paid online: SAV_PUBLIC_URL is not set for interventions")
            raise NoPaymentOnline
        return f"{self._edge}/back-from-payment"

    async def end(self, checkout: str) -> None:
        try:
            await _ask(lambda: self._client.v1.checkout.sessions.expire(checkout))
        except stripe.InvalidRequestError:
            return  # it is over: paid, or expired already

    async def refund(self, charge: str, amount: Decimal, currency: Currency, key: str) -> None:
        asked: Any = {"payment_intent": charge, "amount": in_units(amount, currency)}
        options: Any = {"idempotency_key": f"refund-{key}"}
        await _ask(lambda: self._client.v1.refunds.create(asked, options))

    def read(self, payload: str, signature: str, now: datetime) -> News | None:
        if not signature.isascii():
            raise WrongSignature
        try:
            stripe.WebhookSignature.verify_header(payload, signature, self._secret, TOLERANCE)
        except stripe.SignatureVerificationError as error:
            raise WrongSignature from error
        try:
            event = StripeEvent.model_validate_json(payload)
        except ValidationError:
            return None  # Stripe signs other things, too
        return _news(event.id, event.type, event.data.object)


def _news(id: str, kind: str, thing: dict[str, Any]) -> News | None:
    """What an event of Stripe says; None for those that say nothing about a payment of ours."""
    if kind.startswith("checkout.session."):
        return _of_session(id, kind.removeprefix("checkout.session."), thing)
    if kind == "charge.refunded" and thing.get("payment_intent"):
        if thing["currency"].upper() not in PLACES:
            return None  # of another program with the same account
        paid_back = _amount(thing["amount_refunded"], thing["currency"])
        charge = thing["payment_intent"]
        return News(
            id=id,
            kind="refunded",
            payment_id=_ours(thing),
            charge=charge,
            amount=paid_back,
            currency=thing["currency"].upper(),
        )
    if kind == "charge.dispute.created" and thing.get("payment_intent"):
        amount, currency = _disputed(thing)
        return News(
            id=id,
            kind="disputed",
            charge=thing["payment_intent"],
            amount=amount,
            currency=currency,
            reason=str(thing.get("reason", "")),
        )
    if kind == "charge.dispute.closed" and thing.get("payment_intent"):
        won: NewsKind = "dispute_lost" if thing.get("status") == "lost" else "dispute_won"
        amount, currency = _disputed(thing)
        return News(id=id, kind=won, charge=thing["payment_intent"], amount=amount, currency=currency)
    return None


def _disputed(dispute: dict[str, Any]) -> tuple[Decimal | None, str | None]:
    """How much of the charge a dispute is about; None, which is all of it, where its currency is not ours."""
    currency = str(dispute.get("currency", "")).upper()
    if currency not in PLACES:
        return None, None
    return _amount(dispute["amount"], currency), currency


def _of_session(id: str, what: str, session: dict[str, Any]) -> News | None:
    payment_id = _ours(session)
    if payment_id is None:
        return None  # of another program with the same account
    checkout = session.get("id")
    if what in {"completed", "async_payment_succeeded"} and session.get("payment_status") == "paid":
        currency = session["currency"].upper()
        # Of a currency that is not ours, the places are unknown: it is refused by its name.
        received = _amount(session["amount_total"], currency) if currency in PLACES else None
        return News(
            id=id,
            kind="captured",
            payment_id=payment_id,
            charge=session["payment_intent"],
            amount=received,
            currency=currency,
        )
    if what == "async_payment_failed":
        return News(id=id, kind="failed", payment_id=payment_id, checkout=checkout, reason="payment_failed")
    if what == "expired":
        return News(id=id, kind="expired", payment_id=payment_id, checkout=checkout, reason="expired")
    return None


def _ours(thing: dict[str, Any]) -> UUID | None:
    """The payment of ours that it is of, by what Stripe keeps of it; a charge has this from its checkout."""
    try:
        return UUID((thing.get("metadata") or {})[OURS])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def in_units(amount: Decimal, currency: Currency) -> int:
    """The amount in the smallest units of the currency; of currencies with three decimals, Stripe takes only tens."""
    units = int(amount.scaleb(places(currency)))
    if places(currency) == 3 and units % 10:
        raise NotPayableOnline
    return units


def _amount(units: int, currency: str) -> Decimal:
    code: Any = currency.upper()
    return Decimal(units).scaleb(-places(code))


async def _ask(request: Callable[[], T]) -> T:
    """Asks in a thread. What Stripe refuses is an error of ours, and is raised as it is.

    `ProviderAway` also while the same request is in hand there.
    """
    try:
        return await asyncio.to_thread(request)
    except (
        stripe.APIConnectionError,
        stripe.APIError,
        stripe.RateLimitError,
        stripe.IdempotencyError,
    ) as error:
        raise ProviderAway from error
