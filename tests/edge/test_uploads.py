"""Files that come in: what is kept of them, what is refused, and that nobody unknown makes us keep any."""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from given_uploads import CLAIM, PRODUCT, At, opened_picture
from papers import PDF, paper
from pictures import GPS, SVG, bomb, heic, photo, picture
from PIL import Image
from pillow_heif import register_heif_opener
from stories import done, opened, refused
from system import Person, System

from sav_contracts.actor import Role
from sav_contracts.catalog.article import SetArticleImage
from sav_contracts.catalog.product import RegisterProduct, SendProof
from sav_contracts.claims.photo import AddPhotos
from sav_contracts.claims.reclamation import OpenReclamation
from sav_contracts.files import MAX_FILE_BYTES, StoredFile
from sav_contracts.interventions.report import SignReport
from sav_contracts.interventions.visit_photo import AddVisitPhotos
from sav_contracts.messages import RequestMessage
from sav_contracts.surface import SURFACE
from sav_edge import uploads
from sav_edge.bodies import file_fields
from sav_edge.screen_upload import recognised
from sav_edge.uploads import file_name


def test_the_fields_that_an_upload_fills_are_found() -> None:
    found = {
        message: file_fields(message)
        for message in (SendProof, RegisterProduct, AddPhotos, AddVisitPhotos, SignReport)
    }
    assert {message: list(fields) for message, fields in found.items()} == {
        SendProof: ["proof"],
        RegisterProduct: ["proof"],
        AddPhotos: ["photos"],
        AddVisitPhotos: ["photos"],
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
        assert Image.MIME[opened_picture(desk.kept()[0]).format or ""] == media_type


async def test_a_large_picture_is_made_smaller(at: At) -> None:
    async with at(AddPhotos) as desk:
        await desk.sends(data=CLAIM, files={"photos": ("a.png", picture("PNG", (5120, 100)))})
        assert opened_picture(desk.kept()[0]).size == (2560, 50)


def ramp(mode: str, width: int = 256) -> Image.Image:
    """From black at the left to white at the right, in a mode of Pillow."""
    grey = Image.linear_gradient("L").rotate(90).resize((width, 64))
    if mode == "I;16":
        return Image.frombytes(
            mode, grey.size, bytes(byte for shade in grey.tobytes() for byte in (shade, shade))
        )
    if mode == "LA":
        return Image.merge("LA", (grey, Image.new("L", grey.size, 255)))
    return grey.convert(mode)


@pytest.mark.parametrize(
    ("form", "mode", "how"),
    [
        ("PNG", "L", {}),
        ("PNG", "I;16", {}),
        ("HEIF", "I;16", {"quality": -1}),
        ("PNG", "LA", {}),
        ("PNG", "P", {}),
        ("PNG", "P", {"transparency": 1}),
        ("PNG", "L", {"transparency": 1}),
        ("JPEG", "CMYK", {"quality": 95}),
        ("JPEG", "CMYK", {"quality": 95, "progressive": True}),
        ("WEBP", "RGBA", {"lossless": True}),
        ("PNG", "1", {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("width", [256, 5120])
def test_a_picture_stays_as_light_as_it_was(form: str, mode: str, how: dict[str, Any], width: int) -> None:
    """However many bits its greys have, and whatever its colours are mixed of; also where it is made smaller."""
    register_heif_opener()
    sent = BytesIO()
    ramp(mode, width).save(sent, form, **how)
    kept, _ = recognised(sent.getvalue())
    # Of dots, which 1 bit is printed as, the mean is the grey.
    seen = opened_picture(kept).convert("L").resize((8, 1), Image.Resampling.BOX)
    for column, shade in enumerate(seen.tobytes()):
        assert abs(shade - (32 * column + 16)) < 8, (column, shade)


def near(pixel: Any) -> str:
    """The colour that it nearly is, as compression leaves it."""
    r, g, b = pixel
    return "red" if r > 200 and g < 60 and b < 60 else "blue" if b > 200 and r < 60 else str(pixel)


@pytest.mark.parametrize(("orientation", "red", "blue"), [(1, (9, 24), (54, 24)), (6, (24, 9), (24, 54))])
async def test_a_photo_in_the_format_of_a_phone_is_kept_upright_and_without_its_place(
    at: At, orientation: int, red: tuple[int, int], blue: tuple[int, int]
) -> None:
    async with at(AddPhotos) as desk:
        sent = heic(orientation=orientation)
        assert GPS.encode() in sent
        command = await desk.sends(data=CLAIM, files={"photos": ("IMG_0042.HEIC", sent, "image/heic")})
        [photo] = command.photos
        assert (photo.media_type, photo.name) == ("image/jpeg", "IMG_0042.jpg")
        [kept] = desk.kept()
        assert GPS.encode() not in kept
        shown = Image.open(BytesIO(kept)).convert("RGB")
        assert shown.getexif() == {}
        assert [near(shown.getpixel(spot)) for spot in (red, blue)] == ["red", "blue"]


async def test_the_same_request_makes_the_same_command(at: At) -> None:
    async with at(AddPhotos) as desk:
        sent = {"data": CLAIM, "files": {"photos": ("a.jpg", photo(6))}}
        assert (await desk.send(**sent)).content == (await desk.send(**sent)).content
        assert len(desk.kept()) == 1


WHOLE = picture(size=(640, 480))
UNREAD = (
    "this file is not a picture or PDF we can read (JPEG, PNG, WebP, HEIC, PDF), or it was cut off: a.jpg"
)
LARGE = "this picture is too large: in this format up to {} million pixels can be read; send a smaller one, or a JPEG (a.jpg)"
UNSUITABLE = {
    "text": (b"hello", UNREAD),
    "svg": (SVG, UNREAD),
    "html": (b"<html><script>alert(1)</script></html>", UNREAD),
    "gif": (picture("GIF"), UNREAD),
    "tiff": (picture("TIFF"), UNREAD),
    "a jpeg that is cut off": (WHOLE[: len(WHOLE) // 2], UNREAD),
    "only the head of a jpeg": (WHOLE[:24], UNREAD),
    "a heic that is cut off": (heic()[:-60], UNREAD),
    "a png that is cut off": (picture("PNG")[:-30], UNREAD),
    "a webp that is cut off": (picture("WEBP")[:-30], UNREAD),
    "a png with a wrong checksum": (picture("PNG").replace(b"IDAT", b"IDAT\xff", 1), UNREAD),
    "an archive behind the head of a picture": (picture()[:200] + b"PK\x03\x04" + b"\0" * 300, UNREAD),
    "a bomb": (bomb(), LARGE.format(28)),
    "too many pixels": (picture("PNG", (8000, 6300)), LARGE.format(28)),
    "a pdf that is cut off": (PDF.replace(b"%%EOF", b""), "this PDF is cut off; send it again (a.jpg)"),
    "a pdf with a script": (
        paper(OpenAction="<< /S /JavaScript /JS (app.alert(1)) >>"),
        "this PDF holds scripts or actions; print it into a new PDF and send that (a.jpg)",
    ),
}


@pytest.mark.parametrize(("content", "sentence"), UNSUITABLE.values(), ids=UNSUITABLE)
async def test_what_is_not_what_it_says_is_refused_and_not_kept(
    at: At, content: bytes, sentence: str
) -> None:
    async with at(SendProof) as desk:
        answer = await desk.send(data=PRODUCT, files={"proof": ("a.jpg", content, "image/jpeg")})
        problem = refused(answer, 415, "unsupported_media_type")
        assert problem["errors"] == [{"field": "proof", "message": sentence}]
        assert problem["detail"] == f"proof: {sentence}"
        assert desk.kept() == []


async def test_a_picture_that_would_be_kept_too_large_is_refused(
    at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One that is too large in life takes a processor ten seconds.
    most = MAX_FILE_BYTES // 25
    monkeypatch.setattr(uploads, "MAX_FILE_BYTES", most)
    noise = Image.merge("RGB", [Image.effect_noise((800, 800), 200) for _ in range(3)])
    made = BytesIO()
    noise.quantize(16).save(made, "PNG")
    assert len(made.getvalue()) < most, "this is refused for another reason"
    async with at(AddPhotos) as desk:
        answer = await desk.send(data=CLAIM, files={"photos": ("a.png", made.getvalue())})
        problem = refused(answer, 413, "too_large")
        assert problem["detail"] == "photos: this picture is too large to be kept as it is; send it as a JPEG"
        assert desk.kept() == []


async def test_a_page_behind_a_picture_is_not_kept_with_it(at: At) -> None:
    async with at(AddPhotos) as desk:
        sent = picture() + b"<html><script>alert(1)</script>" + PDF
        await desk.sends(data=CLAIM, files={"photos": ("a.jpg", sent)})
        assert b"script" not in desk.kept()[0]
        assert b"%PDF" not in desk.kept()[0]


async def test_a_paper_is_not_taken_where_a_picture_is_wanted(at: At) -> None:
    async with at(AddPhotos) as desk:
        files = [("photos", ("a.jpg", picture())), ("photos", ("dossier/reçu.pdf", PDF))]
        answer = await desk.send(data=CLAIM, files=files)
        problem = refused(answer, 415, "unsupported_media_type")
        assert problem["detail"] == (
            "photos: this file is not a picture we can read (JPEG, PNG, WebP, HEIC), or it was cut off: reçu.pdf"
        )
        assert desk.kept() == []


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
    takers = [row for row in SURFACE if issubclass(row.message, RequestMessage) and file_fields(row.message)]
    assert {row.message for row in takers} >= {SetArticleImage, SendProof, AddPhotos, RegisterProduct}
    assert all(Role.ANYONE not in row.roles for row in takers)


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
