"""Routes from the surface: one handler for every kind of row, and nothing else that answers under /api."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, cast
from uuid import UUID

import structlog
import uuid_utils
from litestar import HttpMethod, Request, route
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from pydantic import BaseModel
from pydantic_core import from_json

from sav_chassis import tracing
from sav_chassis.asking import Caller, CommandClient
from sav_chassis.database import is_away
from sav_chassis.envelope import Envelope
from sav_chassis.errors import FieldError, Invalid, NotSignedIn, Problem, SavError, Unavailable
from sav_chassis.identity import Verifier
from sav_chassis.roles import check_role
from sav_contracts.actor import Actor
from sav_contracts.edge import FindRequests
from sav_contracts.messages import Asked, View
from sav_contracts.surface import SURFACE, Row, Serves
from sav_edge import downloads, problems, tags, uploads
from sav_edge.auditing import Audit
from sav_edge.call import Call, call_of
from sav_edge.limiting import RateLimiter, kind_of
from sav_edge.listing import Query
from sav_edge.reading import ReadModel
from sav_edge.reply import JSON, Reply
from sav_edge.uploads import Uploads

log = structlog.get_logger()

HttpRequest = Request[Any, Any, Any]
PREFIX = "/api"
# Seconds that a caller waits for the read model to show what they wrote.
APPLY_WITHIN = 2.0
# Characters of a user agent.
LONGEST_AGENT = 200
TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
ONES = {row.message: row for row in SURFACE if row.serves is Serves.ONE}


class Origin(NamedTuple):
    """The request in which it all began: its id, and where it stands in its trace."""

    correlation_id: str
    traceparent: str | None


@dataclass
class Door:
    """What the handlers need: the read model, the way to the services, how to apply what came of a command, files."""

    read: ReadModel
    client: CommandClient
    verifier: Verifier
    deadline: float
    apply: Callable[[Sequence[Envelope]], Awaitable[None]]
    uploads: Uploads
    limiter: RateLimiter
    audit: Audit

    async def answer(self, row: Row, request: HttpRequest) -> Reply:
        """The row's answer or problem."""
        call = call_of(request.scope)
        call.route = row.route
        status = 500
        with tracing.span(row.route, "SERVER", _trace(call), _http(row)) as span:
            try:
                reply = await self._answer(row, request, call, span.traceparent)
                status = reply.status
            finally:
                span.note("http.response.status_code", status)
            if status >= 500:
                span.fail(str(status))
        return reply

    def admit(self, row: Row, request: HttpRequest) -> str | None:
        """The caller's token, which is good, if they have one; raises what refuses them. What they ask for is counted."""
        call, kind = call_of(request.scope), kind_of(row)
        try:
            if token := token_of(call):
                call.actor = self.verifier.actor(token)
        finally:
            # Whoever sends a token that is none is counted by address.
            self.limiter.take(call, kind)
        check_role(row, call.actor)
        return token

    async def _answer(self, row: Row, request: HttpRequest, call: Call, traceparent: str | None) -> Reply:
        """Token, role and shape are checked here; scope by the read model or the owner."""
        headers = {"Cache-Control": "no-store"}
        try:
            token = self.admit(row, request)
            if row.serves is Serves.REPLY:
                return await self._ask(row, request, token, Origin(call.id, traceparent), headers)
            if row.serves is Serves.EDGE:
                return _reply(row, await self._here(row, request), headers)
            if row.serves in (Serves.PAGE, Serves.TIMELINE):
                return await self._list(row, request, call.actor, headers)
            return await self._one(row, request, call.actor, headers)
        except SavError as error:
            return problems.reply(error.problem, headers)
        except HTTPException as error:
            return problems.of_http_error(error, headers)
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("database is away", error=str(error))
            return problems.reply(Unavailable("the read model is away", retry_after=2).problem, headers)

    async def _list(self, row: Row, request: HttpRequest, actor: Actor, headers: dict[str, str]) -> Reply:
        """A page; 304 where the caller holds just the same."""
        read = self.read.page if row.serves is Serves.PAGE else self.read.timeline
        body = (await read(row, _path_ids(request), _query(request), actor)).encode()
        return _unless_held(request, body, tags.of_page(body), headers)

    async def _one(self, row: Row, request: HttpRequest, actor: Actor, headers: dict[str, str]) -> Reply:
        """A record, or its file; 304 where the caller holds it already."""
        no_parameters(request)
        ids = {"account_id": actor.id} if row.serves is Serves.SELF else _path_ids(request)
        found = await self.read.one(row, ids, actor)
        if row.serves is Serves.FILE:
            file = downloads.file_of(row, from_json(found.doc))
            return await downloads.answer(self.uploads.files, file, _known(request), headers)
        return _unless_held(request, found.doc.encode(), tags.tag(found.id, found.version, actor), headers)

    async def _here(self, row: Row, request: HttpRequest) -> str:
        message = cast("FindRequests", await self._message(row, request))
        return (await self.audit.page(message)).model_dump_json()

    async def _ask(
        self, row: Row, request: HttpRequest, token: str | None, began: Origin, headers: dict[str, str]
    ) -> Reply:
        call = call_of(request.scope)
        key = call.header(b"idempotency-key") or str(uuid_utils.uuid7())
        if not _is_key(key):
            raise Invalid.field("Idempotency-Key", "at most 200 printable characters")
        headers["Idempotency-Key"] = key
        expected = tags.expected(call.header(b"if-match"))
        message = await self._message(row, request)
        answer = await self.client.ask(
            message,
            self.deadline,
            token=token,
            key=key,
            caller=_from_where(call),
            expected=expected,
            correlation_id=UUID(began.correlation_id),
            traceparent=began.traceparent,
        )
        await self._apply(answer.events)
        if answer.problem:
            raise Answered(answer.problem)
        headers |= _of_record(row, answer.body, call_of(request.scope).actor)
        return _reply(row, answer.body, headers)

    async def _message(self, row: Row, request: HttpRequest) -> Asked[BaseModel]:
        """The command or query, from path and body, or path and query; the files in it are stored."""
        message: type[Asked[BaseModel]] = row.message  # type: ignore[assignment]
        sent: list[uploads.Sent] = []
        if row.method == "GET":
            fields: dict[str, Any] = {name: values[-1] for name, values in _query(request).items()}
        else:
            no_parameters(request)
            fields, sent = await uploads.read(message, request, self.uploads.bounds)
        if doubled := sorted(set(fields) & set(request.path_params)):
            raise Invalid.field(doubled[0], "stands in the path")
        return await self.uploads.kept(message, fields | dict(request.path_params), sent)

    async def _apply(self, events: Sequence[Envelope]) -> None:
        """Read your writes: the caller's next GET shows them. Where it fails the queue brings them a little later."""
        try:
            async with asyncio.timeout(APPLY_WITHIN):
                await self.apply(events)
        except Exception:
            log.exception("reply's events not applied; the queue brings them")


