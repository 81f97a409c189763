"""Bodies of requests: a JSON object, or a form with files."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, cast, get_args, get_origin

from litestar import Request
from litestar.types import HTTPReceiveMessage
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
)
from pydantic import BaseModel

from sav_chassis.errors import Malformed, SavError, TooLarge, WrongField, WrongFields
from sav_contracts.files import MAX_BODY, MAX_UPLOAD, Takes
from sav_contracts.messages import RequestMessage
from sav_contracts.sentences import Text
from sav_edge.json_bodies import GivenTwice, json_object, json_value

HttpRequest = Request[Any, Any, Any]
Fields = dict[str, Any]
MessageType = type[RequestMessage[BaseModel]]

JSON = "application/json"
FORM = "multipart/form-data"
# The caller chose no type: curl sends the second one by default.
UNSAID = {"", "application/x-www-form-urlencoded"}
# Content-Encoding that says nothing.
AS_IT_IS = {"", "identity"}
MAX_PARTS = 100


class BodyLimits(NamedTuple):
    """The most bytes of a body without files and of one with files; the seconds in which either must have arrived."""

    body: int = MAX_BODY
    upload: int = MAX_UPLOAD
    seconds: float = 60.0


class TooSlow(SavError):
    """The body did not come in time."""

    code = "too_slow"
    status = 408
    seconds: str
    en = "The body did not come within {seconds} seconds"
    fr = "Le corps n’est pas arrivé en {seconds} secondes"


class UnsupportedMediaType(SavError, abstract=True):
    """The body, or a file in it, is of a type that is not taken here."""

    code = "unsupported_media_type"
    status = 415


class BodyCutOff(Malformed):
    en = "The body was cut off"
    fr = "Le corps a été interrompu"


class TooManyParts(Malformed):
    most: int = MAX_PARTS
    en = "The form has more than {most} parts, or a part with too many headers"
    fr = "Le formulaire a plus de {most} parties, ou une partie avec trop d’en-têtes"


class FormUnreadable(Malformed):
    form: str = FORM
    en = "The form cannot be read: send {form}, in parts as the boundary in its Content-Type divides them"
    fr = "Le formulaire est illisible : envoyez {form}, en parties séparées comme l’indique la limite (boundary) de son Content-Type"


class BodyTooLarge(TooLarge):
    megabytes: str
    en = "The body is too large: at most {megabytes} MB"
    fr = "Le corps est trop volumineux : au plus {megabytes} Mo"


class FieldsTooLarge(TooLarge):
    megabytes: str
    en = "The fields are too large: at most {megabytes} MB without the files"
    fr = "Les champs sont trop volumineux : au plus {megabytes} Mo sans les fichiers"


class FileTooLarge(TooLarge):
    field: str
    most: int
    en = "The file is too large: at most {most} MB"
    fr = "Le fichier est trop volumineux : au plus {most} Mo"


class OneFileOnly(WrongField):
    en = "one file only"
    fr = "un seul fichier"


class TakesNoFile(WrongField):
    en = "takes no file"
    fr = "n’accepte pas de fichier"


class FileEmpty(WrongField):
    en = "the file is empty"
    fr = "le fichier est vide"


class NotUtf8(WrongField):
    en = "not UTF-8"
    fr = "ce n’est pas de l’UTF-8"


class IsFile(WrongField):
    form: str = FORM
    en = "send it as a file in {form}"
    fr = "envoyez-le comme fichier dans {form}"


class SendAsFile(UnsupportedMediaType):
    field: str
    form: str = FORM
    en = "Send it as a file in {form}"
    fr = "Envoyez-le comme fichier dans {form}"


class OtherBody(UnsupportedMediaType):
    types: Text
    en = "Send the body as {types}"
    fr = "Envoyez le corps en {types}"


class Packed(UnsupportedMediaType):
    en = "Send the body as it is: packed ones (Content-Encoding) are not taken here"
    fr = "Envoyez le corps tel quel : les corps compressés (Content-Encoding) ne sont pas acceptés ici"


@dataclass(frozen=True)
class FileField:
    """A field that takes uploaded files: of which kinds, whether several, and whether it is required."""

    takes: Takes
    many: bool
    required: bool

    @property
    def media_types(self) -> frozenset[str]:
        """Those in which its files are kept."""
        return self.takes.media_types


@dataclass(frozen=True)
class UploadedFile:
    """A file as it was sent: the field it is for, the sender's name for it, its bytes."""

    field: str
    name: str
    content: bytes


@cache
def file_fields(message: MessageType) -> Mapping[str, FileField]:
    """The fields of a message that take uploaded files, by name."""
    found = {}
    for name, field in message.model_fields.items():
        if takes := _takes(field.annotation, field.metadata):
            many = get_origin(field.annotation) is list
            found[name] = FileField(takes, many, field.is_required())
    return found


def _takes(annotation: Any, metadata: Iterable[Any]) -> Takes | None:
    marks = [mark for mark in metadata if isinstance(mark, Takes)]
    if marks:
        return marks[0]
    inner = getattr(annotation, "__metadata__", ())
    found = (_takes(part, inner) for part in get_args(annotation))
    return next((takes for takes in found if takes), None)


