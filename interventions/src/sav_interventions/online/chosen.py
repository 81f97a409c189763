"""The provider that the settings choose."""

from sav_chassis.settings import Settings
from sav_interventions.online.provider import NoPaymentOnline, Provider
from sav_interventions.online.sandbox import Sandbox
from sav_interventions.settings import online_payments


def provider(settings: Settings) -> Provider:
    """The payment provider; `NoPaymentOnline` where there is none."""
    found = asked(settings)
    if found is None:
        raise NoPaymentOnline
    return found


def asked(settings: Settings, name: str | None = None) -> Provider | None:
    """The payment provider; None where there is none, or not the one of this name any more."""
    match online_payments().chosen(settings):
        case "stripe":
            found: Provider | None = _stripe(settings)
        case "sandbox":
            found = Sandbox(settings)
        case _:
            found = None
    return None if found and name and found.name != name else found


def sandbox(settings: Settings) -> Sandbox:
    """The sandbox; `NoPaymentOnline` where another provider is set."""
    if online_payments().chosen(settings) != "sandbox":
        raise NoPaymentOnline
    return Sandbox(settings)


def _stripe(settings: Settings) -> Provider:
    # Imported only where it is used: it takes a while, and memory.
    from sav_interventions.online.stripe_checkout import Stripe

    return Stripe(settings, online_payments())