class Answered(SavError):
    """The owner's refusal, as it came."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def handlers(door: Door) -> list[HTTPRouteHandler]:
    """The rows of the surface; those whose paths differ by the ending of an id alone (`.pdf`) share a route."""
    rows: dict[str, list[Row]] = {}
    for row in SURFACE:
        rows.setdefault(row.path.removesuffix(_ending(row)), []).append(row)
    return [_handler(path, here, door) for path, here in rows.items()]


def _handler(path: str, rows: list[Row], door: Door) -> HTTPRouteHandler:
    plain = {} if any(map(_ending, rows)) else {row.method: row for row in rows}

    async def handle(request: HttpRequest) -> Reply:
        here = plain or _meant(rows, request)
        if request.method == "OPTIONS":
            return _methods(here)
        if request.method not in here:
            raise MethodNotAllowedException(headers={"Allow": ", ".join(here)})
        return await door.answer(here[request.method], request)

    methods = sorted({HttpMethod.OPTIONS, *(HttpMethod(row.method) for row in rows)})
    return route(PREFIX + path.replace("}", ":str}"), http_method=methods, status_code=200)(handle)


def _ending(row: Row) -> str:
    """What follows an id in the last part of the path; Litestar matches whole parts only."""
    return row.path.rpartition("/")[2].partition("}")[2]


def _methods(here: Mapping[str, Row]) -> Reply:
    return Reply(b"", 204, headers={"Allow": ", ".join(here)})


def _meant(rows: list[Row], request: HttpRequest) -> Mapping[str, Row]:
    """The rows of this ending, by method; the path's last id is left without the ending."""
    ids = request.path_params
    name, last = next(reversed(ids.items()), ("", ""))
    endings = [ending for ending in map(_ending, rows) if last.endswith(ending)]
    if not endings:
        raise NotFoundException
    ending = max(endings, key=len)
    if ending:
        # In a dict of its own: Litestar remembers the other one for the next request of this path.
        request.scope["path_params"] = ids | {name: last.removesuffix(ending)}
    return {row.method: row for row in rows if _ending(row) == ending}


