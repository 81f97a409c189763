"""The log's chain of hashes: laid after the commit, never skipped, and nothing behind it changes but what is erased."""

import asyncio
from uuid import UUID

import asyncpg
import pytest
import toy
import world
from aio_pika.abc import AbstractRobustConnection
from eventually import eventually
from sqlalchemy import Connection
from toy import Fill
from toy_asking import OnStage, rows
from toy_broker import listening

from sav_chassis.events.relay import Relay
from sav_chassis.migrate import HERE, _histories, engine_for, migrate
from sav_chassis.settings import Settings
from sav_chassis.testing import Stage
from sav_ops.verify.event_log import BROKEN, ERASED, LOOSE, REWRITTEN

BOXES = [UUID(int=n) for n in range(100, 104)]
LINKS = "SELECT position FROM event_chain ORDER BY link"
LOG = "SELECT position FROM event_log ORDER BY position"
SECOND = "(SELECT min(position) + 1 FROM event_log)"
ERASE = f"SELECT erase_body(position, replace(body, 'box', '…'), 'request 17') FROM event_log WHERE position = {SECOND}"
AGAIN = """
INSERT INTO event_log (id, type, at, kind, subject, sequence, correlation_id, actor_id, actor_role, body, persons)
SELECT gen_random_uuid(), type, at, kind, subject, sequence + 1, correlation_id, actor_id, actor_role, body, persons
FROM event_log ORDER BY position DESC LIMIT 1"""
FORBIDDEN = [
    f"UPDATE event_log SET body = '{{}}' WHERE position = {SECOND}",
    f"UPDATE event_log SET actor_role = 'admin' WHERE position = {SECOND}",
    f"DELETE FROM event_log WHERE position = {SECOND}",
    "TRUNCATE event_log",
    "UPDATE event_chain SET hash = body_hash",
    "DELETE FROM event_chain",
    "UPDATE erased SET why = ''",
    "DELETE FROM erased",
]


@pytest.fixture
async def stage(on_stage: OnStage) -> Stage:
    """Boxes that were filled; nobody relays it."""
    stage = await on_stage(toy.usual())
    await stage.given(*(toy.box(id.int, world.lea) for id in BOXES))
    for box in BOXES * 2:
        assert (await stage.when(Fill(box_id=box), by=world.lea)).problem is None
    return stage


async def whole(stage: Stage) -> bool:
    """Every event has its link, and every link is what its event says."""
    return [await rows(stage, query) for query in (BROKEN, LOOSE, REWRITTEN)] == [[], [], []]


async def relayed(stage: Stage, broker: AbstractRobustConnection) -> None:
    relay = Relay(stage.database, broker)
    async with listening(broker):
        running = asyncio.create_task(relay.run())
        try:
            await eventually(lambda: published(stage), seconds=20)
        finally:
            relay.stop()
            await running


async def published(stage: Stage) -> bool:
    return not await rows(stage, "SELECT FROM outbox")


async def test_what_is_published_is_chained_in_the_order_of_the_log(
    stage: Stage, broker: AbstractRobustConnection
) -> None:
    await relayed(stage, broker)
    assert len(await rows(stage, LOG)) == 8
    assert await rows(stage, LINKS) == await rows(stage, LOG)
    assert await whole(stage)


async def test_a_transaction_that_commits_behind_a_later_one_is_chained_behind_it(
    stage: Stage, broker: AbstractRobustConnection
) -> None:
    async with stage.database.pool.acquire() as slow:
        late = slow.transaction()
        await late.start()
        await slow.execute(
            f"WITH told AS ({AGAIN} RETURNING position) INSERT INTO outbox SELECT position FROM told"
        )
        assert (await stage.when(Fill(box_id=BOXES[0]), by=world.lea)).problem is None
        await relayed(stage, broker)
        await late.commit()
    await relayed(stage, broker)
    links = await rows(stage, LINKS)
    assert sorted(links) == await rows(stage, LOG)
    assert links[-2] > links[-1]
    assert await whole(stage)


async def test_an_event_that_nobody_published_is_in_no_chain(
    stage: Stage, broker: AbstractRobustConnection
) -> None:
    await relayed(stage, broker)
    await stage.database.pool.execute(AGAIN)
    assert len(await rows(stage, LOOSE)) == 1


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_nobody_changes_the_log_or_its_chain(
    stage: Stage, broker: AbstractRobustConnection, statement: str
) -> None:
    await relayed(stage, broker)
    await rows(stage, ERASE)
    with pytest.raises(asyncpg.RaiseError, match="kept as it is"):
        await stage.database.pool.execute(statement)
    assert await whole(stage)


async def test_a_body_is_erased_with_a_receipt_and_the_chain_stands(
    stage: Stage, broker: AbstractRobustConnection
) -> None:
    await relayed(stage, broker)
    said = f"SELECT body_hash(body) = body_hash FROM event_log JOIN event_chain USING (position) WHERE position = {SECOND}"
    assert await rows(stage, said) == [(True,)]
    await rows(stage, ERASE)
    assert await rows(stage, said) == [(False,)]
    assert [row[-1] for row in await rows(stage, ERASED)] == [True]
    assert await rows(stage, "SELECT why FROM erased") == [("request 17",)]
    assert await whole(stage)


async def test_what_was_there_before_the_chain_is_chained_by_the_migration(settings: Settings) -> None:
    old = settings.model_copy(update={"database_prefix": "unchained"})
    await migrate(old, "toy")
    engine = engine_for(old.database("toy"))
    connection = await asyncpg.connect(old.database("toy"))
    try:
        async with engine.begin() as before:
            await before.run_sync(_back)
        await connection.execute("TRUNCATE event_log")
        await connection.execute(
            """INSERT INTO event_log (id, type, at, kind, subject, sequence, correlation_id, actor_id, actor_role, body, persons)
            SELECT gen_random_uuid(), 'toy.BoxFilled.v1', now(), 'box', gen_random_uuid(), 1, gen_random_uuid(),
                gen_random_uuid(), 'client', '{}', '{}' FROM generate_series(1, 2500)"""
        )
        await migrate(old, "toy")
        assert await connection.fetchval("SELECT count(*) FROM event_chain") == 2500
        assert [await connection.fetch(query) for query in (BROKEN, LOOSE, REWRITTEN)] == [[], [], []]
    finally:
        await connection.close()
        await engine.dispose()


def _back(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    versions, table = _histories("toy")[0]
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_table", table)
    config.attributes["connection"] = connection
    command.downgrade(config, "0006")
