"""`GET /stream`: immediate hints that a record has changed, for those who may see it. The caller GETs the record.

Every replica reads the changes of all, so a caller may listen to any and resume at another.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from uuid import UUID

import asyncpg
import structlog
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send
from pydantic_core import to_json

from sav_chassis.database import is_away, unavailable
from sav_chassis.errors import NotSignedIn, SavError, TooMany, Unavailable
from sav_chassis.identity import Verifier
from sav_chassis.telemetry import metrics
from sav_chassis.vital_tasks import end, vital
from sav_contracts.actor import Actor, Role
from sav_contracts.messages import View
from sav_contracts.surface import EVERYBODY, Row
from sav_edge import problems
from sav_edge.changes import EVERYTHING, Change, Changes
from sav_edge.no_parameters import no_parameters
from sav_edge.reply import cut
from sav_edge.request_context import RequestContext, request_context_of
from sav_edge.routes import HttpRequest

log = structlog.get_logger()

ROW = Row("Live changes of what the caller may see", "GET /stream", View, EVERYBODY)
STREAMS_EACH = 10
# Changes kept for a caller who reads slowly or was disconnected; one who missed more must reload everything.
WAITING = 256
# Seconds: between heartbeats; that a caller may leave what was sent unread; between polls for other replicas' changes;
# in which changes are batched; between deletions of old changes.
HEARTBEAT = 15.0
UNREAD = 30.0
LOOK = 0.1
GATHER = 0.02
FORGET = 60.0

UNKEPT = {"Cache-Control": "no-store"}
HEADERS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
ALIVE = b": still here\n\n"
RESET = b"event: reset\ndata: {}\n\n"
EXPIRED = b"event: expired\ndata: {}\n\n"


class TooManyListen(Unavailable):
    retry_after: int = 5
    en = "Too many listen here just now"
    fr = "Trop de personnes sont à l’écoute ici en ce moment"


class TooManyStreams(TooMany):
    """The caller has as many streams open as one person may have."""

    code = "too_many_streams"
    most: int = STREAMS_EACH
    retry_after: int = 60
    en = "You have {most} streams open"
    fr = "Vous avez déjà {most} flux ouverts"


class Stream:
    """One open stream: its queued changes, and since when a write is pending."""

    __slots__ = ("actor", "cut", "due", "lost", "over", "sending_since", "token", "waiting", "woken")

    def __init__(self, actor: Actor, token: str, cut: Callable[[], None], due: float) -> None:
        self.actor = actor
        self.token = token
        # Ends the connection of a caller who does not read.
        self.cut = cut
        self.woken = asyncio.Event()
        self.waiting: dict[tuple[str, UUID], bytes] = {}
        self.lost = False
        self.due = due
        self.sending_since = 0.0
        # Why it ended.
        self.over = ""

    def tell(self, kind: str, id: UUID, event: bytes) -> None:
        """Queues an event in place of an older one of its record. If too many wait, all become one reset."""
        if self.lost:
            return
        self.waiting.pop((kind, id), None)
        self.waiting[kind, id] = event
        if len(self.waiting) > WAITING:
            self.lose()
        self.woken.set()

    def lose(self) -> None:
        """Drops what is queued; the caller gets a reset, to reload everything."""
        self.waiting.clear()
        self.lost = True
        self.woken.set()

    def end(self, why: str) -> None:
        self.over = self.over or why
        self.woken.set()

    def text(self, place: int | None) -> bytes:
        """The text to send now. Only its last event names the place, which is right once all have arrived."""
        *first, last = [RESET] if self.lost else list(self.waiting.values()) or [ALIVE]
        self.waiting.clear()
        self.lost = False
        return b"".join(first) + (b"" if place is None else b"id: %d\n" % place) + last


class Streams:
    """All open streams of this process."""

    def __init__(
        self, pool: asyncpg.Pool, verifier: Verifier, at_most: int, heartbeat: float = HEARTBEAT
    ) -> None:
        self._changes = Changes(pool)
        self._verifier = verifier
        self._at_most = at_most
        self._heartbeat = heartbeat
        self._streams: dict[Role, dict[UUID, list[Stream]]] = defaultdict(dict)
        self._open = 0
        self._stopping = False
        self._some = asyncio.Event()
        self._news = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Reads changes, sends heartbeats and deletes old changes while this is open."""
        work = {"stream": self._read(), "heartbeats of streams": self._watch(), "old changes": self._forget()}
        tasks = [vital(asyncio.create_task(one, name=name)) for name, one in work.items()]
        try:
            yield
        finally:
            self.stop()
            for task in tasks:
                await end(task)

    def look(self) -> None:
        """Has the changes read that this process has just written."""
        self._news.set()

    def stop(self) -> None:
        """Ends every stream immediately and refuses new ones; the callers reconnect to another replica."""
        self._stopping = True
        for stream in self._all():
            stream.end("stopped")
            if stream.sending_since:
                stream.cut()

    async def open(self, actor: Actor, token: str, cut: Callable[[], None], last: str | None) -> Stream:
        """A stream that begins with what its caller has missed since the place `last`, where they name one.

        It begins with a reset where that place is not known any more, or too much has happened since.
        """
        stream = self._join(actor, token, cut)
        try:
            await self._changes.begin()
            if last is not None:
                await self._catch_up(stream, last)
        except BaseException as error:
            self.close(stream)
            if refusal := unavailable(error):
                raise refusal from error
            raise
        return stream

    def _join(self, actor: Actor, token: str, cut: Callable[[], None]) -> Stream:
        if self._stopping or self._open >= self._at_most:
            raise TooManyListen
        theirs = self._streams[actor.role].setdefault(actor.id, [])
        if len(theirs) >= STREAMS_EACH:
            raise TooManyStreams
        stream = Stream(actor, token, cut, time.monotonic() + self._heartbeat)
        theirs.append(stream)
        self._open += 1
        metrics.STREAMS.inc()
        self._some.set()
        return stream

    async def _catch_up(self, stream: Stream, last: str) -> None:
        known = last.isascii() and last.isdigit() and len(last) < 19
        missed = await self._changes.missed(int(last), stream.actor, WAITING) if known else None
        if missed is None:
            stream.lose()
            return
        for kind, id, version in missed:
            # A change that was queued in the meantime is newer.
            if (kind, id) not in stream.waiting:
                stream.tell(kind, id, _event(kind, id, version))

    def close(self, stream: Stream) -> None:
        everybody, id = self._streams[stream.actor.role], stream.actor.id
        everybody[id].remove(stream)
        if not everybody[id]:
            del everybody[id]
        self._open -= 1
        metrics.STREAMS.dec()

    async def serve(self, stream: Stream, receive: Receive, send: Send) -> None:
        """Sends events until the caller disconnects, stops reading or is signed out, or the process stops."""
        going = asyncio.create_task(_gone(stream, receive))
        try:
            stream.woken.set()
            while not stream.over:
                await stream.woken.wait()
                stream.woken.clear()
                if not stream.over:
                    text = self._text(stream)
                    stream.sending_since = time.monotonic()
                    await send({"type": "http.response.body", "body": text, "more_body": True})
                    stream.sending_since = 0.0
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            going.cancel()

    def _text(self, stream: Stream) -> bytes:
        try:
            self._verifier.actor(stream.token)
        except NotSignedIn:
            stream.over = "expired"
            return EXPIRED
        return stream.text(self._changes.floor)

    async def _read(self) -> None:
        while True:
            await self._some.wait()
            try:
                await self._changes.begin()
                self._news.clear()
                self._tell(await self._changes.fresh())
            except Exception as error:
                # Late hints are no reason to end the process: everything else in it works.
                log.warning("changes not read; retrying", error=repr(error), away=is_away(error))
                await asyncio.sleep(1)
            if not self._open:
                self._some.clear()
                self._changes.end()
            await asyncio.sleep(GATHER)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._news.wait()

    def _tell(self, changes: list[Change]) -> None:
        for kind, id, version, role, person in changes:
            event, everybody = _event(kind, id, version), self._streams[role]
            for streams in everybody.values() if person is None else [everybody.get(person, [])]:
                for stream in streams:
                    if kind == EVERYTHING:
                        stream.lose()
                    else:
                        stream.tell(kind, id, event)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(1, self._heartbeat / 4))
            now = time.monotonic()
            for stream in self._all():
                if stream.sending_since and now - stream.sending_since > UNREAD:
                    stream.end("unread")
                    stream.cut()
                elif stream.due <= now:
                    stream.due = now + self._heartbeat
                    stream.woken.set()

    async def _forget(self) -> None:
        while True:
            await asyncio.sleep(FORGET)
            try:
                await self._changes.forget()
            except Exception as error:
                log.warning("old changes not forgotten yet", error=repr(error))

    def _all(self) -> list[Stream]:
        return [
            one for everybody in self._streams.values() for theirs in everybody.values() for one in theirs
        ]