def _from_where(call: Call) -> Caller:
    agent = "".join(filter(str.isprintable, call.header(b"user-agent") or ""))[:LONGEST_AGENT]
    return Caller(call.address, agent or None)


def _reply(row: Row, body: str | None, headers: dict[str, str]) -> Reply:
    return Reply(body.encode(), row.status, JSON, headers) if body else Reply(b"", 204, headers=headers)


def _known(request: HttpRequest) -> str | None:
    """The tags of what the caller holds."""
    return call_of(request.scope).header(b"if-none-match")


def _unless_held(request: HttpRequest, body: bytes, tag: str, headers: dict[str, str]) -> Reply:
    """What was found under this tag; 304 where the caller holds it already."""
    headers["ETag"] = tag
    if tags.holds(_known(request), tag):
        return Reply(b"", 304, headers=headers)
    return Reply(body, 200, JSON, headers)


def _of_record(row: Row, body: str | None, actor: Actor) -> dict[str, str]:
    """The tag of the record that a command answers, as its GET says it; and where that is, if it is new."""
    reply = row.message.reply_type() if issubclass(row.message, Asked) else row.message
    if body is None or not issubclass(reply, View):
        return {}
    record = from_json(body)
    told = {"ETag": tags.tag(UUID(record["id"]), record["version"], actor)}
    if row.status == 201 and (one := ONES.get(reply)):
        # Some are found by what they hang on: the stock level of an article.
        ids = {f"{reply.kind()}_id": record["id"]} | record
        told["Location"] = PREFIX + one.path.format_map(ids)
    return told


def token_of(call: Call) -> str | None:
    """The token that the caller sent, if any; `NotSignedIn` where it is sent in another way than ours, or twice."""
    given = call.header(b"authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token or "," in token:
        raise NotSignedIn("send the token as `Authorization: Bearer …`")
    return token


def _path_ids(request: HttpRequest) -> dict[str, UUID]:
    given = request.path_params.items()
    try:
        return {name: UUID(value) for name, value in given}
    except ValueError:
        wrong = [FieldError(field=name, message="not a UUID") for name, value in given if not _is_uuid(value)]
        raise Invalid.fields(wrong) from None


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _is_key(text: str) -> bool:
    return len(text) <= 200 and text.isprintable()


def _trace(call: Call) -> str | None:
    """The trace that the caller is part of; one of a wrong form is left out, as its standard says (W3C, 3.2.2)."""
    given = call.header(b"traceparent")
    return given if given and TRACEPARENT.fullmatch(given) else None


@cache
def _http(row: Row) -> dict[str, str]:
    """Never the path as it was called: an id in it may be a person's."""
    return {"http.request.method": row.method, "http.route": PREFIX + row.path}


def _query(request: HttpRequest) -> Query:
    return {name: request.query_params.getall(name) for name in request.query_params}


def no_parameters(request: HttpRequest) -> None:
    """Raises `Invalid` where the address has any."""
    if request.scope["query_string"]:
        wrong = [
            FieldError(field=name, message="there is no such parameter here")
            for name in dict.fromkeys(request.query_params)
        ]
        raise Invalid.fields(wrong)
