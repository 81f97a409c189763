"""The whole system in one process: real broker, real databases, the edge's application called directly."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import asyncpg
import cheap_passwords
import httpx
from description import described
from eventually import eventually
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from sav_auth.app import auth
from sav_auth.model import Purpose
from sav_calendar.app import calendar
from sav_catalog.app import catalog
from sav_chassis.commands.client import CommandClient
from sav_chassis.identity import ACCESS_SECONDS, Links, Signer
from sav_chassis.migrate import migrate
from sav_chassis.process.runner import connected, serving
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_claims.app import claims
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.auth.account import AcceptInvitation, DeactivateUser, InviteUser, StaffRole, UserInvited
from sav_edge.app import application, edge
from sav_edge.completeness import mark_complete
from sav_interventions.app import interventions
from sav_notifier.app import notifier
from sav_ops.demo import journey
from sav_reporting.app import reporting

SERVICES = {
    service.name: service for service in (auth, catalog, claims, interventions, calendar, notifier, reporting)
}
PASSWORD = "correct horse battery"
# Seconds, well before the token ends.
REFRESHES_AFTER = ACCESS_SECONDS * 2 / 3


class FromAnywhere(httpx.ASGITransport):
    """Each request comes from an address of its own, unless it says from where (`extensions`): guesses are counted."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = (
            request.extensions.get("address") or f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"
        )
        # Read before anything is awaited.
        self.client = (host, 40_000)
        return await super().handle_async_request(request)


@dataclass
class Person:
    """Somebody who is signed in."""

    id: str
    email: str
    role: str
    http: httpx.AsyncClient
    token: str = ""
    refresh_token: str = ""
    names: dict[str, Any] = field(default_factory=dict)
    refreshes_at: float = field(default_factory=lambda: time.monotonic() + REFRESHES_AFTER)

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Any request under /api with this person's token; `request` as httpx takes it."""
        await self._stay_signed_in()
        headers = self.headers() | request.pop("headers", {})
        return await self.http.request(method, f"/api{path}", headers=headers, **request)

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        await self._stay_signed_in()
        return await self.http.get(f"/api{path}", params=parameters, headers=self.headers())

    async def post(self, path: str, json: Any = None, key: str | None = None) -> httpx.Response:
        await self._stay_signed_in()
        headers = self.headers() | ({"Idempotency-Key": key} if key else {})
        return await self.http.post(f"/api{path}", json=json or {}, headers=headers)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    async def _stay_signed_in(self) -> None:
        """Whoever is there for a whole run needs another token on the way; copies of them share no session that way."""
        if not self.refresh_token or time.monotonic() < self.refreshes_at:
            return
        self.refreshes_at = time.monotonic() + REFRESHES_AFTER
        said = {"email": self.email, "password": PASSWORD}
        answer = await self.http.post("/api/auth/login", json=said)
        if (
            answer.status_code == 200
        ):  # else they may not sign in any more, which is what some tests are about
            self.token, self.refresh_token = answer.json()["access_token"], answer.json()["refresh_token"]


