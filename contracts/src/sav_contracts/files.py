"""Files in messages: where a file is stored, and which media types a field accepts."""

from typing import Annotated

from pydantic import AfterValidator, Field

from sav_contracts.messages import Message, RecordedLine
from sav_contracts.wrong_value import WrongValue

MAX_FILE_BYTES = 10_000_000
# Bytes of a request's body without files, and with files.
MAX_BODY = 1_000_000
MAX_UPLOAD = 30_000_000
IMAGES = frozenset({"image/jpeg", "image/png", "image/webp"})
# What phones send too; it is kept as a JPEG.
HEIC = frozenset({"image/heic", "image/heif"})
PAPERS = IMAGES | {"application/pdf"}
CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A table is kept as a compressed CSV in one form, however it was sent: see `sav_edge.tables`.
TABLES = frozenset({"application/gzip"})
# Bytes of a table as it is sent.
MAX_TABLE_BYTES = 25_000_000


# Hexadecimal.
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["9f86d081" * 8])]


class StoredFile(Message):
    """A file in the file store, found by the SHA-256 of its bytes; `size` in bytes."""

    sha256: Sha256
    media_type: str = Field(examples=["image/jpeg"])
    size: Annotated[int, Field(ge=1, le=MAX_FILE_BYTES)] = Field(examples=[184320])
    name: RecordedLine = Field(examples=["chaudiere.jpg"])


class WrongMediaType(WrongValue):
    code = "wrong_media_type"
    types: str
    en = "one of {types}"
    fr = "l’une de ces valeurs : {types}"


class Takes:
    """Marks a field that an upload fills: by a multipart form at the edge, never by JSON."""

    def __init__(
        self,
        media_types: frozenset[str],
        sent: frozenset[str] | None = None,
        most: int = MAX_FILE_BYTES,
        drawn: bool = False,
    ) -> None:
        """`sent`: in which media types a file comes, where it is kept in another one; `most`: its bytes then.

        `drawn`: it is a picture on which something is to be seen.
        """
        self.media_types = media_types
        self.sent = sent or media_types
        self.most = most
        self.drawn = drawn

    def check(self, file: StoredFile) -> StoredFile:
        if file.media_type not in self.media_types:
            raise WrongMediaType(types=", ".join(sorted(self.media_types))).error()
        return file


_IMAGE, _DRAWING, _PAPER, _TABLE = (
    Takes(IMAGES, IMAGES | HEIC),
    Takes(IMAGES, IMAGES | HEIC, drawn=True),
    Takes(PAPERS, PAPERS | HEIC),
    Takes(TABLES, frozenset({CSV, XLSX}), MAX_TABLE_BYTES),
)

# A picture. It is re-encoded without its metadata before it is stored.
Image = Annotated[StoredFile, _IMAGE, AfterValidator(_IMAGE.check)]
# A picture on which something is drawn, such as a signature.
Drawing = Annotated[StoredFile, _DRAWING, AfterValidator(_DRAWING.check)]
# A picture or a PDF, such as a receipt.
Paper = Annotated[StoredFile, _PAPER, AfterValidator(_PAPER.check)]
# A table: XLSX, or CSV as any spreadsheet writes it.
Table = Annotated[StoredFile, _TABLE, AfterValidator(_TABLE.check)]
