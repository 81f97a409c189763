"""The sandbox: a provider that moves no money. Its checkouts are pages of the edge; its news are signed as others' are."""

import hashlib
import hmac
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ValidationError

from sav_chassis.settings import Settings
from sav_contracts.money import Currency
from sav_interventions.online.provider import News, NewsKind, OpenCheckout, ToPay, WrongSignature

# Seconds for which a signature counts.
TOLERANCE = 300


class SandboxNews(BaseModel):
    """The body of its news."""

    id: str
    kind: NewsKind
    payment_id: UUID
    amount: Decimal | None = None
    currency: str | None = None
    reason: str = ""


class Sandbox:
    """The provider where no other one is set."""

    name = "sandbox"

    def __init__(self, settings: Settings) -> None:
        self._key = hmac.digest(settings.link_secret.encode(), b"sandbox payments", "sha256")
        self._site = settings.edge_site

    async def open(self, wanted: ToPay) -> OpenCheckout:
        name = f"sandbox_{wanted.payment_id}"
        return OpenCheckout(name, f"{self._site}/sandbox/checkout?checkout_id={wanted.payment_id}")

    async def end(self, checkout: str) -> None:
        """Its page asks for the state of the payment, which is over already."""

    async def refund(self, charge: str, amount: Decimal, currency: Currency, key: str) -> None:
        """No money was moved, so none is moved back."""

    def read(self, payload: str, signature: str, now: datetime) -> News | None:
        self._check(payload, signature, now)
        try:
            told = SandboxNews.model_validate_json(payload)
        except ValidationError as error:
            raise WrongSignature from error
        return News(
            id=told.id,
            kind=told.kind,
            payment_id=told.payment_id,
            charge=f"sandbox_charge_{told.payment_id}",
            amount=told.amount,
            currency=told.currency,
            reason=told.reason,
        )

    def sign(self, payload: str, now: datetime) -> str:
        """The signature of news, in the form `t=…,v1=…`."""
        at = int(now.timestamp())
        return f"t={at},v1={hmac.new(self._key, f'{at}.{payload}'.encode(), hashlib.sha256).hexdigest()}"

    def _check(self, payload: str, signature: str, now: datetime) -> None:
        parts = dict(part.partition("=")[::2] for part in signature.split(","))
        at = parts.get("t", "")
        if not at.isdecimal() or not at.isascii() or len(at) > 12:
            raise WrongSignature
        # Before it becomes a date: not every number is one.
        if abs(now.timestamp() - int(at)) > TOLERANCE:
            raise WrongSignature
        signed = self.sign(payload, datetime.fromtimestamp(int(at), now.tzinfo))
        if not hmac.compare_digest(signed.encode(), signature.encode()):
            raise WrongSignature
