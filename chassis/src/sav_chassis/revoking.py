"""Access that was taken away: tokens that are refused although they have not expired."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sav_chassis.identity import OUTLIVED
from sav_chassis.projector import Executes, Told
from sav_contracts.messages import Revokes

# What no token can be as old as is forgotten. Somebody else who forgets it too is not waited for.
REVOKE = f"""
WITH forgotten AS (DELETE FROM revoked WHERE subject IN (
    SELECT subject FROM revoked
    WHERE not_before < now() - interval '{OUTLIVED} seconds' AND subject <> ALL($1::uuid[])
    FOR UPDATE SKIP LOCKED))
INSERT INTO revoked (subject, not_before) SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
ON CONFLICT (subject) DO UPDATE SET not_before = greatest(revoked.not_before, excluded.not_before)"""


async def revoke(connection: Executes, told: Sequence[Told]) -> None:
    """From here on the tokens that these events revoke are refused; told twice or in another order, it is the same."""
    newest: dict[UUID, datetime] = {}
    for envelope, event in told:
        if isinstance(event, Revokes):
            for subject in event.revoked:
                newest[subject] = max(envelope.at, newest.get(subject, envelope.at))
    if newest:
        subjects = sorted(newest)  # in one order, so that nobody waits for each other
        await connection.execute(REVOKE, subjects, [newest[subject] for subject in subjects])
