"""What a replica of the edge keeps in memory: whose tokens are revoked, the keys, the policies."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar, cast

import asyncpg
import structlog

from sav_chassis.database import Database, is_away
from sav_chassis.identity import Verifier
from sav_chassis.projector import Told
from sav_chassis.vital import end, vital
from sav_contracts.auth.policy import POLICIES, Policy, PolicyView, SigningKeyView
from sav_contracts.messages import Revokes

log = structlog.get_logger()

CHANNEL = "live"
# Seconds between two looks at what nobody has told of.
LOOK = 0.5
# Seconds after which a connection that does not answer is another one's.
ANSWERED_WITHIN = 2.0
REVOKED = "SELECT subject, not_before FROM revoked"
VIEWS = f"""
SELECT kind, id, doc::text FROM view
WHERE kind IN ('{SigningKeyView.kind()}', '{PolicyView.kind()}') ORDER BY kind, id"""

P = TypeVar("P", bound=Policy)


class Live:
    """As the edge's database has it, half a second ago at most; usable from `start` to `stop`."""

    def __init__(self, database: Database, verifier: Verifier, look: float = LOOK) -> None:
        self._database = database
        self._verifier = verifier
        self._every = look
        self._policies: dict[type[Policy], Policy] = {policy: policy() for policy in POLICIES.values()}
        self._views: list[asyncpg.Record] = []
        self._told = asyncio.Event()

    async def start(self) -> None:
        """Returns when everything is known: no request is answered before."""
        await self._look(self._database.pool)
        self._keeping = vital(asyncio.create_task(self._keep(), name="live"))

    async def stop(self) -> None:
        await end(self._keeping)

    def policy(self, policy: type[P]) -> P:
        """The policy that is in force: `live.policy(RateLimits)`."""
        return cast("P", self._policies[policy])

    async def tell(self, told: Sequence[Told]) -> None:
        """Has every replica look, where these events are about what is kept here; the database has them already."""
        if any(
            isinstance(event, Revokes) or isinstance(event.state, (PolicyView, SigningKeyView))
            for _, event in told
        ):
            await self._database.pool.execute(f"NOTIFY {CHANNEL}")

    async def _keep(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("not listening; tries again", error=repr(error))
                await asyncio.sleep(LOOK)

    async def _listen(self) -> None:
        """Looks when told, and now and then: a connection is silent too when it is dead, but then it does not answer."""
        connection = await asyncpg.connect(
            self._database.url, timeout=ANSWERED_WITHIN, command_timeout=ANSWERED_WITHIN
        )
        try:
            await connection.add_listener(CHANNEL, lambda *_: self._told.set())
            while True:
                self._told.clear()
                await self._look(connection)
                # Not `wait_for`: a wish to stop that comes together with news is lost in it (Python 3.11).
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every):
                        await self._told.wait()
        finally:
            connection.terminate()

    async def _look(self, database: asyncpg.Connection | asyncpg.Pool) -> None:
        revoked = await database.fetch(REVOKED)
        views = await database.fetch(VIEWS)
        self._verifier.revoked = {row["subject"]: row["not_before"] for row in revoked}
        if views != self._views:
            self._views = views
            self._take(views)

    def _take(self, rows: Sequence[asyncpg.Record]) -> None:
        keys = [row["doc"] for row in rows if row["kind"] == SigningKeyView.kind()]
        self._verifier.learn(map(SigningKeyView.model_validate_json, keys))
        # By id: there may be others that only a later release knows.
        known = {row["id"]: row["doc"] for row in rows if row["kind"] == PolicyView.kind()}
        for policy in POLICIES.values():
            doc = known.get(policy.id())
            self._policies[policy] = PolicyView.model_validate_json(doc).in_force(policy) if doc else policy()
