"""Work that its client pays for begins after they accepted an estimate."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import world
from given_acts import apply, move, told
from given_billing import CERTIFIED, client, closed, home, told_closed
from given_estimates import billed, early, estimate, refusal, right
from given_interventions import COVERED, NOW, UNKNOWN, VISIT, valve, work

from sav_chassis.testing import Stage
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.estimate import EstimateStatus
from sav_contracts.interventions.invoice import InvoiceDrafted
from sav_contracts.interventions.visit import InterventionMoved, InterventionStarted, MoveIntervention

start = MoveIntervention(intervention_id=VISIT, to="in_progress")
PARTLY = Warranty.of_shares(100, 0, 0, why="cover_applies", cover="commercial")


@pytest.mark.parametrize(
    "who", [world.karim, world.marie, world.alex], ids=["technician", "manager", "admin"]
)
async def test_billed_work_does_not_begin_without_an_accepted_estimate(stage: Stage, who: Any) -> None:
    await stage.given(billed())
    assert refusal(await stage.when(start, by=who)) == (409, "estimate_missing")


@pytest.mark.parametrize("status", ["draft", "sent", "refused", "expired", "superseded", "withdrawn"])
async def test_an_estimate_in_another_state_is_no_agreement(stage: Stage, status: EstimateStatus) -> None:
    await stage.given(billed(), estimate(status))
    assert refusal(await stage.when(start, by=world.karim)) == (409, "estimate_missing")


@pytest.mark.parametrize(
    "fields",
    [
        {"warranty": COVERED},
        {"warranty": UNKNOWN},
        {"warranty": None},
        {"purpose": "diagnostic"},
    ],
    ids=["covered", "unknown", "undecided", "diagnosis"],
)
async def test_what_nobody_is_billed_for_begins_without_one(stage: Stage, fields: dict[str, Any]) -> None:
    await stage.given(billed(**fields))
    (await stage.when(start, by=world.karim)).only(InterventionStarted)


@pytest.mark.parametrize("purpose", ["repair", "maintenance", "install"])
async def test_what_is_billed_in_part_needs_one_too(stage: Stage, purpose: str) -> None:
    await stage.given(billed(warranty=PARTLY, purpose=purpose))
    assert refusal(await stage.when(start, by=world.karim)) == (409, "estimate_missing")


async def test_work_waits_for_the_end_of_the_right_unless_the_client_asked_for_it(stage: Stage) -> None:
    agreed = estimate("accepted")
    until = agreed.withdrawal.until
    assert until
    await stage.given(billed(), agreed)
    assert refusal(await stage.when(start, by=world.karim)) == (409, "withdrawal_runs")
    stage.ahead = timedelta((until - stage.now().date()).days + 2)
    (await stage.when(start, by=world.karim)).only(InterventionStarted)


async def test_work_that_the_client_asked_to_begin_early_begins(stage: Stage) -> None:
    await stage.given(billed(), early())
    (await stage.when(start, by=world.karim)).only(InterventionStarted)


@pytest.mark.parametrize(
    "fields",
    [{"withdrawal": right(urgency="fuite")}, {"withdrawal": right(supplies=True)}],
    ids=["urgent", "from delivery"],
)
async def test_where_nothing_has_to_be_waited_for_it_begins_at_once(
    stage: Stage, fields: dict[str, Any]
) -> None:
    await stage.given(billed(), estimate("accepted", **fields))
    (await stage.when(start, by=world.karim)).only(InterventionStarted)


async def test_an_estimate_of_an_earlier_visit_of_the_case_allows_it(stage: Stage) -> None:
    await stage.given(billed(), early(intervention_id=UUID(int=199)))
    (await stage.when(start, by=world.karim)).only(InterventionStarted)


async def test_so_does_one_of_an_earlier_visit_for_no_reclamation(stage: Stage) -> None:
    none = {"reclamation_id": None, "reclamation_reference": None}
    await stage.given(
        billed(reference="INT-2026-000007", purpose="maintenance", **none),
        early(intervention_id=UUID(int=199), visit_reference="INT-2026-000007", **none),
    )
    (await stage.when(start, by=world.karim)).only(InterventionStarted)


def done_before(**fields: Any) -> Any:
    """A visit of the same case that was completed after the estimate was accepted."""
    after = datetime.now(UTC) + timedelta(seconds=1)
    return billed("completed", **({"id": UUID(int=199), "done_at": after} | fields))


async def test_an_estimate_whose_work_is_done_opens_no_later_job_of_the_case(stage: Stage) -> None:
    await stage.given(billed(), done_before(), early(intervention_id=UUID(int=199)))
    assert refusal(await stage.when(start, by=world.karim)) == (409, "estimate_missing")


@pytest.mark.parametrize(
    "fields",
    [{"warranty": COVERED}, {"purpose": "diagnostic"}, {"status": "incomplete"}, {"done_at": NOW}],
    ids=["covered", "diagnosis", "incomplete", "before"],
)
async def test_one_whose_work_is_still_to_do_holds(stage: Stage, fields: dict[str, Any]) -> None:
    done = done_before(**fields) if "status" not in fields else billed("incomplete", id=UUID(int=199))
    await stage.given(billed(), done, early())
    (await stage.when(start, by=world.karim)).only(InterventionStarted)


async def test_a_diagnosis_on_which_parts_were_built_in_did_the_agreed_work(stage: Stage) -> None:
    repaired = done_before(purpose="diagnostic", work=work())
    await stage.given(billed(), repaired, early(intervention_id=UUID(int=199)))
    assert refusal(await stage.when(start, by=world.karim)) == (409, "estimate_missing")


async def test_what_was_certified_for_an_earlier_job_is_not_for_the_next_one(stage: Stage) -> None:
    boiler = home(older=True)
    await stage.knows(client(), boiler, valve(), valve(id=boiler.article_id))
    later = {"done_at": datetime.now(UTC) + timedelta(hours=1)}
    await stage.given(closed(**later), done_before(), estimate("accepted", supply=CERTIFIED))
    drafted = (await stage.hears(told_closed(closed(**later)))).only(InvoiceDrafted).state
    assert [one.rate for one in drafted.vat] == [Decimal(20)]


async def test_an_estimate_of_another_case_does_not(stage: Stage) -> None:
    none = {"reclamation_id": None, "reclamation_reference": None}
    await stage.given(
        billed(reference="INT-2026-000007", **none),
        early(intervention_id=UUID(int=199), visit_reference="INT-2026-000008", **none),
    )
    assert refusal(await stage.when(start, by=world.karim)) == (409, "estimate_missing")


async def test_work_that_is_paused_goes_on_unless_its_client_withdrew(stage: Stage) -> None:
    await stage.given(billed("paused"))
    (await stage.when(start, by=world.karim)).only(InterventionMoved)
    await stage.clear()
    await stage.given(billed("paused"), estimate("withdrawn"))
    assert refusal(await stage.when(start, by=world.karim)) == (409, "estimate_missing")


async def test_what_a_telephone_did_offline_has_happened(stage: Stage) -> None:
    await stage.given(billed())
    outcome = await stage.when(apply(move(35, "in_progress")), by=world.karim)
    assert told(outcome) == ["done"]
    [begun] = [event for event in outcome.events if isinstance(event, InterventionStarted)]
    assert begun.state.status == "in_progress"


async def test_the_certification_of_an_accepted_estimate_holds_for_the_invoice(stage: Stage) -> None:
    boiler = home(older=True)
    await stage.knows(client(), boiler, valve(), valve(id=boiler.article_id))
    await stage.given(closed(), estimate("accepted", supply=CERTIFIED))
    drafted = (await stage.hears(told_closed(closed()))).only(InvoiceDrafted).state
    assert [one.rate for one in drafted.vat] == [Decimal(10)]
    # It was accepted after the work was done.
    assert drafted.lacks == ["no_agreement"]


async def test_one_that_was_only_sent_certifies_nothing(stage: Stage) -> None:
    boiler = home(older=True)
    await stage.knows(client(), boiler, valve(), valve(id=boiler.article_id))
    await stage.given(closed(), estimate("sent", supply=CERTIFIED))
    drafted = (await stage.hears(told_closed(closed()))).only(InvoiceDrafted).state
    assert [one.rate for one in drafted.vat] == [Decimal(20)]
    assert "certification" in drafted.lacks
