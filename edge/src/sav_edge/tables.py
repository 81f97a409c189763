"""Reads an uploaded table, XLSX or CSV, into one form: a compressed CSV that its owner reads with the standard library.

UTF-8, commas, a first row with the names of the columns. The first column is the row's number as spreadsheets count it. Empty rows and columns are left out.
"""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sav_edge.upload_errors import Unsuitable

TABLE = "application/gzip"
# Rows with something in them, columns, and bytes of the form before it is compressed.
MOST_ROWS = 100_000
MOST_COLUMNS = 200
MOST_BYTES = 80_000_000
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


class Row(NamedTuple):
    """A row's number, and its cells from the first column on."""

    number: int
    cells: Sequence[str]


class NoTable(Unsuitable):
    en = "this file is not a table we can read (XLSX, CSV)"
    fr = "ce fichier n’est pas un tableau que nous sachions lire (XLSX, CSV)"


class EmptyTable(Unsuitable):
    en = "this table is empty: its first row has to hold the names of the columns"
    fr = "ce tableau est vide : sa première ligne doit contenir les noms des colonnes"


class TableTooLarge(Unsuitable):
    rows: int = MOST_ROWS
    columns: int = MOST_COLUMNS
    en = "this table is too large: up to {rows} rows and {columns} columns are read; divide it"
    fr = "ce tableau est trop grand : nous lisons jusqu’à {rows} lignes et {columns} colonnes ; divisez-le"


class ColumnTwice(Unsuitable):
    name: str
    en = "two columns have the name “{name}”"
    fr = "deux colonnes ont le nom « {name} »"


class ColumnNameless(Unsuitable):
    column: str
    row: int
    en = "column {column} has no name, but row {row} has something in it"
    fr = "la colonne {column} n’a pas de nom, mais la ligne {row} y contient quelque chose"


class NoText(Unsuitable):
    row: int
    en = "row {row} has a character that is none (NUL): save the table again"
    fr = "la ligne {row} contient un caractère nul : réenregistrez le tableau"


def table(content: bytes) -> bytes:
    """The table in its one form, the same for the same bytes; `Unsuitable` says why it is not read."""
    return packed(_rows(content))


def _rows(content: bytes) -> Iterable[Row]:
    # Importing takes most of the time for a small file.
    if content.startswith((b"PK\x03\x04", OLE)):
        from sav_edge.workbooks import rows_of_workbook

        return rows_of_workbook(content)
    from sav_edge.delimited import rows_of_text

    return rows_of_text(content)


def packed(rows: Iterable[Row]) -> bytes:
    """The rows in the form that is kept; the first one with something in it has the names."""
    filled = (row for row in rows if any(cell.strip() for cell in row.cells))
    head = next(iter(filled), None)
    if head is None:
        raise EmptyTable
    names = [name.strip() for name in head.cells]
    named = [place for place, name in enumerate(names) if name]
    if len(named) > MOST_COLUMNS:
        raise TableTooLarge
    _check_different([names[place] for place in named])
    kept = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=kept, mode="wb", mtime=0, compresslevel=6) as bytes_,
        io.TextIOWrapper(bytes_, "utf-8", newline="", write_through=True) as text,
    ):
        writer = csv.writer(text)
        _check_text(head)
        writer.writerow([head.number, *(names[place] for place in named)])
        size = 0
        for count, row in enumerate(filled, 1):
            _check_text(row)
            cells = _cells(row, named)
            size += sum(map(len, cells))
            if count > MOST_ROWS or size > MOST_BYTES:
                raise TableTooLarge
            writer.writerow([row.number, *cells])
    return kept.getvalue()


def _cells(row: Row, named: list[int]) -> list[str]:
    """The cells under a name; `ColumnNameless` where there is another one with something in it."""
    under = set(named)
    for place, cell in enumerate(row.cells):
        if place not in under and cell.strip():
            raise ColumnNameless(column=letters(place), row=row.number)
    return [row.cells[place] if place < len(row.cells) else "" for place in named]


def _check_text(row: Row) -> None:
    """Raises `NoText` for what PostgreSQL cannot store."""
    if any("\0" in cell for cell in row.cells):
        raise NoText(row=row.number)


def _check_different(names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise ColumnTwice(name=name)
        seen.add(name.casefold())


def letters(place: int) -> str:
    """What spreadsheets call a column: A for 0, AA for 26."""
    name = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def numbered(rows: Iterable[Sequence[str]]) -> Iterator[Row]:
    """Rows from the first one on, with their numbers."""
    return (Row(number, cells) for number, cells in enumerate(rows, 1))
