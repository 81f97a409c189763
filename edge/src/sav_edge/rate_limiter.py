"""How many requests a caller may make: the policy `rate_limits`, counted over all replicas.

Each caller has a leaky bucket for each request class. A request adds to it, and a full one drains evenly in a minute.
A replica counts in memory and every 0.2 s adds its counts to those in the edge's database. So a caller can exceed the
limit by what the other replicas accept in that time, which is never more than the limit once again for each of them.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from uuid import UUID

import asyncpg
import structlog

from sav_chassis.database import is_away
from sav_chassis.errors import TooMany
from sav_chassis.vital_tasks import end, vital
from sav_contracts.actor import Role
from sav_contracts.auth.policy import RateLimits
from sav_contracts.messages import Command
from sav_contracts.surface import MessageRow, Row
from sav_edge.addresses import client_network
from sav_edge.bodies import file_fields
from sav_edge.request_context import Header, RequestContext

log = structlog.get_logger()

# Seconds: in which a full bucket drains; between two synchronisations; between two clean-ups of empty buckets.
WINDOW = 60
TELL = 0.2
FORGET = 30.0

# Only the database's clock counts: those of replicas may differ. Always in the same order, to avoid deadlocks.
SHARE = """
INSERT INTO bucket AS b (key, level, rate, at)
SELECT key, taken, rate, clock_timestamp() FROM unnest($1::text[], $2::float8[], $3::float8[]) AS t (key, taken, rate)
ORDER BY key
ON CONFLICT (key) DO UPDATE SET at = excluded.at, rate = excluded.rate, level = excluded.level + greatest(0,
    b.level - extract(epoch FROM excluded.at - b.at) * excluded.rate)
RETURNING key, level"""
EMPTY = f"DELETE FROM bucket WHERE at < clock_timestamp() - interval '{2 * WINDOW} seconds'"


class TooManyRequests(TooMany):
    """The caller has made as many requests as their role may make for now."""

    code = "too_many_requests"
    en = "Too many requests; try again in {retry_after} s"
    fr = "Trop de requêtes ; réessayez dans {retry_after} s"


class RequestClass(StrEnum):
    """What has a limit of its own: the fields of `Limits`; and `sign_ins`, counted by address for every role."""

    READS = "reads"
    WRITES = "writes"
    UPLOADS = "uploads"
    SIGN_INS = "sign_ins"


@cache
def request_class_of(row: Row) -> RequestClass:
    """Which limit a row's requests count for."""
    if row.method == "GET":
        return RequestClass.READS
    if issubclass(row.message, Command) and row.message.secret and Role.ANYONE in row.roles:
        return RequestClass.SIGN_INS
    return (
        RequestClass.UPLOADS
        if isinstance(row, MessageRow) and file_fields(row.message)
        else RequestClass.WRITES
    )


class Quota(NamedTuple):
    """`limit` requests a minute; `policy` is the header that says so (draft-ietf-httpapi-ratelimit-headers-10)."""

    kind: RequestClass
    limit: int
    rate: float
    policy: Header

    @classmethod
    def of(cls, kind: RequestClass, limit: int) -> "Quota":
        policy_header = f'"{kind}";q={limit};w={WINDOW}'.encode()
        return cls(kind, limit, limit / WINDOW, (b"ratelimit-policy", policy_header))

    def headers(self, level: float) -> tuple[Header, ...]:
        """The headers: the requests left now, and the seconds until all are available again."""
        left = max(0, int(self.limit - level))
        limit_header = b'"%b";r=%d;t=%d' % (self.kind.encode(), left, math.ceil(level / self.rate))
        return (b"ratelimit", limit_header), self.policy


class Bucket:
    """A leaky bucket: its level, the time of that level, and how many requests are not shared yet."""

    __slots__ = ("at", "level", "rate", "untold")

    def __init__(self, now: float) -> None:
        self.level = 0.0
        self.rate = 0.0
        self.at = now
        self.untold = 0


