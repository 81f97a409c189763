"""What can never be done is given up by a person, once, and what waited behind it goes on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from eventually import eventually
from given_parked import KARIM, SOFIA, Cursed, at_work, known, news, on_stage, park, put, reacting, told

from sav_chassis.settings import Settings
from sav_chassis.testing import Stage
from sav_ops.home import Home, OpsError
from sav_ops.inspect import logs
from sav_ops.parked import causes, release
from sav_ops.parked import skip as skipping
from sav_ops.parked.task_list import Task

HEARD = "SELECT version FROM heard WHERE id = $1 ORDER BY position"
INBOX = "SELECT handler, outcome FROM handled WHERE event_id = $1::text::uuid ORDER BY at"
CUT_OFF = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle in transaction'"""
CAUSE = "claims.hear.ZeroDivisionError"


@pytest.fixture
def cursed() -> Cursed:
    return Cursed()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
async def stage(settings: Settings, cursed: Cursed) -> AsyncIterator[Stage]:
    with reacting(cursed, cursed.hear):
        async with on_stage(settings, cursed) as stage:
            yield stage


async def versions(stage: Stage, technician: Any = KARIM) -> list[int]:
    return [row["version"] for row in await stage.database.pool.fetch(HEARD, technician)]


async def inbox(stage: Stage, key: str) -> list[tuple[str, str | None]]:
    return [tuple(row) for row in await stage.database.pool.fetch(INBOX, key)]


async def chosen(stage: Stage, *keys: str, cause: str | None = None) -> list[Task]:
    return await asyncio.to_thread(skipping.chosen, stage.settings, keys, cause, "claims")


async def skip(
    capsys: pytest.CaptureFixture[str], home: Home, stage: Stage, tasks: list[Task], force: bool = False
) -> tuple[str, bool]:
    return await told(capsys, skipping.skip, home, stage.settings, tasks, "it is of 9999", force)


