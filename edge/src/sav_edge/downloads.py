"""Files of records as responses. Browsers show pictures, save anything else and run nothing."""

import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sav_chassis.errors import NotFound, NotYetKnown
from sav_chassis.files import Files
from sav_contracts.files import IMAGES, StoredFile
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_contracts.surface import FileRow
from sav_edge.etags import holds
from sav_edge.reply import Reply

# Whatever the file holds, a browser runs and loads nothing from it.
HARMLESS = {"Content-Security-Policy": "sandbox; default-src 'none'"}


class DocumentBeingMade(NotYetKnown):
    retry_after: int = 1
    en = "The document of this invoice is being made; ask again in a moment"
    fr = "Le document de cette facture est en préparation ; réessayez dans un instant"


class NoFile(NotFound):
    kind: Text
    file: str
    en = "This {kind} has no file for {file}"
    fr = "{kind} : aucun fichier pour « {file} »"


def file_of(row: FileRow, record: Mapping[str, Any]) -> StoredFile:
    """The record's file; `NotFound` where it has none, `NotYetKnown` while it is being made."""
    if kept := record.get(row.file):
        return StoredFile.model_validate(kept)
    if row.message is InvoiceView and record["number"]:
        raise DocumentBeingMade
    raise NoFile(kind=label(row.message.__name__.removesuffix("View").lower()), file=row.file)


async def answer(files: Files, file: StoredFile, known: str | None, headers: dict[str, str]) -> Reply:
    """The file, or 304 where the caller holds it already (`known`: their If-None-Match)."""
    tag = f'"{file.sha256}"'
    headers = headers | HARMLESS | {"ETag": tag, "Cache-Control": "private, no-cache"}
    if holds(known, tag):
        return Reply(b"", 304, headers=headers)
    content = await files.get(file)
    headers["Content-Disposition"] = disposition(file)
    return Reply(content, 200, file.media_type, headers)


def disposition(file: StoredFile) -> str:
    """Content-Disposition (RFC 6266): a browser shows a picture, and saves a PDF, in which a script could run.

    It gives the name twice: in ASCII for programs that read nothing else, and in full.
    """
    kind = "inline" if file.media_type in IMAGES else "attachment"
    letters = unicodedata.normalize("NFKD", file.name).encode("ascii", "ignore").decode()
    plain = "".join(letter for letter in letters if letter.isprintable() and letter not in '"\\%')
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
