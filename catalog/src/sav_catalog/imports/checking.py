"""The check of all lines: nothing of the catalogue changes. Right lines wait in `article_import_line` to be imported."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from sav_catalog.imports.lines import (
    PARTS,
    Fault,
    NoSuchPart,
    ReferenceTwice,
    Said,
    Table,
    checked_as_known,
    checked_as_new,
    fault,
)
from sav_catalog.model import Article, ArticleImport
from sav_chassis.database import driver
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor, Role

# One by one through the index, even while the planner still takes the table for a small one.
KNOWN = """
SELECT id FROM unnest($1::text[]) AS wanted
CROSS JOIN LATERAL (SELECT id FROM article WHERE reference = wanted LIMIT 1) found"""
KEEP_FAULTS = """
INSERT INTO article_import_fault (import_id, line, place, name, value, en, fr) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING"""
KEEP_LINES = """
INSERT INTO article_import_line (import_id, line, reference, step, fields, parts, verdict)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::text[]) AS said
ORDER BY 2
ON CONFLICT DO NOTHING RETURNING line"""
FIRST_LINES = "SELECT reference, line FROM article_import_line WHERE import_id = $1 AND reference = ANY($2)"
# The parts that are neither in the catalogue nor in the file, by line.
UNKNOWN_PARTS = """
SELECT l.line, string_agg(part, ', ') AS parts
FROM article_import_line l, json_array_elements_text(l.parts::json) part
WHERE l.import_id = $1 AND l.parts IS NOT NULL AND NOT EXISTS (SELECT FROM article a WHERE a.reference = part)
    AND NOT EXISTS (SELECT FROM article_import_line o WHERE o.import_id = $1 AND o.reference = part)
GROUP BY l.line"""
WRONG = "SELECT count(DISTINCT line) FROM article_import_fault WHERE import_id = $1"
VERDICTS = """
SELECT verdict, count(*) FROM article_import_line l WHERE import_id = $1 AND NOT EXISTS (
    SELECT FROM article_import_fault f WHERE f.import_id = $1 AND f.line = l.line)
GROUP BY verdict"""


def may(importing: ArticleImport) -> Actor:
    """Whoever asked for the import, who was a manager then."""
    return Actor(id=importing.by_id, role=Role.MANAGER)


async def check_lines(tx: Tx, importing: ArticleImport, table: Table, most: int) -> bool:
    """Checks the next lines: keeps what they say, and what is wrong with them. False at the end.

    Where a column is wrong no line is read.
    """
    faults = table.faults()
    if faults:
        await keep_faults(tx, importing.id, faults)
        return False
    if not (rows := table.next(most)):
        return False
    read = [table.read(*row) for row in rows]
    articles = await known(tx, [said.reference for said in read if said.reference])
    parts = await _parts_of(tx, articles.values())
    by = may(importing)
    kept: list[tuple[Said, Mapping[str, Any], str]] = []
    for said in read:
        article = articles.get(said.reference or "")
        verdict = "add"
        if article:
            its_parts = [parts.get(id, "") for id in article.compatible_parts]
            checked, changes = checked_as_known(said, article, its_parts, by)
            verdict = "change" if changes else "same"
        else:
            checked = checked_as_new(said)
        faults += checked.faults
        if said.reference:
            kept.append((said, checked.values, verdict))
    faults += await _keep(tx, importing.id, kept)
    await keep_faults(tx, importing.id, faults)
    importing.checked += len(rows)
    importing.wrong += len({fault.line for fault in faults})
    return True


async def _keep(tx: Tx, id: UUID, kept: Sequence[tuple[Said, Mapping[str, Any], str]]) -> list[Fault]:
    """Keeps the lines, wrong ones too: others may name their articles. Answers which have the reference of another."""
    rows = [(said.line, said.reference, *_stored(values), verdict) for said, values, verdict in kept]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * 6
    there = {row["line"] for row in await driver(tx.session).fetch(KEEP_LINES, id, *columns)}
    if not (doubled := [said for said, *_ in kept if said.line not in there]):
        return []
    references = [said.reference for said in doubled]
    found = await driver(tx.session).fetch(FIRST_LINES, id, references)
    first = {row["reference"]: row["line"] for row in found}
    return [
        fault(said.line, "reference", said.cells, ReferenceTwice(line=first[said.reference]).text())
        for said in doubled
    ]


def _stored(values: Mapping[str, Any]) -> tuple[int, str, str | None]:
    """Step, fields and parts."""
    parts = values.get(PARTS)
    fields = {name: value for name, value in values.items() if name != PARTS}
    return 1 if parts else 0, _json(fields), None if parts is None else _json(parts)


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


async def known(tx: Tx, references: Collection[str]) -> dict[str, Article]:
    """The articles with these references, not locked."""
    ids = [row["id"] for row in await driver(tx.session).fetch(KNOWN, list(references))]
    found = await tx.session.scalars(select(Article).where(Article.id.in_(ids))) if ids else ()
    return {article.reference: article for article in found}


async def _parts_of(tx: Tx, articles: Iterable[Article]) -> dict[UUID, str]:
    """The references of their parts, by id."""
    ids = {id for article in articles for id in article.compatible_parts}
    if not ids:
        return {}
    found = await tx.session.execute(select(Article.id, Article.reference).where(Article.id.in_(ids)))
    return {row.id: row.reference for row in found}


async def keep_faults(tx: Tx, id: UUID, faults: Iterable[Fault]) -> None:
    """Keeps what is wrong for the report, once for each cell."""
    rows = [(id, *fault[:4], *fault.why) for fault in faults]
    if rows:
        await driver(tx.session).executemany(KEEP_FAULTS, rows)


async def complete(tx: Tx, importing: ArticleImport) -> None:
    """What only all lines together show: parts that are nowhere. Counts what is wrong, for a dry run also the rest."""
    rows = await driver(tx.session).fetch(UNKNOWN_PARTS, importing.id)
    await keep_faults(tx, importing.id, [unknown_parts(row["line"], row["parts"]) for row in rows])
    importing.wrong = await driver(tx.session).fetchval(WRONG, importing.id)
    if importing.dry_run:
        rows = await driver(tx.session).fetch(VERDICTS, importing.id)
        counts = {row["verdict"]: row["count"] for row in rows}
        importing.added, importing.updated = counts.get("add", 0), counts.get("change", 0)
        importing.unchanged = counts.get("same", 0)


def unknown_parts(line: int, parts: str) -> Fault:
    return fault(line, PARTS, {PARTS: parts}, NoSuchPart(parts=parts).text())
