"""Whatever a list declares is read through an index: each filter, sort, search and interval, and each pair of them."""

import re
from collections.abc import AsyncIterator, Iterator
from enum import Enum
from itertools import combinations, product
from typing import Any, Literal, get_args, get_origin
from uuid import UUID, uuid4

import asyncpg
import pytest
import world
from given_lists import LISTS
from given_views import LATER, NOW, USUAL, a, show, wipe
from pydantic_core import from_json

from sav_chassis.settings import Settings
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.messages import View
from sav_contracts.slot import Slot
from sav_contracts.surface import ListRow
from sav_contracts.visibility import Limited
from sav_edge import declared
from sav_edge.corrections import corrections
from sav_edge.folding import words
from sav_edge.list_query import parse
from sav_edge.listed import LISTED
from sav_edge.read_model import FEW, ReadModel

MANY = 20_000
MOST = 5000
COPIES = """
INSERT INTO view ({columns}) SELECT {values} FROM view, generate_series(1, $1) n WHERE kind = $2"""


@pytest.fixture(scope="module")
async def large(apart: Settings, pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Pool]:
    """A read model with many records of every listed kind, which differ in their values."""
    await wipe(pool)
    for view in LISTED:
        await show(pool, [a(view, **values) for values in alternatives(view)])
        columns = dict.fromkeys(row[0] for row in await pool.fetch(declared.COLUMNS))
        values = (
            columns
            | {name: name for name in columns}
            | {
                "id": "gen_random_uuid()",
                "client_id": "gen_random_uuid()",
                "created_at": "created_at + n * interval '1 minute'",
                "updated_at": "updated_at + n * interval '1 minute'",
                "during": "CASE WHEN during IS NOT NULL THEN tstzrange(lower(during) + n * interval '1 hour', upper(during) + n * interval '1 hour') END",
            }
        )
        copy = COPIES.format(columns=", ".join(columns), values=", ".join(map(str, values.values())))
        kind = view.kind()
        number = await pool.fetchval("SELECT count(*) FROM view WHERE kind = $1", kind)
        await pool.execute(copy, MANY // number, kind)
    await pool.execute("VACUUM ANALYZE view")
    yield pool
    await wipe(pool)


def alternatives(view: type[View]) -> Iterator[dict[str, Any]]:
    """The values of some records, of which one has what `example` asks for."""
    listed = LISTED[view]
    for n in range(20):
        texts = {name: f"{value} {n}" for name, value in USUAL[view].items() if isinstance(value, str)}
        values: dict[str, Any] = {name: texts[name] for name in listed.search if name in texts}
        for name in listed.filters:
            if choices := choices_of(view, name):
                chosen = choices[-1 if n == 0 else 0]
                of_list = get_origin(view.model_fields[name].annotation) is list
                values[name] = [chosen] if of_list else chosen
        if "compatible_parts" in view.model_fields:
            values["compatible_parts"] = [uuid4() for _ in range(3)]
        if "slot" in view.model_fields:
            values["slot"] = Slot(start=NOW, end=LATER)
        yield values | ({"client_id": uuid4()} if "client_id" in view.model_fields else {})


def choices_of(view: type[View], name: str) -> list[Any]:
    """The values that a field may have, where they are few."""
    annotation = view.model_fields[name].annotation
    if annotation is bool:
        return [False, True]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return list(annotation)
    return [
        choice
        for part in (annotation, *get_args(annotation))
        if get_origin(part) is Literal
        for choice in get_args(part)
    ]


def queries(row: ListRow) -> Iterator[dict[str, list[str]]]:
    """Every filter, the search and the interval by each sort, and each pair of them."""
    listed = LISTED[row.message]
    asked = [
        *({name: [example(row.message, name)]} for name in listed.filters),
        *([{"q": ["rec boiler"]}] if row.search else []),
        # An interval without an end is that of most records.
        *([{"from": ["2026-03-03T09:00:00Z"], "to": ["2026-03-03T10:00:00Z"]}] if row.has_interval else []),
        {"created_from": ["2026-03-03T09:00:00Z"], "created_to": ["2026-03-03T10:00:00Z"]},
        *({name: ["2026-03-03T09:00:00Z"]} for name in row.bounds() if name.endswith("_to")),
    ]
    for sort in row.sorts:
        yield {"sort": [f"-{sort}"]}
        yield from ({"sort": [sort]} | one for one in asked)
    yield from (first | second for first, second in combinations(asked, 2))


def example(view: type[View], name: str) -> str:
    if name.endswith("_id") or view.filter_type(name) is UUID:
        return str(uuid4())
    if choices := choices_of(view, name):
        return str(choices[-1]).lower()
    return {"gtin": "12345670", "email": "lea@example.com"}.get(name, "x")


@pytest.mark.parametrize(
    "row", [row for row in LISTS.values() if row.message in LISTED], ids=lambda row: row.route
)
async def test_everything_that_is_declared_is_read_through_an_index(
    large: asyncpg.Pool, row: ListRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fewer than there are.
    monkeypatch.setattr("sav_edge.read_model.MANY", MOST)
    plans: list[tuple[str, Any]] = []

    class Explaining:
        """Plans every statement of a page in place of running it; every way but the last finds too little."""

        def __init__(self, expected: int) -> None:
            self.expected = expected

        async def fetchval(self, statement: str, *_: Any) -> str:
            assert statement.startswith("EXPLAIN")
            return f"rows={self.expected}"

        async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
            plan = await large.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)
            plans.append((statement, from_json(plan)[0]["Plan"]))
            # Of others that are found first, one.
            return [[uuid4()]] if "SELECT o.id FROM view o" in statement[:40] else []

    # And whoever is shown all but some.
    limited = [who for who in (world.lea, world.marie) if isinstance(row.rule(who.role), Limited)]
    readers = [world.alex, *limited]
    # Few matches, some, and many.
    for query, who, expected in product(queries(row), readers, (1, FEW + 1, MOST + 1)):
        plans.clear()
        listing = parse(row, query, who)
        await ReadModel(Explaining(expected))._listed(row, {}, listing, who)  # type: ignore[arg-type]
        assert plans
        for statement, plan in plans:
            for wrong in scans(plan):
                pytest.fail(f"{row.route} {query} for a {who.role}: {wrong}\n{statement}")


async def test_whether_a_word_occurs_is_read_through_the_index_by_a_plan_for_all_words(
    pool: asyncpg.Pool,
) -> None:
    asked: list[str] = []

    class Listening:
        async def fetchval(self, statement: str, *_: Any) -> bool:
            asked.append(statement)
            return True

    found = {ReclamationView: ReclamationView.visible.to(world.alex.role)}
    await corrections(Listening(), found, [*words("evier")], world.alex)  # type: ignore[arg-type]
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await connection.execute("SET LOCAL enable_seqscan = off")
        await connection.execute(f"PREPARE occurs (uuid, text) AS {asked[0]}")
        plan = await connection.fetch(f"EXPLAIN EXECUTE occurs ('{uuid4()}', 'evier')")
        await connection.execute("DEALLOCATE occurs")
    assert any("Index Cond" in line[0] and "word >= $2" in line[0] for line in plan), plan


def scans(plan: dict[str, Any], bounded: bool = False) -> Iterator[str]:
    """The parts of a plan that go through all records: no index condition, and no limit that ends it."""
    kind, relation = plan["Node Type"], plan.get("Relation Name")
    bounded = bounded or kind == "Limit"
    if kind == "Seq Scan" and relation == "view":
        yield "goes through the table"
    # The kind alone is no condition: the tables of all services' copies have an index that begins with it.
    condition = re.sub(r"\(\w*\.?kind = '(?!read_model)\w+'::text\)", "", plan.get("Index Cond", "")).strip(
        "() "
    )
    if kind in ("Index Scan", "Index Only Scan", "Bitmap Index Scan") and not condition and not bounded:
        yield f"goes through {plan['Index Name']}"
    # A sort reads everything beneath it, whatever limit is above it.
    beneath = bounded and kind not in ("Sort", "Incremental Sort", "Hash", "Materialize", "Aggregate")
    for part in plan.get("Plans", []):
        yield from scans(part, beneath)


def test_a_sort_beneath_a_limit_is_a_scan() -> None:
    scan = {"Node Type": "Index Scan", "Relation Name": "view", "Index Name": "some"}
    assert not [*scans({"Node Type": "Limit", "Plans": [scan]})]
    assert [*scans({"Node Type": "Limit", "Plans": [{"Node Type": "Sort", "Plans": [scan]}]})]
    assert [*scans({"Node Type": "Limit", "Plans": [{"Node Type": "Seq Scan", "Relation Name": "view"}]})]
