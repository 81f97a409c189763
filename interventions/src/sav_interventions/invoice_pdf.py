"""Invoices and credit notes as PDF, with the same for machines inside: Factur-X."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time
from importlib.resources import files
from io import BytesIO
from typing import Any

import pikepdf
from lxml import etree  # type: ignore[import-untyped]

from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.line import Supply
from sav_contracts.messages import View
from sav_interventions.electronic_invoice import electronic_invoice
from sav_interventions.invoice_paper import InvoicePaper, PaperSupply, facts
from sav_interventions.payment_code import payment_code
from sav_interventions.printing import printed

XML, QR = "factur-x.xml", "payment.svg"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
FX = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
EXTENSIONS = "{http://www.aiim.org/pdfa/ns/extension/}schemas"
PROFILE = "EN 16931"


def invoice_pdf(
    view: View, locale: Locale, mentions: Sequence[str] = (), supply: Supply | None = None
) -> bytes:
    """An issued invoice or a credit note as PDF/A-3b; the same bytes each time it is made. In euros it is Factur-X.

    `mentions` are those that the law wants beside what is recorded; `supply` is that of the invoice that a note corrects.
    """
    paper = InvoicePaper.of(view)
    more: dict[str, Any] = {"mentions": [*paper.mentions, *mentions]}
    if supply:
        more["supply"] = PaperSupply.model_validate(supply)
    return paper_pdf(paper.model_copy(update=more), locale)


def paper_pdf(paper: InvoicePaper, locale: Locale) -> bytes:
    """The same from what stands on it."""
    paper = paper.legible
    xml, code = electronic_invoice(paper), payment_code(paper, paper.seller.bank)
    brought = {name: content for name, content in ((XML, xml), (QR, code)) if content}
    said = facts(paper, locale) | {"xml": XML if xml else None, "qr": QR if code else None}
    inputs = {"invoice": json.dumps(said, ensure_ascii=False), "locale": locale}
    issued = datetime.combine(paper.issued_on, time(), UTC)
    pdf = printed("invoice", inputs, issued, "a-3b", brought)
    return declared(pdf) if xml else pdf


def declared(pdf: bytes) -> bytes:
    """The same PDF, whose metadata say that it is Factur-X (its specification, 6.3): typst cannot write that."""
    with pikepdf.open(BytesIO(pdf)) as read:
        metadata = etree.fromstring(read.Root.Metadata.read_bytes())
        ours = etree.parse(str(files("facturx") / "xmp" / "Factur-X_extension_schema.xmp")).getroot()
        values, schemas = ours.findall(f"{RDF}Description")
        values.find(f"{FX}ConformanceLevel").text = PROFILE
        metadata.find(f"{RDF}RDF").append(values)
        # A property stands once: typst has described its own schemas already.
        metadata.find(f".//{EXTENSIONS}/{RDF}Bag").append(schemas.find(f".//{RDF}li"))
        read.Root.Metadata.write(_packet(metadata))
        made = BytesIO()
        # typst has written the version of PDF already.
        read.save(made, deterministic_id=True, fix_metadata_version=False)
    return made.getvalue()


def _packet(metadata: Any) -> bytes:
    begin = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'.encode()
    written: bytes = etree.tostring(metadata, encoding="UTF-8")
    return begin + written + b'<?xpacket end="r"?>'
