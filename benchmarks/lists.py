"""Pages of a list of very many réclamations: filtered, sorted, the first and the hundredth, beside OFFSET by an ORM."""

import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from harness import Aim, Contender, Figures, Measured, interleaved, percentile
from many import MANAGER, PRIORITIES, SEED, TYPES, many
from pydantic_core import from_json
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from sav_chassis.settings import Settings
from sav_contracts.surface import SURFACE, ListRow
from sav_edge.read_model import ReadModel

FEW, MANY = 10_000, 1_000_000
PAGE, HUNDREDTH = 50, 99
ASKED = 40
SORTS = ("-created_at", "created_at", "-updated_at", "reference", "-reference")
OFFSET = "OFFSET by SQLAlchemy, 1,000,000"
FIRST, HUNDRED, NONE = "first page, p50 ms", "hundredth page, p50 ms", "few or none, p50 ms"
AIMS = (
    Aim(FIRST, 10, "most"),
    Aim(FIRST, 1.5, "most", against="SAV, 10,000 réclamations"),
    Aim(HUNDRED, 0.1, "most", against=OFFSET),
    Aim(NONE, 30, "most"),
)
[ROW] = [row for row in SURFACE if isinstance(row, ListRow) and row.path == "/reclamations"]
Query = dict[str, list[str]]


class Base(DeclarativeBase):
    pass


class Plain(Base):
    __tablename__ = "plain"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[str]
    priority: Mapped[str]
    problem_type: Mapped[str]
    reference: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    doc: Mapped[str]


def often(chance: random.Random) -> Query:
    """Three filters that a hundredth of all or more match, and a sort."""
    return {
        "status": ["closed"],
        "problem_type": [chance.choice(["no_heating", "leak", "no_hot_water", "noise"])],
        "priority": ["normal"],
        "sort": [chance.choice(SORTS)],
    }


def rarely(chance: random.Random) -> Query:
    """Three filters that few match, or none."""
    kind, priority = chance.choice([("breakage", "low"), ("noise", "critical"), ("electrical", "critical")])
    return {
        "status": [
            chance.choice(["merged", "rejected", "closed" if kind != "electrical" else "in_progress"])
        ],
        "problem_type": [kind],
        "priority": [priority],
        "sort": [chance.choice(SORTS)],
    }


async def measure(settings: Settings, rounds: int) -> Measured:
    """Milliseconds for a page, as the read model answers it."""
    async with many(settings, FEW) as few, many(settings, MANY) as very_many:
        measured = await interleaved(
            "Lists: three filters and a sort",
            [
                Contender("SAV, 1,000,000 réclamations", partial(ours, very_many)),
                Contender("SAV, 10,000 réclamations", partial(ours, few)),
                Contender(OFFSET, partial(by_offset, settings)),
            ],
            AIMS,
            rounds,
        )
    measured.notes.append(
        f"{ASKED} queries each, by a manager, over {', '.join(SORTS)}; a page has {PAGE} records. `{'`, `'.join(TYPES)}` and "
        f"`{'`, `'.join(PRIORITIES)}` are as frequent as in life and depend on each other. The ORM reads a table of its own "
        "with an index for each filter and each sort."
    )
    return measured


async def ours(pool: asyncpg.Pool) -> Figures:
    read = ReadModel(pool)

    async def first(query: Query) -> str:
        return await read.page(ROW, {}, query | {"limit": [str(PAGE)]}, MANAGER)

    async def mark(query: Query) -> Query:
        """The query of the hundredth page: the last of 200 records a page, which end where that one begins."""
        for _ in range(HUNDREDTH * PAGE // 200):
            told = from_json(await read.page(ROW, {}, query | {"limit": ["200"]}, MANAGER))
            if told["next"] is None:
                return query
            query = query | {"after": [told["next"]]}
        return query

    return await figures(first, mark)


async def by_offset(settings: Settings) -> Figures:
    url = settings.model_copy(update={"database_prefix": f"many_{MANY}"}).database("edge")
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))

    async def first(query: Query) -> list[Plain]:
        sort = query["sort"][0]
        column = getattr(Plain, sort.removeprefix("-"))
        order = [column.desc(), Plain.id.desc()] if sort.startswith("-") else [column, Plain.id]
        chosen = [getattr(Plain, name) == query[name][0] for name in ("status", "problem_type", "priority")]
        statement = (
            select(Plain)
            .where(*chosen)
            .order_by(*order)
            .limit(PAGE)
            .offset(int(query.get("offset", ["0"])[0]))
        )
        async with AsyncSession(engine) as session:
            return list(await session.scalars(statement))

    async def mark(query: Query) -> Query:
        return query | {"offset": [str(HUNDREDTH * PAGE)]}

    try:
        return await figures(first, mark)
    finally:
        await engine.dispose()


async def figures(
    first: Callable[[Query], Awaitable[Any]], mark: Callable[[Query], Awaitable[Query]]
) -> Figures:
    chance = random.Random(SEED)
    frequent = [often(chance) for _ in range(ASKED)]
    marked = [await mark(query) for query in frequent[: ASKED // 4]]
    return {
        FIRST: await p50(first, frequent),
        HUNDRED: await p50(first, marked),
        NONE: await p50(first, [rarely(chance) for _ in range(ASKED // 2)]),
    }


async def p50(ask: Callable[[Query], Awaitable[Any]], queries: list[Query]) -> float:
    return percentile([await milliseconds(ask, query) for query in queries], 0.5)


async def milliseconds(ask: Callable[[Any], Awaitable[Any]], query: Any) -> float:
    began = time.perf_counter()
    await ask(query)
    return (time.perf_counter() - began) * 1000
