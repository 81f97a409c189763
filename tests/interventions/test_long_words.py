"""Long words on papers, as serial numbers are: printed whole where a line has room, and found and copied as they are."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
from given_attestations import shown
from given_estimates import estimate, right
from given_interventions import NOW, work
from given_papers import FIRM, line, paper, vat
from given_report_papers import paper as report
from given_report_papers import view
from papers import text_of
from pypdf import PdfReader

from sav_interventions.attestation_pdf import attestation_pdf
from sav_interventions.estimate_pdf import estimate_pdf
from sav_interventions.invoice_pdf import paper_pdf
from sav_interventions.report_pdf import report_pdf

Printed = Callable[[str], bytes]
SERIAL = "LUM24-0007431-2026-A7F3K9P2M5X8-REV04"


def on_report(word: str) -> bytes:
    done = work().model_copy(update={"failed_serial": word})
    return report_pdf(report(view(), work=done), {})


def on_estimate(word: str) -> bytes:
    made = estimate(version=1, seller=FIRM, nature=f"Vanne {word} à remplacer", withdrawal=right())
    made.created_at = made.updated_at = NOW
    return estimate_pdf(made.view(), "fr")


def on_invoice(word: str) -> bytes:
    return paper_pdf(
        paper([line(f"Vanne {word}", "10.00")], [vat("intermediate", "10", "10.00", "1.00")]), "fr"
    )


PAPERS: Any = [on_report, lambda word: attestation_pdf(shown(serial=word), "fr"), on_estimate, on_invoice]
named = pytest.mark.parametrize("printed", PAPERS, ids=["report", "attestation", "estimate", "invoice"])


def seen_by_another(pdf: bytes) -> str:
    """What a second program reads, with every character that stands in the file."""
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


@named
def test_a_serial_number_is_found_on_every_paper_as_it_is(printed: Printed) -> None:
    pdf = printed(SERIAL)
    assert SERIAL in text_of(pdf)
    assert SERIAL in seen_by_another(pdf)


@named
@pytest.mark.parametrize("letter", ["W", "i", "شم"])
def test_a_word_that_no_line_holds_is_broken_and_has_its_letters_only(printed: Printed, letter: str) -> None:
    pdf = printed(letter * 120)
    for read in (text_of(pdf), seen_by_another(pdf)):
        assert "\u200b" not in read
        if letter.isascii():
            assert letter * 120 in "".join(read.split())
    with pypdfium2.PdfDocument(pdf) as pages:
        for page in pages:
            left, _, right, _ = page.get_bbox()
            objects = [each.get_bounds() for each in page.get_objects()]
            assert min(each[0] for each in objects) > left + 50
            assert max(each[2] for each in objects) < right - 50, "beyond the margin"


def test_the_names_of_a_family_are_parted_between_them() -> None:
    name = "Marie de la Rochefoucauld-Montmorency-Saint-Germain"
    read = seen_by_another(report_pdf(report(view(), client=name, technician=name), {}))
    assert read.count("Rochefoucauld-Montmorency-\nSaint-Germain") == 2


@pytest.mark.parametrize("letter", ["x", "漢", "ab-"])
def test_what_is_longer_than_a_page_goes_on_on_the_next(letter: str) -> None:
    pdf = report_pdf(report(view(findings=letter * 9000, work_done="fini")), {})
    assert seen_by_another(pdf).count(letter[0]) >= 9000


@pytest.mark.parametrize("word", ["professionnellement", SERIAL, "Rochefoucauld-Montmorency"])
def test_a_report_may_have_very_many_long_words(word: str) -> None:
    pdf = report_pdf(report(view(findings=f"{word} " * 1200)), {})
    assert seen_by_another(pdf).count(word[:8]) >= 1200
