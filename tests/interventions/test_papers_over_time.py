"""Whatever is issued, deducted, credited and paid in whatever order: what a client owes adds up to the cent."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import world
from given_billing import client, invoice, line
from given_interventions import PRODUCT, VISIT, visit
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from in_loop import run
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.model import Aggregate
from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.credit_note import CreditInvoice
from sav_contracts.interventions.invoice import IssueInvoice
from sav_contracts.interventions.line import Discount
from sav_contracts.interventions.payment import RecordPayment
from sav_contracts.interventions.statement import GetStatement, Statement
from sav_interventions.deposits import deposit_lines
from sav_interventions.model import ClientCredit, CreditNote, Invoice, Payment

A = TypeVar("A", bound=Aggregate)
D = Decimal
OFF = Discount(label="Remise", percent=D("5.00"))
# The first case of the law's page.
LINES = [
    line("intermediate", unit_price=D("93.00")),
    line("intermediate", unit_price=D("48.90")),
    line("intermediate", unit_price=D("35.00")),
    line("standard", unit_price=D("129.90")),
]
# What is done, to which invoice, to which line (0: all), and how much of what is left, in percent.
Step = tuple[str, int, int, int]
STEPS = st.tuples(
    st.sampled_from(["deposit", "final", "credit", "credit", "pay", "pay"]),
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(1, 100),
)
OF_A_LIFE: list[Step] = [
    ("deposit", 0, 0, 30),
    ("pay", 0, 0, 100),
    ("credit", 0, 1, 40),
    ("final", 0, 0, 1),
    ("credit", 1, 2, 100),
    ("pay", 1, 0, 50),
    ("credit", 1, 0, 100),
    ("credit", 0, 0, 100),
    ("final", 0, 0, 1),
]


async def stored(stage: Stage, model: type[A]) -> Sequence[A]:
    async with AsyncSession(stage.database.engine) as session:
        return (await session.scalars(select(model).order_by(model.id))).all()


async def happens(stage: Stage, step: Step, place: int) -> Outcome | None:
    """What a manager does; None where there is nothing to do it to."""
    what, which, number, share = step
    invoices = [one for one in await stored(stage, Invoice) if one.number]
    id = UUID(int=5000 + place)
    if what in ("deposit", "final"):
        agreed = invoice("draft", *LINES, discount=OFF).vat
        lines = deposit_lines(agreed, min(share, 40), "EUR", "fr") if what == "deposit" else LINES
        discount = None if what == "deposit" else OFF
        # Of final ones there is one at a time, as the reactions make them.
        if what == "final" and any(not one.deposit and one.status != "credited" for one in invoices):
            return None
        drafted = invoice(
            "draft", *lines, id=id, discount=discount, deposit=what == "deposit", intervention_id=VISIT
        )
        await stage.given(drafted)
        issued = await stage.when(IssueInvoice(invoice_id=id), by=world.marie)
        if issued.problem:
            await stage.database.pool.execute("UPDATE invoice SET status = 'discarded' WHERE id = $1", id)
        return issued
    if not invoices:
        return None
    of = invoices[which % len(invoices)]
    if what == "pay":
        amount = max((of.balance * share / 100).quantize(D("0.01")), D("0.01"))
        pay = RecordPayment(invoice_id=of.id, method="transfer", amount=amount)
        return await stage.when(pay, by=world.marie)
    some: list[dict[str, Any]] | None = [{"line": min(number, len(of.lines))}] if number else None
    if some and share < 100:
        whole = of.lines[some[0]["line"] - 1].amount
        some[0]["amount"] = max((whole * share / 100).quantize(D("0.01")), D("0.01"))
    credit = CreditInvoice.model_validate({"invoice_id": of.id, "lines": some, "reason": "geste"})
    return await stage.when(credit, by=world.marie)


async def check(stage: Stage) -> None:
    """Every sum that must hold, from what is stored."""
    invoices = [one for one in await stored(stage, Invoice) if one.number]
    notes, payments = await stored(stage, CreditNote), await stored(stage, Payment)
    for one in invoices:
        of_it = [note for note in notes if note.invoice_id == one.id]
        assert one.credited == sum((note.amount for note in of_it), D(0))
        assert one.paid == sum((paid.counted for paid in payments if paid.invoice_id == one.id), D(0))
        assert one.overpaid == 0, "what is too much is the client's credit"
        assert one.balance - one.overpaid == one.payable - one.credited - one.paid
        assert one.balance >= 0
        assert (one.status == "credited") == any(note.whole for note in of_it)
        if one.status == "credited":
            # For each rate the notes give back what was invoiced, and the deposits stay.
            for rate in one.vat:
                back = [total for note in of_it for total in note.vat if total.vat_class == rate.vat_class]
                assert sum((total.base for total in back), D(0)) == rate.base
                assert sum((total.vat for total in back), D(0)) == rate.vat
            assert one.credited == one.payable
        elif one.status == "paid":
            assert one.balance == 0
        for named in one.deposits:
            [deposit] = [other for other in invoices if other.id == named.invoice_id]
            if one.status != "credited":
                assert deposit.deducted_in == one.id
                assert named.total == deposit.payable - deposit.credited
    counted = [one for one in invoices if not one.deposit and one.status != "credited"]
    named_ids = [named.invoice_id for one in counted for named in one.deposits]
    assert len(named_ids) == len(set(named_ids)), "a deposit was deducted twice"
    found = await stage.when(
        GetStatement(client_id=world.lea.id, start=date(2020, 1, 1), end=date(2029, 1, 1)), by=world.lea
    )
    accounts = Statement.model_validate(found.reply).accounts
    owed = sum((one.balance for one in invoices), D(0))
    owed -= sum((one.remaining for one in await stored(stage, ClientCredit)), D(0))
    assert sum((account.closing for account in accounts), D(0)) == owed
    assert sum((account.ageing.total for account in accounts), D(0)) == sum(
        (one.balance for one in invoices if one.status in ("issued", "partly_paid")), D(0)
    )


async def test_what_a_client_owes_adds_up_whatever_happens(stage: Stage) -> None:
    refusals: set[str] = set()
    reached: set[tuple[str, bool]] = set()

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(story=st.lists(STEPS, min_size=3, max_size=9))
    @example(story=OF_A_LIFE)
    async def tells(story: list[Step]) -> None:
        await stage.clear()
        await stage.knows(client())
        await stage.given(visit("planned", product_id=PRODUCT, purpose="repair", overdue=False, assignment=1))
        for place, step in enumerate(story):
            outcome = await happens(stage, step, place)
            if outcome and outcome.problem:
                assert outcome.problem.status in (409, 422), outcome.problem
                refusals.add(outcome.problem.code)
            await check(stage)
            reached.update((one.status, bool(one.deposits)) for one in await stored(stage, Invoice))

    await run(tells)
    assert refusals <= {
        *("illegal_move", "invalid", "all_credited", "deducted_already", "more_than_invoiced"),
        *("deposits_exceed", "invoiced_already"),
    }
    # A final invoice with a deposit was credited as a whole, and the next one deducted nothing of it twice.
    assert {("credited", True), ("issued", False)} <= reached