async def _gone(stream: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.end("gone")


def _event(kind: str, id: UUID, version: int) -> bytes:
    return b"event: changed\ndata: " + to_json({"kind": kind, "id": id, "version": version}) + b"\n\n"


def streaming(streams: Streams, admit: Callable[[Row, HttpRequest], str | None]) -> HTTPRouteHandler:
    """The route. `admit` returns the token of a caller who may call a row, as `Gateway.admit` does."""

    @get("/stream")
    async def stream(request: HttpRequest) -> ASGIApp:
        call = request_context_of(request.scope)
        call.route = ROW.route
        try:
            token = admit(ROW, request)
            no_parameters(request)
            last = call.header(b"last-event-id")
            opened = await streams.open(call.actor, token or "", partial(cut, request.scope), last)
        except SavError as error:
            call.ended = error.problem.code
            return problems.reply(error.problem, UNKEPT)
        return partial(_answer, streams, opened, call)

    return stream


async def _answer(
    streams: Streams, stream: Stream, call: RequestContext, scope: Scope, receive: Receive, send: Send
) -> None:
    pairs = [(name.lower().encode(), value.encode()) for name, value in (UNKEPT | HEADERS).items()]
    try:
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        await streams.serve(stream, receive, send)
    finally:
        streams.close(stream)
        call.ended = stream.over
