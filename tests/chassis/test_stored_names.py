"""What databases know by name outlives the name of its function; what is new says from when on events count for it."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import toy
from toy import BoxFilled, BoxMade
from toy_asking import OnStage, rows
from toy_later import HOUR, doing, soon

from sav_calendar.app import calendar
from sav_chassis.service import Reaction
from sav_chassis.startup_checks import CannotStart
from sav_chassis.stored_names import stored_as
from sav_chassis.testing import enveloped
from sav_chassis.tx import EffectRun, Tx
from sav_contracts.interventions.technician import TechnicianChanged

BOX = UUID(int=100)
ADDED = datetime(2026, 3, 1, tzinfo=UTC)
# A process of the calendar of which one declaration is not what was generated.
ALTERED = """
from sav_calendar.app import calendar
from sav_chassis.process.runner import run_service
from sav_contracts.claims.client import ClientCreated

@calendar.on(ClientCreated, since="2026-12-01")
async def forget_the_times(event, tx): ...

run_service(calendar)
"""


async def test_what_was_done_under_another_function_s_name_is_known(on_stage: OnStage) -> None:
    before, after, made = toy.bare(), toy.bare(), list[UUID]()

    @before.on(BoxMade)
    async def note_it(event: BoxMade, tx: Tx) -> None:
        made.append(tx.new_id())

    @after.on(BoxMade)
    @stored_as("note_it")
    async def write_it_down(event: BoxMade, tx: Tx) -> None:
        made.append(tx.new_id())

    envelope = enveloped(BoxMade(state=toy.filled(100, 1).state))
    stage = await on_stage(before)
    await stage.hears(envelope)
    inbox = await rows(stage, "SELECT handler, event_id FROM handled")
    # Where the inbox is lost, what it makes of the event has the ids that it had.
    stage = await on_stage(after)
    await stage.hears(envelope)
    assert len(made) == 2
    assert made[0] == made[1]
    assert await rows(stage, "SELECT handler, event_id FROM handled") == inbox
    await stage.hears(envelope)
    assert len(made) == 2


async def test_what_waits_for_a_timer_or_an_effect_of_another_name_is_done(on_stage: OnStage) -> None:
    before, after, done = toy.bare(), toy.bare(), list[str]()

    @before.timer
    async def ring(id: UUID, tx: Tx) -> None: ...

    @before.effect
    async def send(id: UUID, begin: EffectRun) -> None: ...

    @after.timer
    @stored_as("ring")
    async def ring_the_bell(id: UUID, tx: Tx) -> None:
        done.append("timer")

    @after.effect
    @stored_as("send")
    async def send_the_letter(id: UUID, begin: EffectRun) -> None:
        done.append("effect")

    stage = await on_stage(after)
    async with doing(stage) as tx:
        tx.remind(ring, BOX, soon(hours=1))
        tx.later(send, BOX)
    await stage.passes(2 * HOUR)
    await stage.runs_effects()
    assert done == ["timer", "effect"]
    # Whoever takes back what was set by the old name finds it.
    async with doing(stage) as tx:
        tx.remind(ring, BOX, soon(hours=9))
    async with doing(stage) as tx:
        tx.forget(ring_the_bell, BOX)
    assert await stage.waiting() == []


@pytest.mark.parametrize("since", ["2026-03-01", "2026-03-01T00:00"])
async def test_events_from_before_a_reaction_was_added_do_not_count(on_stage: OnStage, since: str) -> None:
    toys = toy.bare()

    @toys.on(BoxFilled)
    async def always(event: BoxFilled, tx: Tx) -> None: ...

    @toys.on(BoxFilled, since=since)
    async def lately(event: BoxFilled, tx: Tx) -> None: ...

    stage = await on_stage(toys)
    for number, at in enumerate((ADDED - timedelta(microseconds=1), ADDED), 1):
        await stage.hears(
            enveloped(toy.filled(number, 1)).model_copy(update={"at": at, "id": UUID(int=number)})
        )
    assert sorted(await rows(stage, "SELECT handler, event_id FROM handled")) == [
        ("always", UUID(int=1)),
        ("always", UUID(int=2)),
        ("lately", UUID(int=2)),
    ]


async def never(event: Any, tx: Tx) -> None:
    """A reaction that nothing calls."""


@pytest.mark.parametrize(
    "altered",
    [[], [Reaction("start", None, never)], [Reaction("start_with_usual_hours", ADDED, never)]],
    ids=["one that is gone", "another name", "since another time"],
)
def test_another_reaction_than_the_topology_has_is_unfit(
    monkeypatch: pytest.MonkeyPatch, altered: list[Reaction]
) -> None:
    calendar.load().check_declared()
    monkeypatch.setattr(calendar, "reactions", calendar.reactions | {TechnicianChanged: altered})
    with pytest.raises(CannotStart, match=r"^calendar: its reactions are not those"):
        calendar.check_declared()


@pytest.mark.parametrize("kind", ["timers", "effects"])
def test_another_timer_or_effect_than_the_topology_has_is_unfit(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setitem(getattr(calendar.load(), kind), "ring", toy.fill)
    with pytest.raises(CannotStart, match=rf"^calendar: its {kind} are not those"):
        calendar.check_declared()


def test_a_process_whose_reactions_the_topology_lacks_does_not_start() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", ALTERED],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1
    assert (
        "calendar: its reactions, calendar.events are not those of the contracts' topology.json" in ran.stdout
    )
