"""Exports: everything the list has, as spreadsheets open it; what people typed stays text; an import takes it back."""

import asyncio
import csv
import io
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import psutil
import pytest
import world
from eventually import eventually
from given_views import a, show, wipe
from python_calamine import CalamineWorkbook
from stories import Json, done, refused, wrong_fields
from system import Person, System, door

from sav_chassis.identity import Signer
from sav_chassis.migrate import migrate
from sav_chassis.settings import Settings
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import AddArticle, ArticleView
from sav_contracts.catalog.article_sheet import COLUMNS, column_of, listed, references_in
from sav_contracts.spreadsheets import as_typed, defused
from sav_edge import reply
from sav_edge.app import edge
from sav_edge.exports import PAGE
from sav_edge.reply import CUT, StreamedReply

NAMES = [column.french[0] for column in COLUMNS]
# References and names as somebody could type them.
NASTY = (
    '=HYPERLINK("http://example.com";"x")', "+33 1", "-1+1", "@SUM(A1)", "'=1", "''", "'plain", '"quoted"', "a;b,c|d",
    '"|"', "_x0041_", "é€œ’ «x»", "0123", "1E5", "1,5", "12/03", "TRUE", "#N/A", "sep=;", "<b>x</b>", "&amp;", "\\", "A|B", "A,B",
)  # fmt: skip


