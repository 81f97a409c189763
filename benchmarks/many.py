"""A read model with very many réclamations, and the same rows in a plain table, as one writes it first."""

import itertools
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from rich.progress import track

from sav_chassis.migrate import migrate
from sav_chassis.settings import Settings
from sav_chassis.views import arrays, upserting
from sav_contracts.actor import Actor, Role
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.reclamation import ReclamationView, Safety
from sav_contracts.messages import View
from sav_edge import declared
from sav_edge.completeness import mark_complete
from sav_edge.listed import COLUMNS, INDEXES, row_of

SEED = 20260302
MANAGER = Actor(id=UUID(int=1), role=Role.MANAGER)
BEGAN = datetime(2016, 1, 1, tzinfo=UTC)
BATCH = 5_000
# The newest réclamations are the open ones.
OPEN = {"submitted": 3, "qualified": 3, "assigned": 4, "in_progress": 1}
OVER = {"closed": 90, "cancelled": 5, "rejected": 3, "merged": 2}
TYPES = {
    "no_heating": 30,
    "leak": 20,
    "no_hot_water": 15,
    "noise": 10,
    "other": 10,
    "breakage": 1,
    "electrical": 5,
}
PRIORITIES = {"low": 10, "normal": 70, "high": 15, "critical": 5}
# Written in the first réclamations only.
OLD_WORD = "salamandre"
PLAIN = """
CREATE TABLE plain AS SELECT id, status, doc ->> 'priority' AS priority, doc ->> 'problem_type' AS problem_type,
    doc ->> 'reference' AS reference, doc ->> 'article' AS article, doc ->> 'description' AS description,
    created_at, updated_at, doc FROM view WHERE kind = 'reclamation';
ALTER TABLE plain ADD PRIMARY KEY (id);
CREATE INDEX ON plain (status); CREATE INDEX ON plain (priority); CREATE INDEX ON plain (problem_type);
CREATE INDEX ON plain (created_at, id); CREATE INDEX ON plain (updated_at, id); CREATE INDEX ON plain (reference, id)"""


class Vocabulary(NamedTuple):
    """Words by how often people use them: few very often, most of them rarely."""

    words: list[str]
    weights: list[float]

    @classmethod
    def made(cls, chance: random.Random, number: int = 30_000) -> "Vocabulary":
        syllables = [c + v for c in "bcdfglmnprstv" for v in ("a", "e", "i", "o", "u", "é", "ou")]
        words = ["".join(chance.choices(syllables, k=chance.randint(2, 5))) for _ in range(number)]
        return cls(words, list(itertools.accumulate(1 / (place + 10) for place in range(number))))

    def text(self, chance: random.Random, words: int) -> str:
        return " ".join(chance.choices(self.words, cum_weights=self.weights, k=words))


def records(number: int, vocabulary: Vocabulary) -> Iterator[View]:
    chance = random.Random(SEED + number)
    clients = [UUID(int=chance.getrandbits(128)) for _ in range(max(1, number // 5))]
    # Each has a unit.
    units: dict[UUID, tuple[UUID, Place]] = {}
    technicians = [UUID(int=chance.getrandbits(128)) for _ in range(300)]
    for id in clients:
        name = vocabulary.text(chance, 2).title()
        stamp: dict[str, Any] = {"id": id, "version": 1, "created_at": BEGAN, "updated_at": BEGAN}
        yield ClientView(**stamp, client_id=id, name=name, email=f"{id}@example.com", locale="fr")
        place = Place(
            address=f"{chance.randint(1, 200)} rue {vocabulary.text(chance, 2)}",
            postcode=f"{chance.randint(1000, 95999):05}",
            city=vocabulary.text(chance, 1),
        )
        unit = stamp | {"id": UUID(int=chance.getrandbits(128))}
        units[id] = unit["id"], place
        yield ProductView(
            **unit,
            client_id=id,
            article_id=UUID(int=chance.getrandbits(128)),
            article=vocabulary.text(chance, 3),
            family="heating",
            serial=f"LUM24-{len(units):07}",
            place=place,
            purchase_date=BEGAN.date(),
            delivery_date=BEGAN.date(),
            commissioning_date=None,
            proof=None,
            proof_state="none",
            proof_reason=None,
            covers=[],
        )
    for turn in range(number):
        client = chance.choice(clients)
        unit_id, place = units[client]
        at = BEGAN + timedelta(days=3650 * turn / number)
        status: Any = _one(chance, OPEN if turn > number * 0.996 else OVER)
        kind: Any = _one(chance, TYPES)
        # Correlated, as in life: what is broken is always critical, and noise never critical.
        priority: Any = "critical" if kind == "breakage" else _one(chance, PRIORITIES)
        old = f" {OLD_WORD}" if turn < number * 0.01 else ""
        yield ReclamationView(
            id=UUID(int=chance.getrandbits(128)),
            version=6,
            created_at=at,
            updated_at=at + timedelta(days=chance.random() * 20),
            reference=f"REC-{at.year}-{turn:06}",
            client_id=client,
            technician_id=chance.choice(technicians),
            article=vocabulary.text(chance, 3),
            problem_type=kind,
            description=vocabulary.text(chance, 20) + old,
            safety=Safety(),
            status=status,
            coverage="unknown",
            priority="high" if kind == "noise" and priority == "critical" else priority,
            priority_reason=f"problem type {kind}",
            product_id=unit_id,
            place=place,
        )


def _one(chance: random.Random, of: dict[str, int]) -> str:
    [chosen] = chance.choices(list(of), list(of.values()))
    return chosen


@asynccontextmanager
async def many(settings: Settings, number: int) -> AsyncIterator[asyncpg.Pool]:
    """The read model; it is filled once for all measures of a run."""
    mine = settings.model_copy(update={"database_prefix": f"many_{number}"})
    await migrate(mine, "edge")
    async with asyncpg.create_pool(mine.database("edge"), min_size=1, max_size=2) as pool:
        if not await pool.fetchval("SELECT to_regclass('plain')"):
            await _fill(mine, pool, number)
        yield pool


async def _fill(settings: Settings, pool: asyncpg.Pool, number: int) -> None:
    # As a rebuild does it: rows first, indexes afterwards.
    await pool.execute(f"DROP INDEX {', '.join(INDEXES)}")
    statement = upserting(COLUMNS)
    rows = map(row_of, records(number, Vocabulary.made(random.Random(SEED))))
    total = (number + 2 * number // 5) // BATCH + 1
    for _ in track(range(total), f"{number:,} réclamations"):
        batch = arrays(itertools.islice(rows, BATCH), len(COLUMNS))
        if batch[0]:
            await pool.execute(statement, *batch, timeout=120)
    await declared.settle(settings)
    async with pool.acquire() as connection:
        await declared.replace_words(connection, "public")  # type: ignore[arg-type]
    await pool.execute(PLAIN, timeout=600)
    await mark_complete(pool)
    await pool.execute("VACUUM ANALYZE", timeout=600)
