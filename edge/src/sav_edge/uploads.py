"""Files that come with a request: screened, and stored before the command is sent."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import ValidationError

from sav_chassis.errors import TooLarge, WrongFields
from sav_chassis.files import Files
from sav_contracts.files import MAX_FILE_BYTES, StoredFile
from sav_contracts.messages import RequestMessage
from sav_contracts.sentences import Text
from sav_edge.bodies import (
    BodyLimits,
    Fields,
    FileField,
    MessageType,
    UnsupportedMediaType,
    UploadedFile,
    file_fields,
)
from sav_edge.screen_upload import AS_DRAWING, AS_TABLE, PDF
from sav_edge.tables import TABLE
from sav_edge.upload_errors import Unreadable, Unsuitable
from sav_edge.upload_screening import ManyFiles, UploadScreening

A = TypeVar("A", bound=RequestMessage[Any])

MAX_NAME = 200
LONGEST_SHOWN = 80
ENDINGS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    PDF: (".pdf",),
    # The name says what was sent.
    TABLE: (".csv", ".xlsx", ".txt", ".tsv"),
}
# Bytes that all current bodies with files of this process may take.
IN_HAND = 150_000_000


class PictureTooLarge(TooLarge):
    field: str
    en = "this picture is too large to be kept as it is; send it as a JPEG"
    fr = "cette image est trop volumineuse pour être conservée telle quelle ; envoyez-la en JPEG"


class TableTooLarge(TooLarge):
    field: str
    en = "this table is too large to be kept; divide it"
    fr = "ce tableau est trop volumineux pour être conservé ; divisez-le"


class NoPictureOrPdf(UnsupportedMediaType):
    field: str
    name: str
    en = "this file is not a picture or PDF we can read (JPEG, PNG, WebP, HEIC, PDF), or it was cut off: {name}"
    fr = "ce fichier n’est ni une image ni un PDF que nous sachions lire (JPEG, PNG, WebP, HEIC, PDF), ou il est incomplet : {name}"


class NoPicture(UnsupportedMediaType):
    field: str
    name: str
    en = "this file is not a picture we can read (JPEG, PNG, WebP, HEIC), or it was cut off: {name}"
    fr = "ce fichier n’est pas une image que nous sachions lire (JPEG, PNG, WebP, HEIC), ou il est incomplet : {name}"


class FileUnsuitable(UnsupportedMediaType):
    field: str
    why: Text
    name: str
    en = "{why} ({name})"
    fr = "{why} ({name})"


class Uploads:
    """Takes the files of commands through the screening into the file store."""

    def __init__(
        self, files: Files, recogniser: UploadScreening, bounds: BodyLimits, room: int = IN_HAND
    ) -> None:
        self.files, self.recogniser, self.bounds, self._room = files, recogniser, bounds, room

    @contextmanager
    def in_hand(self) -> Iterator[Callable[[int], None]]:
        """Yields a function that reserves bytes for an upload until this closes, or raises `Unavailable`."""
        held = 0

        def hold(size: int) -> None:
            nonlocal held
            if size > self._room:
                raise ManyFiles
            held += size
            self._room -= size

        try:
            yield hold
        finally:
            self._room += held

    async def kept(self, message: type[A], fields: Fields, sent: list[UploadedFile]) -> A:
        """The message, with its files stored. If anything in it is refused, no file is."""
        takes = file_fields(message)
        stand_ins = [(file.field, _stand_in(takes[file.field])) for file in sent]
        checked = validated(message, fields | _by_field(message, stand_ins))
        if not sent:
            return checked
        fit = [(file, *await self._recognised(file, takes[file.field])) for file in sent]
        stored = [
            (file.field, await self.files.put(content, media_type, file_name(file.name, media_type)))
            for file, content, media_type in fit
        ]
        return validated(message, fields | _by_field(message, stored))

    async def _recognised(self, file: UploadedFile, field: FileField) -> tuple[bytes, str]:
        unread = NoPictureOrPdf if PDF in field.media_types else NoPicture
        as_table = TABLE in field.media_types
        try:
            how = AS_TABLE if as_table else AS_DRAWING if field.takes.drawn else ""
            content, media_type = await self.recogniser.recognised(file.content, how)
        except Unsuitable as error:
            raise FileUnsuitable(field=file.field, why=error.text(), name=shown_name(file.name)) from None
        except Unreadable:
            raise unread(field=file.field, name=shown_name(file.name)) from None
        if media_type not in field.media_types:
            raise unread(field=file.field, name=shown_name(file.name))
        if len(content) > MAX_FILE_BYTES:
            raise (TableTooLarge if as_table else PictureTooLarge)(field=file.field)
        return content, media_type


def validated(message: type[A], fields: Fields) -> A:
    """The message; `Invalid` names every wrong field."""
    try:
        return message.model_validate(fields, extra="forbid")
    except ValidationError as error:
        raise WrongFields.from_pydantic(error) from None


def _stand_in(field: FileField) -> StoredFile:
    """A placeholder for a file that is not stored yet, so that everything else is checked first."""
    return StoredFile(sha256="0" * 64, media_type=min(field.media_types), size=1, name="file")


def _by_field(message: MessageType, files: list[tuple[str, StoredFile]]) -> Fields:
    takes = file_fields(message)
    named = {name: [file for field, file in files if field == name] for name in dict(files)}
    return {name: found if takes[name].many else found[0] for name, found in named.items()}


def shown_name(given: str) -> str:
    """The sender's name for a file as a refusal shows it: short, in one line, without folders."""
    base = re.split(r"[/\\]", given)[-1]
    return "".join(character for character in base if character.isprintable()).strip()[:LONGEST_SHOWN] or "?"


def file_name(given: str, media_type: str) -> str:
    """The sender's name for a file, without folders and invisible characters, with an ending that fits its type."""
    base = re.split(r"[/\\]", given)[-1]
    seen = "".join(character for character in base if character.isprintable()).strip()
    ending = next((known for known in ENDINGS[media_type] if seen.lower().endswith(known)), None)
    stem = seen[: -len(ending)] if ending else re.sub(r"\.[A-Za-z]\w{1,4}$", "", seen)
    ending = seen[-len(ending) :] if ending else ENDINGS[media_type][0]
    return f"{stem.strip(' .')[: MAX_NAME - len(ending)] or 'file'}{ending}"
