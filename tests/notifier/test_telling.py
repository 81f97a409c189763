"""Who is told of what: exactly the right people, once, in their language and with nothing that is not theirs."""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import world
from given_notifier import (
    REFERENCE,
    SLOT,
    account,
    booked,
    client_profile,
    created,
    gone,
    moved,
    nadia,
    planned,
    reclamation,
    resolved,
    scheduled,
)
from notifier_case import KARIM, LEA, Case
from notifier_cases import CASES
from pydantic_core import from_json

from sav_chassis.testing import Outcome, Stage, enveloped
from sav_contracts.actor import SYSTEM, Actor, Role
from sav_contracts.notifier import MarkRead, NotificationChanged, NotificationView
from sav_contracts.slot import Slot
from sav_notifier.app import notifier
from sav_notifier.lifecycle import NOTIFICATION
from sav_notifier.message import MESSAGES


def told(outcome: Outcome) -> dict[str, set[UUID]]:
    """Template to people, of the messages that were queued."""
    people = defaultdict[str, set[UUID]](set)
    for message in messages(outcome):
        assert message.user_id not in people[message.template]
        people[message.template].add(message.user_id)
    return dict(people)


def messages(outcome: Outcome) -> list[NotificationView]:
    assert all(type(event) is NotificationChanged for event in outcome.events)
    return [event.state for event in outcome.events if isinstance(event.state, NotificationView)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_exactly_these_people_are_told(stage: Stage, case: Case) -> None:
    for earlier in case.before:
        await stage.hears(earlier)
    outcome = await stage.hears(enveloped(case.event, case.by))
    assert await stage.parked() == []
    assert told(outcome) == case.told
    for message in messages(outcome):
        # The list of a day waits for the morning of its reader.
        assert message.status == ("planned" if message.template == "visits_of_day" else "queued")


@pytest.mark.parametrize("case", [case for case in CASES if case.told], ids=lambda case: case.name)
async def test_what_is_no_news_any_more_is_told_only_where_it_still_holds(stage: Stage, case: Case) -> None:
    for earlier in case.before:
        await stage.hears(earlier)
    event = enveloped(case.event, case.by)
    await stage.passes(timedelta(days=8))
    outcome = await stage.hears(event)
    assert messages(outcome)
    for message in messages(outcome):
        [[reason]] = await stage.database.pool.fetch(
            "SELECT reason FROM notification WHERE id = $1", message.id
        )
        assert (message.status, bool(reason)) == (
            ("queued", False) if MESSAGES[message.template].declared.lasting else ("suppressed", True)
        )


async def test_a_week_later_it_is_news_still(stage: Stage) -> None:
    event = enveloped(created())
    outcome = await stage.hears(
        event.model_copy(update={"at": event.at - timedelta(days=7) + timedelta(minutes=1)})
    )
    assert {message.status for message in messages(outcome)} == {"queued"}


def test_every_event_that_is_reacted_to_has_a_case() -> None:
    assert {type(case.event) for case in CASES} == set(notifier.load().reactions)


def test_a_technician_is_told_nothing_of_money_and_a_client_nothing_internal() -> None:
    money = {
        *("invoice_issued", "invoice_to_issue", "payment_received", "credit_note_issued"),
        *("invoice_overdue", "invoice_reminded", "invoice_unpaid", "deposit_left_over", "invoice_by_post"),
        *("payment_taken_back", "dispute_decided"),
    }
    internal = {
        "reclamation_new",
        "visit_declined",
        "appointment_called_off",
        "acts_refused",
        "visit_conflict",
        "offer_unanswered",
        "visits_of_day",
        "feedback_low",
        "stock_low",
        "stock_overdrawn",
        "parts_to_validate",
    }
    assert money | internal == {template for case in CASES for template in case.told} & (money | internal)
    for case in CASES:
        for template, people in case.told.items():
            assert not (template in money and people & KARIM)
            assert not (template in internal and people & LEA)


async def test_an_event_heard_again_tells_nobody_again(stage: Stage) -> None:
    event = enveloped(created())
    assert len((await stage.hears(event)).events) == 3
    assert (await stage.hears(event)).events == []
    # Even where the inbox was lost.
    await stage.database.pool.execute("TRUNCATE handled")
    assert (await stage.hears(event)).events == []
    assert await stage.database.pool.fetchval("SELECT count(*) FROM handled"), (
        "or it was not reacted to again"
    )
    assert await stage.parked() == []
    assert await stage.database.pool.fetchval("SELECT count(*) FROM notification") == 3
    assert len(await stage.waiting()) == 3


async def test_everybody_reads_their_own_language(stage: Stage) -> None:
    subjects = {message.user_id: message.subject for message in messages(await stage.hears(created()))}
    assert subjects[world.marie.id].startswith("Nouvelle réclamation REC-2026-000100")
    assert subjects[nadia.id].startswith("New claim REC-2026-000100")

    english = created(id=UUID(int=101), client_id=world.paul.id)
    subjects = {message.user_id: message.subject for message in messages(await stage.hears(english))}
    assert subjects[world.paul.id] == f"We have received your claim {REFERENCE}"


async def test_a_critical_reclamation_is_an_alert(stage: Stage) -> None:
    outcome = await stage.hears(created(priority="critical"))
    staff = [message for message in messages(outcome) if message.template == "reclamation_new"]
    assert {message.category for message in staff} == {"alert"}
    assert all("[URGENT]" in message.subject for message in staff)


async def test_who_has_no_account_any_more_is_not_written_to(stage: Stage) -> None:
    await stage.knows(account(world.lea, "Léa Bernard", status="closed", version=2))
    [message] = messages(await stage.hears(resolved()))
    assert (message.status, message.reason) == ("suppressed", "the account is closed")
    assert await stage.waiting() == []


async def test_who_has_given_no_address_is_not_written_to_until_there_is_one(stage: Stage) -> None:
    await stage.knows(
        client_profile(world.lea, "Léa Bernard", email="", version=2),
        account(world.lea, "Léa Bernard", email="", status="invited", version=2),
    )
    [message] = messages(await stage.hears(resolved()))
    assert (message.status, message.reason) == ("suppressed", "no address is known")

    await stage.knows(account(world.lea, "Léa Bernard", email="lea@example.com", version=3))
    [message] = messages(await stage.hears(resolved("advice")))
    assert message.status == "queued"


async def test_a_deactivated_manager_is_not_among_the_managers(stage: Stage) -> None:
    assert gone.id not in told(await stage.hears(created()))["reclamation_new"]
    await stage.knows(account(world.marie, "Marie Leroy", status="deactivated", version=2))
    again = await stage.hears(moved("declined"))
    assert told(again) == {"visit_declined": {nadia.id}}


async def test_a_client_who_is_not_known_yet_is_told_later(stage: Stage) -> None:
    newcomer = Actor(id=UUID(int=3), role=Role.CLIENT)
    assert (await stage.hears(created(client_id=newcomer.id))).events == []
    [(_, why)] = await stage.parked()
    assert "NotYet" in why

    await stage.knows(client_profile(newcomer, "Zoé Petit"), account(newcomer, "Zoé Petit"))
    await stage.database.pool.execute("UPDATE task SET due = now() WHERE use = 'parked'")
    await stage.reactor.release_due()
    assert await stage.parked() == []
    assert await stage.database.pool.fetchval(
        "SELECT count(*) FROM notification WHERE user_id = $1", newcomer.id
    )


@pytest.mark.parametrize("slot", [SLOT, None], ids=["wanted", "found later"])
async def test_a_technician_hears_the_time_once_with_what_they_need(stage: Stage, slot: Slot | None) -> None:
    await stage.hears(planned(slot))
    await stage.hears(booked(intervention_id=None))
    await stage.hears(scheduled())
    assert await stage.parked() == []
    rows = await stage.database.pool.fetch(
        "SELECT facts FROM notification WHERE user_id = $1 AND facts->>'start' IS NOT NULL", world.karim.id
    )
    [facts] = [from_json(row["facts"]) for row in rows]
    assert datetime.fromisoformat(facts["start"]) == SLOT.start
    assert facts["place"]["access_notes"] == "code 24A, 2e étage"
    assert facts["article"] == "Chaudière Azur 24"


async def test_the_reason_of_staff_does_not_reach_the_client(stage: Stage) -> None:
    event = resolved()
    assert event.reason == "internal remark"
    [message] = messages(await stage.hears(event))
    assert message.user_id == world.lea.id
    everything = await _everything(stage)
    assert everything.count(REFERENCE) == 2, "in a fact and in the subject, or this would find nothing"
    assert event.reason not in everything


async def test_only_its_person_marks_a_message_as_read_and_again_is_the_same(stage: Stage) -> None:
    message = next(m for m in messages(await stage.hears(created())) if m.user_id == world.lea.id)
    early = await stage.when(MarkRead(notification_id=message.id), by=world.lea)
    assert early.problem
    assert early.problem.code == "illegal_move"

    await stage.runs_effects()
    for other, status in ((world.marie, 403), (world.paul, 404), (world.karim, 404)):
        refused = await stage.when(MarkRead(notification_id=message.id), by=other)
        assert refused.problem
        assert refused.problem.status == status

    read = (await stage.when(MarkRead(notification_id=message.id), by=world.lea)).only(NotificationChanged)
    assert (read.state.status, read.state.read_at is not None) == ("read", True)
    again = await stage.when(MarkRead(notification_id=message.id), by=world.lea)
    assert (again.problem, again.events) == (None, [])
    assert again.reply["version"] == read.state.version


def test_the_states_are_those_of_the_contract() -> None:
    reached = {to for _, to in NOTIFICATION.moves} | {"planned"}
    assert reached == {
        *("planned", "suppressed", "queued", "sent", "kept_locally"),
        *("delivered", "read", "failed", "dead"),
    }
    for over in ("suppressed", "dead", "read"):
        assert NOTIFICATION.legal(over, SYSTEM) == []


async def test_the_record_says_what_it_is_about(stage: Stage) -> None:
    event = enveloped(created())
    message = messages(await stage.hears(event))[0]
    assert (message.about_kind, message.about_id) == ("reclamation", reclamation().id)
    assert (message.event_id, message.channel) == (event.id, "email")


async def _everything(stage: Stage) -> str:
    rows = await stage.database.pool.fetch("SELECT facts::text || subject AS all FROM notification")
    return "".join(row["all"] for row in rows)
