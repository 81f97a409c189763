"""Messages of other systems, which sign them: the body goes to its owner as it came."""

from typing import Any

from litestar import Request

from sav_contracts.messages import RequestMessage
from sav_contracts.surface import SignedRow
from sav_edge import bodies
from sav_edge.no_parameters import no_parameters
from sav_edge.request_context import request_context_of
from sav_edge.uploads import Uploads


async def message(row: SignedRow, request: Request[Any, Any, Any], uploads: Uploads) -> RequestMessage[Any]:
    """The message of a row: nothing of its body is read before the owner has checked the signature."""
    no_parameters(request)
    call = request_context_of(request.scope)
    payload = await bodies.text("payload", request, uploads.bounds)
    given = [signature for name in row.headers if (signature := call.header(name.encode())) is not None]
    return await uploads.kept(row.message, {"payload": payload, "signature": given[0] if given else ""}, [])
