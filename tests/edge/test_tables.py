"""Tables that come in: what is kept of them, and what is refused, each with what to do about it."""

import gzip
import io
import zipfile
from collections.abc import Mapping

import pytest
from given_tables import NAMES, text, workbook
from given_uploads import At
from papers import PDF
from pictures import picture
from stories import refused

from sav_contracts.catalog.article_import import ImportArticles
from sav_contracts.files import MAX_TABLE_BYTES
from sav_edge import tables
from sav_edge.tables import Row, letters, packed, table
from sav_edge.upload_errors import Unsuitable


def kept(content: bytes) -> str:
    return gzip.decompress(table(content)).decode()


def archive(**files: bytes) -> bytes:
    """A ZIP of these files; a double underscore in a name stands for a slash."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed_files:
        for name, content in files.items():
            packed_files.writestr(name.replace("__", "/"), content)
    return made.getvalue()


def changed(content: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """The workbook with other bytes in one of its files."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as to,
    ):
        for file in source.infolist():
            inside = source.read(file)
            if file.filename == name:
                assert old in inside, "this test would not change anything"
                inside = inside.replace(old, new, 1)
            to.writestr(file.filename, inside)
    return made.getvalue()


def with_more(content: bytes, name: str, more: bytes) -> bytes:
    made = io.BytesIO(content)
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as to:
        to.writestr(name, more)
    return made.getvalue()


def test_rows_keep_the_numbers_that_spreadsheets_show() -> None:
    lines = text([("a", "b"), ("1", "x\ny"), (), ("", ""), ("2", "z")])
    assert kept(lines.encode()) == '1,a,b\r\n2,1,"x\ny"\r\n5,2,z\r\n'
    assert kept(workbook([("a", "b"), (1, 0.5)], at=(3, 1))) == "4,a,b\r\n5,1,0.5\r\n"
    assert kept(b"sep=,\r\na,b\r\n1,2") == "2,a,b\r\n3,1,2\r\n"


def test_numbers_of_a_workbook_are_what_it_shows() -> None:
    numbers = (3012345678900, 89.9, 0.1 + 0.2, 1e-7, 1.5e15, -4.0, 100.0, 12345678901234.0)
    [_, line] = kept(workbook([[f"c{n}" for n in range(len(numbers))], numbers])).splitlines()
    assert line == "2,3012345678900,89.9,0.3,0.0000001,1500000000000000,-4,100,12345678901234"


def test_errors_of_a_workbook_are_seen() -> None:
    rows = [
        ("a", "b", "c"),
        ("x", ("=", "=1/0", "#DIV/0!"), ""),
        (("=", "=NA()", "#N/A"), 1, ("=", "=A1", "x")),
    ]
    assert kept(workbook(rows)).splitlines()[1:] == ["2,x,#DIV/0!,", "3,#N/A,1,x"]


def test_the_same_table_makes_the_same_bytes() -> None:
    assert table(text().encode()) == table(text(end="\n").encode("windows-1252"))


def test_an_apostrophe_that_defuses_is_not_part_of_the_text() -> None:
    cells = ["'=1+1", "'-x", "''=y", "'plain", "'@z", "-1"]
    line = kept(text([list("abcdef"), cells]).encode()).splitlines()[1]
    assert line == "2,=1+1,-x,'=y,'plain,@z,-1"
    assert "'=1" in kept(workbook([("a",), ("'=1",)])), "in a workbook it is typed"


