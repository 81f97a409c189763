"""What every payment provider does: opens and ends a checkout, pays back, and tells by signed news what happened."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from sav_chassis.errors import Conflict, SavError, Unavailable
from sav_contracts.auth.fields import Locale
from sav_contracts.money import Currency

NewsKind = Literal["captured", "failed", "expired", "refunded", "disputed", "dispute_won", "dispute_lost"]


class ProviderAway(Unavailable):
    en = "The payment provider cannot be reached; nothing was done, try again in a moment"
    fr = "Le prestataire de paiement est injoignable ; rien n’a été fait, réessayez dans un instant"


class NotPayableOnline(Conflict):
    """The payment provider takes no such amount, or not in this currency."""

    code = "not_payable_online"
    en = "This amount cannot be paid online: pay it in another way"
    fr = "Ce montant ne peut pas être payé en ligne : réglez-le autrement"


class WrongSignature(SavError):
    """Anybody can call a webhook; only what the provider signed counts."""

    code = "wrong_signature"
    status = 400
    en = "This is not signed by the payment provider"
    fr = "Ceci n’est pas signé par le prestataire de paiement"


class NoPaymentOnline(Conflict):
    """No payment provider is set, or nobody would be led back from it."""

    code = "no_payment_online"
    en = "Nothing can be paid online here"
    fr = "Le paiement en ligne n’est pas proposé ici"


class ToPay(NamedTuple):
    """What a checkout asks for. `payment_id` is the payment that it becomes, and makes the request repeatable."""

    payment_id: UUID
    invoice_id: UUID
    invoice_number: str
    amount: Decimal
    currency: Currency
    expires_at: datetime
    locale: Locale


class OpenCheckout(NamedTuple):
    """A checkout that is open: its name at the provider, and where it is paid."""

    name: str
    url: str


@dataclass(frozen=True, kw_only=True)
class News:
    """What a provider tells, once for each `id`. It is about a payment of ours, or about the `charge` that came of it."""

    id: str
    kind: NewsKind
    payment_id: UUID | None = None
    charge: str | None = None
    # The checkout that failed or expired, where the provider names it.
    checkout: str | None = None
    # What was received; for `refunded`, all that was paid back of the charge so far; of a dispute, how much it is about (None:
    # all of it).
    amount: Decimal | None = None
    # In capitals; None where the provider does not name it.
    currency: str | None = None
    reason: str = ""


class Provider(Protocol):
    """A payment provider. Each request raises `ProviderAway` where it cannot be reached, and may be repeated."""

    name: str

    async def open(self, wanted: ToPay) -> OpenCheckout:
        """Opens a checkout."""

    async def end(self, checkout: str) -> None:
        """Ends a checkout that nobody may pay any more; nothing where it is over."""

    async def refund(self, charge: str, amount: Decimal, currency: Currency, key: str) -> None:
        """Pays back, once for each `key`."""

    def read(self, payload: str, signature: str, now: datetime) -> News | None:
        """What the provider tells; None where it is not about payments. `WrongSignature` where it is not from there."""
