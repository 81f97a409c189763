"""The routes of the surface, one handler for each kind of row. Nothing else answers under /api."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import structlog
import uuid_utils
from litestar import HttpMethod, Request, route
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from pydantic_core import from_json

from sav_chassis.commands.client import CommandClient
from sav_chassis.commands.roles import check_role
from sav_chassis.database import unavailable
from sav_chassis.entity_tags import holds
from sav_chassis.envelope import Envelope
from sav_chassis.errors import WrongField, WrongFields
from sav_chassis.identity import Verifier
from sav_chassis.telemetry import tracing
from sav_contracts.actor import Actor
from sav_contracts.messages import RequestMessage, View
from sav_contracts.surface import (
    SURFACE,
    AnyRow,
    DashboardRow,
    EdgeQueryRow,
    ExportRow,
    FieldRow,
    FileRow,
    ListRow,
    MessageRow,
    OwnRecordRow,
    PaperRow,
    RecordRow,
    Row,
    SignedRow,
    TextRow,
    TimelineRow,
)
from sav_edge import bodies, downloads, etags, history, problems, signed_row
from sav_edge.audit_log import Audit
from sav_edge.callers import caller_of, token_of
from sav_edge.dashboards import Dashboards
from sav_edge.exports import Exports
from sav_edge.fields import shown
from sav_edge.language import prefers_french, spoken
from sav_edge.list_query import QueryParameters
from sav_edge.no_parameters import each_once, no_parameters
from sav_edge.papers import Papers
from sav_edge.picture_sizes import Pictures
from sav_edge.rate_limiter import RateLimiter, request_class_of
from sav_edge.read_model import ReadModel
from sav_edge.reply import JSON, Reply
from sav_edge.request_context import request_context_of
from sav_edge.uploads import Uploads

log = structlog.get_logger()

HttpRequest = Request[Any, Any, Any]
A = TypeVar("A", bound=RequestMessage[Any])
PREFIX = "/api"
# Characters of an If-None-Match that an owner is told of; with a longer one the whole file is sent.
LONGEST_TAGS = 200
# Seconds that a caller waits for the read model to show what they wrote.
APPLY_WITHIN = 2.0
ONES = {row.message: row for row in SURFACE if isinstance(row, RecordRow)}


class Correlation(NamedTuple):
    """The request that began a conversation: its id, and its place in its trace."""

    correlation_id: str
    traceparent: str | None


class KeyNotPrintable(WrongField):
    field: str = "Idempotency-Key"
    en = "at most 200 printable characters"
    fr = "au plus 200 caractères imprimables"


class StandsInPath(WrongField):
    en = "stands in the path"
    fr = "se trouve déjà dans le chemin"


class NotUuid(WrongField):
    en = "not a UUID"
    fr = "ce n’est pas un UUID"


@dataclass
class Gateway:
    """What the handlers need: the read model, the command client, how to apply a command's events, files, limits."""

    read: ReadModel
    exports: Exports
    client: CommandClient
    verifier: Verifier
    deadline: float
    apply: Callable[[Sequence[Envelope]], Awaitable[None]]
    uploads: Uploads
    pictures: Pictures
    papers: Papers
    limiter: RateLimiter
    audit: Audit
    dashboards: Dashboards

    async def answer(self, row: AnyRow, request: HttpRequest) -> Reply:
        """The row's response or problem. Token, role and shape are checked here, scope by read model or owner."""
        call = request_context_of(request.scope)
        call.route = row.route
        headers = {"Cache-Control": "no-store"}
        reply: Reply | None = None
        with tracing.span(row.route, "SERVER", call.traceparent, _http(row)) as span:
            try:
                token = self.admit(row, request)
                if isinstance(row, MessageRow):
                    origin = Correlation(call.id, span.traceparent)
                    reply = await self._command(row, request, token, origin, headers)
                elif isinstance(row, EdgeQueryRow):
                    found = await self.audit.page(await self._message(row.message, request))
                    reply = _reply(row, found.model_dump_json(), headers)
                elif isinstance(row, ExportRow):
                    reply = await self.exports.answer(row, _query(request), call.actor, headers)
                elif isinstance(row, ListRow | TimelineRow | DashboardRow):
                    reply = await self._list(row, request, call.actor, headers)
                elif isinstance(row, PaperRow):
                    reply = await self._paper(row, request, call.actor, headers)
                elif isinstance(row, FileRow):
                    reply = await self._file(row, request, call.actor, headers)
                else:
                    reply = await self._one(row, request, call.actor, headers)
            except Exception as error:
                reply = problems.refusal(error, headers)
            finally:
                span.note("http.response.status_code", 500 if reply is None else reply.status)
            if reply.status >= 500:
                span.fail(str(reply.status))
        return reply

    def admit(self, row: Row, request: HttpRequest) -> str | None:
        """The caller's verified token, if they sent one. Counts the request, and raises where it is refused."""
        call, kind = request_context_of(request.scope), request_class_of(row)
        try:
            if token := token_of(call):
                call.actor = self.verifier.actor(token)
        finally:
            # A caller with an invalid token is counted by address.
            self.limiter.take(call, kind)
        check_role(row, call.actor)
        return token

    async def _list(
        self,
        row: ListRow | TimelineRow | DashboardRow,
        request: HttpRequest,
        actor: Actor,
        headers: dict[str, str],
    ) -> Reply:
        """A page, or figures; 304 where the caller holds the same ones already."""
        ids, query = _path_ids(request), _query(request)
        if isinstance(row, DashboardRow):
            no_parameters(request)
            body = (await self.dashboards.of(row, actor)).model_dump_json().encode()
        elif isinstance(row, ListRow):
            body = (await self.read.page(row, ids, query, actor)).encode()
        else:
            page = await self.read.timeline(row, ids, query, actor)
            accepted = request_context_of(request.scope).header(b"accept-language")
            body = await history.in_words(page, actor, accepted, self.read, headers)
        return _unless_held(request, body, etags.of_page(body), headers)

    async def _one(
        self,
        row: RecordRow | OwnRecordRow | FieldRow,
        request: HttpRequest,
        actor: Actor,
        headers: dict[str, str],
    ) -> Reply:
        """A record, or a field of it; 304 where the caller holds it already."""
        no_parameters(request)
        ids = {"account_id": actor.id} if isinstance(row, OwnRecordRow) else _path_ids(request)
        found = await self.read.one(row, ids, actor)
        return _unless_held(request, shown(row, found), etags.tag(found.id, found.version, actor), headers)

    async def _file(self, row: FileRow, request: HttpRequest, actor: Actor, headers: dict[str, str]) -> Reply:
        """A record's file, a picture in the size that is wanted; 304 where the caller holds it already."""
        if not row.sizes:
            no_parameters(request)
        asked = downloads.asked(row, _query(request))
        found = await self.read.one(row, _path_ids(request), actor)
        file = downloads.file_of(row, from_json(found.doc))
        return await downloads.answer(self.pictures, row, file, asked, _known(request), headers)

    async def _paper(
        self, row: PaperRow, request: HttpRequest, actor: Actor, headers: dict[str, str]
    ) -> Reply:
        """A paper of a record, in the language that the caller prefers; 304 where they hold it already."""
        no_parameters(request)
        found = await self.read.one(row, _path_ids(request), actor)
        french = prefers_french(request_context_of(request.scope).header(b"accept-language") or "")
        record = from_json(found.doc)
        return await self.papers.answer(row, record, actor, french, _known(request), headers)

    async def _command(
        self,
        row: MessageRow,
        request: HttpRequest,
        token: str | None,
        began: Correlation,
        headers: dict[str, str],
    ) -> Reply:
        """The owner's reply to a command, or to a query that it computes; the read model has applied its events."""
        call = request_context_of(request.scope)
        key = call.header(b"idempotency-key") or str(uuid_utils.uuid7())
        if len(key) > 200 or not key.isprintable():
            raise KeyNotPrintable
        headers["Idempotency-Key"] = key
        # Before the body is read, so that nobody uploads files in vain.
        await self.client.expect_heard()
        expected = etags.expected(call.header(b"if-match"))
        if isinstance(row, SignedRow):
            message = await signed_row.message(row, request, self.uploads)
        else:
            message = _holding(row, await self._message(row.message, request), _known(request))
        answer = await self.client.ask(
            message,
            self.deadline + message.takes(),
            token=token,
            key=key,
            caller=caller_of(call),
            expected=expected,
            correlation_id=UUID(began.correlation_id),
            traceparent=began.traceparent,
        )
        await self.take_in(answer.events)
        if answer.problem:
            return problems.reply(answer.problem, headers)
        if isinstance(row, TextRow) and answer.body:
            return downloads.text(row, answer.body, headers)
        headers |= _of_record(row, answer.body, request_context_of(request.scope).actor)
        return _reply(row, spoken(row.reply, answer.body, call.header(b"accept-language"), headers), headers)

    async def _message(self, message: type[A], request: HttpRequest) -> A:
        """The command or query, from the path and the body or query string; the files in it are stored."""
        sent: list[bodies.UploadedFile] = []
        with self.uploads.in_hand() as hold:
            if request.method == "GET":
                fields: dict[str, Any] = {**each_once(_query(request))}
            else:
                no_parameters(request)
                fields, sent = await bodies.read(message, request, self.uploads.bounds, hold)
            if doubled := sorted(set(fields) & set(request.path_params)):
                raise StandsInPath(field=doubled[0])
            return await self.uploads.kept(message, fields | dict(request.path_params), sent)

    async def take_in(self, events: Sequence[Envelope]) -> None:
        """Read your writes: the caller's next GET shows these events. If it fails, the queue brings them soon after."""
        try:
            async with asyncio.timeout(APPLY_WITHIN):
                await self.apply(events)
        except Exception as error:
            ours = None if unavailable(error) or isinstance(error, TimeoutError) else error
            log.warning(
                "events of a reply not applied; the queue delivers them", error=repr(error), exc_info=ours
            )


