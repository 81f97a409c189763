"""Tables as people make them, and imports of them on catalog's stage."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import world
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from sav_catalog.model import ArticleImport
from sav_chassis.envelope import Envelope
from sav_chassis.files import Files
from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.article_import import ArticleImportView, ImportArticles
from sav_contracts.files import StoredFile
from sav_edge.tables import TABLE, table

NAMES = (
    "Référence",
    "Code-barres",
    "Désignation",
    "Marque",
    "Famille",
    "Description",
    "Prix HT",
    "TVA",
    "Pièces disponibles jusqu’au",
    "Pièces compatibles",
)
ENGLISH = (
    "reference",
    "gtin",
    "name",
    "brand",
    "family",
    "description",
    "price",
    "vat_class",
    "spare_parts_until",
    "compatible_parts",
)
BOILER = (
    "LUM-24-C",
    "6291041500213",
    "Chaudière « Lumea » 24",
    "Lumea",
    "chauffage",
    "Murale, à condensation ; 24 kW",
    "2190,50",
    "réduite",
    "31/12/2036",
    "J-1",
)
JOINT = ("J-1", "", 'Joint d’étanchéité 3/4"', "Aqua", "pièce", "Ø 20 mm", "0,35", "", "", "")
ROWS = (NAMES, BOILER, JOINT)

Cells = Sequence[Sequence[Any]]


def text(
    rows: Cells = ROWS, delimiter: str = ";", quoting: int = csv.QUOTE_MINIMAL, end: str = "\r\n"
) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(rows)  # type: ignore[arg-type]
    return written.getvalue()


def workbook(
    rows: Cells = ROWS,
    at: tuple[int, int] = (0, 0),
    formats: Mapping[int, str] | None = None,
    sheets: Sequence[str] = ("Feuil1",),
    to_the_end: bool = False,
) -> bytes:
    """The rows in the last of these sheets; all others are hidden. `formats`: number formats of columns."""
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        known = {column: book.add_format({"num_format": form}) for column, form in (formats or {}).items()}
        for name in sheets:
            sheet = book.add_worksheet(name)
            if name != sheets[-1]:
                sheet.write_string(0, 0, "hors sujet")
                sheet.hide()
        sheet.activate()
        sheet.set_first_sheet()
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                place = row + at[0], column + at[1]
                match cell:
                    case datetime():
                        sheet.write_datetime(*place, cell, day)
                    case int() | float():
                        sheet.write_number(*place, cell, known.get(column))
                    case ("=", formula, value):
                        sheet.write_formula(*place, formula, None, value)
                    case _:
                        sheet.write_string(*place, cell)
        if to_the_end:
            sheet.write_blank(1_048_575, 3, None, day)
    return made.getvalue()


def replaced(cells: Sequence[str], **by_name: str) -> tuple[str, ...]:
    """The line with other cells in these columns, which have their English names."""
    return tuple(by_name.get(name, cell) for name, cell in zip(ENGLISH, cells, strict=True))


def many(number: int, price: str = "1,00") -> str:
    """A table of so many parts."""
    lines = (replaced(JOINT, reference=f"N-{each:03}", price=price) for each in range(number))
    return text((NAMES, *lines))


async def stored(stage: Stage, content: bytes, name: str = "tarif.csv") -> StoredFile:
    """The table as the edge stores it."""
    return await Files(stage.settings.files_url).put(table(content), TABLE, name)


async def asked(
    stage: Stage, content: bytes, dry_run: bool = False, by: Actor = world.marie
) -> ArticleImport:
    """The import, before anything is done about it."""
    command = ImportArticles(file=await stored(stage, content), dry_run=dry_run)
    outcome = await stage.when(command, by=by)
    return ArticleImport(**{"id": outcome.reply["id"]})


async def imported(
    stage: Stage, content: bytes | str, dry_run: bool = False, by: Actor = world.marie
) -> ArticleImportView:
    """The import when it is over."""
    content = content.encode() if isinstance(content, str) else content
    begun = await asked(stage, content, dry_run, by)
    return await over(stage, begun.id)


async def over(stage: Stage, id: Any) -> ArticleImportView:
    for _ in range(100):
        await stage.runs_effects()
        waiting = await stage.waiting()
        if not waiting:
            return await shown(stage, id)
        if any(one.why for one in waiting):
            break
    raise AssertionError(f"it does not end: {waiting}")


async def shown(stage: Stage, id: Any) -> ArticleImportView:
    body = await stage.database.pool.fetchval(
        "SELECT body::json -> 'state' FROM event_log WHERE subject = $1 ORDER BY sequence DESC LIMIT 1", id
    )
    return ArticleImportView.model_validate_json(body)


async def wrong_lines(stage: Stage, view: ArticleImportView) -> list[tuple[str, str, str, str]]:
    """The report: line, column, value and the reason in English."""
    assert view.report
    content = (await Files(stage.settings.files_url).get(view.report)).decode("utf-8-sig")
    [head, *rows] = csv.reader(io.StringIO(content, newline=""), delimiter=";")
    assert head == ["ligne", "colonne", "valeur", "motif", "reason"]
    return [(line, name, value, reason) for line, name, value, _, reason in rows]


async def catalogue(stage: Stage) -> dict[str, dict[str, Any]]:
    """The articles by reference."""
    rows = await stage.database.pool.fetch("SELECT * FROM article ORDER BY reference")
    return {row["reference"]: dict(row) for row in rows}


async def told(stage: Stage, kind: str) -> list[Any]:
    """The events about this kind of record, in order."""
    rows = await stage.database.pool.fetch("SELECT * FROM event_log WHERE kind = $1 ORDER BY position", kind)
    return [Envelope.model_validate(dict(row)).event() for row in rows]


async def left(stage: Stage) -> int:
    """The lines and faults that are still kept."""
    counts = "SELECT (SELECT count(*) FROM article_import_line) + (SELECT count(*) FROM article_import_fault)"
    return int(await stage.database.pool.fetchval(counts))
