"""The HTTP response of the edge."""

from collections.abc import Mapping
from typing import Any

from litestar import Response
from litestar.types import Receive, Scope, Send

JSON = "application/json"
# Statuses that have no body, and so no Content-Length (RFC 9110, 8.6).
BODILESS = (204, 304)


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