def handlers(gateway: Gateway) -> list[HTTPRouteHandler]:
    """The routes of the surface. Rows whose paths differ only in what follows an id (`.pdf`) share one."""
    rows: dict[str, list[AnyRow]] = {}
    for row in SURFACE:
        rows.setdefault(row.path.removesuffix(_ending(row)), []).append(row)
    return [_handler(path, here, gateway) for path, here in rows.items()]


def _handler(path: str, rows: list[AnyRow], gateway: Gateway) -> HTTPRouteHandler:
    plain = {} if any(map(_ending, rows)) else {row.method: row for row in rows}

    async def handle(request: HttpRequest) -> Reply:
        here = plain or _meant(rows, request)
        if request.method == "OPTIONS":
            return _methods(here)
        if request.method not in here:
            raise MethodNotAllowedException(headers={"Allow": ", ".join(here)})
        return await gateway.answer(here[request.method], request)

    methods = sorted({HttpMethod.OPTIONS, *(HttpMethod(row.method) for row in rows)})
    return route(PREFIX + path.replace("}", ":str}"), http_method=methods, status_code=200)(handle)


def _ending(row: Row) -> str:
    """What follows an id in the last segment of the path; Litestar matches only whole segments."""
    return row.path.rpartition("/")[2].partition("}")[2]


