"""Pictures as people send them, and as nobody should."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image
from pillow_heif import register_heif_opener

GPS = "48.8566"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def picture(form: str = "JPEG", size: tuple[int, int] = (64, 48), **how: Any) -> bytes:
    """A picture that is red on the left and blue on the right."""
    canvas = Image.new("RGB", size, "red")
    canvas.paste("blue", (size[0] // 2, 0, size[0], size[1]))
    made = BytesIO()
    canvas.save(made, form, **how)
    return made.getvalue()


def photo(orientation: int = 1) -> bytes:
    """From a phone: turned, with the place and more in its metadata."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Telefon"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = GPS.encode()
    return picture(
        exif=exif.tobytes(),
        comment=b"chez " + GPS.encode(),
        xmp=b"<x>" + GPS.encode() + b"</x>",
        icc_profile=b"p" * 200,
    )


def heic(size: tuple[int, int] = (64, 48), orientation: int = 1, **how: Any) -> bytes:
    """The same from a phone that writes HEIC."""
    register_heif_opener()
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSAreaInformation] = GPS.encode()
    return picture("HEIF", size, exif=exif.tobytes(), enc_params={"preset": "ultrafast"}, **how)


def chunk(name: bytes, data: bytes) -> bytes:
    """One of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb() -> bytes:
    """A PNG of some bytes that asks for ten thousand million pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
