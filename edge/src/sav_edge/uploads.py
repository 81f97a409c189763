"""Bodies of requests: a JSON object, or a form with files that are recognised and stored before the command is sent."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, cast, get_args, get_origin

from litestar import Request
from litestar.types import HTTPReceiveMessage
from multipart import MultipartError, MultipartSegment, PushMultipartParser  # type: ignore[import-untyped]
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from sav_chassis.errors import FieldError, Invalid, SavError, TooLarge
from sav_chassis.files import Files
from sav_contracts.files import MAX_BODY, MAX_FILE_BYTES, MAX_UPLOAD, StoredFile, Takes
from sav_contracts.messages import Asked
from sav_edge.recognising import Unsuitable, recognised

HttpRequest = Request[Any, Any, Any]
Fields = dict[str, Any]
Asks = type[Asked[BaseModel]]

JSON = "application/json"
FORM = "multipart/form-data"
# Nobody said what it is: curl says the second of whatever it is given.
UNSAID = {"", "application/x-www-form-urlencoded"}
MAX_PARTS = 100
MAX_NAME = 200
ENDINGS = {"image/jpeg": (".jpg", ".jpeg"), "image/png": (".png",), "application/pdf": (".pdf",)}


class Bounds(NamedTuple):
    """Bytes of a body without files, and of one with them; seconds in which either has to be there."""

    body: int = MAX_BODY
    upload: int = MAX_UPLOAD
    seconds: float = 60.0


class TooSlow(SavError):
    """The body did not come in time."""

    code = "too_slow"
    status = 408


class Malformed(SavError):
    """The body is not what its content type says."""

    code = "malformed"
    status = 400


class UnsupportedMediaType(SavError):
    """The body, or a file in it, is of a type that is not taken here."""

    code = "unsupported_media_type"
    status = 415

    @classmethod
    def field(cls, name: str, message: str) -> "UnsupportedMediaType":
        return cls(f"{name}: {message}", errors=[FieldError(field=name, message=message)])


@dataclass(frozen=True)
class FileField:
    """A field that an upload fills: with which types, with several files or one, and whether it must."""

    media_types: frozenset[str]
    many: bool
    required: bool


@dataclass(frozen=True)
class Sent:
    """A file as it came: the field it is for, the name its sender gave it, its bytes."""

    field: str
    name: str
    content: bytes


@cache
def file_fields(message: Asks) -> Mapping[str, FileField]:
    """The fields of a message that an upload fills, by name; none where it takes no files."""
    found = {}
    for name, field in message.model_fields.items():
        if takes := _takes(field.annotation, field.metadata):
            many = get_origin(field.annotation) is list
            found[name] = FileField(takes.media_types, many, field.is_required())
    return found


def _takes(annotation: Any, metadata: Iterable[Any]) -> Takes | None:
    marks = [mark for mark in metadata if isinstance(mark, Takes)]
    if marks:
        return marks[0]
    inner = getattr(annotation, "__metadata__", ())
    found = (_takes(part, inner) for part in get_args(annotation))
    return next((takes for takes in found if takes), None)


def media_types(message: Asks) -> tuple[str, ...]:
    """The content types that a body for this message may have."""
    files = file_fields(message).values()
    if not files:
        return (JSON,)
    return (FORM,) if any(field.required for field in files) else (JSON, FORM)


async def read(message: Asks, request: HttpRequest, bounds: Bounds) -> tuple[Fields, list[Sent]]:
    """What the body says, and the files in it; nothing is stored. 400, 408, 413, 415 or 422 where it cannot be read."""
    try:
        async with asyncio.timeout(bounds.seconds):
            return await _read(message, request, bounds)
    except TimeoutError:
        raise TooSlow(f"the body did not come within {bounds.seconds:g} seconds") from None


async def _read(message: Asks, request: HttpRequest, bounds: Bounds) -> tuple[Fields, list[Sent]]:
    media_type, options = request.content_type
    media_type = JSON if media_type in UNSAID else media_type
    taken = media_types(message)
    if media_type not in taken:
        needed = [name for name, field in file_fields(message).items() if field.required]
        if needed and media_type == JSON:
            raise UnsupportedMediaType.field(needed[0], f"send it as a file in {FORM}")
        raise UnsupportedMediaType(f"send the body as {' or '.join(taken)}")
    if media_type == FORM:
        return await _form(message, request, options.get("boundary", ""), bounds)
    fields = json_object(b"".join([chunk async for chunk in _chunks(request, bounds.body)]))
    if given := [name for name in file_fields(message) if fields.get(name) is not None]:
        raise Invalid.fields(
            [FieldError(field=name, message=f"send it as a file in {FORM}") for name in given]
        )
    return fields, []


def json_object(body: bytes) -> Fields:
    """The fields of a JSON body; none in an empty one."""
    if not body:
        return {}
    try:
        fields = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise Malformed("the body must be a JSON object")
    return fields


async def _chunks(request: HttpRequest, limit: int) -> AsyncIterator[bytes]:
    """The body as it comes; `TooLarge` as soon as it is known to be longer than `limit` bytes."""
    size = request.content_length or 0
    told = TooLarge(f"the body is too large: at most {_size(limit)}")
    if size > limit:
        raise told
    size = 0
    more = True
    while more:
        event = cast("HTTPReceiveMessage", await request.receive())
        if event["type"] == "http.disconnect":
            raise Malformed("the body was cut off")
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise told
        yield chunk
        more = event.get("more_body", False)


def _size(limit: int) -> str:
    return f"{limit / 1_000_000:g} MB"


async def _form(
    message: Asks, request: HttpRequest, boundary: str, bounds: Bounds
) -> tuple[Fields, list[Sent]]:
    form = Form(message, bounds.body)
    try:
        with PushMultipartParser(boundary, max_segment_count=MAX_PARTS) as parser:
            async for chunk in _chunks(request, bounds.upload):
                # An empty chunk would tell the parser that the body ends here.
                for event in parser.parse(chunk) if chunk else ():
                    form.take(event)
    except MultipartError as error:
        raise Malformed(f"the form cannot be read: {error}") from None
    return form.fields, form.files


class Form:
    """Gathers the parts of a form as they come; refuses each as soon as it is too large or has no place."""

    def __init__(self, message: Asks, text: int) -> None:
        self.fields: Fields = {}
        self.files: list[Sent] = []
        self._message = message
        self._takes = file_fields(message)
        self._text_left = self._text = text

    def take(self, event: "MultipartSegment | bytes | None") -> None:
        """A part begins, goes on, or (None) ends."""
        if event is None:
            self._end()
        elif isinstance(event, MultipartSegment):
            self._begin(event.name, event.filename)
        else:
            self._go_on(event)

    def _begin(self, name: str, filename: str | None) -> None:
        self._name, self._filename, self._content = name, filename or "", bytearray()
        if name in self._takes:
            taken = [file for file in self.files if file.field == name]
            if taken and not self._takes[name].many:
                raise Invalid.field(name, "one file only")
        elif filename is not None:
            raise Invalid.field(name, "takes no file")
        elif name in self.fields:
            raise Invalid.field(name, "given more than once")

    def _go_on(self, chunk: bytes) -> None:
        self._content += chunk
        if self._name not in self._takes:
            self._text_left -= len(chunk)
            if self._text_left < 0:
                raise TooLarge(f"the fields are too large: at most {_size(self._text)} without the files")
        elif len(self._content) > MAX_FILE_BYTES:
            message = f"the file is too large: at most {MAX_FILE_BYTES // 1_000_000} MB"
            raise TooLarge(f"{self._name}: {message}", errors=[FieldError(field=self._name, message=message)])

    def _end(self) -> None:
        if self._name not in self._takes:
            self._end_text()
        elif self._content:
            self.files.append(Sent(self._name, self._filename, bytes(self._content)))
        elif self._filename:
            raise Invalid.field(self._name, "the file is empty")

    def _end_text(self) -> None:
        try:
            text = self._content.decode()
        except UnicodeDecodeError:
            raise Invalid.field(self._name, "not UTF-8") from None
        known = self._message.model_fields.get(self._name)
        # What a browser sends of an optional field that was left empty.
        if text or known is None or known.is_required():
            self.fields[self._name] = _value(text)


def _value(text: str) -> Any:
    """A text, or what it says where it is a JSON object or list."""
    if not text.startswith(("{", "[")):
        return text
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        return text


@dataclass(frozen=True)
class Uploads:
    """Where the files of commands go: through the recogniser, at most as many at once as it has workers, and kept."""

    files: Files
    workers: Executor
    bounds: Bounds

    async def kept(self, message: Asks, fields: Fields, sent: list[Sent]) -> Asked[BaseModel]:
        """The message, whose files are stored when this returns; none is where anything in it is refused."""
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

    async def _recognised(self, file: Sent, field: FileField) -> tuple[bytes, str]:
        taken = ", ".join(sorted(field.media_types))
        loop = asyncio.get_running_loop()
        try:
            content, media_type = await loop.run_in_executor(self.workers, recognised, file.content)
        except Unsuitable as error:
            raise UnsupportedMediaType.field(file.field, f"the file {error}; it takes {taken}") from None
        if media_type not in field.media_types:
            raise UnsupportedMediaType.field(
                file.field, f"the file is of type {media_type}; it takes {taken}"
            )
        if len(content) > MAX_FILE_BYTES:
            raise TooLarge(f"{file.field}: the picture is too large without its compression; send a JPEG")
        return content, media_type


def validated(message: Asks, fields: Fields) -> Asked[BaseModel]:
    """The message; `Invalid` names every wrong field."""
    try:
        return message.model_validate(fields)
    except ValidationError as error:
        raise Invalid.from_pydantic(error) from None


def _stand_in(field: FileField) -> StoredFile:
    """For a file that is not stored yet, so that everything else is checked before it is."""
    return StoredFile(sha256="0" * 64, media_type=min(field.media_types), size=1, name="file")


def _by_field(message: Asks, files: list[tuple[str, StoredFile]]) -> Fields:
    takes = file_fields(message)
    named = {name: [file for field, file in files if field == name] for name in dict(files)}
    return {name: found if takes[name].many else found[0] for name, found in named.items()}


def file_name(given: str, media_type: str) -> str:
    """The sender's name for a file, without folders and what cannot be seen, with an ending that fits its type."""
    base = re.split(r"[/\\]", given)[-1]
    seen = "".join(character for character in base if character.isprintable()).strip()
    ending = next((known for known in ENDINGS[media_type] if seen.lower().endswith(known)), None)
    stem = seen[: -len(ending)] if ending else re.sub(r"\.[A-Za-z]\w{1,4}$", "", seen)
    ending = seen[-len(ending) :] if ending else ENDINGS[media_type][0]
    return f"{stem.strip(' .')[: MAX_NAME - len(ending)] or 'file'}{ending}"
