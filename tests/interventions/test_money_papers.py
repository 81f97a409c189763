"""Papers of what was really issued: a deposit, the final invoice that deducts it, and what corrects it."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from electronic_invoices import EUROPEAN, FRENCH, broken_rules, read_by_another
from given_billing import CERTIFIED, INVOICE, client, invoice, issue, line
from given_interventions import VISIT, visit
from papers import attached, check_archivable, text_of

from sav_chassis.files import Files
from sav_chassis.law.jurisdiction import jurisdiction
from sav_chassis.testing import Stage
from sav_contracts.files import StoredFile
from sav_contracts.interventions.credit_note import (
    CreditGiven,
    CreditInvoice,
    CreditNoteChanged,
    CreditNoteView,
)
from sav_contracts.interventions.invoice import Buyer, InvoiceView
from sav_contracts.interventions.line import Discount
from sav_interventions.deposits import deposit_lines

DEPOSIT = UUID(int=701)
BOILER = [line(description="Chaudière gaz", unit_price=Decimal(2000)), line(unit_price=Decimal(62))]
BUSINESS = Buyer(
    name="Boulangerie Roux SARL", address="8 place Bellecour, 69002 Lyon", kind="business", siren="552100554"
)


async def kept(stage: Stage, document: StoredFile | None) -> bytes:
    assert document
    pdf = await Files(stage.settings.files_url).get(document)
    check_archivable(pdf)
    return pdf


async def credited(stage: Stage, *lines: CreditGiven) -> tuple[CreditNoteView, bytes]:
    """A credit note of the invoice, with its paper."""
    outcome = await stage.when(
        CreditInvoice(invoice_id=INVOICE, lines=list(lines) or None, reason="Pièce reprise."), by=world.marie
    )
    assert outcome.problem is None, outcome.problem
    note = (await stage.runs_effects()).only(CreditNoteChanged).state
    return note, await kept(stage, note.document)


async def test_a_deposit_and_its_final_invoice_are_two_papers_that_fit(stage: Stage) -> None:
    await stage.knows(client())
    await stage.given(visit("planned", purpose="repair", overdue=False, assignment=1))
    agreed = invoice("draft", *BOILER).vat
    lines = deposit_lines(agreed, 30, "EUR", "fr")
    usual: dict[str, Any] = {"id": DEPOSIT, "deposit": True, "intervention_id": VISIT}
    await stage.given(invoice("issued", *lines, number=5, **usual))
    await stage.given(invoice("draft", *BOILER, number=6, intervention_id=VISIT))
    assert (await stage.when(issue, by=world.marie)).problem is None
    told = [event.state for event in (await stage.runs_effects()).events]
    [final] = [state for state in told if isinstance(state, InvoiceView) and state.id == INVOICE]
    pdf = await kept(stage, final.document)
    assert "Acompte FAC-2026-000005 du 11 mars 2026 -742,32 €" in text_of(pdf)
    assert "Reste à payer 1 732,08 €" in text_of(pdf)
    assert broken_rules(attached(pdf), EUROPEAN) == []
    sums = read_by_another(attached(pdf)).trade.settlement.monetary_summation
    assert (sums.prepaid_total._value, sums.due_amount._value) == (Decimal("742.32"), Decimal("1732.08"))


@pytest.mark.parametrize("business", [False, True])
async def test_a_credit_note_is_an_e_invoice_too(stage: Stage, business: bool) -> None:
    await stage.knows(client())
    off = Discount(label="Remise", percent=Decimal(5))
    lines = [line("intermediate", unit_price=Decimal("48.90")), line()]
    law = jurisdiction("FR")
    there = CERTIFIED.model_copy(update={"address": "3 rue des Lilas, 69003 Lyon"})
    given = invoice("issued", *lines, discount=off, supply=there)
    if business:
        given.buyer = BUSINESS
        given.mentions = law.mentions_on(given.seller, BUSINESS, "both")
    await stage.given(given)
    note, pdf = await credited(stage, CreditGiven(line=1))
    assert note.total == Decimal("51.10")
    said = text_of(pdf)
    for words in (f"Avoir {note.number}", "FAC-2026-000001 du 11 mars 2026", "Pièce reprise.", "51,10 €"):
        assert words in said, words
    assert broken_rules(attached(pdf), *((EUROPEAN, FRENCH) if business else (EUROPEAN,))) == []
    # To a business, what corrects an invoice says what was sold, and where, as that did.
    for words in ("Lieu de livraison 3 rue des Lilas 69003 Lyon", law.nature_mentions["both"]):
        assert (words in said) == business, words
    read = read_by_another(attached(pdf))
    assert str(read.header.type_code) == "381"
    assert read.header.issue_date_time._value == note.issued_on
    _, rest = await credited(stage)
    assert broken_rules(attached(rest)) == []


async def test_what_a_business_is_sent_keeps_the_french_rules(stage: Stage) -> None:
    await stage.knows(client())
    await stage.given(invoice("draft", buyer=BUSINESS, supplied_on=date(2026, 3, 3)))
    outcome = await stage.when(issue, by=world.marie)
    assert outcome.problem is None, outcome.problem
    [told] = [event.state for event in (await stage.runs_effects()).events]
    assert isinstance(told, InvoiceView)
    assert broken_rules(attached(await kept(stage, told.document)), EUROPEAN, FRENCH) == []
