"""Whatever is issued, credited, paid, used, paid back, disputed and closed, in any order: lines, rates, balances, credits,
the ledger and its closings agree."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import world
from given_billing import INVOICE, client, invoice, line
from given_interventions import VISIT, visit
from given_payments import ledger, pay, signed
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from in_loop import run
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.client_credit import RecordOnAccount, RefundCredit, UseCredit
from sav_contracts.interventions.credit_note import CreditInvoice
from sav_contracts.interventions.invoice import IssueInvoice
from sav_contracts.interventions.line import Discount
from sav_contracts.interventions.payment import RefundPayment, StartCheckout
from sav_interventions.deposits import deposit_lines
from sav_interventions.model import CreditNote, Invoice
from sav_interventions.model.invoice import GENESIS
from sav_ops.verify.invoices import CREDITED, DEDUCTED, UNPAID, credit_sums, sums
from sav_ops.verify.payments import CREDITS, LEFT_OVER, PAYMENTS, SUMS

OTHER, DEPOSIT, FINAL = (UUID(int=700 + n) for n in (1, 2, 3))
INVOICES = (INVOICE, OTHER, DEPOSIT, FINAL)
NEWS = ("captured", "failed", "expired", "refunded", "disputed", "dispute_won", "dispute_lost")
amounts = st.integers(1, 15_000).map(lambda cents: Decimal(cents) / 100)
picks = st.integers(0, 1000)
steps = st.one_of(
    st.tuples(st.just("pay"), picks, amounts),
    st.tuples(st.just("account"), picks, amounts),
    st.tuples(st.just("use"), picks, st.none() | amounts),
    st.tuples(st.just("refund"), picks, st.none() | amounts),
    st.tuples(st.just("back"), picks, st.none() | amounts),
    st.tuples(st.just("checkout"), picks, st.none()),
    st.tuples(st.sampled_from(NEWS), picks, st.none() | amounts),
    st.tuples(st.just("issue"), st.sampled_from([2, 3]), st.none()),
    st.tuples(st.just("credit"), picks, st.none() | amounts),
    st.tuples(st.just("day"), st.integers(1, 3), st.none()),
)
USUAL = [
    ("pay", 0, Decimal("150.00")),
    ("use", 1, None),
    ("refund", 1, Decimal("20.00")),
    ("day", 1, None),
    ("checkout", 0, None),
    ("captured", 0, None),
    ("disputed", 0, None),
    ("day", 1, None),
    ("pay", 0, Decimal("60.00")),
    ("dispute_won", 0, None),
    ("back", 0, None),
    ("account", 0, Decimal("5.00")),
    ("refunded", 0, Decimal("10.00")),
]
# A deposit and the final invoice that deducts it, both credited in the end; what was paid is used and paid back.
CASE = [
    ("issue", 2, None),
    ("pay", 2, Decimal("40.00")),
    ("credit", 2, Decimal("5.00")),
    ("issue", 3, None),
    ("pay", 3, Decimal("120.00")),
    ("credit", 3, Decimal("10.00")),
    ("credit", 7, Decimal("84.90")),
    ("credit", 2, None),
    ("credit", 3, None),
    ("credit", 2, None),
    ("use", 1, Decimal("50.00")),
    ("refund", 0, Decimal("5.00")),
    ("back", 0, None),
    ("day", 1, None),
]
# A payment online of which a part is credit, disputed in two parts; one of them comes back, and refunds are told meanwhile.
PARTS = [
    ("checkout", 0, None),
    ("pay", 0, Decimal("60.00")),
    ("captured", 0, None),
    ("use", 1, Decimal("20.00")),
    ("disputed", 0, Decimal("50.00")),
    ("refunded", 0, Decimal("10.00")),
    ("credit", 0, Decimal("5.00")),
    ("disputed", 0, Decimal("30.00")),
    ("dispute_won", 0, Decimal("50.00")),
    ("dispute_lost", 0, Decimal("30.00")),
    ("credit", 0, None),
]
RECEIVED = """
SELECT coalesce(sum(amount - credited - refunded - disputed), 0) FROM payment
WHERE invoice_id = $1 AND status IN ('captured', 'partly_refunded', 'refunded', 'disputed')"""


async def begins(stage: Stage) -> None:
    """Two issued invoices, and the drafts of a deposit and of the final invoice of one visit."""
    await stage.clear()
    await stage.knows(client())
    lines, off = (line("standard"), line("intermediate")), Discount(label="Remise", percent=Decimal(5))
    asked = deposit_lines(invoice("draft", *lines, discount=off).vat, 30, "EUR", "fr")
    await stage.given(visit("completed"))
    await stage.given(
        invoice("draft"),
        invoice("draft", id=OTHER),
        invoice("draft", *asked, id=DEPOSIT, deposit=True, intervention_id=VISIT),
        invoice("draft", *lines, id=FINAL, discount=off, intervention_id=VISIT),
    )
    for id in INVOICES[:2]:
        assert (await stage.when(IssueInvoice(invoice_id=id), by=world.marie)).problem is None


async def does(stage: Stage, what: str, pick: int, amount: Decimal | None) -> Outcome | None:
    """One step of a story; None where there is nothing yet to do it with."""
    of = INVOICES[pick % 4]
    if what == "issue":
        return await stage.when(IssueInvoice(invoice_id=of), by=world.marie)
    if what == "credit":
        lines = [{"line": 1 + pick // 4 % 2, "amount": amount}] if amount else None
        asked = {"invoice_id": of, "lines": lines, "reason": "un geste"}
        return await stage.when(CreditInvoice.model_validate(asked), by=world.marie)
    if what == "pay" and amount:
        return await stage.when(pay(str(amount), invoice_id=of), by=world.marie)
    if what == "account" and amount:
        message: Any = RecordOnAccount(client_id=world.lea.id, method="cheque", amount=amount)
        return await stage.when(message, by=world.marie)
    if what == "checkout":
        return await stage.when(StartCheckout(invoice_id=of), by=world.lea)
    if what == "day":
        return await stage.passes(timedelta(days=pick))
    table = "client_credit" if what in {"use", "back"} else "payment"
    where = "WHERE provider IS NOT NULL" if what in NEWS else ""
    ids = [
        row["id"]
        for row in await stage.database.pool.fetch(f"SELECT id FROM {table} {where} ORDER BY 1 DESC")
    ]
    if not ids:
        return None
    id = ids[pick % len(ids)]
    if what in NEWS:
        return await stage.when(
            signed(
                stage, what, id, id=f"{pick} {amount} {what}", amount=None if what == "captured" else amount
            )
        )
    if what == "use":
        message = UseCredit(client_credit_id=id, invoice_id=of, amount=amount)
    elif what == "back":
        message = RefundCredit(client_credit_id=id, amount=amount, reason="trop-perçu")
    else:
        message = RefundPayment(payment_id=id, amount=amount, reason="un geste")
    return await stage.when(message, by=world.marie)


async def agrees(stage: Stage) -> None:
    """The checks of `sav verify`, and that closings and what is not closed yet are all that was entered."""
    for statement in (UNPAID, PAYMENTS, CREDITS, LEFT_OVER, SUMS, CREDITED, DEDUCTED):
        assert [dict(row) for row in await stage.database.pool.fetch(statement)] == []
    await papers_agree(stage)
    entries = await ledger(stage)
    open_ones = "SELECT coalesce(sum(amount), 0) FROM ledger_entry WHERE entered_on > (SELECT closed_until FROM ledger)"
    days = "SELECT coalesce(sum(total), 0) FROM closing WHERE period = 'day'"
    closed, still_open = [await stage.database.pool.fetchval(query) for query in (days, open_ones)]
    assert closed + (still_open or 0) == sum((amount for _, amount in entries), Decimal(0))


async def papers_agree(stage: Stage) -> None:
    """Lines make the totals of each rate, what is not credited, deducted or paid is the balance, and both chains hold."""
    async with AsyncSession(stage.database.engine) as session:
        invoices = list(await session.scalars(select(Invoice).order_by(Invoice.number)))
        notes = list(await session.scalars(select(CreditNote).order_by(CreditNote.number)))
    assert [*(wrong for one in invoices for wrong in sums(one))] == []
    assert [*(wrong for note in notes for wrong in credit_sums(note))] == []
    for one in invoices:
        its = [note for note in notes if note.invoice_id == one.id]
        received = await stage.database.pool.fetchval(RECEIVED, one.id)
        deducted = sum((deposit.total for deposit in one.deposits), Decimal(0))
        left = one.total - deducted - sum((note.amount for note in its), Decimal(0)) - received
        assert (one.balance, one.overpaid) == (left, Decimal(0)), (one.id, one.status)
        if one.status == "credited":
            given_back = [(rate.vat_class, rate.base, rate.vat) for note in its for rate in note.vat]
            for rate in one.vat:
                of_rate = [(base, vat) for vat_class, base, vat in given_back if vat_class == rate.vat_class]
                assert [sum(amounts) for amounts in zip(*of_rate, strict=True)] == [rate.base, rate.vat]
    for issued in ([one for one in invoices if one.number], notes):
        hashes = [GENESIS, *(paper.hash for paper in issued)]
        assert [paper.previous_hash for paper in issued] == hashes[:-1]
        assert [paper.digest(paper.previous_hash or "") for paper in issued] == hashes[1:]


async def test_balances_credits_the_ledger_and_closings_always_agree(stage: Stage) -> None:
    done: Counter[str] = Counter()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(story=st.lists(steps, min_size=3, max_size=14))
    @example(story=USUAL)
    @example(story=CASE)
    @example(story=PARTS)
    async def happens(story: list[tuple[str, int, Decimal | None]]) -> None:
        await begins(stage)
        for step in story:
            outcome = await does(stage, *step)
            if outcome is None:
                continue
            # News that come before their payment are told again: 404.
            assert outcome.problem is None or outcome.problem.status in {404, 409, 422}, (step, outcome)
            done[step[0]] += bool(outcome.events)
            await agrees(stage)

    await run(happens)
    wanted = {
        "pay",
        "account",
        "use",
        "refund",
        "back",
        "checkout",
        "captured",
        "disputed",
        "dispute_won",
        "dispute_lost",
        "day",
        "issue",
        "credit",
    }
    assert wanted - {what for what, times in done.items() if times} == set()
