"""The paper of an invoice: printed once, kept, and as its reader writes numbers."""

import re
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
import pytest
import world
from electronic_invoices import broken_rules
from facturx import get_facturx_xml_from_pdf  # type: ignore[import-untyped]
from given_billing import CERTIFIED, INVOICE, client, invoice, issue, line
from given_interventions import NOW
from given_papers import BUSINESS, FIRM, covered, credit, deposit, final, reduced
from papers import attached, check_archivable, codes_on, picture_of, text_of
from PIL import Image

from sav_chassis.files import Files
from sav_chassis.firm_look import Look
from sav_chassis.testing import Stage, Waiting
from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.invoice import Buyer, InvoiceChanged, InvoiceIssued, InvoiceView
from sav_contracts.interventions.line import LineGiven
from sav_contracts.interventions.payment import RecordPayment
from sav_interventions.invoice_paper import InvoicePaper, PaperSupply
from sav_interventions.invoice_pdf import invoice_pdf, paper_pdf
from sav_interventions.printing import REPLACEMENT
from sav_interventions.settings import billing

AGAIN = "INSERT INTO task (use, key, lane, due, message, persons) VALUES ('effect', $1, $2, $3, $4, $5)"
# What typst would understand, were it not data.
SPECIAL = '#panic("x") $x^2$ *gras* _it_ @ref <a> \\ "q" \'s\' [c] {d} `raw` // c /* c */ ~ -- = + - 1.'


def view(*lines: LineGiven, **fields: Any) -> InvoiceView:
    made = invoice("issued", *lines, **fields)
    made.version, made.created_at, made.updated_at = 1, NOW, NOW
    return made.view()


async def to_print(stage: Stage) -> list[Waiting]:
    """What waits to be printed."""
    return [one for one in await stage.waiting() if one.function.startswith("print")]


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
    assert await to_print(stage) == []


async def test_an_invoice_is_printed_once(stage: Stage) -> None:
    await stage.knows(client())
    await stage.given(invoice())
    await stage.when(issue, by=world.marie)
    [task] = await stage.database.pool.fetch(
        "SELECT key, lane, due, message, persons FROM task WHERE use = 'effect'"
    )
    (await stage.runs_effects()).only(InvoiceChanged)
    await stage.database.pool.execute(AGAIN, *task.values())
    assert [waiting.function for waiting in await to_print(stage)] == ["print_invoice"]
    assert (await stage.runs_effects()).events == []
    assert await to_print(stage) == []


async def test_printing_waits_for_the_client(stage: Stage) -> None:
    await stage.given(invoice())
    await stage.when(issue, by=world.marie)
    assert (await stage.runs_effects()).events == []
    [waiting] = await to_print(stage)
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
    return text_of(invoice_pdf(shown, locale))


