"""Invoices that the law forbids: each is refused with its reason, or comes out right all the same."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import CERTIFIED, INVOICE, client, home, invoice, issue, line
from given_interventions import PRODUCT, VISIT, visit
from given_payments import refusal
from pydantic import ValidationError

from sav_chassis.testing import Stage
from sav_contracts.interventions.credit_note import CreditInvoice
from sav_contracts.interventions.deposit import DraftDeposit
from sav_contracts.interventions.invoice import (
    Buyer,
    ChangeInvoice,
    InvoiceChanged,
    InvoiceIssued,
    InvoiceView,
)
from sav_contracts.interventions.line import Supply
from sav_interventions.deposits import deposit_lines

D = Decimal
PLAIN = {"kind": "part", "description": "Vanne", "unit": "piece", "unit_price": "84.90", "quantity": "1"}


def change(**fields: Any) -> ChangeInvoice:
    return ChangeInvoice.model_validate({"invoice_id": INVOICE} | fields)


async def issued(stage: Stage) -> InvoiceView:
    return (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"lines": []}, ("lines",)),
        ({"lines": [PLAIN | {"quantity": "0"}]}, ("lines", 0, "quantity")),
        ({"lines": [PLAIN | {"quantity": "-1"}]}, ("lines", 0, "quantity")),
        ({"lines": [PLAIN | {"unit_price": "-0.01"}]}, ("lines", 0, "unit_price")),
        ({"lines": [PLAIN | {"covered": 101}]}, ("lines", 0, "covered")),
        ({"lines": [PLAIN | {"discount": "100.01"}]}, ("lines", 0, "discount")),
        ({"lines": [PLAIN | {"discount": "-1"}]}, ("lines", 0, "discount")),
        ({"lines": [PLAIN | {"vat_class": "exempt"}]}, ("lines", 0, "vat_class")),
        ({"discount": {"label": "Remise", "percent": "100.01"}}, ("discount", "percent")),
        ({"discount": {"label": "Remise", "amount": "-1.00"}}, ("discount", "amount")),
        ({"discount": {"label": "Remise"}}, ("discount",)),
        ({"buyer_address": "  "}, ("buyer_address",)),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_cannot_stand_on_an_invoice_is_refused_with_its_field(
    fields: dict[str, Any], where: tuple[str | int, ...]
) -> None:
    with pytest.raises(ValidationError) as refused:
        change(**fields)
    assert where in [error["loc"][: len(where)] for error in refused.value.errors()]


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        ({"buyer": Buyer(name="Léa", address=None)}, "buyer_incomplete"),
        ({"supply": Supply(on=CERTIFIED.on)}, "supply_unknown"),
        ({"supply": CERTIFIED.model_copy(update={"country": "BE"})}, "supplied_abroad"),
    ],
    ids=["no address", "no place", "abroad"],
)
async def test_without_what_the_law_asks_for_it_is_not_issued(
    stage: Stage, draft: dict[str, Any], code: str
) -> None:
    # What is known of its supply is written by a command, so that what it lacks is said.
    await stage.given(invoice("draft", **draft))
    told = (await stage.when(change(buyer_name="Léa Martin"), by=world.marie)).only(InvoiceChanged).state
    assert told.lacks
    assert refusal(await stage.when(issue, by=world.marie)) == (409, code)


@pytest.mark.parametrize("off", [{"percent": "100"}, {"amount": "84.90"}], ids=["percent", "amount"])
async def test_an_invoice_of_nothing_is_not_issued(stage: Stage, off: dict[str, str]) -> None:
    await stage.given(invoice())
    assert (await stage.when(change(discount={"label": "Geste"} | off), by=world.marie)).problem is None
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "nothing_to_pay")


@pytest.mark.parametrize("first", [True, False], ids=["then the lines", "then the discount"])
async def test_no_more_is_taken_off_than_the_lines_amount_to(stage: Stage, first: bool) -> None:
    await stage.given(invoice())
    off, less = (
        change(discount={"label": "Geste", "amount": "84.90"}),
        change(lines=[PLAIN | {"unit_price": "80.00"}]),
    )
    asked = (off, less) if first else (less, off)
    assert (await stage.when(asked[0], by=world.marie)).problem is None
    assert refusal(await stage.when(asked[1], by=world.marie)) == (422, "invalid")


@pytest.mark.parametrize(
    ("supply", "rate"),
    [
        ({}, "10"),
        ({"certified": False}, "20"),
        ({"older_dwelling": False}, "20"),
        ({"works": "sale"}, "20"),
        ({"fossil_heating": True}, "20"),
        ({"postcode": "97400", "certified": False}, "8.5"),
    ],
    ids=str,
)
async def test_nobody_issues_a_lower_rate_than_the_law_allows(
    stage: Stage, supply: dict[str, Any], rate: str
) -> None:
    """A class that is asked for where it is not allowed gives the usual one: ADR 55."""
    await stage.given(invoice(supply=CERTIFIED.model_copy(update=supply)))
    asked = change(lines=[PLAIN | {"vat_class": "intermediate"}])
    assert (await stage.when(asked, by=world.marie)).problem is None
    its = await issued(stage)
    assert [total.rate for total in its.vat] == [D(rate)]


async def test_at_one_rate_overseas_the_whole_is_rounded_once(stage: Stage) -> None:
    there = CERTIFIED.model_copy(update={"postcode": "97400", "works": "install", "energy_saving": True})
    await stage.given(invoice(supply=there))
    lines = [PLAIN | {"vat_class": one, "unit_price": "0.24"} for one in ("intermediate", "reduced")]
    assert (await stage.when(change(lines=lines), by=world.marie)).problem is None
    its = await issued(stage)
    # 2.1 % of 0.48 is 0.01008; of each class alone it would be 0.00504, and 0.02 in all.
    assert [(total.rate, total.base, total.vat) for total in its.vat] == [(D("2.1"), D("0.48"), D("0.01"))]
    whole = CreditInvoice(invoice_id=INVOICE, reason="annulation")
    note = (await stage.when(whole, by=world.marie)).events[0].state
    assert (note.vat, note.total) == (its.vat, its.total)


@pytest.mark.parametrize("percent", [0, 101, -30])
def test_a_deposit_is_a_part_of_the_price(percent: int) -> None:
    with pytest.raises(ValidationError):
        DraftDeposit(intervention_id=VISIT, percent=percent, lines=[line()])


async def test_deposits_are_never_more_than_the_price(stage: Stage) -> None:
    await stage.knows(client(), home(older=True))
    await stage.given(visit("planned", product_id=PRODUCT, purpose="repair", overdue=False, assignment=1))
    agreed = invoice("draft").vat
    part = deposit_lines(agreed, 60, "EUR", "fr")
    await stage.given(
        *(
            invoice("issued", *part, id=UUID(int=710 + n), number=n, deposit=True, intervention_id=VISIT)
            for n in (1, 2)
        ),
        invoice(intervention_id=VISIT),
    )
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "deposits_exceed")


async def test_what_was_issued_is_issued_once_and_never_changed(stage: Stage) -> None:
    await stage.given(invoice())
    its = await issued(stage)
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "illegal_move")
    for fields in (
        {"lines": [PLAIN]},
        {"buyer_address": "ailleurs"},
        {"certified": False},
        {"discount": None},
    ):
        assert refusal(await stage.when(change(**fields), by=world.marie)) == (409, "no_draft")
    row = await stage.database.pool.fetchrow("SELECT number, hash FROM invoice")
    assert row is not None
    assert (row["number"], row["hash"]) == (its.number, its.hash)


async def test_no_more_is_credited_than_was_invoiced(stage: Stage) -> None:
    await stage.given(invoice("draft", line(), line("intermediate")))
    await issued(stage)

    def of(*lines: dict[str, Any]) -> CreditInvoice:
        return CreditInvoice.model_validate(
            {"invoice_id": INVOICE, "lines": [*lines] or None, "reason": "reprise"}
        )

    assert refusal(await stage.when(of({"line": 1, "amount": "84.91"}), by=world.marie)) == (422, "invalid")
    assert (await stage.when(of({"line": 1}), by=world.marie)).problem is None
    # A line that is credited already.
    assert refusal(await stage.when(of({"line": 1}), by=world.marie)) == (422, "invalid")
    assert refusal(await stage.when(of({"line": 1, "amount": "0.01"}), by=world.marie)) == (422, "invalid")
    assert (await stage.when(of(), by=world.marie)).problem is None
    assert refusal(await stage.when(of(), by=world.marie)) == (409, "illegal_move")
