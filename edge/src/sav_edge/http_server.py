"""The HTTP server of the edge: checks a request's head, limits its time and the connections."""

import contextlib
from collections.abc import Iterator
from typing import Any, cast

import uvicorn
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from sav_chassis.errors import Malformed, SavError
from sav_chassis.settings import Settings
from sav_edge import problems, request_framing
from sav_edge.addresses import Addresses, client_network
from sav_edge.connection_slots import ConnectionSlots
from sav_edge.reply import CUT, Reply

# Seconds after `body_within` until a connection is closed if nobody reads its body; a reader has refused it by then.
LINGER = 5.0
# Seconds that a connection without a slot stays open, so that its request can be refused.
TURNING_AWAY = 2.0
TICKS = 10
# Bytes that chunks may take around each byte of a body: each may be a chunk of its own.
AROUND_A_BYTE = 8
# Requests of a connection that may wait for the answers before them; what follows is not parsed before.
WAITING = 2
END_OF_HEAD = b"\r\n\r\n"
# What the parser gets at once: at most this, of a body at least that, as it may be full of ends of heads.
PIECE = 16_384
PIECE_OF_BODY = 256


class HeadTooLarge(SavError):
    """The address and the headers are larger than the server accepts."""

    code = "head_too_large"
    status = 431
    en = "The address and headers are too large"
    fr = "L’adresse et les en-têtes sont trop volumineux"


class NoHttp(Malformed):
    en = "This is not HTTP, or it could be read in two ways"
    fr = "Ce n’est pas du HTTP, ou cela pourrait se lire de deux façons"


def _closing(error: SavError) -> problems.ProblemResponse:
    return problems.reply(error.problem, {"Connection": "close"})


