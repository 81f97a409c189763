"""What a technician is busy with never overlaps: visits, and the way between them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import world
from given_calendar import (
    APPOINTMENT,
    RECLAMATION,
    VISIT_ID,
    appointment,
    at,
    elsewhere,
    hours,
    planned,
    reclamation,
    slot,
    technician,
    visit,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from in_loop import run

from sav_chassis.commands.consumer import COMMANDS_AT_ONCE
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.policy import Buffers, PolicyView
from sav_contracts.calendar.appointment import (
    AppointmentChanged,
    AppointmentView,
    BookAppointment,
    CancelAppointment,
    HoldSlot,
    MoveAppointment,
)
from sav_contracts.calendar.conflict import ConflictDetected
from sav_contracts.catalog.product import Place
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.messages import RequestMessage

LILAS = Place(address="3 rue des Lilas", postcode="69003", city="Lyon")
SAME = Place(address="3  Rue des lilas", postcode="69003", city="LYON", access_notes="Code 42B")
PERRACHE = Place(address="8 quai Perrache", postcode="69002", city="Lyon")
WHY = "Deux rues plus loin."
OVERLAPS = """
SELECT count(*) FROM appointment one JOIN appointment other
ON one.technician_id = other.technician_id AND one.id < other.id AND one.busy && other.busy
WHERE one.status IN ('held', 'booked') AND other.status IN ('held', 'booked')"""


def hold(start: datetime, claim: UUID = RECLAMATION, **fields: Any) -> HoldSlot:
    return HoldSlot(reclamation_id=claim, technician_id=world.karim.id, start=start, **fields)


def code(outcome: Outcome) -> str:
    return outcome.problem.code if outcome.problem else "taken"


def pauls(**fields: Any) -> ReclamationView:
    usual: dict[str, Any] = {"id": UUID(int=101), "client_id": world.paul.id, "reference": "REC-2026-000101"}
    return reclamation(**(usual | fields))


def travel(minutes: int, version: int = 1) -> PolicyView:
    moment = datetime(2026, 3, 2)
    return PolicyView(
        id=Buffers.id(),
        version=version,
        created_at=moment.astimezone(),
        updated_at=moment.astimezone(),
        name="buffers",
        value={"travel_minutes": minutes},
        changed_by=None,
    )


def state(outcome: Outcome) -> AppointmentView:
    """What was held; the visit before it may be shown anew first."""
    assert outcome.problem is None, outcome.problem
    shown = outcome.events[-1].state
    assert isinstance(shown, AppointmentView)
    return shown


async def row(stage: Stage, id: UUID) -> asyncpg.Record:
    found = await stage.database.pool.fetchrow("SELECT * FROM appointment WHERE id = $1", id)
    assert found
    return found


@pytest.mark.parametrize(
    "who", [(world.lea, world.paul), (world.marie, world.alex)], ids=["clients", "managers"]
)
async def test_of_two_times_without_a_way_between_them_exactly_one_is_held(
    stage: Stage, who: tuple[Actor, Actor]
) -> None:
    await stage.knows(pauls())
    for number in range(1, 11):
        both = await asyncio.gather(
            stage.when(hold(at(number, 13)), by=who[0], seconds=20.0),
            stage.when(hold(at(number, 15), UUID(int=101)), by=who[1], seconds=20.0),
        )
        assert sorted(map(code, both)) == ["slot_taken", "taken"]


async def test_the_database_itself_keeps_the_way_free(stage: Stage) -> None:
    """Without any lock, two transactions at once."""
    await stage.given(appointment(at(1, 13)))
    copy = """INSERT INTO appointment (id, version, created_at, updated_at, client_id, technician_id, reclamation_id,
        start, "end", zone, status, uid, sequence, travel, busy_until)
        SELECT gen_random_uuid(), 1, now(), now(), client_id, technician_id, gen_random_uuid(), start + $1, "end" + $1,
        zone, 'held', gen_random_uuid()::text, 0, travel, busy_until + $1 FROM appointment WHERE id = $2"""
    pool = stage.database.pool
    for minutes in (-149, -1, 1, 149):
        with pytest.raises(asyncpg.ExclusionViolationError):
            await pool.execute(copy, timedelta(minutes=minutes), APPOINTMENT)
    for minutes in (-150, 150):
        await pool.execute(copy, timedelta(minutes=minutes), APPOINTMENT)
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute("UPDATE appointment SET busy_until = \"end\" - interval '1 second'")


async def test_a_visit_is_busy_as_long_as_was_usual_when_it_was_planned(stage: Stage) -> None:
    await stage.knows(pauls())
    assert state(await stage.when(hold(at(1, 8)), by=world.lea)).busy_until == at(1, 10, 30)
    await stage.knows(travel(60))
    assert (
        code(await stage.when(hold(at(1, 10, 15), UUID(int=101), outside_hours=True), by=world.marie))
        == "slot_taken"
    )
    wanted = hold(at(1, 10, 30), UUID(int=101), outside_hours=True)
    later = state(await stage.when(wanted, by=world.marie))
    assert (later.busy_until, later.close) == (at(1, 13, 30), False)


async def test_a_manager_plans_closer_with_a_reason(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 8)))
    assert code(await stage.when(hold(at(1, 10)), by=world.marie)) == "slot_taken"
    near = hold(at(1, 10, 10), closer=WHY, outside_hours=True)
    before, close = (await stage.when(near, by=world.marie)).events
    assert type(before) is AppointmentChanged
    assert (before.state.busy_until, before.state.close) == (at(1, 10, 10), True)
    assert isinstance(close.state, AppointmentView)
    assert (close.state.closer, close.state.busy_until, close.state.close) == (WHY, at(1, 12, 40), False)
    shown = close.state.for_client().model_dump()
    assert not {"closer", "close", "busy_until"} & shown.keys()


async def test_what_is_planned_close_before_another_keeps_what_is_left(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 14, 10)))
    close = state(await stage.when(hold(at(1, 12), closer=WHY, outside_hours=True), by=world.marie))
    assert (close.busy_until, close.close) == (at(1, 14, 10), True)


async def test_no_reason_makes_visits_overlap(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 8)))
    assert code(await stage.when(hold(at(1, 9, 59), closer=WHY), by=world.marie)) == "slot_taken"
    assert (await row(stage, UUID(int=301)))["busy_until"] == at(1, 10, 30)


async def test_only_a_manager_plans_closer(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 8)))
    refused = await stage.when(hold(at(1, 10), closer=WHY), by=world.lea)
    assert refused.problem
    assert [one.field for one in refused.problem.errors or []] == ["closer"]


async def test_once_the_close_one_is_gone_the_way_counts_again(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 8)))
    close = state(await stage.when(hold(at(1, 10), closer=WHY), by=world.marie))
    await stage.when(CancelAppointment(appointment_id=close.id), by=world.marie)
    assert (await row(stage, UUID(int=301)))["busy_until"] == at(1, 10)
    assert code(await stage.when(hold(at(1, 10)), by=world.marie)) == "slot_taken"
    assert code(await stage.when(hold(at(1, 10, 30), outside_hours=True), by=world.marie)) == "taken"
    assert (await row(stage, UUID(int=301)))["busy_until"] == at(1, 10, 30)


@pytest.mark.parametrize(
    ("place", "outcome"), [(SAME, "taken"), (PERRACHE, "slot_taken"), (None, "slot_taken")], ids=str
)
async def test_at_one_address_no_way_is_needed(stage: Stage, place: Place | None, outcome: str) -> None:
    await stage.knows(reclamation(version=3, place=LILAS), pauls(place=place))
    await stage.when(hold(at(1, 8)), by=world.lea)
    assert code(await stage.when(hold(at(1, 10), UUID(int=101)), by=world.paul)) == outcome


async def test_nor_before_another_visit_at_that_address(stage: Stage) -> None:
    await stage.knows(reclamation(version=3, place=LILAS), pauls(place=SAME))
    await stage.when(hold(at(1, 10)), by=world.lea)
    assert state(await stage.when(hold(at(1, 8), UUID(int=101)), by=world.paul)).busy_until == at(1, 10)


async def test_unknown_addresses_are_not_the_same(stage: Stage) -> None:
    await stage.knows(reclamation(version=3, place=None), pauls(place=None))
    await stage.when(hold(at(1, 8)), by=world.lea)
    assert code(await stage.when(hold(at(1, 10), UUID(int=101)), by=world.paul)) == "slot_taken"


async def test_a_visit_that_is_planned_too_close_by_hand_is_asked_about(stage: Stage) -> None:
    await stage.given(elsewhere(at(1, 8)))
    conflict = (await stage.hears(planned(slot(1, 10)))).only(ConflictDetected).state
    assert conflict.problem == "slot_taken"


async def test_two_hundred_people_race_for_twenty_times(stage: Stage) -> None:
    times = [at(number, hour) for number in range(1, 11) for hour in (8, 13)]
    people = [Actor(id=UUID(int=1000 + n), role=Role.CLIENT) for n in range(200)]
    claims = [
        reclamation(id=UUID(int=2000 + n), client_id=who.id, reference=f"REC-2026-{n:06}")
        for n, who in enumerate(people)
    ]
    await stage.knows(*claims)
    # The room takes so many commands at once.
    door = asyncio.Semaphore(COMMANDS_AT_ONCE)

    async def race(n: int, who: Actor) -> Outcome:
        async with door:
            return await stage.when(hold(times[n % 20], claims[n].id), by=who, seconds=60.0)

    outcomes = await asyncio.gather(*(race(n, who) for n, who in enumerate(people)))
    won = [outcome for outcome in outcomes if outcome.problem is None]
    lost = [outcome.problem for outcome in outcomes if outcome.problem]
    assert sorted(datetime.fromisoformat(one.reply["start"]) for one in won) == times
    assert [problem.code for problem in lost] == ["slot_taken"] * 180
    assert all(problem.alternatives for problem in lost), "each is offered other times"


async def test_who_moves_to_the_same_time_at_once_does_not_share_it(stage: Stage) -> None:
    await stage.knows(visit(), visit(id=UUID(int=201), reclamation_id=UUID(int=101), client_id=world.paul.id))
    await stage.given(
        appointment(at(3, 8), intervention_id=VISIT_ID),
        elsewhere(at(4, 8), intervention_id=UUID(int=201)),
    )
    both = await asyncio.gather(
        stage.when(MoveAppointment(appointment_id=APPOINTMENT, start=at(5, 13)), by=world.lea, seconds=20.0),
        stage.when(
            MoveAppointment(appointment_id=UUID(int=301), start=at(5, 15)), by=world.paul, seconds=20.0
        ),
    )
    assert sorted(map(code, both)) == ["slot_taken", "taken"]


async def test_who_swaps_two_technicians_does_not_wait_for_ever(stage: Stage) -> None:
    await stage.given(hours(world.sofia))
    await stage.knows(technician(world.sofia), visit())
    hers = {"technician_id": world.sofia.id, "intervention_id": UUID(int=201)}
    await stage.knows(visit(id=UUID(int=201), reclamation_id=UUID(int=101), technician_id=world.sofia.id))
    await stage.given(appointment(at(3, 8), intervention_id=VISIT_ID), elsewhere(at(4, 8), **hers))
    swaps = [
        MoveAppointment(appointment_id=APPOINTMENT, start=at(5, 8), technician_id=world.sofia.id),
        MoveAppointment(appointment_id=UUID(int=301), start=at(5, 8), technician_id=world.karim.id),
    ]
    both = await asyncio.gather(*(stage.when(one, by=world.marie, seconds=20.0) for one in swaps))
    assert [*map(code, both)] == ["taken", "taken"]


PLACES = (LILAS, SAME, PERRACHE, None)
# Minutes after eight: visits of two hours that touch, overlap, and leave less or more than the way.
starts = st.sampled_from([0, 60, 110, 120, 130, 150, 240, 250, 270, 300, 420])
acts = st.tuples(st.sampled_from(["hold", "book", "move", "closer", "cancel"]), st.integers(0, 3), starts)


async def test_no_history_of_people_at_once_makes_a_technician_busy_twice(stage: Stage) -> None:
    claims = [
        reclamation(id=UUID(int=2000 + n), reference=f"REC-2026-{n:06}", place=place)
        for n, place in enumerate(PLACES)
    ]
    reached: set[str] = set()

    async def act(kind: str, n: int, minutes: int) -> None:
        start = at(5, 8) + timedelta(minutes=minutes)
        current = await stage.database.pool.fetchrow(
            "SELECT id, intervention_id FROM appointment WHERE reclamation_id = $1 AND status IN ('held', 'booked')",
            claims[n].id,
        )
        closer = WHY if kind == "closer" else None
        message: RequestMessage[Any]
        if current is None or kind == "hold":
            message = hold(start, claims[n].id, outside_hours=True, closer=closer)
        elif kind == "book":
            message = BookAppointment(appointment_id=current["id"])
        elif kind == "cancel":
            message = CancelAppointment(appointment_id=current["id"])
        else:
            message = MoveAppointment(
                appointment_id=current["id"], start=start, outside_hours=True, closer=closer
            )
        outcome = await stage.when(message, by=world.marie, seconds=20.0)
        assert outcome.problem is None or outcome.problem.status == 409, outcome.problem
        reached.add(f"{type(message).__name__} {code(outcome)}")

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        story=st.lists(st.lists(acts, min_size=1, max_size=3), min_size=4, max_size=12),
    )
    @example(
        story=[
            [("hold", 0, 0), ("hold", 1, 120)],
            [("book", 0, 0), ("book", 1, 0)],
            [("move", 0, 300), ("closer", 2, 240)],
            [("move", 1, 300), ("cancel", 2, 0)],
            [("hold", 3, 130)],
        ]
    )
    async def happens(story: list[list[tuple[str, int, int]]]) -> None:
        await stage.clear()
        await stage.given(hours(world.karim))
        visits = [visit(id=UUID(int=200 + n), reclamation_id=claim.id) for n, claim in enumerate(claims)]
        await stage.knows(technician(world.karim), *claims, *visits)
        for at_once in story:
            await asyncio.gather(*(act(*one) for one in at_once))
            assert await stage.database.pool.fetchval(OVERLAPS) == 0

    await run(happens)
    assert {
        "HoldSlot taken",
        "HoldSlot slot_taken",
        "MoveAppointment taken",
        "CancelAppointment taken",
    } <= reached
