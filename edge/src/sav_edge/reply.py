"""The HTTP response of the edge."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import structlog
from litestar import Response
from litestar.types import Receive, Scope, Send

log = structlog.get_logger()

JSON = "application/json"
# Statuses that have no body, and so no Content-Length (RFC 9110, 8.6).
BODILESS = (204, 304)
# Seconds that a caller may leave unread what was sent of a body that is streamed.
UNREAD = 30.0
# The ASGI extension with which the application aborts a connection.
CUT = "sav.cut"


class Reply:
    """Status, headers and a whole body, as an ASGI application. It costs a GET a fifth of Litestar's `Response`."""

    def __init__(
        self, body: bytes, status: int, media_type: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        self.body = body
        self.status = status
        self.headers = dict(headers or {})
        if media_type:
            self.headers["Content-Type"] = media_type

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        if self.status not in BODILESS:
            headers.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": False})

    def response(self) -> Response[Any]:
        """The same as Litestar's `Response`, for requests that no row of the surface answers."""
        return Response(self.body, status_code=self.status, headers=self.headers)


class StreamedReply(Reply):
    """A response whose body is sent while it is made; it has no length."""

    def __init__(
        self, chunks: AsyncGenerator[bytes, None], media_type: str, headers: Mapping[str, str]
    ) -> None:
        super().__init__(b"", 200, media_type, headers)
        self.chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ends early where the caller goes, or leaves what was sent unread: they see that the body is cut off."""
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        gone = asyncio.create_task(_gone(receive))
        try:
            async for chunk in self.chunks:
                async with asyncio.timeout(UNREAD):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                if gone.done():
                    return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception as error:
            # The server closes the connection: its body has no end.
            log.error("response body ended early", error=repr(error), exc_info=error)
            cut(scope)
        finally:
            gone.cancel()
            await self.chunks.aclose()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def cut(scope: Mapping[str, Any]) -> None:
    """Aborts the connection, even with data unsent; under another server than ours it does nothing."""
    extensions: dict[str, Any] = scope.get("extensions") or {}
    if CUT in extensions:
        extensions[CUT]["now"]()
