"""How many requests a caller may make: the policy `rate_limits`, counted here and shared by all replicas.

Each caller has a bucket for each kind of request: a request fills it, and it drains evenly so that a full one is
empty after a minute. A replica counts in memory and every 0.2 s tells the edge's database, which adds up what all
of them say. So what is let through too much is what the other replicas take in that time, and never more than the
limit again for each of them.
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
from sav_chassis.errors import SavError
from sav_chassis.vital import end, vital
from sav_contracts.actor import Role
from sav_contracts.auth.policy import RateLimits
from sav_contracts.messages import Asked, Command
from sav_contracts.surface import Row
from sav_edge.addresses import household
from sav_edge.call import Call, Header
from sav_edge.uploads import file_fields

log = structlog.get_logger()

# Seconds in which a full bucket drains; between two tellings; between two looks for buckets that are long empty.
WINDOW = 60
TELL = 0.2
FORGET = 30.0

# The database's clock alone counts: those of replicas may differ. In one order, so that nobody waits for each other.
SHARE = """
INSERT INTO bucket AS b (key, level, rate, at)
SELECT key, taken, rate, clock_timestamp() FROM unnest($1::text[], $2::float8[], $3::float8[]) AS t (key, taken, rate)
ORDER BY key
ON CONFLICT (key) DO UPDATE SET at = excluded.at, rate = excluded.rate, level = excluded.level + greatest(0,
    b.level - extract(epoch FROM excluded.at - b.at) * excluded.rate)
RETURNING key, level"""
EMPTY = f"DELETE FROM bucket WHERE at < clock_timestamp() - interval '{2 * WINDOW} seconds'"


class TooManyRequests(SavError):
    """The caller has made as many requests as their role may just now."""

    code = "too_many_requests"
    status = 429


class Kind(StrEnum):
    """What is limited apart: the fields of `Limits`, and `sign_ins`, which is nobody's own."""

    READS = "reads"
    WRITES = "writes"
    UPLOADS = "uploads"
    SIGN_INS = "sign_ins"


@cache
def kind_of(row: Row) -> Kind:
    """Which limit a row's requests count for."""
    if row.method == "GET":
        return Kind.READS
    if issubclass(row.message, Command) and row.message.secret and Role.ANYONE in row.reach:
        return Kind.SIGN_INS
    return Kind.UPLOADS if issubclass(row.message, Asked) and file_fields(row.message) else Kind.WRITES


class Quota(NamedTuple):
    """So many requests a minute; `policy` says so to the caller (draft-ietf-httpapi-ratelimit-headers-10)."""

    kind: Kind
    limit: int
    rate: float
    policy: Header

    @classmethod
    def of(cls, kind: Kind, limit: int) -> "Quota":
        told = f'"{kind}";q={limit};w={WINDOW}'.encode()
        return cls(kind, limit, limit / WINDOW, (b"ratelimit-policy", told))

    def headers(self, level: float) -> tuple[Header, ...]:
        """How many more are taken now, and the seconds until it is all of them again."""
        left = max(0, int(self.limit - level))
        told = b'"%b";r=%d;t=%d' % (self.kind.encode(), left, math.ceil(level / self.rate))
        return (b"ratelimit", told), self.policy


class Bucket:
    """How full it was, when; and what nobody else has been told of."""

    __slots__ = ("at", "level", "rate", "untold")

    def __init__(self, now: float) -> None:
        self.level = 0.0
        self.rate = 0.0
        self.at = now
        self.untold = 0


Key = tuple[Kind, UUID | str]


class RateLimiter:
    """Takes requests until there are too many. `scale` multiplies the policy's numbers; 0: nobody is limited."""

    def __init__(self, pool: asyncpg.Pool, policy: Callable[[], RateLimits], scale: float) -> None:
        self._pool = pool
        self._policy = policy
        self._scale = scale
        self._known: RateLimits | None = None
        self._quotas: dict[tuple[Role, Kind], Quota] = {}
        self._buckets: dict[Key, Bucket] = {}
        self._untold: dict[Key, Bucket] = {}

    def take(self, call: Call, kind: Kind) -> None:
        """Counts the call, and says on its answer how many are left; `TooManyRequests` where none is."""
        quota = self._quota(call.actor.role, kind)
        if quota is None:
            return
        own = kind is not Kind.SIGN_INS and call.actor.role is not Role.ANYONE
        key = kind, call.actor.id if own else household(call.address)
        now = time.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(now)
        level = max(0.0, bucket.level - (now - bucket.at) * quota.rate) + 1
        if level > quota.limit:
            call.headers = quota.headers(level - 1)
            after = math.ceil((level - quota.limit) / quota.rate)
            raise TooManyRequests(f"too many requests; try again in {after} s", retry_after=after)
        bucket.level, bucket.at, bucket.rate = level, now, quota.rate
        if not bucket.untold:
            self._untold[key] = bucket
        bucket.untold += 1
        call.headers = quota.headers(level)

    def _quota(self, role: Role, kind: Kind) -> Quota | None:
        policy = self._policy()
        if policy is not self._known:
            self._known, self._quotas = policy, self._read(policy)
        return self._quotas.get((role, kind))

    def _read(self, policy: RateLimits) -> dict[tuple[Role, Kind], Quota]:
        if not self._scale:
            return {}
        found = {}
        for role in Role:
            if limits := getattr(policy, role, None):
                asked = {**dict(limits), Kind.SIGN_INS: policy.sign_ins}
                for kind in Kind:
                    found[role, kind] = Quota.of(kind, math.ceil(asked[kind] * self._scale))
        return found

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tells and hears for as long as this lasts."""
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
                # Each replica goes on counting what it takes itself.
                log.warning("limits not shared just now", error=repr(error), away=is_away(error))
                await asyncio.sleep(1)

    async def tell(self) -> None:
        """Adds what was taken here to what all have taken, and learns the sum."""
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
