"""Screens uploaded files, each in a process of its own (see `screen_upload`)."""

import asyncio
import sys
from asyncio.subprocess import PIPE

import structlog
from pydantic_core import from_json

from sav_chassis.errors import Unavailable
from sav_contracts.sentences import Text
from sav_edge.screen_upload import AS_TABLE, REFUSED, UNREAD
from sav_edge.upload_errors import Unreadable, Unsuitable

log = structlog.get_logger()

# Seconds for one file; its processor time is fewer (`screen_upload.SECONDS`).
WITHIN = 60.0
PROGRAM = (sys.executable, "-I", "-m", "sav_edge.screen_upload")


class ManyFiles(Unavailable):
    retry_after: int = 5
    en = "Many files are being sent just now; try again in a moment"
    fr = "Beaucoup de fichiers sont en cours d’envoi ; réessayez dans un instant"


class TooMuchWork(Unsuitable):
    en = "this file takes too much time or memory to read; send a smaller one"
    fr = "ce fichier demande trop de temps ou de mémoire pour être lu ; envoyez-en un plus petit"


class RejectedUpload(Unsuitable):
    """The screening process refused the file; `why` is its sentence."""

    why: Text
    en = "{why}"
    fr = "{why}"


class UploadScreening:
    """Screens files, at most `at_once` concurrently; the others wait for their turn."""

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)

    async def recognised(self, content: bytes, as_table: bool = False) -> tuple[bytes, str]:
        """The bytes to keep and their media type. `Unsuitable` or `Unreadable` where nothing is kept.

        `Unavailable` where the machine cannot start a process for it.
        """
        async with self._free:
            try:
                # Without our environment: it holds secrets.
                process = await asyncio.create_subprocess_exec(
                    *PROGRAM,
                    *([AS_TABLE] if as_table else []),
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=PIPE,
                    env={},
                )
            except OSError as error:
                log.warning("no process for a file", error=repr(error))
                raise ManyFiles from None
            try:
                async with asyncio.timeout(WITHIN):
                    output, complaint = await process.communicate(content)
            except TimeoutError:
                output, complaint = b"", b"no answer in time"
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode:
            last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
            log.warning("a file could not be recognised", exit=process.returncode, error=last)
            raise TooMuchWork
        kind, _, kept = output.partition(b"\n")
        if kind.decode() == REFUSED:
            en, fr = from_json(kept)
            raise RejectedUpload(why=Text(en, fr))
        if kind.decode() == UNREAD:
            raise Unreadable
        return kept, kind.decode()
