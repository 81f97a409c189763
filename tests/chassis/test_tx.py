"""One transaction: what is loaded is locked, what is changed is told, all of it or nothing."""

import asyncio
from uuid import UUID

import pytest
import toy
import world
from sqlalchemy import select
from toy import Box, BoxFilled, Fill
from toy_asking import OnStage, filled_of, refusal, rows
from toy_later import doing

from sav_chassis.errors import NothingToChange
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor

BOX = UUID(int=100)
FILL = Fill(box_id=BOX)


async def test_two_commands_on_one_record_wait_for_each_other(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_slowly(cmd: Fill, tx: Tx, by: Actor) -> Box:
        box = await tx.load(Box, cmd.box_id, by)
        before = box.filled
        await asyncio.sleep(0.02)
        box.filled = before + cmd.amount
        tx.emit(box, BoxFilled())
        return box

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))

    outcomes = await asyncio.gather(*(stage.when(FILL, by=world.lea) for _ in range(5)))

    assert [outcome.problem for outcome in outcomes] == [None] * 5
    assert await filled_of(stage, 100) == 5
    assert await rows(stage, "SELECT sequence FROM event_log ORDER BY position") == [
        (n,) for n in (2, 3, 4, 5, 6)
    ]


@pytest.mark.parametrize("how", ["load", "first", "select"])
async def test_what_was_read_before_it_was_locked_is_as_it_is_now(on_stage: OnStage, how: str) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_once(cmd: Fill, tx: Tx, by: Actor) -> Box:
        seen = await tx.read(Box, cmd.box_id, by)
        await asyncio.sleep(0.1)
        await tx.lock("boxes")
        found = select(Box).where(Box.id == seen.id)
        if how == "load":
            kept: Box | None = await tx.load(Box, seen.id, by)
        elif how == "first":
            kept = await tx.first(found)
        else:
            kept = await tx.session.scalar(found.with_for_update())
        assert kept is seen
        if kept.filled:
            raise NothingToChange
        kept.filled = cmd.amount
        tx.emit(kept, BoxFilled())
        return kept

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    outcomes = await asyncio.gather(*(stage.when(FILL, by=world.lea) for _ in range(3)))
    told = sorted(outcome.problem.status if outcome.problem else 200 for outcome in outcomes)
    assert told == [200, 422, 422]


async def test_what_somebody_changed_since_it_was_read_is_read_again(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_unlocked(cmd: Fill, tx: Tx, by: Actor) -> Box:
        box = await tx.read(Box, cmd.box_id, by)
        await asyncio.sleep(0.05)
        box.filled += cmd.amount
        tx.emit(box, BoxFilled())
        return box

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    outcomes = await asyncio.gather(*(stage.when(FILL, by=world.lea) for _ in range(2)))
    assert [outcome.problem for outcome in outcomes] == [None, None]
    assert await filled_of(stage, 100) == 2


async def test_a_record_that_was_changed_and_is_loaded_again_keeps_the_change(on_stage: OnStage) -> None:
    stage = await on_stage(toy.bare())
    await stage.given(toy.box(100, world.lea))
    async with doing(stage) as tx:
        box = await tx.load(Box, BOX, SYSTEM)
        box.filled = 5
        tx.emit(box, BoxFilled())
        assert (await tx.load(Box, BOX, SYSTEM)).filled == 5
    assert await filled_of(stage, 100) == 5


async def test_every_event_is_one_version(stage: Stage) -> None:
    await stage.given(toy.box(100, world.lea))
    told = [(await stage.when(FILL, by=world.lea)).only(BoxFilled).state for _ in range(3)]
    assert [state.version for state in told] == [2, 3, 4]
    assert [state.filled for state in told] == [1, 2, 3]
    assert told[0].updated_at < told[1].updated_at
    assert await rows(stage, "SELECT version FROM box") == [(4,)]


async def test_after_a_restore_versions_go_on_above_all_that_were_told_before(
    on_stage: OnStage,
) -> None:
    stage = await on_stage(toy.usual())
    await stage.given(toy.box(100, world.lea))
    stage.database.floor = 1_000
    told = [(await stage.when(FILL, by=world.lea)).only(BoxFilled).state for _ in range(2)]
    assert [state.version for state in told] == [1_001, 1_002]
    # A new record may have had its id before, too: what a reaction makes derives it from the event.
    made = await stage.when(toy.Make(client_id=world.lea.id, name="new"), by=world.lea)
    assert made.only(toy.BoxMade).state.version == 1_001


async def test_several_events_of_one_transaction_show_the_record_as_it_is_in_the_end(
    on_stage: OnStage,
) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_thrice(cmd: Fill, tx: Tx, by: Actor) -> Box:
        box = await tx.load(Box, cmd.box_id, by)
        for amount in (1, 2, 3):
            box.filled += amount
            tx.emit(box, BoxFilled(amount=amount))
            await tx.flush()
        return box

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))

    outcome = await stage.when(FILL, by=world.lea)

    events = [event for event in outcome.events if isinstance(event, BoxFilled)]
    assert [event.amount for event in events] == [1, 2, 3]
    assert {(event.state.version, event.state.filled) for event in events} == {(4, 6)}
    assert await rows(stage, "SELECT sequence FROM event_log ORDER BY position") == [(2,), (3,), (4,)]


async def test_what_is_committed_is_left_for_the_relay(stage: Stage) -> None:
    await stage.given(toy.box(100, world.lea))
    await stage.when(FILL, by=world.lea)
    assert await rows(stage, "SELECT l.subject FROM outbox o JOIN event_log l USING (position)") == [(BOX,)]


