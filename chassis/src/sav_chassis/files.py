"""The file store: files named by the SHA-256 of their bytes, in a folder or in a bucket."""

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
import structlog
from obstore import get_async, head_async, put_async
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from sav_chassis.errors import Unavailable
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart
from sav_contracts.files import StoredFile

log = structlog.get_logger()

BUCKETS = {"s3", "s3a", "gs", "az", "abfs", "abfss"}
# Somebody waits for the answer, so an unreachable bucket must be reported within seconds.
RETRY_WITHIN = timedelta(seconds=4)
# The path of a file in its store: its SHA-256 in two parts.
PLACE = re.compile("[0-9a-f]{2}/[0-9a-f]{62}")
COPIED_AT_ONCE = 8
# Bytes of a SHA-256, which stands before what is derived from a file: its path does not name its content.
DIGEST = 32


class FileStoreAway(Unavailable):
    en = "The file store is away; nothing was done"
    fr = "Le stockage des fichiers est injoignable ; rien n’a été fait"


class FileLost(Exception):
    """A record names a file that the store lost or changed."""


class Files:
    """Keeps files for good. Any process with the same store finds them. `ValueError` for a wrong URL."""

    def __init__(self, url: str) -> None:
        self._store = _store(url)

    async def put(self, content: bytes, media_type: str, name: str) -> StoredFile:
        """Stores a file and answers where it is. Equal bytes are stored once, however often they are put.

        `Unavailable` where the store cannot be reached.
        """
        digest = hashlib.sha256(content).hexdigest()
        file = StoredFile(sha256=digest, media_type=media_type, size=len(content), name=name)
        with _reaching():
            if not await self._holds(file):
                await put_async(self._store, _key(file), content)
        return file

    async def get(self, file: StoredFile) -> bytes:
        """The file's bytes. `FileLost` where they are missing or changed, `Unavailable` as for `put`."""
        return b"".join([chunk async for chunk in self._read(file)])

    async def check(self, file: StoredFile) -> None:
        """Raises what `get` raises, without holding the file in memory."""
        async for _ in self._read(file):
            pass

    async def derived(self, source: StoredFile, name: str) -> bytes | None:
        """What was made from a stored file and kept under this name; None where it must be made (again)."""
        with _reaching():
            try:
                kept = bytes(await (await get_async(self._store, _derived(source, name))).bytes_async())
            except FileNotFoundError:
                return None
        digest, content = kept[:DIGEST], kept[DIGEST:]
        return content if hashlib.sha256(content).digest() == digest else None

    async def keep_derived(self, source: StoredFile, name: str, content: bytes) -> None:
        """Keeps what was made from a stored file. It can be lost: a backup leaves it out."""
        with _reaching():
            await put_async(self._store, _derived(source, name), hashlib.sha256(content).digest() + content)

    async def _read(self, file: StoredFile) -> AsyncIterator[bytes]:
        digest = hashlib.sha256()
        with _reaching():
            try:
                async for chunk in (await get_async(self._store, _key(file))).stream():
                    digest.update(chunk)
                    yield bytes(chunk)
            except FileNotFoundError:
                raise FileLost(f"file {file.sha256} is not in the store") from None
        if digest.hexdigest() != file.sha256:
            raise FileLost(f"file {file.sha256} has other bytes in the store than were put there")

    async def _holds(self, file: StoredFile) -> bool:
        try:
            return (await head_async(self._store, _key(file)))["size"] == file.size
        except FileNotFoundError:
            return False


class Copied(NamedTuple):
    """How many files were copied, their bytes in all, and the SHA-256 of each damaged file."""

    files: int
    size: int
    damaged: list[str]


async def copy_files(source: str, target: str, tell: Callable[[int, int], None]) -> Copied:
    """Copies every file of one store (its URL) into another; calls `tell` with the number done and the number of all.

    Files never change, so a copy made during use has every file from before it began. Damaged ones are not copied.
    """
    here, there = _store(source), _store(target)
    places = [
        entry["path"]
        async for entries in obstore.list(here)
        for entry in entries
        if PLACE.fullmatch(entry["path"])
    ]
    sizes: list[int] = []
    damaged: list[str] = []

    async def copy(place: str) -> None:
        content = await (await get_async(here, place)).bytes_async()
        if hashlib.sha256(content).hexdigest() == place.replace("/", ""):
            await put_async(there, place, content)
            sizes.append(len(content))
        else:
            damaged.append(place.replace("/", ""))

    for done in range(0, len(places), COPIED_AT_ONCE):
        await asyncio.gather(*map(copy, places[done : done + COPIED_AT_ONCE]))
        tell(len(sizes) + len(damaged), len(places))
    return Copied(len(sizes), sum(sizes), sorted(damaged))


def check_files(settings: Settings, room: str) -> None:
    """`CannotStart` where the room could not store a file."""
    try:
        Files(settings.files_url)
    except (ValueError, OSError) as error:
        raise CannotStart(
            f"{room}: SAV_FILES_URL does not say where files can be kept ({error}); "
            "give a folder (file:///var/lib/sav/files) or a bucket (s3://bucket/prefix)"
        ) from None


def _key(file: StoredFile) -> str:
    """Spread over folders, since no folder should hold a million files."""
    return f"{file.sha256[:2]}/{file.sha256[2:]}"


def _derived(source: StoredFile, name: str) -> str:
    return f"derived/{name}/{_key(source)}"


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
    """Creates the folder if it is missing, for this user alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written to")
    return path


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        log.warning("file store is away", error=_first_line(error))
        raise FileStoreAway from None


def _first_line(error: Exception) -> str:
    """The message without the library's dump of its own structures."""
    return str(error).partition("\n")[0]
