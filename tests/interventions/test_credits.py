"""Money on account, what is more than a balance, and refunds: a client's credit is used or paid back, and entered."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, client, invoice, line
from given_payments import ledger, paid, pay, refusal

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.interventions.client_credit import (
    CreditReceived,
    CreditRefunded,
    CreditUsed,
    RecordOnAccount,
    RefundCredit,
    UseCredit,
)
from sav_contracts.interventions.invoice import InvoiceChanged, InvoicePaid
from sav_contracts.interventions.payment import PaymentRecorded, PaymentRefunded, RefundPayment

OTHER = UUID(int=701)


def on_account(amount: str, method: Any = "transfer", **fields: Any) -> RecordOnAccount:
    return RecordOnAccount(client_id=world.lea.id, method=method, amount=Decimal(amount), **fields)


async def given_credit(stage: Stage, amount: str, method: str = "transfer") -> UUID:
    await stage.knows(client())
    outcome = await stage.when(on_account(amount, method), by=world.marie)
    return outcome.only(CreditReceived).state.id


def back(payment: Outcome, amount: str | None = None) -> RefundPayment:
    return RefundPayment(
        payment_id=UUID(payment.reply["id"]), amount=Decimal(amount) if amount else None, reason="un geste"
    )


async def test_money_on_account_waits_for_an_invoice(stage: Stage) -> None:
    await stage.knows(client())
    outcome = await stage.when(on_account("100.00", reference="VIR 7"), by=world.marie)
    credit = outcome.only(CreditReceived).state
    assert (credit.client_id, credit.origin, credit.amount, credit.remaining) == (
        world.lea.id,
        "on_account",
        Decimal("100.00"),
        Decimal("100.00"),
    )
    assert await ledger(stage) == [("received", Decimal("100.00"))]


async def test_credit_pays_an_invoice_up_to_its_balance_and_moves_no_money(stage: Stage) -> None:
    credit = await given_credit(stage, "150.00")
    await stage.given(invoice("issued"))
    outcome = await stage.when(UseCredit(client_credit_id=credit, invoice_id=INVOICE), by=world.marie)
    used, recorded, settled = outcome.events
    assert isinstance(used, CreditUsed)
    assert isinstance(recorded, PaymentRecorded)
    assert isinstance(settled, InvoicePaid)
    assert (used.amount, used.state.remaining) == (Decimal("101.88"), Decimal("48.12"))
    assert (recorded.state.client_credit_id, recorded.balance) == (credit, Decimal("0.00"))
    assert await paid(stage) == ("paid", Decimal("101.88"))
    assert await ledger(stage) == [("received", Decimal("150.00"))]


@pytest.mark.parametrize(
    ("asked", "field"), [("100.01", "amount"), ("150.00", "amount"), ("30.001", "amount")]
)
async def test_credit_is_used_as_far_as_it_goes(stage: Stage, asked: str, field: str) -> None:
    credit = await given_credit(stage, "100.00")
    await stage.given(invoice("issued"))
    message = UseCredit(client_credit_id=credit, invoice_id=INVOICE, amount=Decimal(asked))
    outcome = await stage.when(message, by=world.marie)
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    assert [wrong.field for wrong in outcome.problem.errors or []] == [field]
    assert await paid(stage) == ("issued", Decimal("0.00"))


async def test_credit_pays_nobody_elses_invoice(stage: Stage) -> None:
    credit = await given_credit(stage, "100.00")
    await stage.given(invoice("issued", client_id=world.paul.id))
    message = UseCredit(client_credit_id=credit, invoice_id=INVOICE)
    assert refusal(await stage.when(message, by=world.marie)) == (409, "of_another_client")


async def test_what_was_too_much_pays_another_invoice_and_the_rest_is_paid_back(stage: Stage) -> None:
    await stage.given(invoice("issued"), invoice("issued", number=2, id=OTHER))
    credit = (await stage.when(pay("220.00"), by=world.marie)).events[-1].state
    assert credit.remaining == Decimal("118.12")
    await stage.when(UseCredit(client_credit_id=credit.id, invoice_id=OTHER), by=world.marie)
    assert await paid(stage, OTHER) == ("paid", Decimal("101.88"))
    outcome = await stage.when(RefundCredit(client_credit_id=credit.id, reason="trop-perçu"), by=world.marie)
    told = outcome.only(CreditRefunded)
    assert (told.amount, told.state.remaining, told.state.refunded) == (
        Decimal("16.24"),
        Decimal("0.00"),
        Decimal("16.24"),
    )
    assert await ledger(stage) == [("received", Decimal("220.00")), ("refunded", Decimal("-16.24"))]
    again = RefundCredit(client_credit_id=credit.id, reason="encore")
    assert refusal(await stage.when(again, by=world.marie)) == (422, "invalid")


async def test_a_refund_opens_the_balance_again_and_is_a_contrary_entry(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    payment = await stage.when(pay("101.88"), by=world.marie)
    refunded, told = (await stage.when(back(payment, "20.00"), by=world.marie)).events
    assert isinstance(refunded, PaymentRefunded)
    assert type(told) is InvoiceChanged
    assert (refunded.state.status, refunded.state.refunded, refunded.amount) == (
        "partly_refunded",
        Decimal("20.00"),
        Decimal("20.00"),
    )
    assert (told.state.status, told.state.balance) == ("partly_paid", Decimal("20.00"))
    await stage.when(back(payment), by=world.alex)
    assert await paid(stage) == ("issued", Decimal("0.00"))
    assert await ledger(stage) == [
        ("received", Decimal("101.88")),
        ("refunded", Decimal("-20.00")),
        ("refunded", Decimal("-81.88")),
    ]
    assert refusal(await stage.when(back(payment), by=world.marie)) == (409, "illegal_move")


async def test_no_more_is_paid_back_than_counts_for_the_invoice(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    payment = await stage.when(pay("150.00"), by=world.marie)
    assert refusal(await stage.when(back(payment, "101.89"), by=world.marie)) == (422, "invalid")
    await stage.when(back(payment, "101.88"), by=world.marie)
    assert await paid(stage) == ("issued", Decimal("0.00"))


async def test_cash_is_refused_where_the_debt_is_above_the_limit(stage: Stage) -> None:
    large = line(unit_price=Decimal("833.34"))  # 1,000.01 with VAT
    await stage.given(invoice("issued", large), invoice("issued", number=2, id=OTHER))
    assert refusal(await stage.when(pay("10.00", "cash"), by=world.marie)) == (409, "cash_refused")
    assert (await stage.when(pay("10.00", "card"), by=world.marie)).problem is None
    assert (await stage.when(pay("10.00", "cash", OTHER), by=world.marie)).problem is None


async def test_a_debt_of_exactly_the_limit_may_be_paid_in_cash(stage: Stage) -> None:
    await stage.given(invoice("issued", line(unit_price=Decimal("833.33"))))  # 1,000.00 with VAT
    assert (await stage.when(pay("1000.00", "cash"), by=world.marie)).problem is None


async def test_no_more_than_the_limit_is_taken_in_cash_for_a_small_debt(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    assert refusal(await stage.when(pay("1000.01", "cash"), by=world.marie)) == (409, "cash_refused")
    assert (await stage.when(pay("1000.00", "cash"), by=world.marie)).problem is None


async def test_cash_beyond_an_invoice_counts_as_cash_on_account(stage: Stage) -> None:
    await stage.knows(client())
    await stage.given(invoice("issued"))
    await stage.when(pay("701.88", "cash"), by=world.marie)
    assert refusal(await stage.when(on_account("400.01", "cash"), by=world.marie)) == (409, "cash_refused")
    assert (await stage.when(on_account("400.00", "cash"), by=world.marie)).problem is None


async def test_cash_on_account_stays_within_the_limit_in_all(stage: Stage) -> None:
    await given_credit(stage, "600.00", "cash")
    assert refusal(await stage.when(on_account("400.01", "cash"), by=world.marie)) == (409, "cash_refused")
    assert (await stage.when(on_account("400.00", "cash"), by=world.marie)).problem is None


async def test_cash_on_account_pays_no_part_of_a_larger_debt(stage: Stage) -> None:
    credit = await given_credit(stage, "600.00", "cash")
    await stage.given(invoice("issued", line(unit_price=Decimal("2000.00"))))
    message = UseCredit(client_credit_id=credit, invoice_id=INVOICE)
    assert refusal(await stage.when(message, by=world.marie)) == (409, "cash_refused")


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=["client", "technician"])
async def test_only_managers_move_money(stage: Stage, who: Actor) -> None:
    await stage.given(invoice("issued"))
    payment = await stage.when(pay("50.00"), by=world.marie)
    credit = await given_credit(stage, "10.00")
    for message in (
        back(payment),
        on_account("1.00"),
        UseCredit(client_credit_id=credit, invoice_id=INVOICE),
        RefundCredit(client_credit_id=credit, reason="non"),
    ):
        assert refusal(await stage.when(message, by=who)) == (403, "not_allowed")


async def test_the_database_keeps_every_entry(stage: Stage) -> None:
    await given_credit(stage, "10.00")
    for statement in ("UPDATE ledger_entry SET amount = 1", "DELETE FROM ledger_entry"):
        with pytest.raises(Exception, match="never changed or removed"):
            await stage.database.pool.execute(statement)
