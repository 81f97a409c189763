"""The dashboard of réclamations counts what its lists show, for each role; through indexes alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from urllib.parse import parse_qs
from uuid import UUID

import asyncpg
import pytest
import world
from given_lists import LISTS
from given_views import a, show, wipe
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from in_loop import run
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from sav_chassis.errors import Unavailable
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import SlaTargets
from sav_contracts.claims.dashboard import DAYS, OPEN, Dashboard, DashboardForClient, Figure
from sav_contracts.claims.reclamation import Priority, ReclamationStatus, ReclamationView
from sav_contracts.surface import SURFACE, DashboardRow
from sav_edge.dashboards import Dashboards, _statement
from sav_edge.read_model import ReadModel

[ROW] = [row for row in SURFACE if isinstance(row, DashboardRow)]
# In the evening here it is the next day in Paris, and the clocks have gone forward within the thirty days before.
NOW = datetime(2026, 4, 4, 22, 30, tzinfo=UTC)
READERS = (world.lea, world.paul, world.karim, world.marie, world.alex)


def dashboards(pool: asyncpg.Pool) -> Dashboards:
    return Dashboards(pool, SlaTargets, lambda: NOW)


def figures(part: Any) -> Iterator[Figure]:
    """Every figure of a dashboard."""
    if isinstance(part, Figure):
        yield part
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from figures(getattr(part, name))
    elif isinstance(part, list):
        for one in part:
            yield from figures(one)


async def shown(read: ReadModel, figure: Figure, who: Actor) -> int:
    """How many records its list has."""
    path, _, query = figure.list.partition("?")
    page = from_json(await read.page(LISTS[path], {}, parse_qs(query) | {"limit": ["200"]}, who))
    assert page["next"] is None
    return len(page["items"])


# Days around the edges of the bands, and moments around midnight in Paris.
MOMENTS = st.builds(
    lambda days, minutes: NOW - timedelta(days=days, minutes=minutes),
    st.sampled_from([0, 1, 2, 3, 5, 6, 7, 8, 28, 29, 30, 31, 90]),
    st.sampled_from([0, 29, 30, 31, 600, 1409, 1410, 1439]),
)
RECORDS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(get_args(ReclamationStatus)),
        "priority": st.sampled_from(get_args(Priority)),
        "client_id": st.sampled_from([world.lea.id, world.paul.id]),
        "technician_id": st.sampled_from([None, world.karim.id, world.sofia.id]),
        "overdue": st.booleans(),
        "opened": MOMENTS,
        "ended": MOMENTS,
    }
)


def recorded(number: int, given: dict[str, Any]) -> ReclamationView:
    fields = dict(given)
    opened, ended = fields.pop("opened"), fields.pop("ended")
    # Nothing that is over is late.
    fields["overdue"] = fields.get("overdue", False) and fields["status"] in OPEN
    return a(
        ReclamationView,
        UUID(int=1000 + number),
        at=opened,
        ended_at=None if fields["status"] in OPEN else ended,
        **fields,
    )


async def test_every_figure_is_the_number_of_records_in_its_list(read: ReadModel, pool: asyncpg.Pool) -> None:
    @given(st.lists(RECORDS, max_size=12))
    @settings(
        max_examples=6,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    async def check(records: list[dict[str, Any]]) -> None:
        await wipe(pool)
        await show(pool, [recorded(number, one) for number, one in enumerate(records)])
        for who in READERS:
            told = await dashboards(pool).of(ROW, who)
            assert isinstance(told, DashboardForClient if who in READERS[:2] else Dashboard)
            for figure in figures(told):
                assert figure.count == await shown(read, figure, who), (who.role, figure)
            assert sum(one.count for one in told.statuses) == told.open.count
            assert sum(one.count for one in told.ages) == told.open.count

    await run(check)


async def test_known_figures(read: ReadModel, pool: asyncpg.Pool) -> None:
    mine = {"client_id": world.lea.id, "technician_id": world.karim.id, "overdue": False}
    usual = mine | {"status": "assigned", "priority": "high", "ended": NOW, "opened": NOW}
    await show(
        pool,
        [
            recorded(1, usual),
            recorded(2, usual | {"priority": "low", "overdue": True, "opened": NOW - timedelta(days=2)}),
            recorded(3, usual | {"status": "closed", "opened": NOW - timedelta(days=40)}),
            recorded(4, usual | {"client_id": world.paul.id, "technician_id": None, "status": "submitted"}),
        ],
    )
    told = await dashboards(pool).of(ROW, world.marie)
    assert isinstance(told, Dashboard)
    # Paris is two hours ahead.
    assert (str(told.day), told.zone, len(told.trend)) == ("2026-04-05", "Europe/Paris", DAYS)
    assert {one.status: one.count for one in told.statuses if one.count} == {"assigned": 2, "submitted": 1}
    assert {one.priority: one.count for one in told.priorities} == {
        **{"critical": 0, "high": 2, "normal": 0, "low": 1}
    }
    assert [(one.from_days, one.to_days, one.count) for one in told.ages] == [
        *((0, 0, 2), (1, 2, 1), (3, 6, 0), (7, 29, 0), (30, None, 0))
    ]
    assert told.overdue.count == 1
    assert (told.trend[-1].opened.count, told.trend[-1].ended.count) == (2, 1)
    assert told.trend[-3].opened.count == 1
    assert (await dashboards(pool).of(ROW, world.lea)).open.count == 2
    assert (await dashboards(pool).of(ROW, world.karim)).open.count == 2
    assert (await dashboards(pool).of(ROW, world.sofia)).open.count == 0


async def test_a_client_is_shown_no_priority_and_no_deadline() -> None:
    assert not {"priorities", "overdue"} & DashboardForClient.model_fields.keys()


async def test_nothing_is_counted_where_the_read_model_was_wiped(read: ReadModel, pool: asyncpg.Pool) -> None:
    await pool.execute("DELETE FROM view")
    with pytest.raises(Unavailable):
        await dashboards(pool).of(ROW, world.marie)
    await wipe(pool)


@pytest.mark.parametrize("who", [world.lea, world.karim, world.marie], ids=lambda who: who.role)
async def test_it_reads_indexes_and_no_table(read: ReadModel, pool: asyncpg.Pool, who: Actor) -> None:
    await show(
        pool, [recorded(1, {"status": "closed", "client_id": world.paul.id, "opened": NOW, "ended": NOW})]
    )
    columns = "kind, version, client_id, technician_id, status, open, created_at, updated_at, doc, doc_client"
    columns += ", found, by_ended_at, of_priority, of_overdue"
    others = columns.replace("client_id", "gen_random_uuid()", 1).replace(
        "created_at", "created_at - n * interval '1 hour'", 1
    )
    await pool.execute(
        f"""INSERT INTO view (id, {columns}) SELECT gen_random_uuid(), {others.replace("by_ended_at", "by_ended_at - n * interval '1 hour'")}
        FROM view, generate_series(1, 20000) n WHERE kind = 'reclamation'"""
    )
    await pool.execute(
        "UPDATE view SET open = true, status = 'assigned' WHERE random() < 0.03 AND kind = 'reclamation'"
    )
    await pool.execute("VACUUM ANALYZE view")
    plan = from_json(
        await pool.fetchval(
            f"EXPLAIN (FORMAT JSON) {_statement(ROW, who.role)}",
            who.id,
            [NOW - timedelta(days=days) for days in (30, 6, 2, 0)],
            [NOW - timedelta(days=DAYS - day) for day in range(DAYS + 1)],
        )
    )
    nodes = [*_nodes(plan[0]["Plan"])]
    scanned = {node["Node Type"] for node in nodes if node.get("Relation Name") == "view"}
    assert "Seq Scan" not in scanned
    if who is world.marie:
        only = [node["Index Name"] for node in nodes if node["Node Type"] == "Index Only Scan"]
        for name in ("open", "opened", "ended"):
            assert any(one.startswith(f"list_reclamation_count_{name}_") for one in only), (
                f"{name}: {to_json(plan).decode()}"
            )
    await wipe(pool)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)
