"""What was done on a visit, at the prices of that day."""

from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

import pytest
import world
from given_interventions import VALVE, VISIT, valve, visit, work

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.interventions.visit import (
    InterventionMoved,
    InterventionStatus,
    MoveIntervention,
    RecordWork,
    WorkRecorded,
)
from sav_contracts.interventions.work import LabourGiven, PartGiven
from sav_interventions.settings import billing

WIDE = "\N{CJK UNIFIED IDEOGRAPH-20BB7}"


def done(**fields: Any) -> RecordWork:
    usual: dict[str, Any] = {
        "intervention_id": VISIT,
        "solution": "vanne remplacée",
        "labour": [LabourGiven(description="remplacement", minutes=90)],
        "parts": [PartGiven(article_id=VALVE, quantity=2, serial="V-1")],
        "travel_km": Decimal("12.5"),
        "readings": {"pression": "1,5 bar"},
        "failed_serial": "CH-1",
        "replacement_serial": "CH-2",
    }
    return RecordWork(**(usual | fields))


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


def wrong_fields(outcome: Outcome) -> list[str]:
    assert outcome.problem
    assert outcome.problem.status == 422
    return [error.field for error in outcome.problem.errors or []]


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ({"parts": [PartGiven(article_id=VALVE, quantity=999, serial="V-1")] * 40}, "parts"),
        ({"readings": {f"{number}{WIDE * 150}": WIDE * 200 for number in range(15)}}, "body"),
    ],
    ids=["money", "words"],
)
async def test_work_that_no_invoice_and_no_event_could_hold_is_refused(
    stage: Stage, written: dict[str, Any], wrong: str
) -> None:
    """It would be billed by itself when the visit is closed, and nobody could say it shorter then."""
    await stage.given(visit("in_progress"))
    await stage.knows(valve(price=Decimal("9999999.99")))
    assert wrong_fields(await stage.when(done(**written), by=world.karim)) == [wrong]


async def test_work_is_kept_as_it_was_said(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    await stage.knows(valve())
    recorded = (await stage.when(done(), by=world.karim)).only(WorkRecorded).state.work
    assert recorded
    assert (recorded.solution, recorded.minutes) == ("vanne remplacée", 90)
    assert (recorded.travel_km, recorded.readings) == (Decimal("12.5"), {"pression": "1,5 bar"})
    assert (recorded.failed_serial, recorded.replacement_serial) == ("CH-1", "CH-2")
    [part] = recorded.parts
    assert (part.article_id, part.quantity, part.serial) == (VALVE, 2, "V-1")


async def test_parts_and_hours_keep_the_price_of_that_day(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    await stage.knows(valve(price=Decimal("84.90"), vat_class="reduced"))
    await stage.when(done(), by=world.karim)
    await stage.knows(valve(version=2, price=Decimal("99.00")))
    paused = MoveIntervention(intervention_id=VISIT, to="paused", cause="parts")
    first = (await stage.when(paused, by=world.karim)).only(InterventionMoved).state.work
    assert first
    [part] = first.parts
    assert (part.reference, part.name) == ("VAN-22", "Vanne gaz")
    assert (part.unit_price, part.vat_class) == (Decimal("84.90"), "reduced")
    assert (first.labour_rate, first.travel_rate) == (billing().labour_rate, billing().travel_rate)
    assert first.currency == "EUR"


async def test_what_is_recorded_again_replaces_what_was_said_before(stage: Stage) -> None:
    await stage.given(visit("paused", work=work()))
    again = await stage.when(done(solution="joint resserré", parts=[], readings={}), by=world.karim)
    kept = again.only(WorkRecorded).state.work
    assert kept
    assert (kept.solution, kept.parts, kept.readings) == ("joint resserré", [], {})


@pytest.mark.parametrize("now", get_args(InterventionStatus))
async def test_work_is_described_once_it_has_begun(stage: Stage, now: InterventionStatus) -> None:
    await stage.given(visit(now))
    outcome = await stage.when(done(parts=[]), by=world.karim)
    if now in {"in_progress", "paused", "completed", "incomplete"}:
        assert outcome.only(WorkRecorded).state.status == now
    else:
        assert refusal(outcome) == (409, "work_not_begun" if now == "on_site" else "not_under_way")


async def test_a_part_that_the_catalogue_does_not_have_is_named(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    await stage.knows(valve())
    unheard_of = PartGiven(article_id=UUID(int=1), quantity=1)
    outcome = await stage.when(done(parts=[*done().parts, unheard_of]), by=world.karim)
    assert wrong_fields(outcome) == ["parts.1.article_id"]


async def test_a_part_priced_in_another_currency_is_refused(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    await stage.knows(valve(currency="TND"))
    assert wrong_fields(await stage.when(done(), by=world.karim)) == ["parts.0.article_id"]


async def test_a_visit_without_parts_needs_no_catalogue(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    recorded = (await stage.when(done(parts=[]), by=world.karim)).only(WorkRecorded).state.work
    assert recorded == work().model_copy(
        update={"parts": [], "failed_serial": "CH-1", "replacement_serial": "CH-2"}
    )


@pytest.mark.parametrize(
    ("who", "answer"),
    [
        (world.sofia, (404, "not_found")),
        (world.lea, (403, "not_allowed")),
    ],
    ids=["another technician", "the client"],
)
async def test_only_its_technician_describes_the_work(
    stage: Stage, who: Actor, answer: tuple[int, str]
) -> None:
    await stage.given(visit("in_progress"))
    assert refusal(await stage.when(done(parts=[]), by=who)) == answer
