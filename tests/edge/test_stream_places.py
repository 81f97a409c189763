"""Nothing that changed is missed: by whom comes back, by whom was away for too long, by whom listens while others write."""

import asyncpg
import pytest
import world
from eventually import eventually
from given_streams import Replica, a_claim, changed, later
from given_views import announced

from sav_chassis.settings import Settings
from sav_edge.changes import Changes, replaced, restored
from sav_edge.projection import apply
from sav_edge.stream import WAITING


async def test_who_comes_back_to_any_replica_hears_what_they_missed(
    pool: asyncpg.Pool, one: Replica, other: Replica
) -> None:
    async with one.heard_by(world.lea) as lea:
        known = a_claim()
        await changed(pool, known)
        await lea.hears(known)
    missed, not_hers = a_claim(), a_claim(world.paul)
    await changed(pool, missed, not_hers)
    again = later(missed)
    await changed(pool, again)
    async with other.heard_by(world.lea, lea.place) as lea:
        following = a_claim()
        await changed(pool, following)
        await lea.hears(following)
        # Nothing twice of one record: the newest says it.
        assert (lea.of(missed), lea.of(not_hers)) == ([2], [])
        assert {event for event, _ in lea.heard} == {"changed"}


async def test_a_change_that_is_committed_late_is_missed_by_nobody(pool: asyncpg.Pool, one: Replica) -> None:
    late, early = a_claim(), a_claim()
    async with one.heard_by(world.lea) as lea, pool.acquire() as connection:
        async with connection.transaction():
            await apply(connection, [announced(late)])
            await changed(pool, early)
            await lea.hears(early)
            # Whoever leaves now has not heard of the earlier one.
            place = lea.place
        await lea.hears(late)
    async with one.heard_by(world.lea, place) as lea:
        await lea.hears(late)


async def test_a_change_that_was_rolled_back_holds_nobody_up(
    pool: asyncpg.Pool, one: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sav_edge.changes.NEVER", 0.3)
    async with one.heard_by(world.lea) as lea:
        async with pool.acquire() as connection:
            undone = connection.transaction()
            await undone.start()
            await apply(connection, [announced(a_claim())])
            await undone.rollback()
        newest = await pool.fetchval("SELECT last_value FROM change_position_seq")

        async def passed() -> bool:
            await changed(pool, a_claim())
            return int(lea.place) > int(newest)

        await eventually(passed)


async def test_a_place_that_nobody_knows_is_answered_with_a_reset(pool: asyncpg.Pool, one: Replica) -> None:
    await changed(pool, a_claim(), a_claim())
    newest = await pool.fetchval("SELECT max(position) FROM change")
    for last in (str(newest + 1000), "x", "-1", "²", "9" * 30):
        async with one.heard_by(world.lea, last) as lea:
            await lea.until(lambda ear: ear.heard)
            assert lea.heard[0] == ("reset", {}), last
    before = await pool.fetchval("SELECT min(position) FROM change") - 1
    async with one.heard_by(world.lea, str(before)) as lea:
        await lea.until(lambda ear: ear.heard)
        assert lea.heard[0][0] == "changed"
    await pool.execute("DELETE FROM change WHERE position = $1", before + 1)
    async with one.heard_by(world.lea, str(before)) as lea:
        await lea.until(lambda ear: ear.heard)
        assert lea.heard[0] == ("reset", {})


async def test_old_changes_are_forgotten(pool: asyncpg.Pool, apart: Settings) -> None:
    old, new = a_claim(), a_claim()
    await changed(pool, old)
    await pool.execute("UPDATE change SET at = at - interval '16 minutes'")
    kept = await pool.fetchval("SELECT max(position) FROM change")
    changes = Changes(pool)
    await changes.forget()
    assert [row[0] for row in await pool.fetch("SELECT position FROM change")] == [kept]
    await changes.begin()
    assert changes.floor == kept
    await changed(pool, new)
    assert {change.id for change in await changes.fresh()} == {new.id}


async def test_who_has_missed_too_much_is_told_to_load_everything(pool: asyncpg.Pool, one: Replica) -> None:
    async with one.heard_by(world.lea) as lea:
        known = a_claim()
        await changed(pool, known)
        await lea.hears(known)
    missed = [a_claim() for _ in range(WAITING)]
    await changed(pool, *missed)
    async with one.heard_by(world.lea, lea.place) as lea:
        await lea.until(lambda ear: all(map(ear.of, missed)))
    await changed(pool, *(a_claim() for _ in range(WAITING + 1)))
    async with one.heard_by(world.lea, lea.place) as lea:
        await lea.until(lambda ear: ear.heard)
        assert lea.heard[0] == ("reset", {})


async def test_whoever_has_seen_what_was_replaced_is_told_to_load_everything(
    pool: asyncpg.Pool, one: Replica, other: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What earlier tests rolled back holds nobody up.
    monkeypatch.setattr("sav_edge.changes.NEVER", 0.3)
    async with one.heard_by(world.lea) as here, other.heard_by(world.karim) as there:
        before = here.place
        await replaced(pool)
        last = await pool.fetchval("SELECT max(position) FROM change")
        for person in (here, there):
            await person.until(lambda ear: ear.heard)
            assert person.heard == [("reset", {})]

        async def passed() -> bool:
            await changed(pool, a_claim())
            return int(here.place) > int(last)

        await eventually(passed)
    async with other.heard_by(world.lea, before) as lea:
        await lea.until(lambda ear: ear.heard)
        assert lea.heard[0] == ("reset", {})
    missed = a_claim()
    await changed(pool, missed)
    async with other.heard_by(world.lea, here.place) as lea:
        await lea.hears(missed)
        assert {event for event, _ in lea.heard} == {"changed"}


async def test_after_a_restore_every_earlier_place_is_answered_with_a_reset(
    pool: asyncpg.Pool, one: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A reader that began before the restore waits that long for the places that the restore left out.
    monkeypatch.setattr("sav_edge.changes.NEVER", 0.3)
    await changed(pool, a_claim())
    newest = await pool.fetchval("SELECT max(position) FROM change")
    await restored(pool)
    first = await pool.fetchval("SELECT max(position) FROM change")
    # In the time that was lost, places went on: somebody may hold one that is not in the backup.
    for last in (newest, newest + 1, newest + 100):
        await changed(pool, a_claim())
        async with one.heard_by(world.lea, str(last)) as lea:
            await lea.until(lambda ear: ear.heard)
            assert lea.heard[0] == ("reset", {}), last
    async with one.heard_by(world.lea) as lea:

        async def passed() -> bool:
            await changed(pool, a_claim())
            return int(lea.place) > int(first)

        await eventually(passed)
    missed = a_claim()
    await changed(pool, missed)
    async with one.heard_by(world.lea, lea.place) as lea:
        await lea.hears(missed)
