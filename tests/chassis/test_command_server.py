"""From a command to its answer: who may, in which shape, until when."""

import asyncio
from uuid import UUID

import pytest
import toy
import world
from sqlalchemy import select
from toy import Box, BoxFilled, BoxMade, Fill, FindTotal, Make, Total
from toy_asking import OnStage, ask, filled_of, refusal, rows, wrong_fields
from toy_wire import wire

from sav_chassis.errors import Conflict, RecordedRefusal
from sav_chassis.settings import Settings
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import ANYONE, SYSTEM, Actor

BOX = UUID(int=100)
FILL = Fill(box_id=BOX)
MAKE = Make(name="chest", client_id=world.lea.id)


async def test_a_role_without_a_place_in_the_surface_is_refused(stage: Stage) -> None:
    problem = refusal(await stage.when(MAKE, by=world.karim))
    assert (problem.status, problem.code) == (403, "not_allowed")


async def test_without_a_token_one_must_sign_in(stage: Stage) -> None:
    problem = refusal(await stage.when(MAKE, by=ANYONE))
    assert (problem.status, problem.code) == (401, "not_signed_in")


async def test_sav_itself_may_do_everything(stage: Stage) -> None:
    assert (await stage.when(MAKE, by=SYSTEM)).only(BoxMade).state.name == "chest"


async def test_the_caller_is_who_the_token_says(stage: Stage) -> None:
    answer = await stage.command_server.answer(ask(stage, MAKE, by=world.lea))
    [envelope] = answer.events
    assert (envelope.actor_id, envelope.actor_role) == (world.lea.id, world.lea.role)


async def test_every_wrong_field_is_named_and_no_value_repeated(stage: Stage) -> None:
    wrong = ask(stage, FILL, by=world.lea, body=b'{"box_id": "hunter2", "amount": 0, "colour": "red"}')
    problem = (await stage.command_server.answer(wrong)).problem
    assert problem
    assert (problem.status, wrong_fields(problem)) == (422, ["box_id", "amount", "colour"])
    assert "hunter2" not in problem.model_dump_json()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe"])
async def test_what_is_no_json_object_is_wrong_as_a_whole(stage: Stage, body: bytes) -> None:
    problem = (await stage.command_server.answer(ask(stage, FILL, by=world.lea, body=body))).problem
    assert problem
    assert problem.status == 422


@pytest.mark.parametrize("type", ["toy.Burn.v1", "toy.FindTotal.v1", ""])
async def test_a_command_that_nobody_handles_is_refused(stage: Stage, type: str) -> None:
    problem = (await stage.command_server.answer(ask(stage, FILL, by=world.lea, type=type))).problem
    assert problem
    assert problem.status == 422


async def test_a_query_is_answered(on_stage: OnStage) -> None:
    toys = toy.usual()

    @toys.query(FindTotal)
    async def find_total(query: FindTotal, tx: Tx, by: Actor) -> Total:
        return Total(filled=sum((await tx.session.execute(select(Box.filled))).scalars()))

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    await stage.when(Fill(box_id=BOX, amount=3), by=world.lea)
    assert (await stage.when(FindTotal(), by=world.lea)).reply == {"filled": 3}


async def test_a_client_reads_their_form_of_the_reply(stage: Stage) -> None:
    assert "margin" not in (await stage.when(MAKE, by=world.lea)).reply
    other = MAKE.model_copy(update={"name": "case"})
    assert (await stage.when(other, by=world.marie)).reply["margin"] == 7


async def test_what_arrives_after_its_deadline_is_not_begun(on_stage: OnStage) -> None:
    toys, begun = toy.bare(), []

    @toys.command(Fill)
    async def begin(cmd: Fill, tx: Tx, by: Actor) -> Box:
        begun.append(cmd)
        return await toy.fill(cmd, tx, by)

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))

    problem = refusal(await stage.when(FILL, by=world.lea, seconds=-0.01))

    assert (problem.status, problem.code) == (504, "outcome_unknown")
    assert begun == []


