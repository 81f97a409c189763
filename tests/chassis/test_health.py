"""A process's own port: what it says while it starts, works, waits, and needs a restart."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
import toy
import toy_broker
from aio_pika.abc import AbstractChannel
from eventually import eventually
from prometheus_client.parser import text_string_to_metric_families
from toy import BoxFilled
from toy_asking import OnStage
from toy_broker import declare
from toy_wire import wire

from sav_chassis.process import health
from sav_chassis.process.health import Health
from sav_chassis.process.runner import serving
from sav_chassis.service import Service
from sav_chassis.startup_checks import CannotStart
from sav_chassis.testing import Stage

WHOLE = dict.fromkeys(("database", "broker", "toy.commands", "toy.events", "toy.views"), True)
Page = tuple[int, Any]


@pytest.fixture
async def stage(on_stage: OnStage, channel: AbstractChannel) -> Stage:
    toys = toy.usual()
    toys.on(BoxFilled)(toy.note)
    await declare(channel, toys)
    return await on_stage(toys)


@pytest.fixture
def toys(stage: Stage) -> Service:
    return stage.service


async def asked(port: int, page: str) -> Page:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://127.0.0.1:{port}/{page}")
    return answer.status_code, answer.json()


def says(port: int, page: str, expected: Page) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return await asked(port, page) == expected

    return look


async def test_a_service_that_works_is_live_and_ready_and_answers_nothing_else(
    stage: Stage, toys: Service
) -> None:
    async with serving(toys, stage.settings) as health, httpx.AsyncClient() as http:
        assert await asked(health.port, "live") == (200, {"live": True})
        assert await asked(health.port, "ready") == (200, WHOLE)
        at = f"http://127.0.0.1:{health.port}"
        for path in ("/", "/live/", "/live?x", "/metrics/x", "/api/reclamations"):
            assert (await http.get(f"{at}{path}")).status_code == 404
        assert (await http.post(f"{at}/live")).status_code == 404
        assert (await http.get(f"{at}/metrics")).status_code == 200
    with pytest.raises(httpx.ConnectError):
        await asked(health.port, "live")


@pytest.mark.parametrize(
    "sent", [b"\r\n\r\n", b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"x" * 20_000, b"GET /live"]
)
async def test_what_is_no_http_does_not_trouble_it(
    sent: bytes, toys: Service, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ANSWER_WITHIN", 0.2)
    mine = Health()
    async with mine.answering(stage.settings):
        reader, writer = await asyncio.open_connection("127.0.0.1", mine.port)
        writer.write(sent)
        told = await asyncio.wait_for(reader.read(), 5)
        assert told == b"" or told.startswith(b"HTTP/1.1 404 ")
        writer.close()
        assert await asked(mine.port, "live") == (200, {"live": True})


async def test_while_it_waits_for_its_database_it_is_live_and_not_ready(stage: Stage, toys: Service) -> None:
    probe = Health()
    async with probe.answering(stage.settings):
        port = probe.port
    async with wire(stage.settings.database_url) as cable:
        cable.cut()
        far = stage.settings.model_copy(update={"database_url": cable.url, "health_port": port})
        service = serving(toys, far)
        starting = asyncio.create_task(service.__aenter__())

        async def open_already() -> bool:
            try:
                return await asked(port, "ready") == (503, {"started": False})
            except httpx.ConnectError:
                return False

        await eventually(open_already)
        assert await asked(port, "live") == (200, {"live": True})
        await cable.mend()
        await starting
        assert await asked(port, "ready") == (200, WHOLE)
        await service.__aexit__(None, None, None)


async def test_without_its_broker_it_is_live_and_not_ready(stage: Stage, toys: Service) -> None:
    async with wire(stage.settings.broker_url) as cable:
        far = stage.settings.model_copy(update={"broker_url": cable.url})
        async with serving(toys, far) as health:
            cable.cut()
            none = dict.fromkeys(WHOLE, False) | {"database": True}
            await eventually(says(health.port, "ready", (503, none)))
            assert await asked(health.port, "live") == (200, {"live": True})
            await cable.mend()
            await eventually(says(health.port, "ready", (200, WHOLE)), 10)


async def test_without_its_database_it_is_live_and_not_ready_and_still_counts(
    stage: Stage, toys: Service
) -> None:
    async with wire(stage.settings.database_url) as cable:
        far = stage.settings.model_copy(update={"database_url": cable.url})
        async with serving(toys, far) as health:
            cable.cut()
            assert await asked(health.port, "ready") == (503, WHOLE | {"database": False})
            assert await asked(health.port, "live") == (200, {"live": True})
            async with httpx.AsyncClient() as http:
                scraped = await http.get(f"http://127.0.0.1:{health.port}/metrics")
            assert scraped.status_code == 200
            found = {
                sample.labels["part"]: sample.value
                for family in text_string_to_metric_families(scraped.text)
                for sample in family.samples
                if sample.name == "sav_ready"
            }
            assert found == dict.fromkeys(WHOLE, 1.0) | {"database": 0.0}
            await cable.mend()
            await eventually(says(health.port, "ready", (200, WHOLE)), 10)


async def test_a_consumer_that_hears_nothing_for_long_though_its_broker_is_there_needs_a_restart(
    stage: Stage, toys: Service, channel: AbstractChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(toys, stage.settings) as mine:
        await toy_broker.remove(channel)
        deaf = WHOLE | dict.fromkeys(toy_broker.QUEUES, False)
        await eventually(says(mine.port, "ready", (503, deaf)))
        assert await asked(mine.port, "live") == (200, {"live": True})
        monkeypatch.setattr(health, "DEAF_FOR", 0.0)
        told = (503, {"live": False, "faults": [*toy_broker.QUEUES]})
        await eventually(says(mine.port, "live", told))


async def test_a_vital_task_that_is_gone_needs_a_restart(stage: Stage) -> None:
    mine = Health()

    async def ends() -> None:
        pass

    async with mine.answering(stage.settings):
        task = mine.watch(asyncio.create_task(ends(), name="relay"))
        with mine.started():
            await task
            assert await asked(mine.port, "live") == (503, {"live": False, "faults": ["relay"]})
        assert await asked(mine.port, "live") == (200, {"live": True}), "it is stopping"


async def test_a_port_that_somebody_else_has_is_named(stage: Stage, toys: Service) -> None:
    async with serving(toys, stage.settings) as health:
        taken = stage.settings.model_copy(update={"health_port": health.port})
        with pytest.raises(CannotStart, match="SAV_HEALTH_PORT"):
            async with serving(toys, taken):
                pass
