"""Columns and indexes that the surface declares: made where they are missing, made anew where they are stale, whole."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from given_lists import chosen
from given_views import a, show, wipe
from world import lea, marie

from sav_chassis import views
from sav_chassis.migrate import migrate
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import MissingMigration
from sav_contracts.claims.reclamation import ReclamationView
from sav_edge import declared
from sav_edge.app import application
from sav_edge.listed import INDEXES, LISTED
from sav_edge.read_model import ReadModel

[FOUND] = [name for name in INDEXES if name.startswith("list_reclamation_found_")]


@pytest.fixture
async def own(settings: Settings) -> AsyncIterator[tuple[Settings, asyncpg.Pool]]:
    """A read model that nobody else uses."""
    mine = settings.model_copy(update={"database_prefix": "declared"})
    await migrate(mine, "edge")
    async with asyncpg.create_pool(mine.database("edge"), min_size=1, max_size=2) as pool:
        await wipe(pool)
        yield mine, pool


async def test_what_is_there_is_left_alone(own: tuple[Settings, asyncpg.Pool]) -> None:
    settings, pool = own
    assert await declared.missing(pool) == []
    before = await pool.fetch("SELECT indexrelid FROM pg_index WHERE indrelid = 'view'::regclass ORDER BY 1")
    await migrate(settings, "edge")
    assert (
        await pool.fetch("SELECT indexrelid FROM pg_index WHERE indrelid = 'view'::regclass ORDER BY 1")
        == before
    )


async def test_rows_from_before_are_found_and_sorted_after_it(own: tuple[Settings, asyncpg.Pool]) -> None:
    settings, pool = own
    claims = [a(ReclamationView, reference=f"REC-2026-{n:06}", article="Évier") for n in range(3)]
    await show(pool, claims)
    # As a release before this one left it.
    await pool.execute(
        "DELETE FROM listed; DELETE FROM word; ALTER TABLE view DROP made_from, DROP found, DROP by_reference"
    )
    lacking = await declared.missing(pool)
    assert {"the column found", "the columns of each reclamation", f"the index {FOUND}"} <= set(lacking)
    with pytest.raises(MissingMigration, match=r"the column found, .*run `./sav migrate`"):
        async with application(settings):
            pass
    await migrate(settings, "edge")
    assert await declared.missing(pool) == []
    read = ReadModel(pool)
    assert await chosen(read, "/reclamations", marie, q="evier", sort="-reference") == [
        claim.id for claim in reversed(claims)
    ]
    assert await chosen(read, "/reclamations", lea, reference="rec-2026-000001") == [claims[1].id]
    assert await chosen(read, "/reclamations", lea, q="eveir", limit="1")


@pytest.mark.parametrize(
    "broken",
    [
        "DROP INDEX {found}",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{found}'::regclass",
        "ALTER INDEX {found} RENAME TO list_reclamation_found_000000",
    ],
)
async def test_an_index_that_is_missing_broken_or_of_another_declaration_is_made(
    own: tuple[Settings, asyncpg.Pool], broken: str
) -> None:
    settings, pool = own
    await pool.execute(broken.format(found=FOUND))
    assert await declared.missing(pool) == [f"the index {FOUND}"]
    await migrate(settings, "edge")
    assert await declared.missing(pool) == []
    assert await pool.fetchval("SELECT to_regclass('list_reclamation_found_000000')") is None


async def test_an_index_that_nobody_declares_any_more_is_dropped(own: tuple[Settings, asyncpg.Pool]) -> None:
    settings, pool = own
    await pool.execute("CREATE INDEX list_reclamation_colour ON view (status)")
    await migrate(settings, "edge")
    assert await pool.fetchval("SELECT to_regclass('list_reclamation_colour')") is None


async def test_a_record_that_changes_meanwhile_keeps_what_is_newer(
    own: tuple[Settings, asyncpg.Pool],
) -> None:
    _, pool = own
    claim = a(ReclamationView, article="Évier")
    await show(pool, [claim])
    newer = claim.model_copy(update={"version": 2, "article": "Lavabo"})
    async with pool.acquire() as connection:
        await show(pool, [newer])
        # The columns that `settle` made of the version that it had read.
        await connection.execute(declared.UPDATE, *declared.values_of([claim]), "reclamation")
    read = ReadModel(pool)
    assert await chosen(read, "/reclamations", marie, q="lavabo") == [claim.id]


async def test_what_a_release_before_wrote_is_made_anew_at_the_start(
    own: tuple[Settings, asyncpg.Pool],
) -> None:
    _, pool = own
    claim = a(ReclamationView, article="Évier", status="assigned")
    await show(pool, [claim])
    # It knows the columns of every service's copies only.
    await views.show(
        pool, [claim.model_copy(update={"version": 2, "article": "Lavabo", "status": "resolved"})]
    )
    read = ReadModel(pool)
    assert await chosen(read, "/reclamations", marie, status="resolved") == []
    assert await declared.refresh_stale(pool) == 1
    assert await chosen(read, "/reclamations", marie, status="resolved", q="lavabo") == [claim.id]
    assert await declared.refresh_stale(pool) == 0
    # By another declaration, of the same version.
    await pool.execute("UPDATE view SET made_from = '00000000 2', found = NULL WHERE kind = 'reclamation'")
    assert await declared.refresh_stale(pool) == 1
    assert await chosen(read, "/reclamations", marie, status="resolved", q="lavabo") == [claim.id]


def test_every_listed_kind_has_an_index_of_its_own() -> None:
    for view in LISTED:
        assert any(name.startswith(f"list_{view.kind()}_") for name in INDEXES)
