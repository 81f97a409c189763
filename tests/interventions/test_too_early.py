"""Seven days from a contract that was concluded at the client's home nothing is taken for it (L221-10)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import CERTIFIED, INVOICE, client, home, invoice, issue, line
from given_estimates import ESTIMATE, HOME, billed, estimate, right
from given_interventions import VISIT
from given_payments import ledger, paid, pay, refusal, signed

from sav_chassis.law.withdrawal import concluded
from sav_chassis.testing import Outcome, Stage, enveloped
from sav_chassis.written import day
from sav_contracts.interventions.client_credit import RecordOnAccount, UseCredit
from sav_contracts.interventions.deposit import DraftDeposit
from sav_contracts.interventions.estimate import Acceptance, AcceptEstimate, EstimateAccepted
from sav_contracts.interventions.invoice import InvoiceIssued
from sav_contracts.interventions.payment import CheckoutStarted, PaymentRecorded, StartCheckout
from sav_contracts.messages import Command
from sav_interventions.model import Estimate, Intervention

TOO_EARLY = (409, "payment_too_early")
DEPOSIT = DraftDeposit(intervention_id=VISIT, percent=30, lines=[line()], supply=None)
ACCOUNT = RecordOnAccount(client_id=world.lea.id, method="transfer", amount=Decimal("10.00"))
START = StartCheckout(invoice_id=INVOICE)


def accepted(days_ago: int = 0, status: Any = "accepted", **fields: Any) -> Estimate:
    """The estimate of Karim's visit, accepted by Léa at home so many days ago."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    known = fields.pop("withdrawal", right())
    # No part of a day is lost where it is already tomorrow at the place.
    day = at.astimezone(estimate().zone).date()
    told = {"withdrawal": concluded(known, "FR", day, HOME), "accepted": Acceptance(at=at, how="site")}
    return estimate(status, **(told | fields))


def deposit(**fields: Any) -> Any:
    return invoice("issued", line(), intervention_id=VISIT, deposit=True, **fields)


async def given(stage: Stage, contract: Estimate, *more: Any, of: Intervention | None = None) -> None:
    await stage.knows(client(), home(older=True))
    await stage.given(of or billed("planned"), contract, *more)


async def on_account_before(stage: Stage) -> UUID:
    """Léa's credit from before the contract."""
    await stage.knows(client())
    return UUID((await stage.when(ACCOUNT, by=world.marie)).reply["id"])


async def asks(stage: Stage, message: Command[Any]) -> Outcome:
    return await stage.when(message, by=world.lea if isinstance(message, StartCheckout) else world.marie)


async def test_nothing_is_taken_in_whatever_form(stage: Stage) -> None:
    credit = await on_account_before(stage)
    await given(stage, accepted(), deposit())
    used = UseCredit(client_credit_id=credit, invoice_id=INVOICE)
    for message in (START, pay("10.00"), pay("10.00", "cash"), ACCOUNT, used, DEPOSIT):
        outcome = await asks(stage, message)
        assert refusal(outcome) == TOO_EARLY, message
        assert outcome.problem
        until = accepted().withdrawal.no_payment_until
        assert outcome.problem.detail
        assert "DEV-2026-000001) at home: nothing may be paid for it" in outcome.problem.detail
        assert until
        assert day(until, "en") in outcome.problem.detail
        assert "Code de la consommation, L221-10" in outcome.problem.detail
    assert await paid(stage) == ("issued", Decimal("0.00"))
    assert await ledger(stage) == [("received", Decimal("10.00"))]


async def test_a_deposit_that_was_drafted_before_the_contract_is_not_issued(stage: Stage) -> None:
    draft = invoice("draft", line(), intervention_id=VISIT, deposit=True, supply=CERTIFIED)
    await given(stage, accepted(), draft)
    assert refusal(await stage.when(issue, by=world.marie)) == TOO_EARLY
    await stage.passes(timedelta(days=8))
    assert (await stage.when(issue, by=world.marie)).problem is None


async def test_nor_is_more_than_the_balance_of_another_invoice(stage: Stage) -> None:
    await given(stage, accepted(), invoice("issued", line()))
    outcome = await asks(stage, pay("101.89"))
    assert refusal(outcome) == TOO_EARLY
    assert outcome.problem
    assert "what exceeds the balance of this invoice, 101.88 EUR, may not be taken" in outcome.problem.detail
    assert "record the balance now, the rest after that day" in outcome.problem.detail
    assert (await asks(stage, pay("101.88"))).problem is None
    assert await paid(stage) == ("paid", Decimal("101.88"))


