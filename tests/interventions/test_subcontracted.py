"""The taker owes the VAT of building work only where it is a business with its number."""

from typing import Any

import pytest
import world
from given_billing import CERTIFIED, INVOICE, client, home, invoice, issue, line
from given_estimates import billed, refusal, write, wrong_fields
from given_interventions import VISIT

from sav_chassis.testing import Stage
from sav_contracts.interventions.deposit import DraftDeposit
from sav_contracts.interventions.estimate import EstimateWritten
from sav_contracts.interventions.invoice import ChangeInvoice, InvoiceChanged, InvoiceIssued
from sav_contracts.interventions.line import SupplyGiven, Works

SUBCONTRACTED = SupplyGiven(subcontracted=True)
BUSINESS: dict[str, Any] = {"buyer_kind": "business"}


def change(**said: Any) -> ChangeInvoice:
    return ChangeInvoice(invoice_id=INVOICE, **said)


async def given(stage: Stage) -> None:
    await stage.given(invoice("draft", line(None), supply=CERTIFIED))


async def test_a_private_person_never_owes_the_vat(stage: Stage) -> None:
    await given(stage)
    outcome = await stage.when(change(supply=SUBCONTRACTED), by=world.marie)
    assert wrong_fields(outcome) == ["supply.subcontracted"]


@pytest.mark.parametrize("works", ["sale", "diagnosis"])
async def test_nobody_owes_that_of_a_sale_or_a_diagnosis(stage: Stage, works: Works) -> None:
    await given(stage)
    said = SupplyGiven(subcontracted=True, works=works)
    outcome = await stage.when(change(supply=said, **BUSINESS), by=world.marie)
    assert wrong_fields(outcome) == ["supply.subcontracted"]


@pytest.mark.parametrize("works", ["repair", "maintenance", "improvement"])
async def test_a_business_owes_that_of_building_work_and_is_named_by_its_number(
    stage: Stage, works: Works
) -> None:
    await given(stage)
    said = change(supply=SupplyGiven(subcontracted=True, works=works), buyer_siren="732829320")
    draft = (await stage.when(said, by=world.marie)).only(InvoiceChanged).state
    assert draft.lacks == ["tax_number"]
    assert refusal(await stage.when(issue, by=world.marie)) == (409, "tax_number_missing")
    named = (await stage.when(change(buyer_tax_number="FR44732829320"), by=world.marie)).only(InvoiceChanged)
    assert named.state.lacks == []
    its = (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state
    [total] = its.vat
    assert (int(total.rate), "Autoliquidation" in str(total.mention)) == (0, True)


async def test_a_business_that_turns_out_to_be_a_person_is_not_subcontracted_for(stage: Stage) -> None:
    await given(stage)
    await stage.when(change(supply=SUBCONTRACTED, buyer_tax_number="FR44732829320"), by=world.marie)
    private = {"buyer_kind": "private"}
    assert wrong_fields(await stage.when(change(**private), by=world.marie)) == ["supply.subcontracted"]
    both = change(supply=SupplyGiven(subcontracted=False), **private)
    [total] = (await stage.when(both, by=world.marie)).only(InvoiceChanged).state.vat
    assert total.rate == 10


async def test_estimates_and_deposits_keep_to_it_too(stage: Stage) -> None:
    await stage.knows(client(), home(older=True))
    await stage.given(billed("planned"))
    estimate = write.model_copy(update={"supply": SUBCONTRACTED})
    deposit = DraftDeposit(intervention_id=VISIT, percent=30, lines=[line()], supply=SUBCONTRACTED)
    for command in (estimate, deposit):
        assert wrong_fields(await stage.when(command, by=world.marie)) == ["supply.subcontracted"]
    for_business = estimate.model_copy(update=BUSINESS)
    written = (await stage.when(for_business, by=world.marie)).only(EstimateWritten).state
    assert "tax_number" in written.lacks
    assert [int(one.rate) for one in written.vat] == [0]
