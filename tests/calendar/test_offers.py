"""A client chooses another time by a link: once, among what is still free, until the conflict ends."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_calendar import (
    VISIT_ID,
    appointment,
    at,
    elsewhere,
    hours,
    is_away,
    is_back,
    moved,
    slot,
    technician,
    visit,
)
from pydantic import SecretStr

from sav_calendar.commands.offer import ANSWERED_WITHIN
from sav_chassis.identity import Links
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import ANYONE
from sav_contracts.calendar.absence import AddAbsence
from sav_contracts.calendar.appointment import AppointmentMoved
from sav_contracts.calendar.conflict import ConflictDetected, ConflictResolved, ResolveConflict
from sav_contracts.calendar.offer import (
    ChooseTime,
    GetOfferByLink,
    OfferTimes,
    OfferUnanswered,
    TimesOffered,
)

MORNING = (at(1, 7), at(1, 12))


async def asked(stage: Stage) -> UUID:
    """Karim is away when he is expected at Léa's; Sofia could go."""
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID), hours(world.sofia))
    await stage.knows(
        visit(slot=slot(1, 8)),
        technician(world.sofia, name="Sofia"),
        technician(world.karim, version=2, name="Karim"),
    )
    [event] = await is_away(stage, *MORNING)
    assert isinstance(event, ConflictDetected)
    return event.state.id


async def offered(stage: Stage, id: UUID, *times: dict[str, Any]) -> TimesOffered:
    return (await offers(stage, id, *times)).only(TimesOffered)


async def offers(stage: Stage, id: UUID, *times: dict[str, Any]) -> Outcome:
    command = OfferTimes.model_validate({"conflict_id": id, "times": list(times)})
    return await stage.when(command, by=world.marie)


def link(stage: Stage, event: TimesOffered, purpose: str = "times") -> SecretStr:
    return SecretStr(Links(stage.settings.link_secret).token(purpose, event.grant_id))


async def opened(stage: Stage, token: SecretStr) -> dict[str, Any]:
    outcome = await stage.when(GetOfferByLink(token=token), by=ANYONE)
    assert outcome.problem is None, outcome.problem
    return outcome.reply


async def chooses(stage: Stage, token: SecretStr, choice: int) -> Outcome:
    return await stage.when(ChooseTime(token=token, choice=choice), by=ANYONE)


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem
    return outcome.problem.status, outcome.problem.code


KARIM_AT_ONE = {"slot": slot(1, 13).model_dump()}
SOFIA_AT_EIGHT = {"technician_id": world.sofia.id, "slot": slot(1, 8).model_dump()}


async def test_what_the_conflict_proposes_is_offered_in_the_order_of_time(stage: Stage) -> None:
    event = await offered(stage, await asked(stage))
    starts = [time.start for time in event.state.offered]
    assert starts == sorted(set(starts)), "each time once"
    assert (starts[0], event.state.offered[0].technician_id) == (at(1, 8), world.sofia.id)
    assert event.expires_at == event.state.offered_until == starts[-1]
    shown = await opened(stage, link(stage, event))
    assert [time["choice"] for time in shown["times"]] == list(range(1, len(starts) + 1))
    assert (shown["reference"], shown["zone"], shown["status"]) == (
        "REC-2026-000100",
        "Europe/Paris",
        "open",
    )
    assert shown["times"][0]["technician"] == "Sofia"


async def test_looking_changes_nothing(stage: Stage) -> None:
    event = await offered(stage, await asked(stage))
    before = await opened(stage, link(stage, event))
    assert (await stage.when(GetOfferByLink(token=link(stage, event)), by=ANYONE)).events == []
    assert await opened(stage, link(stage, event)) == before


async def test_its_own_technician_at_another_time_is_booked_at_once(stage: Stage) -> None:
    event = await offered(stage, await asked(stage), KARIM_AT_ONE)
    chosen = await chooses(stage, link(stage, event), 1)
    told, resolved = chosen.events
    assert isinstance(told, AppointmentMoved)
    assert (told.state.start, told.state.intervention_id) == (at(1, 13), VISIT_ID)
    assert isinstance(resolved, ConflictResolved)
    assert (resolved.by_client, resolved.state.status) == (True, "resolved")
    assert chosen.reply["chosen"]["choice"] == 1


async def test_somebody_else_goes_which_follows_by_event(stage: Stage) -> None:
    event = await offered(stage, await asked(stage), SOFIA_AT_EIGHT)
    resolved = (await chooses(stage, link(stage, event), 1)).only(ConflictResolved)
    assert (resolved.technician_id, resolved.slot) == (world.sofia.id, slot(1, 8))


