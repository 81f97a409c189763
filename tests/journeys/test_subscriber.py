"""A system of somebody else's that subscribes as `/asyncapi.json` says, and reads events with the CloudEvents SDK."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from cloud_events import Json, answered, sent
from eventually import eventually
from foreign import Reader
from jsonschema import Draft202012Validator
from pamqp.common import Arguments
from stories import done, drafted
from system import Person, System

from sav_chassis import topology


@asynccontextmanager
async def subscribed(system: System, to: str) -> AsyncIterator[AbstractQueue]:
    """A durable queue of the subscriber's own that gets these events."""
    async with await aio_pika.connect(system.settings.broker_url) as connection:
        channel = await connection.channel()
        kind: Arguments = {"x-queue-type": "quorum"}
        queue = await channel.declare_queue("elsewhere.sav", durable=True, arguments=kind)
        await queue.bind(topology.EVENTS, routing_key=to)
        try:
            yield queue
        finally:
            await queue.delete(if_unused=False, if_empty=False)


async def heard(queue: AbstractQueue, last: str) -> list[AbstractIncomingMessage]:
    """What came into the queue, until an event of that type did."""
    messages: list[AbstractIncomingMessage] = []

    async def came() -> bool:
        while message := await queue.get(fail=False):
            await message.ack()
            messages.append(message)
        return any(message.type == last for message in messages)

    await eventually(came, 20)
    return messages


async def test_a_subscriber_reads_orders_and_checks_every_event_with_tools_of_its_own(
    system: System, marie: Person, cloud_events: Reader
) -> None:
    lea, karim = await system.client(), await system.technician()
    async with subscribed(system, "#") as queue:
        draft = await drafted(lea, marie, karim)
        messages = await heard(queue, "interventions.InvoiceChanged.v1")

    events = [read(cloud_events, message) for message in messages]
    by_record: dict[str, list[str]] = defaultdict(list)
    for event in events:
        by_record[event["subject"]].append(event["sequence"])
    # Enough that numbers of one and of two digits are among them.
    assert len(by_record[draft["intervention_id"]]) > 9
    for sequences in by_record.values():
        assert sorted(sequences) == sequences

    for event in events:
        name = event["dataschema"].removeprefix("urn:sav:schema:")
        schema = done(await system.http.get(f"/schemas/{name}.json"))
        assert schema["$id"] == event["dataschema"]
        Draft202012Validator(schema).validate(event["data"])


def read(sdk: Reader, message: AbstractIncomingMessage) -> Json:
    """The event as the SDK reads it: all that was sent."""
    answer = answered(sdk, message)
    assert answer == {"read": sent(message)}
    return dict(answer["read"])
