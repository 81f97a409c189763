"""Lists as spreadsheets: CSV as French ones open it, and XLSX."""

import asyncio
import csv
import io
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from pydantic_core import from_json, to_json

from sav_chassis.errors import WrongFields
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.article_sheet import COLUMNS, cells_of
from sav_contracts.files import CSV, XLSX
from sav_contracts.spreadsheets import defused
from sav_contracts.surface import ExportRow
from sav_contracts.wrong_value import WrongValue
from sav_edge.downloads import HARMLESS
from sav_edge.list_query import QueryParameters
from sav_edge.no_parameters import each_once
from sav_edge.read_model import ReadModel
from sav_edge.reply import StreamedReply

# The parameters of a list that an export does not take: it is whole, and in one order.
OF_PAGES = frozenset({"limit", "after", "sort"})
FORMATS = {"csv": f"{CSV}; charset=utf-8", "xlsx": XLSX}
ORDER = "reference"
PAGE = 500
CHUNK = 65_536
PROGRAM = (sys.executable, "-I", "-m", "sav_edge.write_workbook")
# Workbooks that are made at once: each takes a core.
AT_ONCE = 2
NAMES = [column.french[0] for column in COLUMNS]

Rows = AsyncIterator[list[list[str]]]


class NoFormat(WrongValue):
    code = "no_format"
    formats: str = ", ".join(FORMATS)
    en = "one of {formats}"
    fr = "l’une de ces valeurs : {formats}"


class NotOfExports(WrongValue):
    code = "not_of_exports"
    en = "an export is not divided into pages, and has one order"
    fr = "un export n’est pas divisé en pages et n’a qu’un seul ordre"


class WorkbookNotMade(Exception):
    """The process that makes a workbook has ended without one."""


class Exports:
    """Makes exports, whose body is read from the read model while it is sent."""

    def __init__(self, read: ReadModel) -> None:
        self._read = read
        self._free = asyncio.Semaphore(AT_ONCE)

    async def answer(
        self, row: ExportRow, asked: QueryParameters, actor: Actor, headers: dict[str, str]
    ) -> StreamedReply:
        """The export; `WrongFields` names every wrong parameter. Its first page is read before the answer begins."""
        filters = {name: values for name, values in asked.items() if name != "format"}
        form = each_once({"format": asked.get("format", ["csv"])})["format"]
        wrong = [(name, NotOfExports().text()) for name in filters if name in OF_PAGES]
        if form not in FORMATS:
            wrong.append(("format", NoFormat().text()))
        if wrong:
            raise WrongFields.of(wrong)
        pages = self._read.pages(row.list, filters, actor, ORDER, PAGE)
        rows = self._rows(await anext(pages), pages)
        body = _csv(rows) if form == "csv" else self._xlsx(rows)
        name = f"{row.list.path.rpartition('/')[2]}.{form}"
        headers = headers | HARMLESS | {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamedReply(body, FORMATS[form], headers)

    async def _rows(self, first: Sequence[str], others: AsyncIterator[Sequence[str]]) -> Rows:
        yield await self._cells(first)
        async for page in others:
            yield await self._cells(page)

    async def _cells(self, page: Sequence[str]) -> list[list[str]]:
        articles: list[dict[str, Any]] = [from_json(doc) for doc in page]
        parts = {id for article in articles for id in article["compatible_parts"]}
        references = await self._read.field_of(ArticleView, "reference", parts) if parts else {}
        return [cells_of(article, references) for article in articles]

    async def _xlsx(self, rows: Rows) -> AsyncGenerator[bytes, None]:
        """Made in a process of its own: this one answers others meanwhile, and needs no memory for it."""
        process = await asyncio.create_subprocess_exec(
            *PROGRAM, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}
        )
        assert process.stdin
        assert process.stdout
        try:
            async with self._free:
                for line in (NAMES, [column.kind for column in COLUMNS]):
                    process.stdin.write(to_json(line) + b"\n")
                async for page in rows:
                    process.stdin.write(b"".join(to_json(cells) + b"\n" for cells in page))
                    await process.stdin.drain()
                process.stdin.close()
                chunk = await process.stdout.read(CHUNK)
            while chunk:
                yield chunk
                chunk = await process.stdout.read(CHUNK)
            if await process.wait():
                raise WorkbookNotMade
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()


async def _csv(rows: Rows) -> AsyncGenerator[bytes, None]:
    """Semicolons, commas in amounts, days as 31/12/2036, and a mark that it is UTF-8: what Excel reads in France."""
    yield b"\xef\xbb\xbf" + _lines([NAMES])
    async for page in rows:
        yield _lines([[*map(_french, COLUMNS, cells)] for cells in page])


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows(rows)
    return text.getvalue().encode()


def _french(column: Any, cell: str) -> str:
    match column.kind:
        case "amount":
            return cell.replace(".", ",")
        case "day":
            return "/".join(reversed(cell.split("-")))
        case "whole":
            return cell
    return defused(cell)
