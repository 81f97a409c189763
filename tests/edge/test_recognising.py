"""What a recogniser takes: memory and time are held under their bounds, measured in the process that runs."""

import asyncio
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from eventually import eventually
from papers import CATALOG, PAGE, PAGES, of_objects
from pictures import chunk, heic, picture
from PIL import Image

from sav_contracts.files import MAX_FILE_BYTES
from sav_edge import pictures
from sav_edge.pdfs import CutOff
from sav_edge.screen_upload import MEMORY
from sav_edge.upload_errors import Unreadable, Unsuitable
from sav_edge.upload_screening import PROGRAM, UploadScreening

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
Makes = Callable[[int], bytes]


# Started by a small process: what is told of a child's memory counts that of the process that it came from.
MEASURED = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(child.pid, 0)
print(used.ru_maxrss, file=sys.stderr)
sys.exit(abs(os.waitstatus_to_exitcode(status)))
"""


class Seen(NamedTuple):
    """How a recogniser ended: its exit code, what it answered, and its peak of memory in bytes."""

    code: int
    kind: str
    kept: bytes
    peak: int


def seen(content: bytes, *arguments: str) -> Seen:
    words = [sys.executable, "-I", "-c", MEASURED, *PROGRAM, *arguments]
    ended = subprocess.run(words, input=content, capture_output=True, env={})
    kind, _, kept = ended.stdout.partition(b"\n")
    peak = re.search(rb"(\d+)\s*$", ended.stderr)
    assert peak, ended.stderr
    return Seen(ended.returncode, kind.decode(), kept, int(peak[1]) * 1024)


def png(colour: int, depth: int, *, interlaced: bool = False, more: bytes = b"") -> Makes:
    """A black square of so many pixels on each side, in some kilobytes."""

    def made(side: int) -> bytes:
        packer, data = zlib.compressobj(1), b""
        grids = [(0, 0, 1, 1)]
        if interlaced:  # PNG specification, 8.2
            grids = [
                (0, 0, 8, 8),
                (4, 0, 8, 8),
                (0, 4, 4, 8),
                (2, 0, 4, 4),
                (0, 2, 2, 4),
                (1, 0, 2, 2),
                (0, 1, 1, 2),
            ]
        for left, top, across, down in grids:
            wide, high = -(-(side - left) // across), -(-(side - top) // down)
            row = b"\0" * (1 + -(-wide * depth * CHANNELS[colour] // 8))
            data += b"".join(packer.compress(row) for _ in range(high))
        head = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, interlaced)
        palette = chunk(b"PLTE", bytes(range(256)) * 3) if colour == 3 else b""
        body = chunk(b"IHDR", head) + palette + more + chunk(b"IDAT", data + packer.flush())
        return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")

    return made


def saved(form: str, mode: str, *, frames: int = 1, **how: Any) -> Makes:
    """A square whose alpha, if it has one, is noise."""

    def made(side: int) -> bytes:
        canvas = Image.new(mode, (side, side))
        if mode == "RGBA":
            canvas.putalpha(Image.effect_noise((side // 4, side // 4), 90).resize((side, side)))
        more = [Image.new(mode, (side, side), "blue") for _ in range(frames - 1)]
        written = BytesIO()
        canvas.save(written, form, **how, **({"save_all": True, "append_images": more} if more else {}))
        return written.getvalue()

    return made


def photo(width: int, height: int, **how: Any) -> bytes:
    """A JPEG of any size without so much memory: its rows begin anew, so that the same ones may come again."""
    high = 640
    whole = picture(size=(width, high), restart_marker_rows=1, **how)
    head, rows = whole[: (at := whole.index(b"\xff\xda") + 14)], whole[at:-2]
    size = head.index(b"\xff\xc0") + 5
    head = head[:size] + struct.pack(">H", height) + head[size + 2 :]
    return head + b"\xff\xd7".join([rows] * (height // high)) + b"\xff\xd9"


TRANSPARENT = {0: b"\0\0", 2: b"\0" * 6, 3: b"\x80" * 256}
# The largest square of each kind that is taken.
WORST: dict[str, tuple[int, Makes]] = {
    "png of bits": (10_000, png(0, 1)),
    "png, grey": (13_900, png(0, 8)),
    "png, 16 bits of grey": (6_500, png(0, 16)),
    "png, colours": (6_350, png(2, 8)),
    "png, 16 bits a colour": (6_350, png(2, 16)),
    "png, interlaced": (6_350, png(2, 8, interlaced=True)),
    "png, palette": (5_750, png(3, 8)),
    "png, grey and alpha": (4_750, png(4, 8)),
    "png, colours and alpha": (4_750, png(6, 16)),
    "png, transparent grey": (4_750, png(0, 8, more=chunk(b"tRNS", TRANSPARENT[0]))),
    "png, transparent colour": (4_750, png(2, 8, more=chunk(b"tRNS", TRANSPARENT[2]))),
    "png, transparent palette": (4_750, png(3, 8, more=chunk(b"tRNS", TRANSPARENT[3]))),
    "png, animated": (6_350, saved("PNG", "RGB", frames=2)),
    "jpeg, progressive": (5_000, saved("JPEG", "RGB", progressive=True)),
    "jpeg, progressive, all colours": (4_000, saved("JPEG", "RGB", progressive=True, subsampling=0)),
    "jpeg, progressive, CMYK": (3_700, saved("JPEG", "CMYK", progressive=True)),
    "jpeg, CMYK": (5_000, saved("JPEG", "CMYK")),
    "webp": (4_000, saved("WEBP", "RGB")),
    "webp, lossless": (4_000, saved("WEBP", "RGB", lossless=True, method=0)),
    "webp, alpha": (4_000, saved("WEBP", "RGBA", method=0)),
    "webp, animated": (4_000, saved("WEBP", "RGB", frames=2, method=0)),
}


@pytest.mark.parametrize(("side", "make"), WORST.values(), ids=WORST)
def test_the_largest_picture_of_each_kind_stays_in_its_memory(side: int, make: Makes) -> None:
    worst = seen(make(side))
    assert (worst.code, worst.kind.partition("/")[0]) == (0, "image")
    assert Image.open(BytesIO(worst.kept)).size == (2560, 2560)
    # What is counted, and what Python, its decoders and the file itself take beside it.
    assert worst.peak < pictures.ROOM + 50_000_000 < MEMORY


@pytest.mark.parametrize("name", [name for name in WORST if name.startswith(("png", "webp"))])
def test_a_larger_one_is_refused_before_it_is_decoded(name: str) -> None:
    side, make = WORST[name]
    larger = seen(make(side * 26 // 25))
    assert (larger.code, larger.kind) == (0, "refused")
    assert "million pixels can be read" in larger.kept.decode()
    # A WebP is taken apart when it is opened.
    assert larger.peak < 60_000_000


@pytest.mark.parametrize(
    ("width", "height", "how"),
    [
        (4_000, 3_200, {"progressive": True}),
        (8_160, 6_400, {}),
        (12_000, 8_960, {}),
        (16_320, 12_160, {"subsampling": 0}),
    ],
    ids=["12 million, progressive", "50 million", "108 million", "200 million"],
)
def test_photos_of_phones_are_taken_and_take_little(width: int, height: int, how: dict[str, Any]) -> None:
    sent = picture(size=(width, height), **how) if how.get("progressive") else photo(width, height, **how)
    assert len(sent) < MAX_FILE_BYTES
    taken = seen(sent)
    kept = Image.open(BytesIO(taken.kept))
    assert (kept.format, kept.size) == ("JPEG", (2560, round(2560 * height / width)))
    assert [kept.getpixel((x, kept.height - 9)) for x in (9, 2550)] == [(254, 0, 0), (0, 0, 254)]
    assert taken.peak < 200_000_000


@pytest.mark.parametrize("chroma", [420, 444])
def test_a_heic_as_phones_take_it_stays_in_its_memory(chroma: int) -> None:
    size = (5712, 4284) if chroma == 420 else (4032, 3024)
    taken = seen(heic(size, chroma=chroma))
    assert (taken.code, Image.open(BytesIO(taken.kept)).size) == (0, (2560, 1920))
    assert taken.peak < pictures.ROOM + 50_000_000


def test_a_larger_heic_is_refused_before_it_is_decoded() -> None:
    larger = seen(heic((7000, 5300)))
    assert (larger.code, larger.kind) == (0, "refused")
    assert "up to 25 million pixels" in larger.kept.decode()
    assert larger.peak < 100_000_000


@pytest.mark.parametrize(
    "content",
    [png(6, 8)(2560), saved("JPEG", "RGB", progressive=True, subsampling=0)(2560), photo(2560, 2560)],
    ids=["png, colours and alpha", "jpeg, progressive, all colours", "jpeg"],
)
def test_the_largest_picture_that_is_kept_is_made_smaller_in_little_memory(content: bytes) -> None:
    small = seen(content, "320")
    assert (small.code, Image.open(BytesIO(small.kept)).size) == (0, (320, 320))
    assert small.peak < 100_000_000


def with_chunks(*chunks: bytes) -> bytes:
    """A small PNG with more in front of its picture."""
    whole = picture("PNG")
    return whole[:33] + b"".join(chunks) + whole[33:]


def segments(number: int, size: int, text: bytes = b"") -> bytes:
    """A small JPEG with so many segments of metadata, of so many bytes each."""
    one = b"\xff\xe1" + struct.pack(">H", 2 + size) + text.ljust(size, b"x")
    whole = picture()
    return whole[:2] + one * number + whole[2:]


ZEROS = zlib.compress(b"\0" * 60_000_000, 9)
SOME = 200_000
STREAM = b"<< /Type /ObjStm /N %d /First %d /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream"


def packed(number: int, one: bytes) -> bytes:
    """A PDF with so many equal objects in one stream."""
    table = b" ".join(b"%d %d" % (5 + place, place * (len(one) + 1)) for place in range(number)) + b"\n"
    data = zlib.compress(table + b"\n".join([one] * number), 9)
    stream = STREAM % (number, len(table), len(data), data)
    at = b"\1%s\0\0\0\0"
    plain = of_objects(CATALOG, PAGES, PAGE, stream)
    places = [plain.index(b"\n%d 0 obj\n" % place) + 1 for place in (1, 2, 3, 4)]
    rows = b"\0" * 9 + b"".join(at % place.to_bytes(4, "big") for place in places)
    rows += b"".join(b"\2" + struct.pack(">II", 4, place) for place in range(number))
    size, body = 6 + number, plain[: plain.rindex(b"xref\n0 5")]
    rows += at % len(body).to_bytes(4, "big")
    table = b"<< /Type /XRef /W [1 4 4] /Size %d /Root 1 0 R /Length %d >>\nstream\n%s\nendstream\nendobj\n"
    xref = b"%d 0 obj\n" % (size - 1) + table % (size, len(rows), rows)
    return body + xref + b"startxref\n%d\n%%%%EOF\n" % len(body)


BOMBS = {
    "texts of a png": with_chunks(*[chunk(b"zTXt", b"a\0\0" + ZEROS)] * 90),
    "international texts of a png": with_chunks(*[chunk(b"iTXt", b"a\0\1\0\0\0" + ZEROS)] * 90),
    "colours of a png": with_chunks(chunk(b"iCCP", b"a\0\0" + ZEROS)),
    "places in a png": with_chunks(chunk(b"eXIf", b"MM\0*\0\0\0\x08" + b"\xff" * 9_000_000)),
    "chunks of a png": with_chunks(*[chunk(b"aaAa", b"")] * 800_000),
    "segments of a jpeg": segments(2_400_000, 0),
    "places in a jpeg": segments(150, 65_000, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"),
    "objects of a pdf": packed(SOME, b"<< /A [1 2 3] /B (x) >>"),
    "a list packed in a pdf": packed(1, b"[%s]" % (b"1 " * 50_000_000)),
    "blanks packed in a pdf": packed(1, b" " * 400_000_000 + b"1"),
    "a list in a pdf": of_objects(CATALOG, PAGES, PAGE, b"[%s]" % (b"1 " * 4_500_000)),
    "lists in lists in a pdf": of_objects(CATALOG, PAGES, PAGE, b"[" * 4_000_000 + b"]" * 4_000_000),
    "pages of a pdf": of_objects(
        CATALOG, b"<< /Type /Pages /Count 1 /Kids [%s] >>" % (b"3 0 R " * 1_000_000), PAGE
    ),
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_what_unpacks_into_much_stays_in_its_memory(content: bytes) -> None:
    assert len(content) < MAX_FILE_BYTES
    bomb = seen(content)
    assert bomb.peak < MEMORY


TOO_MUCH = "this file takes too much time or memory to read; send a smaller one"


async def test_a_file_that_takes_too_much_is_refused_and_the_next_one_is_not() -> None:
    recogniser = UploadScreening(1)
    with pytest.raises(Unsuitable, match=TOO_MUCH):
        await recogniser.recognised(BOMBS["pages of a pdf"])
    assert (await recogniser.recognised(picture()))[1] == "image/jpeg"


async def test_what_the_recogniser_says_comes_out_of_its_process_in_both_languages() -> None:
    with pytest.raises(Unsuitable) as raised:
        await UploadScreening(1).recognised(b"%PDF-1.7 and no end")
    assert raised.value.text() == CutOff().text()


async def test_a_file_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sav_edge.upload_screening.WITHIN", 0.01)
    with pytest.raises(Unsuitable, match=TOO_MUCH):
        await UploadScreening(1).recognised(picture())
    assert await children() == []


async def test_who_goes_away_takes_the_recogniser_along() -> None:
    recogniser = UploadScreening(1)
    asked = asyncio.create_task(recogniser.recognised(b"hello"))
    await eventually(children)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await children() == []
    with pytest.raises(Unreadable):
        await recogniser.recognised(b"hello")


async def children() -> list[str]:
    """Recognisers of this process that run."""
    own = "".join(path.read_text() for path in Path("/proc/self/task").glob("*/children")).split()
    return [pid for pid in own if b"sav_edge.screen_upload" in Path(f"/proc/{pid}/cmdline").read_bytes()]
