"""Invoices: completed, discarded, issued under gapless numbers that are chained."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import world
from given_billing import CERTIFIED, FR, INVOICE, invoice, issue, line
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.interventions.invoice import (
    Buyer,
    ChangeInvoice,
    DiscardInvoice,
    InvoiceChanged,
    InvoiceDiscarded,
    InvoiceIssued,
    InvoiceStatus,
    IssueInvoice,
)
from sav_contracts.interventions.line import Discount, LineGiven
from sav_interventions.model import Invoice
from sav_interventions.model.invoice import GENESIS, Series
from sav_ops.verify.invoices import is_as_issued

discard = DiscardInvoice(invoice_id=INVOICE, reason="geste commercial")
ISSUED: list[InvoiceStatus] = ["issued", "partly_paid", "paid", "credited"]


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
        assert one.hash
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


async def test_a_draft_is_issued(stage: Stage) -> None:
    await stage.given(invoice())
    issued = (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state
    assert (issued.status, issued.number) == ("issued", numbers(stage, 1)[0])
    assert (issued.issued_on, issued.due_on) == (today(stage), today(stage) + timedelta(days=30))
    assert (issued.previous_hash, len(issued.hash or "")) == (GENESIS, 64)
    assert issued.mentions == [*FR.mentions, *FR.private_mentions]
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
    # As it was made before anything was known of supplies: old invoices keep their hashes.
    [total] = made.vat
    mention = "Travaux dans un logement achevé depuis plus de deux ans (CGI, art. 279-0 bis)."
    made.lines = [one.model_copy(update={"wanted": None}) for one in made.lines]
    made.vat, made.supply = [total.model_copy(update={"mention": mention})], None
    made.mentions = ["Pas d'escompte pour paiement anticipé.", *made.mentions[1:]]
    assert made.digest(GENESIS) == "dc49c1a45ccbd6a0eab5dd5e8a52f0ec6205290681e41701b67696ab318b229a"
    for name, value in {
        "number": "FAC-2026-000002",
        "buyer": Buyer(name="Paul", address="Paris"),
        "net": Decimal("84.91"),
        "due_on": date(2026, 4, 11),
        "mentions": [],
        "supply": CERTIFIED,
        "discount": Discount(label="Geste", amount=Decimal("1.00")),
        "stamp": Decimal("1.00"),
        "order_reference": "CMD-2026-000001",
    }.items():
        before, whole = getattr(made, name), made.digest(GENESIS)
        setattr(made, name, value)
        assert made.digest(GENESIS) != whole, name
        setattr(made, name, before)
    assert made.digest("1" * 64) != made.digest(GENESIS)


@pytest.mark.parametrize("with_order", [True, False], ids=["today", "before orders were hashed"])
def test_the_invoice_of_a_purchase_is_the_one_that_was_issued(with_order: bool) -> None:
    made = invoice("issued")
    made.order_reference, made.previous_hash = "CMD-2026-000001", GENESIS
    made.hash = made.digest(GENESIS, with_order)
    assert is_as_issued(made)
    made.order_reference = "CMD-2026-000002"
    assert is_as_issued(made) is not with_order
    made.net += 1
    assert not is_as_issued(made)


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
