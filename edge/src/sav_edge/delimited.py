"""Reads a CSV as spreadsheets write it: with semicolons, commas or tabs; in UTF-8, UTF-16 or Windows-1252."""

import codecs
import csv
import io
from collections.abc import Iterator

from sav_contracts.spreadsheets import as_typed
from sav_edge.tables import NoTable, Row
from sav_edge.upload_errors import Unsuitable

DELIMITERS = ";,\t"
# Excel reads the delimiter from such a first line.
SAYS_DELIMITER = "sep="
# Characters in a cell of Excel.
LONGEST_CELL = 32_767
MARKUP = (b"<", b"MIME-Version:")


class WebPage(Unsuitable):
    en = "this file is a web page or XML under another name: open it in a spreadsheet and save it as XLSX"
    fr = "ce fichier est une page web ou du XML sous un autre nom : ouvrez-le dans un tableur et enregistrez-le en XLSX"


class UnknownLetters(Unsuitable):
    en = "the letters of this file cannot be read: save it as “CSV UTF-8”"
    fr = "les caractères de ce fichier sont illisibles : enregistrez-le en « CSV UTF-8 »"


class QuotesDoNotMatch(Unsuitable):
    row: int
    en = "row {row}: a quotation mark is not closed, or one inside a text is not doubled"
    fr = "ligne {row} : un guillemet n’est pas fermé, ou un guillemet dans un texte n’est pas doublé"


def rows_of_text(content: bytes) -> Iterator[Row]:
    """The rows of a CSV; a row counts once, however many lines of text its cells have."""
    text = _decoded(content)
    first, _, rest = text.partition("\n")
    delimiter = first.strip().removeprefix(SAYS_DELIMITER) if first.startswith(SAYS_DELIMITER) else ""
    skipped = 0
    if len(delimiter) == 1:
        text, skipped = rest, 1
    else:
        delimiter = _delimiter(text)
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = skipped
    try:
        for number, cells in enumerate(reader, skipped + 1):
            yield Row(number, [as_typed(cell) for cell in cells])
    except csv.Error:
        raise QuotesDoNotMatch(row=number + 1) from None


def _decoded(content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF8):
        encodings = ["utf-8-sig"]
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in content:
        raise NoTable
    else:
        encodings = ["utf-8", "windows-1252"]
    if content.removeprefix(codecs.BOM_UTF8).lstrip().startswith(MARKUP):
        raise WebPage
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnknownLetters


def _delimiter(text: str) -> str:
    """The one that makes the most columns of the first row with something in it."""
    head = next((line for line in text.splitlines() if line.strip(DELIMITERS + " ")), "")
    return max(DELIMITERS, key=lambda one: len(next(csv.reader([head], delimiter=one), [])))
