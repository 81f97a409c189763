"""The paper of an invoice: printed once, kept, and as its reader writes numbers."""

import re
from decimal import Decimal
from html import unescape
from importlib.resources import as_file, files
from typing import Any

import pytest
import typst
import world
from given_billing import INVOICE, client, invoice, issue, line
from given_interventions import NOW

from sav_chassis.files import Files
from sav_chassis.testing import Stage
from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.invoice import (
    Buyer,
    InvoiceChanged,
    InvoiceIssued,
    InvoiceView,
    LineGiven,
    RecordPayment,
)
from sav_interventions.invoice_pdf import invoice_pdf

AGAIN = "INSERT INTO task (use, key, lane, due, message, persons) VALUES ('effect', $1, $2, $3, $4, $5)"
# What typst would understand, were it not data.
SPECIAL = '#panic("x") $x^2$ *gras* _it_ @ref <a> \\ "q" \'s\' [c] {d} `raw` // c /* c */ ~ -- = + - 1.'


def view(*lines: LineGiven, **fields: Any) -> InvoiceView:
    made = invoice("issued", *lines, **fields)
    made.version, made.created_at, made.updated_at = 1, NOW, NOW
    return made.view()


async def test_an_issued_invoice_is_printed_and_kept(stage: Stage) -> None:
    await stage.knows(client())
    await stage.given(invoice())
    issued = (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state
    printed = (await stage.runs_effects()).only(InvoiceChanged).state
    assert printed.document
    assert (printed.document.media_type, printed.document.name) == ("application/pdf", f"{issued.number}.pdf")
    pdf = await Files(stage.settings.files_url).get(printed.document)
    assert pdf.startswith(b"%PDF-")
    assert pdf == invoice_pdf(issued, "fr")
    assert await stage.waiting() == []


async def test_an_invoice_is_printed_once(stage: Stage) -> None:
    await stage.knows(client())
    await stage.given(invoice())
    await stage.when(issue, by=world.marie)
    [task] = await stage.database.pool.fetch(
        "SELECT key, lane, due, message, persons FROM task WHERE use = 'effect'"
    )
    (await stage.runs_effects()).only(InvoiceChanged)
    await stage.database.pool.execute(AGAIN, *task.values())
    assert [waiting.function for waiting in await stage.waiting()] == ["print_invoice"]
    assert (await stage.runs_effects()).events == []
    assert await stage.waiting() == []


async def test_printing_waits_for_the_client(stage: Stage) -> None:
    await stage.given(invoice())
    await stage.when(issue, by=world.marie)
    assert (await stage.runs_effects()).events == []
    [waiting] = await stage.waiting()
    assert (waiting.function, waiting.id) == ("print_invoice", INVOICE)
    await stage.knows(client(locale="en"))
    printed = (await stage.runs_effects()).only(InvoiceChanged).state
    assert printed.document
    pdf = await Files(stage.settings.files_url).get(printed.document)
    assert (pdf == invoice_pdf(printed, "en"), pdf == invoice_pdf(printed, "fr")) == (True, False)


async def test_an_invoice_prints_the_same_after_a_payment(stage: Stage) -> None:
    await stage.given(invoice())
    issued = (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state
    pay = RecordPayment(invoice_id=INVOICE, method="cash", amount=Decimal(10))
    _, after = (await stage.when(pay, by=world.marie)).events
    assert isinstance(after.state, InvoiceView)
    assert after.state.version > issued.version
    assert invoice_pdf(after.state, "fr") == invoice_pdf(issued, "fr")


def printed(shown: InvoiceView, locale: Locale = "fr") -> str:
    """What the same template says as a page of text."""
    with as_file(files("sav_interventions") / "templates" / "invoice.typ") as template:
        page: bytes = typst.compile(
            template,
            format="html",
            sys_inputs={"invoice": shown.model_dump_json(), "locale": locale},
            ignore_system_fonts=True,
        )
    return unescape(re.sub(r"<[^>]+>", "|", page.decode())).replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("quantity", "price", "french", "english"),
    [
        ("1", "84.90", "|1||84,90 €|", "|1||84.90 €|"),
        ("10", "0.50", "|10||0,50 €|", "|10||0.50 €|"),
        ("100", "200.00", "|100||200,00 €|", "|100||200.00 €|"),
        ("0.5", "1234567.50", "|0,5||1 234 567,50 €|", "|0.5||1,234,567.50 €|"),
        ("12.25", "1000", "|12,25||1 000,00 €|", "|12.25||1,000.00 €|"),
    ],
)
def test_numbers_are_printed_as_the_reader_writes_them(
    quantity: str, price: str, french: str, english: str
) -> None:
    shown = view(line(quantity=Decimal(quantity), unit_price=Decimal(price)))
    assert french in printed(shown, "fr")
    assert english in printed(shown, "en")


def test_rates_units_and_what_a_warranty_pays_are_printed() -> None:
    shown = view(
        line("intermediate", kind="labour", unit="hour", quantity=Decimal("1.5"), covered=50),
        line("reduced", kind="travel", unit="km", quantity=Decimal(20)),
        line(),
    )
    page = printed(shown)
    for text in ("|1,5 h|", "|20 km|", "|− 50 %|", "|10 %|", "|5,5 %|", "|20 %|"):
        assert text in page, text
    assert "Garantie" not in printed(view())


def test_what_people_wrote_is_printed_as_they_wrote_it() -> None:
    shown = view(line(description=SPECIAL))
    assert f"|{SPECIAL}|" in printed(shown)
    named = shown.model_copy(
        update={
            "buyer": Buyer(name=SPECIAL[:90], address=SPECIAL),
            "seller": shown.seller.model_copy(update={"name": SPECIAL, "address": SPECIAL}),
            "reclamation_reference": SPECIAL,
            "mentions": [SPECIAL],
        }
    )
    assert invoice_pdf(named, "fr").startswith(b"%PDF-")


def test_the_paper_is_an_archivable_pdf_that_names_its_invoice() -> None:
    pdf = invoice_pdf(view(), "fr")
    assert b"Facture FAC-2026-000001" in pdf
    assert b"pdfaid:part>3" in pdf
    assert invoice_pdf(view(), "fr") == pdf
    assert b"Invoice FAC-2026-000001" in invoice_pdf(view(), "en")
    assert invoice_pdf(view(line(unit_price=Decimal(85))), "fr") != pdf


@pytest.mark.parametrize("name", ["漢字", "Léa 😀", "شركة الصيانة", "\u202e"])
def test_a_name_in_any_script_is_printed(name: str) -> None:
    pdf = invoice_pdf(view(line(description=name), buyer=Buyer(name=name, address=name)), "fr")
    assert pdf.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("lines", "pages"),
    [([line()], 1), ([line(description="mot " * 49)] * 60, 6), ([line(description="x" * 200)] * 60, 6)],
    ids=["one line", "words", "one long word"],
)
def test_a_long_invoice_has_several_pages(lines: list[LineGiven], pages: int) -> None:
    [count] = re.findall(rb"/Count (\d+)", invoice_pdf(view(*lines), "fr"))
    assert int(count) == pages
