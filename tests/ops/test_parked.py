"""What is parked is told as it is, and tried again when somebody says so."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world

from sav_chassis.envelope import Envelope
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.testing import Stage, enveloped
from sav_chassis.tx import Tx
from sav_contracts.interventions.visit import TechnicianChanged, TechnicianView
from sav_ops import parked, releasing
from sav_ops.home import Problem

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KARIM, SOFIA = world.karim.id, world.sofia.id
ROOM = ("claims",)
PUT = """INSERT INTO task (use, key, lane, due, attempts, state, error, message, persons, leased_until)
    VALUES ($1, $2, $3, now() + $4, $5, $6, $7, '{"function": "remind"}', '{}', now() + $8)"""


class Cursed:
    """A service that cannot bear news of certain technicians."""

    def __init__(self) -> None:
        self.failing: set[UUID] = set()
        self.service = Service("claims")
        self.service.on(TechnicianChanged)(self.hear)

    async def hear(self, event: TechnicianChanged, tx: Tx) -> None:
        if event.state.id in self.failing:
            raise ZeroDivisionError(f"{event.state.name} divided by zero")


@pytest.fixture
def cursed() -> Cursed:
    return Cursed()


@pytest.fixture
async def stage(settings: Settings, cursed: Cursed) -> AsyncIterator[Stage]:
    stage = Stage(cursed.service, settings.model_copy(update={"database_prefix": "ops_parked"}))
    await stage.open()
    await stage.clear()
    yield stage
    await stage.close()


@asynccontextmanager
async def at_work(stage: Stage) -> AsyncIterator[None]:
    """The service tries again what is due, as its process would."""

    stopped = asyncio.Event()

    async def work() -> None:
        while not stopped.is_set():
            pause = await stage.reactor.release_due()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), min(pause, 0.05))

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        stopped.set()
        await working


def news(technician: UUID, version: int) -> Envelope:
    state = TechnicianView(
        id=technician,
        version=version,
        created_at=NOW,
        updated_at=NOW,
        technician_id=technician,
        name="Karim",
        active=True,
    )
    return enveloped(TechnicianChanged(state=state))


async def park(stage: Stage, cursed: Cursed, technician: UUID = KARIM, events: int = 1) -> list[str]:
    """The keys of events that failed and of those that wait behind; they are not due soon, the first is dead."""
    cursed.failing.add(technician)
    told = [news(technician, version) for version in range(1, events + 1)]
    for envelope in told:
        await stage.hears(envelope)
    await stage.database.pool.execute(
        "UPDATE task SET state = 'dead', attempts = 9 WHERE key = $1", str(told[0].id)
    )
    return [str(envelope.id) for envelope in told]


async def put(
    stage: Stage,
    key: str,
    use: str = "timer",
    attempts: int = 0,
    state: str = "waiting",
    due: timedelta = timedelta(days=1),
    leased: timedelta | None = None,
) -> None:
    error = 'Traceback:\n  File "x", line 1, in y\nValueError: it\n  is odd' if attempts else None
    lane = UUID(key.split()[-1])
    await stage.database.pool.execute(PUT, use, key, lane, due, attempts, state, error, leased)


async def known(stage: Stage) -> list[parked.Task]:
    return await parked.tasks(stage.settings, ROOM)


async def told(
    capsys: pytest.CaptureFixture[str], tell: Callable[..., Any], *arguments: Any
) -> tuple[str, Any]:
    capsys.readouterr()
    result = await asyncio.to_thread(tell, *arguments)
    return capsys.readouterr().out, result


async def test_what_failed_is_listed_with_its_cause_and_what_is_held_back(
    stage: Stage, cursed: Cursed, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = await park(stage, cursed, events=2)
    text, _ = await told(capsys, parked.list_them, stage.settings, None, False, False)
    rows = text.splitlines()
    assert rows[1].split()[:3] == ["dead", "claims", "interventions.TechnicianChanged"]
    assert rows[2].strip() == "ZeroDivisionError: Karim divided by zero"
    assert rows[3].startswith("held back")
    assert keys[0].startswith(rows[1].split()[3])
    assert f"technician {str(KARIM)[:8]}" in rows[1]

    text, _ = await told(capsys, parked.list_them, stage.settings, None, True, False)
    assert "held back" not in text


async def test_a_timer_is_parked_once_it_has_failed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    await put(stage, f"remind {KARIM}")
    text, _ = await told(capsys, parked.list_them, stage.settings, None, False, False)
    assert text == "Nothing is parked.\n"
    text, _ = await told(capsys, parked.list_them, stage.settings, None, False, True)
    assert "scheduled  claims   remind" in text

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
    text, _ = await told(capsys, parked.show, stage.settings, first, None)
    assert '"name": "Karim"' in text
    assert "Traceback" in text
    assert f"Behind it wait 1:\n  interventions.TechnicianChanged {second}" in text
    text, _ = await told(capsys, parked.show, stage.settings, second, "claims")
    assert "It waits behind 1" in text
    assert first in text


async def test_every_short_key_means_its_own(stage: Stage, cursed: Cursed) -> None:
    await park(stage, cursed, events=4)
    await put(stage, f"remind {KARIM}")
    await put(stage, f"escalate {KARIM}")
    await put(stage, f"remind {SOFIA}")
    tasks = await known(stage)
    for task in tasks:
        assert parked.resolve(tasks, parked.short_keys(tasks)[task.id]) is task


async def test_an_ambiguous_or_unknown_key_is_refused_with_what_it_could_mean(stage: Stage) -> None:
    await put(stage, f"remind {KARIM}")
    await put(stage, f"escalate {KARIM}")
    tasks = await known(stage)
    with pytest.raises(Problem, match=r"ambiguous[\s\S]*remind[\s\S]*escalate"):
        parked.resolve(tasks, str(KARIM))
    assert parked.resolve(tasks, "esc").what == "escalate"
    with pytest.raises(Problem, match="Nothing that waits"):
        parked.resolve(tasks, "zzz")


async def test_a_cured_lane_goes_through_after_its_release(
    stage: Stage, cursed: Cursed, capsys: pytest.CaptureFixture[str]
) -> None:
    _, second, _ = await park(stage, cursed, events=3)
    cursed.failing.clear()
    async with at_work(stage):
        text, well = await told(capsys, releasing.release, stage.settings, [second], None, False, None, 10)
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
        text, well = await told(capsys, releasing.release, stage.settings, [], None, True, None, 10)
    assert not well
    assert "1 done, 1 failed again, 1 behind those" in text
    assert "ZeroDivisionError: Karim divided by zero" in text


async def test_a_lane_is_released_by_its_record(
    stage: Stage, cursed: Cursed, capsys: pytest.CaptureFixture[str]
) -> None:
    await park(stage, cursed, KARIM, events=2)
    await park(stage, cursed, SOFIA)
    text, well = await told(capsys, releasing.release, stage.settings, [], str(KARIM), False, None, 0)
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
    text, _ = await told(capsys, releasing.release, stage.settings, [key], None, False, None, 0)
    assert "Being tried at this moment" in text
    [task] = await known(stage)
    assert (task.attempts, task.in_hand) == (2, True)


async def test_a_timer_does_not_fire_early_by_a_release(stage: Stage) -> None:
    await put(stage, f"remind {KARIM}")
    with pytest.raises(Problem, match="waits for its time"):
        await asyncio.to_thread(releasing.release, stage.settings, [f"remind {KARIM}"], None, False, None, 0)
    with pytest.raises(Problem, match="Say what to release"):
        await asyncio.to_thread(releasing.release, stage.settings, [], None, False, None, 0)
