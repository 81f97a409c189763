"""PDFs: which are kept as they came, which as they were repaired, and which are refused in which words."""

import pikepdf
import pytest
from papers import CATALOG, PAGE, PAGES, PDF, of_objects, paper, with_file

from sav_edge.pdfs import screened
from sav_edge.upload_errors import Unsuitable

ACTS = "this PDF holds scripts or actions; print it into a new PDF and send that"
LOCKED = "this PDF is protected with a password; send it without one"
CII = b"<r:CrossIndustryInvoice xmlns:r='urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100'>%b</r:CrossIndustryInvoice>"
UBL = b"<?xml version='1.0'?><Invoice xmlns='urn:oasis:names:specification:ubl:schema:xsd:Invoice-2'/>"
INVOICE = b"<?xml version='1.0' encoding='UTF-8'?>\n" + CII % b"<r:ExchangedDocument/>"
SCRIPT = b"<script xmlns='http://www.w3.org/1999/xhtml'>alert(1)</script>"
ELSEWHERE = "this PDF takes what it shows from other files; print it into a new PDF and send that"
ATTACHED = "this PDF has other files attached; print it into a new PDF and send that"
DAMAGED = "this PDF is damaged; print it into a new PDF and send that"


@pytest.mark.parametrize(
    "content",
    [
        PDF,
        of_objects(CATALOG, PAGES, PAGE),
        paper("<< /S /GoTo /Title (JavaScript) /JavaScripts 1 /D [1 2] >>"),
        paper("<< /S /URI /URI (https://example.com/invoice) >>"),
        paper(OpenAction="<< /S /GoTo /D [null /Fit] >>"),
        paper(OpenAction="[null /Fit]"),
        paper(AcroForm="<< /Fields [] >>"),
        paper("(/JavaScript)", "(<< /S /Launch >>)"),
        paper(
            "<< /Type /Annot /Subtype /Widget /Rect [0 0 9 9] >>", "<< /Annots [<< /Subtype /Link >> null] >>"
        ),
        paper("<< /Font << /RF << /Type /Font >> /PS << /Type /Font >> >> /ExtGState << /BM /Screen >> >>"),
        with_file("factur-x.xml", INVOICE),
        with_file("invoice.xml", UBL),
    ],
    ids=[
        "packed",
        "plain",
        "words like those of scripts",
        "link",
        "opens at a page",
        "place",
        "form",
        "text",
        "field and link",
        "names of fonts and blending",
        "e-invoice",
        "e-invoice in UBL",
    ],
)
def test_a_paper_that_does_nothing_by_itself_is_kept_as_it_came(content: bytes) -> None:
    assert screened(content) == content


ACTIVE = {
    "a script when it opens": paper(OpenAction="<< /S /JavaScript /JS (app.alert(1)) >>"),
    "a script among its names": paper(
        Names="<< /JavaScript << /Names [(x) << /S /JavaScript /JS (1) >>] >> >>"
    ),
    "a script that nothing leads to": paper("<< /S /JavaScript /JS (app.alert(1)) >>"),
    "a name written in another way": of_objects(CATALOG, PAGES, PAGE, b"<< /S /J#61vaScr#69pt >>"),
    "a program": paper("<< /S /Launch /F (cmd.exe) >>"),
    "deep in lists": paper(f"{'[' * 50}<< /S /Launch >>{']' * 50}"),
    "after another action": paper("<< /S /GoTo /D [1] /Next << /S /Launch >> >>"),
    "prints when it opens": paper(OpenAction="<< /S /Named /N /Print >>"),
    "something at an event": paper(AA="<< /WC << /S /GoTo /D [1] >> >>"),
    "in a stream's dictionary": of_objects(
        CATALOG, PAGES, PAGE, b"<< /JS 1 /Length 0 >>\nstream\n\nendstream"
    ),
    "a film": paper("<< /S /Rendition /OP 0 >>"),
    "rich media": paper("<< /Type /Annot /Subtype /RichMedia >>"),
    "an XFA form": paper(AcroForm="<< /Fields [] /XFA (x) >>"),
    "a form that is sent": paper("<< /S /SubmitForm /F (https://evil.example) >>"),
    "data that are fetched": paper("<< /S /ImportData /F (x.fdf) >>"),
    "another file": paper("<< /S /GoToR /F (//evil.example/x.pdf) /D [0 /Fit] >>"),
    "a link that is a script": paper("<< /S /URI /URI (javascript:alert\\(1\\)) >>"),
    "a link that is a number": paper("<< /S /URI /URI -1 >>"),
    "a thread elsewhere": paper("<< /S /Thread /F (//evil.example/x.pdf) /D 0 >>"),
    "a sound": paper("<< /S /Sound >>"),
    "a scene": paper("<< /Type /Annot /Subtype /3D >>"),
    "a scene of a page": paper("<< /Annots [<< /Subtype /3D /Rect [0 0 9 9] >>] >>"),
    "an annotation of no kind": paper("<< /Annots [<< /Rect [0 0 9 9] >>] >>"),
    "a screen": paper("<< /Type /Annot /Subtype /Screen >>"),
    "a script in a scene": of_objects(
        CATALOG, PAGES, PAGE, b"<< /Type /3D /OnInstantiate (x) /Length 0 >>\nstream\n\nendstream"
    ),
    "a slide show": paper(Names="<< /AlternatePresentations << /Names [(x) << /Type /SlideShow >>] >> >>"),
    "films among its names": paper(
        Names="<< /Renditions << /Names [(x) << /S /MR /C << /S /MCD /D (http://evil.example/x.mp4) >> >>] >> >>"
    ),
    "a program for printers": of_objects(
        CATALOG, PAGES, PAGE, b"<< /Type /XObject /Subtype /PS /Length 0 >>\nstream\n\nendstream"
    ),
    "a program in a drawing": of_objects(
        CATALOG, PAGES, PAGE, b"<< /Subtype /Form /Subtype2 /PS /Length 0 >>\nstream\n\nendstream"
    ),
    "a file in it": paper("<< /S /GoToE /T << /R /C /N (x) >> >>"),
}


