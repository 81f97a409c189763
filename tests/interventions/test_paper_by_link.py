"""Papers by the link of a mail: only those that their client may read, and for some time."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import INVOICE, invoice
from given_estimates import ESTIMATE, estimate, link, refusal
from given_interventions import REPORT, SIGNATURE, report

from sav_chassis.model import Aggregate
from sav_chassis.testing import Stage
from sav_contracts.interventions.credit_note import CreditInvoice, CreditNoteIssued
from sav_contracts.interventions.paper import GetPaperByLink
from sav_interventions.commands.paper import LINK_HOLDS

OVER = (410, "link_expired")


def asked(stage: Stage, id: UUID, purpose: str = "paper") -> GetPaperByLink:
    return GetPaperByLink(token=link(stage, purpose, id))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (invoice("issued", document=SIGNATURE), {"kind": "invoice", "number": "FAC-2026-000001"}),
        (invoice("credited", document=SIGNATURE), {"kind": "invoice", "number": "FAC-2026-000001"}),
        (report("validated", document=SIGNATURE), {"kind": "report", "number": None}),
    ],
    ids=lambda value: getattr(value, "status", ""),
)
async def test_whoever_has_the_link_of_its_mail_reads_a_paper(
    stage: Stage, record: Aggregate[Any], expected: dict[str, Any]
) -> None:
    id = record.id
    await stage.given(record)
    read = (await stage.when(asked(stage, id))).reply
    assert read == expected | {"document": SIGNATURE.model_dump(mode="json")}
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
        # An estimate has links of its own, which answer it.
        (estimate("sent"), ESTIMATE),
    ],
    ids=lambda value: getattr(value, "status", ""),
)
async def test_what_its_client_may_not_read_no_link_shows(
    stage: Stage, record: Aggregate[Any], id: UUID
) -> None:
    await stage.given(record)
    assert refusal(await stage.when(asked(stage, id))) == OVER