@pytest.mark.parametrize(("days_ago", "forbidden"), [(2, True), (7, True), (8, False)])
async def test_an_invoice_says_until_when_nothing_may_be_paid(
    stage: Stage, days_ago: int, forbidden: bool
) -> None:
    contract = accepted(days_ago)
    until = contract.withdrawal.no_payment_until
    assert until
    done = billed("completed", done_at=datetime.now(UTC))
    await given(stage, contract, invoice("draft", line(), intervention_id=VISIT, supply=CERTIFIED), of=done)
    told = (await stage.when(issue, by=world.marie)).only(InvoiceIssued)
    assert told.too_early_until == (until if forbidden else None)
    said = [mention for mention in told.state.mentions if "aucun paiement ne peut être reçu" in mention]
    assert len(said) == forbidden
    assert all(
        f"avant la fin du {day(until, 'fr')} (Code de la consommation, L221-10)." in one for one in said
    )


async def test_the_seventh_day_is_the_last(stage: Stage) -> None:
    await given(stage, accepted(7), deposit())
    assert refusal(await asks(stage, pay("10.00"))) == TOO_EARLY
    await stage.passes(timedelta(days=1))
    assert (await asks(stage, pay("10.00"))).problem is None
    assert (await asks(stage, ACCOUNT)).problem is None


@pytest.mark.parametrize(
    "withdrawal",
    [right(urgency="fuite"), right(consumer=False), right(setting="at_distance")],
    ids=["urgent repair", "business", "at a distance"],
)
async def test_others_pay_at_once(stage: Stage, withdrawal: Any) -> None:
    await given(stage, accepted(withdrawal=withdrawal, lines=[line(), line()]), deposit())
    for message in (pay("10.00"), ACCOUNT, START, DEPOSIT):
        assert (await asks(stage, message)).problem is None, message


@pytest.mark.parametrize("status", ["sent", "withdrawn", "superseded"])
async def test_only_a_contract_forbids_it(stage: Stage, status: Any) -> None:
    await given(stage, accepted(status=status), deposit())
    assert (await asks(stage, pay("10.00"))).problem is None


async def test_work_that_was_done_before_the_contract_is_paid(stage: Stage) -> None:
    """A second contract of the same case forbids nothing about the first one's work."""
    done = billed("completed", done_at=datetime.now(UTC) - timedelta(days=3))
    await given(stage, accepted(), invoice("issued", line(), intervention_id=VISIT), of=done)
    assert (await asks(stage, pay("10.00"))).problem is None


async def test_what_was_done_for_it_waits_too(stage: Stage) -> None:
    done = billed("completed", done_at=datetime.now(UTC) - timedelta(days=1))
    await given(stage, accepted(3), invoice("issued", line(), intervention_id=VISIT), of=done)
    assert refusal(await asks(stage, START)) == TOO_EARLY


@pytest.mark.parametrize(
    ("withdrawal", "becomes"), [(right(), "expired"), (right(setting="at_distance"), "initiated")]
)
async def test_a_checkout_that_was_begun_before_the_contract_is_ended(
    stage: Stage, withdrawal: Any, becomes: str
) -> None:
    await stage.knows(client(), home(older=True))
    await stage.given(billed("planned"), deposit(), estimate("sent", withdrawal=withdrawal))
    begun = (await stage.when(START, by=world.lea)).only(CheckoutStarted).state
    outcome = await stage.when(AcceptEstimate(estimate_id=ESTIMATE), by=world.lea)
    await stage.hears(enveloped(outcome.only(EstimateAccepted)))
    found = await stage.database.pool.fetchval("SELECT status FROM payment WHERE id = $1", begun.id)
    assert found == becomes
    ends = [one for one in await stage.waiting() if one.function == "end_checkout"]
    assert len(ends) == (becomes == "expired")


async def test_what_a_provider_sends_all_the_same_is_received_and_told(stage: Stage) -> None:
    await stage.knows(client(), home(older=True))
    await stage.given(billed("planned"), deposit())
    begun = (await stage.when(START, by=world.lea)).only(CheckoutStarted).state
    contract = accepted()
    until = contract.withdrawal.no_payment_until
    await stage.given(contract)
    told = (await stage.when(signed(stage, "captured", begun.id))).events[0]
    assert isinstance(told, PaymentRecorded)
    assert told.too_early_until == until
    assert await paid(stage) == ("paid", Decimal("101.88"))
