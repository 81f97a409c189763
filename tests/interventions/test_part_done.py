"""Where a client withdraws from work that began early as they asked, they owe a part of the agreed price (L221-25)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import world
from given_billing import CERTIFIED, FR, SUPPLY, client, closed, home, line, told_closed
from given_estimates import ESTIMATE, early, event_of
from given_interventions import VALVE, valve, work

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.interventions.estimate import BeginWithdrawal, ConfirmWithdrawal, EstimateWithdrawn
from sav_contracts.interventions.invoice import (
    InvoiceChanged,
    InvoiceDiscarded,
    InvoiceDrafted,
    InvoiceView,
)
from sav_contracts.interventions.line import Discount, LineGiven
from sav_contracts.interventions.visit import InterventionStatus, MadeMove
from sav_interventions.agreed_price import part_done
from sav_interventions.billing import itemised
from sav_interventions.model import Estimate

D = Decimal
LABOUR = LineGiven(kind="labour", description="Remplacement", unit="hour", unit_price=D("50.00"), minutes=120)
HOUR = LABOUR.model_copy(update={"unit_price": D("62.00"), "minutes": 60})
TRAVEL = LineGiven(kind="travel", description="Trajet", unit="km", unit_price=D("0.50"), quantity=D(10))
FIXED = LineGiven(kind="fixed", description="Forfait", unit="flat", unit_price=D("100.00"))
PART = line(article_id=VALVE, unit_price=D("80.00"), discount=D("10.00"))
OTHER = LineGiven(
    kind="other", description="Mise en service", unit="piece", unit_price=D("40.00"), quantity=D(2)
)


@pytest.mark.parametrize(
    ("done", "agreed", "amounts"),
    [
        ([HOUR], [LABOUR], ["50.00"]),
        ([HOUR, HOUR, HOUR], [LABOUR], ["100.00"]),
        ([TRAVEL.model_copy(update={"quantity": D(4)})], [TRAVEL], ["2.00"]),
        ([TRAVEL.model_copy(update={"quantity": D(40)})], [TRAVEL], ["5.00"]),
        ([PART], [PART.model_copy(update={"quantity": D(3)})], ["72.00"]),
        ([PART.model_copy(update={"quantity": D(3)})], [PART], ["72.00"]),
        ([PART], [LABOUR], []),
        ([HOUR], [FIXED], ["62.00"]),
        ([HOUR, HOUR], [FIXED], ["100.00"]),
        ([HOUR, HOUR], [FIXED, FIXED], ["100.00", "24.00"]),
        ([HOUR, HOUR, HOUR], [FIXED, LABOUR], ["100.00", "62.00"]),
        ([HOUR], [OTHER], ["62.00"]),
        ([HOUR, HOUR], [OTHER], ["80.00"]),
        ([], [LABOUR, PART, FIXED], []),
    ],
)
def test_what_is_owed_is_what_was_done_at_the_agreed_prices(
    done: list[LineGiven], agreed: list[LineGiven], amounts: list[str]
) -> None:
    lines = itemised(agreed, None, SUPPLY, FR).lines
    part = itemised(part_done(done, lines, "EUR"), None, SUPPLY, FR)
    assert [one.amount for one in part.lines] == [D(amount) for amount in amounts]


def test_a_part_of_what_was_agreed_by_the_piece_is_no_piece() -> None:
    [line] = part_done([HOUR], itemised([OTHER], None, SUPPLY, FR).lines, "EUR")
    assert (line.quantity, line.unit, line.unit_price) == (D(1), "flat", D("62.00"))


async def billed_once_closed(
    stage: Stage, agreed: Estimate, status: InterventionStatus = "completed"
) -> InvoiceView:
    """The draft of an hour and a half, a valve and 12.5 km that were done after the acceptance."""
    done = stage.now() + timedelta(minutes=1)
    begun = MadeMove(to="in_progress", at=stage.now(), recorded_at=stage.now(), by_id=world.karim.id)
    known: dict[str, Any] = {
        "done_at": done,
        "closed_at": done + timedelta(2),
        "acts": [begun],
        "work": work(),
    }
    visit = closed(**known)
    visit.status = status
    boiler = home(older=True)
    await stage.knows(client(), boiler, valve(), valve(id=boiler.article_id))
    await stage.given(visit, agreed)
    return (await stage.hears(told_closed(closed(**known)))).only(InvoiceDrafted).state


async def billed_after(stage: Stage, *lines: LineGiven, **fields: Any) -> InvoiceView:
    """The draft of what was done before the withdrawal."""
    over = early(lines=list(lines), withdrawn_at=stage.now() + timedelta(days=1), **fields)
    over.status = "withdrawn"
    return await billed_once_closed(stage, over)


async def test_the_draft_is_a_part_of_the_agreed_price_with_its_certification(stage: Stage) -> None:
    draft = await billed_after(stage, LABOUR, supply=CERTIFIED)
    assert [(one.unit_price, one.amount) for one in draft.lines] == [(D("50.00"), D("75.00"))]
    assert [one.rate for one in draft.vat] == [D(10)]
    assert draft.agreed
    assert draft.agreed.net == D("100.00")


async def test_it_is_never_more_than_the_agreed_price(stage: Stage) -> None:
    draft = await billed_after(stage, FIXED.model_copy(update={"unit_price": D("10.00")}))
    assert draft.net == D("10.00")


async def test_a_discount_of_the_whole_is_a_part_too(stage: Stage) -> None:
    draft = await billed_after(stage, LABOUR, discount=Discount(label="Remise", amount=D("20.00")))
    assert draft.discount
    assert (draft.discount.amount, draft.net) == (D("15.00"), D("60.00"))


async def withdrawn(stage: Stage) -> Outcome:
    """What follows once the client withdraws from work that was left incomplete, and billed."""
    for step in (BeginWithdrawal(estimate_id=ESTIMATE), ConfirmWithdrawal(estimate_id=ESTIMATE)):
        outcome = await stage.when(step, by=world.lea)
    return await stage.hears(enveloped(outcome.only(EstimateWithdrawn)))


async def test_the_draft_of_incomplete_work_becomes_that_part_with_the_withdrawal(stage: Stage) -> None:
    agreed = early(lines=[LABOUR], discount=Discount(label="Remise", amount=D("20.00")))
    draft = await billed_once_closed(stage, agreed, "incomplete")
    changed = event_of(await withdrawn(stage), InvoiceChanged).state
    assert draft.net > changed.net == D("60.00")
    assert (changed.id, [one.amount for one in changed.lines]) == (draft.id, [D("75.00")])


async def test_where_nothing_of_what_was_agreed_was_done_the_draft_is_discarded(stage: Stage) -> None:
    another = PART.model_copy(update={"article_id": ESTIMATE})
    draft = await billed_once_closed(stage, early(lines=[another]), "incomplete")
    gone = event_of(await withdrawn(stage), InvoiceDiscarded)
    assert (gone.state.id, gone.reason) == (draft.id, "Rien de ce qui était convenu n’a été fait.")
