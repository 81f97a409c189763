"""What happened is listed across the services, and each event is shown with what it led to."""

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from system import System

from sav_ops.home import OpsError
from sav_ops.inspect import events
from sav_ops.inspect.events import EventFilter


async def found(system: System, **wanted: Any) -> list[str]:
    return [each.type.split(".")[1] for each in await events.find(system.settings, EventFilter(**wanted))]


async def told(system: System, capsys: pytest.CaptureFixture[str], id: str) -> str:
    capsys.readouterr()
    await asyncio.to_thread(events.show, system.settings, id)
    return capsys.readouterr().out


async def test_the_history_of_a_record_is_listed_newest_last(system: System, visit: dict[str, Any]) -> None:
    assert (await found(system, record=visit["reclamation_id"]))[:3] == [
        "ReclamationCreated", "ReclamationQualified", "TechnicianAssigned"
    ]  # fmt: skip
    assert await found(system, record=visit["id"], type="interventioncl") == ["InterventionClosed"]
    assert await found(system, record=visit["id"], type="Interventions.InterventionClosed") == [
        "InterventionClosed"
    ]


async def test_a_record_is_found_by_its_reference_and_shown_with_it(
    system: System, visit: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    [page] = await system.sql(
        "edge", "SELECT doc ->> 'reference' AS name FROM view WHERE id = $1", UUID(visit["reclamation_id"])
    )
    by_id = await events.find(system.settings, EventFilter(record=visit["reclamation_id"]))
    assert await events.find(system.settings, EventFilter(record=page["name"].lower())) == by_id
    await asyncio.to_thread(
        events.list_them, system.settings, EventFilter(conversation=str(by_id[0].correlation_id))
    )
    shown = capsys.readouterr().out
    assert f"reclamation {page['name']} " in shown
    # What has no reference is told from others made in the same second.
    [mail, *_] = await events.find(
        system.settings, EventFilter(conversation=str(by_id[0].correlation_id), type="NotificationChanged")
    )
    assert f"notification {mail.subject} " in shown


async def test_a_conversation_is_followed_through_all_services(system: System, visit: dict[str, Any]) -> None:
    [assigned] = await events.find(
        system.settings, EventFilter(record=visit["reclamation_id"], type="TechnicianAssigned")
    )
    conversation = await events.find(system.settings, EventFilter(conversation=str(assigned.correlation_id)))
    assert {"claims", "interventions"} <= {event.source for event in conversation}
    assert [event.at for event in conversation] == sorted(event.at for event in conversation)


async def test_the_last_ones_are_chosen_of_all_services_together(
    system: System, visit: dict[str, Any]
) -> None:
    everything = await events.find(system.settings, EventFilter(limit=10_000))
    assert await events.find(system.settings, EventFilter(limit=5)) == everything[-5:]
    since = everything[-3].at.isoformat()
    assert await events.find(system.settings, EventFilter(since=since)) == everything[-3:]
    assert await found(system, since="1s", service="auth", type="UserInvited") == []


async def test_an_event_is_shown_with_its_cause_its_reactions_and_what_they_led_to(
    system: System, visit: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    [closed] = await events.find(system.settings, EventFilter(record=visit["id"], type="InterventionClosed"))
    text = await told(system, capsys, str(closed.id))
    assert "a command, " in text
    assert "reporting ask_how_it_was: done, after " in text
    assert "  claims resolve: done, after " in text
    assert "reporting.FeedbackInvited" in text
    assert '"outcome": "completed"' in text
    [invited] = await events.find(
        system.settings, EventFilter(type="FeedbackInvited", conversation=str(closed.correlation_id))
    )
    assert f"Cause:\n  interventions.InterventionClosed {closed.id}" in await told(
        system, capsys, str(invited.id)
    )


async def test_what_was_not_reacted_to_is_told_so(
    system: System, visit: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    [closed] = await events.find(system.settings, EventFilter(record=visit["id"], type="InterventionClosed"))
    taken = await system.sql("reporting", "DELETE FROM handled WHERE event_id = $1 RETURNING *", closed.id)
    try:
        assert "reporting ask_how_it_was: not yet" in await told(system, capsys, str(closed.id))
    finally:
        await system.sql("reporting", "INSERT INTO handled VALUES ($1, $2, $3, $4, $5)", *taken[0])


async def test_an_unknown_or_ambiguous_id_is_refused(system: System, visit: dict[str, Any]) -> None:
    with pytest.raises(OpsError, match="No event has an id"):
        await events.one(system.settings, "ffff")
    with pytest.raises(OpsError, match="ambiguous"):
        await events.one(system.settings, "0")
    with pytest.raises(OpsError, match="not the beginning of an id"):
        await events.one(system.settings, "xyz")


def test_since_is_a_time_or_so_long_ago() -> None:
    assert events.when("2026-03-02T09:00+01:00") == datetime.fromisoformat("2026-03-02T08:00+00:00")
    assert events.when("10min") > events.when("2h") > events.when("3d")
    with pytest.raises(OpsError, match="is no time"):
        events.when("yesterday")
