"""Bodies: forms with files, JSON where no file must come; what cannot be read and what is too large is refused."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from given_uploads import CLAIM, PRODUCT, At
from papers import PDF
from pictures import picture
from stories import refused, wrong_fields

from sav_contracts.catalog.product import RegisterProduct, SendProof
from sav_contracts.claims.photo import AddPhotos
from sav_contracts.claims.reclamation import OpenReclamation
from sav_contracts.files import MAX_BODY, MAX_FILE_BYTES, MAX_UPLOAD, StoredFile
from sav_contracts.interventions.report import SignReport

BUYING = {
    "article_id": str(uuid4()),
    "serial": "S-1",
    "purchase_date": "2026-01-02",
    "place": '{"address": "1 rue Haute", "postcode": "75001", "city": "Paris"}',
}


async def test_bodies_in_hand_are_bounded_together_and_room_comes_back(at: At) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="photos"; filename="a"\r\n\r\n'
        yield b"x" * (MAX_FILE_BYTES - 1)
        begun.set()
        await go_on.wait()
        yield b"\r\n--x--\r\n"

    form = {"Content-Type": "multipart/form-data; boundary=x"}
    many = [("photos", (f"{n}.jpg", b"x" * 8_000_000)) for n in range(3)]
    async with at(AddPhotos) as desk:
        first = asyncio.create_task(desk.send(content=slow(), headers=form))
        await begun.wait()
        problem = refused(await desk.send(data=CLAIM, files=many), 503, "unavailable")
        assert problem["detail"] == "Many files are being sent just now; try again in a moment"
        await desk.sends(data=CLAIM, files={"photos": ("a.jpg", picture())})
        go_on.set()
        refused(await first, 422, "invalid")
        refused(await desk.send(data=CLAIM, files=many), 415, "unsupported_media_type")


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
        within = {"product_id": '[{"id": 1, "id": 2}]'}
        assert wrong_fields(await desk.send(data=within, files={"proof": ("a.pdf", PDF)})) == {
            "product_id.0.id"
        }
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


@pytest.mark.parametrize("packed", ["gzip", "deflate", "br", "GZIP", "identity, gzip"])
async def test_a_packed_body_is_refused_with_the_reason(at: At, packed: str) -> None:
    body = b'{"intervention_id": "%s", "refused": "absent"}' % str(uuid4()).encode()
    async with at(SignReport) as desk:
        for content in (gzip.compress(body), body):
            answer = await desk.send(content=content, headers={"Content-Encoding": packed})
            problem = refused(answer, 415, "unsupported_media_type")
            assert "Content-Encoding" in problem["detail"]
        plain = {"Content-Encoding": "identity"}
        assert (await desk.sends(content=body, headers=plain)).refused == "absent"


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
        largest = PDF.replace(b"startxref", b" " * (MAX_FILE_BYTES - len(PDF)) + b"startxref")
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
