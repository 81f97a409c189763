"""The Python client, against the real system."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID, uuid4

import httpx
import pytest
from system import PASSWORD, Person, System

from sav_contracts.auth.account import AccountView
from sav_contracts.catalog.product import PlaceGiven
from sav_contracts.claims.reclamation import (
    OpenReclamation,
    QualifyReclamation,
    ReclamationForClient,
    ReclamationView,
)
from sav_contracts.client import Client, Refused
from sav_contracts.reporting import GetReclamationsReport

PLACE = PlaceGiven(address="3 rue des Lilas", postcode="69003", city="Lyon")
OPEN = OpenReclamation(
    article="Chaudière", place=PLACE, problem_type="no_heating", description="plus de chauffage"
)


class Line(httpx.AsyncBaseTransport):
    """The way to the edge, which loses the answers whose turns are in `lost` after all was done, and counts."""

    def __init__(self, there: httpx.AsyncClient) -> None:
        self.there = there
        self.lost: set[int] = set()
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        turn = len(self.asked)
        self.asked.append(request)
        answer = await self.there.send(request)
        if turn in self.lost:
            return httpx.Response(503, json={"code": "unavailable"}, headers={"Retry-After": "0"})
        return answer


@pytest.fixture
async def line(system: System) -> Line:
    return Line(system.http)


@pytest.fixture
async def http(line: Line) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=line, base_url="http://sav.test") as http:
        yield http


async def signed_in(http: httpx.AsyncClient, who: Person) -> Client:
    sav = Client(http)
    await sav.sign_in(who.email, PASSWORD)
    return sav


async def test_messages_go_out_and_views_come_back(system: System, http: httpx.AsyncClient) -> None:
    lea = await signed_in(http, await system.client())
    marie = await signed_in(http, await system.manager())

    opened = await lea.send(OPEN, ReclamationForClient)
    assert (opened.status, opened.article) == ("submitted", "Chaudière")
    seen = await marie.send(QualifyReclamation(reclamation_id=opened.id, priority="high"))
    assert (seen.status, seen.priority) == ("qualified", "high")
    assert await marie.get(ReclamationView, opened.id) == seen

    page = await lea.list(ReclamationForClient, status=["qualified", "closed"], limit=1)
    assert ([item.id for item in page.items], page.next) == ([opened.id], None)
    assert (await lea.list(ReclamationForClient, status="closed")).items == ()


async def test_a_query_and_ones_own_record_need_no_id(system: System, http: httpx.AsyncClient) -> None:
    manager = await system.manager()
    marie = await signed_in(http, manager)
    assert (await marie.get(AccountView)).id == UUID(manager.id)
    report = await marie.send(
        GetReclamationsReport.model_validate({"from": "2026-01-01", "to": "2026-01-31"})
    )
    assert (report.start, report.end) == (date(2026, 1, 1), date(2026, 1, 31))


async def test_a_command_whose_answer_was_lost_is_repeated_and_done_once(
    system: System, http: httpx.AsyncClient, line: Line
) -> None:
    lea = await signed_in(http, await system.client())
    line.lost = {len(line.asked), len(line.asked) + 1}
    opened = await lea.send(OPEN, ReclamationForClient)
    first, *repeated = (request.headers["idempotency-key"] for request in line.asked[-3:])
    assert repeated == [first, first]
    assert [item.id for item in (await lea.list(ReclamationForClient)).items] == [opened.id]


async def test_a_command_that_another_process_repeats_under_its_key_is_done_once(
    system: System, http: httpx.AsyncClient
) -> None:
    person, key = await system.client(), str(uuid4())
    opened = [
        await (await signed_in(http, person)).send(OPEN, ReclamationForClient, key=key) for _ in range(2)
    ]
    assert opened[0] == opened[1]


async def test_what_has_changed_since_it_was_seen_is_not_changed_again(
    system: System, http: httpx.AsyncClient
) -> None:
    lea = await signed_in(http, await system.client())
    marie = await signed_in(http, await system.manager())
    opened = await lea.send(OPEN, ReclamationForClient)
    qualify = QualifyReclamation(reclamation_id=opened.id, priority="high")
    seen = await marie.send(qualify, seen=opened)
    assert seen.version == opened.version + 1
    with pytest.raises(Refused) as caught:
        await marie.send(qualify, seen=opened)
    assert (caught.value.code, caught.value.problem["status"]) == ("changed_since", 412)


async def test_a_token_that_is_not_good_any_more_is_traded_once_by_all(
    system: System, http: httpx.AsyncClient, line: Line
) -> None:
    lea = await signed_in(http, await system.client())
    assert lea.session
    lea.session = lea.session.model_copy(update={"access_token": "old"})
    await asyncio.gather(*(lea.get(AccountView) for _ in range(3)))
    assert [request.url.path for request in line.asked].count("/api/auth/refresh") == 1


async def test_a_refusal_has_its_code_and_is_not_repeated(
    system: System, http: httpx.AsyncClient, line: Line
) -> None:
    lea = await signed_in(http, await system.client())
    before = len(line.asked)
    with pytest.raises(Refused) as caught:
        await lea.get(ReclamationForClient, uuid4())
    assert (caught.value.code, caught.value.problem["status"]) == ("not_found", 404)
    assert len(line.asked) == before + 1
