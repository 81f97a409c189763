"""What is parked is told as it is, and tried again when somebody says so."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from given_parked import KARIM, SOFIA, Cursed, at_work, known, on_stage, park, put, reacting, told

from sav_chassis.settings import Settings
from sav_chassis.testing import Stage
from sav_ops.home import OpsError
from sav_ops.parked import release, task_list


@pytest.fixture
def cursed() -> Cursed:
    return Cursed()


@pytest.fixture
async def stage(settings: Settings, cursed: Cursed) -> AsyncIterator[Stage]:
    with reacting(cursed, cursed.hear):
        async with on_stage(settings, cursed) as stage:
            yield stage


async def test_what_failed_is_listed_with_its_cause_and_what_is_held_back(
    stage: Stage, cursed: Cursed, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = await park(stage, cursed, events=2)
    text, _ = await told(capsys, task_list.list_them, stage.settings, None, False, False)
    rows = text.splitlines()
    assert rows[1].startswith("dead")
    assert keys[0].startswith(rows[1].split()[1])
    assert [row.strip() for row in rows[2:5]] == [
        "claims: interventions.TechnicianChanged (hear)",
        f"technician {KARIM}",
        "ZeroDivisionError: Karim divided by zero",
    ]
    assert rows[5].startswith("held back")
    assert max(map(len, rows)) <= 80

    text, _ = await told(capsys, task_list.list_them, stage.settings, None, True, False)
    assert "held back" not in text


async def test_a_timer_is_parked_once_it_has_failed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    await put(stage, f"remind {KARIM}")
    text, _ = await told(capsys, task_list.list_them, stage.settings, None, False, False)
    assert text == "Nothing is parked.\n"
    text, _ = await told(capsys, task_list.list_them, stage.settings, None, False, True)
    assert text.splitlines()[1].startswith("scheduled")
    assert text.splitlines()[2].strip() == "claims: remind"

    await put(stage, f"remind {SOFIA}", attempts=1)
    [_, failed] = await known(stage)
    assert (failed.standing, failed.what, failed.cause) == ("failed", "remind", "ValueError: it")


async def test_an_effect_that_runs_for_the_first_time_has_not_failed(stage: Stage) -> None:
    await put(stage, f"send {KARIM}", use="effect", attempts=1, leased=timedelta(seconds=60))
    await put(stage, f"send {SOFIA}", use="effect", attempts=2, leased=timedelta(seconds=60))
    assert [task.standing for task in await known(stage)] == ["scheduled", "failed"]


async def test_one_is_shown_with_event_cause_and_what_waits_behind(
    stage: Stage, cursed: Cursed, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = await park(stage, cursed, events=2)
    text, _ = await told(capsys, task_list.show, stage.settings, first, None)
    assert '"name": "Karim"' in text
    assert "Traceback" in text
    assert f"Behind it wait 1:\n  interventions.TechnicianChanged {second}" in text
    text, _ = await told(capsys, task_list.show, stage.settings, second, "claims")
    assert "It waits behind 1" in text
    assert first in text


async def test_every_short_key_means_its_own(stage: Stage, cursed: Cursed) -> None:
    await park(stage, cursed, events=4)
    await put(stage, f"remind {KARIM}")
    await put(stage, f"escalate {KARIM}")
    await put(stage, f"remind {SOFIA}")
    tasks = await known(stage)
    for task in tasks:
        assert task_list.resolve(tasks, task_list.short_keys(tasks)[task.id]) is task


async def test_what_waits_is_found_by_the_reference_of_its_record(stage: Stage) -> None:
    await put(stage, f"remind {KARIM}")
    await put(stage, f"remind {SOFIA}")
    tasks = await known(stage)
    called = [task._replace(reference=f"REC-2026-00012{n}") for n, task in enumerate(tasks)]
    assert task_list.resolve(called, "rec-2026-000121") is called[1]
    assert called[1].record.endswith(" REC-2026-000121")
    assert release.choose([called[1]._replace(attempts=1)], [], "REC-2026-000121")


async def test_an_ambiguous_or_unknown_key_is_refused_with_what_it_could_mean(stage: Stage) -> None:
    await put(stage, f"remind {KARIM}")
    await put(stage, f"escalate {KARIM}")
    tasks = await known(stage)
    with pytest.raises(OpsError, match=r"ambiguous[\s\S]*remind[\s\S]*escalate"):
        task_list.resolve(tasks, str(KARIM))
    assert task_list.resolve(tasks, "esc").what == "escalate"
    with pytest.raises(OpsError, match="Nothing that waits"):
        task_list.resolve(tasks, "zzz")


async def test_a_cured_lane_goes_through_after_its_release(
    stage: Stage, cursed: Cursed, capsys: pytest.CaptureFixture[str]
) -> None:
    _, second, _ = await park(stage, cursed, events=3)
    cursed.failing.clear()
    async with at_work(stage):
        text, well = await told(capsys, release.release, stage.settings, [second], None, False, None, 10)
    assert well
    assert "waits behind an earlier event, which is released" in text
    assert "3 done" in text
    assert await known(stage) == []


async def test_what_fails_again_is_told_with_what_it_holds_back(
    stage: Stage, cursed: Cursed, capsys: pytest.CaptureFixture[str]
) -> None:
    await park(stage, cursed, KARIM, events=2)
    await park(stage, cursed, SOFIA)
    cursed.failing = {KARIM}
    async with at_work(stage):
        text, well = await told(capsys, release.release, stage.settings, [], None, True, None, 10)
    assert not well
    assert "1 done, 1 failed again, 1 behind those" in text
    assert "ZeroDivisionError: Karim divided by zero" in text


async def test_a_lane_is_released_by_its_record(
    stage: Stage, cursed: Cursed, capsys: pytest.CaptureFixture[str]
) -> None:
    await park(stage, cursed, KARIM, events=2)
    await park(stage, cursed, SOFIA)
    text, well = await told(capsys, release.release, stage.settings, [], str(KARIM), False, None, 0)
    assert (text, well) == ("2 released.\n", True)
    assert [(task.lane, task.state, task.attempts) for task in await known(stage)] == [
        (KARIM, "waiting", 0),
        (KARIM, "waiting", 0),
        (SOFIA, "dead", 9),
    ]


async def test_what_is_being_tried_at_this_moment_stays_with_whoever_tries_it(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    key = f"send {KARIM}"
    await put(stage, key, use="effect", attempts=2, leased=timedelta(seconds=60))
    text, _ = await told(capsys, release.release, stage.settings, [key], None, False, None, 0)
    assert "Being tried at this moment" in text
    [task] = await known(stage)
    assert (task.attempts, task.in_hand) == (2, True)


async def test_a_timer_does_not_fire_early_by_a_release(stage: Stage) -> None:
    await put(stage, f"remind {KARIM}")
    with pytest.raises(OpsError, match="waits for its time"):
        await asyncio.to_thread(release.release, stage.settings, [f"remind {KARIM}"], None, False, None, 0)
    with pytest.raises(OpsError, match="Say what to release"):
        await asyncio.to_thread(release.release, stage.settings, [], None, False, None, 0)
