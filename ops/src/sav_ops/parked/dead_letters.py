"""`sav dead`: the messages that no consumer could handle; list them, send them back, or discard them."""

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
from sav_ops.home import OpsError
from sav_ops.terminal.console import out
from sav_ops.terminal.tables import listing
from sav_ops.terminal.text import beginnings, pretty, printable, span

PATIENCE = 10
# What identifies a dead letter: its id, the queue it came from, and when it died.
Mark = tuple[str, str | None, datetime | None]


class DeadLetter:
    """A message of the dead-letter queue, unacknowledged: it returns to its place when the channel closes."""

    def __init__(self, message: AbstractIncomingMessage) -> None:
        self.message = message
        deaths: Any = message.headers.get("x-death") or [{}]
        self.death: dict[str, Any] = deaths[0]

    @property
    def id(self) -> str:
        """The message's id, or the hash of its headers and body if it has none."""
        made_of = repr(sorted(self.message.headers.items(), key=str)).encode() + self.message.body
        return self.message.message_id or hashlib.sha256(made_of).hexdigest()

    @property
    def queue(self) -> str | None:
        """The queue whose consumer could not handle it."""
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
        """Return why the current code cannot read it; None if it can."""
        try:
            Envelope.from_amqp(self.message).event()
        except Undecodable as error:
            return printable(str(error))
        return None

    def __str__(self) -> str:
        return printable(f"{self.type} {self.id}")

    def again(self) -> aio_pika.Message:
        """Return the message as it was first published, without the headers that the broker added (`x-…`)."""
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
async def opened(url: str) -> AsyncIterator[tuple[AbstractChannel, list[DeadLetter]]]:
    """Get all dead letters without acknowledging them, oldest first; at the end those still unacknowledged go back."""
    try:
        connection = await aio_pika.connect(url, timeout=5)
    except (AMQPConnectionError, OSError, TimeoutError):
        raise OpsError("RabbitMQ does not answer: ./sav up") from None
    async with connection, connection.channel(publisher_confirms=True, on_return_raises=True) as channel:
        try:
            queue = await channel.declare_queue(topology.DEAD, passive=True)
        except ChannelNotFoundEntity:
            raise OpsError(f"The broker has no queue {topology.DEAD} yet: ./sav up") from None
        letters = []
        # No more than there were: messages that die meanwhile are left for the next time.
        for _ in range(queue.declaration_result.message_count or 0):
            message = await queue.get(fail=False)
            if message is None:
                break
            letters.append(DeadLetter(message))
        try:
            yield channel, letters
        finally:
            own = await channel.get_underlay_channel()
            await own.basic_nack(0, multiple=True, requeue=True)
            # The broker does not answer this. Whoever looks again at once must see them.
            back = sum(not letter.message.processed for letter in letters)
            for _ in range(PATIENCE * 100):
                if await _waiting(channel) >= back:
                    break
                await asyncio.sleep(0.01)


async def _waiting(channel: AbstractChannel) -> int:
    return (await channel.declare_queue(topology.DEAD, passive=True)).declaration_result.message_count or 0


def list_them(url: str) -> None:
    """Print the dead letters, and leave them in their queue."""
    asyncio.run(_list(url))


async def _list(url: str) -> None:
    async with opened(url) as (_, letters):
        if not letters:
            out.print("No dead letters.")
            return
        out.print(table(letters), soft_wrap=True)
    out.print("\n[dim]More about one: ./sav dead show ID. Back to its queue: ./sav dead return ID.[/]")


def table(letters: Sequence[DeadLetter]) -> Text:
    ids = beginnings(letter.id for letter in letters)
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


def choose(letters: Sequence[DeadLetter], ids: Sequence[str]) -> list[DeadLetter]:
    """Return the letters whose ids begin like these, each with its copies from other queues.

    OpsError if an id matches none, or several.
    """
    chosen: list[DeadLetter] = []
    for wanted in ids:
        found = {letter.id for letter in letters if letter.id.startswith(wanted)}
        if not found:
            raise OpsError(f"No dead letter has an id like {wanted}: ./sav dead")
        if len(found) > 1 and wanted not in found:
            raise OpsError(
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
    """Print everything about one message, once for each queue that it came from."""
    asyncio.run(_show(url, id))


async def _show(url: str, id: str) -> None:
    async with opened(url) as (_, letters):
        for letter in choose(letters, [id]):
            for line in about(letter):
                out.print(printable(line), markup=False, soft_wrap=True)


def about(letter: DeadLetter) -> list[str]:
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
    """Publish letters to the queues they came from; False if one could not be returned."""
    if bool(ids) == everything:
        raise OpsError("Say what to return: ID… or --all.")
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


async def stays(channel: AbstractChannel, letter: DeadLetter, force: bool) -> str | None:
    """Publish a letter again and then remove it from the dead letters; return the reason if it stays."""
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
    """Print the letters that these ids choose, and return their marks."""
    return asyncio.run(_marks(url, ids))


async def _marks(url: str, ids: Sequence[str]) -> list[Mark]:
    async with opened(url) as (_, letters):
        chosen = choose(letters, ids)
        out.print(table(chosen), soft_wrap=True)
        return [letter.mark for letter in chosen]


def discard(url: str, chosen: Sequence[Mark]) -> int:
    """Remove the letters with these marks for ever; return how many were still there."""
    return asyncio.run(_discard(url, chosen))


async def _discard(url: str, chosen: Sequence[Mark]) -> int:
    async with opened(url) as (_, letters):
        gone = [letter for letter in letters if letter.mark in chosen]
        for letter in gone:
            await letter.message.ack()
        return len(gone)
