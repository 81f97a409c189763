"""Invoices as PDF."""

from datetime import UTC, datetime, time
from importlib.resources import as_file, files
from typing import Literal

import typst

from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.invoice import InvoiceView


def invoice_pdf(invoice: InvoiceView, locale: Locale) -> bytes:
    """An issued invoice as PDF/A-3b; the same bytes each time it is made.

    An ordinary PDF 1.7 where a name or a description has a character that none of our fonts has.
    """
    try:
        return _compiled(invoice, locale, "a-3b")
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
        return _compiled(invoice, locale, "1.7")


def _compiled(invoice: InvoiceView, locale: Locale, standard: Literal["a-3b", "1.7"]) -> bytes:
    assert invoice.issued_on is not None
    issued = datetime.combine(invoice.issued_on, time(), UTC)
    with as_file(files("sav_interventions") / "templates" / "invoice.typ") as template:
        pdf: bytes = typst.compile(
            template,
            format="pdf",
            sys_inputs={"invoice": invoice.model_dump_json(), "locale": locale},
            pdf_standards=standard,
            ignore_system_fonts=True,
            timestamp=int(issued.timestamp()),
        )
    return pdf