async def test_what_is_not_done_in_time_is_undone(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_too_slowly(cmd: Fill, tx: Tx, by: Actor) -> Box:
        box = await toy.fill(cmd, tx, by)
        await asyncio.sleep(0.2)
        return box

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))

    late = refusal(await stage.when(FILL, by=world.lea, seconds=0.1, key="late"))

    assert late.status == 504
    assert await filled_of(stage, 100) == 0
    assert await rows(stage, "SELECT key FROM answered") == []
    assert (await stage.when(FILL, by=world.lea, key="late")).only(BoxFilled).state.filled == 1


class FullNow(Conflict):
    en = "it is full now"
    fr = "c’est plein"


class Taken(Conflict):
    by: str
    en = "taken by {by}"
    fr = "pris par {by}"


async def test_a_refusal_is_recorded_and_answered(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_but_refuse(cmd: Fill, tx: Tx, by: Actor) -> RecordedRefusal:
        await toy.fill(cmd, tx, by)
        return RecordedRefusal(FullNow())

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))

    outcome = await stage.when(FILL, by=world.lea)

    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.detail) == (409, "it is full now")
    assert outcome.only(BoxFilled).state.filled == await filled_of(stage, 100) == 1


async def test_an_error_undoes_everything(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_and_fail(cmd: Fill, tx: Tx, by: Actor) -> Box:
        await toy.fill(cmd, tx, by)
        await tx.flush()
        raise FullNow

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    assert refusal(await stage.when(FILL, by=world.lea)).code == "conflict"
    assert await filled_of(stage, 100) == 0


async def test_whoever_is_second_with_a_unique_value_sees_who_was_first(on_stage: OnStage) -> None:
    toys, both_looked = toy.bare(), asyncio.Barrier(2)

    @toys.command(Make)
    async def make_unless_there_is_one(cmd: Make, tx: Tx, by: Actor) -> Box:
        taken = await tx.first(select(Box).where(Box.name == cmd.name))
        if taken:
            raise Taken(by=str(taken.client_id))
        await asyncio.wait_for(both_looked.wait(), 1)
        return await toy.make(cmd, tx, by)

    stage = await on_stage(toys)

    outcomes = await asyncio.gather(*(stage.when(MAKE, by=world.lea) for _ in range(2)))

    [problem] = [outcome.problem for outcome in outcomes if outcome.problem]
    assert problem.detail == f"taken by {world.lea.id}"
    assert len(await rows(stage, "SELECT * FROM box")) == 1


async def test_a_value_that_stays_taken_is_a_conflict(stage: Stage) -> None:
    await stage.when(MAKE, by=world.lea)
    problem = refusal(await stage.when(MAKE, by=world.lea))
    assert (problem.status, problem.code) == (409, "conflict")


async def test_a_fault_of_ours_is_not_told_in_detail(on_stage: OnStage) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def break_down(cmd: Fill, tx: Tx, by: Actor) -> Box:
        raise ZeroDivisionError("the password is hunter2")

    problem = refusal(await (await on_stage(toys)).when(FILL, by=world.lea))
    assert (problem.status, problem.code) == (500, "internal")
    assert "hunter2" not in problem.model_dump_json()
    assert "Zero" not in problem.model_dump_json()


async def test_while_the_database_is_away_nothing_is_done(toy_settings: Settings, stage: Stage) -> None:
    await stage.given(toy.box(100, world.lea))
    async with wire(toy_settings.database_url) as cable:
        far = Stage(toy.usual(), toy_settings.model_copy(update={"database_url": cable.url}))
        await far.database.open()
        try:
            cable.cut()
            answer = await far.command_server.answer(ask(far, FILL, by=world.lea))
            assert answer.problem
            assert (answer.problem.status, answer.problem.code) == (503, "unavailable")
            assert answer.problem.retry_after

            await cable.mend()
            assert (await far.when(FILL, by=world.lea)).problem is None
        finally:
            await far.close()


async def test_who_waits_for_somebody_elses_record_waits_until_the_deadline_only(stage: Stage) -> None:
    await stage.given(toy.box(100, world.lea))
    async with stage.database.pool.acquire() as other, other.transaction():
        await other.execute("SELECT * FROM box FOR UPDATE")
        waiting = asyncio.create_task(stage.when(FILL, by=world.lea, seconds=0.3))
        answered, _ = await asyncio.wait([waiting], timeout=1.0)
    assert refusal(await waiting).status == 504
    assert answered
