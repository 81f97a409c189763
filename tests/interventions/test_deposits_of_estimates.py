"""Deposits of estimates: asked for once accepted, deducted once."""

import asyncio
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import world
from given_agreed import (
    BEFORE,
    DIAGNOSIS,
    D,
    agreed,
    visited,
)
from given_billing import (
    INVOICE,
    VALVE_LINE,
    client,
    home,
    invoice,
)
from given_estimates import ESTIMATE, estimate, refusal, right, wrong_fields
from given_interventions import VISIT

from sav_chassis.testing import Stage
from sav_contracts.interventions.deposit import DraftEstimateDeposit
from sav_contracts.interventions.invoice import (
    DiscardInvoice,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceView,
    IssueInvoice,
)
from sav_interventions.model import Intervention

third = DraftEstimateDeposit(estimate_id=ESTIMATE, percent=30)
# Of what was concluded at home, nothing could be asked for during seven days.
at_distance = partial(agreed, VALVE_LINE, withdrawal=right(setting="at_distance"))


async def known(stage: Stage, *records: Any) -> None:
    await stage.knows(client(), home(older=False))
    await stage.given(*records)


def working(status: Any = "planned", **fields: Any) -> Intervention:
    return visited(status, **({"work": None, "done_at": None, "closed_at": None} | fields))


async def issued(stage: Stage, id: Any) -> InvoiceView:
    outcome = await stage.when(IssueInvoice(invoice_id=id), by=world.marie)
    assert outcome.problem is None, outcome.problem
    [told] = [one for one in outcome.events if isinstance(one, InvoiceIssued)]
    return told.state


async def test_a_deposit_of_an_estimate_is_deducted_once_by_the_invoice_of_the_work(stage: Stage) -> None:
    await known(stage, working(), at_distance(), invoice("draft", intervention_id=VISIT))
    draft = (await stage.when(third, by=world.marie)).only(InvoiceDrafted).state
    assert (draft.deposit, draft.intervention_id) == (True, VISIT)
    assert (draft.net, draft.total) == (D("25.47"), D("30.56"))
    assert draft.buyer.address == "3 rue des Lilas, 69003 Lyon"
    assert draft.lacks == []
    await issued(stage, draft.id)
    final = await issued(stage, INVOICE)
    assert ([one.invoice_id for one in final.deposits], final.deducted) == ([draft.id], D("30.56"))
    assert refusal(await stage.when(third, by=world.marie)) == (409, "invoiced_already")


async def test_it_is_not_for_the_diagnosis_that_was_invoiced_before(stage: Stage) -> None:
    found_out = working("completed", id=DIAGNOSIS, purpose="diagnostic", done_at=BEFORE)
    fee = invoice("draft", intervention_id=DIAGNOSIS)
    await known(stage, found_out, working(), at_distance(intervention_id=DIAGNOSIS), fee)
    draft = (await stage.when(third, by=world.marie)).only(InvoiceDrafted).state
    await issued(stage, draft.id)
    assert (await issued(stage, INVOICE)).deposits == []
    # Nor does the invoice of the diagnosis end what may be asked for.
    assert (await stage.when(third, by=world.marie)).only(InvoiceDrafted).state.deposit
    work_done = invoice("draft", id=UUID(int=703), intervention_id=VISIT)
    await stage.given(work_done)
    assert [one.invoice_id for one in (await issued(stage, UUID(int=703))).deposits] == [draft.id]


async def test_the_deposits_of_an_estimate_are_no_more_than_it(stage: Stage) -> None:
    await known(stage, working(), at_distance())
    outcomes = await asyncio.gather(*(stage.when(third, by=world.marie, seconds=30) for _ in range(4)))
    assert sorted(one.problem.status if one.problem else 200 for one in outcomes) == [200, 200, 200, 422]
    rest = third.model_copy(update={"percent": 11})
    assert wrong_fields(await stage.when(rest, by=world.marie)) == ["percent"]
    last = third.model_copy(update={"percent": 10})
    draft = (await stage.when(last, by=world.marie)).only(InvoiceDrafted).state
    # One that is discarded asks for nothing.
    discard = DiscardInvoice(invoice_id=draft.id, reason="trop tôt")
    await stage.when(discard, by=world.marie)
    (await stage.when(last, by=world.marie)).only(InvoiceDrafted)


@pytest.mark.parametrize("status", ["draft", "sent", "refused", "expired", "superseded", "withdrawn"])
async def test_a_deposit_is_asked_for_once_the_estimate_is_accepted(stage: Stage, status: Any) -> None:
    await known(stage, working(), estimate(status))
    assert refusal(await stage.when(third, by=world.marie)) == (409, "not_accepted")


async def test_deposits_of_estimates_are_for_managers(stage: Stage) -> None:
    await known(stage, working(), agreed())
    for who in (world.lea, world.karim):
        assert refusal(await stage.when(third, by=who)) == (403, "not_allowed")