async def test_what_waits_behind_goes_on_in_order_and_the_inbox_says_who_skipped_it_and_why(
    stage: Stage, cursed: Cursed, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = await park(stage, cursed, events=3)
    text, well = await skip(capsys, home, stage, await chosen(stage, keys[0]))
    assert well
    assert text.count("can be done") == 2
    assert text.endswith("1 skipped.\n")
    assert await versions(stage) == []  # it was only tried
    async with at_work(stage):
        await eventually(lambda: nothing_waits(stage))
    assert await versions(stage) == [2, 3]
    assert await inbox(stage, keys[0]) == [("hear", f"skipped by {skipping.who()}: it is of 9999")]
    assert [handler for handler, outcome in await inbox(stage, keys[2])] == ["hear"]
    [line] = logs.latest([logs.Tail(home.logs / "ops.log")], lambda _: True, 5)
    assert line.fields
    assert line.fields["cause"] == "ZeroDivisionError: Karim divided by zero"
    assert (line.fields["key"], line.fields["by"]) == (keys[0], skipping.who())


async def nothing_waits(stage: Stage) -> bool:
    return not await known(stage)


async def test_it_comes_again_and_is_known(
    stage: Stage, cursed: Cursed, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    cursed.failing.add(KARIM)
    event = news(KARIM, 1)
    await stage.hears(event)
    await skip(capsys, home, stage, await chosen(stage, str(event.id)))
    cursed.failing.clear()
    await stage.hears(event)
    assert await versions(stage) == []


async def test_it_stays_where_a_later_event_needs_it_until_somebody_insists(
    stage: Stage, cursed: Cursed, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = await park(stage, cursed, events=3)
    cursed.needing.add(2)
    tasks = await chosen(stage, keys[0])
    text, well = await skip(capsys, home, stage, tasks)
    assert not well
    assert f"interventions.TechnicianChanged {keys[1]}: sav_chassis.errors.NotYet" in text
    assert "1 more would wait behind that" in text
    assert "--force" in text
    assert text.endswith("0 skipped, 1 stayed.\n")
    assert await inbox(stage, keys[0]) == []
    _, well = await skip(capsys, home, stage, tasks, force=True)
    assert well
    assert len(await inbox(stage, keys[0])) == 1
    assert [task.id.key for task in await known(stage)] == keys[1:]


async def test_later_events_may_need_each_other(
    stage: Stage, cursed: Cursed, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = await park(stage, cursed, events=3)
    cursed.needing.add(3)
    _, well = await skip(capsys, home, stage, await chosen(stage, keys[0]))
    assert well


async def test_a_later_event_with_the_same_fault_is_no_worse_off(
    stage: Stage, cursed: Cursed, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    cursed.failing.add(KARIM)
    first, second = news(KARIM, 1), news(KARIM, 1)
    await stage.hears(first)
    await stage.hears(second)
    text, well = await skip(capsys, home, stage, await chosen(stage, str(first.id)))
    assert well
    assert f"{second.id}: ZeroDivisionError" in text


async def test_the_other_reactions_to_the_event_are_still_done(
    stage: Stage, cursed: Cursed, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with reacting(cursed, cursed.hear, cursed.count):
        [key] = await park(stage, cursed)
        await skip(capsys, home, stage, await chosen(stage, key))
        async with at_work(stage):
            await eventually(lambda: nothing_waits(stage))
    assert await versions(stage) == [-1]
    assert [handler for handler, _ in await inbox(stage, key)] == ["hear", "count"]


async def test_what_failed_for_one_cause_is_listed_tried_again_and_skipped_by_its_name(
    stage: Stage, cursed: Cursed, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    await park(stage, cursed, KARIM, events=2)
    await park(stage, cursed, SOFIA)
    await put(stage, f"remind {KARIM}", attempts=1)
    text, _ = await told(capsys, causes.list_them, stage.settings, "claims")
    lines = text.splitlines()
    assert lines[1].split() == ["2", "1", "0", "s", CAUSE]
    assert f"technician {KARIM}, technician {SOFIA}" in lines[2]
    assert lines[4].split()[-1] == "claims.remind.ValueError"

    count = await told(capsys, causes.look, stage.settings, CAUSE, "claims")
    assert count[1] == 2
    text, _ = await told(
        capsys, release.release, stage.settings, [], None, False, "claims", 0, f"{CAUSE}: Karim"
    )
    assert text == "2 released.\n"
    tasks = await chosen(stage, cause=f"{CAUSE}: by zero")
    assert [task.lane for task in tasks] == [KARIM, SOFIA]
    text, _ = await told(capsys, skipping.look, stage.settings, tasks)
    assert text.count("May be skipped") == 2
    assert len(await known(stage)) == 4
    text, _ = await skip(capsys, home, stage, tasks)
    assert text.endswith("2 skipped.\n")
    assert [task.standing for task in await known(stage)] == ["failed", "failed"]


async def test_an_unknown_cause_is_refused_with_those_there_are(stage: Stage, cursed: Cursed) -> None:
    await park(stage, cursed)
    with pytest.raises(OpsError, match=f"there are:\n  {CAUSE}"):
        await chosen(stage, cause="claims.hear.KeyError")
    with pytest.raises(OpsError, match="they say:\n  ZeroDivisionError: Karim"):
        await chosen(stage, cause=f"{CAUSE}: Sofia")
    with pytest.raises(OpsError, match="Say what to skip"):
        await chosen(stage)
    with pytest.raises(OpsError, match="Say why"):
        skipping.worded(" \n ")


async def test_what_has_not_failed_is_not_skipped(stage: Stage, cursed: Cursed) -> None:
    _, second = await park(stage, cursed, events=2)
    await put(stage, f"remind {SOFIA}")
    with pytest.raises(OpsError, match="waits behind an earlier event"):
        await chosen(stage, second)
    with pytest.raises(OpsError, match="waits for its time"):
        await chosen(stage, f"remind {SOFIA}")


@pytest.mark.parametrize("use", ["timer", "effect"])
async def test_a_timer_or_an_effect_is_skipped_and_may_be_asked_for_anew(
    stage: Stage, home: Home, capsys: pytest.CaptureFixture[str], use: str
) -> None:
    for _ in range(2):
        await put(stage, f"deliver {KARIM}", use=use, attempts=9, state="dead")
        text, well = await skip(capsys, home, stage, await chosen(stage, f"deliver:{KARIM}"))
        assert well
        assert "done only if it is asked for anew" in text
        assert await known(stage) == []
        assert [handler for handler, _ in await inbox(stage, str(KARIM))] == [f"{use} deliver"]


async def test_what_is_being_tried_at_this_moment_is_not_skipped(
    stage: Stage, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    await put(stage, f"send {KARIM}", use="effect", attempts=2, leased=timedelta(seconds=60))
    text, well = await skip(capsys, home, stage, await chosen(stage, f"send {KARIM}"))
    assert not well
    assert "being tried at this moment" in text
    assert len(await known(stage)) == 1


async def test_it_waits_for_a_worker_that_is_in_the_middle_of_it(
    stage: Stage, cursed: Cursed, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    [key] = await park(stage, cursed)
    tasks = await chosen(stage, key)
    cursed.failing.clear()
    cursed.inside.clear()
    cursed.go.clear()
    await stage.database.pool.execute("UPDATE task SET state = 'waiting', due = now()")
    async with at_work(stage):
        await cursed.inside.wait()
        skipped = asyncio.create_task(skip(capsys, home, stage, tasks))
        try:
            await eventually(lambda: waits_for_a_lock(stage))
        finally:
            cursed.go.set()
        _, well = await skipped
    assert not well
    assert await versions(stage) == [1]
    assert [outcome for _, outcome in await inbox(stage, key)] == [None]


async def waits_for_a_lock(stage: Stage) -> bool:
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
    return bool(await stage.database.pool.fetchval(query))


async def test_of_two_at_once_one_skips_it(stage: Stage, cursed: Cursed, home: Home) -> None:
    [key] = await park(stage, cursed)
    [task] = await chosen(stage, key)
    results = await asyncio.gather(
        *(skipping.skip_one(stage.settings, task, f"skipped by {name}: x") for name in ("marie", "alex"))
    )
    assert sorted(result.why_not or "" for result in results) == ["", "It was done or skipped just now."]
    assert len(await inbox(stage, key)) == 1


async def test_release_and_skip_at_the_same_time_leave_one_outcome(
    stage: Stage, cursed: Cursed, home: Home
) -> None:
    for _ in range(5):
        [key] = await park(stage, cursed, events=1)
        [task] = await chosen(stage, key)
        cursed.failing.clear()
        async with at_work(stage):
            await asyncio.gather(
                skipping.skip_one(stage.settings, task, "skipped by marie: x"),
                release.let_go(stage.settings, [task]),
            )
            await eventually(lambda: nothing_waits(stage))
        [(_, outcome)] = await inbox(stage, key)
        done = await versions(stage)
        assert (outcome is None) == (done == [1])
        await stage.clear()


async def test_what_fails_for_another_reason_by_now_is_not_skipped(
    stage: Stage, cursed: Cursed, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    [key] = await park(stage, cursed)
    tasks = await chosen(stage, key)
    await stage.database.pool.execute("UPDATE task SET error = 'KeyError: 1'")
    text, well = await skip(capsys, home, stage, tasks)
    assert not well
    assert "another reason by now (claims.hear.KeyError)" in text
    assert await inbox(stage, key) == []


async def test_whoever_is_cut_off_in_the_middle_has_changed_nothing(stage: Stage, cursed: Cursed) -> None:
    first, second = await park(stage, cursed, events=2)
    [task] = await chosen(stage, first)
    cursed.inside.clear()
    cursed.go.clear()
    skipped = asyncio.create_task(skipping.skip_one(stage.settings, task, "skipped by marie: x"))
    await cursed.inside.wait()  # the rehearsal of the second one stands still
    assert await stage.database.pool.fetchval(CUT_OFF) == 1
    cursed.go.set()
    assert str((await skipped).why_not).startswith("Nothing was changed; the database says: ")
    assert await inbox(stage, first) == []
    assert [each.id.key for each in await known(stage)] == [first, second]
