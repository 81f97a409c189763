"""Who wants an earlier visit is offered what gets free, in the order in which they asked."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_calendar import (
    APPOINTMENT,
    RECLAMATION,
    VISIT_ID,
    appointment,
    at,
    elsewhere,
    moved,
    reclamation,
    visit,
)

from sav_calendar.model.waiting import EarlierVisit
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.calendar.appointment import (
    AppointmentChanged,
    AppointmentMoved,
    BookAppointment,
    CancelAppointment,
    HoldSlot,
)
from sav_contracts.calendar.waiting import (
    AskForEarlier,
    EarlierVisitChanged,
    EarlierVisitOffered,
    StopWaiting,
)
from sav_contracts.claims.intake import PreferredTime

ASK, STOP = AskForEarlier(reclamation_id=RECLAMATION), StopWaiting(reclamation_id=RECLAMATION)
PAULS = UUID(int=101)
ABLE = pytest.mark.parametrize("who", [world.lea, world.marie, world.alex], ids=lambda who: who.role)
SOON = timedelta(seconds=1)


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


def wish(asked: datetime, **fields: Any) -> EarlierVisit:
    usual: dict[str, Any] = {
        "client_id": world.lea.id,
        "reclamation_id": RECLAMATION,
        "reclamation_reference": "REC-2026-000100",
        "status": "waiting",
        "asked_at": asked,
        "zone": "Europe/Paris",
    }
    made = usual | fields
    return EarlierVisit(id=EarlierVisit.id_of(made["reclamation_id"]), **made)


async def full(stage: Stage, until: int = 4) -> None:
    """Karim has visits until then, and Léa's on the day after."""
    others = [
        elsewhere(
            at(number, 8),
            id=UUID(int=900 + number),
            reclamation_id=UUID(int=900 + number),
            end=at(number, 17),
            uid=f"full {number}",
        )
        for number in range(until)
    ]
    await stage.knows(visit())
    await stage.given(*others, appointment(at(until, 8), intervention_id=VISIT_ID))


async def frees(stage: Stage, number: int = 2, only_morning: bool = False) -> Outcome:
    """A day that was full is free, or its first two hours are."""
    await stage.database.pool.execute(
        "UPDATE appointment SET status = 'cancelled' WHERE id = $1", UUID(int=900 + number)
    )
    if only_morning:
        rest = {"id": UUID(int=950), "reclamation_id": UUID(int=950), "uid": "rest"}
        await stage.given(elsewhere(at(number, 10, 30), end=at(number, 17), **rest))
    await stage.when(ASK, by=world.lea)
    return await stage.passes(SOON)


def offered(outcome: Outcome) -> EarlierVisitOffered:
    [event] = [event for event in outcome.events if isinstance(event, EarlierVisitOffered)]
    return event


@ABLE
async def test_whoever_has_a_visit_asks_for_an_earlier_one(stage: Stage, who: Actor) -> None:
    await full(stage)
    state = (await stage.when(ASK, by=who)).only(EarlierVisitChanged).state
    assert (state.status, state.client_id, state.reclamation_id) == ("waiting", world.lea.id, RECLAMATION)
    again = await stage.when(ASK, by=who)
    assert (again.problem, again.events) == (None, [])
    assert (await stage.passes(SOON)).events == [], "nothing is free"


async def test_who_has_no_visit_chooses_a_time(stage: Stage) -> None:
    assert refusal(await stage.when(ASK, by=world.lea)) == (409, "nothing_booked")


@pytest.mark.parametrize("message", [ASK, STOP], ids=["ask", "stop"])
async def test_nobody_waits_for_somebody_else(stage: Stage, message: AskForEarlier | StopWaiting) -> None:
    await full(stage)
    await stage.when(ASK, by=world.lea)
    assert refusal(await stage.when(message, by=world.paul)) == (404, "not_found")
    assert refusal(await stage.when(message, by=world.karim)) == (403, "not_allowed")


async def test_what_gets_free_is_held_for_who_waits(stage: Stage) -> None:
    await full(stage)
    event = offered(await frees(stage))
    state = event.state
    assert state.offered
    assert (state.status, state.offered.start, event.arrival_from) == ("offered", at(2, 8), at(2, 8))
    assert state.offered_until
    await stage.knows(reclamation(id=PAULS, client_id=world.paul.id, reference="REC-2026-000101"))
    theirs = HoldSlot(reclamation_id=PAULS, technician_id=world.karim.id, start=at(2, 8))
    assert refusal(await stage.when(theirs, by=world.paul)) == (409, "slot_taken")


