"""Invoices: completed, discarded, issued under gapless numbers that are chained, and printed."""

import asyncio
import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from importlib.resources import as_file, files
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import typst
import world
from given_billing import FR, INVOICE, client, invoice, line
from given_interventions import NOW
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.files import Files
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.invoice import (
    Buyer,
    ChangeInvoice,
    DiscardInvoice,
    InvoiceChanged,
    InvoiceDiscarded,
    InvoiceIssued,
    InvoiceStatus,
    InvoiceView,
    IssueInvoice,
    LineGiven,
    RecordPayment,
)
from sav_interventions.model import Invoice
from sav_interventions.model.invoice import GENESIS, Series
from sav_interventions.paper import invoice_pdf

issue = IssueInvoice(invoice_id=INVOICE)
discard = DiscardInvoice(invoice_id=INVOICE, reason="geste commercial")
ISSUED: list[InvoiceStatus] = ["issued", "partly_paid", "paid", "credited"]
AGAIN = "INSERT INTO task (use, key, lane, due, message, persons) VALUES ('effect', $1, $2, $3, $4, $5)"
# What typst would understand, were it not data.
SPECIAL = '#panic("x") $x^2$ *gras* _it_ @ref <a> \\ "q" \'s\' [c] {d} `raw` // c /* c */ ~ -- = + - 1.'


def ids(how_many: int) -> list[UUID]:
    return [UUID(int=1000 + n) for n in range(how_many)]


def drafts(how_many: int) -> list[Invoice]:
    return [invoice(id=id) for id in ids(how_many)]


async def issued_at_once(stage: Stage, invoices: list[UUID]) -> list[Outcome]:
    return await asyncio.gather(*(issued_with_patience(stage, id) for id in invoices))


async def issued_with_patience(stage: Stage, id: UUID) -> Outcome:
    """Who is told that every connection is taken asks again, as told."""
    while True:
        outcome = await stage.when(IssueInvoice(invoice_id=id), by=world.marie, seconds=30)
        if not outcome.problem or outcome.problem.code != "unavailable":
            return outcome


async def chain(stage: Stage) -> list[Invoice]:
    """Every issued invoice, by number, as it is stored."""
    async with AsyncSession(stage.database.engine) as session:
        query = select(Invoice).where(Invoice.number.is_not(None)).order_by(Invoice.number)
        return list(await session.scalars(query))


async def check_chain(stage: Stage, numbers: list[str]) -> list[Invoice]:
    """The numbers are these, each invoice stands on the one before, and none was touched."""
    kept = await chain(stage)
    assert [one.number for one in kept] == numbers
    previous, day = GENESIS, date.min
    for one in kept:
        assert one.issued_on
        assert (one.previous_hash, one.hash) == (previous, one.digest(previous))
        assert day <= one.issued_on
        previous, day = one.hash, one.issued_on
    return kept


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


def numbers(stage: Stage, *counted: int) -> list[str]:
    return [f"FAC-{today(stage).year}-{n:06}" for n in counted]


def today(stage: Stage) -> date:
    return stage.now().astimezone(ZoneInfo(FR.zone)).date()


def view(*lines: LineGiven, **fields: Any) -> InvoiceView:
    made = invoice("issued", *lines, **fields)
    made.version, made.created_at, made.updated_at = 1, NOW, NOW
    return made.view()


