"""The PDF of an invoice with the same for machines inside, beside typst alone."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import typst
from harness import Aim, Contender, Figures, Measured, interleaved

from sav_chassis.settings import Settings
from sav_contracts.bank import Bank
from sav_contracts.interventions.invoice import DEMONSTRATION
from sav_interventions.invoice_paper import InvoicePaper, PaperBuyer, PaperLine, PaperVat, facts
from sav_interventions.invoice_pdf import QR, paper_pdf
from sav_interventions.payment_code import payment_code
from sav_interventions.printing import fonts, look

NUMBER = 100
# Not counted: fonts are looked for and files read.
FIRST = 5
ALONE = "typst alone"
FIRM = DEMONSTRATION.model_copy(update={"bank": Bank(iban="FR7630006000011234567890189")})
LINES = 8


def paper(number: int) -> InvoicePaper:
    """Each another: typst remembers what it has made."""
    lines = [
        PaperLine(
            kind="part",
            description=f"Circulateur 25-60 n° {number}-{each}",
            quantity=Decimal(1),
            unit="piece",
            unit_price=Decimal("186.40"),
            vat_class="intermediate",
            amount=Decimal("186.40"),
        )
        for each in range(LINES)
    ]
    net = 186 * LINES + Decimal("0.40") * LINES
    tax = round(net / 10, 2)
    return InvoicePaper(
        number=f"FAC-2026-{number:06}",
        currency="EUR",
        seller=FIRM,
        buyer=PaperBuyer(name="Léa Bernard", address="3 rue des Lilas, 69003 Lyon"),
        issued_on=date(2026, 3, 6),
        supplied_on=date(2026, 3, 5),
        due_on=date(2026, 4, 5),
        lines=lines,
        vat=[PaperVat(vat_class="intermediate", rate=Decimal(10), base=net, vat=tax)],
        net=net,
        tax=tax,
        total=net + tax,
        mentions=["Pas d'escompte pour paiement anticipé."],
    )


def alone(of: InvoicePaper) -> bytes:
    """The same page by typst from a folder, with nothing inside and no word about it in the metadata."""
    with TemporaryDirectory() as folder:
        templates = files("sav_interventions") / "templates"
        for name in ("invoice.typ", "look.typ"):
            (Path(folder) / name).write_bytes((templates / name).read_bytes())
        (Path(folder) / QR).write_bytes(payment_code(of, of.seller.bank) or b"")
        said = facts(of, "fr") | {"xml": None, "qr": QR}
        made: bytes = typst.compile(
            Path(folder) / "invoice.typ",
            root=Path(folder),
            format="pdf",
            font_paths=fonts(),
            sys_inputs=look("fr") | {"invoice": json.dumps(said)},
            pdf_standards="a-3b",
            timestamp=int(datetime(2026, 3, 6, tzinfo=UTC).timestamp()),
        )
    return made


async def measure(settings: Settings, rounds: int, number: int = NUMBER) -> Measured:
    """Milliseconds for one, one after the other."""
    made = 0

    async def run(make: Callable[[InvoicePaper], bytes]) -> Figures:
        nonlocal made
        papers = [paper(made + each) for each in range(FIRST + number)]
        made += len(papers)
        began, size = 0.0, 0
        for each, one in enumerate(papers):
            began = time.perf_counter() if each == FIRST else began
            size = max(size, len(await asyncio.to_thread(make, one)))
        return {"ms": 1000 * (time.perf_counter() - began) / number, "kB": size / 1000}

    async def ours() -> Figures:
        return await run(lambda one: paper_pdf(one, "fr"))

    async def theirs() -> Figures:
        return await run(alone)

    measured = await interleaved(
        "PDF of an invoice with Factur-X",
        [Contender("SAV", ours), Contender(ALONE, theirs)],
        [Aim("ms", 1.5, "most", against=ALONE)],
        rounds,
    )
    measured.notes.append(
        f"{number} invoices of {LINES} lines with a payment code, one after the other. SAV also makes the XML of EN 16931, "
        "attaches it and says so in the metadata. The baseline compiles the same template, without these."
    )
    return measured
