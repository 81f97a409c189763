"""Files of records as responses. Browsers show pictures, save anything else and run nothing."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError
from pydantic_core import from_json

from sav_chassis.entity_tags import holds
from sav_chassis.errors import NotFound, NotYetKnown, WrongFields
from sav_contracts.files import IMAGES, StoredFile
from sav_contracts.interventions.attestation import AttestationView
from sav_contracts.interventions.closing import ClosingView
from sav_contracts.interventions.credit_note import CreditNoteView
from sav_contracts.interventions.estimate import EstimateView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.interventions.report import ReportView
from sav_contracts.labels import label
from sav_contracts.messages import View
from sav_contracts.sentences import Text
from sav_contracts.surface import FileRow, TextRow
from sav_edge.no_parameters import each_once
from sav_edge.picture_sizes import Asked, AskedByContent, Pictures, tag
from sav_edge.reply import Reply

# Whatever the file holds, a browser runs and loads nothing from it.
HARMLESS = {"Content-Security-Policy": "sandbox; default-src 'none'"}
# How long a browser shows a file without asking, in seconds. One that not everybody may see it asks for each time: it
# might be another person's turn at it, or theirs no longer to see. What everybody may see is asked for after some
# minutes, so that a picture that was replaced is soon seen; and never again at an address that names its content.
ASKING, SOON, NEVER = "private, no-cache", "private, max-age=300", "private, max-age=31536000, immutable"


# What is printed once a record has this field.
PRINTED: Mapping[type[View], str] = {
    EstimateView: "sent_at",
    InvoiceView: "number",
    CreditNoteView: "number",
    ClosingView: "hash",
    ReportView: "submitted_at",
    AttestationView: "attested",
}

WHEN_PRINTED: Mapping[type[View], Text] = {
    EstimateView: Text("when it is validated", "à sa validation"),
    InvoiceView: Text("when it is issued", "à son émission"),
    ReportView: Text("when it is submitted", "à sa remise"),
    AttestationView: Text(
        "when the report of the visit is validated", "à la validation du rapport de l’intervention"
    ),
}


class DocumentBeingMade(NotYetKnown):
    retry_after: int = 1
    en = "This document is being made; ask again in a moment"
    fr = "Ce document est en préparation ; réessayez dans un instant"


class NotPrintedYet(NotFound):
    kind: Text
    when: Text
    en = "This {kind} has no document: it is made {when}"
    fr = "{kind} : aucun document ; il est établi {when}"


class NoFile(NotFound):
    kind: Text
    file: str
    en = "This {kind} has no file for {file}"
    fr = "{kind} : aucun fichier pour « {file} »"


def file_of(row: FileRow, record: Mapping[str, Any]) -> StoredFile:
    """The record's file; `NotFound` where it has none, `NotYetKnown` while it is being made."""
    if kept := record.get(row.file):
        return StoredFile.model_validate(kept)
    since = PRINTED.get(row.message)
    if since and record.get(since):
        raise DocumentBeingMade
    kind = label(row.message.kind())
    if when := WHEN_PRINTED.get(row.message):
        raise NotPrintedYet(kind=kind, when=when)
    raise NoFile(kind=kind, file=row.file)


def form(row: FileRow) -> type[Asked]:
    """What may be asked of a picture that is served in several sizes."""
    return AskedByContent if row.is_for_all else Asked


def asked(row: FileRow, query: Mapping[str, Sequence[str]]) -> Asked:
    """The size that the caller wants; `WrongFields` names every parameter that is wrong."""
    try:
        return form(row).model_validate(each_once(query))
    except ValidationError as error:
        raise WrongFields.from_pydantic(error) from None


async def answer(
    pictures: Pictures,
    row: FileRow,
    file: StoredFile,
    asked: Asked,
    known: str | None,
    headers: dict[str, str],
) -> Reply:
    """The file, or 304 where the caller holds it already (`known`: their If-None-Match)."""
    size = asked.size if file.media_type in IMAGES else "large"
    headers = headers | HARMLESS | {"ETag": tag(file, size), "Cache-Control": _kept(row, file, asked)}
    if holds(known, headers["ETag"]):
        return Reply(b"", 304, headers=headers)
    content, media_type = await pictures.sized(file, size)
    headers["Content-Disposition"] = disposition(file)
    return Reply(content, 200, media_type, headers)


def _kept(row: FileRow, file: StoredFile, asked: Asked) -> str:
    if not row.is_for_all:
        return ASKING
    if not isinstance(asked, AskedByContent) or asked.v is None:
        return SOON
    # The address of another content, perhaps of the one before.
    return NEVER if asked.v == file.sha256 else ASKING


def disposition(file: StoredFile) -> str:
    """Content-Disposition (RFC 6266): a browser shows a picture, and saves a PDF, in which a script could run.

    It gives the name twice: in ASCII for programs that read nothing else, and in full.
    """
    return f"{'inline' if file.media_type in IMAGES else 'attachment'}; {_named(file.name)}"


def attached(name: str) -> str:
    """Content-Disposition of a file that is to be saved under this name."""
    return f"attachment; {_named(name)}"


def text(row: TextRow, body: str, headers: dict[str, str]) -> Reply:
    """The file that a query answers; 304 where it says that the caller holds this one."""
    made = from_json(body)
    if row.held:
        headers = headers | {"ETag": made["tag"]}
        if made["text"] is None:
            return Reply(b"", 304, headers=headers)
    headers = headers | HARMLESS | {"Content-Disposition": attached(made["name"])}
    return Reply(made["text"].encode(), row.status, row.media_type, headers)


def _named(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join(letter for letter in letters if letter.isprintable() and letter not in '"\\%')
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
