"""A Python client for SAV: it sends messages and reads replies, using the table of routes that the edge is built from.

    async with httpx.AsyncClient(base_url="https://sav.example") as http:
        sav = Client(http)
        await sav.sign_in("marie@example.com", "…")
        page = await sav.list(ReclamationView, status=["submitted", "qualified"])
        claim = page.items[0]
        await sav.send(AssignTechnician(reclamation_id=claim.id, technician_id=…), seen=claim)

Needs httpx (`sav-contracts[client]`). It cannot send commands that carry files.
"""

import asyncio
import re
from typing import Any, Generic, NamedTuple, TypeVar, overload
from uuid import UUID, uuid4

import httpx
from pydantic import BaseModel, SecretStr

from sav_contracts.auth.session import RefreshSession, SignedIn, SignIn
from sav_contracts.messages import Message, RequestMessage, View
from sav_contracts.surface import SURFACE, MessageRow, OwnRecordRow, RecordRow, Row
from sav_contracts.surface import ListRow as PageRow

A = TypeVar("A", bound=BaseModel)
F = TypeVar("F", bound=BaseModel)
V = TypeVar("V", bound=View)

PREFIX = "/api"
# Nothing was done, or that is unknown. Repeated with the same key, the command is done once.
REPEATABLE = {502, 503, 504}
TRIES = 4
# Seconds before the second try. Each later pause is twice as long, unless the reply gives another.
WAIT = 0.5


class Refused(Exception):
    """The edge refused the request. `problem` is as in RFC 9457, with a stable `code`."""

    def __init__(self, answer: httpx.Response) -> None:
        problem_document = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        self.problem: dict[str, Any] = {
            "status": answer.status_code,
            "code": "",
            "detail": answer.text,
        } | problem_document
        self.code = str(self.problem["code"])
        super().__init__(f"{self.problem['status']} {self.code}: {self.problem['detail']}")


class ListRow(NamedTuple, Generic[V]):
    """A page of a list. `next` is the `after` of the following page, None on the last."""

    items: tuple[V, ...]
    next: str | None


class Client:
    """One person's access to the edge at the base address of `http`, with its timeouts and certificates.

    A refusal raises `Refused`. Requests to unreachable or overloaded servers are repeated with the same key. An expired
    token is traded for a new one.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.session: SignedIn | None = None
        self._renewing = asyncio.Lock()

    async def sign_in(self, email: str, password: str, code: str | None = None) -> SignedIn:
        """Sends all later requests as this person."""
        asked = SignIn.model_validate({"email": email, "password": password, "code": code})
        self.session = await Client(self.http).send(asked)
        return self.session

    @overload
    async def send(
        self, asked: RequestMessage[A], *, seen: View | None = None, key: str | None = None
    ) -> A: ...
    @overload
    async def send(
        self, asked: RequestMessage[Any], form: type[F], *, seen: View | None = None, key: str | None = None
    ) -> F: ...
    async def send(
        self,
        asked: RequestMessage[Any],
        form: type[BaseModel] | None = None,
        *,
        seen: View | None = None,
        key: str | None = None,
    ) -> BaseModel:
        """The reply to a command or query. A client gets smaller views and must name the form (`ReclamationForClient`).

        `seen` is the record as the caller knows it. If it has changed since, the command is refused (`changed_since`).
        Commands with the same `key` are done once, even when another process repeats them. The default is a new key.
        """
        row = _row(type(asked), MessageRow)
        fields = asked.model_dump(mode="json", by_alias=True, exclude_unset=True, context="wire")
        path = _filled(row, fields)
        if row.method == "GET":
            answer = await self._ask("GET", path, params=_given(fields))
        else:
            headers = {"Idempotency-Key": key or str(uuid4())}
            if seen:
                headers["If-Match"] = f'"{seen.id}.{seen.version}"'
            body = {"json": fields} if fields else {}
            answer = await self._ask(row.method, path, headers=headers, **body)
        return (form or asked.reply_type()).model_validate_json(answer.content or b"{}")

    async def get(self, view: type[V], id: UUID | None = None) -> V:
        """One record; without an id, the caller's own (`AccountView`)."""
        path = re.sub(r"{\w+}", str(id), _row(view, OwnRecordRow if id is None else RecordRow).path)
        return view.model_validate_json((await self._ask("GET", path)).content)

    async def list(self, view: type[V], **wanted: Any) -> ListRow[V]:
        """A page of the records that the caller may see.

        `wanted`: filters, `q`, `sort`, `limit`, `after`, and the ids in the path. Give `from` and `to` as in
        `list(AppointmentView, **{"from": …})`.
        """
        row = _row(view, PageRow, set(wanted))
        path = _filled(row, wanted)
        page = (await self._ask("GET", path, params=_given(wanted))).json()
        return ListRow(tuple(view.model_validate(item) for item in page["items"]), page["next"])

    async def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The reply to a request, repeated where needed; `request` holds arguments of httpx."""
        session = self.session
        answer = await self._patiently(method, path, session, request)
        if answer.status_code == 401 and session:
            await self._renew(session)
            answer = await self._patiently(method, path, self.session, request)
        if answer.is_success:
            return answer
        raise Refused(answer)

    async def _patiently(
        self, method: str, path: str, session: SignedIn | None, request: dict[str, Any]
    ) -> httpx.Response:
        token = {"Authorization": f"Bearer {session.access_token}"} if session else {}
        sent = request | {"headers": token | request.get("headers", {})}
        for wait in [WAIT * 2**n for n in range(TRIES - 1)]:
            try:
                answer = await self.http.request(method, PREFIX + path, **sent)
            except httpx.TransportError:
                await asyncio.sleep(wait)
                continue
            if answer.status_code not in REPEATABLE:
                return answer
            after = answer.headers.get("retry-after", "")
            await asyncio.sleep(float(after) if after.isdecimal() else wait)
        return await self.http.request(method, PREFIX + path, **sent)

    async def _renew(self, stale: SignedIn) -> None:
        """Trades the refresh token, once for all callers that found the same session expired."""
        async with self._renewing:
            if self.session is stale:
                asked = RefreshSession(refresh_token=SecretStr(stale.refresh_token))
                self.session = await Client(self.http).send(asked)


def _row(message: type[Message], kind: type[Row], given: set[str] | None = None) -> Row:
    """The row that serves this message, or the view whose form for clients it is, given these fields."""
    for row in SURFACE:
        fits = given is None or _names(row) <= given
        if isinstance(row, kind) and issubclass(row.message, message) and fits:
            return row
    raise LookupError(f"no route serves {message.__name__} ({kind.__name__})")


def _names(row: Row) -> set[str]:
    return set(re.findall(r"{(\w+)}", row.path))


def _filled(row: Row, fields: dict[str, Any]) -> str:
    """The row's path, filled from the fields; these are removed from `fields`."""
    return row.path.format(**{name: fields.pop(name) for name in _names(row)})


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