XLSX = workbook()
OPEN_DOCUMENT = archive(
    mimetype=b"application/vnd.oasis.opendocument.spreadsheet",
    **{"content.xml": b"<office:document-content/>"},
)
LOCKED = tables.OLE + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 2000
OTHER_FORMAT = (
    "this is a workbook in another format than XLSX: open it in your spreadsheet and save it as XLSX"
)
WEB_PAGE = "this file is a web page or XML under another name: open it in a spreadsheet and save it as XLSX"
DAMAGED = "this workbook is damaged: open it in your spreadsheet and save it again"
NO_TABLE = "this file is not a table we can read (XLSX, CSV)"
EMPTY = "this table is empty: its first row has to hold the names of the columns"
BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
XML = b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>"
UNSUITABLE: Mapping[str, tuple[bytes, str]] = {
    "a picture": (picture(), NO_TABLE),
    "a pdf": (PDF, NO_TABLE),
    "zeros": (bytes(1000), NO_TABLE),
    "an old workbook": (tables.OLE + bytes(2000), OTHER_FORMAT),
    "a binary workbook": (archive(**{"xl__workbook.bin": b"x"}), OTHER_FORMAT),
    "a workbook of LibreOffice": (OPEN_DOCUMENT, OTHER_FORMAT),
    "a workbook of Numbers": (archive(**{"Index__Document.iwa": b"x"}), OTHER_FORMAT),
    "a text document": (archive(**{"word__document.xml": b"<x/>"}), NO_TABLE),
    "a workbook with a password": (LOCKED, "this workbook is protected with a password; send it without one"),
    "a workbook with macros": (
        with_more(XLSX, "xl/vbaProject.bin", b"x"),
        "this workbook holds macros: save it as XLSX, without them",
    ),
    "a workbook that is cut off": (XLSX[: len(XLSX) // 2], DAMAGED),
    "a workbook with a broken sheet": (
        changed(XLSX, "xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData"), DAMAGED
    ),
    "a workbook with entities": (
        changed(XLSX, "xl/workbook.xml", b"<workbook", BOMB + b"<workbook"), DAMAGED
    ),
    "a page that is called a workbook": (b"<html><table><tr><td>x</td></tr></table></html>", WEB_PAGE),
    "a page behind a mark": (b"\xef\xbb\xbf  <!doctype html><table></table>", WEB_PAGE),
    "a page of many parts": (b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n", WEB_PAGE),
    "XML of an old Excel": (XML + b"<?mso-application progid='Excel.Sheet'?><Workbook/>", WEB_PAGE),
    "empty lines": (b"\r\n;;\r\n \r\n", EMPTY),
    "an empty workbook": (workbook([]), EMPTY),
    "two columns of one name": (b"a;b;A\r\n1;2;3", "two columns have the name “A”"),
    "a character that is none": ("\ufeffa;b\r\n1;x\0y".encode("utf-16-le"), "row 2 has a character that is none (NUL): save the table again"),
    "a column without a name": (
        b"a;;b\r\n1;;2\r\n1;x;2", "column B has no name, but row 3 has something in it"
    ),
    "a row that is longer": (b"a;b\r\n1;2\r\n\r\n1;2;;3", "column D has no name, but row 4 has something in it"),
    "a quotation mark that is not closed": (
        b'a;b\r\n1;2\r\n3;"4\r\n5;6', "row 3: a quotation mark is not closed, or one inside a text is not doubled"
    ),
    "letters that are in no code page": (
        b"a;b\r\n\x8d\x8f;1", "the letters of this file cannot be read: save it as “CSV UTF-8”"
    ),
    "half of a UTF-16": (b"\xff\xfea\0;\0b", "the letters of this file cannot be read: save it as “CSV UTF-8”"),
    "too many columns": (
        ";".join(f"c{n}" for n in range(201)).encode(),
        "this table is too large: up to 100000 rows and 200 columns are read; divide it",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "sentence"), UNSUITABLE.values(), ids=UNSUITABLE)
def test_what_is_no_table_is_refused_with_what_to_do(content: bytes, sentence: str) -> None:
    with pytest.raises(Unsuitable) as refusal:
        table(content)
    assert str(refusal.value) == sentence


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 3)
    rows = [Row(number, [str(number)]) for number in range(1, 5)]
    assert packed(rows)
    with pytest.raises(tables.TableTooLarge):
        packed([*rows, Row(9, ["9"])])


def test_columns_have_their_letters() -> None:
    assert [letters(place) for place in (0, 25, 26, 51, 52, 701, 702, 16383)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA", "XFD"
    ]  # fmt: skip


async def test_a_table_is_kept_in_its_one_form_under_the_name_it_came_with(at: At) -> None:
    async with at(ImportArticles) as desk:
        command = await desk.sends(
            files={"file": ("Tarif 2026.xlsx", XLSX, "text/html")}, data={"dry_run": "true"}
        )
        assert (command.file.name, command.file.media_type, command.dry_run) == (
            "Tarif 2026.xlsx", "application/gzip", True
        )  # fmt: skip
        assert desk.kept() == [table(text().encode())]
        without = await desk.sends(files={"file": ("tarif.csv", text(), "text/csv")})
        assert without.dry_run is False
        assert without.file.sha256 == command.file.sha256


async def test_what_is_no_table_is_refused_at_the_door(at: At) -> None:
    async with at(ImportArticles) as desk:
        for content in (picture(), PDF, tables.OLE):
            problem = refused(
                await desk.send(files={"file": ("a.csv", content)}), 415, "unsupported_media_type"
            )
            assert [error["field"] for error in problem["errors"]] == ["file"]
        assert desk.kept() == []


async def test_a_table_may_be_larger_than_other_files_up_to_its_own_limit(at: At) -> None:
    async with at(ImportArticles) as desk:
        line = ";".join(["x" * 200] * len(NAMES))
        many = "\r\n".join([";".join(NAMES), *[line] * 6_000]).encode()
        assert 10_000_000 < len(many) < MAX_TABLE_BYTES
        await desk.sends(files={"file": ("a.csv", many)})
        problem = refused(await desk.send(files={"file": ("a.csv", many * 3)}), 413, "too_large")
        assert problem["detail"] in (
            "file: The file is too large: at most 25 MB", "The body is too large: at most 30 MB"
        )  # fmt: skip


@pytest.mark.parametrize("what", ["a sheet of nothing", "a text that is everywhere", "a far corner"])
async def test_a_bomb_takes_neither_memory_nor_time(at: At, what: str) -> None:
    sheet = "xl/worksheets/sheet1.xml"
    if what == "a sheet of nothing":
        content = changed(XLSX, sheet, b"<sheetData>", b" " * 450_000_000 + b"<sheetData>")
    elif what == "a text that is everywhere":
        rows = b"".join(b"<row>" + b'<c t="s"><v>0</v></c>' * 150 + b"</row>" for _ in range(20_000))
        large = workbook([("x" * 30_000,)])
        content = changed(large, sheet, b"</sheetData>", rows + b"</sheetData>")
    else:
        corner = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
        content = changed(XLSX, sheet, b"</sheetData>", corner)
    async with at(ImportArticles) as desk:
        problem = refused(await desk.send(files={"file": ("a.xlsx", content)}), 415, "unsupported_media_type")
        [error] = problem["errors"]
        assert error["message"].removesuffix(" (a.xlsx)") in (
            "this file takes too much time or memory to read; send a smaller one",
            "this table is too large: up to 100000 rows and 200 columns are read; divide it",
            "column XFD has no name, but row 1048576 has something in it",
        )
        assert desk.kept() == []


async def test_a_whole_catalogue_fits(at: At) -> None:
    """Within the memory and time of the screening: fifty thousand articles, each with texts of its own."""
    described = [
        (
            f"LUM-{each}",
            "",
            f"Chaudière murale {each}",
            "Lumea",
            "chauffage",
            f"{each} {'à condensation ' * 12}",
            9.9,
        )
        for each in range(50_000)
    ]
    async with at(ImportArticles) as desk:
        command = await desk.sends(files={"file": ("a.xlsx", workbook([NAMES[:7], *described]))})
        lines = gzip.decompress(await desk.files.get(command.file)).decode().splitlines()
        assert (len(lines), lines[-1].partition(",")[0]) == (50_001, "50001")