Key = tuple[RequestClass, UUID | str]


class RateLimiter:
    """Accepts requests up to the limits. `scale` multiplies the policy's numbers; 0 means no limits."""

    def __init__(self, pool: asyncpg.Pool, policy: Callable[[], RateLimits], scale: float) -> None:
        self._pool = pool
        self._policy = policy
        self._scale = scale
        self._known: RateLimits | None = None
        self._quotas: dict[tuple[Role, RequestClass], Quota] = {}
        self._buckets: dict[Key, Bucket] = {}
        self._untold: dict[Key, Bucket] = {}

    def take(self, call: RequestContext, kind: RequestClass) -> None:
        """Counts the request, and puts how many are left into its response; `TooManyRequests` where none is."""
        quota = self._quota(call.actor.role, kind)
        if quota is None:
            return
        own = kind is not RequestClass.SIGN_INS and call.actor.role is not Role.ANYONE
        key = kind, call.actor.id if own else client_network(call.address)
        now = time.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(now)
        level = max(0.0, bucket.level - (now - bucket.at) * quota.rate) + 1
        if level > quota.limit:
            call.headers = quota.headers(level - 1)
            after = math.ceil((level - quota.limit) / quota.rate)
            raise TooManyRequests(retry_after=after)
        bucket.level, bucket.at, bucket.rate = level, now, quota.rate
        if not bucket.untold:
            self._untold[key] = bucket
        bucket.untold += 1
        call.headers = quota.headers(level)

    def _quota(self, role: Role, kind: RequestClass) -> Quota | None:
        policy = self._policy()
        if policy is not self._known:
            self._known, self._quotas = policy, self._read(policy)
        return self._quotas.get((role, kind))

    def _read(self, policy: RateLimits) -> dict[tuple[Role, RequestClass], Quota]:
        if not self._scale:
            return {}
        found = {}
        for role in Role:
            if limits := getattr(policy, role, None):
                asked = {**dict(limits), RequestClass.SIGN_INS: policy.sign_ins}
                for kind in RequestClass:
                    found[role, kind] = Quota.of(kind, math.ceil(asked[kind] * self._scale))
        return found

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Shares the counts and deletes empty buckets while this is open."""
        tasks = [vital(asyncio.create_task(self._tell_all())), vital(asyncio.create_task(self._forget()))]
        try:
            yield
        finally:
            for task in tasks:
                await end(task)

    async def _tell_all(self) -> None:
        while True:
            await asyncio.sleep(TELL)
            try:
                await self.tell()
            except Exception as error:
                # Each replica goes on counting the requests it accepts itself.
                log.warning(
                    "rate limits not shared with other replicas", error=repr(error), away=is_away(error)
                )
                await asyncio.sleep(1)

    async def tell(self) -> None:
        """Adds this replica's counts to the shared ones, and takes over the sums."""
        telling, self._untold = self._untold, {}
        if not telling:
            return
        named = {f"{kind} {who}": bucket for (kind, who), bucket in telling.items()}
        taken = [bucket.untold for bucket in telling.values()]
        for bucket in telling.values():
            bucket.untold = 0
        try:
            rates = [bucket.rate for bucket in telling.values()]
            rows = await self._pool.fetch(SHARE, list(named), taken, rates)
        except BaseException:
            for bucket, count in zip(telling.values(), taken, strict=True):
                bucket.untold += count
            self._untold = telling | self._untold
            raise
        now = time.monotonic()
        for row in rows:
            bucket = named[row["key"]]
            bucket.level, bucket.at = row["level"] + bucket.untold, now

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(FORGET)
            long_ago = time.monotonic() - 2 * WINDOW
            for key in [key for key, bucket in self._buckets.items() if bucket.at < long_ago]:
                if key not in self._untold:
                    del self._buckets[key]
            try:
                await self._pool.execute(EMPTY)
            except Exception as error:
                log.warning("empty buckets not forgotten yet", error=repr(error))
