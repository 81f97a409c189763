"""Reads the first sheet of an XLSX; refuses other files that hold tables, each with what to do about it."""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from sav_edge.tables import NoTable, Row, TableTooLarge, letters
from sav_edge.upload_errors import Unsuitable

# Bytes of a workbook when it is unpacked.
MOST_UNPACKED = 400_000_000
CHUNK = 1_000_000
# Bytes that a cell's tag never exceeds, and those among which its value is looked for.
LONGEST_TAG, LONGEST_CELL = 500, 10_000
# Names of files in an archive, as far as they tell what it is.
WORKBOOK, BINARY, MACROS = "xl/workbook.xml", "xl/workbook.bin", "vbaproject.bin"
RELATIONS = "xl/_rels/workbook.xml.rels"
PACKAGE_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
STRICT_RELATION_ID = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# A cell with an error in place of a value (ECMA-376, 18.18.11: `e`).
ERROR_CELL = re.compile(rb'<(?:\w+:)?c\s([^>]*\bt="e"[^>]*)>')
PLACE = re.compile(rb'\br="([A-Z]{1,3}[0-9]{1,7})"')
VALUE = re.compile(rb"<(?:\w+:)?v>(#[^<]{1,20})<")


class OldWorkbook(Unsuitable):
    en = "this is a workbook in another format than XLSX: open it in your spreadsheet and save it as XLSX"
    fr = "ce classeur n’est pas au format XLSX : ouvrez-le dans votre tableur et enregistrez-le en XLSX"


class LockedWorkbook(Unsuitable):
    en = "this workbook is protected with a password; send it without one"
    fr = "ce classeur est protégé par un mot de passe ; envoyez-le sans protection"


class WorkbookWithMacros(Unsuitable):
    en = "this workbook holds macros: save it as XLSX, without them"
    fr = "ce classeur contient des macros : enregistrez-le en XLSX, sans macros"


class DamagedWorkbook(Unsuitable):
    en = "this workbook is damaged: open it in your spreadsheet and save it again"
    fr = "ce classeur est endommagé : ouvrez-le dans votre tableur et enregistrez-le à nouveau"


def rows_of_workbook(content: bytes) -> Iterator[Row]:
    """The rows of the first visible sheet, its values as texts; `Unsuitable` where it is no XLSX that is taken."""
    if not content.startswith(b"PK"):
        raise LockedWorkbook if ENCRYPTED in content else OldWorkbook
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive)
            book = CalamineWorkbook.from_filelike(io.BytesIO(content))
            name = _first_sheet(book)
            errors = _errors(archive, name)
            sheet = book.get_sheet_by_name(name)
            # Rows come from the first of the sheet on, cells from the first column with a value.
            left = [""] * (sheet.start or (0, 0))[1]
            for number, cells in enumerate(sheet.iter_rows(), 1):
                shown = [*left, *map(_shown, cells)]
                for place, error in errors.get(number, {}).items():
                    shown += [""] * (place + 1 - len(shown))
                    shown[place] = error
                yield Row(number, shown)
    except (
        CalamineError,
        zipfile.BadZipFile,
        ElementTree.ParseError,
        KeyError,
        EOFError,
        ValueError,
    ) as error:
        raise DamagedWorkbook from error


def _check(archive: zipfile.ZipFile) -> None:
    names = {name.lower() for name in archive.namelist()}
    if any(name.endswith(MACROS) for name in names):
        raise WorkbookWithMacros
    if BINARY in names or "mimetype" in names or any(name.startswith("index/") for name in names):
        raise OldWorkbook
    if WORKBOOK not in names:
        raise NoTable
    if sum(file.file_size for file in archive.infolist()) > MOST_UNPACKED:
        raise TableTooLarge


def _first_sheet(book: CalamineWorkbook) -> str:
    for sheet in book.sheets_metadata:
        if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet:
            return sheet.name
    raise NoTable


def _shown(value: Any) -> str:
    """A value as text: numbers with the 15 digits that Excel has, without an exponent; days as 2036-12-31."""
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case float() | int():
            return format(Decimal(f"{value:.15g}"), "f")
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    return ""


def _errors(archive: zipfile.ZipFile, sheet: str) -> Mapping[int, Mapping[int, str]]:
    """The cells with an error, such as `#N/A`, by row and column: the reader takes them for empty ones."""
    found: dict[int, dict[int, str]] = {}
    with archive.open(_path(archive, sheet)) as xml:
        kept = b""
        while chunk := xml.read(CHUNK):
            text = kept + chunk
            end = 0
            for cell in ERROR_CELL.finditer(text):
                end = cell.end()
                place, value = PLACE.search(cell[1]), VALUE.search(text, end, end + LONGEST_CELL)
                if place is None:
                    raise DamagedWorkbook
                column, row = _place(place[1].decode())
                found.setdefault(row, {})[column] = value[1].decode() if value else "#ERROR"
            kept = text[max(end, len(text) - LONGEST_TAG) :]
    return found


def _path(archive: zipfile.ZipFile, sheet: str) -> str:
    """The file of a sheet in its archive."""
    relations = ElementTree.fromstring(_safe(archive.read(RELATIONS)))
    targets = {
        one.get("Id"): one.get("Target", "") for one in relations.iter(f"{PACKAGE_RELATIONS}Relationship")
    }
    for one in ElementTree.fromstring(_safe(archive.read(WORKBOOK))).iter():
        if one.tag.endswith("}sheet") and one.get("name") == sheet:
            target = targets[one.get(RELATION_ID) or one.get(STRICT_RELATION_ID)]
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    raise DamagedWorkbook


def _safe(xml: bytes) -> bytes:
    """XML without a DTD, which no workbook has: entities could be declared there that grow without end."""
    if b"<!DOCTYPE" in xml:
        raise DamagedWorkbook
    return xml


def _place(name: str) -> tuple[int, int]:
    """Column and row of `B6`: 1, 6."""
    word = name.rstrip("0123456789")
    column = 0
    for letter in word:
        column = column * 26 + ord(letter) - ord("A") + 1
    assert letters(column - 1) == word
    return column - 1, int(name[len(word) :])