async def test_the_link_works_once_and_the_same_answer_again_is_no_error(stage: Stage) -> None:
    event = await offered(stage, await asked(stage), KARIM_AT_ONE, SOFIA_AT_EIGHT)
    token = link(stage, event)
    first = await chooses(stage, token, 2)
    again = await chooses(stage, token, 2)
    assert (again.problem, again.events) == (None, [])
    assert again.reply == first.reply
    assert refusal(await chooses(stage, token, 1)) == (410, "link_expired")
    assert (await opened(stage, token))["status"] == "answered"
    await stage.passes(timedelta(hours=2))
    assert refusal(await stage.when(GetOfferByLink(token=token), by=ANYONE)) == (410, "link_expired")


async def test_a_time_that_was_taken_meanwhile_is_not_shown_and_not_given(stage: Stage) -> None:
    event = await offered(stage, await asked(stage), KARIM_AT_ONE, SOFIA_AT_EIGHT)
    token = link(stage, event)
    await stage.given(elsewhere(at(1, 14)))
    assert [time["choice"] for time in (await opened(stage, token))["times"]] == [1]
    refused = await chooses(stage, token, 2)
    assert refused.problem
    assert [error.field for error in refused.problem.errors or []] == ["choice"]
    for wrong in (3, 5):
        assert (await chooses(stage, token, wrong)).problem
    assert (await chooses(stage, token, 1)).problem is None


async def test_who_takes_no_visits_any_more_is_not_offered(stage: Stage) -> None:
    event = await offered(stage, await asked(stage), KARIM_AT_ONE, SOFIA_AT_EIGHT)
    await stage.knows(technician(world.sofia, version=2, active=False, name="Sofia"))
    assert [time["technician"] for time in (await opened(stage, link(stage, event)))["times"]] == ["Karim"]


async def test_a_time_at_which_somebody_is_away_now_is_not_shown_and_not_given(stage: Stage) -> None:
    event = await offered(stage, await asked(stage), KARIM_AT_ONE, SOFIA_AT_EIGHT)
    away = AddAbsence(technician_id=world.sofia.id, start=at(1, 7), end=at(1, 12), cause="sick")
    assert (await stage.when(away, by=world.marie)).problem is None
    shown = await opened(stage, link(stage, event))
    assert [time["technician"] for time in shown["times"]] == ["Karim"]
    assert refusal(await chooses(stage, link(stage, event), 1)) == (422, "invalid")


async def test_what_is_offered_for_a_visit_that_was_planned_just_now_names_it(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8)), hours(world.sofia))
    await stage.knows(technician(world.sofia, name="Sofia"))
    [found] = await is_away(stage, *MORNING)
    assert isinstance(found, ConflictDetected)
    assert found.state.intervention_id is None
    # Its copy may be here before the event that links it.
    await stage.knows(visit(slot=slot(1, 8)))
    event = await offered(stage, found.state.id, SOFIA_AT_EIGHT)
    assert event.state.intervention_id == VISIT_ID


async def test_offering_again_replaces_the_link(stage: Stage) -> None:
    id = await asked(stage)
    first = await offered(stage, id, KARIM_AT_ONE)
    second = await offered(stage, id, SOFIA_AT_EIGHT)
    looked = await stage.when(GetOfferByLink(token=link(stage, first)), by=ANYONE)
    assert refusal(looked) == refusal(await chooses(stage, link(stage, first), 1)) == (410, "link_expired")
    assert (await chooses(stage, link(stage, second), 1)).problem is None


async def test_the_link_ends_with_the_conflict(stage: Stage) -> None:
    for ends in ("decided", "moot", "over"):
        await stage.clear()
        await stage.given(hours(world.karim))
        id = await asked(stage)
        token = link(stage, await offered(stage, id, KARIM_AT_ONE))
        if ends == "decided":
            decided = ResolveConflict(conflict_id=id, technician_id=world.sofia.id)
            assert (await stage.when(decided, by=world.marie)).problem is None
        elif ends == "moot":
            assert await is_back(stage)
        else:
            assert (await stage.hears(moved("cancelled"))).events
        assert refusal(await chooses(stage, token, 1)) == (410, "link_expired"), ends


async def test_the_link_ends_when_the_last_of_its_times_begins(stage: Stage) -> None:
    event = await offered(stage, await asked(stage), KARIM_AT_ONE)
    await stage.passes(event.expires_at)
    late = await chooses(stage, link(stage, event), 1)
    assert refusal(late) == (410, "link_expired")
    assert late.problem
    # Nothing newer was sent: managers were told, and decide.
    assert "we will call or write to you" in late.problem.detail
    assert "vous appellerons ou vous écrirons" in (late.problem.in_french().detail or "")


