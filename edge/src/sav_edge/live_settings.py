"""What each replica of the edge caches in memory: revocations, signing keys and policies."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar, cast

import asyncpg
import structlog

from sav_chassis.database import Database, is_away
from sav_chassis.identity import Verifier
from sav_chassis.revocations import revoked
from sav_chassis.views import RecordedEvent
from sav_chassis.vital_tasks import end, vital
from sav_contracts.auth.policy import POLICIES, Policy, PolicyView, SigningKeyView
from sav_contracts.messages import Revokes

log = structlog.get_logger()

CHANNEL = "live"
# Seconds between two polls, in case a notification was lost.
LOOK = 0.5
# Seconds after which a connection that does not answer is replaced.
ANSWERED_WITHIN = 2.0
VIEWS = f"""
SELECT kind, id, doc::text FROM view
WHERE kind IN ('{SigningKeyView.kind()}', '{PolicyView.kind()}') ORDER BY kind, id"""

P = TypeVar("P", bound=Policy)


class LiveSettings:
    """The cached values are at most half a second behind the edge's database. Usable from `start` to `stop`."""

    def __init__(self, database: Database, verifier: Verifier, look: float = LOOK) -> None:
        self._database = database
        self._verifier = verifier
        self._every = look
        self._policies: dict[type[Policy], Policy] = {policy: policy() for policy in POLICIES.values()}
        self._views: list[asyncpg.Record] = []
        self._told = asyncio.Event()

    async def start(self) -> None:
        """Returns when everything is loaded; no request is answered before."""
        await self._look(self._database.pool)
        self._keeping = vital(asyncio.create_task(self._keep(), name="live"))

    async def stop(self) -> None:
        await end(self._keeping)

    def policy(self, policy: type[P]) -> P:
        """The policy that is in force: `live.policy(RateLimits)`."""
        return cast("P", self._policies[policy])

    async def tell(self, events: Sequence[RecordedEvent]) -> None:
        """Makes every replica reload if these events, which the database has already, change what is cached."""
        if any(
            isinstance(event, Revokes) or isinstance(event.state, (PolicyView, SigningKeyView))
            for _, event in events
        ):
            await self._database.pool.execute(f"NOTIFY {CHANNEL}")

    async def _keep(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("not listening for policy changes; retrying", error=repr(error))
                await asyncio.sleep(LOOK)

    async def _listen(self) -> None:
        """Reloads on each notification, and at intervals: a dead connection is silent too, but fails when queried."""
        connection = await asyncpg.connect(
            self._database.url, timeout=ANSWERED_WITHIN, command_timeout=ANSWERED_WITHIN
        )
        try:
            await connection.add_listener(CHANNEL, lambda *_: self._told.set())
            while True:
                self._told.clear()
                await self._look(connection)
                # Not `wait_for`: it loses a cancellation that arrives together with a notification (Python 3.11).
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every):
                        await self._told.wait()
        finally:
            connection.terminate()

    async def _look(self, database: asyncpg.Connection | asyncpg.Pool) -> None:
        self._verifier.revoked = await revoked(database)
        views = await database.fetch(VIEWS)
        if views != self._views:
            self._views = views
            self._take(views)

    def _take(self, rows: Sequence[asyncpg.Record]) -> None:
        keys = [row["doc"] for row in rows if row["kind"] == SigningKeyView.kind()]
        self._verifier.learn(map(SigningKeyView.model_validate_json, keys))
        # By id: there may be policies that only a later release knows.
        known = {row["id"]: row["doc"] for row in rows if row["kind"] == PolicyView.kind()}
        for policy in POLICIES.values():
            doc = known.get(policy.id())
            self._policies[policy] = PolicyView.model_validate_json(doc).in_force(policy) if doc else policy()
