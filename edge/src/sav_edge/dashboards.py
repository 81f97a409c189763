"""The dashboard of réclamations, counted from the indexes of what is open, what was opened and what came to its end."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import asyncpg

from sav_chassis.visibility import condition, visible
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.policy import SlaTargets
from sav_contracts.claims.dashboard import (
    BANDS,
    DAYS,
    OPEN,
    Dashboard,
    DashboardForClient,
    Figure,
    OfAge,
    OfDay,
    OfPriority,
    OfStatus,
)
from sav_contracts.claims.reclamation import Priority
from sav_contracts.surface import DashboardRow
from sav_edge.completeness import IS_COMPLETE, NotFilledYet
from sav_edge.listed import counted_column, sort_column

Query = list[tuple[str, str]]
IS_OPEN: Query = [("status", status) for status in OPEN]


class Dashboards:
    """Counts what the caller may see, in one statement, so that all figures are of one moment."""

    def __init__(
        self, pool: asyncpg.Pool, targets: Callable[[], SlaTargets], now: Callable[[], datetime]
    ) -> None:
        self._pool = pool
        self._targets = targets
        self._now = now

    async def of(self, row: DashboardRow, actor: Actor) -> Dashboard | DashboardForClient:
        """The figures for this caller; for a client without what is only for staff."""
        zone = ZoneInfo(self._targets().zone)
        today = self._now().astimezone(zone).date()
        days = [midnight(today - timedelta(days=DAYS - 1 - n), zone) for n in range(DAYS + 1)]
        ages = [
            midnight(today - timedelta(days=last), zone)
            for _, last in reversed(BANDS[:-1])
            if last is not None
        ]
        rows = await self._pool.fetch(_statement(row, actor.role), actor.id, ages, days)
        if not rows and not await self._pool.fetchval(f"SELECT {IS_COMPLETE}"):
            raise NotFilledYet
        counted = Counted(row.list.path, rows, today, zone, ages, days)
        return counted.for_client() if actor.role is Role.CLIENT else counted.for_staff()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


@cache
def _statement(row: DashboardRow, role: Role) -> str:
    """Counts what is open by status, priority, lateness and age; what was opened and what ended, by day.

    Each part is answered by an index of its own alone (`listed.py`): it has the columns that are asked for here.
    """
    priority, overdue = (counted_column(name) for name in row.counted)
    ended = sort_column("ended_at")
    # Staff have a form of every record; to ask for it, its document would have to be read.
    sees = (
        visible(role, row.rule(role), "$1")
        if role is Role.CLIENT
        else condition(role, row.rule(role), "$1", "v")
    )
    mine = f"{IS_COMPLETE} AND v.kind = '{row.message.kind()}' AND {sees}"
    first, last = (f"($3::timestamptz[])[{place}]" for place in (1, DAYS + 1))
    return f"""
        SELECT 'open' AS of, v.status, v.{priority} AS priority, v.{overdue} AS overdue,
            width_bucket(v.created_at, $2::timestamptz[]) AS bucket, count(*)::int AS count
        FROM view v WHERE {mine} AND v.open AND $1::uuid IS NOT NULL GROUP BY 1, 2, 3, 4, 5
        UNION ALL
        SELECT 'opened', NULL, NULL, NULL, width_bucket(v.created_at, $3::timestamptz[]), count(*)::int
        FROM view v WHERE {mine} AND v.created_at >= {first} AND v.created_at < {last} GROUP BY 5
        UNION ALL
        SELECT 'ended', NULL, NULL, NULL, width_bucket(v.{ended}, $3::timestamptz[]), count(*)::int
        FROM view v WHERE {mine} AND v.{ended} >= {first} AND v.{ended} < {last} GROUP BY 5"""


class Counted:
    """The counted rows as figures, each with its list."""

    def __init__(
        self,
        path: str,
        rows: Sequence[asyncpg.Record],
        today: date,
        zone: ZoneInfo,
        ages: Sequence[datetime],
        days: Sequence[datetime],
    ) -> None:
        self._path = path
        self._rows = rows
        self._today = today
        self._zone = zone
        self._ages = ages
        self._days = days

    def for_client(self) -> DashboardForClient:
        return DashboardForClient(**self._common())

    def for_staff(self) -> Dashboard:
        priorities, overdue = self._by("open", "priority"), self._by("open", "overdue")
        return Dashboard(
            **self._common(),
            priorities=[
                OfPriority(priority=one, **self._figure(priorities[one], [("priority", one), *IS_OPEN]))
                for one in get_args(Priority)
            ],
            overdue=Figure(**self._figure(overdue[True], [("overdue", "true")])),
        )

    def _common(self) -> dict[str, Any]:
        statuses, ages = self._by("open", "status"), self._by("open", "bucket")
        opened, ended = self._by("opened", "bucket"), self._by("ended", "bucket")
        return {
            "day": self._today,
            "zone": self._zone.key,
            "open": Figure(**self._figure(sum(statuses.values()), IS_OPEN)),
            "statuses": [
                OfStatus(status=one, **self._figure(statuses[one], [("status", one)])) for one in OPEN
            ],
            "ages": [self._age(place, ages) for place in range(len(BANDS))],
            "trend": [
                OfDay(
                    day=self._today - timedelta(days=DAYS - number),
                    opened=Figure(**self._figure(opened[number], self._during("created", number))),
                    ended=Figure(**self._figure(ended[number], self._during("ended", number))),
                )
                for number in range(1, DAYS + 1)
            ],
        }

    def _age(self, place: int, counted: Counter[Any]) -> OfAge:
        first, last = BANDS[place]
        # The newest band is the last bucket.
        bucket = len(BANDS) - 1 - place
        query = list(IS_OPEN)
        if bucket > 0:
            query.append(("created_from", _said(self._ages[bucket - 1])))
        if bucket < len(self._ages):
            query.append(("created_to", _said(self._ages[bucket])))
        return OfAge(from_days=first, to_days=last, **self._figure(counted[bucket], query))

    def _during(self, field: str, number: int) -> Query:
        since, until = self._days[number - 1], self._days[number]
        return [(f"{field}_from", _said(since)), (f"{field}_to", _said(until))]

    def _figure(self, count: int, query: Iterable[tuple[str, str]]) -> dict[str, Any]:
        return {"count": count, "list": f"{self._path}?{urlencode(list(query))}"}

    def _by(self, of: str, column: str) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for row in self._rows:
            if row["of"] == of:
                found[row[column]] += row["count"]
        return found


def _said(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