class System:
    """Services that can be stopped and started again, and people made by commands."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._running: dict[str, AsyncExitStack] = {}
        # Managers who are there for the whole run.
        self.staying: set[str] = set()

    async def start(self, name: str) -> None:
        self._running[name] = AsyncExitStack()
        await self._running[name].enter_async_context(serving(SERVICES[name].load(), self.settings))

    async def stop(self, name: str) -> None:
        await self._running.pop(name).aclose()

    async def stop_all(self) -> None:
        for name in list(self._running):
            await self.stop(name)

    async def sql(self, room: str, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Looks into a room's database."""
        connection = await asyncpg.connect(self.settings.database(room))
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    def visitor(self) -> Person:
        """Somebody without a token."""
        return Person("", "", "anyone", self.http)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Person:
        answer = await self.visitor().post("/auth/login", {"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        tokens = told["access_token"], told["refresh_token"]
        return Person(told["user_id"], email, told["role"], self.http, *tokens)

    async def client(self) -> Person:
        """A new client, signed up and signed in over HTTP."""
        email = f"{uuid7()}@example.com"
        answer = await self.visitor().post(
            "/auth/register", {"email": email, "password": PASSWORD, "name": "Léa Bernard"}
        )
        assert answer.status_code == 202, answer.text
        return await self.sign_in(email)

    async def invited(self, role: StaffRole, name: str = "Karim Haddad") -> tuple[str, str]:
        """The address of somebody who was just invited, and the token of their link."""
        email = f"{uuid7()}@example.com"
        token = Signer(self.settings.signing_key).token(SYSTEM)
        answer = await self.asks.ask(InviteUser(email=email, name=name, role=role), 15, token=token)
        invited = next(e for envelope in answer.events if isinstance(e := envelope.event(), UserInvited))
        return email, Links(self.settings.link_secret).token("invitation", invited.grant_id)

    async def link(self, purpose: Purpose, who: Person) -> str:
        """What stands in the newest link that this person was sent for that."""
        sent = """SELECT id FROM "grant" WHERE purpose = $1 AND account_id = $2 ORDER BY created_at DESC"""
        [grant, *_] = await eventually(lambda: self.sql("auth", sent, purpose, who.id))
        return Links(self.settings.link_secret).token(purpose, grant["id"])

    async def staff(self, role: StaffRole, name: str = "Karim Haddad") -> Person:
        """A new technician, manager or admin, invited and signed in."""
        email, link = await self.invited(role, name)
        await self.asks.ask(AcceptInvitation(token=SecretStr(link), password=SecretStr(PASSWORD)), 15)
        return await self.sign_in(email)

    async def technician(self, name: str = "Karim Haddad") -> Person:
        return await self.staff(Role.TECHNICIAN, name)

    async def manager(self) -> Person:
        return await self.staff(Role.MANAGER, "Marie Laurent")

    async def admin(self) -> Person:
        return await self.staff(Role.ADMIN, "Alex Dubois")

    async def dismiss_managers(self) -> None:
        """Deactivates all but those who stay: each would get a mail of whatever happens, which takes its time."""
        token = Signer(self.settings.signing_key).token(SYSTEM)
        active = "SELECT id FROM account WHERE role = 'manager' AND status = 'active' AND NOT id = ANY($1)"
        for row in await self.sql("auth", active, list(self.staying)):
            answer = await self.asks.ask(DeactivateUser(account_id=row["id"]), 15, token=token)
            assert answer.problem is None, answer.problem

    http: httpx.AsyncClient
    asks: CommandClient


@asynccontextmanager
async def whole(settings: Settings) -> AsyncIterator[System]:
    """Migrated, started, and stopped at the end."""
    cheap_passwords.use()
    # Papers are printed at a low priority, which is late where all tests run.
    journey.PATIENCE = 60.0
    system = System(settings)
    rooms: list[Service | Any] = [*SERVICES.values(), edge]
    for room in rooms:
        await migrate(settings, room.name)
    async with asyncpg.create_pool(settings.database("edge"), min_size=1, max_size=1) as pool:
        await mark_complete(pool)
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(connected(settings, "tests"))
        system.asks = CommandClient(broker)
        await system.asks.start()
        stack.push_async_callback(system.asks.close)
        stack.push_async_callback(system.stop_all)
        for name in SERVICES:
            await system.start(name)
        system.http = await stack.enter_async_context(door(settings))
        yield system


def app_behind(http: httpx.AsyncClient) -> Any:
    """The application that answers this client."""
    transport = http._transport
    assert isinstance(transport, FromAnywhere)
    return transport.app


@asynccontextmanager
async def in_a_hurry(system: System, who: Person) -> AsyncIterator[Person]:
    """The same person, behind an edge that gives up after a second."""
    async with door(system.settings.model_copy(update={"command_deadline": 1.0})) as http:
        yield replace(who, http=http)


@asynccontextmanager
async def door(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """One replica of the edge; whatever it answers must be as its own description says."""
    async with (
        application(settings) as app,
        httpx.AsyncClient(
            transport=FromAnywhere(app=cast("Any", app)), base_url="http://sav.test", timeout=30
        ) as http,
    ):
        description = described((await http.get("/openapi.json")).content)
        http.event_hooks = {"response": [description.check]}
        yield http
