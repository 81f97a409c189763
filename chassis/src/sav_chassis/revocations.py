"""Revoked access: tokens that are refused although they have not expired."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from sav_chassis.identity import OUTLIVED
from sav_chassis.views import RecordedEvent, SqlExecutor
from sav_contracts.messages import Revokes

# Also deletes revocations older than any valid token, except rows that another replica is deleting.
REVOKE = f"""
WITH forgotten AS (DELETE FROM revoked WHERE subject IN (
    SELECT subject FROM revoked
    WHERE not_before < now() - interval '{OUTLIVED} seconds' AND subject <> ALL($1::uuid[])
    FOR UPDATE SKIP LOCKED))
INSERT INTO revoked (subject, not_before) SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
ON CONFLICT (subject) DO UPDATE SET not_before = greatest(revoked.not_before, excluded.not_before)"""


async def revoke(connection: SqlExecutor, events: Sequence[RecordedEvent]) -> None:
    """Makes the tokens that these events revoke refused from now on. Duplicates and disorder have no effect."""
    newest: dict[UUID, datetime] = {}
    for envelope, event in events:
        if isinstance(event, Revokes):
            for subject in event.revoked:
                newest[subject] = max(envelope.at, newest.get(subject, envelope.at))
    if newest:
        subjects = sorted(newest)  # always in the same order, so that transactions do not deadlock
        await connection.execute(REVOKE, subjects, [newest[subject] for subject in subjects])


async def revoked(connection: asyncpg.Connection | asyncpg.Pool) -> dict[UUID, datetime]:
    """The revoked sessions and users, each with the time before which issued tokens are refused."""
    rows = await connection.fetch("SELECT subject, not_before FROM revoked")
    return {row["subject"]: row["not_before"] for row in rows}
