"""What a client does about a visit by the link of a message, without an account."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from given_calendar import APPOINTMENT, VISIT_ID, appointment, at, elsewhere, visit
from pydantic import SecretStr, ValidationError

from sav_chassis.identity import Links
from sav_chassis.testing import Outcome, Stage
from sav_contracts.calendar.appointment import AppointmentCancelled, AppointmentConfirmed
from sav_contracts.calendar.visit_link import AnswerVisitByLink, GetVisitByLink


def token(stage: Stage, id: UUID = APPOINTMENT, purpose: str = "visit") -> SecretStr:
    return SecretStr(Links(stage.settings.link_secret).token(purpose, id))


async def shown(stage: Stage, **which: Any) -> dict[str, Any]:
    outcome = await stage.when(GetVisitByLink(token=token(stage, **which)))
    assert outcome.problem is None, outcome.problem
    return dict(outcome.reply)


async def answers(stage: Stage, answer: str, **fields: Any) -> Outcome:
    said = {"token": token(stage), "answer": answer}
    return await stage.when(AnswerVisitByLink.model_validate(said | fields))


async def booked(stage: Stage, start: datetime, **fields: Any) -> None:
    """Léa's appointment with Karim, whose visit is planned."""
    await stage.knows(visit())
    await stage.given(appointment(start, **({"intervention_id": VISIT_ID} | fields)))


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


async def test_a_client_sees_when_the_technician_comes_and_other_times(stage: Stage) -> None:
    await booked(stage, at(3, 8))
    read = await shown(stage)
    assert (read["reference"], read["status"], read["zone"]) == ("REC-2026-000100", "booked", "Europe/Paris")
    assert (datetime.fromisoformat(read["arrival_from"]), datetime.fromisoformat(read["arrival_until"])) == (
        at(3, 8),
        at(3, 9),
    )
    assert (read["confirmed"], read["may_change"]) == (False, True)
    starts = [datetime.fromisoformat(time["start"]) for time in read["times"]]
    assert starts
    assert at(3, 8) not in starts, "they have that one"
    assert starts == sorted(starts)


async def test_a_client_confirms_once(stage: Stage) -> None:
    await booked(stage, at(3, 8))
    outcome = await answers(stage, "confirm")
    assert outcome.only(AppointmentConfirmed).state.confirmed
    assert outcome.reply["confirmed"]
    again = await answers(stage, "confirm")
    assert (again.problem, again.events) == (None, [])


async def test_a_confirmation_is_of_its_time(stage: Stage) -> None:
    await booked(stage, at(3, 8), confirmed_start=at(2, 8))
    assert not (await shown(stage))["confirmed"]


async def test_a_client_moves_to_a_free_time_and_the_link_goes_on(stage: Stage) -> None:
    await booked(stage, at(3, 8))
    start = (await shown(stage))["times"][-1]["start"]
    outcome = await answers(stage, "move", start=start)
    assert outcome.problem is None, outcome.problem
    [state] = {event.state.id: event.state for event in outcome.events}.values()
    assert (state.id, state.uid, state.sequence) == (APPOINTMENT, "an appointment", 1)
    assert (state.start, state.confirmed) == (datetime.fromisoformat(start), True)
    assert (await shown(stage))["arrival_from"] == start
    again = await answers(stage, "move", start=start)
    assert (again.problem, again.events) == (None, [])


async def test_a_client_cancels_once(stage: Stage) -> None:
    await booked(stage, at(3, 8))
    outcome = await answers(stage, "cancel", reason="Je pars.")
    assert outcome.only(AppointmentCancelled).state.reason == "Je pars."
    assert (outcome.reply["status"], outcome.reply["may_change"]) == ("cancelled", False)
    again = await answers(stage, "cancel")
    assert (again.problem, again.events) == (None, [])
    assert refusal(await answers(stage, "confirm")) == (409, "visit_not_booked")


async def test_shortly_before_a_visit_it_is_confirmed_but_not_changed(stage: Stage) -> None:
    await booked(stage, datetime.now(UTC) + timedelta(minutes=30))
    read = await shown(stage)
    assert (read["may_change"], read["times"]) == (False, [])
    assert (await answers(stage, "confirm")).problem is None


async def test_a_visit_whose_technician_has_set_out_is_not_moved(stage: Stage) -> None:
    of_none: dict[str, Any] = {"reclamation_id": None, "reclamation_reference": None}
    await stage.knows(visit("en_route", reference="INT-2026-000001", **of_none))
    await stage.given(appointment(at(3, 8), intervention_id=VISIT_ID, **of_none))
    read = await shown(stage)
    assert (read["reference"], read["may_change"]) == ("INT-2026-000001", False)


async def test_a_client_learns_nothing_before_it_is_settled_who_comes(stage: Stage) -> None:
    await booked(stage, at(3, 8), status="cancelled", reason="technician_left")
    read = await shown(stage)
    assert (read["status"], read["may_change"]) == ("booked", False)
    assert refusal(await answers(stage, "cancel")) == (409, "visit_not_booked")


@pytest.mark.parametrize("status", ["held", "expired"])
async def test_what_was_never_booked_has_no_page(stage: Stage, status: str) -> None:
    await booked(stage, at(3, 8), status=status)
    assert refusal(await stage.when(GetVisitByLink(token=token(stage)))) == (410, "link_expired")


async def test_the_link_ends_with_the_visit(stage: Stage) -> None:
    await booked(stage, datetime.now(UTC) - timedelta(hours=3))
    assert refusal(await stage.when(GetVisitByLink(token=token(stage)))) == (410, "link_expired")
    assert refusal(await answers(stage, "confirm")) == (410, "link_expired")


@pytest.mark.parametrize("purpose", ["paper", "feedback", "estimate", "calendar"])
async def test_a_link_for_something_else_opens_nothing(stage: Stage, purpose: str) -> None:
    await booked(stage, at(3, 8))
    other = token(stage, purpose=purpose)
    assert refusal(await stage.when(GetVisitByLink(token=other))) == (410, "link_expired")
    answer = AnswerVisitByLink(token=other, answer="cancel")
    assert refusal(await stage.when(answer)) == (410, "link_expired")


async def test_a_link_is_for_one_visit(stage: Stage) -> None:
    await booked(stage, at(3, 8))
    await stage.given(elsewhere(at(3, 13)))
    await answers(stage, "cancel")
    statuses = await stage.database.pool.fetch("SELECT id, status FROM appointment ORDER BY id")
    assert [tuple(row) for row in statuses] == [(APPOINTMENT, "cancelled"), (UUID(int=301), "booked")]


def test_whoever_moves_says_when() -> None:
    with pytest.raises(ValidationError, match="to which time"):
        AnswerVisitByLink(token=SecretStr("x"), answer="move")
