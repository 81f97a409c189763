"""A visit is billed anew after its invoice was credited as a whole, or its draft discarded; never twice at once."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, client, closed, home, invoice, line
from given_estimates import estimate, event_of, refusal
from given_interventions import COVERED, UNKNOWN, VISIT, valve

from sav_chassis.testing import Outcome, Stage
from sav_chassis.written import day
from sav_contracts.interventions.credit_note import CreditGiven, CreditInvoice, CreditNoteIssued
from sav_contracts.interventions.estimate import Acceptance
from sav_contracts.interventions.invoice import (
    BillVisit,
    ChangeInvoice,
    DiscardInvoice,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceView,
    IssueInvoice,
)

again = BillVisit(intervention_id=VISIT)
OF_VISIT: dict[str, Any] = {"intervention_id": VISIT}


async def visited(stage: Stage, **fields: Any) -> None:
    await stage.knows(client(), home(older=True), valve())
    await stage.given(closed(**fields))


async def credited(stage: Stage, id: UUID = INVOICE) -> CreditNoteIssued:
    return event_of(
        await stage.when(CreditInvoice(invoice_id=id, reason="mauvais acheteur"), by=world.marie),
        CreditNoteIssued,
    )


async def issues(stage: Stage, draft: InvoiceView) -> InvoiceIssued:
    why = ChangeInvoice(invoice_id=draft.id, above_estimate="Convenu au téléphone.")
    assert (await stage.when(why, by=world.marie)).problem is None
    return event_of(await stage.when(IssueInvoice(invoice_id=draft.id), by=world.marie), InvoiceIssued)


def drafted(outcome: Outcome) -> InvoiceView:
    return outcome.only(InvoiceDrafted).state


async def test_after_a_whole_credit_note_the_visit_is_billed_anew_and_names_what_it_replaces(
    stage: Stage,
) -> None:
    await visited(stage)
    await stage.given(invoice("issued", number=5, **OF_VISIT))
    note = (await credited(stage)).state
    draft = drafted(await stage.when(again, by=world.marie))
    assert (draft.intervention_id, draft.status, draft.net) == (VISIT, "draft", Decimal("189.15"))
    issued = await issues(stage, draft)
    on = day(note.invoice_issued_on, "fr")
    said = f"Remplace la facture FAC-2026-000005 du {on}, annulée par l’avoir {note.number}."
    assert [one for one in issued.state.mentions if "Remplace" in one] == [said]


async def test_the_third_names_the_second(stage: Stage) -> None:
    await visited(stage)
    await stage.given(invoice("issued", number=5, **OF_VISIT))
    await credited(stage)
    second = drafted(await stage.when(again, by=world.marie))
    issued = await issues(stage, second)
    await credited(stage, second.id)
    third = drafted(await stage.when(again, by=world.marie))
    last = await issues(stage, third)
    [named] = [one for one in last.state.mentions if one.startswith("Remplace")]
    assert f" {issued.state.number} " in named


async def test_an_invoice_that_replaces_none_names_none(stage: Stage) -> None:
    await visited(stage)
    # A credited deposit is none that it takes the place of.
    await stage.given(invoice("issued", number=5, deposit=True, **OF_VISIT))
    await credited(stage)
    draft = drafted(await stage.when(again, by=world.marie))
    issued = await issues(stage, draft)
    assert not [one for one in issued.state.mentions if one.startswith("Remplace")]


async def test_a_discarded_draft_is_made_anew(stage: Stage) -> None:
    await visited(stage)
    first = drafted(await stage.when(again, by=world.marie))
    await stage.when(DiscardInvoice(invoice_id=first.id, reason="par erreur"), by=world.marie)
    assert drafted(await stage.when(again, by=world.alex)).id != first.id


@pytest.mark.parametrize("status", ["draft", "issued", "partly_paid", "paid"])
async def test_a_visit_has_one_invoice_at_a_time(stage: Stage, status: str) -> None:
    await visited(stage)
    await stage.given(invoice(status, **OF_VISIT))
    assert refusal(await stage.when(again, by=world.marie)) == (409, "invoice_stands")


async def test_one_of_which_a_part_was_credited_stands(stage: Stage) -> None:
    await visited(stage)
    await stage.given(invoice("issued", line(), line("intermediate"), **OF_VISIT))
    part = CreditInvoice(invoice_id=INVOICE, lines=[CreditGiven(line=1)], reason="geste")
    await stage.when(part, by=world.marie)
    assert refusal(await stage.when(again, by=world.marie)) == (409, "invoice_stands")


async def test_of_many_at_once_one_drafts_it(stage: Stage) -> None:
    await visited(stage)
    outcomes = await asyncio.gather(*(stage.when(again, by=world.marie, seconds=30) for _ in range(8)))
    done = [one for one in outcomes if one.problem is None]
    assert len(done) == 1
    assert {one.problem.code for one in outcomes if one.problem} == {"invoice_stands"}
    assert await stage.database.pool.fetchval("SELECT count(*) FROM invoice") == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"closed_at": None}, "its report is not validated yet"),
        ({"work": None}, "no work was recorded"),
        ({"warranty": UNKNOWN}, "decide first who pays"),
        ({"warranty": COVERED}, "a warranty pays everything"),
    ],
)
async def test_what_is_not_to_be_billed_is_refused_with_the_reason(
    stage: Stage, fields: dict[str, Any], why: str
) -> None:
    await visited(stage, **fields)
    outcome = await stage.when(again, by=world.marie)
    assert refusal(outcome) == (409, "nothing_to_bill")
    assert outcome.problem
    assert why in (outcome.problem.detail or "")


async def test_who_withdrew_is_not_billed_by_hand_either(stage: Stage) -> None:
    done = closed().done_at
    assert done
    said = Acceptance(at=done - timedelta(hours=2), how="site")
    await visited(stage)
    await stage.given(estimate("withdrawn", accepted=said, withdrawn_at=stage.now() + timedelta(minutes=1)))
    assert refusal(await stage.when(again, by=world.marie)) == (409, "nothing_to_bill")


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=["client", "technician"])
async def test_only_managers_bill(stage: Stage, who: Any) -> None:
    await visited(stage)
    assert refusal(await stage.when(again, by=who)) == (403, "not_allowed")
