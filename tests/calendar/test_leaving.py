"""Nothing stays booked with a technician who takes no visits any more, and each of their visits is for a manager to decide."""

import asyncio
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
import world
from given_calendar import (
    APPOINTMENT,
    RECLAMATION,
    VISIT_ID,
    appointment,
    asked,
    at,
    elsewhere,
    held,
    hours,
    karim_is,
    leaves,
    moved,
    planned,
    reclamation,
    slot,
    technician,
    visit,
    why,
)

from sav_calendar.hours import VISIT
from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.actor import Actor, Role
from sav_contracts.calendar.appointment import (
    AppointmentAttended,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentChanged,
    BookAppointment,
    HoldSlot,
)
from sav_contracts.calendar.conflict import ConflictBecameMoot, ConflictDetected
from sav_contracts.catalog.product import Place
from sav_contracts.interventions.technician import TechnicianChanged, TechnicianLeft
from sav_contracts.interventions.visit import InterventionStatus
from sav_contracts.messages import Event
from sav_contracts.slot import Slot

OMAR = Actor(id=UUID(int=13), role=Role.TECHNICIAN)
LYON = Place(address="3 rue des Lilas", postcode="69003", city="Lyon")


def kinds(outcome: Outcome) -> list[type[Event]]:
    return [type(event) for event in outcome.events]


async def standing(stage: Stage, who: Actor = world.karim) -> int:
    """How many times are held or booked with them."""
    found = await stage.database.pool.fetchval(
        "SELECT count(*) FROM appointment WHERE technician_id = $1 AND status IN ('held', 'booked')", who.id
    )
    return int(found)


async def asks(stage: Stage) -> int:
    """How many visits a manager has to decide about."""
    return int(await stage.database.pool.fetchval("SELECT count(*) FROM conflict WHERE status = 'open'"))


@pytest.mark.parametrize("status", ["planned", "accepted"])
@pytest.mark.parametrize("linked", [VISIT_ID, None], ids=["linked", "not linked yet"])
async def test_the_time_of_their_visit_is_free_and_a_manager_decides(
    stage: Stage, status: InterventionStatus, linked: UUID | None
) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=linked))
    await stage.knows(visit(status, slot=slot(1, 8)))
    left = await leaves(stage)
    assert kinds(left) == [AppointmentChanged, ConflictDetected]
    conflict = asked(left)
    assert (conflict.problem, conflict.status, conflict.wanted) == ("technician_left", "open", slot(1, 8))
    assert (conflict.intervention_id, conflict.technician_id) == (VISIT_ID, world.karim.id)
    assert not conflict.no_time_yet
    assert await standing(stage) == 0


async def test_their_clients_read_nothing_of_it_until_it_is_settled(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    await stage.knows(visit(slot=slot(1, 8)))
    freed, _ = (await leaves(stage)).events
    assert (freed.state.status, freed.state.for_client().status) == ("cancelled", "booked")
    assert freed.state.for_client().reason is None
    settled = await stage.hears(moved("cancelled"))
    assert kinds(settled) == [ConflictBecameMoot, AppointmentCancelled]
    told = settled.events[1].state
    assert (told.id, told.status, told.for_client().status) == (APPOINTMENT, "cancelled", "cancelled")
    assert await why(stage, enveloped(moved("cancelled"))) == "it has no appointment", "told once"


async def test_a_visit_without_a_time_is_asked_about_too(stage: Stage) -> None:
    await stage.knows(visit())
    conflict = asked(await leaves(stage))
    assert (conflict.problem, conflict.no_time_yet, conflict.alternatives) == ("technician_left", True, [])
    assert conflict.wanted.end - conflict.wanted.start == VISIT


@pytest.mark.parametrize("status", ["en_route", "on_site", "in_progress", "paused"])
async def test_who_has_set_out_stays_in_the_calendar_until_that_visit_ends(
    stage: Stage, status: InterventionStatus
) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    await stage.knows(visit(status, slot=slot(1, 8)))
    left = await leaves(stage)
    assert kinds(left) == [ConflictDetected]
    assert asked(left).wanted == slot(1, 8)
    assert await standing(stage) == 1
    assert kinds(await stage.hears(moved("incomplete"))) == [ConflictBecameMoot, AppointmentAttended]
    assert await standing(stage) == 0


async def test_a_time_that_is_only_held_is_free_again(stage: Stage) -> None:
    await stage.given(held(at(1, 8)))
    left = await leaves(stage)
    assert kinds(left) == [AppointmentChanged]
    assert left.events[0].state.for_client().status == "cancelled"


async def test_a_time_that_was_booked_before_its_visit_is_planned_is_asked_about_then(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8)))
    assert kinds(await leaves(stage)) == [AppointmentChanged]
    conflict = (await stage.hears(planned(slot(1, 8)))).only(ConflictDetected)
    assert (conflict.state.problem, conflict.state.wanted) == ("technician_left", slot(1, 8))
    assert not conflict.one_of_many, "managers are told of this one alone"
    assert kinds(await stage.hears(moved("cancelled"))) == [ConflictBecameMoot, AppointmentCancelled]


