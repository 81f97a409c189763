"""Whatever is paid, used, paid back, disputed and closed, in any order: the ledger, balances, credits and closings agree."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import world
from given_billing import INVOICE, client, invoice
from given_payments import ledger, pay, signed
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from in_loop import run

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.client_credit import RecordOnAccount, RefundCredit, UseCredit
from sav_contracts.interventions.payment import RefundPayment, StartCheckout
from sav_ops.verify.invoices import UNPAID
from sav_ops.verify.payments import CREDITS, LEFT_OVER, PAYMENTS, SUMS

OTHER = UUID(int=701)
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


async def does(stage: Stage, what: str, pick: int, amount: Decimal | None) -> Outcome | None:
    """One step of a story; None where there is nothing yet to do it with."""
    of = (INVOICE, OTHER)[pick % 2]
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
    for statement in (UNPAID, PAYMENTS, CREDITS, LEFT_OVER, SUMS):
        assert [dict(row) for row in await stage.database.pool.fetch(statement)] == []
    entries = await ledger(stage)
    open_ones = "SELECT coalesce(sum(amount), 0) FROM ledger_entry WHERE entered_on > (SELECT closed_until FROM ledger)"
    days = "SELECT coalesce(sum(total), 0) FROM closing WHERE period = 'day'"
    closed, still_open = [await stage.database.pool.fetchval(query) for query in (days, open_ones)]
    assert closed + (still_open or 0) == sum((amount for _, amount in entries), Decimal(0))


async def test_balances_credits_the_ledger_and_closings_always_agree(stage: Stage) -> None:
    done: Counter[str] = Counter()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(story=st.lists(steps, min_size=3, max_size=14))
    @example(story=USUAL)
    async def happens(story: list[tuple[str, int, Decimal | None]]) -> None:
        await stage.clear()
        await stage.knows(client())
        await stage.given(invoice("issued"), invoice("issued", number=2, id=OTHER))
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
        "day",
    }
    assert wanted - {what for what, times in done.items() if times} == set()
