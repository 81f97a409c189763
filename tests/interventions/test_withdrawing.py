"""Withdrawing from an accepted estimate: in two steps, with what follows from it."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import world
from given_billing import INVOICE, client, closed, home, invoice, told_closed
from given_estimates import (
    ANSWER_GRANT,
    ESTIMATE,
    WITHDRAWAL_GRANT,
    billed,
    estimate,
    event_of,
    link,
    refusal,
    right,
)
from given_interventions import COVERED, NOW, UNKNOWN, VISIT, valve, work

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.interventions.credit_note import CreditNoteIssued
from sav_contracts.interventions.estimate import (
    Acceptance,
    BeginWithdrawal,
    ConfirmWithdrawal,
    EstimateChanged,
    EstimateStatus,
    EstimateWithdrawn,
    GetWithdrawalByLink,
    WithdrawByLink,
)
from sav_contracts.interventions.invoice import InvoiceChanged, InvoiceDiscarded, InvoiceDrafted
from sav_contracts.interventions.visit import InterventionMoved, MadeMove
from sav_interventions.model import Estimate

begin = BeginWithdrawal(estimate_id=ESTIMATE)
confirm = ConfirmWithdrawal(estimate_id=ESTIMATE)
UNANSWERED: list[EstimateStatus] = ["sent", "refused", "expired", "superseded", "withdrawn"]


def asked_early(**fields: Any) -> Estimate:
    made = estimate("accepted", **fields)
    assert made.accepted
    made.accepted = Acceptance(at=made.accepted.at, how="site", begins_early=True)
    return made


async def withdrawn(stage: Stage) -> EstimateWithdrawn:
    assert (await stage.when(begin, by=world.lea)).only(EstimateChanged).state.withdrawal_asked_at
    return (await stage.when(confirm, by=world.lea)).only(EstimateWithdrawn)


async def test_a_client_says_so_and_then_confirms(stage: Stage) -> None:
    await stage.given(billed("accepted"), estimate("accepted"))
    assert refusal(await stage.when(confirm, by=world.lea)) == (409, "withdrawal_not_asked")
    told = await withdrawn(stage)
    assert (told.state.status, told.owed, told.begun) == ("withdrawn", "nothing", False)
    assert told.state.withdrawn_at == told.at
    assert told.pay_back_by == told.at.astimezone(ZoneInfo("Europe/Paris")).date() + timedelta(14)


async def test_the_first_step_cancels_nothing(stage: Stage) -> None:
    await stage.given(billed("accepted"), estimate("accepted"))
    asked = await stage.when(begin, by=world.lea)
    assert asked.only(EstimateChanged).state.status == "accepted"
    assert (await stage.when(begin, by=world.lea)).only(EstimateChanged).state.withdrawal_asked_at == (
        asked.only(EstimateChanged).state.withdrawal_asked_at
    )


async def test_by_the_link_without_an_account(stage: Stage) -> None:
    await stage.given(billed("accepted"), estimate("accepted"))
    token = link(stage, "withdraw", WITHDRAWAL_GRANT)
    assert (await stage.when(GetWithdrawalByLink(token=token))).reply["status"] == "accepted"
    assert refusal(await stage.when(WithdrawByLink(token=token, confirm=True))) == (
        409,
        "withdrawal_not_asked",
    )
    (await stage.when(WithdrawByLink(token=token))).only(EstimateChanged)
    sure = WithdrawByLink(token=token, confirm=True)
    (await stage.when(sure)).only(EstimateWithdrawn)
    again = await stage.when(sure)
    assert (again.events, again.reply["status"]) == ([], "withdrawn")


async def test_of_many_who_confirm_at_once_one_counts_and_none_fails(stage: Stage) -> None:
    await stage.given(billed("accepted"), estimate("accepted", withdrawal_asked_at=stage.now()))
    sure = WithdrawByLink(token=link(stage, "withdraw", WITHDRAWAL_GRANT), confirm=True)
    outcomes = await asyncio.gather(*(stage.when(sure) for _ in range(5)))
    assert [outcome.problem for outcome in outcomes if outcome.problem] == []
    assert {outcome.reply["status"] for outcome in outcomes} == {"withdrawn"}


async def test_the_link_of_an_answer_withdraws_nothing(stage: Stage) -> None:
    await stage.given(billed("accepted"), estimate("accepted"))
    for purpose, grant in (("estimate", WITHDRAWAL_GRANT), ("withdraw", ANSWER_GRANT)):
        token = link(stage, purpose, grant)
        assert refusal(await stage.when(GetWithdrawalByLink(token=token))) == (410, "link_expired")
        assert refusal(await stage.when(WithdrawByLink(token=token))) == (410, "link_expired")


@pytest.mark.parametrize("status", UNANSWERED)
async def test_only_what_was_accepted_is_withdrawn_from(stage: Stage, status: EstimateStatus) -> None:
    await stage.given(billed("accepted"), estimate(status))
    for step in (begin, confirm):
        assert refusal(await stage.when(step, by=world.lea)) == (409, "illegal_move")


async def test_only_its_client_withdraws(stage: Stage) -> None:
    await stage.given(billed("accepted"), estimate("accepted"))
    for who in (world.karim, world.marie, world.alex):
        assert refusal(await stage.when(begin, by=who)) == (403, "not_allowed")
    assert refusal(await stage.when(begin, by=world.paul)) == (404, "not_found")


@pytest.mark.parametrize("why", [{"urgency": "fuite"}, {"consumer": False}], ids=["urgent", "business"])
async def test_without_a_right_nobody_withdraws(stage: Stage, why: dict[str, Any]) -> None:
    await stage.given(billed("accepted"), estimate("accepted", withdrawal=right(**why)))
    assert refusal(await stage.when(begin, by=world.lea)) == (409, "no_right_to_withdraw")


async def test_the_last_day_counts_as_a_whole_and_the_next_one_is_too_late(stage: Stage) -> None:
    agreed = estimate("accepted")
    until, zone = agreed.withdrawal.until, agreed.zone
    assert until
    await stage.given(billed("accepted"), agreed)
    here = stage.now().astimezone(zone)
    last = here.replace(hour=23, minute=59, second=0) + timedelta((until - here.date()).days)
    stage.ahead = last - stage.now()
    assert (await stage.when(begin, by=world.lea)).problem is None
    stage.ahead += timedelta(minutes=2)
    assert refusal(await stage.when(confirm, by=world.lea)) == (409, "no_right_to_withdraw")


async def test_a_sale_may_be_withdrawn_from_before_it_is_delivered(stage: Stage) -> None:
    await stage.given(billed("accepted"), estimate("accepted", withdrawal=right(supplies=True)))
    stage.ahead = timedelta(200)
    assert (await withdrawn(stage)).owed == "nothing"


async def test_the_days_of_a_sale_count_from_its_delivery(stage: Stage) -> None:
    sold = estimate("accepted", withdrawal=right(supplies=True))
    done = billed("completed", done_at=stage.now(), assignment=1)
    today = sold.day(stage.now())
    done.version, done.created_at, done.updated_at = 1, stage.now(), stage.now()
    moved = enveloped(InterventionMoved(state=done.view(), before="in_progress", after="completed"))
    await stage.given(done, sold)
    told = (await stage.hears(moved)).only(EstimateChanged).state.withdrawal
    assert told.until
    assert told.until >= today + timedelta(14)


@pytest.mark.parametrize(
    ("status", "early", "owed", "begun"),
    [
        ("planned", True, "nothing", False),
        ("in_progress", True, "part_done", True),
        ("in_progress", False, "nothing", True),
        ("incomplete", True, "part_done", True),
        ("completed", False, "nothing", True),
    ],
)
async def test_what_was_done_is_owed_where_the_client_asked_for_it(
    stage: Stage, status: str, early: bool, owed: str, begun: bool
) -> None:
    done = stage.now() + timedelta(minutes=1) if status in {"incomplete", "completed"} else None
    await stage.given(billed(status, done_at=done), asked_early() if early else estimate("accepted"))
    told = await withdrawn(stage)
    assert (told.owed, told.begun) == (owed, begun)


async def test_the_right_ends_with_work_that_was_begun_early_and_is_done(stage: Stage) -> None:
    await stage.given(billed("completed", done_at=stage.now() + timedelta(minutes=1)), asked_early())
    assert refusal(await stage.when(begin, by=world.lea)) == (409, "no_right_to_withdraw")


async def test_work_that_was_done_before_the_estimate_was_accepted_does_not_count(stage: Stage) -> None:
    before = billed("completed", id=UUID(int=201), purpose="diagnostic", done_at=stage.now() - timedelta(1))
    await stage.given(before, billed("planned"), asked_early())
    assert (await withdrawn(stage)).begun is False


async def heard_closed(stage: Stage, over: Estimate, **fields: Any) -> Outcome:
    """Of work that was done after the acceptance; its report is validated after the withdrawal."""
    done = stage.now() + timedelta(minutes=1)
    known: dict[str, Any] = {"done_at": done, "closed_at": done + timedelta(2)} | fields
    await stage.knows(client(), home(older=True), valve())
    await stage.given(closed(**known), over)
    return await stage.hears(told_closed(closed(**known)))


async def test_work_that_nothing_is_owed_for_is_not_billed_after_the_withdrawal(stage: Stage) -> None:
    over = estimate(
        "withdrawn", withdrawal=right(supplies=True), withdrawn_at=stage.now() + timedelta(days=1)
    )
    assert (await heard_closed(stage, over)).events == []


@pytest.mark.parametrize("early", [True, False])
async def test_what_was_begun_as_the_client_asked_is_billed_after_the_withdrawal(
    stage: Stage, early: bool
) -> None:
    over = estimate("withdrawn", withdrawn_at=stage.now() + timedelta(days=1))
    assert over.accepted
    over.accepted = over.accepted.model_copy(update={"begins_early": early})
    begun = MadeMove(to="in_progress", at=stage.now(), recorded_at=stage.now(), by_id=world.karim.id)
    outcome = await heard_closed(stage, over, acts=[begun])
    assert [type(event) for event in outcome.events] == ([InvoiceDrafted] if early else [])


@pytest.mark.parametrize(
    ("visit", "over"),
    [
        ({"purpose": "diagnostic", "work": work().model_copy(update={"parts": []})}, {}),
        ({"done_at": NOW}, {}),
        ({}, {"withdrawn_at": NOW}),
    ],
    ids=["a diagnosis", "before the acceptance", "planned after the withdrawal"],
)
async def test_what_was_no_part_of_the_contract_is_billed_after_its_withdrawal(
    stage: Stage, visit: dict[str, Any], over: dict[str, Any]
) -> None:
    ended = estimate("withdrawn", **({"withdrawn_at": stage.now() + timedelta(days=1)} | over))
    (await heard_closed(stage, ended, **visit)).only(InvoiceDrafted)


async def test_it_cancels_the_visits_that_are_still_to_come(stage: Stage) -> None:
    await stage.given(billed("accepted"), estimate("accepted"))
    told = await withdrawn(stage)
    moved = (await stage.hears(enveloped(told))).only(InterventionMoved)
    assert (moved.after, moved.reason) == ("cancelled", "estimate_withdrawn")


@pytest.mark.parametrize(
    ("visit", "cancels"),
    [
        ({"status": "en_route"}, True),
        ({"status": "planned", "warranty": UNKNOWN}, True),
        ({"status": "on_site"}, False),
        ({"status": "planned", "warranty": COVERED}, False),
        ({"status": "cancelled"}, False),
    ],
    ids=["set out", "nobody knows who pays", "on site", "covered", "cancelled"],
)
async def test_it_says_whether_it_cancels_a_visit_and_does_so(
    stage: Stage, visit: dict[str, Any], cancels: bool
) -> None:
    await stage.given(billed(**visit), estimate("accepted"))
    told = await withdrawn(stage)
    assert told.cancels is cancels
    moved = [
        event for event in (await stage.hears(enveloped(told))).events if isinstance(event, InterventionMoved)
    ]
    assert [event.after for event in moved] == (["cancelled"] if cancels else [])


@pytest.mark.parametrize("status", ["on_site", "in_progress", "paused", "completed", "cancelled"])
async def test_visits_that_have_begun_or_are_over_stay(stage: Stage, status: str) -> None:
    await stage.given(billed(status), estimate("accepted"))
    told = await withdrawn(stage)
    assert (await stage.hears(enveloped(told))).events == []


async def test_it_discards_the_draft_of_an_invoice_of_which_nothing_is_owed(stage: Stage) -> None:
    done = billed("completed", done_at=stage.now() + timedelta(minutes=1))
    await stage.given(done, estimate("accepted"), invoice(intervention_id=VISIT))
    told = await withdrawn(stage)
    discarded = (await stage.hears(enveloped(told))).only(InvoiceDiscarded)
    assert discarded.reason == discarded.state.reason == "Rétractation du devis DEV-2026-000001"


async def test_it_credits_what_was_issued_and_paid_of_which_nothing_is_owed(stage: Stage) -> None:
    await stage.given(
        billed("completed", done_at=stage.now() + timedelta(minutes=1)),
        estimate("accepted"),
        invoice("paid", intervention_id=VISIT, paid="101.88"),
    )
    outcome = await stage.hears(enveloped(await withdrawn(stage)))
    note = event_of(outcome, CreditNoteIssued).state
    assert (note.whole, note.total, note.invoice_id) == (True, Decimal("101.88"), INVOICE)
    assert "DEV-2026-000001" in note.reason
    assert event_of(outcome, InvoiceChanged).state.status == "credited"


LAST_YEAR: dict[str, Any] = {"id": UUID(int=201), "status": "completed", "done_at": NOW}
DIAGNOSIS: dict[str, Any] = {"id": UUID(int=201), "status": "completed", "purpose": "diagnostic"}


@pytest.mark.parametrize("other", [LAST_YEAR, DIAGNOSIS], ids=["a job before", "a diagnosis"])
@pytest.mark.parametrize("status", ["draft", "issued", "paid"])
async def test_it_leaves_invoices_that_are_no_part_of_the_contract(
    stage: Stage, other: dict[str, Any], status: str
) -> None:
    paid = "101.88" if status == "paid" else "0.00"
    visit = billed(**({"done_at": stage.now() + timedelta(minutes=1)} | other))
    await stage.given(visit, estimate("accepted"), invoice(status, intervention_id=visit.id, paid=paid))
    await stage.given(billed("cancelled"))
    assert (await stage.hears(enveloped(await withdrawn(stage)))).events == []


async def test_it_credits_a_deposit_of_the_contract_that_was_asked_for_on_the_diagnosis(stage: Stage) -> None:
    agreed = estimate("accepted", intervention_id=DIAGNOSIS["id"])
    assert agreed.accepted
    agreed.accepted = agreed.accepted.model_copy(update={"at": stage.now() - timedelta(hours=1)})
    await stage.given(billed(**(DIAGNOSIS | {"done_at": stage.now() - timedelta(1)})), agreed)
    await stage.given(invoice("issued", intervention_id=DIAGNOSIS["id"], deposit=True))
    outcome = await stage.hears(enveloped(await withdrawn(stage)))
    assert event_of(outcome, CreditNoteIssued).state.invoice_id == INVOICE


async def test_it_leaves_a_deposit_that_the_invoice_of_the_diagnosis_deducts(stage: Stage) -> None:
    final, agreed = UUID(int=701), estimate("accepted", intervention_id=DIAGNOSIS["id"])
    assert agreed.accepted
    agreed.accepted = agreed.accepted.model_copy(update={"at": stage.now() - timedelta(hours=1)})
    await stage.given(billed(**(DIAGNOSIS | {"done_at": stage.now() - timedelta(1)})), agreed)
    of_it: dict[str, Any] = {"intervention_id": DIAGNOSIS["id"]}
    await stage.given(invoice("issued", id=final, **of_it))
    await stage.given(invoice("issued", number=2, deposit=True, deducted_in=final, **of_it))
    assert (await stage.hears(enveloped(await withdrawn(stage)))).events == []
    assert await stage.parked() == []


async def test_it_leaves_visits_that_a_warranty_pays_and_a_diagnosis(stage: Stage) -> None:
    covered = billed("planned", warranty=COVERED)
    diagnosis = billed("accepted", id=UUID(int=201), purpose="diagnostic", reclamation_id=None)
    diagnosis.reference = "INT-2026-000007"
    await stage.given(covered, diagnosis, estimate("accepted", visit_reference="INT-2026-000007"))
    assert (await stage.hears(enveloped(await withdrawn(stage)))).events == []


async def test_it_credits_a_final_invoice_before_a_deposit_that_was_drafted_after_it(stage: Stage) -> None:
    final, deposit = UUID(int=701), UUID(int=702)
    done = billed("completed", done_at=stage.now() + timedelta(minutes=1))
    await stage.given(done, estimate("accepted"), invoice("issued", id=final, intervention_id=VISIT))
    before = invoice("issued", number=2, id=deposit, intervention_id=VISIT, deposit=True, deducted_in=final)
    await stage.given(before)
    outcome = await stage.hears(enveloped(await withdrawn(stage)))
    notes = [event.state.invoice_id for event in outcome.events if isinstance(event, CreditNoteIssued)]
    assert notes == [final, deposit]


async def test_a_diagnosis_is_no_delivery(stage: Stage) -> None:
    sold = estimate("accepted", withdrawal=right(supplies=True))
    done = billed("completed", purpose="diagnostic", done_at=stage.now(), assignment=1)
    done.version, done.created_at, done.updated_at = 1, stage.now(), stage.now()
    moved = enveloped(InterventionMoved(state=done.view(), before="in_progress", after="completed"))
    await stage.given(done, sold)
    assert (await stage.hears(moved)).events == []


async def test_a_diagnosis_after_the_acceptance_is_not_the_work(stage: Stage) -> None:
    after = stage.now() + timedelta(minutes=1)
    await stage.given(billed("completed", purpose="diagnostic", done_at=after), asked_early())
    told = await withdrawn(stage)
    assert (told.owed, told.begun) == ("nothing", False)


@pytest.mark.parametrize("by_link", [True, False])
async def test_it_waits_for_a_visit_that_is_just_beginning(stage: Stage, by_link: bool) -> None:
    await stage.given(billed("on_site"), estimate("accepted", withdrawal_asked_at=stage.now()))
    sure = WithdrawByLink(token=link(stage, "withdraw", WITHDRAWAL_GRANT), confirm=True)
    step = stage.when(sure) if by_link else stage.when(confirm, by=world.lea)
    async with stage.database.pool.acquire() as other, other.transaction():
        await other.execute("UPDATE intervention SET status = 'in_progress' WHERE id = $1", VISIT)
        waiting = asyncio.create_task(step)
        await asyncio.sleep(0.5)
        assert not waiting.done()
    assert (await waiting).only(EstimateWithdrawn).begun


@pytest.mark.parametrize("status", ["draft", "issued"])
async def test_it_leaves_what_is_owed_to_managers(stage: Stage, status: str) -> None:
    await stage.given(billed("in_progress"), asked_early(), invoice(status, intervention_id=VISIT))
    await stage.given(invoice("draft", id=UUID(int=701), intervention_id=VISIT, deposit=True))
    discarded = (await stage.hears(enveloped(await withdrawn(stage)))).only(InvoiceDiscarded).state
    assert discarded.deposit, "nothing more is asked for in advance"


async def test_a_diagnosis_on_which_parts_were_built_in_is_the_work(stage: Stage) -> None:
    after = stage.now() + timedelta(minutes=1)
    repaired = billed("incomplete", purpose="diagnostic", done_at=after, work=work())
    await stage.given(repaired, asked_early())
    told = await withdrawn(stage)
    assert (told.owed, told.begun) == ("part_done", True)
