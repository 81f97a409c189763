"""Cash is refused for any part of a debt above the limit; all of one contract is one debt (CMF L112-6, D112-3)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, client, home, invoice, line
from given_estimates import billed, estimate, right
from given_interventions import VISIT
from given_payments import pay, refusal

from sav_chassis.testing import Stage
from sav_contracts.interventions.client_credit import RecordOnAccount, UseCredit
from sav_contracts.interventions.deposit import DraftDeposit
from sav_contracts.interventions.estimate import Acceptance
from sav_contracts.interventions.invoice import Buyer
from sav_interventions.cash import cash_limit
from sav_interventions.model import Estimate, Invoice

REFUSED = (409, "cash_refused")
OTHER, NEXT = UUID(int=701), UUID(int=702)
SIX_HUNDRED = line(unit_price=Decimal("500.00"))  # 600.00 with VAT
NOW = datetime.now(UTC)


def contract(net: str, **fields: Any) -> Estimate:
    """An urgent repair, accepted two days ago, so that it may be paid at once."""
    usual: dict[str, Any] = {
        "withdrawal": right(urgency="fuite"),
        "accepted": Acceptance(at=NOW - timedelta(days=2), how="site"),
        "lines": [line(unit_price=Decimal(net))],
    }
    return estimate("accepted", **(usual | fields))


def of(visit: UUID, *, number: int = 1, id: UUID = INVOICE, **fields: Any) -> Invoice:
    """An invoice of 600.00 for a visit."""
    return invoice("issued", SIX_HUNDRED, number=number, id=id, intervention_id=visit, **fields)


async def given(stage: Stage, *records: Any) -> None:
    await stage.knows(client(), home(older=True))
    await stage.given(*records)


async def test_the_debt_of_a_deposit_is_what_was_agreed(stage: Stage) -> None:
    await given(stage, billed("planned"), contract("1000.00"), of(VISIT, deposit=True))
    assert refusal(await stage.when(pay("10.00", "cash"), by=world.marie)) == REFUSED
    assert (await stage.when(pay("10.00", "card"), by=world.marie)).problem is None


async def test_a_deposit_of_a_small_debt_is_paid_in_cash(stage: Stage) -> None:
    await given(stage, billed("planned"), contract("800.00"), of(VISIT, deposit=True))
    assert (await stage.when(pay("10.00", "cash"), by=world.marie)).problem is None


async def test_a_deposit_without_an_estimate_knows_the_price_that_it_is_a_part_of(stage: Stage) -> None:
    await given(stage, billed("planned"))
    lines = [line(unit_price=Decimal("2000.00"))]
    drafted = await stage.when(DraftDeposit(intervention_id=VISIT, percent=10, lines=lines), by=world.marie)
    id = UUID(drafted.reply["id"])
    await stage.database.pool.execute(
        "UPDATE invoice SET status = 'issued', number = 'FAC-2026-000009', due_on = now() WHERE id = $1", id
    )
    assert refusal(await stage.when(pay("10.00", "cash", id), by=world.marie)) == REFUSED


async def test_invoices_of_one_contract_are_one_debt(stage: Stage) -> None:
    first = billed("completed", done_at=NOW - timedelta(days=1))
    second = billed("completed", id=NEXT, done_at=NOW - timedelta(hours=1))
    await given(stage, first, second, contract("500.00"), of(VISIT), of(NEXT, number=2, id=OTHER))
    for invoice_id in (INVOICE, OTHER):
        outcome = await stage.when(pay("10.00", "cash", invoice_id), by=world.marie)
        assert refusal(outcome) == REFUSED


async def test_invoices_of_two_contracts_of_a_case_are_two_debts(stage: Stage) -> None:
    first = billed("completed", done_at=NOW - timedelta(days=1))
    second = billed("completed", id=NEXT, done_at=NOW - timedelta(minutes=1))
    later = contract(
        "500.00",
        id=UUID(int=801),
        reference="DEV-2026-000002",
        intervention_id=NEXT,
        answer_grant=None,
        accepted=Acceptance(at=NOW - timedelta(hours=1), how="site"),
    )
    both = of(VISIT), of(NEXT, number=2, id=OTHER)
    await given(stage, first, second, contract("500.00"), later, *both)
    for invoice_id in (INVOICE, OTHER):
        assert (await stage.when(pay("10.00", "cash", invoice_id), by=world.marie)).problem is None


async def test_what_was_agreed_counts_only_until_all_is_invoiced(stage: Stage) -> None:
    done = billed("completed", done_at=NOW - timedelta(days=1))
    await given(stage, done, contract("1000.00"), of(VISIT))
    assert (await stage.when(pay("10.00", "cash"), by=world.marie)).problem is None


async def test_a_deposit_that_was_deducted_is_a_part_of_the_final_invoice(stage: Stage) -> None:
    done = billed("completed", done_at=NOW - timedelta(days=1))
    await given(stage, done, contract("500.00"), of(VISIT))
    await stage.given(of(VISIT, number=2, id=OTHER, deposit=True, deducted_in=INVOICE))
    for invoice_id in (INVOICE, OTHER):
        assert (await stage.when(pay("10.00", "cash", invoice_id), by=world.marie)).problem is None


async def test_money_on_account_is_for_what_was_agreed(stage: Stage) -> None:
    await given(stage, billed("planned"), contract("1000.00"))
    cash = RecordOnAccount(client_id=world.lea.id, method="cash", amount=Decimal("10.00"))
    assert refusal(await stage.when(cash, by=world.marie)) == REFUSED
    transfer = cash.model_copy(update={"method": "transfer"})
    assert (await stage.when(transfer, by=world.marie)).problem is None


async def test_it_is_so_while_the_work_goes_on(stage: Stage) -> None:
    left = billed("incomplete", done_at=NOW - timedelta(days=1))
    await given(stage, left, contract("1000.00"), of(VISIT))
    cash = RecordOnAccount(client_id=world.lea.id, method="cash", amount=Decimal("10.00"))
    assert refusal(await stage.when(cash, by=world.marie)) == REFUSED


async def test_cash_beyond_small_invoices_adds_up(stage: Stage) -> None:
    await given(stage, invoice("issued"))
    assert (await stage.when(pay("1000.00", "cash"), by=world.marie)).problem is None
    # 898.12 of it is kept; the invoice is paid.
    assert refusal(await stage.when(pay("101.89", "cash"), by=world.marie)) == REFUSED
    assert (await stage.when(pay("101.88", "cash"), by=world.marie)).problem is None


async def test_cash_beyond_an_invoice_is_for_what_was_agreed(stage: Stage) -> None:
    other = invoice("issued", reclamation_id=None, reclamation_reference=None)
    await given(stage, billed("planned"), contract("1000.00"), other)
    assert refusal(await stage.when(pay("101.89", "cash"), by=world.marie)) == REFUSED
    assert (await stage.when(pay("101.88", "cash"), by=world.marie)).problem is None


@pytest.mark.parametrize(
    ("net", "kind", "proved", "refused"),
    [
        ("8333.33", "private", True, False),  # 10,000.00 with VAT
        ("8333.34", "private", True, True),
        ("1000.00", "private", False, True),
        ("1000.00", "business", True, True),
    ],
)
async def test_a_private_payer_with_a_tax_home_abroad_has_a_limit_of_their_own(
    stage: Stage, net: str, kind: Any, proved: bool, refused: bool
) -> None:
    buyer = Buyer(name="Léa Martin", address="Rue Neuve 1, Bruxelles", kind=kind)
    await given(stage, invoice("issued", line(unit_price=Decimal(net)), buyer=buyer))
    message = pay("10.00", "cash", payer_proved_tax_home_abroad=proved)
    outcome = await stage.when(message, by=world.marie)
    assert (outcome.problem.code if outcome.problem else None) == ("cash_refused" if refused else None)


@pytest.mark.parametrize(("proved", "code"), [(True, None), (False, "cash_refused")])
async def test_what_such_a_payer_paid_on_account_may_be_used_as_it_was_taken(
    stage: Stage, proved: bool, code: str | None
) -> None:
    await given(stage, invoice("issued", line(unit_price=Decimal("1500.00"))))
    taken = RecordOnAccount(
        client_id=world.lea.id, method="cash", amount=Decimal("1500.00"), payer_proved_tax_home_abroad=True
    )
    credit = UUID((await stage.when(taken, by=world.marie)).reply["id"])
    use = UseCredit(client_credit_id=credit, invoice_id=INVOICE, payer_proved_tax_home_abroad=proved)
    outcome = await stage.when(use, by=world.marie)
    assert (outcome.problem.code if outcome.problem else None) == code


def test_the_limits_are_dated() -> None:
    assert cash_limit(date(2026, 11, 30)) == Decimal(1000)
    assert cash_limit(date(2018, 9, 30), "private_abroad") == Decimal(15000)
    assert cash_limit(date(2018, 10, 1), "private_abroad") == Decimal(10000)
    assert cash_limit(date(2010, 1, 1)) is None