@ABLE
async def test_booking_the_offer_moves_the_visit(stage: Stage, who: Actor) -> None:
    await full(stage)
    event = offered(await frees(stage))
    assert event.state.offer_id
    outcome = await stage.when(BookAppointment(appointment_id=event.state.offer_id), by=who)
    [told] = [one for one in outcome.events if isinstance(one, AppointmentMoved)]
    assert (told.state.id, told.state.start, told.state.sequence) == (APPOINTMENT, at(2, 8), 1)
    assert outcome.reply["id"] == str(APPOINTMENT)
    [ended] = [one for one in outcome.events if type(one) is EarlierVisitChanged]
    assert (ended.state.status, ended.state.offer_id) == ("ended", None)
    again = await stage.when(BookAppointment(appointment_id=event.state.offer_id), by=who)
    assert refusal(again) == (409, "illegal_move")


async def test_somebody_elses_offer_is_not_there(stage: Stage) -> None:
    await full(stage)
    event = offered(await frees(stage))
    assert event.state.offer_id
    booking = BookAppointment(appointment_id=event.state.offer_id)
    assert refusal(await stage.when(booking, by=world.paul)) == (404, "not_found")


async def test_an_offer_lapses_and_the_next_one_is_asked(stage: Stage) -> None:
    await full(stage)
    pauls = reclamation(id=PAULS, client_id=world.paul.id, reference="REC-2026-000101")
    await stage.knows(pauls, visit(id=UUID(int=201), reclamation_id=PAULS, client_id=world.paul.id))
    await stage.given(
        elsewhere(at(4, 13), intervention_id=UUID(int=201)),
        wish(
            stage.now() + timedelta(minutes=1),
            client_id=world.paul.id,
            reclamation_id=PAULS,
            reclamation_reference="REC-2026-000101",
        ),
    )
    assert offered(await frees(stage, only_morning=True)).state.client_id == world.lea.id, "she asked first"
    lapsed = await stage.passes(timedelta(hours=2, seconds=2))
    changed = [event for event in lapsed.events if type(event) is EarlierVisitChanged]
    assert [(event.state.status, event.state.client_id) for event in changed] == [("ended", world.lea.id)]
    next_one = offered(lapsed)
    assert (next_one.state.client_id, next_one.arrival_from) == (world.paul.id, at(2, 8))


@pytest.mark.parametrize(("part", "hour"), [("afternoon", 13), ("morning", 8), ("evening", None)])
async def test_only_what_suits_them_is_offered(stage: Stage, part: Any, hour: int | None) -> None:
    day = at(2, 8).date()
    await stage.knows(reclamation(version=3, preferred_times=[PreferredTime(on=day, part=part)]))
    await full(stage)
    events = [event for event in (await frees(stage)).events if isinstance(event, EarlierVisitOffered)]
    assert [event.arrival_from for event in events] == ([at(2, hour)] if hour else [])


async def test_a_visit_within_the_cut_off_is_not_offered_another_time(stage: Stage) -> None:
    await full(stage, until=3)
    await stage.passes(at(3, 8) - timedelta(hours=25))
    events = [event for event in (await frees(stage)).events if isinstance(event, EarlierVisitOffered)]
    assert events == []


async def test_whoever_does_not_wait_any_more_gives_the_offer_back(stage: Stage) -> None:
    await full(stage)
    event = offered(await frees(stage))
    outcome = await stage.when(STOP, by=world.lea)
    statuses = {type(one): one.state.status for one in outcome.events}
    assert statuses == {AppointmentChanged: "cancelled", EarlierVisitChanged: "ended"}
    assert event.state.offer_id
    again = await stage.when(STOP, by=world.lea)
    assert (again.problem, again.events) == (None, [])


async def test_a_visit_that_is_off_or_over_ends_the_wish(stage: Stage) -> None:
    await full(stage)
    await stage.when(ASK, by=world.lea)
    outcome = await stage.when(CancelAppointment(appointment_id=APPOINTMENT), by=world.lea)
    assert [one.state.status for one in outcome.events if type(one) is EarlierVisitChanged] == ["ended"]


async def test_the_end_of_the_visit_ends_the_wish(stage: Stage) -> None:
    await full(stage)
    await stage.when(ASK, by=world.lea)
    outcome = await stage.hears(moved("completed"))
    assert [one.state.status for one in outcome.events if type(one) is EarlierVisitChanged] == ["ended"]
