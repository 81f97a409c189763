"""The dead letters: looked at without touching them, sent back, thrown away."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import aio_pika
import pytest
import world
from aio_pika.abc import AbstractChannel, AbstractQueue
from eventually import eventually

from sav_chassis import topology
from sav_chassis.process.runner import connected
from sav_chassis.settings import Settings
from sav_chassis.testing import enveloped
from sav_contracts.interventions.technician import TechnicianChanged, TechnicianView
from sav_ops import queues
from sav_ops.home import OpsError
from sav_ops.parked import dead_letters

Said = pytest.CaptureFixture[str]


@pytest.fixture
async def channel(settings: Settings) -> AsyncIterator[AbstractChannel]:
    """A channel beside an empty dead-letter queue."""
    async with connected(settings, "dead letters"), await aio_pika.connect(settings.broker_url) as own:
        channel = await own.channel()
        letters = await channel.get_queue(topology.DEAD, ensure=False)
        await letters.purge()
        yield channel
        await letters.purge()


@pytest.fixture
async def queue(channel: AbstractChannel) -> AsyncIterator[AbstractQueue]:
    """A queue like those of projections, whose consumer gives everything up."""
    name = f"ops.{uuid4()}.views"
    yield await channel.declare_queue(name, durable=True, arguments=topology.queue_arguments(name))
    await channel.queue_delete(name, if_unused=False, if_empty=False)


def event() -> aio_pika.Message:
    id = world.karim.id
    now = "2026-03-02T09:00:00Z"
    fields = {"id": id, "version": 1, "created_at": now, "updated_at": now, "technician_id": id}
    view = TechnicianView.model_validate(fields | {"name": "Karim", "active": True})
    return enveloped(TechnicianChanged(state=view)).to_amqp()


async def die(channel: AbstractChannel, queue: AbstractQueue, url: str, *messages: aio_pika.Message) -> None:
    """One after the other they come to this queue and are rejected."""
    before = await letters(url)
    for number, message in enumerate(messages, 1):
        await channel.default_exchange.publish(message, queue.name)
        await (await queue.get()).reject()

        async def arrived(wanted: int = before + number) -> bool:
            return await letters(url) == wanted

        await eventually(arrived)


async def letters(url: str, name: str = topology.DEAD) -> int:
    return (await queues.depths(url, [name]))[name].messages


async def ids(url: str) -> list[str]:
    async with dead_letters.opened(url) as (_, found):
        return [letter.id for letter in found]


async def test_looking_leaves_everything_in_its_place(
    settings: Settings, channel: AbstractChannel, queue: AbstractQueue, capsys: Said
) -> None:
    url, named = settings.broker_url, [aio_pika.Message(b"{}", message_id=f"{n}-odd") for n in range(5)]
    await die(channel, queue, url, event(), *named)
    first = await ids(url)
    for _ in range(30):
        assert await ids(url) == first
    await asyncio.to_thread(dead_letters.list_them, url)
    rows = capsys.readouterr().out.splitlines()
    assert f"{queue.name}  interventions.TechnicianChanged.v1" in rows[1]
    assert rows[1].endswith("rejected  yes")
    assert rows[2].endswith("rejected  no")
    assert "wrong are" in rows[3]
    assert await letters(url) == 6


async def test_a_letter_goes_back_as_it_was_and_only_once(
    settings: Settings, channel: AbstractChannel, queue: AbstractQueue
) -> None:
    url, message = settings.broker_url, event()
    assert message.message_id
    await die(channel, queue, url, message, aio_pika.Message(b"{}", message_id="odd"))
    assert await asyncio.to_thread(dead_letters.send_back, url, [message.message_id], False, False)
    back = await queue.get()
    headers = {name: value for name, value in back.headers.items() if name != "x-delivery-count"}
    assert (back.body, headers, back.message_id) == (message.body, message.headers, message.message_id)
    assert back.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    await back.ack()
    assert await ids(url) == ["odd"]


async def test_what_cannot_be_read_stays_unless_it_is_forced(
    settings: Settings, channel: AbstractChannel, queue: AbstractQueue, capsys: Said
) -> None:
    url = settings.broker_url
    await die(channel, queue, url, aio_pika.Message(b"\xff", message_id="odd"))
    assert not await asyncio.to_thread(dead_letters.send_back, url, [], True, False)
    assert "odd stays: today's code cannot read it" in capsys.readouterr().out
    assert await letters(url) == 1
    assert await asyncio.to_thread(dead_letters.send_back, url, [], True, True)
    assert (await letters(url), await letters(url, queue.name)) == (0, 1)


async def test_a_letter_whose_queue_is_gone_stays(
    settings: Settings, channel: AbstractChannel, queue: AbstractQueue, capsys: Said
) -> None:
    url = settings.broker_url
    await die(channel, queue, url, event())
    await channel.queue_delete(queue.name, if_unused=False, if_empty=False)
    assert not await asyncio.to_thread(dead_letters.send_back, url, [], True, False)
    assert f"the broker does not take it for {queue.name}" in capsys.readouterr().out
    assert await letters(url) == 1


async def test_a_letter_that_names_no_queue_stays(
    settings: Settings, channel: AbstractChannel, capsys: Said
) -> None:
    url = settings.broker_url
    await channel.default_exchange.publish(event(), topology.DEAD)
    assert not await asyncio.to_thread(dead_letters.send_back, url, [], True, False)
    assert "does not say which queue it came from" in capsys.readouterr().out
    assert await letters(url) == 1


async def test_discarding_removes_what_was_chosen_and_nothing_else(
    settings: Settings, channel: AbstractChannel, queue: AbstractQueue
) -> None:
    url = settings.broker_url
    await die(channel, queue, url, *(aio_pika.Message(b"{}", message_id=f"{n}-odd") for n in range(3)))
    chosen = await asyncio.to_thread(dead_letters.marks, url, ["1-"])
    assert await letters(url) == 3
    assert await asyncio.to_thread(dead_letters.discard, url, chosen) == 1
    assert await ids(url) == ["0-odd", "2-odd"]


async def test_an_ambiguous_id_is_refused(
    settings: Settings, channel: AbstractChannel, queue: AbstractQueue, capsys: Said
) -> None:
    url = settings.broker_url
    await die(channel, queue, url, *(aio_pika.Message(b"{}", message_id=f"odd-{n}") for n in range(2)))
    with pytest.raises(OpsError, match=r"ambiguous[\s\S]*odd-0[\s\S]*odd-1"):
        await asyncio.to_thread(dead_letters.show, url, "odd")
    with pytest.raises(OpsError, match="No dead letter"):
        await asyncio.to_thread(dead_letters.show, url, "even")
    await asyncio.to_thread(dead_letters.show, url, "odd-1")
    assert f"from queue    {queue.name}" in capsys.readouterr().out
