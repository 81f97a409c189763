"""SAV from Python: a message goes out, its answer comes back, by the table of routes that the edge is built from.

    async with httpx.AsyncClient(base_url="https://sav.example") as http:
        sav = Client(http)
        await sav.sign_in("marie@example.com", "…")
        page = await sav.list(ReclamationView, status=["submitted", "qualified"])
        claim = page.items[0]
        await sav.send(AssignTechnician(reclamation_id=claim.id, technician_id=…), seen=claim)

Needs httpx (`sav-contracts[client]`). Commands that carry files are not for it.
"""

import asyncio
import re
from typing import Any, Generic, NamedTuple, TypeVar, overload
from uuid import UUID, uuid4

import httpx
from pydantic import BaseModel, SecretStr

from sav_contracts.auth.session import RefreshSession, SignedIn, SignIn
from sav_contracts.messages import Asked, Message, View
from sav_contracts.surface import SURFACE, Row, Serves

A = TypeVar("A", bound=BaseModel)
F = TypeVar("F", bound=BaseModel)
V = TypeVar("V", bound=View)

PREFIX = "/api"
# Nothing was done, or nobody knows whether: with the same key it is done once.
REPEATABLE = {502, 503, 504}
TRIES = 4
# Seconds before the second try; each later one waits twice as long, or as long as the answer says.
WAIT = 0.5


class Refused(Exception):
    """The edge's answer where it is not the one asked for: `problem` as in RFC 9457, with a stable `code`."""

    def __init__(self, answer: httpx.Response) -> None:
        told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        self.problem: dict[str, Any] = {
            "status": answer.status_code,
            "code": "",
            "detail": answer.text,
        } | told
        self.code = str(self.problem["code"])
        super().__init__(f"{self.problem['status']} {self.code}: {self.problem['detail']}")


class Page(NamedTuple, Generic[V]):
    """A part of a list; `next` is the `after` of the following one, None on the last."""

    items: tuple[V, ...]
    next: str | None


class Client:
    """One person at the edge that `http` has as its base address; timeouts and certificates are those of `http`.

    What is refused raises `Refused`. Away or overloaded servers are tried again, with the same key; a token that has
    expired is traded for a new one.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.session: SignedIn | None = None
        self._renewing = asyncio.Lock()

    async def sign_in(self, email: str, password: str, code: str | None = None) -> SignedIn:
        """From now on every request is this person's."""
        asked = SignIn.model_validate({"email": email, "password": password, "code": code})
        self.session = await Client(self.http).send(asked)
        return self.session

    @overload
    async def send(self, asked: Asked[A], *, seen: View | None = None, key: str | None = None) -> A: ...
    @overload
    async def send(
        self, asked: Asked[Any], form: type[F], *, seen: View | None = None, key: str | None = None
    ) -> F: ...
    async def send(
        self,
        asked: Asked[Any],
        form: type[BaseModel] | None = None,
        *,
        seen: View | None = None,
        key: str | None = None,
    ) -> BaseModel:
        """The answer to a command or query. A client gets smaller views, and says which (`ReclamationForClient`).

        `seen` is the record as the caller knows it: where it has changed since, this is refused (`changed_since`).
        With the same `key` a command is done once, also when another process repeats it; without one it gets its own.
        """
        row = _row(type(asked), Serves.REPLY)
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
        """One record, or without an id the caller's own (`AccountView`)."""
        serves = Serves.SELF if id is None else Serves.ONE
        path = re.sub(r"{\w+}", str(id), _row(view, serves).path)
        return view.model_validate_json((await self._ask("GET", path)).content)

    async def list(self, view: type[V], **wanted: Any) -> Page[V]:
        """A page of what the caller may see: filters, `q`, `sort`, `limit`, `after`, and the ids in the path.

        `from` and `to` are given as in `list(AppointmentView, **{"from": …})`.
        """
        row = _row(view, Serves.PAGE, set(wanted))
        path = _filled(row, wanted)
        told = (await self._ask("GET", path, params=_given(wanted))).json()
        return Page(tuple(view.model_validate(item) for item in told["items"]), told["next"])

    async def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer, however often it has to be asked for; `request` as httpx takes it."""
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
        """Trades the refresh token, once for all who found the same session stale."""
        async with self._renewing:
            if self.session is stale:
                asked = RefreshSession(refresh_token=SecretStr(stale.refresh_token))
                self.session = await Client(self.http).send(asked)


def _row(message: type[Message], serves: Serves, given: set[str] | None = None) -> Row:
    """The row that serves this message, or the view that it is the client's form of, from what is given."""
    for row in SURFACE:
        fits = given is None or _names(row) <= given
        if row.serves is serves and issubclass(row.message, message) and fits:
            return row
    raise LookupError(f"no route serves {message.__name__} ({serves})")


def _names(row: Row) -> set[str]:
    return set(re.findall(r"{(\w+)}", row.path))


def _filled(row: Row, fields: dict[str, Any]) -> str:
    """The row's path; what stands in it is taken out of the fields."""
    return row.path.format(**{name: fields.pop(name) for name in _names(row)})


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
