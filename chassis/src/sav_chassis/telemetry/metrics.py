"""This process's metrics in Prometheus' format. Figures from tables are those of the whole service."""

import time
from collections import Counter as Counts
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import asyncpg
from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic_core import from_json

from sav_chassis.database import Database, is_away
from sav_chassis.errors import NotYet

disable_created_metrics()  # type: ignore[no-untyped-call]

# Buckets in seconds: QUICK for answers to requests, LONG for events, which take minutes where they were parked or
# waited for a stopped service.
QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONG = (*QUICK, 30.0, 60.0, 300.0, 3600.0)

COMMANDS = Counter(
    "sav_commands", "Commands and queries answered here, by HTTP status", ["command", "status"]
)
COMMAND_SECONDS = Histogram(
    "sav_command_seconds", "From a command's arrival here to its answer", ["command"], buckets=QUICK
)
PUBLISHED = Counter("sav_events_published", "Events the broker has confirmed", ["event"])
EFFECT_SECONDS = Histogram(
    "sav_commit_to_effect_seconds",
    "From an event to the commit of a reaction to it",
    ["reaction"],
    buckets=LONG,
)
VIEW_SECONDS = Histogram(
    "sav_commit_to_view_seconds", "From an event to the commit of the views that show it", buckets=LONG
)
DUPLICATES = Counter("sav_duplicates", "Events that a reaction had done before", ["reaction"])
FAILURES = Counter(
    "sav_failures",
    "Tries that failed and will be made again, by `use` (reaction, timer, effect); "
    "`not_yet` waits for another service's news",
    ["use", "handler", "cause"],
)
REQUESTS = Counter("sav_http_requests", "HTTP requests answered", ["route", "status"])
REQUEST_SECONDS = Histogram(
    "sav_http_request_seconds", "From an HTTP request to its answer", ["route"], buckets=QUICK
)
NOT_AUDITED = Counter("sav_requests_not_audited", "HTTP requests that are in the log but not in the audit")
STREAMS = Gauge("sav_streams", "Callers who listen to changes")

# Counting for a scrape stops here. A larger table is trouble enough to be noticed, and counting stays cheap.
AT_MOST = 100_000
HELD = """
WITH tried AS (
    SELECT use, state, due, attempts - coalesce((leased_until > now())::int, 0) AS failures FROM task LIMIT $1)
SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT $1) AS unpublished) AS depth,
    (SELECT at FROM event_log WHERE position = (SELECT min(position) FROM outbox)) AS oldest,
    (SELECT json_object_agg(use || ' ' || state, count) FROM (
        SELECT use, CASE WHEN state = 'waiting' AND failures > 0 THEN 'failing' ELSE state END AS state, count(*)
        FROM tried GROUP BY 1, 2) AS by_state)::text AS tasks,
    (SELECT count(*) FROM tried WHERE use <> 'parked' AND state = 'waiting' AND due <= now()) AS due"""
USES = ("parked", "timer", "effect")
STATES = ("waiting", "failing", "dead")


def answered(command: str, status: int, seconds: float) -> None:
    """A command or query was answered."""
    COMMANDS.labels(command, status).inc()
    COMMAND_SECONDS.labels(command).observe(seconds)


def requested(route: str, status: int, seconds: float) -> None:
    """An HTTP request was answered. `route` is the surface's route, not the caller's path."""
    answered, took = _of(route, status)
    answered.inc()
    took.observe(seconds)


@cache
def _of(route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(route, status), REQUEST_SECONDS.labels(route)


def since(at: datetime) -> float:
    """Seconds since a time on another machine's clock; never negative."""
    return max(0.0, time.time() - at.timestamp())


@contextmanager
def failures(use: str, handler: str) -> Iterator[None]:
    """Counts failures in the block. An unreachable database does not count as a try."""
    try:
        yield
    except Exception as error:
        if not is_away(error):
            failed(use, handler, error)
        raise


def failed(use: str, handler: str, error: Exception) -> None:
    FAILURES.labels(use, handler, "not_yet" if isinstance(error, NotYet) else "error").inc()


class Held(NamedTuple):
    """The length of a service's outbox, its oldest event, its tasks by use and state, and the number of due tasks.

    A task is `waiting`, `failing` (waits after a failure) or `dead`. Parked events are never counted as due.
    """

    depth: int
    oldest: datetime | None
    tasks: Counts[str]
    due: int


async def look(database: "asyncpg.Connection[Any] | asyncpg.Pool[Any]", at_most: int | None = None) -> Held:
    """Counts in one statement; each count stops at `at_most`."""
    row = await database.fetchrow(HELD, at_most)
    assert row is not None
    return Held(row["depth"], row["oldest"], Counts(from_json(row["tasks"] or "{}")), row["due"])


async def table_figures(database: Database, leads: bool) -> list[Metric]:
    """The figures of a service's tables, and whether this replica is the relay's leader."""
    held = await look(database.pool, AT_MOST)
    waiting = GaugeMetricFamily(
        "sav_tasks",
        "Parked events, timers and effects that wait, are failing or dead",
        labels=["use", "state"],
    )
    for use in USES:
        for state in STATES:
            waiting.add_metric([use, state], held.tasks[f"{use} {state}"])
    oldest = since(held.oldest) if held.oldest else 0
    return [
        GaugeMetricFamily("sav_outbox_depth", f"Events to be published, at most {AT_MOST}", held.depth),
        GaugeMetricFamily("sav_outbox_age_seconds", "Age of the oldest event to be published", oldest),
        GaugeMetricFamily("sav_relay_leader", "Whether this replica publishes for its room", float(leads)),
        waiting,
    ]


class Families(Collector):
    """Figures that were looked up for one scrape."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def exposition(families: Iterable[Metric]) -> bytes:
    """This process's metrics together with these figures, in Prometheus' text format."""
    return generate_latest() + generate_latest(Families(families))
