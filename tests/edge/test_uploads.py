"""Files that come in: what is taken, cleaned and kept, what is refused, and that nobody unknown makes us keep any."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from litestar import Litestar, Request, Response, route
from litestar.exceptions import HTTPException
from pictures import GPS, PDF, SVG, bomb, packed, photo, picture
from PIL import Image
from stories import done, opened, refused, wrong_fields
from system import Person, System

from sav_chassis.errors import SavError
from sav_chassis.files import Files
from sav_contracts.actor import Role
from sav_contracts.catalog.article import SetArticleImage
from sav_contracts.catalog.product import RegisterProduct, SendProof
from sav_contracts.claims import AddPhotos, OpenReclamation
from sav_contracts.files import MAX_BODY, MAX_FILE_BYTES, MAX_UPLOAD, StoredFile
from sav_contracts.interventions.report import SignReport
from sav_contracts.messages import Asked
from sav_contracts.surface import SURFACE
from sav_edge import problems, uploads
from sav_edge.uploads import Bounds, Uploads, file_fields, file_name

PRODUCT = {"product_id": str(uuid4())}
CLAIM = {"reclamation_id": str(uuid4())}
BUYING = {
    "article_id": str(uuid4()),
    "serial": "S-1",
    "purchase_date": "2026-01-02",
    "place": '{"address": "1 rue Haute", "postcode": "75001", "city": "Paris"}',
}


class Desk:
    """Takes one message over HTTP, and answers with what its owner would be sent."""

    def __init__(
        self, message: type[Asked[Any]], http: httpx.AsyncClient, files: Files, folder: Path
    ) -> None:
        self.message, self.http, self.files, self.folder = message, http, files, folder

    async def send(self, **request: Any) -> httpx.Response:
        return await self.http.post("/", **request)

    async def sends(self, **request: Any) -> Any:
        """The message as it was made."""
        return self.message.model_validate(done(await self.send(**request)))

    def kept(self) -> list[bytes]:
        """The files in the store."""
        return [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]


At = Callable[[type[Asked[Any]]], AbstractAsyncContextManager[Desk]]


@pytest.fixture
def at(tmp_path: Path) -> At:
    @asynccontextmanager
    async def opening(message: type[Asked[Any]]) -> AsyncIterator[Desk]:
        files = Files(tmp_path.as_uri())
        with ThreadPoolExecutor(2) as workers:
            taking = Uploads(files, workers, Bounds())

            @route("/", http_method="POST", status_code=200)
            async def take(request: Request[Any, Any, Any]) -> Response[bytes]:
                fields, sent = await uploads.read(message, request, Bounds())
                command = await taking.kept(message, fields, sent)
                return Response(command.wire(), media_type="application/json")

            app = Litestar(
                [take],
                openapi_config=None,
                request_max_body_size=2 * MAX_UPLOAD,
                exception_handlers={
                    SavError: problems.on_sav_error,
                    HTTPException: problems.on_http_error,
                },
            )
            transport = httpx.ASGITransport(app=cast("Any", app))
            async with httpx.AsyncClient(transport=transport, base_url="http://sav.test") as http:
                yield Desk(message, http, files, tmp_path)

    return opening


def opened_picture(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def test_the_fields_that_an_upload_fills_are_found() -> None:
    found = {message: file_fields(message) for message in (SendProof, RegisterProduct, AddPhotos, SignReport)}
    assert {message: list(fields) for message, fields in found.items()} == {
        SendProof: ["proof"],
        RegisterProduct: ["proof"],
        AddPhotos: ["photos"],
        SignReport: ["signature"],
    }
    assert [found[AddPhotos]["photos"].many, found[SendProof]["proof"].many] == [True, False]
    assert [found[RegisterProduct]["proof"].required, found[SendProof]["proof"].required] == [False, True]
    assert "application/pdf" in found[SendProof]["proof"].media_types
    assert "application/pdf" not in found[AddPhotos]["photos"].media_types
    assert not file_fields(OpenReclamation)


async def test_a_paper_is_kept_as_it_came(at: At) -> None:
    async with at(SendProof) as desk:
        command = await desk.sends(data=PRODUCT, files={"proof": ("reçu.pdf", PDF, "text/plain")})
        assert (command.proof.media_type, command.proof.name) == ("application/pdf", "reçu.pdf")
        assert await desk.files.get(command.proof) == PDF
        assert desk.kept() == [PDF]


async def test_several_photos_keep_their_order(at: At) -> None:
    async with at(AddPhotos) as desk:
        sizes = [(30, 20), (20, 30), (25, 25)]
        parts = [("photos", (f"{n}.jpg", picture(size=size))) for n, size in enumerate(sizes)]
        command = await desk.sends(data=CLAIM, files=parts)
        assert [file.name for file in command.photos] == ["0.jpg", "1.jpg", "2.jpg"]
        assert [opened_picture(await desk.files.get(file)).size for file in command.photos] == sizes


async def test_what_a_photo_tells_beside_its_picture_is_gone(at: At) -> None:
    sent = photo()
    assert sent.count(GPS.encode()) == 3, "this test would not see anything"
    async with at(AddPhotos) as desk:
        await desk.sends(data=CLAIM, files={"photos": ("a.jpg", sent)})
        [kept] = desk.kept()
        assert GPS.encode() not in kept
        assert b"Telefon" not in kept
        assert not opened_picture(kept).getexif()
        assert opened_picture(kept).info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize(
    ("orientation", "size", "red"),
    [(1, (64, 48), (2, 20)), (3, (64, 48), (60, 20)), (6, (48, 64), (20, 2)), (8, (48, 64), (20, 60))],
)
async def test_a_photo_is_kept_upright(
    at: At, orientation: int, size: tuple[int, int], red: tuple[int, int]
) -> None:
    async with at(AddPhotos) as desk:
        await desk.sends(data=CLAIM, files={"photos": ("a.jpg", photo(orientation))})
        kept = opened_picture(desk.kept()[0])
        assert kept.size == size
        colour = cast("tuple[int, int, int]", kept.getpixel(red))
        assert colour[0] > 200 > 50 > colour[2]


@pytest.mark.parametrize(
    ("form", "media_type", "name"),
    [("JPEG", "image/jpeg", "a.jpg"), ("PNG", "image/png", "a.png"), ("WEBP", "image/jpeg", "a.jpg")],
)
async def test_the_type_is_that_of_the_bytes_whatever_the_sender_says(
    at: At, form: str, media_type: str, name: str
) -> None:
    async with at(SendProof) as desk:
        sent = {"proof": ("a.html", picture(form), "text/html")}
        command = await desk.sends(data=PRODUCT, files=sent)
        assert (command.proof.media_type, command.proof.name) == (media_type, name)
        assert opened_picture(desk.kept()[0]).get_format_mimetype() == media_type


async def test_a_large_picture_is_made_smaller(at: At) -> None:
    async with at(AddPhotos) as desk:
        await desk.sends(data=CLAIM, files={"photos": ("a.png", picture("PNG", (5120, 100)))})
        assert opened_picture(desk.kept()[0]).size == (2560, 50)


async def test_the_same_request_makes_the_same_command(at: At) -> None:
    async with at(AddPhotos) as desk:
        sent = {"data": CLAIM, "files": {"photos": ("a.jpg", photo(6))}}
        assert (await desk.send(**sent)).content == (await desk.send(**sent)).content
        assert len(desk.kept()) == 1


WHOLE = picture(size=(640, 480))
UNSUITABLE = {
    "text": b"hello",
    "svg": SVG,
    "html": b"<html><script>alert(1)</script></html>",
    "gif": picture("GIF"),
    "tiff": picture("TIFF"),
    "a jpeg that is cut off": WHOLE[: len(WHOLE) // 2],
    "only the head of a jpeg": WHOLE[:24],
    "a png that is cut off": picture("PNG")[:-30],
    "a png with a wrong checksum": picture("PNG").replace(b"IDAT", b"IDAT\xff", 1),
    "a bomb": bomb(),
    "too many pixels": picture("PNG", (8000, 6300)),
    "a pdf that is cut off": PDF.replace(b"%%EOF", b""),
    "an encrypted pdf": PDF.replace(b"/Root", b"/Encrypt 5 0 R /Root"),
    "a pdf with a script": PDF.replace(
        b"/Type", b"/OpenAction << /S /JavaScript /JS (app.alert(1)) >> /Type"
    ),
    "a pdf that hides it in a name": PDF.replace(b"/Type", b"/OpenAction << /S /J#61vaScript >> /Type"),
    "a pdf that hides it in packed objects": packed(b"5 0 << /S /JavaScript /JS (app.alert(1)) >>"),
    "a pdf that starts a program": PDF.replace(b"/Type", b"/A << /S /Launch /F (cmd.exe) >> /Type"),
    "a pdf whose objects cannot be unpacked": packed(b"x").replace(b"stream\r\n", b"stream\r\nnothing"),
    "an archive behind the head of a picture": picture()[:200] + b"PK\x03\x04" + b"\0" * 300,
}


@pytest.mark.parametrize("content", UNSUITABLE.values(), ids=UNSUITABLE)
async def test_what_is_not_what_it_says_is_refused_and_not_kept(at: At, content: bytes) -> None:
    async with at(SendProof) as desk:
        answer = await desk.send(data=PRODUCT, files={"proof": ("a.jpg", content, "image/jpeg")})
        problem = refused(answer, 415, "unsupported_media_type")
        assert [error["field"] for error in problem["errors"]] == ["proof"]
        assert "image/jpeg" in problem["detail"]
        assert desk.kept() == []


async def test_a_page_behind_a_picture_is_not_kept_with_it(at: At) -> None:
    async with at(AddPhotos) as desk:
        sent = picture() + b"<html><script>alert(1)</script>" + PDF
        await desk.sends(data=CLAIM, files={"photos": ("a.jpg", sent)})
        assert b"script" not in desk.kept()[0]
        assert b"%PDF" not in desk.kept()[0]


async def test_a_pdf_that_merely_holds_much_is_taken(at: At) -> None:
    with_objects = packed(b"5 0 << /S /GoTo /Title (JavaScript) /JavaScripts 1 >>")
    async with at(SendProof) as desk:
        await desk.sends(data=PRODUCT, files={"proof": ("a.pdf", with_objects)})
        assert desk.kept() == [with_objects]


async def test_a_paper_is_not_taken_where_a_picture_is_wanted(at: At) -> None:
    async with at(AddPhotos) as desk:
        answer = await desk.send(data=CLAIM, files=[("photos", picture()), ("photos", PDF)])
        assert "application/pdf" in refused(answer, 415, "unsupported_media_type")["detail"]
        assert desk.kept() == []


async def test_nothing_is_kept_of_a_request_with_a_wrong_field(at: At) -> None:
    async with at(AddPhotos) as desk:
        one = {"photos": ("a.jpg", picture())}
        for fields, wrong in (
            ({"reclamation_id": "x"}, {"reclamation_id"}),
            (CLAIM | {"colour": "red"}, {"colour"}),
            ({}, {"reclamation_id"}),
        ):
            assert wrong_fields(await desk.send(data=fields, files=one)) == wrong
        many = [("photos", (f"{n}.jpg", picture())) for n in range(7)]
        assert wrong_fields(await desk.send(data=CLAIM, files=many)) == {"photos"}
        assert desk.kept() == []


async def test_a_form_without_its_file_is_told_which(at: At) -> None:
    async with at(SendProof) as desk:
        for part in (("", b""), (None, b"")):
            answer = await desk.send(files={"product_id": (None, str(uuid4())), "proof": part})
            assert wrong_fields(answer) == {"proof"}
        assert wrong_fields(await desk.send(data=PRODUCT, files={"proof": ("a.pdf", b"")})) == {"proof"}


async def test_files_where_none_or_one_belongs_are_refused(at: At) -> None:
    async with at(SendProof) as desk:
        two = [("proof", ("a.pdf", PDF)), ("proof", ("b.pdf", PDF))]
        assert wrong_fields(await desk.send(data=PRODUCT, files=two)) == {"proof"}
        other = [("proof", ("a.pdf", PDF)), ("product_id", ("b.pdf", PDF))]
        assert wrong_fields(await desk.send(files=other)) == {"product_id"}
        twice = [("product_id", (None, "x")), ("product_id", (None, "x"))]
        assert wrong_fields(await desk.send(files=twice)) == {"product_id"}
        assert desk.kept() == []


async def test_fields_of_a_form_are_read_as_texts_and_json(at: At) -> None:
    async with at(RegisterProduct) as desk:
        fields = BUYING | {"serial": "[1", "delivery_date": ""}
        command = await desk.sends(data=fields, files={"proof": ("", b"")})
        assert (command.place.city, command.serial) == ("Paris", "[1")
        assert command.delivery_date is None
        assert command.proof is None
        command = await desk.sends(data=BUYING, files={"proof": ("reçu.pdf", PDF)})
        assert command.proof.name == "reçu.pdf"
        wrong = BUYING | {"place": '{"address": "x"}', "serial": ""}
        answer = await desk.send(data=wrong, files={"proof": ("reçu.pdf", PDF)})
        assert wrong_fields(answer) == {"place.postcode", "place.city", "serial"}


async def test_a_row_with_an_optional_file_takes_json_without_it(at: At) -> None:
    async with at(SignReport) as desk:
        body = {"intervention_id": str(uuid4()), "refused": "le client est absent"}
        assert (await desk.sends(json=body)).refused == "le client est absent"
        assert (await desk.sends(json=body | {"signature": None})).signature is None
        named = StoredFile(sha256="a" * 64, media_type="image/png", size=1, name="x").model_dump()
        answer = await desk.send(json=body | {"signature": named})
        assert wrong_fields(answer) == {"signature"}
        assert "multipart/form-data" in answer.text


async def test_a_row_that_needs_a_file_takes_no_json(at: At) -> None:
    async with at(SendProof) as desk:
        named = StoredFile(sha256="a" * 64, media_type="application/pdf", size=1, name="x").model_dump()
        for request in ({"json": PRODUCT | {"proof": named}}, {"content": b""}):
            problem = refused(await desk.send(**request), 415, "unsupported_media_type")
            assert problem["errors"][0]["field"] == "proof"
            assert "multipart/form-data" in problem["detail"]


@pytest.mark.parametrize("media_type", ["text/plain", "text/json", "multipart/mixed", "x"])
async def test_a_body_of_another_type_is_refused(at: At, media_type: str) -> None:
    for message, more in ((OpenReclamation, ["multipart/form-data"]), (SendProof, []), (SignReport, [])):
        async with at(message) as desk:
            for given in (media_type, *more):
                answer = await desk.send(content=b"{}", headers={"Content-Type": given})
                refused(answer, 415, "unsupported_media_type")


async def test_json_with_parameters_or_without_a_type_of_its_own_is_json(at: At) -> None:
    async with at(SignReport) as desk:
        body = b'{"intervention_id": "%s", "refused": "absent"}' % str(uuid4()).encode()
        by_curl = {"Content-Type": "application/x-www-form-urlencoded"}
        for headers in ({}, by_curl, {"Content-Type": "application/json; charset=utf-8"}):
            assert (await desk.sends(content=body, headers=headers)).refused == "absent"


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n\r\n--x--", "multipart/form-data; boundary=x"),
        (b"--x--", "multipart/form-data"),
        (b"nothing", "multipart/form-data; boundary=x"),
        (b"--x\r\nA: b\r\n" * 20, "multipart/form-data; boundary=x"),
        (
            b"".join(b'--x\r\nContent-Disposition: form-data; name="n%d"\r\n\r\n\r\n' % n for n in range(300))
            + b"--x--",
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=range(7),
)
async def test_a_form_that_cannot_be_read_is_malformed(at: At, body: bytes, media_type: str) -> None:
    async with at(SendProof) as desk:
        answer = await desk.send(content=body, headers={"Content-Type": media_type})
        refused(answer, 400, "malformed")


async def test_a_file_that_is_too_large_is_refused_by_name(at: At) -> None:
    async with at(SendProof) as desk:
        answer = await desk.send(data=PRODUCT, files={"proof": ("a.pdf", b"%" * (MAX_FILE_BYTES + 1))})
        problem = refused(answer, 413, "too_large")
        assert [error["field"] for error in problem["errors"]] == ["proof"]
        assert "10 MB" in problem["detail"]
        largest = PDF.ljust(MAX_FILE_BYTES - 6, b"\n") + b"%%EOF\n"
        assert (
            await desk.sends(data=PRODUCT, files={"proof": ("a.pdf", largest)})
        ).proof.size == MAX_FILE_BYTES


async def test_a_request_that_is_too_large_is_refused_while_it_comes(at: At) -> None:
    sent = 0

    async def growing() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="photos"; filename="a"\r\n\r\n'
        for _ in range(MAX_UPLOAD):
            for _ in range(90):
                sent += 100_000
                yield b"x" * 100_000
            yield b'\r\n--x\r\nContent-Disposition: form-data; name="photos"; filename="a"\r\n\r\n'

    async with at(AddPhotos) as desk:
        form = {"Content-Type": "multipart/form-data; boundary=x"}
        assert (
            "30 MB" in refused(await desk.send(content=growing(), headers=form), 413, "too_large")["detail"]
        )
        assert sent <= MAX_UPLOAD + 200_000
        told = form | {"Content-Length": str(MAX_UPLOAD + 1)}
        refused(await desk.send(content=b"", headers=told), 413, "too_large")


async def test_json_and_the_texts_of_a_form_have_less_room(at: At) -> None:
    async with at(SignReport) as desk:
        refused(await desk.send(json={"refused": "x" * MAX_BODY}), 413, "too_large")
        form = {"refused": (None, "x" * (MAX_BODY + 1))}
        refused(await desk.send(files=form), 413, "too_large")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", "file.jpg"),
        ("photo.JPG", "photo.JPG"),
        ("photo.jpeg", "photo.jpeg"),
        ("a.html", "a.jpg"),
        ("../../etc/passwd", "passwd.jpg"),
        ("C:\\Users\\léa\\fuite n° 1.webp", "fuite n° 1.jpg"),
        (".jpg", "file.jpg"),
        ("a\r\nSet-Cookie: x.jpg", "aSet-Cookie: x.jpg"),
        ("gpj.\u202eexe", "gpj.jpg"),
        ("x" * 300 + ".jpg", "x" * 196 + ".jpg"),
        ("\0\x1b", "file.jpg"),
    ],
)
def test_a_name_is_cleaned(given: str, kept: str) -> None:
    assert file_name(given, "image/jpeg") == kept
    StoredFile(sha256="a" * 64, media_type="image/jpeg", size=1, name=kept)


def test_no_row_lets_anybody_upload() -> None:
    takers = [row for row in SURFACE if issubclass(row.message, Asked) and file_fields(row.message)]
    assert {row.message for row in takers} >= {SetArticleImage, SendProof, AddPhotos, RegisterProduct}
    assert all(Role.ANYONE not in row.reach for row in takers)


@pytest.fixture(scope="module")
async def lea(system: System) -> Person:
    return await system.client()


def stored(system: System) -> int:
    folder = Path(httpx.URL(system.settings.files_url).path)
    return sum(1 for path in folder.rglob("*") if path.is_file())


async def test_photos_of_a_reclamation_come_back_as_pictures(system: System, lea: Person) -> None:
    claim = await opened(lea)
    path = f"/reclamations/{claim['id']}/photos"
    parts = [("photos", ("fuite é.jpg", photo(6))), ("photos", ("b.png", picture("PNG")))]
    key = {"Idempotency-Key": str(uuid4())}
    added = done(await lea.ask("POST", path, files=parts, headers=key), 201)["items"]
    assert done(await lea.ask("POST", path, files=parts, headers=key), 201)["items"] == added
    assert [item["file"]["media_type"] for item in added] == ["image/jpeg", "image/png"]
    listed = done(await lea.get(path))["items"]
    assert {item["id"] for item in listed} == {item["id"] for item in added}
    answer = await lea.get(f"{path}/{added[0]['id']}")
    assert answer.status_code == 200
    assert (answer.headers["content-type"], opened_picture(answer.content).size) == ("image/jpeg", (48, 64))
    stranger = await system.client()
    refused(await stranger.get(f"{path}/{added[0]['id']}"), 404, "not_found")
    refused(await stranger.ask("POST", path, files=parts), 404, "not_found")


async def test_who_may_not_upload_is_refused_before_anything_is_read(system: System, lea: Person) -> None:
    before = stored(system)
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        yield b'--x\r\nContent-Disposition: form-data; name="photos"; filename="a.jpg"\r\n\r\n'
        read += 1
        yield picture(size=(333, 111)) + b"\r\n--x--\r\n"

    form = {"Content-Type": "multipart/form-data; boundary=x"}
    path = f"/reclamations/{uuid4()}/photos"
    refused(await system.visitor().ask("POST", path, content=body(), headers=form), 401, "not_signed_in")
    wrong = form | {"Authorization": "Bearer x"}
    refused(await system.visitor().ask("POST", path, content=body(), headers=wrong), 401, "not_signed_in")
    image = f"/articles/{uuid4()}/image"
    refused(await lea.ask("PUT", image, content=body(), headers=form), 403, "not_allowed")
    await asyncio.sleep(0)
    assert (read, stored(system)) == (0, before)
