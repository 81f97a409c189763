"""What takes long is done between two transactions of a command."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest
import toy
import world
from pydantic import SecretStr
from toy import Box, Fill, Whisper
from toy_asking import OnStage, filled_of, refusal

from sav_chassis.service import Service
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor

BOX = UUID(int=100)
WHISPER = Whisper(box_id=BOX, word=SecretStr("open"))
IN_A_TRANSACTION = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"""


def whispering(work: Callable[[], object]) -> tuple[Service, list[Stage]]:
    """A toy that looks at a box, does the work outside, then fills the box."""
    toys, on = toy.bare(), list[Stage]()

    @toys.command(Whisper)
    async def whisper(cmd: Whisper, tx: Tx, by: Actor) -> Box:
        await tx.load(Box, cmd.box_id, by)
        await tx.without_transaction(outside())
        return await toy.fill(Fill(box_id=cmd.box_id), tx, by)

    async def outside() -> None:
        open_ones = await on[0].database.pool.fetchval(IN_A_TRANSACTION)
        assert open_ones == 0, "a transaction is open"
        result = work()
        if asyncio.iscoroutine(result):
            await result

    return toys, on


async def test_no_transaction_is_open_meanwhile_and_what_follows_is_committed(on_stage: OnStage) -> None:
    toys, on = whispering(lambda: None)
    stage = await on_stage(toys)
    on.append(stage)
    await stage.given(toy.box(100, world.lea))
    assert (await stage.when(WHISPER, by=world.lea)).reply["filled"] == 1
    assert await filled_of(stage, 100) == 1


async def test_what_somebody_did_meanwhile_counts(on_stage: OnStage) -> None:
    async def somebody_fills() -> None:
        await stage.database.pool.execute("UPDATE box SET filled = 5")

    toys, on = whispering(somebody_fills)
    stage = await on_stage(toys)
    on.append(stage)
    await stage.given(toy.box(100, world.lea))
    assert (await stage.when(WHISPER, by=world.lea)).reply["filled"] == 6


async def test_who_was_signed_out_meanwhile_is_refused(on_stage: OnStage) -> None:
    async def signed_out() -> None:
        await stage.database.pool.execute(
            "INSERT INTO revoked VALUES ($1, now() + interval '1 minute')", world.lea.id
        )

    toys, on = whispering(signed_out)
    stage = await on_stage(toys)
    on.append(stage)
    await stage.given(toy.box(100, world.lea))
    assert refusal(await stage.when(WHISPER, by=world.lea)).code == "not_signed_in"
    assert await filled_of(stage, 100) == 0


async def test_it_is_not_waited_for_past_the_deadline(on_stage: OnStage) -> None:
    done: list[str] = []

    async def slowly() -> None:
        await asyncio.sleep(1)
        done.append("done")

    toys, on = whispering(slowly)
    stage = await on_stage(toys)
    on.append(stage)
    await stage.given(toy.box(100, world.lea))
    problem = refusal(await stage.when(WHISPER, by=world.lea, seconds=0.2))
    assert (problem.status, problem.code) == (504, "outcome_unknown")
    await asyncio.sleep(1)
    assert (done, await filled_of(stage, 100)) == ([], 0)


@pytest.mark.parametrize("before", ["a change", "a key"])
async def test_it_is_refused_where_something_would_be_lost(on_stage: OnStage, before: str) -> None:
    toys = toy.bare()

    async def nothing() -> None:
        raise AssertionError("not reached")

    async def fill_outside(cmd: Fill | Whisper, tx: Tx, by: Actor) -> Box:
        box = await tx.load(Box, cmd.box_id, by)
        box.filled += before == "a change"
        work = nothing()
        try:
            await tx.without_transaction(work)
        finally:
            work.close()
        return box

    toys.command(Fill)(fill_outside)
    toys.command(Whisper)(fill_outside)
    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    asked = WHISPER if before == "a change" else Fill(box_id=BOX)
    assert refusal(await stage.when(asked, by=world.lea, key="once")).status == 500
    assert await filled_of(stage, 100) == 0
