"""The process that prints: what it makes, what it says where it cannot, and how it ends."""

import os
from pathlib import Path

import psutil
import pytest
from given_papers import reduced
from printer_jobs import broken, killed, niceness, talkative

from sav_interventions.invoice_pdf import paper_pdf
from sav_interventions.printer import NotPrinted, Printer, PrinterEnded

TESTS = Path(__file__).parents[1]


@pytest.fixture
def printer(monkeypatch: pytest.MonkeyPatch) -> Printer:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    return Printer()


def test_it_makes_the_same_paper(printer: Printer) -> None:
    assert printer.made(paper_pdf, reduced(), "fr") == paper_pdf(reduced(), "fr")


def test_it_lets_others_go_first_after_its_start(printer: Printer) -> None:
    assert int(printer.made(niceness)) == os.getpriority(os.PRIO_PROCESS, 0)
    assert int(printer.made(niceness)) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


def test_what_a_library_prints_is_no_answer(printer: Printer) -> None:
    assert [printer.made(talkative), printer.made(talkative)] == [b"paper", b"paper"]


def test_a_paper_that_cannot_be_made_says_why_and_the_next_one_is_made(printer: Printer) -> None:
    with pytest.raises(NotPrinted, match="ValueError: no ink"):
        printer.made(broken, "no ink")
    assert printer.made(talkative) == b"paper"


def test_where_the_process_is_killed_the_next_paper_gets_a_new_one(printer: Printer) -> None:
    with pytest.raises(PrinterEnded):
        printer.made(killed)
    assert printer.made(talkative) == b"paper"


def test_one_that_takes_too_long_is_ended(printer: Printer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert printer.made(talkative) == b"paper"
    monkeypatch.setattr("sav_interventions.printer.WITHIN", 0.0)
    with pytest.raises(PrinterEnded):
        printer.made(paper_pdf, reduced(), "fr")


def test_it_ends_with_its_room(printer: Printer) -> None:
    """The room's end of the pipe is closed with it, however it ends."""
    before = set(psutil.Process().children())
    printer.made(talkative)
    [child] = set(psutil.Process().children()) - before
    assert printer.pipe
    printer.pipe.close()
    child.wait(10)
    assert not child.is_running()
