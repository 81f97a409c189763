"""Uploaded bytes made fit to be kept: their type by what they are, pictures without their metadata."""

import re
import zlib
from collections.abc import Iterator
from io import BytesIO

from PIL import ExifTags, Image

PDF = "application/pdf"
FORMATS = ("JPEG", "PNG", "WEBP")
# Decoded, a picture takes up to four bytes for each pixel.
MAX_PIXELS = 50_000_000
# Pixels of the longer side of what is kept.
LONGEST = 2560
QUALITY = 85
# What the orientation in a photo's EXIF asks for (EXIF 2.32, 4.6.4 A).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Names that make a PDF do something when it is opened or clicked, or that hide what it does (ISO 32000-1, 12.6).
ACTIVE = re.compile(rb"/(JavaScript|Launch|Rendition|RichMedia|XFA|SubmitForm|ImportData)(?![\w#-])")
ENCRYPTED = re.compile(rb"/Encrypt(?![\w#-])")
HEX_IN_NAME = re.compile(rb"#([0-9A-Fa-f]{2})")
# Bytes before a stream in which its dictionary stands, and how much is unpacked in all.
DICTIONARY, UNPACKED = 4_000, 20_000_000

# `_decoded` has a limit of its own, before anything is decoded.
Image.MAX_IMAGE_PIXELS = None


class Unsuitable(Exception):
    """These bytes are not kept; the message says what is wrong with them."""


def recognised(content: bytes) -> tuple[bytes, str]:
    """The bytes to keep and their media type, always the same for the same bytes. `Unsuitable` says why not.

    A picture is decoded and made anew: upright, without metadata, no side over 2,560 pixels, a JPEG or PNG.
    """
    if content.startswith(b"%PDF-"):
        _check_pdf(content)
        return content, PDF
    try:
        return _remade(content)
    except (Unsuitable, MemoryError):
        raise
    except Exception as error:
        # Decoders raise anything at all on broken bytes.
        raise Unsuitable(f"cannot be read as a picture or PDF ({type(error).__name__})") from error


def _remade(content: bytes) -> tuple[bytes, str]:
    with Image.open(BytesIO(content), formats=FORMATS) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise Unsuitable(f"has more than {MAX_PIXELS // 1_000_000} million pixels")
        kept = "PNG" if opened.format == "PNG" else "JPEG"
        opened.draft(None, (LONGEST, LONGEST))  # a large JPEG is decoded at a half or a quarter
        turn = TURNS.get(opened.getexif().get(ExifTags.Base.Orientation, 1))
        picture = _plain(opened, kept)
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    if turn is not None:
        picture = picture.transpose(turn)
    # On a canvas of its own: an opened picture carries its metadata into whatever it is saved as.
    canvas = Image.new(picture.mode, picture.size)
    canvas.paste(picture)
    made = BytesIO()
    canvas.save(made, kept, **({"quality": QUALITY} if kept == "JPEG" else {}))
    return made.getvalue(), f"image/{kept.lower()}"


def _plain(picture: Image.Image, kept: str) -> Image.Image:
    """The picture decoded, in one of the modes that every reader knows."""
    if picture.mode.startswith("I"):
        # 16 bits of grey: `convert` would cut them off, not scale them.
        picture = picture.point(lambda grey: grey * (1 / 256))
    if not picture.has_transparency_data:
        return picture.convert("L" if picture.mode in ("1", "L", "I", "I;16") else "RGB")
    picture = picture.convert("RGBA")
    if kept == "PNG":
        return picture
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture)
    return paper


def _check_pdf(content: bytes) -> None:
    """Refuses what is no whole PDF, is encrypted, or acts by itself as far as its names tell."""
    if b"%%EOF" not in content[-1024:]:
        raise Unsuitable("is a PDF that is cut off")
    for part in _parts(content):
        names = _spelled_out(part)
        if ENCRYPTED.search(names):
            raise Unsuitable("is an encrypted PDF; send it without a password")
        if ACTIVE.search(names):
            raise Unsuitable("is a PDF with scripts or actions; print it into a new PDF and send that")


def _parts(content: bytes) -> Iterator[bytes]:
    """The PDF, then the objects that it holds packed (ISO 32000-1, 7.5.7)."""
    yield content
    room = UNPACKED
    for stream in re.finditer(rb"(?<!end)stream\r?\n", content):
        before = content[max(0, stream.start() - DICTIONARY) : stream.start()]
        dictionary = before[before.rfind(b" obj") :]
        if b"/ObjStm" not in _spelled_out(dictionary):
            continue
        try:
            objects = zlib.decompressobj().decompress(content[stream.end() :], room)
        except zlib.error:
            raise Unsuitable(
                "is a PDF that cannot be checked; print it into a new PDF and send that"
            ) from None
        room -= len(objects)
        if room <= 0:
            raise Unsuitable("is a PDF with too much packed into it")
        yield objects


def _spelled_out(text: bytes) -> bytes:
    """With the characters that names may hide as `#4A` (ISO 32000-1, 7.3.5)."""
    return HEX_IN_NAME.sub(lambda digits: bytes.fromhex(digits[1].decode()), text)
