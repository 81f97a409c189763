"""Overdue invoices: marked by a timer, reminded of by policy, told once each, and over when they are paid."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import world
from given_billing import FR, INVOICE, invoice, issue
from given_views import a

from sav_chassis.testing import Outcome, Stage
from sav_contracts.auth.policy import Dunning, PolicyView
from sav_contracts.interventions.credit_note import CreditInvoice
from sav_contracts.interventions.dunning import InvoiceOverdue, InvoiceReminded
from sav_contracts.interventions.invoice import InvoiceIssued, InvoiceView
from sav_contracts.interventions.payment import RecordPayment

PARIS = ZoneInfo(FR.zone)
YEAR = timedelta(days=400)


def pay(amount: str) -> RecordPayment:
    return RecordPayment(invoice_id=INVOICE, method="transfer", amount=Decimal(amount))


async def issued(stage: Stage) -> InvoiceView:
    await stage.given(invoice())
    return (await stage.when(issue, by=world.marie)).only(InvoiceIssued).state


def morning(of: InvoiceView, days: int) -> datetime:
    """Nine o'clock in Paris, so many days after the due day."""
    assert of.due_on
    return datetime.combine(of.due_on + timedelta(days=days), time(9), PARIS)


async def with_policy(stage: Stage, *days: int) -> None:
    value = Dunning(reminder_days=days).model_dump(mode="json")
    await stage.knows(a(PolicyView, Dunning.id(), name="dunning", value=value))


def told(outcome: Outcome) -> list[Any]:
    """What is told of the invoice; other timers of the room run too."""
    return [
        (event.level, event.last) if isinstance(event, InvoiceReminded) else type(event).__name__
        for event in outcome.events
        if isinstance(event, InvoiceReminded | InvoiceOverdue)
    ]


async def test_an_invoice_is_overdue_the_morning_after_its_due_day(stage: Stage) -> None:
    of = await issued(stage)
    assert (await stage.passes(morning(of, 1) - timedelta(seconds=2))).events == []
    late = (await stage.passes(morning(of, 1) + timedelta(seconds=2))).only(InvoiceOverdue).state
    assert (late.overdue, late.status, late.reminders) == (True, "issued", 0)
    assert late.for_client()


async def test_the_client_is_reminded_once_for_each_day_of_the_policy(stage: Stage) -> None:
    of = await issued(stage)
    await stage.passes(morning(of, 1) + timedelta(hours=1))
    first = await stage.passes(morning(of, 7) + timedelta(hours=1))
    assert told(first) == [(1, False)]
    assert told(await stage.passes(morning(of, 21) + timedelta(hours=1))) == [(2, False)]
    assert told(await stage.passes(morning(of, 45) + timedelta(hours=1))) == [(3, True)]
    assert told(await stage.passes(YEAR)) == []
    assert [one for one in await stage.waiting() if one.function == "remind_of_invoice"] == []


async def test_the_days_are_a_policy(stage: Stage) -> None:
    await with_policy(stage, 3)
    of = await issued(stage)
    assert told(await stage.passes(morning(of, 4))) == ["InvoiceOverdue", (1, True)]
    assert told(await stage.passes(YEAR)) == []


async def test_a_policy_that_was_shortened_ends_the_reminders(stage: Stage) -> None:
    of = await issued(stage)
    assert told(await stage.passes(morning(of, 8))) == ["InvoiceOverdue", (1, False)]
    await with_policy(stage, 7)
    assert told(await stage.passes(YEAR)) == []


async def test_without_reminders_an_invoice_is_only_marked(stage: Stage) -> None:
    await with_policy(stage)
    await issued(stage)
    assert told(await stage.passes(YEAR)) == ["InvoiceOverdue"]


async def test_what_was_missed_is_told_one_morning_after_the_other(stage: Stage) -> None:
    of = await issued(stage)
    assert told(await stage.passes(morning(of, 1))) == ["InvoiceOverdue"]
    # Nothing runs for a hundred days.
    stage.ahead += timedelta(days=100)
    missed = await stage.passes(timedelta(seconds=1))
    assert told(missed) == [(1, False)]
    assert told(await stage.passes(timedelta(days=1))) == [(2, False)]
    assert told(await stage.passes(timedelta(days=1))) == [(3, True)]


@pytest.mark.parametrize("paid_late", [False, True], ids=["in time", "late"])
async def test_a_paid_invoice_is_not_reminded_of(stage: Stage, paid_late: bool) -> None:
    of = await issued(stage)
    if paid_late:
        await stage.passes(morning(of, 8))
    paid = await stage.when(pay("101.88"), by=world.marie)
    after = paid.events[-1].state
    assert isinstance(after, InvoiceView)
    assert (after.status, after.overdue) == ("paid", False)
    assert told(await stage.passes(YEAR)) == []


async def test_a_part_that_is_paid_leaves_the_rest_overdue(stage: Stage) -> None:
    of = await issued(stage)
    await stage.passes(morning(of, 8))
    after = (await stage.when(pay("50.00"), by=world.marie)).events[-1].state
    assert isinstance(after, InvoiceView)
    assert (after.overdue, after.reminders, after.balance) == (True, 1, Decimal("51.88"))
    assert told(await stage.passes(morning(of, 22))) == [(2, False)]


async def test_a_credited_invoice_is_not_reminded_of(stage: Stage) -> None:
    of = await issued(stage)
    await stage.passes(morning(of, 2))
    credited = await stage.when(CreditInvoice(invoice_id=INVOICE, reason="erreur"), by=world.marie)
    after = credited.events[-1].state
    assert isinstance(after, InvoiceView)
    assert (after.status, after.overdue) == ("credited", False)
    assert told(await stage.passes(YEAR)) == []


@pytest.mark.parametrize("days", [(7, 7), (21, 7)])
def test_the_days_of_the_policy_are_in_order(days: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="larger than the one before"):
        Dunning(reminder_days=days)
