"""Screens uploaded files and makes pictures smaller, each in a process of its own (see `screen_upload`)."""

import asyncio
import sys

import structlog
from pydantic_core import from_json

from sav_chassis.errors import Unavailable
from sav_contracts.sentences import Text
from sav_edge.child_process import NoOutput, output_of
from sav_edge.screen_upload import REFUSED, UNREAD
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

    async def recognised(self, content: bytes, how: str = "") -> tuple[bytes, str]:
        """The bytes to keep and their media type; `how` is explained in `screen_upload`.

        `Unsuitable` or `Unreadable` where nothing is kept; `Unavailable` where the machine cannot start a process for it.
        """
        program = (*PROGRAM, how) if how else PROGRAM
        async with self._free:
            try:
                output = await output_of(program, content, WITHIN)
            except OSError as error:
                log.warning("no process for screening a file", error=repr(error))
                raise ManyFiles from None
            except NoOutput:
                raise TooMuchWork from None
        kind, _, kept = output.partition(b"\n")
        if kind.decode() == REFUSED:
            en, fr = from_json(kept)
            raise RejectedUpload(why=Text(en, fr))
        if kind.decode() == UNREAD:
            raise Unreadable
        return kept, kind.decode()