def _methods(here: Mapping[str, AnyRow]) -> Reply:
    return Reply(b"", 204, headers={"Allow": ", ".join(here)})


def _meant(rows: list[AnyRow], request: HttpRequest) -> Mapping[str, AnyRow]:
    """The rows with this request's ending, by method; removes the ending from the last id of the path."""
    ids = request.path_params
    name, last = next(reversed(ids.items()), ("", ""))
    endings = [ending for ending in map(_ending, rows) if last.endswith(ending)]
    if not endings:
        raise NotFoundException
    ending = max(endings, key=len)
    if ending:
        # In a new dict: Litestar caches the old one for the next request of this path.
        request.scope["path_params"] = ids | {name: last.removesuffix(ending)}
    return {row.method: row for row in rows if _ending(row) == ending}


def _reply(row: MessageRow | EdgeQueryRow, body: str | None, headers: dict[str, str]) -> Reply:
    return Reply(body.encode(), row.status, JSON, headers) if body else Reply(b"", 204, headers=headers)


def _holding(row: MessageRow, message: A, known: str | None) -> A:
    """The query, which says to its owner what the caller holds already, where its row asks for that."""
    if not isinstance(row, TextRow) or not row.held or known is None or len(known) > LONGEST_TAGS:
        return message
    return message.model_copy(update={row.held: known})


def _known(request: HttpRequest) -> str | None:
    return request_context_of(request.scope).header(b"if-none-match")


def _unless_held(request: HttpRequest, body: bytes, tag: str, headers: dict[str, str]) -> Reply:
    """The body with this tag; 304 where the caller holds it already."""
    headers["ETag"] = tag
    if holds(_known(request), tag):
        return Reply(b"", 304, headers=headers)
    return Reply(body, 200, JSON, headers)


def _of_record(row: MessageRow, body: str | None, actor: Actor) -> dict[str, str]:
    """The ETag of the record that a command returns, as in its GET; for a new one also its Location."""
    reply = row.reply
    if body is None or not issubclass(reply, View):
        return {}
    record = from_json(body)
    headers = {"ETag": etags.tag(UUID(record["id"]), record["version"], actor)}
    if row.status == 201 and (one := ONES.get(reply)):
        # Some paths name the parent instead: the stock level of an article.
        ids = {f"{reply.kind()}_id": record["id"]} | record
        headers["Location"] = PREFIX + one.path.format_map(ids)
    return headers


def _path_ids(request: HttpRequest) -> dict[str, UUID]:
    given = request.path_params.items()
    try:
        return {name: UUID(value) for name, value in given}
    except ValueError:
        wrong = (NotUuid(field=name) for name, value in given if not _is_uuid(value))
        raise WrongFields.each(wrong) from None


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


@cache
def _http(row: Row) -> dict[str, str]:
    """The span's HTTP attributes. Never the requested path: an id in it may be a person's."""
    return {"http.request.method": row.method, "http.route": PREFIX + row.path}


def _query(request: HttpRequest) -> QueryParameters:
    return {name: request.query_params.getall(name) for name in request.query_params}