async def test_no_other_link_is_one(stage: Stage) -> None:
    event = await offered(stage, await asked(stage), KARIM_AT_ONE)
    for token in (link(stage, event, "estimate"), SecretStr("x"), SecretStr(str(event.grant_id))):
        assert refusal(await chooses(stage, token, 1)) == (410, "link_expired")


async def test_what_a_manager_offers_is_free_to_come_and_in_working_hours(stage: Stage) -> None:
    id = await asked(stage)
    await stage.given(elsewhere(at(1, 15), technician_id=world.sofia.id))
    late = {"slot": slot(1, 20).model_dump()}
    refused = await offers(stage, id, KARIM_AT_ONE, late)
    assert refused.problem
    assert [error.field for error in refused.problem.errors or []] == ["times.1.slot"]
    taken = {"technician_id": world.sofia.id, "slot": slot(1, 15).model_dump()}
    assert refusal(await offers(stage, id, taken)) == (409, "slot_taken")
    await stage.knows(technician(world.sofia, version=2, active=False))
    assert refusal(await offers(stage, id, SOFIA_AT_EIGHT)) == (409, "technician_unavailable")


async def test_there_is_nothing_to_offer_where_nobody_is_free(stage: Stage) -> None:
    id = await asked(stage)
    await stage.database.pool.execute(
        "UPDATE conflict SET ranked = '[]', proposals = '[]', alternatives = '[]'"
    )
    assert refusal(await offers(stage, id)) == (409, "nothing_to_offer")


async def test_what_is_decided_is_offered_to_nobody(stage: Stage) -> None:
    id = await asked(stage)
    await stage.when(ResolveConflict(conflict_id=id, technician_id=world.sofia.id), by=world.marie)
    assert refusal(await offers(stage, id, KARIM_AT_ONE)) == (409, "illegal_move")


@pytest.mark.parametrize("there", ["on_site", "in_progress"])
async def test_nothing_is_offered_while_somebody_is_there(stage: Stage, there: Any) -> None:
    id = await asked(stage)
    await stage.knows(visit(there, version=5, slot=slot(1, 8)))
    assert refusal(await offers(stage, id, KARIM_AT_ONE)) == (409, "visit_under_way")


MOMENT = timedelta(minutes=1)
IN_A_WEEK = {"slot": slot(6, 13).model_dump()}


async def unanswered(stage: Stage, until: datetime | timedelta) -> list[UUID]:
    """The conflicts of which it is told by then that nobody answered."""
    outcome = await stage.passes(until)
    return [event.state.id for event in outcome.events if isinstance(event, OfferUnanswered)]


async def test_whoever_does_not_answer_within_two_days_is_told_to_managers_once(stage: Stage) -> None:
    id = await asked(stage)
    due = stage.now() + ANSWERED_WITHIN
    event = await offered(stage, id, IN_A_WEEK)
    assert event.expires_at > due + MOMENT
    assert await unanswered(stage, due - MOMENT) == []
    assert await unanswered(stage, due + MOMENT) == [id]
    assert (await opened(stage, link(stage, event)))["status"] == "open"
    assert await unanswered(stage, event.expires_at + MOMENT) == []


async def test_it_is_told_when_the_last_of_the_times_begins(stage: Stage) -> None:
    id = await asked(stage)
    await stage.passes(at(1, 6))
    event = await offered(stage, id, KARIM_AT_ONE)
    assert event.expires_at < stage.now() + ANSWERED_WITHIN
    assert await unanswered(stage, event.expires_at - MOMENT) == []
    assert await unanswered(stage, event.expires_at + MOMENT) == [id]


@pytest.mark.parametrize("ends", ["answered", "decided", "back", "visit over"])
async def test_nothing_is_told_of_an_offer_that_is_over(stage: Stage, ends: str) -> None:
    id = await asked(stage)
    token = link(stage, await offered(stage, id, IN_A_WEEK))
    if ends == "answered":
        assert (await chooses(stage, token, 1)).problem is None
    elif ends == "decided":
        decided = ResolveConflict(conflict_id=id, technician_id=world.sofia.id)
        assert (await stage.when(decided, by=world.marie)).problem is None
    elif ends == "back":
        assert await is_back(stage)
    else:
        assert (await stage.hears(moved("cancelled"))).events
    assert await unanswered(stage, ANSWERED_WITHIN + MOMENT) == []


async def test_only_the_offer_of_now_is_waited_for(stage: Stage) -> None:
    id = await asked(stage)
    await offered(stage, id, IN_A_WEEK)
    await stage.passes(timedelta(days=1))
    due = stage.now() + ANSWERED_WITHIN
    await offered(stage, id, IN_A_WEEK)
    assert await unanswered(stage, due - MOMENT) == []
    assert await unanswered(stage, due + MOMENT) == [id]
