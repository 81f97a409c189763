"""Read sides are made anew from the logs, beside people who go on reading and asking."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import pytest
import stories
from eventually import eventually
from given_streams import ear, free_port
from stories import done
from system import Person, System

from sav_chassis.views import TABLE_LOCK, RecordedEvent, SqlExecutor, project
from sav_edge import projection
from sav_edge.app import listening
from sav_ops.home import OpsError
from sav_ops.replay import event_logs, shadow_tables
from sav_ops.replay.rebuild import fill, rebuild
from sav_ops.verify.verification import verify

SHAPE = """
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
UNION SELECT table_name || column_name || data_type || is_nullable || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1"""
SHADOWS = "SELECT nspname FROM pg_namespace WHERE nspname = 'rebuild'"
STALE = "UPDATE view SET doc = '{}' WHERE kind = 'reclamation' AND id = $1"
# From an event that no log has.
AHEAD = "UPDATE view SET version = 99 WHERE kind = 'intervention' AND id = $1"
UNTOLD = "DELETE FROM timeline WHERE root = $1 AND kind = 'reclamation'"
INVENTED = """
INSERT INTO view (kind, id, version, open, created_at, updated_at, doc)
VALUES ('reclamation', 'ffffffff-ffff-4fff-8fff-ffffffffffff', 1, true, now(), now(), '{}')"""
WRITER_WAITS = "SELECT FROM pg_locks WHERE mode = 'RowExclusiveLock' AND NOT granted"
TRIGGER = """
CREATE TRIGGER quiet BEFORE UPDATE ON timeline
FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"""
HELD_UP = "SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted"
CUT_OFF = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid = ANY(
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1)"""


async def ruin(system: System, visit: dict[str, Any]) -> None:
    await system.sql("edge", STALE, visit["reclamation_id"])
    await system.sql("edge", AHEAD, visit["id"])
    await system.sql("edge", UNTOLD, visit["reclamation_id"])
    await system.sql("edge", INVENTED)


async def differs(system: System, room: str = "edge") -> list[str]:
    return [str(one) for one in (await rebuild(system.settings, room, swap=False, patience=0.2)).differences]


async def test_what_is_wrong_is_named_and_then_made_right(system: System, visit: dict[str, Any]) -> None:
    await ruin(system, visit)
    found = await rebuild(system.settings, "edge", swap=False, patience=0.2)
    assert [(one.table, one.rows, one.what) for one in found.differences] == [
        ("view", 2, "different"), ("view", 1, "too many"), ("timeline", 5, "missing"),
    ]  # fmt: skip
    assert f"reclamation {visit['reclamation_id']}" in found.differences[0].first
    assert found.readers_waited is None
    assert await verify(system.settings, 0) != []

    found = await rebuild(system.settings, "edge", patience=0.2)
    assert found.readers_waited is not None
    assert await verify(system.settings, 10) == []
    assert await differs(system) == []


async def test_the_rebuilt_tables_are_to_a_migration_as_the_old_ones_were(system: System) -> None:
    before = await system.sql("edge", SHAPE)
    await rebuild(system.settings, "edge")
    assert await system.sql("edge", SHAPE) == before
    assert await system.sql("edge", SHADOWS) == []


