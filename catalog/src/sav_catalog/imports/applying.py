"""The import of checked lines: some hundred in one transaction, which takes them from those that wait."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from pydantic_core import from_json
from sqlalchemy import select

from sav_catalog.commands.article import change, new_article, tell_new
from sav_catalog.imports.checking import keep_faults, known, may, unknown_parts
from sav_catalog.imports.lines import (
    PARTS,
    CheckedLine,
    Fault,
    Said,
    differences,
    faults_of_change,
)
from sav_catalog.model import Article, ArticleImport, StockLevel
from sav_chassis.database import driver
from sav_chassis.tx import Tx
from sav_contracts.catalog.article import AddArticle, ArticleStatus

# Lines of one transaction: as long as it takes, others who change these articles wait.
BATCH = 400
# Nobody else touches these rows: the import is locked.
TAKE = """
DELETE FROM article_import_line WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM article_import_line WHERE import_id = $1 ORDER BY step, line LIMIT $2))
RETURNING line, reference, step, fields, parts"""
# Of a line whose article is there, but not all of its parts yet.
PARTS_LATER = """
INSERT INTO article_import_line (import_id, line, reference, step, verdict, fields, parts)
VALUES ($1, $2, $3, 2, 'change', '{}', $4)"""
STILL_WAIT = "SELECT reference FROM article_import_line WHERE import_id = $1 AND reference = ANY($2)"


class Waiting(NamedTuple):
    """A line as it was kept. In step 2 all but its parts is done."""

    line: int
    reference: str
    step: int
    values: Mapping[str, Any]
    parts: list[str] | None
    parts_json: str | None

    @property
    def said(self) -> Said:
        """For what is wrong with it after all."""
        cells = {name: str(value) for name, value in self.values.items()}
        return Said(self.line, self.reference, self.values, cells, {})


async def import_lines(tx: Tx, importing: ArticleImport) -> bool:
    """Imports the next lines; False where none waits."""
    rows = await driver(tx.session).fetch(TAKE, importing.id, BATCH)
    lines = sorted(map(_waiting, rows), key=lambda line: line.line)
    articles = await known(tx, [line.reference for line in lines])
    ids = await _ids(tx, lines, articles)
    later = await _still_wait(tx, importing.id, lines, ids)
    await _lock(tx, [a for a, line in _of(lines, articles) if _changes(a, line, ids)])
    levels = await _levels(tx, [a for a, line in _of(lines, articles) if _changes_minimum(a, line)])
    faults: list[Fault] = []
    for line in lines:
        article = articles.get(line.reference)
        changes = _changes(article, line, ids) if article else {}
        missing = [part for part in line.parts or () if part not in ids]
        wrong: list[Fault] = []  # a new article was checked as such
        if unknown := [part for part in missing if part not in later]:
            wrong = [unknown_parts(line.line, ", ".join(unknown))]
        elif article and changes:
            wrong = faults_of_change(line.said, article, changes, may(importing))
        if wrong:
            faults += wrong
            importing.wrong += 1
        elif article is None:
            _add(tx, line, ids)
        elif changes:
            change(tx, article, levels.get(article.id), changes)
        if missing and not wrong:
            said = line.line, line.reference, line.parts_json
            await driver(tx.session).execute(PARTS_LATER, importing.id, *said)
        if line.step < 2:
            importing.imported += 1
            importing.added += article is None and not wrong
            importing.updated += bool(article and (changes or missing) and not wrong)
            importing.unchanged += bool(article and not (changes or missing or wrong))
    await keep_faults(tx, importing.id, faults)
    return bool(lines)


def _waiting(row: asyncpg.Record) -> Waiting:
    checked = CheckedLine.model_validate_json(row["fields"])
    values = {name: getattr(checked, name) for name in checked.model_fields_set}
    parts = from_json(row["parts"]) if row["parts"] else None
    return Waiting(row["line"], row["reference"], row["step"], values, parts, row["parts"])


def _of(lines: Collection[Waiting], articles: Mapping[str, Article]) -> list[tuple[Article, Waiting]]:
    return [(articles[line.reference], line) for line in lines if line.reference in articles]


async def _ids(tx: Tx, lines: Collection[Waiting], articles: Mapping[str, Article]) -> dict[str, UUID]:
    """The ids of the articles that these lines are about or name, by reference; new ones get theirs here."""
    parts = {part for line in lines for part in line.parts or ()}
    found = await tx.session.execute(
        select(Article.reference, Article.id).where(Article.reference.in_(parts))
    )
    ids = {row.reference: row.id for row in found}
    for line in lines:
        article = articles.get(line.reference)
        ids[line.reference] = article.id if article else tx.new_id()
    return ids


async def _still_wait(tx: Tx, id: UUID, lines: Collection[Waiting], ids: Collection[str]) -> frozenset[str]:
    """The parts whose own lines come later."""
    wanted = {part for line in lines for part in line.parts or () if part not in ids}
    if not wanted:
        return frozenset()
    return frozenset(row[0] for row in await driver(tx.session).fetch(STILL_WAIT, id, list(wanted)))


async def _lock(tx: Tx, articles: Collection[Article]) -> None:
    """Locks the articles that are to be changed, and reads them anew; by id, so that nobody waits in a circle."""
    if articles:
        ids = [article.id for article in articles]
        locked = select(Article).where(Article.id.in_(ids)).order_by(Article.id).with_for_update()
        (await tx.session.scalars(locked.execution_options(populate_existing=True))).all()


async def _levels(tx: Tx, articles: Collection[Article]) -> dict[UUID, StockLevel]:
    """The stock levels of these articles, locked, by the article's id. They are locked after all articles."""
    if not articles:
        return {}
    ids = [article.id for article in articles]
    locked = select(StockLevel).where(StockLevel.article_id.in_(ids)).order_by(StockLevel.article_id)
    return {level.article_id: level for level in await tx.session.scalars(locked.with_for_update())}


def _changes(article: Article, line: Waiting, ids: Mapping[str, UUID]) -> dict[str, Any]:
    changes = differences(article, line.values)
    if line.parts is not None:
        parts = [ids[part] for part in line.parts if part in ids]
        if parts != article.compatible_parts:
            changes[PARTS] = parts
    return changes


def _changes_minimum(article: Article, line: Waiting) -> bool:
    return "minimum_stock" in differences(article, line.values)


def _add(tx: Tx, line: Waiting, ids: Mapping[str, UUID]) -> None:
    values = dict(line.values)
    status: ArticleStatus = values.pop("status", None) or "active"
    parts = [ids[part] for part in line.parts or () if part in ids]
    cmd = AddArticle.model_construct(**values, reference=line.reference, compatible_parts=parts)
    article, level = new_article(cmd, ids[line.reference], status)
    tx.insert((article, level))
    tell_new(tx, article, level)
