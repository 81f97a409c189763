"""Pictures in smaller sizes, made when somebody first asks for one.

They are kept in the file store under the hash of the picture that they were made from. So nothing has to be announced,
pictures of any age have them, and whatever is lost is made again.
"""

import asyncio
from collections.abc import Mapping
from typing import Literal

import structlog
from pydantic import BaseModel, ConfigDict

from sav_chassis.files import Files
from sav_contracts.files import Sha256, StoredFile
from sav_edge.upload_errors import Unreadable, Unsuitable
from sav_edge.upload_screening import UploadScreening

log = structlog.get_logger()

Size = Literal["small", "medium", "large"]
# The most pixels of the longer side; `large` is the picture as it was stored. Twice what a page shows in a list and
# beside a text, for screens with two pixels to a point.
LONGEST: Mapping[Size, int] = {"small": 320, "medium": 1024}
# To be raised when smaller pictures are made in another way: then all are made anew, with other entity tags.
FORM = 1
PNG = b"\x89PNG"


class Asked(BaseModel):
    """The query parameters of a picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: Size = "large"


class AskedByContent(Asked):
    """The same of a picture that everybody sees: `v`, the SHA-256 in its record, makes the address that of its content."""

    v: Sha256 | None = None


class Pictures:
    """The stored pictures in each size."""

    def __init__(self, files: Files, screening: UploadScreening) -> None:
        self._files, self._screening = files, screening
        # Uploads keep a place in the screening, and few whole pictures are in memory.
        self._turn = asyncio.Semaphore(1)

    async def sized(self, picture: StoredFile, size: Size) -> tuple[bytes, str]:
        """The picture in this size, never enlarged, and its media type."""
        if size == "large":
            return await self._files.get(picture), picture.media_type
        name = _name(size)
        if content := await self._files.derived(picture, name):
            return content, _media_type(content)
        async with self._turn:
            # Whoever had the turn before may have made it.
            if content := await self._files.derived(picture, name):
                return content, _media_type(content)
            whole = await self._files.get(picture)
            try:
                content, media_type = await self._screening.recognised(whole, str(LONGEST[size]))
            except (Unsuitable, Unreadable) as error:
                log.warning("a picture was not made smaller", sha256=picture.sha256, error=repr(error))
                return whole, picture.media_type
            await self._files.keep_derived(picture, name, content)
            return content, media_type


def tag(picture: StoredFile, size: Size) -> str:
    """The entity tag of the picture in this size."""
    return f'"{picture.sha256}"' if size == "large" else f'"{picture.sha256}.{_name(size)}"'


def _media_type(content: bytes) -> str:
    return "image/png" if content.startswith(PNG) else "image/jpeg"


def _name(size: Size) -> str:
    return f"{size}.{FORM}"