async def test_the_visit_of_an_appointment_that_is_not_known_here_yet_is_waited_for(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    assert (await leaves(stage)).events == []
    assert len(await stage.parked()) == 1
    assert await standing(stage) == 1


async def test_a_visit_that_has_ended_is_nobodys_to_decide(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    await stage.knows(visit("completed", version=3))
    assert (await leaves(stage)).events == [], "its end is still to arrive, and ends its appointment"
    assert "AppointmentAttended" in [
        type(event).__name__ for event in (await stage.hears(moved("completed"))).events
    ]


async def test_what_is_planned_for_them_from_now_on_is_asked_about_at_once(stage: Stage) -> None:
    await leaves(stage)
    for wanted in (slot(1, 8), None):
        id = UUID(int=210 if wanted else 211)
        await stage.knows(visit(id=id))
        conflict = (await stage.hears(planned(wanted, id=id))).only(ConflictDetected)
        assert (conflict.state.problem, conflict.one_of_many) == ("technician_left", False)
    assert await standing(stage) == 0
    assert (await stage.hears(planned(slot(1, 8), id=UUID(int=210)))).events == [], "once"


async def test_other_news_of_them_ask_nothing_again(stage: Stage) -> None:
    await stage.knows(visit())
    await leaves(stage)
    card = technician(world.karim, version=3, active=False, name="Karim H.")
    await stage.knows(card)
    told = enveloped(TechnicianChanged(state=card))
    assert (await stage.hears(told)).events == []
    assert await stage.outcome_of(told, "follow_technician") == "none of their visits is concerned"


async def test_managers_are_told_of_what_is_found_only_once_the_technician_is_gone(stage: Stage) -> None:
    await leaves(stage)
    await stage.knows(visit(), technician(world.karim, version=3, active=False, name="Karim", skills=["gas"]))
    told = TechnicianChanged(state=technician(world.karim, version=3, active=False, name="Karim"))
    found = (await stage.hears(told)).only(ConflictDetected)
    assert not found.one_of_many, "no message names it else"


async def test_a_conflict_that_waits_already_gives_way(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 8)))
    await stage.knows(visit())
    (await stage.hears(planned(slot(1, 8)))).only(ConflictDetected)
    told = await leaves(stage)
    assert ConflictBecameMoot in kinds(told)
    assert asked(told).problem == "technician_left"


async def test_what_a_manager_wished_for_a_visit_is_still_wanted(stage: Stage) -> None:
    wished = Slot(start=at(2, 9), end=at(2, 12))
    await stage.given(elsewhere(at(2, 10)), hours(OMAR))
    await stage.knows(visit(slot=None), technician(OMAR, name="Omar", skills=["gas"]))
    (await stage.hears(planned(wished, slot=None))).only(ConflictDetected)
    conflict = asked(await leaves(stage))
    assert (conflict.problem, conflict.wanted, conflict.no_time_yet) == ("technician_left", wished, False)
    first = conflict.alternatives[0]
    assert (first.technician_id, first.start, first.end) == (OMAR.id, wished.start, wished.end)