@pytest.mark.parametrize("flushed_before", [False, True])
async def test_a_change_without_an_event_is_refused(on_stage: OnStage, flushed_before: bool) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_silently(cmd: Fill, tx: Tx, by: Actor) -> Box:
        box = await tx.load(Box, cmd.box_id, by)
        box.filled += cmd.amount
        if flushed_before:
            await tx.flush()
        return box

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))

    assert refusal(await stage.when(FILL, by=world.lea)).status == 500
    assert await filled_of(stage, 100) == 0


async def test_a_record_that_was_only_read_needs_no_event(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def look(cmd: Fill, tx: Tx, by: Actor) -> Box:
        return await tx.load(Box, cmd.box_id, by)

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    outcome = await stage.when(FILL, by=world.lea)
    assert (outcome.problem, outcome.reply["version"]) == (None, 1)


@pytest.mark.parametrize("letters", ["e" * 33_000, "é" * 17_000], ids=["ascii", "two bytes each"])
async def test_an_event_over_32_kb_is_refused(on_stage: OnStage, letters: str) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_with_a_novel(cmd: Fill, tx: Tx, by: Actor) -> Box:
        box = await tx.load(Box, cmd.box_id, by)
        box.filled += cmd.amount
        tx.emit(box, BoxFilled(note=letters))
        return box

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))

    assert refusal(await stage.when(FILL, by=world.lea)).status == 413
    assert await filled_of(stage, 100) == 0


@pytest.mark.parametrize("who", [world.lea, world.karim, world.marie, world.alex, SYSTEM])
async def test_whose_record_it_is_may_change_it(stage: Stage, who: Actor) -> None:
    await stage.given(toy.box(100, world.lea, world.karim))
    assert (await stage.when(FILL, by=who)).problem is None


@pytest.mark.parametrize("who", [world.paul, world.sofia])
async def test_the_records_of_others_are_not_there(stage: Stage, who: Actor) -> None:
    await stage.given(toy.box(100, world.lea, world.karim))
    theirs = refusal(await stage.when(FILL, by=who))
    absent = refusal(await stage.when(Fill(box_id=UUID(int=7)), by=who))
    assert (theirs.status, theirs.code) == (absent.status, absent.code) == (404, "not_found")
    assert theirs.detail.replace(str(BOX), "") == absent.detail.replace(str(UUID(int=7)), "")


async def test_a_client_id_in_a_technicians_column_opens_nothing(stage: Stage) -> None:
    mixed_up = toy.box(100, world.karim, world.lea)
    await stage.given(mixed_up)
    assert refusal(await stage.when(FILL, by=world.lea)).status == 404
    assert refusal(await stage.when(FILL, by=world.karim)).status == 404


async def test_a_persons_record_is_theirs_in_any_role(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def look_at_badge(cmd: Fill, tx: Tx, by: Actor) -> toy.Total:
        await tx.load(toy.Badge, cmd.box_id, by)
        return toy.Total(filled=0)

    stage = await on_stage(toys)
    await stage.given(toy.Badge(id=BOX, user_id=world.karim.id))
    assert (await stage.when(FILL, by=world.karim)).problem is None
    assert refusal(await stage.when(FILL, by=world.sofia)).status == 404


async def test_rows_of_messages_name_the_persons_in_them(stage: Stage) -> None:
    await stage.given(toy.box(100, world.lea, world.karim))
    await stage.when(Fill(box_id=BOX, helper_id=world.sofia.id), by=world.marie, key="once")

    named = {world.lea.id, world.karim.id, world.sofia.id, world.marie.id}
    [(logged,)] = await rows(stage, "SELECT persons FROM event_log")
    assert set(logged) == named
    [(answered,)] = await rows(stage, "SELECT persons FROM answered")
    assert set(answered) == named


async def test_many_new_rows_are_written_at_once_each_with_its_event(on_stage: OnStage) -> None:
    stage = await on_stage(toy.bare())
    async with doing(stage) as tx:
        boxes = [toy.box(number, world.lea) for number in range(100, 103)]
        tx.insert(boxes)
        for box in boxes:
            tx.emit(box, toy.BoxMade())
        tx.emit(boxes[0], BoxFilled())
    assert await rows(stage, "SELECT version, count(*) FROM box GROUP BY 1 ORDER BY 1") == [(1, 2), (2, 1)]
    found = "SELECT l.subject FROM event_log l JOIN box b ON b.id = l.subject AND b.updated_at >= l.at ORDER BY position"
    assert await rows(stage, found) == [(UUID(int=number),) for number in (100, 101, 102, 100)]


async def test_many_new_rows_without_an_event_are_refused(on_stage: OnStage) -> None:
    stage = await on_stage(toy.bare())
    with pytest.raises(RuntimeError, match="without an event: box"):
        async with doing(stage) as tx:
            tx.insert([toy.box(100, world.lea)])
    assert await rows(stage, "SELECT * FROM box") == []


async def test_a_row_of_values_is_the_row_that_its_constructor_makes(on_stage: OnStage) -> None:
    stage = await on_stage(toy.bare())
    usual = toy.box(100, world.lea)
    values = {name: getattr(usual, name) for name in ("client_id", "technician_id", "filled")}
    async with doing(stage) as tx:
        tx.emit(tx.add(Box.of_values(id=UUID(int=101), name="another", **values)), toy.BoxMade())
        tx.emit(tx.add(usual), toy.BoxMade())
    [one, other] = await rows(stage, "SELECT client_id, technician_id, filled, version FROM box")
    assert one == other