def _written(answer: Reply) -> bytes:
    headers = answer.headers | {"Content-Length": str(len(answer.body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return STATUS_LINE[answer.status] + head.encode("latin-1") + b"\r\n" + answer.body


TOO_LARGE = _closing(HeadTooLarge())
NO_HTTP = _closing(NoHttp())


class Flow(FlowControl):
    """Reads on where little waits to be parsed; the application asks for more without knowing of it."""

    def __init__(self, transport: Any, unparsed: bytearray) -> None:
        super().__init__(transport)
        self._unparsed = unparsed

    def resume_reading(self) -> None:
        if len(self._unparsed) < HIGH_WATER_LIMIT:
            super().resume_reading()


class Protocol(HttpToolsProtocol):
    """A connection, closed where its caller takes longer over a request than the settings allow.

    The application can abort it where the caller does not read: closing it would wait for the caller.
    """

    config: "Config"
    # Bytes received of the current request and of its body, and when it began; None between requests.
    _got = 0
    _body = 0
    _since: float | None = None
    _in_head = True
    # Whether a head has begun that is not complete, and what was received since with what came together with it.
    _head_open = False
    _raw = b""
    # The refusal that follows the answers that are due; nothing more is read then.
    _last_word = b""
    # The address that holds the slot; or the refusal of its requests, where no slot was free.
    _who: str | None = None
    _turned_away: problems.ProblemResponse | None = None
    # The request that is answered now.
    _answered: RequestResponseCycle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # What has come behind the requests that wait.
        self._unparsed = bytearray()
        self.flow = Flow(transport, self._unparsed)
        self._since = self.loop.time()
        peer = self.client and self.client[0]
        # A proxy serves many people; `RequestMiddleware` counts the requests of each.
        self._who = None if peer and self.config.addresses.is_proxy(peer) else client_network(peer)
        try:
            self.config.crowd.enter(self._who)
        except SavError as error:
            self._turned_away = _closing(error)
            if len(self.connections) > 2 * self.config.places:
                transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.pipeline.clear()
        self._unparsed.clear()
        if self._answered and not self._answered.response_complete:
            # The base class tells only the last request that came.
            self._answered.disconnected = True
            self._answered.message_event.set()
        super().connection_lost(exc)
        if not self._turned_away:
            self.config.crowd.leave(self._who)

    def data_received(self, data: bytes) -> None:
        if self._last_word:
            return
        self._unparsed += data
        self._parse_on()
        if len(self._unparsed) >= HIGH_WATER_LIMIT:
            self.flow.pause_reading()

    def _parse_on(self) -> None:
        """Parses what has come, head by head, until so many requests wait that the rest has to."""
        while self._unparsed and len(self.pipeline) < WAITING:
            if self._last_word or self.transport.is_closing():
                return
            end = self._unparsed.find(END_OF_HEAD, 0 if self._in_head else PIECE_OF_BODY, PIECE)
            piece = bytes(self._unparsed[: PIECE if end < 0 else end + len(END_OF_HEAD)])
            del self._unparsed[: len(piece)]
            self._parse(piece)

    def _parse(self, data: bytes) -> None:
        self._got += len(data)
        if self._since is None and self.cycle.response_complete:
            # Even for an empty line, which the parser does not report.
            self._since = self.loop.time()
        self._raw = self._raw + data if self._head_open else data
        super().data_received(data)
        if not self._head_open:
            self._raw = b""
        most = self.config.max_head
        if not self._in_head:
            # What stands around the body, as names of chunks and trailers, is bounded as a head is.
            most += self.config.max_head + self._body * (1 + AROUND_A_BYTE)
        if self._got > most and not self.transport.is_closing():
            self._refuse(TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_open = True
        self._since = self.loop.time()
        self.scope["extensions"] = {CUT: {"now": self.transport.abort}}

    def on_header(self, name: bytes, value: bytes) -> None:
        # Drops trailers, which follow a chunked body: nobody has checked them (RFC 9110, 6.5.1).
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = self._head_open = False
        refusal, app = self._refusal(), self.app
        if refusal:
            # Its address may be none (`CONNECT a:80`), which would end the connection without an answer.
            self.app, self.url = refusal, b"/"
        super().on_headers_complete()
        self.app = app
        if self.parser.should_upgrade():
            # The parser has dropped the bytes after this request.
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._got, self._body, self._since, self._in_head = 0, 0, None, True

    def on_response_complete(self) -> None:
        if self._last_word and not self.pipeline and not self.transport.is_closing():
            self.transport.write(self._last_word)
            self.transport.close()
        super().on_response_complete()
        self._parse_on()
        self.flow.resume_reading()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def send_400_response(self, msg: str) -> None:
        self._refuse(NO_HTTP)

    def _refusal(self) -> problems.ProblemResponse | None:
        """The refusal of a request that must not reach the application, or None."""
        if self._turned_away:
            return self._turned_away
        if self._got > self.config.max_head and self._head() > self.config.max_head:
            return TOO_LARGE
        try:
            version = self.parser.get_http_version()
            request_framing.check(version, self.url, self.headers, self.parser.should_upgrade())
            request_framing.check_line(self._raw, self.parser.get_method(), self.url, version)
        except Malformed as error:
            return _closing(error)
        return None

    def _refuse(self, refusal: problems.ProblemResponse) -> None:
        """Refuses what is not a complete request, after the answers that are due, and closes the connection.

        An answer whose end is unknown, as a stream, is cut off without a word: the client would take it for its part.
        A request that is answered gets no second answer for what is wrong in the rest of its body: a proxy would take
        that for the answer to the next request.
        """
        if self._last_word:
            return
        # Both are None before the first request.
        cycle, scope = cast("Any", (self.cycle, self.scope))
        said = _written(refusal.spoken(scope) if scope else refusal)
        incomplete = cycle and cycle.more_body and not cycle.response_started
        answered = cycle and cycle.response_started and not self._in_head
        if answered or (cycle and not cycle.response_complete and cycle.chunked_encoding):
            self.transport.close()
        elif not cycle or cycle.response_complete or (incomplete and not self.pipeline):
            self.transport.write(said)
            self.transport.close()
        else:
            self._last_word, self._since = said, None
            if incomplete:
                self.pipeline.popleft()  # this request itself: the refusal is its answer

    def _head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def hurry(self, now: float) -> None:
        """Closes the connection where a request arrives too slowly and nobody else will refuse it."""
        if self._since is None:
            return
        if self._unparsed:
            # It is not the caller who is slow: the answers before it are.
            self._since = now
        within = TURNING_AWAY if self._turned_away else self.config.head_within
        if not self._in_head:
            within += self.config.body_within + LINGER
        if now - self._since > within:
            self.transport.close()


class Config(uvicorn.Config):
    """uvicorn's configuration, from the settings."""

    def __init__(self, app: Any, settings: Settings, finish_within: int) -> None:
        super().__init__(
            app,
            log_config=None,
            access_log=False,
            http=Protocol,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_keep_alive=settings.keep_alive,
            timeout_graceful_shutdown=finish_within,
        )
        self.addresses = Addresses(settings.trusted_proxies)
        self.places = settings.connections
        self.crowd = ConnectionSlots(self.places)
        self.max_head = settings.max_head
        self.head_within = settings.head_within
        self.body_within = settings.body_within


class Server(uvicorn.Server):
    """Closes the connections of slow callers, once a second. Leaves signals to the runner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS == 0:
            for connection in list(self.server_state.connections):
                slow = cast("Protocol", connection)
                slow.hurry(slow.loop.time())
        return await super().on_tick(counter)
