"""`sav dead`: the messages that no consumer could handle; look at them, send them back, or throw them away."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import AMQPConnectionError, ChannelNotFoundEntity, DeliveryError
from rich.text import Text

from sav_chassis import topology
from sav_chassis.envelope import HEADER, Envelope, Undecodable
from sav_ops.home import Problem
from sav_ops.parked import common, pretty, span
from sav_ops.status import listing, printable
from sav_ops.steps import out

SHORTEST = 8
PATIENCE = 10
# A letter's id, the queue it came from and when.
Mark = tuple[str, str | None, datetime | None]


class Letter:
    """A message of the dead-letter queue, in hand until the looking ends: then it is back in its place."""

    def __init__(self, message: AbstractIncomingMessage) -> None:
        self.message = message
        deaths: Any = message.headers.get("x-death") or [{}]
        self.death: dict[str, Any] = deaths[0]

    @property
    def id(self) -> str:
        """The message's id; what it is made of, where it has none."""
        made_of = repr(sorted(self.message.headers.items(), key=str)).encode() + self.message.body
        return self.message.message_id or hashlib.sha256(made_of).hexdigest()

    @property
    def queue(self) -> str | None:
        """The queue whose consumer gave up on it."""
        return self.death.get("queue")

    @property
    def type(self) -> str:
        return str(self.message.headers.get(f"{HEADER}type") or self.message.type or "–")

    @property
    def reason(self) -> str:
        return str(self.death.get("reason", "–"))

    @property
    def at(self) -> datetime | None:
        return self.death.get("time")

    @property
    def mark(self) -> Mark:
        return self.id, self.queue, self.at

    def wrong(self) -> str | None:
        """Why today's code cannot read it; None where it can."""
        try:
            Envelope.from_amqp(self.message).event()
        except Undecodable as error:
            return printable(str(error))
        return None

    def __str__(self) -> str:
        return printable(f"{self.type} {self.id}")

    def again(self) -> aio_pika.Message:
        """The message as it was first published: without what the broker wrote onto it since."""
        message = self.message
        return aio_pika.Message(
            message.body,
            headers={name: value for name, value in message.headers.items() if not name.startswith("x-")},
            message_id=message.message_id,
            correlation_id=message.correlation_id,
            type=message.type,
            timestamp=message.timestamp,
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            app_id=message.app_id,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[AbstractChannel, list[Letter]]]:
    """Take all letters in hand, the oldest first; what was not acknowledged meanwhile is put back in its order."""
    try:
        connection = await aio_pika.connect(url, timeout=5)
    except (AMQPConnectionError, OSError, TimeoutError):
        raise Problem("RabbitMQ does not answer: ./sav up") from None
    async with connection, connection.channel(publisher_confirms=True, on_return_raises=True) as channel:
        try:
            queue = await channel.declare_queue(topology.DEAD, passive=True)
        except ChannelNotFoundEntity:
            raise Problem(f"The broker has no queue {topology.DEAD} yet: ./sav up") from None
        letters = []
        # No more than there were: what dies meanwhile is for the next look.
        for _ in range(queue.declaration_result.message_count or 0):
            message = await queue.get(fail=False)
            if message is None:
                break
            letters.append(Letter(message))
        yield channel, letters


def list_them(url: str) -> None:
    """Print what is in the dead-letter queue, and leave it there."""
    asyncio.run(_list(url))


async def _list(url: str) -> None:
    async with opened(url) as (_, letters):
        if not letters:
            out.print("No dead letters.")
            return
        out.print(table(letters), soft_wrap=True)
    out.print("\n[dim]More about one: ./sav dead show ID. Back to its queue: ./sav dead return ID.[/]")


def table(letters: Sequence[Letter]) -> Text:
    ids = short_ids(letters)
    wrongs = [letter.wrong() for letter in letters]
    rows = [
        (
            f"{span(datetime.now(UTC) - letter.at)} ago" if letter.at else "–",
            letter.queue or "–",
            printable(letter.type),
            printable(ids[letter.id]),
            str(len(letter.message.body)),
            letter.reason,
            Text("no", "red") if wrong else Text("yes", "green"),
        )
        for letter, wrong in zip(letters, wrongs, strict=True)
    ]
    header = ("died", "from queue", "type", "id", "bytes", "why", "readable now")
    return listing(header, rows, [wrong or "" for wrong in wrongs])


def short_ids(letters: Sequence[Letter]) -> dict[str, str]:
    """Return the beginning of each id that no other one has."""
    ids = sorted({letter.id for letter in letters})
    return {
        id: id[: max(SHORTEST, common(before, id) + 1, common(id, after) + 1)]
        for before, id, after in zip(["", *ids], ids, [*ids[1:], ""], strict=False)
    }