async def test_a_booked_time_that_its_visit_does_not_show_yet_is_still_wanted(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    await stage.knows(visit("en_route", slot=None))
    assert asked(await leaves(stage)).wanted == slot(1, 8)


async def test_who_comes_back_has_their_times_again_where_they_are_free(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    await stage.knows(visit("accepted", slot=slot(1, 8)))
    await leaves(stage)
    back = await karim_is(stage, active=True, version=3)
    assert sorted(kind.__name__ for kind in kinds(back)) == [
        "AppointmentBooked",
        "AppointmentChanged",
        "ConflictBecameMoot",
    ]
    [booked] = [event.state for event in back.events if isinstance(event, AppointmentBooked)]
    assert (booked.start, booked.intervention_id) == (at(1, 8), VISIT_ID)
    [freed] = [event.state for event in back.events if type(event) is AppointmentChanged]
    assert freed.for_client().status == "cancelled", "the client reads one booked time, as before"
    assert await standing(stage) == 1


async def test_who_comes_back_once_the_time_is_over_leaves_the_visit_to_a_manager(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    await stage.knows(visit("accepted", slot=slot(1, 8)))
    await leaves(stage)
    await stage.passes(timedelta(days=30))
    back = await karim_is(stage, active=True, version=3)
    assert kinds(back) == [AppointmentCancelled], "its client waits for it no more"
    assert back.events[0].state.for_client().status == "cancelled"
    assert await asks(stage) == 1
    assert (await karim_is(stage, active=True, version=4)).events == [], "once"


async def test_who_comes_back_once_the_time_is_taken_leaves_the_visit_to_a_manager(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    await stage.knows(visit("accepted", slot=slot(1, 8)))
    await leaves(stage)
    await stage.given(elsewhere(at(1, 8), intervention_id=UUID(int=201)))
    back = await karim_is(stage, active=True, version=3)
    assert kinds(back) == [ConflictBecameMoot, ConflictDetected, AppointmentCancelled]
    assert await asks(stage) == 1


async def test_who_comes_back_to_a_visit_that_went_to_another_gets_nothing(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    await stage.knows(visit("accepted", slot=slot(1, 8)))
    await leaves(stage)
    await stage.hears(moved("cancelled"))
    await stage.knows(technician(world.sofia), visit("cancelled", version=9))
    (await stage.hears(planned(slot(1, 8), id=UUID(int=299), technician_id=world.sofia.id))).only(
        AppointmentBooked
    )
    assert (await karim_is(stage, active=True, version=3)).events == []
    assert (await standing(stage), await standing(stage, world.sofia)) == (0, 1)


async def test_an_old_departure_frees_nothing_of_who_has_come_back(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    await stage.knows(visit(slot=slot(1, 8)), technician(world.karim, version=3))
    gone = TechnicianLeft(state=technician(world.karim, version=2, active=False))
    assert await why(stage, enveloped(gone)) == "none of their visits is concerned"
    assert await standing(stage) == 1


async def test_others_who_can_do_the_work_are_proposed_the_wanted_time_first(stage: Stage) -> None:
    gas = {"skills": ["heating", "gas"]}
    await stage.given(hours(world.sofia), hours(OMAR), appointment(at(2, 10), intervention_id=VISIT_ID))
    await stage.knows(
        technician(world.sofia, name="Sofia", **gas),
        technician(OMAR, name="Omar", skills=["sanitary"]),
        visit(slot=slot(2, 10), skills_needed=("heating", "gas")),
    )
    found = asked(await leaves(stage)).alternatives
    assert {one.technician_id for one in found} == {world.sofia.id}
    assert (len(found), found[0].start) == (3, at(2, 10))


async def test_whoever_works_there_is_proposed_before_others(stage: Stage) -> None:
    await stage.given(hours(world.sofia), hours(OMAR))
    await stage.knows(
        technician(world.sofia, name="Sofia", zone=["13"]),
        technician(OMAR, name="Omar", zone=["69"]),
        visit(place=LYON),
    )
    found = asked(await leaves(stage)).alternatives
    assert [one.technician_id for one in found[:2]] == [OMAR.id, world.sofia.id]


async def test_one_time_is_proposed_first_for_one_visit_only(stage: Stage) -> None:
    await stage.given(
        hours(world.sofia),
        appointment(at(1, 8), intervention_id=VISIT_ID),
        elsewhere(at(1, 10, 30), intervention_id=UUID(int=201)),
    )
    other: dict[str, Any] = {"id": UUID(int=201), "reclamation_id": UUID(int=101), "client_id": world.paul.id}
    await stage.knows(technician(world.sofia), visit(slot=slot(1, 8)), visit(slot=slot(1, 10, 30), **other))
    conflicts = [event.state for event in (await leaves(stage)).events if isinstance(event, ConflictDetected)]
    firsts = sorted(conflict.alternatives[0].start for conflict in conflicts)
    assert len(firsts) == 2
    assert firsts[1] >= firsts[0] + VISIT


async def test_nobody_takes_a_time_of_who_leaves_meanwhile(stage: Stage) -> None:
    """Whoever is first: it is refused, or freed."""
    holding = HoldSlot(reclamation_id=RECLAMATION, technician_id=world.karim.id, start=at(1, 8))
    taken = await stage.when(holding, by=world.lea)
    card = technician(world.karim, version=2, active=False)
    await stage.knows(card)
    booking = BookAppointment(appointment_id=UUID(taken.reply["id"]))
    await asyncio.gather(
        stage.when(booking, by=world.lea), stage.hears(TechnicianLeft(state=card)), return_exceptions=True
    )
    assert await standing(stage) == 0


def holding(**fields: Any) -> HoldSlot:
    usual: dict[str, Any] = {
        "reclamation_id": RECLAMATION,
        "technician_id": world.karim.id,
        "start": at(1, 8),
    }
    return HoldSlot(**(usual | fields))


async def test_a_client_and_a_manager_choose_only_who_can_do_the_work(stage: Stage) -> None:
    await stage.knows(
        reclamation(version=3, skills_needed=("heating", "gas")),
        technician(world.karim, version=2, skills=["heating", "oil"], name="Karim"),
    )
    for who in (world.lea, world.marie):
        refused = await stage.when(holding(), by=who)
        assert refused.problem
        assert (refused.problem.code, "gas" in refused.problem.detail) == ("lacks_skill", True)
    await stage.knows(technician(world.karim, version=3, skills=["heating", "gas"]))
    (await stage.when(holding(), by=world.lea)).only(AppointmentChanged)


async def test_a_client_chooses_among_those_who_work_there_and_a_manager_anybody(stage: Stage) -> None:
    await stage.knows(
        reclamation(version=3, place=LYON), technician(world.karim, version=2, zone=["13"], name="Karim")
    )
    refused = await stage.when(holding(), by=world.lea)
    assert refused.problem
    assert refused.problem.code == "out_of_zone"
    (await stage.when(holding(), by=world.marie)).only(AppointmentChanged)


WHAT_HAPPENS = ("planned", "left", "back", "ended")


async def hear(stage: Stage, what: str) -> None:
    """One of the things that happen; their owners tell them independently of each other."""
    if what == "planned":
        await stage.knows(visit(slot=slot(1, 8)))
        await stage.hears(planned(slot(1, 8)))
    elif what == "ended":
        await stage.knows(visit("cancelled", version=5))
        await stage.hears(moved("cancelled", version=5))
    else:
        await karim_is(stage, active=what == "back", version=3 if what == "back" else 2)


@pytest.mark.parametrize(
    "order",
    [
        order
        for number in (2, 3, 4)
        for order in permutations(WHAT_HAPPENS, number)
        if {"planned", "left"} <= {*order}
    ],
    ids=" ".join,
)
async def test_in_whatever_order_the_news_come_the_calendar_ends_the_same(
    stage: Stage, order: tuple[str, ...]
) -> None:
    for what in order:
        await hear(stage, what)
    assert await stage.parked() == []
    goes_on, away = "ended" not in order, "back" not in order
    assert await standing(stage) == (1 if goes_on and not away else 0)
    assert await asks(stage) == (1 if goes_on and away else 0)