@pytest.mark.parametrize("content", ACTIVE.values(), ids=ACTIVE)
def test_a_paper_that_acts_is_refused(content: bytes) -> None:
    with pytest.raises(Unsuitable, match=ACTS):
        screened(content)


@pytest.mark.parametrize("password", ["", "secret"])
def test_a_locked_paper_is_refused_whether_or_not_it_can_be_read(password: str) -> None:
    with pytest.raises(Unsuitable, match=LOCKED):
        screened(paper(encryption=pikepdf.Encryption(user=password, owner="owner")))


@pytest.mark.parametrize("name", ["a.exe", "factur-x.xml.exe", "a.pdf", "xml", ""])
def test_a_paper_that_brings_another_file_than_an_e_invoice_is_refused(name: str) -> None:
    with pytest.raises(Unsuitable, match=ATTACHED):
        screened(with_file(name, INVOICE))


NO_INVOICES = {
    "a program": b"MZ",
    "nothing": b"",
    "a page": b"<html><script>alert(1)</script></html>",
    "a page in XML": SCRIPT,
    "a drawing": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "an invoice by its name only": b"<?xml version='1.0'?><Invoice/>",
    "a page in an invoice": CII % SCRIPT,
    "a style sheet": b"<?xml-stylesheet type='text/xsl' href='https://evil.example/x'?>" + UBL[21:],
    "an entity": b"<!DOCTYPE Invoice [<!ENTITY a 'a'>]>" + UBL[21:],
    "no whole XML": INVOICE[:-5],
    "an encoding nobody knows": INVOICE.replace(b"UTF-8", b"x-none"),
}


@pytest.mark.parametrize("content", NO_INVOICES.values(), ids=NO_INVOICES)
def test_an_e_invoice_is_one_by_what_is_in_it(content: bytes) -> None:
    with pytest.raises(Unsuitable, match=ATTACHED):
        screened(with_file("factur-x.xml", content))


@pytest.mark.parametrize(
    "files",
    [
        "<< /F (a.xml) /EF 5 >>",
        "<< /Type /Filespec /F (a) /RF << /F [(a.exe) null] >> >>",
        "<< /Type /Annot /Subtype /FileAttachment /FS (http://evil.example/x.exe) >>",
        "<< /Annots [<< /Subtype /FileAttachment /FS << /F (x.exe) >> >>] >>",
    ],
)
def test_a_paper_whose_files_are_no_e_invoice_is_refused(files: str) -> None:
    with pytest.raises(Unsuitable, match=ATTACHED):
        screened(paper(files))


@pytest.mark.parametrize(
    "content",
    [
        b"<< /F (//evil.example/x) /Length 0 >>",
        b"<< /F << /FS /URL /F (https://evil.example/x) >> /Length 0 >>",
        b"<< /Subtype /Image /OPI << /2.0 << /F (//evil.example/x) >> >> /Length 0 >>",
        b"<< /Subtype /Form /OPI << /1.3 << /F << /FS /URL /F (http://evil.example/x) >> >> >> /Length 0 >>",
        b"<< /Subtype /Form /BBox [0 0 9 9] /Ref << /F (x.pdf) /Page 0 >> /Length 0 >>",
    ],
)
def test_a_paper_whose_content_is_in_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(Unsuitable, match=ELSEWHERE):
        screened(of_objects(CATALOG, PAGES, PAGE, content + b"\nstream\n\nendstream"))


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7 hello %%EOF",
        b"%PDF-1.7\n" + b"<<" * 100_000 + b"%%EOF",
        of_objects(CATALOG, b"<< /Type /Pages /Count 1 /Kids [2 0 R] >>"),
        of_objects(
            CATALOG,
            b"<< /Type /Pages /Count 9 /Kids [" + b"3 0 R " * 9 + b"] >>",
            b"<< /Kids [2 0 R 3 0 R] >>",
        ),
        of_objects(b"<< /Type /Catalog >>"),
    ],
    ids=["text", "junk", "pages that hold themselves", "pages in a circle", "no pages"],
)
def test_what_is_no_whole_paper_is_refused(content: bytes) -> None:
    with pytest.raises(Unsuitable, match=DAMAGED):
        screened(content)


def test_a_paper_that_is_cut_off_is_to_be_sent_again() -> None:
    for cut in (PDF[:-20], PDF[: len(PDF) // 2], PDF[:6]):
        with pytest.raises(Unsuitable, match="this PDF is cut off; send it again"):
            screened(cut)


def test_a_damaged_paper_is_kept_as_it_was_repaired_and_screened_so() -> None:
    """Readers repair each in its own way: this one shows us a page, and might show another reader a script."""
    damaged = of_objects(CATALOG, PAGES, PAGE).replace(b"startxref", b"startxxxx")
    kept = screened(damaged)
    assert kept != damaged
    assert screened(kept) == kept == screened(damaged)
    hidden = of_objects(CATALOG, PAGES, PAGE, b"<< /S /Launch >>").replace(b"startxref", b"startxxxx")
    with pytest.raises(Unsuitable, match=ACTS):
        screened(hidden)
