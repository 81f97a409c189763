"""Papers by the link of a mail: only those that their client may read, and for some time."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, client, invoice
from given_estimates import ESTIMATE, estimate, link, refusal
from given_interventions import PRODUCT, REPORT, SIGNATURE, VISIT, report

from sav_chassis.model import Aggregate
from sav_chassis.testing import Stage
from sav_contracts.files import StoredFile
from sav_contracts.interventions.credit_note import CreditInvoice, CreditNoteIssued
from sav_contracts.interventions.paper import GetPaperByLink, PayByLink
from sav_contracts.interventions.payment import CheckoutStarted
from sav_interventions.commands.paper import LINK_HOLDS
from sav_interventions.model import Attestation
from sav_interventions.settings import online_payments

OVER = (410, "link_expired")
ATTESTATION = UUID(int=600)


def attested(document: StoredFile | None) -> Attestation:
    on = date(2026, 3, 5)
    return Attestation(
        id=ATTESTATION,
        intervention_id=VISIT,
        product_id=PRODUCT,
        serviced_on=on,
        due_on=on + timedelta(15),
        status="made" if document else "due",
        document=document,
    )


def asked(stage: Stage, id: UUID, purpose: str = "paper") -> GetPaperByLink:
    return GetPaperByLink(token=link(stage, purpose, id))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (invoice("issued", document=SIGNATURE), {"kind": "invoice", "number": "FAC-2026-000001"}),
        (invoice("credited", document=SIGNATURE), {"kind": "invoice", "number": "FAC-2026-000001"}),
        (report("validated", document=SIGNATURE), {"kind": "report", "number": None}),
        (estimate("accepted", document=SIGNATURE), {"kind": "estimate", "number": "DEV-2026-000001"}),
        (attested(SIGNATURE), {"kind": "attestation", "number": None}),
    ],
    ids=lambda value: getattr(value, "status", ""),
)
async def test_whoever_has_the_link_of_its_mail_reads_a_paper(
    stage: Stage, record: Aggregate[Any], expected: dict[str, Any]
) -> None:
    id = record.id
    await stage.given(record)
    read = (await stage.when(asked(stage, id))).reply
    assert expected.items() <= read.items()
    assert read["document"] == SIGNATURE.model_dump(mode="json")
    for other in ("estimate", "withdraw", "feedback", "invitation"):
        assert refusal(await stage.when(asked(stage, id, other))) == OVER
    stage.ahead = LINK_HOLDS + timedelta(minutes=1)
    assert refusal(await stage.when(asked(stage, id))) == OVER


async def test_a_credit_note_is_read_before_its_paper_is_made(stage: Stage) -> None:
    await stage.given(invoice("issued"))
    note = await stage.when(CreditInvoice(invoice_id=INVOICE, reason="pièce reprise"), by=world.marie)
    id = next(event.state.id for event in note.events if isinstance(event, CreditNoteIssued))
    read = (await stage.when(asked(stage, id))).reply
    assert (read["kind"], read["number"][:4], read["document"]) == ("credit_note", "AVO-", None)


@pytest.mark.parametrize(
    ("record", "id"),
    [
        (invoice("draft"), INVOICE),
        (invoice("discarded"), INVOICE),
        (report("submitted", document=SIGNATURE), REPORT),
        (report("sent_back", document=SIGNATURE), REPORT),
        # An estimate that nobody accepted has a link of its own, which answers it.
        (estimate("sent"), ESTIMATE),
        (estimate("refused"), ESTIMATE),
        (attested(None), ATTESTATION),
    ],
    ids=lambda value: getattr(value, "status", ""),
)
async def test_what_its_client_may_not_read_no_link_shows(
    stage: Stage, record: Aggregate[Any], id: UUID
) -> None:
    await stage.given(record)
    assert refusal(await stage.when(asked(stage, id))) == OVER


def pays(stage: Stage, id: UUID = INVOICE, purpose: str = "paper") -> PayByLink:
    return PayByLink(token=link(stage, purpose, id))


async def test_whoever_has_the_link_of_an_invoice_pays_it_online(stage: Stage) -> None:
    await stage.knows(client())
    await stage.given(invoice("issued", document=SIGNATURE))
    shown = (await stage.when(asked(stage, INVOICE))).reply
    outcome = await stage.when(pays(stage))
    begun = outcome.only(CheckoutStarted).state
    assert (begun.invoice_id, str(begun.amount)) == (INVOICE, shown["to_pay"])
    assert outcome.reply["checkout_url"] == begun.checkout_url
    again = await stage.when(pays(stage))
    assert (again.events, again.reply["checkout_url"]) == ([], begun.checkout_url)


@pytest.mark.parametrize(
    ("record", "id", "purpose"),
    [
        (invoice("issued"), INVOICE, "estimate"),
        (invoice("draft"), INVOICE, "paper"),
    ],
    ids=["another link", "a draft"],
)
async def test_only_the_link_of_an_issued_invoice_begins_a_payment(
    stage: Stage, record: Aggregate[Any], id: UUID, purpose: str
) -> None:
    await stage.given(record)
    assert refusal(await stage.when(pays(stage, id, purpose))) == OVER


@pytest.mark.parametrize(
    ("record", "id"),
    [(report("validated"), REPORT), (estimate("accepted"), ESTIMATE)],
    ids=["a report", "an accepted estimate"],
)
async def test_of_another_paper_it_says_that_there_is_nothing_to_pay(
    stage: Stage, record: Aggregate[Any], id: UUID
) -> None:
    await stage.given(record)
    outcome = await stage.when(pays(stage, id))
    assert refusal(outcome) == (409, "nothing_left_to_pay")
    assert outcome.problem
    assert outcome.problem.detail == "There is nothing to pay here"


async def test_a_paid_invoice_offers_no_payment(stage: Stage) -> None:
    await stage.given(invoice("paid", document=SIGNATURE))
    assert (await stage.when(asked(stage, INVOICE))).reply["to_pay"] is None
    assert refusal(await stage.when(pays(stage))) == (409, "nothing_left_to_pay")


async def test_where_nobody_takes_payments_online_none_is_offered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online_payments(), "payment_provider", "none")
    await stage.given(invoice("issued", document=SIGNATURE))
    assert (await stage.when(asked(stage, INVOICE))).reply["to_pay"] is None
    assert refusal(await stage.when(pays(stage))) == (409, "no_payment_online")
