"""Settings of invoices and payments."""

from decimal import Decimal
from functools import cache
from typing import Literal, Self

from pydantic import SecretStr, model_validator

from sav_chassis.firm_look import Look
from sav_chassis.law.jurisdiction import Jurisdiction, jurisdiction
from sav_chassis.settings import RoomSettings, Settings
from sav_chassis.startup_checks import CannotStart
from sav_contracts.interventions.invoice import DEMONSTRATION, Seller


class Billing(RoomSettings):
    """The country of VAT rates and mentions, the seller, and the rates of an hour and a kilometre (excluding VAT)."""

    jurisdiction: Literal["FR", "TN"] = "FR"
    seller: Seller = DEMONSTRATION
    # Colour and logo of papers: `{"accent": "#14506b", "logo": "/etc/sav/logo.svg"}`.
    look: Look = Look()
    labour_rate: Decimal = Decimal("62.00")
    travel_rate: Decimal = Decimal("0.90")
    # How many days an estimate holds, unless the manager who sends it says otherwise.
    estimate_days: int = 30
    # Days after a deposit invoice was issued until which it is to be paid.
    deposit_due_days: int = 10

    @property
    def law(self) -> Jurisdiction:
        """The data of the jurisdiction."""
        return jurisdiction(self.jurisdiction)


@cache
def billing() -> Billing:
    """The settings, read once in each process."""
    return Billing()


class OnlinePayments(RoomSettings):
    """Who takes payments online: `stripe` with its keys, `none`, or the sandbox, which moves no money.

    Where none is named: the sandbox in development, `none` in production.
    """

    payment_provider: Literal["sandbox", "stripe", "none"] | None = None
    stripe_key: SecretStr = SecretStr("")
    # Signs what Stripe tells: of the endpoint `https://…/api/webhooks/payments`.
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_url: str = "https://api.stripe.com"

    def chosen(self, settings: Settings) -> Literal["sandbox", "stripe", "none"]:
        """The provider that is named, or the one of this environment."""
        return self.payment_provider or ("none" if settings.environment == "production" else "sandbox")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.payment_provider == "stripe" and not (
            self.stripe_key.get_secret_value() and self.stripe_webhook_secret.get_secret_value()
        ):
            raise ValueError("SAV_PAYMENT_PROVIDER=stripe needs SAV_STRIPE_KEY and SAV_STRIPE_WEBHOOK_SECRET")
        return self


@cache
def online_payments() -> OnlinePayments:
    """The settings, read once in each process."""
    return OnlinePayments()


def check_moves_money(settings: Settings, room: str) -> None:
    """`CannotStart` where invoices are real and the sandbox is set: there, anybody with a link says that one is paid."""
    if settings.environment == "production" and online_payments().chosen(settings) == "sandbox":
        raise CannotStart(
            f"{room}: in production SAV_PAYMENT_PROVIDER=sandbox would mark invoices as paid without money;"
            " set it to stripe or none, or leave it out"
        )
