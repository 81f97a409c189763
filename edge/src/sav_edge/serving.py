"""The server under the edge: how large a request's head may be, how long it may take, and how many may come at once."""

import contextlib
from collections.abc import Iterator
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sav_chassis.errors import SavError
from sav_chassis.settings import Settings
from sav_edge import problems

# The name under which the application finds how to end a connection at once.
CUT = "sav.cut"
# Seconds after which a body is waited for no more that nobody reads: whoever does has refused it by then.
LINGER = 5.0
TICKS = 10


class HeadTooLarge(SavError):
    """The address and the headers are larger than any that are meant."""

    code = "head_too_large"
    status = 431


TOO_LARGE = problems.reply(
    HeadTooLarge("the address and headers are too large").problem, {"Connection": "close"}
)
# For what has no end yet, so that there is no request to answer.
CLOSED = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """A connection that is closed where its caller takes longer over a request than `Server` allows.

    It lets the application end one whose caller does not read: closing it would wait for them.
    """

    config: "Config"
    # Bytes of the request that is coming, and since when it is; None between requests.
    _got = 0
    _since: float | None = None
    _in_head = True

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        self._got += len(data)
        super().data_received(data)
        if self._in_head and self._got > self.config.max_head and not self.transport.is_closing():
            self.transport.write(CLOSED)
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._since, self._in_head = self.loop.time(), True
        self.scope["extensions"] = {CUT: {"now": self.transport.abort}}

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._got > self.config.max_head and self._head() > self.config.max_head:
            self.app, app = TOO_LARGE, self.app
            super().on_headers_complete()
            self.app = app
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._got, self._since = 0, None

    def _head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def hurry(self, now: float) -> None:
        """Closes it where what is coming takes too long, and nobody is going to say so."""
        if self._since is None:
            return
        within = self.config.head_within
        if not self._in_head:
            within += self.config.body_within + LINGER
        if now - self._since > within:
            self.transport.close()


class Config(uvicorn.Config):
    """uvicorn as the settings say."""

    def __init__(self, app: Any, settings: Settings, finish_within: int) -> None:
        super().__init__(
            app,
            log_config=None,
            access_log=False,
            http=Protocol,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            limit_concurrency=settings.connections,
            timeout_keep_alive=settings.keep_alive,
            timeout_graceful_shutdown=finish_within,
        )
        self.max_head = settings.max_head
        self.head_within = settings.head_within
        self.body_within = settings.body_within


class Server(uvicorn.Server):
    """Looks after slow callers once a second. Signals are the runner's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS == 0:
            for connection in list(self.server_state.connections):
                slow = cast("Protocol", connection)
                slow.hurry(slow.loop.time())
        return await super().on_tick(counter)
