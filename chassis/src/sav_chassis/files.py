"""The file store: files under the SHA-256 of their bytes, in a folder or in a bucket."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import structlog
from obstore import get_async, head_async, put_async
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from sav_chassis.errors import Unavailable
from sav_chassis.fitness import Unfit
from sav_chassis.settings import Settings
from sav_contracts.files import StoredFile

log = structlog.get_logger()

BUCKETS = {"s3", "s3a", "gs", "az", "abfs", "abfss"}
# Somebody waits for the answer: a bucket that is away is told after seconds, not minutes.
RETRY_WITHIN = timedelta(seconds=4)


class FileLost(Exception):
    """A record names a file that the store does not hold as it was put there."""


class Files:
    """Keeps files for good: what was put is found by any process with the same store. `ValueError` for a wrong URL."""

    def __init__(self, url: str) -> None:
        self._store = _store(url)

    async def put(self, content: bytes, media_type: str, name: str) -> StoredFile:
        """Where the file is kept, once it is. The same bytes are kept once, however often they come.

        `Unavailable` where the store cannot be reached.
        """
        digest = hashlib.sha256(content).hexdigest()
        file = StoredFile(sha256=digest, media_type=media_type, size=len(content), name=name)
        with _reaching():
            if not await self._holds(file):
                await put_async(self._store, _key(file), content)
        return file

    async def get(self, file: StoredFile) -> bytes:
        """The file's bytes, as they were put. `FileLost` where they are gone or changed, `Unavailable` as for `put`."""
        try:
            with _reaching():
                content = bytes(await (await get_async(self._store, _key(file))).bytes_async())
        except FileNotFoundError:
            raise FileLost(f"file {file.sha256} is not in the store") from None
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise FileLost(f"file {file.sha256} has other bytes in the store than were put there")
        return content

    async def _holds(self, file: StoredFile) -> bool:
        try:
            return (await head_async(self._store, _key(file)))["size"] == file.size
        except FileNotFoundError:
            return False


def check_files(settings: Settings, room: str) -> None:
    """`Unfit` where the room could not keep a file."""
    try:
        Files(settings.files_url)
    except (ValueError, OSError) as error:
        raise Unfit(
            f"{room}: SAV_FILES_URL does not say where files can be kept ({error}); "
            "give a folder (file:///var/lib/sav/files) or a bucket (s3://bucket/prefix)"
        ) from None


def _key(file: StoredFile) -> str:
    """Spread, since no folder should hold a million files."""
    return f"{file.sha256[:2]}/{file.sha256[2:]}"


def _store(url: str) -> ObjectStore:
    place = urlsplit(url)
    if place.scheme == "file" and place.netloc in ("", "localhost") and place.path:
        return LocalStore(_folder(Path(url2pathname(place.path))))
    if place.scheme not in BUCKETS:
        raise ValueError(f"not a folder or bucket: {url!r}" if url else "it is empty")
    try:
        return from_url(url, retry_config={"max_retries": 3, "retry_timeout": RETRY_WITHIN})
    except BaseError as error:
        raise ValueError(_first_line(error)) from None


def _folder(path: Path) -> Path:
    """Made where it is missing, for this user alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written to")
    return path


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        log.warning("file store is away", error=_first_line(error))
        raise Unavailable("the file store is away; nothing was done", retry_after=2) from None


def _first_line(error: Exception) -> str:
    """What happened, without the library's dump of its own structures."""
    return str(error).partition("\n")[0]
