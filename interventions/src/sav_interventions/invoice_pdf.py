"""Invoices as PDF."""

from datetime import UTC, datetime, time

from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.invoice import InvoiceView
from sav_interventions.printing import printed


def invoice_pdf(invoice: InvoiceView, locale: Locale) -> bytes:
    """An issued invoice as PDF/A-3b; the same bytes each time it is made."""
    assert invoice.issued_on is not None
    issued = datetime.combine(invoice.issued_on, time(), UTC)
    inputs = {"invoice": invoice.model_dump_json(), "locale": locale}
    return printed("invoice", inputs, issued, "a-3b")
