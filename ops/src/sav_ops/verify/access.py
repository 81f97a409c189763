"""Access: only active accounts have open sessions, and second factors are on as the log says.

Links are not looked at: the account's state decides what the holder of one may do.
"""

from collections.abc import AsyncIterator
from uuid import UUID

from sav_contracts.auth.session import SecondFactorTurned
from sav_ops.verify.moment import BATCH, Snapshot, said

STILL_OPEN = """
SELECT s.id, s.account_id FROM session s JOIN account a ON a.id = s.account_id
WHERE s.ended_at IS NULL AND a.status <> 'active' ORDER BY s.id"""
CONFIRMED = "SELECT account_id FROM second_factor WHERE confirmed_at IS NOT NULL"


async def access(moment: Snapshot) -> AsyncIterator[str]:
    """Check whose sessions are open, and that nobody's second factor was removed or added behind the service."""
    database = moment.databases["auth"]
    moment.checked["sessions"] = await database.fetchval("SELECT count(*) FROM session")
    async for row in database.cursor(STILL_OPEN, prefetch=BATCH):
        yield f"auth: session {row['id']} is open, and its account {row['account_id']} is not active"
    turned: dict[UUID, bool] = {}
    async for events in said(database, SecondFactorTurned):
        turned |= {event.state.id: event.on for _, event in events if isinstance(event, SecondFactorTurned)}
    on = {row["account_id"] for row in await database.fetch(CONFIRMED)}
    moment.checked["second factors"] = len(on)
    for id in sorted(on ^ {id for id, is_on in turned.items() if is_on}):
        now, log = ("on", "off") if id in on else ("off", "on")
        yield f"auth: the second factor of account {id} is {now}, and {log} by the log"
