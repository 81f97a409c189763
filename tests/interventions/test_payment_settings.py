"""Who takes payments online by the settings: in production nobody whom they do not name, and never the sandbox."""

from collections.abc import Iterator

import pytest
import world
from given_billing import INVOICE, client, invoice
from given_payments import refusal, signed

from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart, readable
from sav_chassis.testing import Stage
from sav_contracts.interventions.payment import (
    CheckoutStarted,
    GetSandboxCheckout,
    PayInSandbox,
    StartCheckout,
)
from sav_interventions.settings import check_moves_money, online_payments

START = StartCheckout(invoice_id=INVOICE)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    online_payments.cache_clear()
    yield
    online_payments.cache_clear()


async def test_in_production_nothing_is_paid_online_by_default(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.knows(client())
    await stage.given(invoice("issued"))
    payment = (await stage.when(START, by=world.lea)).only(CheckoutStarted).state
    monkeypatch.setattr(stage.settings, "environment", "production")
    for asked, by in (
        (START, world.lea),
        (GetSandboxCheckout(checkout_id=payment.id), world.lea),
        (PayInSandbox(checkout_id=payment.id, outcome="paid"), world.lea),
        (signed(stage, "captured", payment.id), world.lea),
    ):
        assert refusal(await stage.when(asked, by=by)) == (409, "no_payment_online")
    assert await stage.database.pool.fetchval("SELECT status FROM payment") == "initiated"


async def test_what_was_begun_with_a_provider_that_is_no_more_ends_all_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.knows(client())
    await stage.given(invoice("issued"))
    payment = (await stage.when(START, by=world.lea)).only(CheckoutStarted).state
    assert payment.expires_at
    monkeypatch.setattr(stage.settings, "environment", "production")
    await stage.passes(payment.expires_at - stage.now())
    await stage.runs_effects()
    assert await stage.database.pool.fetchval("SELECT status FROM payment") == "expired"
    assert [one for one in await stage.waiting() if one.function == "end_checkout"] == []


def test_the_sandbox_does_not_start_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    production = Settings(environment="production")
    check_moves_money(production, "interventions")
    monkeypatch.setenv("SAV_PAYMENT_PROVIDER", "sandbox")
    online_payments.cache_clear()
    check_moves_money(Settings(environment="development"), "interventions")
    with pytest.raises(CannotStart, match="SAV_PAYMENT_PROVIDER"):
        check_moves_money(production, "interventions")


def test_stripe_without_keys_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAV_PAYMENT_PROVIDER", "stripe")
    with pytest.raises(CannotStart, match="SAV_STRIPE_KEY"):
        readable(online_payments)(Settings(), "interventions")
