"""Uploads without their owner: a message is read from HTTP, its files are kept, and the answer is the message."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import httpx
from litestar import Litestar, Request, Response, route
from litestar.exceptions import HTTPException
from PIL import Image
from stories import done

from sav_chassis.errors import SavError
from sav_chassis.files import Files
from sav_contracts.files import MAX_UPLOAD
from sav_contracts.messages import RequestMessage
from sav_edge import bodies, problems
from sav_edge.bodies import BodyLimits
from sav_edge.upload_screening import UploadScreening
from sav_edge.uploads import Uploads

# Bytes of all bodies in hand: one that is as large as it may be, and a little.
ROOM = MAX_UPLOAD + 1_000_000
PRODUCT = {"product_id": str(uuid4())}
CLAIM = {"reclamation_id": str(uuid4())}


class Desk:
    """Takes one message over HTTP, and answers with what its owner would be sent."""

    def __init__(
        self, message: type[RequestMessage[Any]], http: httpx.AsyncClient, files: Files, folder: Path
    ) -> None:
        self.message, self.http, self.files, self.folder = message, http, files, folder

    async def send(self, **request: Any) -> httpx.Response:
        return await self.http.post("/", **request)

    async def sends(self, **request: Any) -> Any:
        """The message as it was made."""
        return self.message.model_validate(done(await self.send(**request)))

    def kept(self) -> list[bytes]:
        """The files in the store."""
        return [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]


At = Callable[[type[RequestMessage[Any]]], AbstractAsyncContextManager[Desk]]


def opened_picture(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


@asynccontextmanager
async def desk(folder: Path, message: type[RequestMessage[Any]]) -> AsyncIterator[Desk]:
    """A desk for this message, which keeps files in this folder."""
    files = Files(folder.as_uri())
    taking = Uploads(files, UploadScreening(2), BodyLimits(), room=ROOM)

    @route("/", http_method="POST", status_code=200)
    async def take(request: Request[Any, Any, Any]) -> Response[bytes]:
        with taking.in_hand() as hold:
            fields, sent = await bodies.read(message, request, BodyLimits(), hold)
            command = await taking.kept(message, fields, sent)
        return Response(command.wire(), media_type="application/json")

    app = Litestar(
        [take],
        openapi_config=None,
        request_max_body_size=2 * MAX_UPLOAD,
        exception_handlers={
            SavError: problems.on_sav_error,
            HTTPException: problems.on_http_error,
        },
    )
    transport = httpx.ASGITransport(app=cast("Any", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://sav.test") as http:
        yield Desk(message, http, files, folder)