def media_types(message: MessageType) -> tuple[str, ...]:
    """The content types that a body for this message may have."""
    files = file_fields(message).values()
    if not files:
        return (JSON,)
    return (FORM,) if any(field.required for field in files) else (JSON, FORM)


async def read(
    message: MessageType, request: HttpRequest, bounds: BodyLimits, hold: Callable[[int], None]
) -> tuple[Fields, list[UploadedFile]]:
    """The fields of the body and the files in it; stores nothing. Refuses with 400, 408, 413, 415 or 422.

    `hold` is called with the size of each chunk of a form; it raises where this process has no room for it.
    """
    try:
        async with asyncio.timeout(bounds.seconds):
            return await _read(message, request, bounds, hold)
    except TimeoutError:
        raise TooSlow(seconds=f"{bounds.seconds:g}") from None


async def _read(
    message: MessageType, request: HttpRequest, bounds: BodyLimits, hold: Callable[[int], None]
) -> tuple[Fields, list[UploadedFile]]:
    media_type, options = request.content_type
    media_type = JSON if media_type in UNSAID else media_type
    taken = media_types(message)
    if media_type not in taken:
        needed = [name for name, field in file_fields(message).items() if field.required]
        if needed and media_type == JSON:
            raise SendAsFile(field=needed[0])
        raise OtherBody(types=_either(taken))
    if media_type == FORM:
        return await _form(message, request, options.get("boundary", ""), bounds, hold)
    fields = json_object(b"".join([chunk async for chunk in _chunks(request, bounds.body)]))
    if given := [name for name in file_fields(message) if fields.get(name) is not None]:
        raise WrongFields.each(IsFile(field=name) for name in given)
    return fields, []


async def text(field: str, request: HttpRequest, bounds: BodyLimits) -> str:
    """The whole body as it came, of any type. Refuses with 408, 413, 415 or 422, which names this field."""
    try:
        async with asyncio.timeout(bounds.seconds):
            body = b"".join([chunk async for chunk in _chunks(request, bounds.body)])
    except TimeoutError:
        raise TooSlow(seconds=f"{bounds.seconds:g}") from None
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise NotUtf8(field=field) from None


async def _chunks(request: HttpRequest, limit: int) -> AsyncIterator[bytes]:
    """The body in chunks as they arrive; `TooLarge` as soon as it is known to be longer than `limit` bytes.

    `Packed` where it is compressed: a few bytes of that can be gigabytes.
    """
    if request.headers.get("content-encoding", "identity").lower() not in AS_IT_IS:
        raise Packed
    size = request.content_length or 0
    too_large = BodyTooLarge(megabytes=_megabytes(limit))
    if size > limit:
        raise too_large
    size = 0
    more = True
    while more:
        event = cast("HTTPReceiveMessage", await request.receive())
        if event["type"] == "http.disconnect":
            raise BodyCutOff
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_large
        yield chunk
        more = event.get("more_body", False)


def _megabytes(limit: int) -> str:
    return f"{limit / 1_000_000:g}"


def _either(types: Iterable[str]) -> Text:
    return Text(" or ".join(types), " ou ".join(types))


async def _form(
    message: MessageType, request: HttpRequest, boundary: str, bounds: BodyLimits, hold: Callable[[int], None]
) -> tuple[Fields, list[UploadedFile]]:
    form = Form(message, bounds.body)
    try:
        with PushMultipartParser(boundary, max_segment_count=MAX_PARTS) as parser:
            async for chunk in _chunks(request, bounds.upload):
                hold(len(chunk))
                # An empty chunk would tell the parser that the body ends here.
                for event in parser.parse(chunk) if chunk else ():
                    form.take(event)
    except ParserLimitReached:
        raise TooManyParts from None
    except MultipartError:
        raise FormUnreadable from None
    return form.fields, form.files


class Form:
    """Collects the parts of a form; refuses each as soon as it is too large or not allowed."""

    def __init__(self, message: MessageType, text: int) -> None:
        self.fields: Fields = {}
        self.files: list[UploadedFile] = []
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
                raise OneFileOnly(field=name)
        elif filename is not None:
            raise TakesNoFile(field=name)
        elif name in self.fields:
            raise GivenTwice(field=name)

    def _go_on(self, chunk: bytes) -> None:
        self._content += chunk
        if self._name not in self._takes:
            self._text_left -= len(chunk)
            if self._text_left < 0:
                raise FieldsTooLarge(megabytes=_megabytes(self._text))
        elif len(self._content) > (most := self._takes[self._name].takes.most):
            raise FileTooLarge(field=self._name, most=most // 1_000_000)

    def _end(self) -> None:
        if self._name not in self._takes:
            self._end_text()
        elif self._content:
            self.files.append(UploadedFile(self._name, self._filename, bytes(self._content)))
        elif self._filename:
            raise FileEmpty(field=self._name)

    def _end_text(self) -> None:
        try:
            text = self._content.decode()
        except UnicodeDecodeError:
            raise NotUtf8(field=self._name) from None
        known = self._message.model_fields.get(self._name)
        # Browsers send an empty text for an optional field that was left empty.
        if text or known is None or known.is_required():
            self.fields[self._name] = _value(self._name, text)


def _value(name: str, text: str) -> Any:
    """The text, or the value it encodes where it is a JSON object or list."""
    if not text.startswith(("{", "[")):
        return text
    try:
        return json_value(text, name)
    except ValueError:
        return text
