"""A database that goes away in the worst moment, and what its errors say."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import toy
import world
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from toy import Fill

from sav_chassis.database import Database
from sav_chassis.testing import Stage

DIES_AT_COMMIT = """
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER dies AFTER UPDATE ON box DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION die();"""
LIVES = "DROP TRIGGER dies ON box; DROP FUNCTION die();"


@pytest.fixture
async def dies_at_commit(stage: Stage) -> AsyncIterator[None]:
    await stage.database.pool.execute(DIES_AT_COMMIT)
    yield
    await stage.database.pool.execute(LIVES)


async def test_a_commit_that_is_cut_off_is_an_unknown_outcome(stage: Stage, dies_at_commit: None) -> None:
    await stage.given(toy.box(100, world.lea))
    outcome = await stage.when(Fill(box_id=UUID(int=100)), by=world.lea, key="once")
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code) == (504, "outcome_unknown")
    assert "Idempotency-Key" in outcome.problem.detail


async def test_an_error_of_the_database_does_not_repeat_what_it_was_given(toy_database: Database) -> None:
    async with toy_database.engine.connect() as connection:
        with pytest.raises(DBAPIError) as failed:
            await connection.execute(text("SELECT 1 / (length(:secret) - 6)"), {"secret": "hushed"})
    assert "division by zero" in str(failed.value)
    assert "hushed" not in str(failed.value)


async def test_a_connection_that_was_cut_while_nobody_used_it_is_replaced(toy_database: Database) -> None:
    """As after a restart of the server: the next command need not fail for it."""
    async with toy_database.engine.connect() as connection:
        backend = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    await toy_database.pool.execute("SELECT pg_terminate_backend($1, 5000)", backend)
    async with toy_database.engine.connect() as connection:
        assert (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one() != backend