def choose(letters: Sequence[Letter], ids: Sequence[str]) -> list[Letter]:
    """Return the letters whose ids begin so, each with its copies from other queues."""
    chosen: list[Letter] = []
    for wanted in ids:
        found = {letter.id for letter in letters if letter.id.startswith(wanted)}
        if not found:
            raise Problem(f"No dead letter has an id like {wanted}: ./sav dead")
        if len(found) > 1 and wanted not in found:
            raise Problem(
                "\n".join(
                    [
                        f"{wanted} is ambiguous; write more of it:",
                        *(f"  {printable(id)}" for id in sorted(found)),
                    ]
                )
            )
        [id] = found if len(found) == 1 else {wanted}
        chosen += [letter for letter in letters if letter.id == id and letter not in chosen]
    return chosen


def show(url: str, id: str) -> None:
    """Print everything about one message, once for each queue it came from."""
    asyncio.run(_show(url, id))


async def _show(url: str, id: str) -> None:
    async with opened(url) as (_, letters):
        for letter in choose(letters, [id]):
            for line in about(letter):
                out.print(printable(line), markup=False, soft_wrap=True)


def about(letter: Letter) -> list[str]:
    message = letter.message
    wrong = letter.wrong()
    died = f"{letter.at:%F %T} UTC" if letter.at else "–"
    return [
        f"{letter}",
        f"  from queue    {letter.queue or '–'}",
        f"  died          {died}, {letter.reason}, {letter.death.get('count', 1)} time(s)",
        f"  readable now  {'no: ' + wrong if wrong else 'yes'}",
        "",
        "Headers:",
        *(f"  {name}: {value!s}" for name, value in message.headers.items() if not name.startswith("x-")),
        "",
        f"Body, {len(message.body)} bytes:",
        *pretty(message.body.decode(errors="backslashreplace")),
        "",
    ]


def send_back(url: str, ids: Sequence[str], everything: bool, force: bool) -> bool:
    """Publish letters to the queues they came from; False where one had to stay."""
    if bool(ids) == everything:
        raise Problem("Say what to return: ID… or --all.")
    return asyncio.run(_send_back(url, ids, everything, force))


async def _send_back(url: str, ids: Sequence[str], everything: bool, force: bool) -> bool:
    stayed = 0
    async with opened(url) as (channel, letters):
        chosen = letters if everything else choose(letters, ids)
        for letter in chosen:
            if why := await stays(channel, letter, force):
                stayed += 1
                out.print(f"{letter} stays: {why}", markup=False, soft_wrap=True)
            else:
                out.print(f"{letter} is back in {letter.queue}", markup=False, soft_wrap=True)
    out.print(f"{len(chosen) - stayed} returned" + (f", {stayed} stayed." if stayed else "."))
    return not stayed


async def stays(channel: AbstractChannel, letter: Letter, force: bool) -> str | None:
    """Publish a letter again and only then take it out of the dead letters; answer why not, where it stays."""
    if not letter.queue:
        return "it does not say which queue it came from"
    if not force and (wrong := letter.wrong()):
        return f"today's code cannot read it either ({wrong}); --force returns it all the same"
    try:
        await channel.default_exchange.publish(
            letter.again(), routing_key=letter.queue, mandatory=True, timeout=PATIENCE
        )
    except DeliveryError:
        return f"the broker does not take it for {letter.queue}"
    except TimeoutError:
        return (
            "the broker did not confirm it; it may be in its queue all the same, where it is harmless twice"
        )
    await letter.message.ack()
    return None


def marks(url: str, ids: Sequence[str]) -> list[Mark]:
    """Print what these ids mean, and return what tells each from every other dead letter."""
    return asyncio.run(_marks(url, ids))


async def _marks(url: str, ids: Sequence[str]) -> list[Mark]:
    async with opened(url) as (_, letters):
        chosen = choose(letters, ids)
        out.print(table(chosen), soft_wrap=True)
        return [letter.mark for letter in chosen]


def discard(url: str, chosen: Sequence[Mark]) -> int:
    """Remove these letters for ever; return how many were still there."""
    return asyncio.run(_discard(url, chosen))


async def _discard(url: str, chosen: Sequence[Mark]) -> int:
    async with opened(url) as (_, letters):
        gone = [letter for letter in letters if letter.mark in chosen]
        for letter in gone:
            await letter.message.ack()
        return len(gone)