@pytest.mark.parametrize(
    ("quantity", "price", "french", "english"),
    [
        ("1", "84.90", "1 84,90 €/pièce", "1 €84.90/piece"),
        ("10", "0.50", "10 0,50 €/pièce", "10 €0.50/piece"),
        ("100", "200.00", "100 200,00 €/pièce", "100 €200.00/piece"),
        ("0.5", "1234567.50", "0,5 1 234 567,50 €/pièce", "0.5 €1,234,567.50/piece"),
        ("12.25", "1000", "12,25 1 000,00 €/pièce", "12.25 €1,000.00/piece"),
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
        supply=CERTIFIED.model_copy(update={"works": "install", "energy_saving": True}),
    )
    page = printed(shown)
    for text in ("1,5 h", "20 km", "garantie − 50 % 10 %", "5,5 %", "20 %"):
        assert text in page, text
    assert "Déduit" not in printed(view())


def test_what_people_wrote_is_printed_as_they_wrote_it() -> None:
    shown = view(line(description=SPECIAL))
    assert SPECIAL in printed(shown)
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
    check_archivable(pdf)
    assert invoice_pdf(view(), "fr") == pdf
    assert b"Invoice FAC-2026-000001" in invoice_pdf(view(), "en")
    assert invoice_pdf(view(line(unit_price=Decimal(85))), "fr") != pdf


NAMES = [
    "漢字",
    "山田花子",
    "김민지",
    "شركة الصيانة",
    "דנה",
    "Νίκη Παππά",
    "Мария",
    "नेहा",
    "สมชาย",
    "Léa 😀",
    "\u202e",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_script_is_printed_and_the_paper_stays_one_for_archives(name: str) -> None:
    pdf = invoice_pdf(view(line(description=name), buyer=Buyer(name=name, address=name)), "fr")
    check_archivable(pdf)
    assert REPLACEMENT not in text_of(pdf)


def test_a_character_that_no_font_has_is_replaced_and_stays_as_it_was_in_the_data() -> None:
    name = "Léa \U00013000"
    pdf = invoice_pdf(view(buyer=Buyer(name=name, address=name)), "fr")
    check_archivable(pdf)
    assert f"Léa {REPLACEMENT}" in text_of(pdf)
    assert name in attached(pdf).decode()


@pytest.mark.parametrize("character", ["\x07", "\x00", "\ufffe"])
def test_what_no_file_may_hold_is_replaced_in_both(character: str) -> None:
    """New records refuse it; old ones may have it."""
    buyer = Buyer.model_construct(
        name=f"Léa{character}", address="Lyon", kind=None, siren=None, tax_number=None
    )
    pdf = paper_pdf(InvoicePaper.of(view().model_copy(update={"buyer": buyer})), "fr")
    check_archivable(pdf)
    assert f"Léa{REPLACEMENT}" in text_of(pdf)
    assert f"Léa{REPLACEMENT}" in attached(pdf).decode()


def test_a_name_is_letters_and_not_boxes() -> None:
    """A name in a script without a font would be a row of equal boxes."""
    looks = {name: _ink(name) for name in ("王小明", "李大山", "شركة", "مصنع", "Νίκη", "Άννα", "😀", "👍")}
    assert len(set(looks.values())) == len(looks)


def _ink(name: str) -> bytes:
    """The place of the buyer, as it is printed."""
    with pypdfium2.PdfDocument(invoice_pdf(view(buyer=Buyer(name=name, address="Lyon")), "fr")) as read:
        picture: Image.Image = read[0].render(scale=2).to_pil()
    width, height = picture.size
    return picture.crop((width // 2, height // 8, width, height // 4)).tobytes()


@pytest.mark.parametrize(
    ("lines", "pages"),
    [([line()], 1), ([line(description="mot " * 49)] * 60, 6), ([line(description="x" * 200)] * 60, 6)],
    ids=["one line", "words", "one long word"],
)
def test_a_long_invoice_has_several_pages(lines: list[LineGiven], pages: int) -> None:
    [count] = re.findall(rb"/Count (\d+)", invoice_pdf(view(*lines), "fr"))
    assert int(count) == pages


def test_the_same_for_machines_is_inside() -> None:
    pdf = invoice_pdf(view(), "fr")
    assert get_facturx_xml_from_pdf(pdf, check_xsd=True) == ("factur-x.xml", attached(pdf))
    assert broken_rules(attached(pdf)) == []
    with pikepdf.open(BytesIO(pdf)) as read:
        metadata = read.Root.Metadata.read_bytes().decode()
        [file] = read.Root.AF
        assert [str(file.AFRelationship), str(file.EF.F.Subtype)] == ["/Alternative", "/text/xml"]
    assert "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in metadata
    assert "<fx:DocumentType>INVOICE</fx:DocumentType>" in metadata


def test_in_a_currency_that_factur_x_cannot_express_the_paper_is_alone() -> None:
    pdf = invoice_pdf(view(currency="TND"), "fr")
    check_archivable(pdf)
    with pikepdf.open(BytesIO(pdf)) as read:
        assert "/AF" not in read.Root
        assert b"factur-x" not in read.Root.Metadata.read_bytes()


def test_a_phone_reads_how_to_pay() -> None:
    [code] = codes_on(picture_of(paper_pdf(final(), "fr")))
    wanted = [
        "BCD",
        "002",
        "1",
        "SCT",
        "AGRIFRPP",
        "Confort SAV",
        "FR7630006000011234567890189",
        "EUR1732.08",
        "",
        "",
    ]
    assert code.text.split("\n") == [*wanted, "FAC-2026-000001"]
    assert "IBAN FR76 3000 6000 0112 3456 7890 189" in text_of(paper_pdf(final(), "fr"))


def test_where_nothing_is_to_be_transferred_there_is_no_code() -> None:
    poor = FIRM.model_copy(update={"bank": None})
    for paper in (credit(), reduced(seller=poor), reduced(currency="TND")):
        assert codes_on(picture_of(paper_pdf(paper, "fr"))) == []


@pytest.mark.parametrize(
    ("paper", "words"),
    [
        (reduced(), ("Facture", "1 h 30 min 62,00 €/h", "Remise fidélité 5 % -15,35 €", "TTC 332,94 €")),
        (covered(), ("10 min", "garantie − 50 %", "remise − 5 %", "TTC 63,61 €")),
        (deposit(), ("Facture d’acompte", "forfait", "TTC 742,32 €")),
        (final(), ("Acompte FAC-2026-000002 du 20 février 2026 -742,32 €", "Reste à payer 1 732,08 €")),
        (credit(), ("Avoir", "FAC-2026-000001 du 11 mars 2026", "Pièce reprise.", "TTC 51,10 €")),
    ],
    ids=["reduced", "covered", "deposit", "final", "credit"],
)
def test_every_kind_of_paper_says_what_it_is(paper: InvoicePaper, words: tuple[str, ...]) -> None:
    pdf = paper_pdf(paper, "fr")
    check_archivable(pdf)
    said = text_of(pdf)
    for text in words:
        assert text in said, text


def test_a_deposit_says_nothing_of_a_day_on_which_something_was_done() -> None:
    assert "Date de la prestation 3 mars 2026" in text_of(paper_pdf(final(), "fr"))
    assert "Date de la prestation" not in text_of(paper_pdf(deposit(), "fr"))


def test_insurer_and_mediator_stand_on_it() -> None:
    said = text_of(paper_pdf(reduced(), "fr"))
    assert "Assurance : Décennale : Assur SA" in said
    assert "Médiateur de la consommation : Médiation Conso" in said
    assert "Médiateur" not in text_of(paper_pdf(reduced(buyer=BUSINESS), "fr"))


def test_where_it_was_delivered_stands_on_an_invoice_to_a_business_elsewhere() -> None:
    there = PaperSupply(address="3 rue des Lilas, 69003 Lyon")
    said = text_of(paper_pdf(reduced(buyer=BUSINESS, supply=there), "fr"))
    assert "Lieu de livraison 3 rue des Lilas" in said
    at_home = BUSINESS.model_copy(update={"address": there.address})
    for paper in (reduced(supply=there), reduced(buyer=at_home, supply=there), reduced(buyer=BUSINESS)):
        assert "Lieu de livraison" not in text_of(paper_pdf(paper, "fr"))


def test_the_firm_has_its_own_look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    logo = tmp_path / "logo.PNG"
    Image.new("RGB", (400, 100), "#ff0000").save(logo, "PNG")
    own = billing().model_copy(update={"look": Look(accent="#00aa00", logo=logo)})
    monkeypatch.setattr("sav_interventions.printing.billing", lambda: own)
    pdf = paper_pdf(reduced(), "fr")
    check_archivable(pdf)
    seen = {colour for _, colour in picture_of(pdf).convert("RGB").getcolors(10_000_000) or []}
    assert {(255, 0, 0), (0, 170, 0)} <= seen
    assert (20, 80, 107) not in seen
