"""What is told of credit notes, of deposits to credit and of invoices that are not paid in time."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import world
from given_notifier import DRAFT, INVOICE, ISSUED, OF_IT, invoice, zoe
from given_views import a
from notifier_case import LEA, MANAGERS, Case

from sav_contracts.interventions.credit_note import CreditNoteIssued, CreditNoteView
from sav_contracts.interventions.dunning import InvoiceOverdue, InvoiceReminded
from sav_contracts.interventions.invoice import Buyer, DepositLeftOver, InvoiceDrafted

NOTE = UUID(int=320)
LATE: dict[str, Any] = ISSUED | {"overdue": True, "version": 3}
FIRM = Buyer(name="Syndic Rhône", address="Lyon", kind="business", siren="732829320")

TO_ZOE: dict[str, Any] = {
    "client_id": zoe.id,
    "buyer": Buyer(name="Zoé Petit", address="5 rue Haute, 69003 Lyon"),
}


def credit_note(overpaid: Decimal | None = None) -> CreditNoteIssued:
    said: dict[str, Any] = {
        "id": NOTE,
        "client_id": world.lea.id,
        "invoice_id": INVOICE,
        "invoice_number": "FAC-2026-000042",
        "number": "AVO-2026-000007",
        "issued_on": date(2026, 12, 3),
        "amount": Decimal("1051.10"),
        "reason": "Pièce reprise.",
    }
    return CreditNoteIssued(state=a(CreditNoteView, **(OF_IT | said)), overpaid=overpaid)


DUNNING = [
    Case("a credit note", credit_note(), {"credit_note_issued": LEA}),
    Case(
        "a credit note of what its client withdrew from",
        credit_note().model_copy(update={"withdrawn_from": "CMD-2026-000001"}),
        {"credit_note_issued": LEA},
    ),
    Case(
        "a credit note of what was paid",
        credit_note(Decimal("1051.10")),
        {"credit_note_issued": LEA},
    ),
    Case(
        "a deposit of which nothing is billed",
        DepositLeftOver(state=invoice(**ISSUED, deposit=True)),
        {"deposit_left_over": MANAGERS},
    ),
    Case(
        "a deposit of work that a warranty pays in part since",
        DepositLeftOver(state=invoice(**ISSUED, deposit=True), most=Decimal("30.00")),
        {"deposit_left_over": MANAGERS},
    ),
    Case("an invoice that is overdue", InvoiceOverdue(state=invoice(**LATE)), {"invoice_overdue": LEA}),
    Case(
        "an overdue invoice of somebody without an e-mail address",
        InvoiceOverdue(state=invoice(**LATE, **TO_ZOE)),
        {"invoice_by_post": MANAGERS},
    ),
    Case(
        "a draft of an invoice to somebody without an e-mail address",
        InvoiceDrafted(state=invoice(id=DRAFT, **TO_ZOE)),
        {"invoice_to_issue": MANAGERS},
    ),
    Case(
        "a first reminder to somebody without an e-mail address",
        InvoiceReminded(state=invoice(**LATE, **TO_ZOE, reminders=1), level=1, last=False),
        {},
    ),
    Case(
        "the last one",
        InvoiceReminded(state=invoice(**LATE, **TO_ZOE, reminders=3), level=3, last=True),
        {"invoice_unpaid": MANAGERS},
    ),
    Case(
        "a first reminder",
        InvoiceReminded(state=invoice(**LATE, reminders=1), level=1, last=False),
        {"invoice_reminded": LEA},
    ),
    Case(
        "a reminder to a business",
        InvoiceReminded(state=invoice(**LATE, reminders=2, buyer=FIRM), level=2, last=False),
        {"invoice_reminded": LEA},
    ),
    *(
        Case(
            f"the last reminder of {number}",
            InvoiceReminded(state=invoice(**LATE, reminders=number), level=number, last=True),
            {"invoice_reminded": LEA, "invoice_unpaid": MANAGERS},
        )
        for number in (1, 3)
    ),
]