async def test_a_draft_is_issued(stage: Stage) -> None:
    await stage.given(invoice())
    issued = (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state
    assert (issued.status, issued.number) == ("issued", numbers(stage, 1)[0])
    assert (issued.issued_on, issued.due_on) == (today(stage), today(stage) + timedelta(days=30))
    assert (issued.previous_hash, len(issued.hash or "")) == (GENESIS, 64)
    assert issued.mentions == FR.mentions
    assert issued.for_client()


async def test_numbers_follow_each_other(stage: Stage) -> None:
    await stage.given(*drafts(3))
    for id in ids(3):
        await stage.when(IssueInvoice(invoice_id=id), by=world.marie)
    await check_chain(stage, numbers(stage, 1, 2, 3))


async def test_fifty_that_are_issued_at_once_have_no_gap_and_one_chain(stage: Stage) -> None:
    await stage.given(*drafts(50))
    outcomes = await issued_at_once(stage, ids(50))
    assert [outcome.problem for outcome in outcomes if outcome.problem] == []
    kept = await check_chain(stage, numbers(stage, *range(1, 51)))
    assert {one.id for one in kept} == set(ids(50))


async def test_those_that_are_refused_in_between_leave_no_gap(stage: Stage) -> None:
    mixed = drafts(30)
    for n, one in enumerate(mixed):
        if n % 3 == 0:
            one.buyer = Buyer(name="Léa Martin", address=None)
        if n % 3 == 1:
            one.status = "discarded"
    await stage.given(*mixed)
    # Everyone is asked for twice: the second one comes too late.
    outcomes = await issued_at_once(stage, [*ids(30), *ids(30)])
    codes = [outcome.problem.code if outcome.problem else "" for outcome in outcomes]
    assert {code: codes.count(code) for code in codes} == {
        "": 10,
        "buyer_incomplete": 20,
        "illegal_move": 30,
    }
    await check_chain(stage, numbers(stage, *range(1, 11)))


async def test_an_issue_that_is_rolled_back_loses_no_number(
    stage: Stage,
) -> None:
    await stage.given(*drafts(2))
    first, second = ids(2)
    # The series cannot be written: what was drawn is rolled back with everything else.
    await stage.database.pool.execute("ALTER TABLE invoice_series ADD CONSTRAINT stop CHECK (last < 1)")
    try:
        failed = await stage.when(IssueInvoice(invoice_id=first), by=world.marie)
        assert failed.problem
        assert failed.problem.status == 500
        assert await chain(stage) == []
    finally:
        await stage.database.pool.execute("ALTER TABLE invoice_series DROP CONSTRAINT stop")
    await stage.when(IssueInvoice(invoice_id=second), by=world.marie)
    await check_chain(stage, numbers(stage, 1))


async def test_a_new_year_begins_at_one_and_the_chain_goes_on(stage: Stage) -> None:
    last_year = date(today(stage).year - 1, 12, 31)
    await stage.given(Series(series="FAC", day=last_year, last=41, hash="f" * 64), *drafts(2))
    first, second = await issued_at_once(stage, ids(2))
    assert sorted([first.reply["number"], second.reply["number"]]) == numbers(stage, 1, 2)
    [one, _] = await chain(stage)
    assert (one.previous_hash, one.hash) == ("f" * 64, one.digest("f" * 64))


async def test_dates_never_go_back_where_another_clock_was_ahead(stage: Stage) -> None:
    new_year = date(today(stage).year + 1, 1, 1)
    await stage.given(Series(series="FAC", day=new_year, last=1, hash="f" * 64), invoice())
    issued = (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state
    assert (issued.number, issued.issued_on) == (f"FAC-{new_year.year}-000002", new_year)


def test_what_a_hash_is_made_of_never_changes() -> None:
    made = invoice("issued", line("intermediate"))
    assert made.digest(GENESIS) == "dc49c1a45ccbd6a0eab5dd5e8a52f0ec6205290681e41701b67696ab318b229a"
    for name, value in {
        "number": "FAC-2026-000002",
        "buyer": Buyer(name="Paul", address="Paris"),
        "net": Decimal("84.91"),
        "due_on": date(2026, 4, 11),
        "mentions": [],
    }.items():
        before, whole = getattr(made, name), made.digest(GENESIS)
        setattr(made, name, value)
        assert made.digest(GENESIS) != whole, name
        setattr(made, name, before)
    assert made.digest("1" * 64) != made.digest(GENESIS)


@pytest.mark.parametrize("status", [*ISSUED, "discarded"])
async def test_what_is_issued_or_discarded_does_not_change(stage: Stage, status: InvoiceStatus) -> None:
    await stage.given(invoice(status))
    change = ChangeInvoice(invoice_id=INVOICE, buyer_name="Paul")
    assert refusal(await stage.when(change, by=world.marie)) == (409, "no_draft")
    for command in (issue, discard):
        outcome = await stage.when(command, by=world.marie)
        assert refusal(outcome) == (409, "illegal_move")
        assert outcome.problem
        assert outcome.problem.moves == {
            "issued": ["partly_paid", "paid", "credited"],
            "partly_paid": ["paid", "credited"],
            "paid": ["credited"],
        }.get(status, [])


async def test_a_draft_is_changed_and_its_totals_follow(stage: Stage) -> None:
    await stage.given(invoice(buyer=Buyer(name="Léa", address=None)))
    lines = [line("intermediate", quantity=Decimal(2)), line(covered=100)]
    change = ChangeInvoice(invoice_id=INVOICE, lines=lines)
    changed = (await stage.when(change, by=world.marie)).only(InvoiceChanged).state
    assert (changed.net, changed.tax, changed.total) == (
        Decimal("169.80"),
        Decimal("16.98"),
        Decimal("186.78"),
    )
    assert changed.buyer == Buyer(name="Léa", address=None)

    change = ChangeInvoice(invoice_id=INVOICE, buyer_address="2 rue de l'Exemple, Lyon")
    changed = (await stage.when(change, by=world.marie)).only(InvoiceChanged).state
    assert changed.buyer == Buyer(name="Léa", address="2 rue de l'Exemple, Lyon")
    assert changed.net == Decimal("169.80")
    change = ChangeInvoice(invoice_id=INVOICE, buyer_name="Paul")
    changed = (await stage.when(change, by=world.marie)).only(InvoiceChanged).state
    assert changed.buyer.name == "Paul"


@pytest.mark.parametrize(
    "nothing", [{}, {"buyer_name": None}, {"lines": None}], ids=["nothing", "null", "no lines"]
)
async def test_a_change_says_what_is_to_be_changed(stage: Stage, nothing: dict[str, Any]) -> None:
    await stage.given(invoice())
    change = ChangeInvoice(invoice_id=INVOICE, **nothing)
    assert refusal(await stage.when(change, by=world.marie)) == (422, "invalid")


@pytest.mark.parametrize(
    "lines",
    [
        [line(quantity=Decimal("9999999.99"), unit_price=Decimal("9999999999.99"))],
        [line(description="漢" * 200)] * 60,
    ],
    ids=["amount", "words"],
)
async def test_more_than_an_invoice_can_hold_is_refused(stage: Stage, lines: list[LineGiven]) -> None:
    await stage.given(invoice())
    outcome = await stage.when(ChangeInvoice(invoice_id=INVOICE, lines=lines), by=world.marie)
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    assert [wrong.field for wrong in outcome.problem.errors or []] == ["lines"]


async def test_the_largest_invoice_is_changed_and_issued(stage: Stage) -> None:
    await stage.given(invoice(), Series(series="FAC", day=date(2026, 1, 1), last=0, hash=GENESIS))
    lines = [line("intermediate", description="é" + "e" * 190, covered=1)] * 60
    assert (await stage.when(ChangeInvoice(invoice_id=INVOICE, lines=lines), by=world.marie)).problem is None
    assert (await stage.when(issue, by=world.marie)).problem is None


async def test_a_discarded_draft_is_kept_and_draws_no_number(stage: Stage) -> None:
    await stage.given(*drafts(1), invoice())
    discarded = (await stage.when(discard, by=world.marie)).only(InvoiceDiscarded)
    assert (discarded.reason, discarded.state.reason) == ("geste commercial", "geste commercial")
    assert (discarded.state.status, discarded.state.number) == ("discarded", None)
    assert await stage.database.pool.fetchval("SELECT count(*) FROM invoice") == 2
    await issued_at_once(stage, ids(1))
    await check_chain(stage, numbers(stage, 1))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"buyer": Buyer(name="Léa", address=None)}, "buyer_incomplete"),
        ({"lines": [line(covered=100)]}, "nothing_to_pay"),
    ],
)
async def test_a_draft_is_completed_before_it_is_issued(
    stage: Stage, fields: dict[str, Any], code: str
) -> None:
    lines = fields.pop("lines", [])
    await stage.given(invoice("draft", *lines, **fields))
    assert refusal(await stage.when(issue, by=world.marie)) == (409, code)
    assert await stage.waiting() == []


async def test_the_same_issue_with_the_same_key_has_the_same_answer(stage: Stage) -> None:
    await stage.given(invoice())
    first, again = await asyncio.gather(*(stage.when(issue, by=world.marie, key="k") for _ in range(2)))
    assert first.problem is again.problem is None
    assert first.reply == again.reply
    assert len(await chain(stage)) == 1
    assert refusal(await stage.when(issue, by=world.marie, key="another")) == (409, "illegal_move")


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=["client", "technician"])
@pytest.mark.parametrize("command", [issue, discard, ChangeInvoice(invoice_id=INVOICE, buyer_name="Paul")])
async def test_only_managers_touch_invoices(stage: Stage, who: Actor, command: Any) -> None:
    await stage.given(invoice())
    assert refusal(await stage.when(command, by=who)) == (403, "not_allowed")


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
    task = dict(
        await stage.database.pool.fetchrow(
            "SELECT key, lane, due, message, persons FROM task WHERE use = 'effect'"
        )
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
