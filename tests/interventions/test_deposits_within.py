"""Deposits are held within what the client pays of the accepted estimate: all of its case, whoever asked how."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_billing import CERTIFIED, INVOICE, client, closed, home, invoice, line, told_closed, told_decided
from given_estimates import ESTIMATE, billed, estimate, refusal, right, wrong_fields
from given_interventions import COVERED, RECLAMATION, VISIT, valve
from given_views import a
from hypothesis import example
from hypothesis import given as given_by
from hypothesis import strategies as st

from sav_chassis.testing import Outcome, Stage
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.claims.reclamation import ReclamationMoved, ReclamationStatus, ReclamationView
from sav_contracts.interventions.deposit import DraftDeposit, DraftEstimateDeposit
from sav_contracts.interventions.estimate import Acceptance
from sav_contracts.interventions.invoice import (
    Agreed,
    ChangeInvoice,
    DepositLeftOver,
    InvoiceDiscarded,
    InvoiceDrafted,
    InvoiceIssued,
    InvoiceView,
    IssueInvoice,
)
from sav_contracts.interventions.line import LineGiven, VatTotal
from sav_contracts.interventions.payment import CheckoutStarted, StartCheckout
from sav_contracts.money import rounded
from sav_interventions.deposits import deposit_lines
from sav_interventions.model import Estimate, Invoice

D = Decimal
DEPOSIT, EARLIER, NEXT = UUID(int=701), UUID(int=801), UUID(int=199)
MOSTLY_PAID = Warranty.of_shares(75, 75, 75, why="decided_by_manager")
EXCEED = (409, "deposits_exceed")
OF_IT = Agreed(estimate_id=ESTIMATE, estimate="DEV-2026-000001", net=D("100.00"))


def worth(net: str) -> list[LineGiven]:
    return [line(unit_price=D(net))]


def accepted(net: str = "100.00", status: Any = "accepted", **fields: Any) -> Estimate:
    """At a distance: it may be paid at once."""
    at = Acceptance(at=datetime.now(UTC) - timedelta(hours=1), how="site")
    usual: dict[str, Any] = {"lines": worth(net), "withdrawal": right(setting="at_distance"), "accepted": at}
    return estimate(status, **(usual | fields))


def part(net: str, status: str = "issued", **fields: Any) -> Invoice:
    """A deposit of so much, excluding VAT."""
    usual: dict[str, Any] = {"id": DEPOSIT, "number": 5, "deposit": True, "intervention_id": VISIT}
    return invoice(status, *worth(net), **(usual | fields))


async def given(stage: Stage, *records: Any, **visit: Any) -> None:
    await stage.knows(client(), home(older=False))
    await stage.given(billed(**({"status": "planned"} | visit)), *records)


async def of_estimate(stage: Stage, percent: int) -> Outcome:
    return await stage.when(DraftEstimateDeposit(estimate_id=ESTIMATE, percent=percent), by=world.marie)


async def of_visit(stage: Stage, percent: int, net: str) -> Outcome:
    asked = DraftDeposit(intervention_id=VISIT, percent=percent, lines=worth(net))
    return await stage.when(asked, by=world.marie)


def drafted(outcome: Outcome) -> InvoiceView:
    return outcome.only(InvoiceDrafted).state


async def issues(stage: Stage, id: UUID) -> Outcome:
    return await stage.when(IssueInvoice(invoice_id=id), by=world.marie)


async def ended(stage: Stage, status: ReclamationStatus, now: ReclamationStatus | None = None) -> Outcome:
    """What follows once a réclamation has this state; `now`: it has another one by the time that this is heard."""
    state = a(ReclamationView, RECLAMATION, status=status, assignment=0)
    later = {"status": now, "version": state.version + 1} if now else {}
    await stage.knows(state.model_copy(update=later))
    return await stage.hears(ReclamationMoved(state=state, before="assigned", after=status))


def left_over(outcome: Outcome) -> list[UUID]:
    return [one.state.id for one in outcome.events if isinstance(one, DepositLeftOver)]


async def test_a_deposit_of_lines_is_no_more_than_the_accepted_estimate(stage: Stage) -> None:
    await given(stage, accepted())
    assert wrong_fields(await of_visit(stage, 100, "9999.00")) == ["percent"]
    assert drafted(await of_visit(stage, 100, "100.00")).net == D("100.00")
    outcome = await of_estimate(stage, 1)
    assert wrong_fields(outcome) == ["percent"]
    assert "at most 0.00 EUR is left, 0.00 EUR including VAT" in str(outcome.problem)


async def test_a_deposit_asks_no_more_of_a_rate_than_the_estimate_has(stage: Stage) -> None:
    both = [line("intermediate", unit_price=D("80.00")), *worth("20.00")]
    await given(stage, accepted(lines=both, supply=CERTIFIED))
    outcome = await of_visit(stage, 100, "20.01")
    assert wrong_fields(outcome) == ["percent"]
    assert "20.00 EUR" in str(outcome.problem)
    draft = drafted(await of_visit(stage, 100, "20.00"))
    shifted = ChangeInvoice(invoice_id=draft.id, lines=worth("21.00"))
    assert wrong_fields(await stage.when(shifted, by=world.marie)) == ["lines"]
    lower = ChangeInvoice(invoice_id=draft.id, lines=[line("intermediate", unit_price=D("20.00"))])
    assert (await stage.when(lower, by=world.marie)).problem is None
    back = ChangeInvoice(invoice_id=draft.id, lines=[line("intermediate", unit_price=D("80.01"))])
    assert wrong_fields(await stage.when(back, by=world.marie)) == ["lines"]


async def test_what_is_certified_after_the_estimate_holds_for_its_deposit(stage: Stage) -> None:
    older = CERTIFIED.model_copy(update={"certified": False})
    await given(stage, accepted(lines=[line("intermediate", unit_price=D("100.00"))], supply=older))
    certified = DraftDeposit(intervention_id=VISIT, percent=30, lines=[line("intermediate")], certified=True)
    assert [one.rate for one in drafted(await stage.when(certified, by=world.marie)).vat] == [D(10)]


async def test_both_routes_count_together(stage: Stage) -> None:
    await given(stage, accepted())
    drafted(await of_estimate(stage, 60))
    assert wrong_fields(await of_visit(stage, 41, "100.00")) == ["percent"]
    assert drafted(await of_visit(stage, 40, "100.00")).net == D("40.00")


async def test_nor_is_one_changed_or_issued_beyond_it(stage: Stage) -> None:
    await given(stage, accepted())
    first, second = drafted(await of_estimate(stage, 50)), drafted(await of_estimate(stage, 50))
    more = ChangeInvoice(invoice_id=first.id, lines=worth("100.00"))
    assert wrong_fields(await stage.when(more, by=world.marie)) == ["lines"]
    less = ChangeInvoice(invoice_id=first.id, lines=worth("49.00"))
    assert (await stage.when(less, by=world.marie)).problem is None
    # As one that was changed before this was checked.
    await stage.given(part("51.00"))
    assert refusal(await issues(stage, second.id)) == EXCEED
    (await issues(stage, first.id)).only(InvoiceIssued)


async def test_deposits_of_an_earlier_edition_count_too(stage: Stage) -> None:
    before = accepted("1000.00", "superseded", id=EARLIER, answer_grant=None, edition=2)
    of_it = Agreed(estimate_id=EARLIER, estimate="DEV-2026-000001", net=D("1000.00"))
    await given(stage, before, accepted("300.00"), part("200.00", agreed=of_it))
    assert wrong_fields(await of_estimate(stage, 50)) == ["percent"]
    rest = drafted(await of_estimate(stage, 33))
    assert rest.net == D("99.00")
    (await issues(stage, rest.id)).only(InvoiceIssued)


async def test_a_draft_of_an_earlier_edition_is_not_issued_beyond_the_new_one(stage: Stage) -> None:
    await given(stage, accepted("300.00"), part("500.00", "draft"))
    assert refusal(await issues(stage, DEPOSIT)) == EXCEED


async def test_what_was_credited_or_deducted_before_does_not_count(stage: Stage) -> None:
    final = invoice("issued", intervention_id=NEXT)
    await given(stage, accepted(), billed("completed", id=NEXT, purpose="diagnostic"), final)
    await stage.given(part("100.00", deducted_in=INVOICE), part("100.00", "credited", id=EARLIER, number=6))
    assert drafted(await of_estimate(stage, 100)).net == D("100.00")


async def test_a_deposit_is_a_part_of_what_a_warranty_leaves_to_the_client(stage: Stage) -> None:
    await given(stage, accepted("200.00"), part("100.00", "draft"), warranty=MOSTLY_PAID)
    # A draft from before the warranty.
    assert refusal(await issues(stage, DEPOSIT)) == EXCEED
    await stage.database.pool.execute("UPDATE invoice SET status = 'discarded'")
    whole = drafted(await of_estimate(stage, 100))
    assert (whole.net, whole.total) == (D("50.00"), D("60.00"))
    (await issues(stage, whole.id)).only(InvoiceIssued)


@pytest.mark.parametrize("agreed", [True, False], ids=["an estimate", "none"])
async def test_nothing_is_asked_for_where_a_warranty_pays_all(stage: Stage, agreed: bool) -> None:
    await given(stage, *([accepted()] if agreed else []), part("10.00", "draft"), warranty=COVERED)
    assert refusal(await issues(stage, DEPOSIT)) == EXCEED
    if agreed:
        assert wrong_fields(await of_estimate(stage, 100)) == ["percent"]


async def test_what_was_billed_of_incomplete_work_is_not_asked_for_again(stage: Stage) -> None:
    left = billed("incomplete", id=NEXT, done_at=datetime.now(UTC))
    await given(stage, accepted(), left, invoice("issued", *worth("60.00"), intervention_id=NEXT))
    assert wrong_fields(await of_estimate(stage, 41)) == ["percent"]
    assert drafted(await of_estimate(stage, 40)).net == D("40.00")


async def test_halves_that_were_rounded_make_the_whole(stage: Stage) -> None:
    await given(stage, accepted("168.05"))
    halves = [drafted(await of_estimate(stage, 50)).net for _ in range(2)]
    assert halves == [D("84.03"), D("84.02")]


async def test_halves_of_which_the_vat_was_rounded_make_the_whole_but_for_that_cent(stage: Stage) -> None:
    await given(stage, accepted("100.06"))
    halves = [drafted(await of_estimate(stage, 50)) for _ in range(2)]
    assert [(half.net, half.total) for half in halves] == [(D("50.03"), D("60.04")), (D("50.02"), D("60.02"))]
    for half in halves:
        (await issues(stage, half.id)).only(InvoiceIssued)


@given_by(
    net=st.integers(1, 100_000), percent=st.integers(1, 99), rate=st.sampled_from(["20", "10", "5.5", "0"])
)
@example(net=10_006, percent=50, rate="20")
def test_two_shares_of_a_rate_are_never_more_than_the_whole(net: int, percent: int, rate: str) -> None:
    whole = of_rate(D(net) / 100, rate)
    first = asked_for(whole, percent)
    rest = asked_for(whole, 100 - percent, first)
    assert first.base + rest.base <= whole.base
    assert first.vat + rest.vat <= whole.vat
    assert whole.base - first.base - rest.base < D("0.12")


def of_rate(base: Decimal, rate: str) -> VatTotal:
    vat = rounded(base * D(rate) / 100, "EUR")
    return VatTotal(vat_class="standard", rate=D(rate), base=base, vat=vat, mention=None)


def asked_for(whole: VatTotal, percent: int, *before: VatTotal) -> VatTotal:
    """The deposit of so many percent."""
    lines = deposit_lines([whole], percent, "EUR", "fr", before)
    return of_rate(sum((line.unit_price for line in lines), D(0)), str(whole.rate))


def test_only_a_cent_is_rounding() -> None:
    [total] = invoice("draft", *worth("168.05")).vat
    [asked] = invoice("draft", *worth("84.04")).vat
    [half] = deposit_lines([total], 50, "EUR", "fr", [asked])
    assert half.unit_price == D("84.03")


async def test_drafts_of_deposits_end_with_their_reclamation_and_issued_ones_are_told(stage: Stage) -> None:
    await given(stage, part("40.00", "draft"), part("60.00", id=EARLIER, number=6))
    outcome = await ended(stage, "cancelled")
    [discarded] = [one.state for one in outcome.events if isinstance(one, InvoiceDiscarded)]
    assert (discarded.id, discarded.status, left_over(outcome)) == (DEPOSIT, "discarded", [EARLIER])


@pytest.mark.parametrize(
    ("status", "now", "visit"),
    [("resolved", None, "planned"), ("cancelled", "in_progress", "planned"), ("cancelled", None, "on_site")],
    ids=["resolved", "late news", "somebody is on site"],
)
async def test_they_stay_while_it_goes_on(
    stage: Stage, status: ReclamationStatus, now: ReclamationStatus | None, visit: str
) -> None:
    await given(stage, part("40.00", "draft"), part("60.00", id=EARLIER, number=6), status=visit)
    outcome = await ended(stage, status, now)
    assert [one for one in outcome.events if isinstance(one, InvoiceDiscarded)] == []
    assert (left_over(outcome), await stage.parked()) == ([], [])


async def test_the_invoice_of_a_diagnosis_deducts_no_deposit_of_the_work(stage: Stage) -> None:
    diagnosis = billed("completed", id=NEXT, purpose="diagnostic", done_at=datetime.now(UTC) - timedelta(1))
    await given(stage, accepted(), diagnosis, invoice("issued", intervention_id=NEXT))
    await stage.given(part("60.00", agreed=OF_IT))
    assert left_over(await ended(stage, "rejected")) == [DEPOSIT]


@pytest.mark.parametrize("status", ["draft", "issued"])
async def test_only_a_draft_of_the_work_still_deducts_it(stage: Stage, status: str) -> None:
    await given(stage, accepted(), invoice(status, intervention_id=VISIT), part("60.00", agreed=OF_IT))
    assert left_over(await ended(stage, "cancelled")) == ([] if status == "draft" else [DEPOSIT])


async def test_nothing_is_asked_for_once_a_reclamation_is_given_up(stage: Stage) -> None:
    await stage.knows(a(ReclamationView, RECLAMATION, status="cancelled"))
    await given(stage, accepted(), part("10.00", "draft"))
    assert refusal(await issues(stage, DEPOSIT)) == EXCEED
    assert wrong_fields(await of_visit(stage, 10, "100.00")) == ["percent"]


@pytest.mark.parametrize(("now", "most"), [(MOSTLY_PAID, D("30.00")), (COVERED, None)], ids=["a part", "all"])
async def test_what_a_warranty_pays_since_is_not_asked_for_and_managers_are_told(
    stage: Stage, now: Warranty, most: Decimal | None
) -> None:
    await given(stage, accepted(), part("26.00"), warranty=now)
    start = StartCheckout(invoice_id=DEPOSIT)
    assert refusal(await stage.when(start, by=world.lea)) == (409, "deposit_not_owed")
    outcome = await stage.hears(told_decided(closed(warranty=now)))
    told = outcome.only(DepositLeftOver)
    assert (told.state.id, told.most) == (DEPOSIT, most)


async def test_a_deposit_within_what_a_warranty_leaves_is_paid(stage: Stage) -> None:
    await given(stage, accepted(), part("25.00"), warranty=MOSTLY_PAID)
    assert (await stage.hears(told_decided(closed(warranty=MOSTLY_PAID)))).events == []
    (await stage.when(StartCheckout(invoice_id=DEPOSIT), by=world.lea)).only(CheckoutStarted)


async def all_covered(stage: Stage, *records: Any) -> Outcome:
    """A visit is closed of which a warranty pays all."""
    boiler = home(older=False)
    await stage.knows(client(), boiler, valve(), valve(id=boiler.article_id))
    await stage.given(closed(warranty=COVERED), *records)
    return await stage.hears(told_closed(closed(warranty=COVERED)))


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_deposit_is_to_be_credited_where_nothing_is_billed_in_the_end(
    stage: Stage, goes_on: bool
) -> None:
    later = [billed("planned", id=UUID(int=202))] if goes_on else []
    assert left_over(await all_covered(stage, part("40.00"), *later)) == ([] if goes_on else [DEPOSIT])


async def test_one_for_work_that_was_agreed_after_a_visit_is_not_left_over_by_it(stage: Stage) -> None:
    assert left_over(await all_covered(stage, accepted(), part("40.00", agreed=OF_IT))) == []
