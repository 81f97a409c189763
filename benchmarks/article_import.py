"""What an import costs: articles/s from the stored file to the last event, beside the same rows without any."""

import os
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from decimal import Decimal
from tempfile import TemporaryDirectory

from apart import Said, apart
from harness import Aim, Contender, Figures, Measured, interleaved
from news import MANAGER, count, empty, prepared, same
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sav_catalog.app import catalog
from sav_catalog.imports.applying import BATCH
from sav_catalog.model import Article, ArticleImport, StockLevel, stock_id
from sav_chassis.database import Database, opened
from sav_chassis.envelope import Context
from sav_chassis.files import Files
from sav_chassis.scheduled.effects import Effects
from sav_chassis.settings import Settings
from sav_chassis.tx import transaction
from sav_contracts.actor import Role
from sav_contracts.catalog.article_import import ArticleImportRequested
from sav_edge.tables import TABLE, Row, packed

ROOM = "catalog"
NUMBER = int(os.environ.get("SAV_BENCH_ARTICLES", 50_000))
BARE = "the same rows by the ORM, nothing told"
TABLES = (
    "article_import_line", "article_import_fault", "article_import", "stock_level", "article", "task", "event_chain",
    "outbox", "event_log",
)  # fmt: skip
HEAD = (
    "référence", "code-barres", "désignation", "marque", "modèle", "famille", "description", "énergie", "puissance (kW)",
    "prix HT", "TVA", "garantie pièces (mois)", "stock minimum", "pièces disponibles jusqu’au",
)  # fmt: skip
TOLD = (
    "Chaudière murale gaz à condensation, 24 kW, chauffage et eau chaude sanitaire par microaccumulation, pilotage par "
    "sonde extérieure, ventouse verticale ou horizontale."
)


async def measure(settings: Settings, rounds: int, number: int = NUMBER) -> Measured:
    """Articles/s of a file with new articles only, checked and imported; the relay is off."""
    settings = await prepared(settings, ROOM)
    with TemporaryDirectory() as folder:
        settings = settings.model_copy(update={"files_url": f"file://{folder}"})

        async def run(work: Callable[..., Said]) -> Figures:
            await empty(settings, ROOM, *TABLES)
            async with apart(work, settings, number=number) as part:
                figures: Figures = await part.says()
            same(await count(settings, ROOM, "article"), number, "articles")
            same(await count(settings, ROOM, "stock_level"), number, "stock levels")
            return figures

        async def ours() -> Figures:
            figures = await run(importing)
            told = "event_log WHERE kind IN ('article', 'stock_level')"
            same(await count(settings, ROOM, told), 2 * number, "events")
            return figures

        measured = await interleaved(
            "Importing a catalogue",
            [Contender("SAV", ours), Contender(BARE, lambda: run(inserting))],
            [
                Aim("articles/s", 1000),
                Aim("articles/s", 0.5, against=BARE),
                Aim("MB more than after a tenth", 20, "most"),
            ],
            rounds,
        )
    measured.notes.append(
        f"{number:,} new articles of {len(HEAD)} columns: every line is read and checked, then imported {BATCH} in a "
        f"transaction, with its stock level and two events, and the progress is told. The ORM's session inserts the "
        f"same two rows, {BATCH} articles in a transaction; SAV writes them with one statement for each table. The process and the database share the machine."
    )
    return measured


def lines(number: int) -> Iterator[Row]:
    yield Row(1, HEAD)
    for each in range(number):
        yield Row(
            each + 2,
            (
                f"LUM-{each:06}", "", f"Chaudière murale Lumea {each}", "Lumea", f"{each % 40} C", "chauffage", TOLD, "gaz",
                "24,0", f"{1000 + each % 2000},90", "normale", "36", str(each % 5), "31/12/2036",
            ),
        )  # fmt: skip


async def importing(settings: Settings, number: int) -> AsyncIterator[Figures]:
    """The import as catalog runs it."""
    catalog.load()
    file = await Files(settings.files_url).put(packed(lines(number)), TABLE, "tarif.csv")
    context = Context(actor_id=MANAGER, actor_role=Role.MANAGER, correlation_id=uuid7())
    async with opened(settings, ROOM) as rows:
        worker = Effects(catalog, rows, settings, lambda _: None).worker
        counts = dict.fromkeys(("checked", "imported", "added", "updated", "unchanged", "wrong"), 0)
        async with transaction(rows, settings, context, lambda _: None) as tx:
            asked = tx.add(
                ArticleImport(
                    id=tx.new_id(), status="queued", dry_run=False, file=file, by_id=MANAGER, lines=None, report=None, **counts
                )
            )  # fmt: skip
            tx.emit(asked, ArticleImportRequested())
            tx.later(catalog.effects["run_article_import"], asked.id)

        async def more() -> int:
            await worker.once()
            [[status, imported]] = await rows.pool.fetch("SELECT status, imported FROM article_import")
            return number if status == "done" else min(imported, number - 1)

        yield await timed(more, number)


async def inserting(settings: Settings, number: int) -> AsyncIterator[Figures]:
    """What somebody writes who tells nobody."""
    async with opened(settings, ROOM) as rows:
        done = 0

        async def more() -> int:
            nonlocal done
            following = range(done, min(done + BATCH, number))
            async with AsyncSession(rows.engine, expire_on_commit=False) as session, session.begin():
                session.add_all(record for each in following for record in records(rows, each))
            done = following.stop
            return done

        yield await timed(more, number)


def records(rows: Database, each: int) -> tuple[Article, StockLevel]:
    """The rows that the import makes of the numbered line."""
    now = rows.clock()
    article = Article(
        id=uuid7(), version=1, created_at=now, updated_at=now, reference=f"LUM-{each:06}", gtin=None,
        name=f"Chaudière murale Lumea {each}", brand="Lumea", model=f"{each % 40} C", family="heating", description=TOLD,
        fuel="gas", power_kw=Decimal(24), price=Decimal(1000 + each % 2000), currency="EUR", vat_class="standard",
        warranty_parts_months=36, warranty_labour_months=24, spare_parts_until=None, compatible_parts=[], image=None,
        minimum_stock=each % 5, in_stock=False, status="active",
    )  # fmt: skip
    level = StockLevel(
        id=stock_id(article.id), version=1, created_at=now, updated_at=now, article_id=article.id,
        reference=article.reference, level=0, minimum_stock=article.minimum_stock,
    )  # fmt: skip
    return article, level


async def timed(more: Callable[[], Awaitable[int]], number: int) -> Figures:
    """Calls `more` until all are done, which it counts."""
    began, done, early = time.perf_counter(), 0, 0
    while done < number:
        done = await more()
        if not early and done >= number / 10:
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early
    return {"articles/s": number / seconds, "MB more than after a tenth": grown / 1000}
