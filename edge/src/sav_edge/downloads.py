"""Files of records, as answers that a browser shows but never runs."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sav_chassis.errors import NotFound, NotYetKnown
from sav_chassis.files import Files
from sav_contracts.files import StoredFile
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.surface import Row
from sav_edge.reply import Reply
from sav_edge.tags import holds

# Whatever the bytes are: nothing in them runs or loads anything.
HARMLESS = {"Content-Security-Policy": "sandbox; default-src 'none'"}


def file_of(row: Row, record: Mapping[str, Any]) -> StoredFile:
    """The record's file; `NotFound` where it has none, `NotYetKnown` while it is being made."""
    if kept := record.get(row.file):
        return StoredFile.model_validate(kept)
    if row.message is InvoiceView and record["number"]:
        raise NotYetKnown("the document of this invoice is being made; ask again in a moment", retry_after=1)
    raise NotFound(f"this {row.message.__name__.removesuffix('View').lower()} has no file for {row.file}")


async def answer(files: Files, file: StoredFile, known: str | None, headers: dict[str, str]) -> Reply:
    """The file, or 304 where the caller holds it already (`known`: their If-None-Match)."""
    tag = f'"{file.sha256}"'
    headers = headers | HARMLESS | {"ETag": tag, "Cache-Control": "private, no-cache"}
    if holds(known, tag):
        return Reply(b"", 304, headers=headers)
    content = await files.get(file)
    headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(file.name, safe='')}"
    return Reply(content, 200, file.media_type, headers)