async def test_a_read_model_that_was_wiped_answers_503_until_it_is_filled(
    system: System, visit: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    manager = await system.manager()
    await system.sql("edge", "DELETE FROM view")
    for path in ("/reclamations", f"/reclamations/{visit['reclamation_id']}"):
        refused = await manager.get(path)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
    assert (await manager.http.get("/health/ready")).status_code == 503
    await asyncio.to_thread(fill, system.settings)
    assert "is filled from the logs" in capsys.readouterr().out
    assert done(await manager.get(f"/reclamations/{visit['reclamation_id']}"))
    assert await verify(system.settings, 10) == []
    await asyncio.to_thread(fill, system.settings)
    assert "filled" not in capsys.readouterr().out


@asynccontextmanager
async def at_the_counter(client: Person, manager: Person) -> AsyncIterator[list[Any]]:
    """People open, qualify and read what they just did, while the body runs."""
    claims: list[Any] = []
    over = asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            claim = await stories.qualified(client, manager)
            claims.append(done(await client.get(f"/reclamations/{claim['id']}")))
            await asyncio.sleep(0.05)  # people think; services and all run in this one loop

    async with asyncio.TaskGroup() as people:
        people.create_task(ask())
        try:
            yield claims
        finally:
            over.set()


async def some(claims: list[Any], count: int) -> bool:
    return len(claims) > count


async def test_reads_and_commands_go_on_and_nothing_is_lost(system: System, visit: dict[str, Any]) -> None:
    client, manager = await system.client(), await system.manager()
    async with at_the_counter(client, manager) as claims:
        assert (await rebuild(system.settings, "edge", batch=50)).differences == []
        during = len(claims)
        await eventually(lambda: some(claims, during + 2), seconds=20)
    assert during
    assert {claim["status"] for claim in claims} == {"qualified"}
    assert await verify(system.settings, 10) == []


async def test_what_is_told_between_the_last_look_and_the_swap_is_there(
    system: System, visit: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await system.client()
    writers_out = shadow_tables.Shadow.writers_out
    claims: list[dict[str, Any]] = []

    @asynccontextmanager
    async def told_just_before(self: shadow_tables.Shadow) -> AsyncIterator[None]:
        claims.append(await stories.opened(client))
        assert await verify(system.settings, 10) == []  # nothing of it comes any more
        async with writers_out(self):
            yield

    monkeypatch.setattr(shadow_tables.Shadow, "writers_out", told_just_before)
    await rebuild(system.settings, "edge")
    assert len(claims) >= 2, "one before it compares, one before it swaps"
    for claim in claims:
        done(await client.get(f"/reclamations/{claim['id']}"))
    assert await verify(system.settings, 10) == []


async def test_what_is_told_during_the_swap_waits_for_it_and_is_there(
    system: System, visit: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await system.client()
    take_over = shadow_tables.Shadow.take_over
    opening: list[asyncio.Task[Any]] = []

    async def told_meanwhile(self: shadow_tables.Shadow) -> None:
        opening.append(asyncio.create_task(stories.opened(client)))
        await eventually(lambda: system.sql("edge", WRITER_WAITS), seconds=20)
        await take_over(self)

    monkeypatch.setattr(shadow_tables.Shadow, "take_over", told_meanwhile)
    await rebuild(system.settings, "edge")
    claim = await opening[0]
    done(await client.get(f"/reclamations/{claim['id']}"))
    assert await verify(system.settings, 10) == []


async def test_what_is_only_on_its_way_is_not_named(
    system: System, visit: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = shadow_tables.Shadow.settle
    gone = "DELETE FROM timeline WHERE root = $1 RETURNING root, event_id, at, kind, subject, doc, doc_client"
    back = "INSERT INTO timeline (root, event_id, at, kind, subject, doc, doc_client) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    rows = await system.sql("edge", gone, visit["reclamation_id"])

    async def arriving(self: shadow_tables.Shadow, patience: float) -> None:
        arrived = asyncio.create_task(settle(self, patience))
        for row in rows:
            await system.sql("edge", back, *row)
        await arrived

    monkeypatch.setattr(shadow_tables.Shadow, "settle", arriving)
    found = await rebuild(system.settings, "edge", swap=False)
    assert rows
    assert found.differences == []


async def test_who_listens_to_any_replica_is_told_to_load_everything_once_it_was_replaced(
    system: System, visit: dict[str, Any]
) -> None:
    async with AsyncExitStack() as stack:
        ears = []
        for who in (await system.client(), await system.manager()):
            settings = system.settings.model_copy(update={"edge_port": free_port()})
            await stack.enter_async_context(listening(settings))
            ears.append(await stack.enter_async_context(ear(settings.edge_port, who.headers())))
        await system.sql("edge", UNTOLD, visit["reclamation_id"])
        assert await differs(system) != []
        assert not any(("reset", {}) in one.heard for one in ears)
        await rebuild(system.settings, "edge", patience=0.2)
        for one in ears:
            await one.until(lambda ear: ("reset", {}) in ear.heard)


async def test_a_slow_reader_is_waited_for_and_holds_up_nobody_else(
    system: System, visit: dict[str, Any]
) -> None:
    client = await system.client()
    reader = await asyncpg.connect(system.settings.database("edge"))
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT FROM view LIMIT 1")
    rebuilding = asyncio.create_task(rebuild(system.settings, "edge"))
    await eventually(lambda: system.sql("edge", HELD_UP), seconds=20)
    claim = await stories.opened(client)
    done(await client.get(f"/reclamations/{claim['id']}"))
    assert not rebuilding.done()
    await reading.rollback()
    await reader.close()
    found = await rebuilding
    assert found.readers_waited is not None
    assert 0.2 < found.readers_waited < 2


async def test_one_that_was_cut_off_harms_nothing_and_the_next_one_works(
    system: System, visit: dict[str, Any]
) -> None:
    killer = await asyncpg.connect(system.settings.database("edge"))
    killing: list[asyncio.Task[Any]] = []

    def cut_off(read: int, total: int) -> None:
        if not killing:
            killing.append(asyncio.create_task(killer.fetch(CUT_OFF, TABLE_LOCK)))

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await rebuild(system.settings, "edge", batch=5, progress=cut_off)
    await asyncio.gather(*killing)
    await killer.close()
    assert len(await system.sql("edge", SHADOWS)) == 1
    await stories.opened(await system.client())
    assert await verify(system.settings, 10) == []
    assert await differs(system) == []
    assert await system.sql("edge", SHADOWS) == []


async def test_a_projection_that_fails_leaves_everything_as_it_was(
    system: System, visit: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def divided(connection: SqlExecutor, told: Sequence[RecordedEvent]) -> None:
        await project(connection, told)
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(projection, "replay", divided)
        with pytest.raises(ZeroDivisionError):
            await rebuild(system.settings, "edge")
    assert await system.sql("edge", SHADOWS) == []
    assert await verify(system.settings, 10) == []


async def test_two_at_once_are_refused_and_the_first_one_goes_on(system: System) -> None:
    second: list[asyncio.Task[Any]] = []

    def also(read: int, total: int) -> None:
        if not second:
            second.append(asyncio.create_task(rebuild(system.settings, "edge")))

    first = await rebuild(system.settings, "edge", batch=5, progress=also)
    with pytest.raises(OpsError, match="under way"):
        await second[0]
    assert first.differences == []


async def test_a_migration_in_between_is_not_undone(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = shadow_tables.Shadow.finish

    async def migrated_meanwhile(self: shadow_tables.Shadow) -> None:
        await finish(self)
        await system.sql("edge", "UPDATE room_version SET version_num = '9' || version_num")

    monkeypatch.setattr(shadow_tables.Shadow, "finish", migrated_meanwhile)
    try:
        with pytest.raises(OpsError, match="migrated meanwhile"):
            await rebuild(system.settings, "edge")
    finally:
        await system.sql("edge", "UPDATE room_version SET version_num = substr(version_num, 2)")


async def test_a_table_with_what_a_swap_would_lose_is_left_alone(system: System) -> None:
    await system.sql("edge", TRIGGER)
    try:
        with pytest.raises(OpsError, match="timeline has the trigger quiet"):
            await rebuild(system.settings, "edge")
    finally:
        await system.sql("edge", "DROP TRIGGER quiet ON timeline")


async def test_facts_are_made_anew_and_feedback_stays(system: System, visit: dict[str, Any]) -> None:
    asked = await eventually(lambda: system.sql("reporting", "SELECT * FROM feedback ORDER BY id"))
    facts = await system.sql("reporting", "SELECT * FROM reclamation_fact ORDER BY id")
    await system.sql("reporting", "UPDATE reclamation_fact SET status = 'odd', qualified_at = NULL")
    await system.sql("reporting", "DELETE FROM visit_fact")
    assert len(await differs(system, "reporting")) == 2
    await rebuild(system.settings, "reporting", patience=0.2)
    assert await system.sql("reporting", "SELECT * FROM reclamation_fact ORDER BY id") == facts
    assert await differs(system, "reporting") == []
    assert await system.sql("reporting", "SELECT * FROM feedback ORDER BY id") == asked


async def test_feedback_is_made_anew_from_reportings_own_log(system: System) -> None:
    client, manager, technician = await system.client(), await system.manager(), await system.technician()
    visit = await stories.closed(client, manager, technician)
    asked = f"SELECT * FROM feedback WHERE intervention_id = '{visit['id']}'"
    await eventually(lambda: system.sql("reporting", asked))
    opinion = {"rating": 4, "recommend": 9, "comment": "à l'heure", "contact_me": True}
    done(await client.post(f"/interventions/{visit['id']}/feedback", opinion))
    assert await verify(system.settings, 10) == []
    report = done(await client.get("/reports/reclamations"))
    assert (report["feedback"], report["average_rating"]) == (1, 4.0)
    rows = await system.sql("reporting", "SELECT * FROM feedback ORDER BY id")

    # All that a database has which was made anew, with its log from a backup.
    await system.sql("reporting", "DELETE FROM feedback")
    for table in ("view", "reclamation_fact", "visit_fact", "invoice_fact"):
        await system.sql("reporting", f"DELETE FROM {table}")
    found = await verify(system.settings, 0)
    assert f"reporting: feedback {rows[-1]['id']} has a log, and no row" in found
    await rebuild(system.settings, "reporting", patience=0.2)
    assert await system.sql("reporting", "SELECT * FROM feedback ORDER BY id") == rows
    assert done(await client.get("/reports/reclamations")) == report
    assert await verify(system.settings, 10) == []
    done(await client.post(f"/interventions/{visit['id']}/feedback", opinion | {"rating": 5}))
    assert await verify(system.settings, 10) == []


async def test_a_services_copies_are_a_read_side_too(system: System, visit: dict[str, Any]) -> None:
    await system.sql("calendar", "DELETE FROM view")
    await rebuild(system.settings, "calendar", patience=0.2)
    assert await verify(system.settings, 10) == []
    with pytest.raises(OpsError, match=r"no read side of shop; there are: .*edge"):
        await rebuild(system.settings, "shop")


async def test_access_that_ended_unheard_at_the_edge_ends_with_its_rebuild(system: System) -> None:
    client = await system.client()
    done(await client.post("/auth/logout"))
    [ended] = await system.sql("auth", "SELECT * FROM revoked ORDER BY not_before DESC LIMIT 1")
    known = f"SELECT * FROM revoked WHERE subject = '{ended['subject']}'"
    assert await eventually(lambda: system.sql("edge", known)) == [ended]
    await system.sql("edge", f"DELETE FROM revoked WHERE subject = '{ended['subject']}'")
    assert (await rebuild(system.settings, "edge", swap=False)).revocations == 0
    assert await system.sql("edge", known) == []
    assert (await rebuild(system.settings, "edge")).revocations == 1
    assert await system.sql("edge", known) == [ended]


async def test_a_log_is_certain_only_when_its_earlier_writers_have_ended(system: System) -> None:
    writer = await asyncpg.connect(system.settings.database("claims"))
    log = await asyncpg.connect(system.settings.database("claims"))
    writing = writer.transaction()
    await writing.start()
    await writer.execute("UPDATE event_log SET type = type WHERE false")
    certain = asyncio.create_task(event_logs.certain(log))
    await asyncio.wait([certain], timeout=0.2)
    assert not certain.done()
    await writing.rollback()
    assert await certain > 0
    await writer.close()
    await log.close()
