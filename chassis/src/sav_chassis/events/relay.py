"""The relay publishes the outbox in order and chains the events; each database has one leader."""

import asyncio
from collections import defaultdict
from typing import Any

import asyncpg
import structlog
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError

from sav_chassis.database import Database, is_away
from sav_chassis.envelope import Envelope
from sav_chassis.telemetry import metrics, tracing
from sav_chassis.topology import EVENTS, is_blocked

log = structlog.get_logger()

CHANNEL = "sav_outbox"
LEADER_LOCK = 7_305_001
# The most events that are being published at the same time.
BATCH = 1000
# Seconds that a busy leader waits to collect a batch; seconds between polls, in case a wake-up was lost.
GATHER = 0.01
POLL = 1.0
CONFIRM_TIMEOUT = 10

READ = """
SELECT l.* FROM outbox o JOIN event_log l USING (position)
ORDER BY o.position LIMIT $1"""
# Not flushed on its own: the next commit writes it to disk. That is the one that removes these events from the outbox,
# or a later one.
CHAIN = "SELECT chain_events($1), set_config('synchronous_commit', 'off', true)"


class Relay:
    """Runs in every replica. The one that holds the advisory lock publishes; the others stand by."""

    def __init__(self, database: Database, broker: AbstractRobustConnection) -> None:
        self._database = database
        self._poll = POLL
        self._broker = broker
        self._wanted = asyncio.Event()
        # Whether this replica publishes.
        self.leading = False
        self._untold = False
        self._telling: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def wake(self) -> None:
        """Something was committed: publish it soon, here or in the replica that leads."""
        if self.leading:
            self._wanted.set()
            return
        self._untold = True
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_leader())

    async def run(self) -> None:
        """Leads or stands by until `stop`; survives restarts of the database and the broker."""
        while not self._stopping.is_set():
            try:
                await self._stand_and_lead()
            except Exception as error:
                if is_away(error) or isinstance(error, (AMQPError, ChannelInvalidStateError, OSError)):
                    log.warning("relay stopped; retrying", error=repr(error))
                else:
                    log.exception("relay failed; restarting")
                await self._pause(1.0)
            finally:
                self.leading = False

    def stop(self) -> None:
        """Ends `run` after the current batch."""
        self._stopping.set()
        self._wanted.set()

    async def _stand_and_lead(self) -> None:
        # Its own direct connection, so that the lock ends with the connection that reads and deletes.
        connection = await asyncpg.connect(self._database.url, timeout=5, command_timeout=10)
        channel = None
        try:
            channel = await self._broker.channel(publisher_confirms=True, on_return_raises=True)
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_LOCK):
                if await self._pause(self._poll):
                    return
            self.leading = True
            log.info("relay leads", room=self._database.room)
            await connection.add_listener(CHANNEL, lambda *_: self._wanted.set())
            while not self._stopping.is_set():
                self._wanted.clear()
                if await is_blocked(self._broker):
                    await self._wait_for_the_alarm()
                    continue
                if read := await self._publish_batch(connection, channel):
                    # Where a batch was full, the next one is already there.
                    await asyncio.sleep(GATHER if read < BATCH else 0)
                    continue
                try:
                    await asyncio.wait_for(self._wanted.wait(), self._poll)
                except TimeoutError:
                    continue
        finally:
            await connection.close(timeout=2)
            if channel is not None:
                await channel.close()

    async def _wait_for_the_alarm(self) -> None:
        """Waits. The broker reads events published during an alarm when it ends, so a retry would duplicate them."""
        log.warning("relay waits: the broker accepts no messages (alarm)", room=self._database.room)
        while await is_blocked(self._broker) and not await self._pause(self._poll):
            continue

    async def _publish_batch(self, connection: "asyncpg.Connection[Any]", channel: AbstractChannel) -> int:
        """Publishes and chains the oldest rows, one at a time within an aggregate. Answers how many it read.

        A row leaves the outbox when it is published and chained.
        """
        rows = await connection.fetch(READ, BATCH)
        if not rows:
            return 0
        # Runs while the broker confirms.
        chaining = asyncio.create_task(connection.execute(CHAIN, [row["position"] for row in rows]))
        by_subject: dict[object, list[asyncpg.Record]] = defaultdict(list)
        for row in rows:
            by_subject[row["subject"]].append(row)
        confirmed: list[int] = []

        async def publish(rows_of_subject: list[asyncpg.Record]) -> None:
            for row in rows_of_subject:
                await _publish(channel, Envelope.model_validate(dict(row)))
                confirmed.append(row["position"])

        results = await asyncio.gather(*map(publish, by_subject.values()), return_exceptions=True)
        await chaining
        if confirmed:
            await connection.execute("DELETE FROM outbox WHERE position = ANY($1)", confirmed)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            log.warning("not published yet", events=len(rows) - len(confirmed), error=repr(failures[0]))
            await self._pause(0.5)
        return len(rows)

    async def _tell_leader(self) -> None:
        """Sends one NOTIFY for everything that was committed within the gathering time."""
        while self._untold:
            await asyncio.sleep(GATHER)
            self._untold = False
            try:
                await self._database.pool.execute(f"NOTIFY {CHANNEL}")
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("relay leader not notified; it polls", error=str(error))

    async def _pause(self, seconds: float) -> bool:
        """Waits; True where `stop` was called meanwhile."""
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True


async def _publish(channel: AbstractChannel, envelope: Envelope) -> None:
    """Returns when the broker has confirmed the event.

    Uses the channel beneath aio-pika's, whose `publish` lets only one message at a time wait for the socket.
    """
    row = envelope.type, EVENTS, envelope.id, envelope.correlation_id, envelope.traceparent
    with tracing.message("send", *row) as span:
        message = span.carry(envelope).to_amqp()
        if channel.is_closed:
            raise ChannelInvalidStateError(f"{channel!r} is closed")
        # The declared type does not know the parameter `wait`.
        wire: Any = await channel.get_underlay_channel()
        await wire.basic_publish(
            message.body,
            exchange=EVENTS,
            routing_key=envelope.type,
            properties=message.properties,
            mandatory=True,
            timeout=CONFIRM_TIMEOUT,
            wait=False,
        )
    metrics.PUBLISHED.labels(envelope.type).inc()
