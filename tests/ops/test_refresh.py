"""Owners tell today's views of their records again, and nothing else happens."""

import asyncio
from typing import Any

import asyncpg
import pytest
import stories
from eventually import eventually
from stories import done
from system import System

from sav_contracts import message_types
from sav_contracts.messages import changed
from sav_ops import rooms
from sav_ops.home import OpsError
from sav_ops.replay.refresh import Refresh, model_of
from sav_ops.verify.verification import verify

SHOWN = "SELECT kind, id, version FROM view WHERE kind <> 'read_model' ORDER BY kind, id"
TOLD = "SELECT root, event_id FROM timeline ORDER BY root, event_id"
WAITS = "SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
NEWER = "SELECT type, actor_role, correlation_id FROM event_log WHERE position > $1"


@pytest.mark.parametrize("kind", sorted(message_types.VIEWS))
def test_every_kind_has_one_event_that_says_nothing_else(kind: str) -> None:
    view = message_types.VIEWS[kind]
    event = changed(view)
    assert not event.makes_timeline_line
    assert set(event.model_fields) == {"state"}
    assert model_of(kind).__module__.startswith(f"sav_{view.owner}.")


def test_only_reactions_that_look_for_themselves_hear_such_events() -> None:
    """They find that nothing is new: they must not take the event for a deed."""
    heard = {
        reaction.name
        for service in (rooms.load(name).load() for name in rooms.SERVICES)
        for view in message_types.VIEWS.values()
        for reaction in service.reactions.get(changed(view), ())
    }
    assert heard == {
        *("start_with_usual_hours", "take_the_slot"),
        *("who_left", "follow_technician", "follow_the_account", "follow_the_profile", "set_clocks_anew"),
    }


async def test_everything_is_told_again_and_nothing_else_happens(
    system: System, visit: dict[str, Any]
) -> None:
    await eventually(lambda: every_mail_is_sent(system))
    assert await verify(system.settings, 10) == []
    before = {(row["kind"], row["id"]): row["version"] for row in await system.sql("edge", SHOWN)}
    timeline = await system.sql("edge", TOLD)
    ends = {name: await end(system, name) for name in rooms.SERVICES}
    refreshed = [Refresh(system.settings, kind) for kind in message_types.VIEWS]
    told = sum([await refresh.run(batch=3) for refresh in refreshed])
    assert told == len(before)
    assert await verify(system.settings, 10) == []
    after = {(row["kind"], row["id"]): row["version"] for row in await system.sql("edge", SHOWN)}
    assert after == {key: version + 1 for key, version in before.items()}
    assert await system.sql("edge", TOLD) == timeline
    conversations = {refresh.context.correlation_id for refresh in refreshed}
    for name, position in ends.items():
        newer = await system.sql(name, NEWER, position)
        assert {row["actor_role"] for row in newer} <= {"system"}
        assert {row["correlation_id"] for row in newer} <= conversations


async def every_mail_is_sent(system: System) -> bool:
    # The list of a day waits for the morning.
    soon = "SELECT FROM task WHERE use = 'effect' AND due < now() + interval '1 minute'"
    return not await system.sql("notifier", soon)


async def end(system: System, name: str) -> int:
    [[position]] = await system.sql(name, "SELECT coalesce(max(position), 0) FROM event_log")
    return int(position)


async def test_a_view_that_lacks_something_is_as_its_owner_shows_it_now(
    system: System, visit: dict[str, Any]
) -> None:
    await system.sql("edge", "UPDATE view SET doc = '{}' WHERE kind = 'reclamation'")
    await Refresh(system.settings, "reclamation").run()
    await eventually(
        lambda: system.sql(
            "edge",
            "SELECT FROM view WHERE id = $1 AND doc ->> 'status' = 'resolved'",
            visit["reclamation_id"],
        )
    )


async def test_one_that_was_cut_off_goes_on_behind_the_last_record(
    system: System, visit: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Refresh(system.settings, "account")

    def cut_off(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await first.run(cut_off, batch=2)
    assert first.done == 2
    [[accounts]] = await system.sql("auth", "SELECT count(*) FROM account")
    assert await Refresh(system.settings, "account", first.last).run() == accounts - 2


async def test_a_record_that_somebody_changes_is_told_as_it_is_afterwards(
    system: System, visit: dict[str, Any]
) -> None:
    other = await asyncpg.connect(system.settings.database("claims"))
    changing = other.transaction()
    await changing.start()
    await other.execute(
        "UPDATE reclamation SET article = 'Another boiler' WHERE id = $1", visit["reclamation_id"]
    )
    refreshing = asyncio.create_task(Refresh(system.settings, "reclamation").run())
    await eventually(lambda: system.sql("claims", WAITS), seconds=20)
    await changing.commit()
    await other.close()
    await refreshing
    shown = "SELECT FROM view WHERE id = $1 AND doc ->> 'article' = 'Another boiler'"
    await eventually(lambda: system.sql("edge", shown, visit["reclamation_id"]))


async def test_commands_go_on_meanwhile(system: System, visit: dict[str, Any]) -> None:
    client, manager = await system.client(), await system.manager()
    claim = await stories.opened(client)
    refreshing = asyncio.create_task(Refresh(system.settings, "reclamation").run(batch=1))
    done(await manager.post(f"/reclamations/{claim['id']}/qualify", {"priority": "high"}))
    await refreshing
    assert await verify(system.settings, 10) == []


def test_an_unknown_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(OpsError, match=r"no kind boiler; there are: absence, account, .*working_hours"):
        model_of("boiler")
