"""What is usual in estimates, invoices and payments."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import world

from sav_contracts.interventions.client_credit import ClientCreditView
from sav_contracts.interventions.closing import ClosingView
from sav_contracts.interventions.credit_note import CreditNoteView
from sav_contracts.interventions.estimate import EstimateView, Withdrawal
from sav_contracts.interventions.invoice import Buyer, InvoiceView, Seller
from sav_contracts.interventions.line import Supply
from sav_contracts.interventions.payment import PaymentView
from sav_contracts.messages import View

TODAY = date(2026, 3, 2)
# Of no record that is shown to anybody.
NOBODYS = uuid4()
MONEY: dict[type[View], dict[str, Any]] = {
    EstimateView: {
        "client_id": world.lea.id,
        "technician_id": world.karim.id,
        "intervention_id": NOBODYS,
        "reclamation_id": None,
        "reclamation_reference": None,
        "reference": "DEV-2026-000001",
        "edition": 1,
        "status": "draft",
        "currency": "EUR",
        "seller": Seller(name="SAV", address="Paris", registration="1", vat_number="FR1"),
        "buyer": Buyer(name="Léa", address=None),
        "place": None,
        "nature": "Circulateur remplacé",
        "written_on": TODAY,
        "valid_until": None,
        "lines": [],
        "vat": [],
        "net": Decimal(0),
        "tax": Decimal(0),
        "total": Decimal(0),
        "supply": Supply(on=TODAY),
        "withdrawal": Withdrawal(right=False, case="business_buyer"),
    },
    InvoiceView: {
        "client_id": world.lea.id,
        "intervention_id": None,
        "reclamation_id": None,
        "reclamation_reference": None,
        "number": None,
        "status": "draft",
        "currency": "EUR",
        "seller": Seller(name="SAV", address="Paris", registration="1", vat_number="FR1"),
        "buyer": Buyer(name="Léa", address=None),
        "supplied_on": TODAY,
        "issued_on": None,
        "due_on": None,
        "lines": [],
        "vat": [],
        "net": Decimal(0),
        "tax": Decimal(0),
        "total": Decimal(0),
        "paid": Decimal(0),
        "balance": Decimal(0),
        "mentions": [],
        "document": None,
        "hash": None,
        "previous_hash": None,
        "reason": None,
    },
    CreditNoteView: {
        "invoice_id": NOBODYS,
        "invoice_number": "F-2026-000001",
        "invoice_issued_on": TODAY,
        "client_id": world.lea.id,
        "intervention_id": None,
        "reclamation_id": None,
        "reclamation_reference": None,
        "number": "A-2026-000001",
        "whole": False,
        "currency": "EUR",
        "seller": Seller(name="SAV", address="Paris", registration="1", vat_number="FR1"),
        "buyer": Buyer(name="Léa", address="Paris"),
        "issued_on": TODAY,
        "lines": [],
        "vat": [],
        "net": Decimal(10),
        "tax": Decimal(2),
        "total": Decimal(12),
        "amount": Decimal(12),
        "reason": "un geste",
        "document": None,
        "hash": "1",
        "previous_hash": "0",
    },
    PaymentView: {
        "invoice_id": NOBODYS,
        "invoice_number": "F-2026-000001",
        "reclamation_id": None,
        "method": "cash",
        "amount": Decimal(10),
        "currency": "EUR",
        "received_on": TODAY,
        "reference": None,
        "status": "captured",
    },
    ClientCreditView: {
        "client_id": NOBODYS,
        "origin": "on_account",
        "payment_id": None,
        "invoice_id": None,
        "invoice_number": None,
        "method": "transfer",
        "amount": Decimal(10),
        "refunded": Decimal(0),
        "remaining": Decimal(10),
        "currency": "EUR",
        "received_on": TODAY,
        "reference": None,
    },
    ClosingView: {
        "period": "day",
        "first_day": TODAY,
        "last_day": TODAY,
        "currency": "EUR",
        "entries": 0,
        "received": Decimal(0),
        "paid_back": Decimal(0),
        "total": Decimal(0),
        "perpetual": Decimal(0),
        "methods": [],
        "last_entry": 0,
        "ledger_hash": "0" * 64,
        "previous_hash": "0" * 64,
        "hash": "1" * 64,
        "archive": None,
    },
}