class Shelf:
    """An edge, and articles told to it."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self.settings, self.http = settings, http

    async def tell(self, *views: ArticleView) -> None:
        connection = await asyncpg.connect(self.settings.database("edge"))
        try:
            for begin in range(0, len(views), 1000):
                await show(connection, views[begin : begin + 1000])
        finally:
            await connection.close()

    def person(self, who: Actor) -> Person:
        return Person(str(who.id), "", who.role, self.http, Signer(self.settings.signing_key).token(who))

    async def get(self, **parameters: Any) -> httpx.Response:
        return await self.person(world.marie).get("/articles/export", **parameters)

    async def lines(self, **parameters: Any) -> list[dict[str, str]]:
        """The lines of a CSV, by the names of its columns."""
        answer = await self.get(**parameters)
        assert answer.status_code == 200, answer.text
        return lines_of(answer.content)


def lines_of(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


@pytest.fixture
async def shelf(settings: Settings) -> AsyncIterator[Shelf]:
    apart = settings.model_copy(update={"database_prefix": "exports"})
    await migrate(apart, edge.name)
    connection = await asyncpg.connect(apart.database("edge"))
    await wipe(connection)
    await connection.close()
    async with door(apart) as http:
        yield Shelf(apart, http)


JOINT = a(
    ArticleView, reference="J-1", name="Joint", family="part", fuel=None, power_kw=None, price=Decimal("0.35"), status="retired"
)  # fmt: skip
BOILER = a(
    ArticleView,
    reference="LUM-24",
    gtin="06291041500213",
    name="Chaudière",
    description="à condensation\n24 kW",
    price=Decimal("2190.50"),
    power_kw=Decimal("24.00"),
    spare_parts_until=date(2036, 12, 31),
    compatible_parts=[JOINT.id],
    vat_class="reduced",
)


async def test_a_csv_is_as_spreadsheets_open_it_in_france(shelf: Shelf) -> None:
    await shelf.tell(BOILER, JOINT)
    answer = await shelf.get()
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="articles.csv"'
    assert (answer.headers["cache-control"], "etag" in answer.headers) == ("no-store", False)
    [joint, boiler] = lines_of(answer.content)
    assert list(boiler) == NAMES
    assert list(boiler.values()) == [
        "LUM-24", "06291041500213", "Chaudière", "Fondital", "", "chauffage", "à condensation\n24 kW", "gaz", "", "24,00",
        "2190,50", "EUR", "réduite", "24", "24", "31/12/2036", "J-1", "2", "actif",
    ]  # fmt: skip
    assert (joint["énergie"], joint["puissance (kW)"], joint["prix HT"], joint["statut"]) == (
        "",
        "",
        "0,35",
        "retiré",
    )


async def test_a_workbook_has_numbers_and_days(shelf: Shelf) -> None:
    await shelf.tell(BOILER, JOINT)
    answer = await shelf.get(format="xlsx")
    assert answer.headers["content-disposition"] == 'attachment; filename="articles.xlsx"'
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0)
    [names, _, boiler] = sheet.to_python()
    assert names == NAMES
    assert boiler == [
        "LUM-24", "06291041500213", "Chaudière", "Fondital", "", "chauffage", "à condensation\n24 kW", "gaz", "", 24.0, 2190.5,
        "EUR", "réduite", 24.0, 24.0, date(2036, 12, 31), "J-1", 2.0, "actif",
    ]  # fmt: skip


async def test_an_export_has_the_filters_and_the_search_of_the_list(shelf: Shelf) -> None:
    await shelf.tell(BOILER, JOINT)
    for parameters, found in (
        ({"family": "part"}, ["J-1"]),
        ({"status": ["active", "end_of_life"]}, ["LUM-24"]),
        ({"q": "chaud"}, ["LUM-24"]),
        ({"brand": "fondital"}, ["J-1", "LUM-24"]),
        ({"q": "nothing"}, []),
    ):
        assert [line["référence"] for line in await shelf.lines(**parameters)] == found


async def test_what_an_export_does_not_take_is_named(shelf: Shelf) -> None:
    await shelf.tell(BOILER)
    for parameters, wrong in (
        ({"format": "pdf"}, {"format"}),
        ({"limit": 5, "after": "x", "sort": "price"}, {"limit", "after", "sort"}),
        ({"colour": "red"}, {"colour"}),
        ({"family": "garden"}, {"family"}),
    ):
        assert wrong_fields(await shelf.get(**parameters)) == wrong


async def test_an_export_is_for_managers_and_admins(shelf: Shelf) -> None:
    for who in (world.lea, world.karim):
        refused(await shelf.person(who).get("/articles/export"), 403, "not_allowed")
    assert (await shelf.person(world.alex).get("/articles/export")).status_code == 200


async def test_of_an_edge_without_its_read_model_nobody_takes_an_empty_file(shelf: Shelf) -> None:
    assert await shelf.lines() == []
    connection = await asyncpg.connect(shelf.settings.database("edge"))
    await connection.execute("TRUNCATE view")
    await connection.close()
    refused(await shelf.get(), 503, "unavailable")


async def test_every_article_is_there_once_over_many_pages(shelf: Shelf) -> None:
    number = 3 * PAGE + 7
    await shelf.tell(*(a(ArticleView, reference=f"R-{each * 7919 % number:05}") for each in range(number)))
    lines = await shelf.lines()
    assert [line["référence"] for line in lines] == [f"R-{each:05}" for each in range(number)]
    answer = await shelf.get(format="xlsx")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0)
    assert [cells[0] for cells in sheet.to_python()[1:]] == [line["référence"] for line in lines]


@pytest.mark.parametrize("text", NASTY)
def test_what_somebody_typed_is_text_in_a_cell_and_comes_back(text: str) -> None:
    cell = defused(text)
    assert cell.lstrip("'")[:1] not in ("=", "+", "-", "@") or cell.startswith("'")
    assert as_typed(cell) == text


def test_lists_of_references_come_back_whatever_is_in_them() -> None:
    for references in ([], ["A"], ["A", "B"], *([one] for one in NASTY), list(NASTY), ["A,B"], ["A;B", "C"]):
        canonical = [one.strip() for one in references]
        assert references_in(listed(canonical)) == canonical


async def test_formulas_are_texts_in_both_formats(shelf: Shelf) -> None:
    await shelf.tell(a(ArticleView, reference="F-1", name=NASTY[0], description="@x", brand="-1+1"))
    [line] = await shelf.lines()
    assert (line["désignation"], line["description"], line["marque"]) == (f"'{NASTY[0]}", "'@x", "'-1+1")
    content = (await shelf.get(format="xlsx")).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "HYPERLINK" in sheet
        assert "<f>" not in sheet
        assert "<hyperlink" not in sheet
    [_, cells] = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert (cells[2], cells[6], cells[3]) == (NASTY[0], "@x", "-1+1")


async def test_whoever_goes_leaves_no_process_behind(shelf: Shelf) -> None:
    await shelf.tell(*(a(ArticleView, reference=f"R-{each}") for each in range(2 * PAGE)))

    def writing() -> list[psutil.Process]:
        children = psutil.Process().children(recursive=True)
        return [one for one in children if "sav_edge.write_workbook" in one.cmdline()]

    asking = asyncio.create_task(shelf.get(format="xlsx"))
    await eventually(lambda: asyncio.sleep(0, bool(writing())), 20)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await eventually(lambda: asyncio.sleep(0, not writing()), 20)


class Line:
    """A connection: what was sent over it, and whether it was cut."""

    def __init__(self, unread: bool = False) -> None:
        self.sent: list[Any] = []
        self.cuts = 0
        self._unread = unread

    @property
    def scope(self) -> Any:
        return {"extensions": {CUT: {"now": self.cut}}}

    def cut(self) -> None:
        self.cuts += 1

    async def receive(self) -> Any:
        await asyncio.Event().wait()

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        if self._unread and message["type"] == "http.response.body":
            await asyncio.Event().wait()


async def test_a_body_that_cannot_be_finished_has_no_end() -> None:
    """The caller sees that it is cut off, and takes a part for no whole."""

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"half"
        raise OSError

    line = Line()
    await StreamedReply(chunks(), "text/csv", {})(line.scope, line.receive, line.send)
    assert [message.get("more_body") for message in line.sent] == [None, True]
    assert line.cuts == 1


async def test_whoever_reads_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply, "UNREAD", 0.05)
    closed = False

    async def chunks() -> AsyncGenerator[bytes, None]:
        nonlocal closed
        try:
            while True:
                yield b"more"
        finally:
            closed = True

    line = Line(unread=True)
    await StreamedReply(chunks(), "text/csv", {})(line.scope, line.receive, line.send)
    assert (line.cuts, closed) == (1, True)


async def import_of(manager: Person, content: bytes, name: str, **fields: str) -> Json:
    file = {"file": (name, content)}
    begun = done(await manager.ask("POST", "/articles/import", files=file, data=fields), 202)

    async def over() -> Json | None:
        found: Json = done(await manager.get(f"/articles/imports/{begun['id']}"))
        return found if found["status"] in ("done", "refused") else None

    return await eventually(over, 30)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_what_is_exported_is_taken_back_with_nothing_changed(system: System, form: str) -> None:
    """Over the whole system: added by commands, exported, imported; nasty names, parts, a retired article too."""
    manager = await system.manager()
    brand = f"Marque {uuid4()}"
    usual: Json = {"brand": brand, "family": "part", "description": "x", "price": "1.05"}
    ids: list[str] = []
    for number, name in enumerate(NASTY):
        reference = f"{name[:20]} {uuid4().hex[:12]}" if number % 2 else f"{uuid4().hex[:12]} {name[:20]}"
        new: Json = usual | {
            "reference": reference,
            "name": f"{name}",
            "description": f"{name}\n{name}",
            "model": name,
        }
        new |= {"compatible_parts": ids[-3:], "spare_parts_until": "2036-12-31" if number % 3 else None}
        ids.append(done(await manager.post("/articles", new), 201)["id"])
    done(await manager.ask("DELETE", f"/articles/{ids[0]}"))
    done(await manager.ask("PATCH", f"/articles/{ids[1]}", json={"status": "end_of_life"}))

    async def exported() -> httpx.Response | None:
        answer = await manager.get("/articles/export", format=form, brand=brand)
        return answer if answer.status_code == 200 else None

    answer = await eventually(exported)
    told = await import_of(manager, answer.content, f"a.{form}")
    report = (await manager.get(f"/articles/imports/{told['id']}/report")).text if told["report"] else ""
    assert (told["status"], told["unchanged"], told["wrong"]) == ("done", len(NASTY), 0), report
    before = [done(await manager.get(f"/articles/{id}"))["version"] for id in ids]
    assert before == [2, 2, *[1] * (len(NASTY) - 2)]


async def test_the_report_of_wrong_lines_is_a_download(system: System) -> None:
    manager = await system.manager()
    told = await import_of(manager, b"reference;price\r\n=X;viel\r\n", "a.csv", dry_run="true")
    assert (told["status"], told["wrong"], told["dry_run"]) == ("done", 1, True)
    answer = await manager.get(f"/articles/imports/{told['id']}/report")
    assert answer.headers["content-type"].partition(";")[0] == "text/csv"
    assert answer.headers["content-disposition"].startswith('attachment; filename="a.report.csv"')
    assert "viel" in answer.text
    [listed_one, *_] = done(await manager.get("/articles/imports", status="done", by_id=manager.id))["items"]
    assert listed_one["id"] == told["id"]


def test_every_field_of_an_article_has_a_column() -> None:
    assert sorted(column.field for column in COLUMNS) == sorted([*AddArticle.model_fields, "status"])
    for column in COLUMNS:
        assert all(column_of(name) is column for name in (column.field, *column.french))
