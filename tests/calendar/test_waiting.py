"""Who wants an earlier visit is offered what gets free, in the order in which they asked."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

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
    is_away,
    karim_is,
    moved,
    reclamation,
    technician,
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
    MoveAppointment,
)
from sav_contracts.calendar.conflict import ConflictDetected, ResolveConflict
from sav_contracts.calendar.waiting import (
    AskForEarlier,
    EarlierVisitChanged,
    EarlierVisitOffered,
    EarlierVisitTakenBack,
    StopWaiting,
)
from sav_contracts.claims.intake import PreferredTime
from sav_contracts.claims.reclamation import ReclamationMoved

ASK, STOP = AskForEarlier(reclamation_id=RECLAMATION), StopWaiting(reclamation_id=RECLAMATION)
PAULS = UUID(int=101)
ABLE = pytest.mark.parametrize("who", [world.lea, world.marie, world.alex], ids=lambda who: who.role)
SOON = timedelta(seconds=1)
# What says what became of a wish.
TOLD = (EarlierVisitChanged, EarlierVisitTakenBack)


@pytest.fixture(autouse=True)
async def by_day(stage: Stage) -> None:
    """Ten o'clock where the visit is: offers are made by day. Tomorrow's, whenever the tests run: today is never full."""
    await stage.passes(at(0, 10))


def on_the_clock(stage: Stage, hour: int) -> datetime:
    """When it is that hour next, where the visit is."""
    now = stage.now().astimezone(PARIS)
    day = now.date() + timedelta(days=now.hour >= hour)
    return datetime.combine(day, time(hour), PARIS).astimezone(UTC)


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
    """A day that was full is free, or its first two hours are; Léa asks."""
    await is_free(stage, number, only_morning)
    await stage.when(ASK, by=world.lea)
    return await stage.passes(SOON)


async def is_free(stage: Stage, number: int, only_morning: bool) -> None:
    await stage.database.pool.execute(
        "UPDATE appointment SET status = 'cancelled' WHERE id = $1", UUID(int=900 + number)
    )
    if only_morning:
        rest = {"id": UUID(int=950), "reclamation_id": UUID(int=950), "uid": "rest"}
        await stage.given(elsewhere(at(number, 10, 30), end=at(number, 17), **rest))


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
    assert (again.problem, again.events) == (None, [])
    assert (again.reply["id"], again.reply["start"]) == (outcome.reply["id"], outcome.reply["start"])


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
    await stage.passes(at(3, 8) - timedelta(hours=22))
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


def wishes(outcome: Outcome) -> list[str]:
    """What became of wishes, in order."""
    assert outcome.problem is None, outcome.problem
    return [one.state.status for one in outcome.events if isinstance(one, TOLD)]


async def taking_time(stage: Stage) -> list[str]:
    """What is held or booked for Léa."""
    rows = await stage.database.pool.fetch(
        "SELECT status FROM appointment WHERE client_id = $1 AND status IN ('held', 'booked') ORDER BY status",
        world.lea.id,
    )
    return [row["status"] for row in rows]


async def test_an_offer_is_booked_and_not_moved(stage: Stage) -> None:
    await full(stage)
    offer = offered(await frees(stage)).state.offer_id
    assert offer
    elsewhen = MoveAppointment(appointment_id=offer, start=at(2, 13), reason="Plus tard.")
    for who in (world.lea, world.karim, world.marie):
        assert refusal(await stage.when(elsewhen, by=who)) == (409, "nothing_booked")
    assert await taking_time(stage) == ["booked", "held"]


async def test_an_offer_of_whoever_is_away_then_is_taken_back_and_its_client_waits_on(stage: Stage) -> None:
    await full(stage)
    offer = offered(await frees(stage)).state.offer_id
    assert offer
    events = await is_away(stage, at(2, 7), at(2, 12))
    statuses = {type(one): one.state.status for one in events}
    assert statuses == {AppointmentChanged: "cancelled", EarlierVisitTakenBack: "waiting"}
    [told] = [one for one in events if isinstance(one, EarlierVisitTakenBack)]
    assert told.arrival_from == at(2, 8)
    booking = BookAppointment(appointment_id=offer)
    assert refusal(await stage.when(booking, by=world.lea)) == (409, "not_offered")
    assert offered(await stage.passes(SOON)).arrival_from == at(2, 13), "the afternoon is free"


async def test_an_offer_of_whoever_leaves_is_taken_back(stage: Stage) -> None:
    await full(stage)
    offered(await frees(stage))
    assert wishes(await karim_is(stage, active=False)) == ["waiting"]
    assert await taking_time(stage) == []


@ABLE
async def test_whoever_moves_to_the_very_time_that_is_offered_has_it_and_waits_no_longer(
    stage: Stage, who: Actor
) -> None:
    await full(stage)
    offered(await frees(stage))
    outcome = await stage.when(MoveAppointment(appointment_id=APPOINTMENT, start=at(2, 8)), by=who)
    assert wishes(outcome) == ["ended"]
    assert not any(isinstance(one, EarlierVisitTakenBack) for one in outcome.events), "they have it"
    assert [one.state.start for one in outcome.events if isinstance(one, AppointmentMoved)] == [at(2, 8)]


async def test_an_offer_ends_where_another_technician_comes(stage: Stage) -> None:
    await stage.given(hours(world.sofia))
    await stage.knows(technician(world.sofia))
    await full(stage)
    offered(await frees(stage))
    to_sofia = MoveAppointment(appointment_id=APPOINTMENT, start=at(4, 8), technician_id=world.sofia.id)
    outcome = await stage.when(to_sofia, by=world.marie)
    assert wishes(outcome) == ["waiting"]
    assert any(isinstance(one, EarlierVisitTakenBack) for one in outcome.events), "somebody else chose it"
    assert await taking_time(stage) == ["booked"]


async def test_a_technician_cancels_also_while_an_earlier_time_is_offered(stage: Stage) -> None:
    await full(stage)
    offered(await frees(stage))
    off = CancelAppointment(appointment_id=APPOINTMENT, reason="Panne de voiture.")
    assert wishes(await stage.when(off, by=world.karim)) == ["ended"]
    assert await taking_time(stage) == []


async def test_whoever_waits_does_so_with_the_next_technician_too(stage: Stage) -> None:
    await full(stage)
    await stage.when(ASK, by=world.lea)
    reassigned = moved("cancelled").model_copy(update={"reason": "reassigned"})
    assert wishes(await stage.hears(reassigned)) == []


async def test_a_time_that_somebody_held_and_did_not_book_is_offered(stage: Stage) -> None:
    await full(stage)
    await is_free(stage, 2, only_morning=True)
    await stage.knows(reclamation(id=PAULS, client_id=world.paul.id, reference="REC-2026-000101"))
    holding = HoldSlot(reclamation_id=PAULS, technician_id=world.karim.id, start=at(2, 8))
    assert (await stage.when(holding, by=world.paul)).problem is None
    await stage.when(ASK, by=world.lea)
    assert (await stage.passes(SOON)).events == []
    assert offered(await stage.passes(timedelta(minutes=6))).arrival_from == at(2, 8)


async def test_a_time_that_a_managers_decision_frees_is_offered(stage: Stage) -> None:
    await full(stage)
    pauls = visit(id=UUID(int=201), reclamation_id=UUID(int=902), client_id=world.paul.id)
    await stage.knows(pauls)
    await stage.database.pool.execute(
        "UPDATE appointment SET intervention_id = $1 WHERE id = $2", pauls.id, UUID(int=902)
    )
    [conflict] = [
        one for one in await is_away(stage, at(2, 8), at(2, 9)) if isinstance(one, ConflictDetected)
    ]
    await stage.when(ASK, by=world.lea)
    assert (await stage.passes(SOON)).events == []
    later = {"conflict_id": conflict.state.id, "slot": {"start": at(6, 8), "end": at(6, 17)}}
    decided = await stage.when(ResolveConflict.model_validate(later), by=world.marie)
    assert decided.problem is None, decided.problem
    assert offered(await stage.passes(SOON)).arrival_from == at(2, 9)


async def test_a_reclamation_that_ends_without_a_visit_ends_the_wish(stage: Stage) -> None:
    await stage.given(appointment(at(4, 8)))
    await stage.when(ASK, by=world.lea)
    ended = reclamation(version=5, status="cancelled")
    await stage.knows(ended)
    told = ReclamationMoved(state=ended, before="qualified", after="cancelled")
    assert wishes(await stage.hears(told)) == ["ended"]


async def test_what_gets_free_at_night_is_offered_in_the_morning(stage: Stage) -> None:
    await stage.passes(on_the_clock(stage, 23))
    await full(stage, until=6)
    await is_free(stage, 4, only_morning=False)
    await stage.when(ASK, by=world.lea)
    morning = on_the_clock(stage, 8)
    events = (await stage.passes(morning - SOON)).events
    assert [event for event in events if isinstance(event, EarlierVisitOffered)] == []
    event = offered(await stage.passes(morning + SOON))
    assert event.state.offered_until
    assert abs(event.state.offered_until - morning - timedelta(hours=2)) < timedelta(minutes=1)
