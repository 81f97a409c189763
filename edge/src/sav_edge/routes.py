"""Routes from the surface: one handler for every kind of row, and nothing else that answers under /api."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import structlog
import uuid_utils
from litestar import HttpMethod, Request, route
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from pydantic import BaseModel
from pydantic_core import from_json

from sav_chassis import metrics, tracing
from sav_chassis.asking import CommandClient
from sav_chassis.database import is_away
from sav_chassis.envelope import Envelope
from sav_chassis.errors import FieldError, Invalid, NotAllowed, NotSignedIn, Problem, SavError, Unavailable
from sav_chassis.identity import Verifier
from sav_contracts.actor import ANYONE, Actor
from sav_contracts.messages import Asked
from sav_contracts.surface import SURFACE, Row, Serves
from sav_edge import downloads, problems, uploads
from sav_edge.listing import Query
from sav_edge.reading import ReadModel
from sav_edge.reply import JSON, Reply
from sav_edge.uploads import Uploads

log = structlog.get_logger()

HttpRequest = Request[Any, Any, Any]
PREFIX = "/api"
# Seconds that a caller waits for the read model to show what they wrote.
APPLY_WITHIN = 2.0
TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
ONES = {row.message.__name__: row for row in SURFACE if row.serves is Serves.ONE}


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

    async def answer(self, row: Row, request: HttpRequest) -> Reply:
        """The row's answer or problem, with the request's id on it and in the log."""
        started = time.perf_counter()
        correlation_id = str(_uuid(request.headers.get("x-request-id")) or uuid_utils.uuid7())
        # Every request is a task of its own, and so is its context.
        structlog.contextvars.bind_contextvars(correlation_id=correlation_id)
        headers = {"X-Request-ID": correlation_id, "Cache-Control": "no-store"}
        status = 500
        with tracing.span(row.route, "SERVER", _trace(request), _http(row)) as span:
            try:
                began = Origin(correlation_id, span.traceparent)
                reply = await self._answer(row, request, began, headers)
                status = reply.status
            finally:
                seconds = time.perf_counter() - started
                log.info("request", route=row.route, status=status, ms=round(seconds * 1000, 1))
                metrics.requested(row.route, status, seconds)
                span.note("http.response.status_code", status)
            if status >= 500:
                span.fail(str(status))
        return reply

    async def _answer(self, row: Row, request: HttpRequest, began: Origin, headers: dict[str, str]) -> Reply:
        """Token, role and shape are checked here; scope by the read model or the owner."""
        try:
            token, actor = self._caller(request)
            _check_role(row, actor)
            if row.serves is Serves.FILE:
                return await self._file(row, request, actor, headers)
            if row.serves is Serves.REPLY:
                body = await self._ask(row, request, token, began, headers)
            else:
                body = await self._read(row, request, actor)
        except SavError as error:
            return problems.reply(error.problem, headers)
        except HTTPException as error:
            return problems.of_http_error(error, headers)
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("database is away", error=str(error))
            return problems.reply(Unavailable("the read model is away", retry_after=2).problem, headers)
        if not body:
            return Reply(b"", 204, headers=headers)
        return Reply(body.encode(), row.status, JSON, headers)

    def _caller(self, request: HttpRequest) -> tuple[str | None, Actor]:
        given = request.headers.get("authorization")
        if given is None:
            return None, ANYONE
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotSignedIn("send the token as `Authorization: Bearer …`")
        return token, self.verifier.actor(token)

    async def _read(self, row: Row, request: HttpRequest, actor: Actor) -> str:
        ids = {"account_id": actor.id} if row.serves is Serves.SELF else _path_ids(request)
        if row.serves is Serves.PAGE:
            return await self.read.page(row, ids, _query(request), actor)
        if row.serves is Serves.TIMELINE:
            return await self.read.timeline(row, ids, _query(request), actor)
        _no_parameters(request)
        return await self.read.one(row, ids, actor)

    async def _file(self, row: Row, request: HttpRequest, actor: Actor, headers: dict[str, str]) -> Reply:
        record = from_json(await self._read(row, request, actor))
        file = downloads.file_of(row, record)
        known = request.headers.get("if-none-match")
        return await downloads.answer(self.uploads.files, file, known, headers)

    async def _ask(
        self, row: Row, request: HttpRequest, token: str | None, began: Origin, headers: dict[str, str]
    ) -> str | None:
        key = request.headers.get("idempotency-key") or str(uuid_utils.uuid7())
        if not _is_key(key):
            raise Invalid.field("Idempotency-Key", "at most 200 printable characters")
        headers["Idempotency-Key"] = key
        message = await self._message(row, request)
        answer = await self.client.ask(
            message,
            self.deadline,
            token=token,
            key=key,
            correlation_id=UUID(began.correlation_id),
            traceparent=began.traceparent,
        )
        await self._apply(answer.events)
        if answer.problem:
            raise Answered(answer.problem)
        headers |= _location(row, answer.body)
        return answer.body

    async def _message(self, row: Row, request: HttpRequest) -> Asked[BaseModel]:
        """The command or query, from path and body, or path and query; the files in it are stored."""
        message: type[Asked[BaseModel]] = row.message  # type: ignore[assignment]
        sent: list[uploads.Sent] = []
        if row.method == "GET":
            fields: dict[str, Any] = {name: values[-1] for name, values in _query(request).items()}
        else:
            _no_parameters(request)
            fields, sent = await uploads.read(message, request)
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
        row = plain[request.method] if plain else _meant(rows, request)
        return await door.answer(row, request)

    methods = sorted({HttpMethod(row.method) for row in rows})
    return route(PREFIX + path.replace("}", ":str}"), http_method=methods, status_code=200)(handle)


def _ending(row: Row) -> str:
    """What follows an id in the last part of the path; Litestar matches whole parts only."""
    return row.path.rpartition("/")[2].partition("}")[2]


def _meant(rows: list[Row], request: HttpRequest) -> Row:
    """The row of this method and ending; its id is left without the ending."""
    ids = request.path_params
    name, last = next(reversed(ids.items()), ("", ""))
    endings = [ending for ending in map(_ending, rows) if last.endswith(ending)]
    if not endings:
        raise NotFoundException
    ending = max(endings, key=len)
    here = {row.method: row for row in rows if _ending(row) == ending}
    if request.method not in here:
        raise MethodNotAllowedException(headers={"Allow": ", ".join(here)})
    if ending:
        # In a dict of its own: Litestar remembers the other one for the next request of this path.
        request.scope["path_params"] = ids | {name: last.removesuffix(ending)}
    return here[request.method]


def _check_role(row: Row, actor: Actor) -> None:
    if actor.role in row.reach:
        return
    if actor == ANYONE:
        raise NotSignedIn("sign in first")
    raise NotAllowed(f"not for a {actor.role}")


def _location(row: Row, body: str | None) -> dict[str, str]:
    one = ONES.get(row.message.reply_type().__name__) if issubclass(row.message, Asked) else None
    if row.status != 201 or one is None or body is None:
        return {}
    return {"Location": PREFIX + one.path.partition("{")[0] + from_json(body)["id"]}


def _path_ids(request: HttpRequest) -> dict[str, UUID]:
    ids = {name: _uuid(value) for name, value in request.path_params.items()}
    if wrong := [name for name, id in ids.items() if id is None]:
        raise Invalid.fields([FieldError(field=name, message="not a UUID") for name in wrong])
    return {name: id for name, id in ids.items() if id}


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _is_key(text: str) -> bool:
    return len(text) <= 200 and text.isprintable()


def _trace(request: HttpRequest) -> str | None:
    """The trace that the caller is part of; one of a wrong form is left out, as its standard says (W3C, 3.2.2)."""
    given = request.headers.get("traceparent", "")
    return given if TRACEPARENT.fullmatch(given) else None


def _http(row: Row) -> dict[str, str]:
    """Never the path as it was called: an id in it may be a person's."""
    return {"http.request.method": row.method, "http.route": PREFIX + row.path}


def _query(request: HttpRequest) -> Query:
    return {name: request.query_params.getall(name) for name in request.query_params}


def _no_parameters(request: HttpRequest) -> None:
    if request.query_params:
        wrong = [
            FieldError(field=name, message="there is no such parameter here")
            for name in dict.fromkeys(request.query_params)
        ]
        raise Invalid.fields(wrong)
