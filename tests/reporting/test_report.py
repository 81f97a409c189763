"""The report on réclamations: known answers for what is known, the period, and who is told what."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import world
from given_reporting import (
    OPENED,
    at,
    closed,
    feedback,
    learns,
    reclamation,
    story,
    told_invoice,
    told_visit,
    visit,
)

from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.reporting import GetReclamationsReport
from sav_contracts.times import FIRST_DAY, LAST_DAY

MICROSECOND = timedelta(microseconds=1)
NOTHING: dict[str, Any] = {
    **{"opened": 0, "resolved": 0, "closed": 0, "cancelled": 0, "open": 0, "visits": 0},
    **{"by_status": [], "by_problem": [], "by_priority": [], "by_coverage": []},
    **{"hours_to_qualify": None, "hours_to_resolve": None, "resolved_at_first_visit": 0},
    **{"feedback": 0, "average_rating": None, "invoiced": "0.00", "received": "0.00"},
    **{"missed_by_client": 0, "missed_by_technician": 0, "missed": []},
}


def asked(start: object = None, end: object = None) -> GetReclamationsReport:
    days = {"from": start, "to": end}
    return GetReclamationsReport.model_validate({name: day for name, day in days.items() if day})


MARCH = asked("2026-03-01", "2026-03-31")


async def report(stage: Stage, by: Actor = world.marie, of: GetReclamationsReport = MARCH) -> dict[str, Any]:
    outcome = await stage.when(of, by=by)
    assert outcome.problem is None, outcome.problem
    return outcome.reply


def of_kind(*counts: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"name": name, "count": count} for name, count in counts]


async def test_the_figures_of_a_month(stage: Stage) -> None:
    repaired = reclamation(101, status="closed", coverage="covered")
    returned_to = reclamation(102, status="resolved", priority="normal", coverage="not_covered")
    under_way = reclamation(103, status="assigned", problem_type="noise")
    withdrawn = reclamation(104, status="cancelled", problem_type="noise")
    reopened = reclamation(105, status="reopened", problem_type="other", priority="low")
    await learns(stage, [*story(repaired, 2, 10), *story(returned_to, 4, 30), *story(under_way, 12)])
    await learns(stage, [*story(withdrawn), *story(reopened, 6, 8)])
    done = [(visit(101, 201), "completed"), (visit(102, 202), "incomplete"), (visit(102, 203), "completed")]
    await learns(stage, [at(OPENED, closed(of, outcome=outcome)) for of, outcome in done])
    await learns(stage, [told_visit(visit(103, 204)), at(OPENED, closed(visit(105, 205)))])
    await learns(stage, [told_invoice(101, "paid", "100.00", "100.00")])
    await learns(stage, [told_invoice(102, "partly_paid", "50.50", "20.00")])
    await learns(stage, [told_invoice(103, "issued", "7.00"), told_invoice(103, "draft", "999.00")])
    await learns(stage, [told_invoice(103, "discarded", "999.00"), told_invoice(103, "credited", "999.00")])
    await stage.given(feedback(101, 5, 201), feedback(102, 4, 203), feedback(105, 2, 205))
    await stage.given(feedback(103, None, 204))

    assert await report(stage) == {
        "start": "2026-03-01",
        "end": "2026-03-31",
        "opened": 5,
        "resolved": 2,
        "closed": 1,
        "cancelled": 1,
        "open": 3,
        "by_status": of_kind(
            ("assigned", 1), ("cancelled", 1), ("closed", 1), ("reopened", 1), ("resolved", 1)
        ),
        "by_problem": of_kind(("leak", 2), ("noise", 2), ("other", 1)),
        "by_priority": of_kind(("high", 3), ("low", 1), ("normal", 1)),
        "by_coverage": of_kind(("unknown", 3), ("covered", 1), ("not_covered", 1)),
        "visits": 4,
        "hours_to_qualify": 5.0,
        "hours_to_resolve": 20.0,
        "resolved_at_first_visit": 1,
        "feedback": 3,
        "average_rating": pytest.approx(11 / 3),
        "invoiced": "157.50",
        "received": "120.00",
        "missed_by_client": 0,
        "missed_by_technician": 0,
        "missed": [],
    }


async def test_what_belongs_to_another_period_is_not_counted(stage: Stage) -> None:
    before = reclamation(101, OPENED - timedelta(days=60), status="resolved")
    await learns(stage, [*story(before, 1, 2), at(OPENED, closed(visit(101)))])
    await learns(stage, [told_invoice(101, "paid", "10.00", "10.00")])
    await stage.given(feedback(101, 1))
    told = await report(stage)
    assert told == NOTHING | {"start": "2026-03-01", "end": "2026-03-31"}


async def test_sums_larger_than_any_invoice_are_told(stage: Stage) -> None:
    await learns(stage, story(reclamation(101)))
    await learns(stage, [told_invoice(101, "issued", "9999999999.99") for _ in range(2)])
    assert (await report(stage))["invoiced"] == "19999999999.98"


@pytest.mark.parametrize(
    ("opened", "counts"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), 1),
        (datetime(2026, 3, 1, tzinfo=UTC) - MICROSECOND, 0),
        (datetime(2026, 4, 1, tzinfo=UTC) - MICROSECOND, 1),
        (datetime(2026, 4, 1, tzinfo=UTC), 0),
    ],
)
async def test_both_days_belong_to_the_period(stage: Stage, opened: datetime, counts: int) -> None:
    await learns(stage, story(reclamation(opened=opened)))
    assert (await report(stage))["opened"] == counts


async def test_the_last_thirty_days_are_meant_where_nothing_is_said(stage: Stage) -> None:
    today = stage.now().date() + timedelta(days=2)
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    await stage.passes(noon)
    for number, days in enumerate((0, 29, 30)):
        await learns(stage, story(reclamation(100 + number, noon - timedelta(days=days))))
    told = await report(stage, of=asked())
    assert (told["start"], told["end"]) == (str(today - timedelta(days=29)), str(today))
    assert told["opened"] == 2


@pytest.mark.parametrize(
    ("start", "end", "meant"),
    [
        (None, "2026-03-31", ("2026-03-02", "2026-03-31")),
        ("2199-01-01", None, ("2199-01-01", "2199-01-01")),
        (LAST_DAY, None, (str(LAST_DAY), str(LAST_DAY))),
        (None, LAST_DAY, (str(LAST_DAY - timedelta(days=29)), str(LAST_DAY))),
        (None, FIRST_DAY, (str(FIRST_DAY - timedelta(days=29)), str(FIRST_DAY))),
        (FIRST_DAY, FIRST_DAY, (str(FIRST_DAY), str(FIRST_DAY))),
    ],
)
async def test_half_a_period_and_the_ends_of_time(
    stage: Stage, start: object, end: object, meant: tuple[str, str]
) -> None:
    told = await report(stage, of=asked(start, end))
    assert (told["start"], told["end"]) == meant
    assert told["opened"] == 0


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-03-02", "2026-03-01"),
        ("2016-01-01", "2026-03-01"),
        (FIRST_DAY, None),
        (FIRST_DAY, LAST_DAY),
        (LAST_DAY, FIRST_DAY),
    ],
)
async def test_a_period_that_is_none_or_too_long_is_refused(stage: Stage, start: object, end: object) -> None:
    problem = (await stage.when(asked(start, end), by=world.marie)).problem
    assert problem
    assert (problem.status, [error.field for error in problem.errors or []]) == (422, ["to"])


async def two_sides(stage: Stage) -> None:
    """Karim did Léa's repair after Sofia, who did Paul's; each was rated and invoiced."""
    for number, client, technician in ((101, world.lea, world.karim), (102, world.paul, world.sofia)):
        whose: dict[str, Any] = {"client_id": client.id, "technician_id": technician.id}
        last = reclamation(number, status="resolved", **whose)
        await learns(stage, story(last, 1, 2))
        await learns(stage, [at(OPENED, closed(visit(number, number + 100, **whose)))])
        await learns(stage, [told_invoice(number, "issued", f"{number}.00", client_id=client.id)])
        await stage.given(feedback(number, 5, number + 100, **whose))
    await stage.given(feedback(101, 1, 203, technician_id=world.sofia.id))


@pytest.mark.parametrize(
    ("who", "opened", "ratings", "invoiced"),
    [
        (world.marie, 2, (3, 11 / 3), "203.00"),
        (world.alex, 2, (3, 11 / 3), "203.00"),
        (world.lea, 1, (2, 3.0), "101.00"),
        (world.paul, 1, (1, 5.0), "102.00"),
        (world.karim, 1, (1, 5.0), None),
        (world.sofia, 1, (1, 5.0), None),
    ],
)
async def test_everybody_is_told_about_what_is_theirs(
    stage: Stage, who: Actor, opened: int, ratings: tuple[int, float], invoiced: str | None
) -> None:
    await two_sides(stage)
    told = await report(stage, by=who)
    assert (told["opened"], told["resolved_at_first_visit"], told["visits"]) == (opened, opened, opened)
    assert (told["feedback"], told["average_rating"]) == (ratings[0], pytest.approx(ratings[1]))
    assert told["invoiced"] == invoiced
    assert told["received"] == (None if invoiced is None else "0.00")


@pytest.mark.parametrize("who", [world.lea, world.karim, world.marie], ids=lambda who: who.role)
async def test_an_empty_period_has_zeros_and_no_medians(stage: Stage, who: Actor) -> None:
    billing = {"invoiced": None, "received": None} if who == world.karim else {}
    days = {"start": "2026-03-01", "end": "2026-03-31"}
    assert await report(stage, by=who) == NOTHING | days | billing
