"""Pictures and papers as people send them, and as nobody should."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image

GPS = "48.8566"
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
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


def packed(objects: bytes) -> bytes:
    """A PDF whose objects are compressed, as most are today."""
    inside = zlib.compress(objects)
    head = b"2 0 obj\n<< /Type /ObjStm /N 1 /Filter /FlateDecode /Length %d >>\nstream\r\n" % len(inside)
    return PDF.replace(b"trailer", head + inside + b"\nendstream\nendobj\ntrailer")


def bomb() -> bytes:
    """A PNG of some bytes that asks for ten thousand million pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
