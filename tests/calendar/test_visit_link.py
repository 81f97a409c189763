"""What a client does about a visit by the link of a message, without an account."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import world
from given_calendar import (
    APPOINTMENT,
    PARIS,
    RECLAMATION,
    VISIT_ID,
    appointment,
    at,
    elsewhere,
    hours,
    slot,
    technician,
    visit,
    workday,
)
from pydantic import SecretStr, ValidationError

from sav_calendar.model.waiting import EarlierVisit
from sav_chassis.identity import Links
from sav_chassis.testing import Outcome, Stage
from sav_contracts.auth.policy import CutOffs, PolicyView
from sav_contracts.calendar.appointment import (
    AppointmentCancelled,
    AppointmentConfirmed,
    AppointmentMoved,
    MoveAppointment,
)
from sav_contracts.calendar.visit_link import AnswerVisitByLink, GetVisitByLink


def token(stage: Stage, id: UUID = APPOINTMENT, purpose: str = "visit") -> SecretStr:
    return SecretStr(Links(stage.settings.link_secret).token(purpose, id))


async def shown(stage: Stage, **which: Any) -> dict[str, Any]:
    outcome = await stage.when(GetVisitByLink(token=token(stage, **which)))
    assert outcome.problem is None, outcome.problem
    return dict(outcome.reply)


async def asked(stage: Stage, since: date) -> Outcome:
    return await stage.when(GetVisitByLink.model_validate({"token": token(stage), "from": since}))


async def free(stage: Stage, since: date) -> tuple[str, list[datetime]]:
    """The day from which other times are shown, and these."""
    outcome = await asked(stage, since)
    assert outcome.problem is None, outcome.problem
    starts = [datetime.fromisoformat(time["start"]) for time in outcome.reply["times"]]
    assert starts == sorted(starts)
    assert starts
    return outcome.reply["times_from"], starts


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
    event = outcome.only(AppointmentMoved)
    assert event.by_client
    state = event.state
    assert (state.id, state.uid, state.sequence) == (APPOINTMENT, "an appointment", 1)
    assert (state.start, state.confirmed) == (datetime.fromisoformat(start), True)
    assert (await shown(stage))["arrival_from"] == start
    again = await answers(stage, "move", start=start)
    assert (again.problem, again.events) == (None, [])


async def test_a_time_that_was_just_taken_is_a_wrong_choice_among_those_of_now(stage: Stage) -> None:
    await booked(stage, at(3, 8))
    start = datetime.fromisoformat((await shown(stage))["times"][-1]["start"])
    await stage.given(elsewhere(start))
    outcome = await answers(stage, "move", start=start)
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    assert [error.field for error in outcome.problem.errors or []] == ["start"]
    assert (await shown(stage))["status"] == "booked"


async def test_a_client_cancels_once(stage: Stage) -> None:
    await booked(stage, at(3, 8))
    outcome = await answers(stage, "cancel", reason="Je pars.")
    cancelled = outcome.only(AppointmentCancelled)
    assert (cancelled.state.reason, cancelled.by_client) == ("Je pars.", True)
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
    assert (read["status"], read["unsettled"], read["may_change"]) == ("booked", True, False)
    for answer in ("confirm", "move", "cancel"):
        assert refusal(await answers(stage, answer, start=at(4, 8))) == (409, "visit_unsettled")


@pytest.mark.parametrize("answer", ["confirm", "move", "cancel"])
@pytest.mark.parametrize(
    "changed", [{"start": at(3, 13)}, {"technician_id": world.sofia.id}], ids=["when", "who"]
)
async def test_nobody_answers_for_what_they_have_not_seen(
    stage: Stage, answer: str, changed: dict[str, Any]
) -> None:
    await booked(stage, at(3, 8))
    await stage.given(hours(world.sofia))
    await stage.knows(technician(world.sofia))
    said = {"seen": (await shown(stage))["seen"], "start": at(4, 8)}
    other = MoveAppointment.model_validate({"appointment_id": APPOINTMENT, "start": at(3, 8)} | changed)
    assert (await stage.when(other, by=world.marie)).problem is None
    assert refusal(await answers(stage, answer, **said)) == (409, "visit_changed")
    read = await shown(stage)
    assert (read["status"], read["confirmed"]) == ("booked", False)
    assert (await answers(stage, "confirm", seen=read["seen"])).problem is None


@pytest.mark.parametrize("answer", ["confirm", "move", "cancel"])
async def test_an_answer_to_what_was_seen_is_no_error_when_it_is_sent_again(
    stage: Stage, answer: str
) -> None:
    await booked(stage, at(3, 8))
    said = {"seen": (await shown(stage))["seen"], "start": at(4, 8)}
    first = await answers(stage, answer, **said)
    assert (first.problem, len(first.events)) == (None, 1)
    again = await answers(stage, answer, **said)
    assert (again.problem, again.events, again.reply) == (None, [], first.reply)


async def test_a_time_that_somebody_else_chose_is_no_answer_of_theirs(stage: Stage) -> None:
    await booked(stage, at(3, 8))
    seen = (await shown(stage))["seen"]
    await stage.when(MoveAppointment(appointment_id=APPOINTMENT, start=at(4, 8)), by=world.marie)
    assert refusal(await answers(stage, "move", seen=seen, start=at(4, 8))) == (409, "visit_changed")


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


async def test_several_who_cancel_at_once_are_all_told_that_it_is_cancelled(stage: Stage) -> None:
    await booked(stage, at(3, 8))
    outcomes = await asyncio.gather(*(answers(stage, "cancel") for _ in range(5)))
    assert [outcome.problem for outcome in outcomes] == [None] * 5
    assert {outcome.reply["status"] for outcome in outcomes} == {"cancelled"}
    versions = await stage.database.pool.fetch("SELECT version FROM appointment")
    assert [row["version"] for row in versions] == [2], "it was changed once"


SOFIAS: dict[str, Any] = {"id": UUID(int=302), "technician_id": world.sofia.id, "uid": "Sofia's"}
OF_NONE: dict[str, Any] = {"reclamation_id": None, "reclamation_reference": None}
GIVEN_ON: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"status": "cancelled"}, {}),
    ({"status": "cancelled"}, OF_NONE | {"reference": "INT-2026-000001"}),
    ({"status": "no_show", "missed_by": "technician"}, {}),
]


async def given_on(stage: Stage, was: dict[str, Any], of: dict[str, Any], **fields: Any) -> None:
    """Karim's appointment does not stand any more; Sofia's is booked for the same day."""
    case = {name: of[name] for name in OF_NONE if name in of}
    hers = visit(id=UUID(int=201), technician_id=world.sofia.id, **of)
    await stage.knows(visit("cancelled", **of), hers)
    await stage.given(hours(world.sofia))
    await stage.given(
        appointment(at(3, 8), intervention_id=VISIT_ID, **(was | case)),
        appointment(at(3, 8), intervention_id=hers.id, **(SOFIAS | case | fields)),
    )


@pytest.mark.parametrize(
    ("was", "of"), GIVEN_ON, ids=["by somebody else", "of no réclamation", "nobody came"]
)
async def test_the_link_leads_to_what_is_booked_in_the_place_of_its_appointment(
    stage: Stage, was: dict[str, Any], of: dict[str, Any]
) -> None:
    await stage.knows(technician(world.sofia, name="Sofia Martin"))
    await given_on(stage, was, of)
    read = await shown(stage)
    assert (read["status"], read["technician"], read["may_change"]) == ("booked", "Sofia Martin", True)
    assert (await answers(stage, "confirm")).only(AppointmentConfirmed).state.id == SOFIAS["id"]
    moved = (await answers(stage, "move", start=at(4, 8))).only(AppointmentMoved).state
    assert (moved.id, moved.start) == (SOFIAS["id"], at(4, 8))
    off = (await answers(stage, "cancel")).only(AppointmentCancelled).state
    assert (off.id, off.status) == (SOFIAS["id"], "cancelled")
    assert (await shown(stage))["status"] == was["status"]


async def test_the_link_leads_to_nobody_elses_visit(stage: Stage) -> None:
    await given_on(stage, {"status": "cancelled"}, {}, client_id=world.paul.id)
    assert (await shown(stage))["status"] == "cancelled"


async def test_what_took_place_stays_what_the_link_shows(stage: Stage) -> None:
    await given_on(stage, {"status": "done"}, {})
    assert (await shown(stage))["status"] == "done"


def test_whoever_moves_says_when() -> None:
    with pytest.raises(ValidationError, match="to which time"):
        AnswerVisitByLink(token=SecretStr("x"), answer="move")


async def test_an_earlier_time_that_is_held_for_them_is_shown_and_can_be_chosen(stage: Stage) -> None:
    await booked(stage, at(3, 8))
    earlier: dict[str, Any] = {
        "id": UUID(int=900),
        "uid": "earlier",
        "intervention_id": VISIT_ID,
        "status": "held",
        "held_until": stage.now() + timedelta(hours=2),
    }
    wish = EarlierVisit(
        id=EarlierVisit.id_of(RECLAMATION),
        client_id=world.lea.id,
        reclamation_id=RECLAMATION,
        reclamation_reference="REC-2026-000100",
        status="offered",
        asked_at=stage.now(),
        offer_id=earlier["id"],
        offered=slot(2, 8),
        offered_until=earlier["held_until"],
        zone="Europe/Paris",
    )
    await stage.given(appointment(at(2, 8), offered_for=wish.id, **earlier), wish)
    first = datetime.fromisoformat((await shown(stage))["times"][0]["start"])
    later = (await asked(stage, workday(20))).reply["times"]
    assert first == datetime.fromisoformat(later[0]["start"]) == at(2, 8)
    assert datetime.fromisoformat(later[1]["start"]) >= at(20, 0)
    outcome = await answers(stage, "move", start=first)
    assert (outcome.problem, outcome.reply["status"]) == (None, "booked")
    assert datetime.fromisoformat(outcome.reply["arrival_from"]) == at(2, 8)
    ends = [
        event.state.status for event in outcome.events if event.state.id == EarlierVisit.id_of(RECLAMATION)
    ]
    assert ends == ["ended"], "they have what they waited for"


async def test_other_times_begin_on_the_visits_own_day_or_on_the_day_that_is_asked_for(stage: Stage) -> None:
    await booked(stage, at(12, 8))
    read = await shown(stage)
    assert read["times_from"] == str(workday(12))
    assert datetime.fromisoformat(read["times"][0]["start"]) >= at(12, 0)
    day, starts = await free(stage, workday(25))
    assert (day, starts[0]) == (str(workday(25)), at(25, 8))
    outcome = await answers(stage, "move", start=starts[-1])
    assert outcome.only(AppointmentMoved).state.start == starts[-1]
    day, starts = await free(stage, date(2020, 2, 29))
    assert (day, starts[0] < at(2, 8)) == (str(datetime.now(PARIS).date()), True)


async def test_a_day_is_one_where_the_visit_is(stage: Stage) -> None:
    number = next(n for n in count(8) if workday(n) - workday(n - 1) == timedelta(days=1))
    await booked(stage, at(3, 8), zone="Pacific/Noumea")
    _, starts = await free(stage, workday(number))
    assert starts[0].astimezone(ZoneInfo("Pacific/Noumea")).date() == workday(number)
    assert starts[0].astimezone(PARIS).date() == workday(number - 1)


async def test_other_times_are_at_most_a_year_ahead(stage: Stage) -> None:
    await booked(stage, at(3, 8))
    today = datetime.now(PARIS).date()
    outcome = await asked(stage, today + timedelta(days=367))
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    assert [error.field for error in outcome.problem.errors or []] == ["from"]
    assert (await asked(stage, today + timedelta(days=364))).problem is None


async def test_a_visit_at_the_end_of_the_year_ahead_is_shown_without_other_times(stage: Stage) -> None:
    await booked(stage, datetime.now(UTC) + timedelta(days=366, minutes=-1))
    read = await shown(stage)
    assert (read["may_change"], read["times"]) == (True, [])


async def test_a_time_within_the_cut_off_is_said_to_be_final(stage: Stage) -> None:
    fortnight = PolicyView(
        id=CutOffs.id(),
        version=1,
        created_at=stage.now(),
        updated_at=stage.now(),
        name="cut_offs",
        value={"changes_until_minutes": 20_160},
        changed_by=None,
    )
    await stage.knows(fortnight)
    await booked(stage, at(30, 8))
    soon = (await asked(stage, datetime.now(PARIS).date())).reply["times"][-1]
    later = (await asked(stage, workday(20))).reply["times"][0]
    assert (soon["final"], later["final"]) == (True, False)
    assert (await answers(stage, "move", start=soon["start"])).problem is None
    assert not (await shown(stage))["may_change"]
