"""A model of the way of an event, with a crash between any two steps: nothing lost, nothing twice, nothing reversed."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar, cast
from uuid import UUID

import toy
import world
from aio_pika import Message
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from toy import Box, BoxFilled, Fill
from toy_asking import rows

from sav_chassis.envelope import Envelope
from sav_chassis.events.relay import Relay
from sav_chassis.service import Service
from sav_chassis.settings import Settings
from sav_chassis.testing import Stage
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor

T = TypeVar("T")
BOXES = st.sampled_from([101, 102, 103])


class Crash(BaseException):
    """The process is gone: what was not committed is undone, what was not acknowledged comes again."""


class Wire:
    """What the relay publishes to, and where the broker keeps it: at least once, in order, until acknowledged."""

    is_closed = False

    def __init__(self) -> None:
        self.queue: list[Envelope] = []
        self.crash_after: int | None = None

    async def get_underlay_channel(self) -> "Wire":
        return self

    async def basic_publish(self, body: bytes, properties: Any, **_: Any) -> None:
        if self.crash_after == 0:
            raise Crash
        if self.crash_after is not None:
            self.crash_after -= 1
        arrived: Any = Message(body, headers=properties.headers, message_id=properties.message_id)
        self.queue.append(Envelope.from_amqp(arrived))


class Dying:
    """A database connection that is gone before the relay can delete what was confirmed."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    async def fetch(self, *arguments: Any) -> Any:
        return await self._pool.fetch(*arguments)

    async def execute(self, *_: Any) -> None:
        raise Crash


class Way(RuleBasedStateMachine):
    """Commands, relay, deliveries and releases in any order, each of which may crash at each step."""

    settings: Settings
    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.failing: set[UUID] = set()
        self.crash_in: str | None = None
        self.accepted: dict[str, int] = {}
        self.wire = Wire()
        self.stage = Stage(self.toys(), self.settings)
        self.wait(self.begin())

    def toys(self) -> Service:
        toys = toy.bare()

        @toys.command(Fill)
        async def fill(cmd: Fill, tx: Tx, by: Actor) -> Box:
            box = await toy.fill(cmd, tx, by)
            await tx.flush()
            if self.crash_in == "command":
                raise Crash
            return box

        @toys.on(BoxFilled)
        async def see(event: BoxFilled, tx: Tx) -> None:
            await toy.note(event, tx)
            await tx.flush()
            if self.crash_in == "reaction":
                raise Crash
            if event.state.id in self.failing:
                raise ZeroDivisionError("cursed")

        return toys

    def wait(self, work: Awaitable[T]) -> T:
        async def run() -> T:
            return await work

        return self.runner.run(run())

    async def begin(self) -> None:
        await self.stage.database.open()
        await self.stage.clear()
        await self.stage.given(*(toy.box(number, world.lea) for number in (101, 102, 103)))
        self.relay = Relay(self.stage.database, cast(Any, None))
        self.relay.stop()  # it publishes when it is told to, and never pauses

    # The steps

    @rule(target=keys, number=BOXES, crash=st.booleans())
    def a_command(self, number: int, crash: bool) -> Any:
        key = f"{number} {len(self.accepted)}"
        self.ask(number, key, crash)
        if key not in self.accepted:
            return multiple()
        return key

    @rule(key=keys, crash=st.booleans())
    def the_same_command_again(self, key: str, crash: bool) -> None:
        self.ask(int(key.split()[0]), key, crash)

    def ask(self, number: int, key: str, crash: bool) -> None:
        self.crash_in = "command" if crash else None
        command = Fill(box_id=UUID(int=number), amount=1)
        try:
            outcome = self.wait(self.stage.when(command, by=world.marie, key=key, seconds=10))
            assert outcome.problem is None
            self.accepted.setdefault(key, number)
        except Crash:
            pass
        finally:
            self.crash_in = None

    @rule(crash=st.sampled_from([None, 0, 1, 2, "before the delete"]))
    def the_relay(self, crash: int | str | None) -> None:
        self.wire.crash_after = crash if isinstance(crash, int) else None
        pool = self.stage.database.pool
        connection = pool if crash is None else Dying(pool)
        try:
            self.wait(self.relay._publish_batch(cast(Any, connection), cast(Any, self.wire)))
        except Crash:
            pass
        finally:
            self.wire.crash_after = None

    @rule(lane=BOXES, crash=st.sampled_from([None, "in the reaction", "before the ack"]))
    def a_delivery(self, lane: int, crash: str | None) -> None:
        """The first of one lane; lanes run side by side, so any may be next."""
        mine = [envelope for envelope in self.wire.queue if envelope.subject.int == lane]
        if not mine:
            return
        self.crash_in = "reaction" if crash == "in the reaction" else None
        try:
            self.wait(self.stage.reactor.take(mine[0], mine[0].event()))
        except Crash:
            return
        finally:
            self.crash_in = None
        if crash is None:
            self.wire.queue.remove(mine[0])

    @rule(number=BOXES)
    def a_box_is_cursed(self, number: int) -> None:
        self.failing.add(UUID(int=number))

    @rule(number=BOXES)
    def a_curse_is_lifted(self, number: int) -> None:
        self.failing.discard(UUID(int=number))

    @rule(crash=st.booleans())
    def a_release(self, crash: bool) -> None:
        self.crash_in = "reaction" if crash else None
        try:
            self.wait(self.release())
        except Crash:
            pass
        finally:
            self.crash_in = None

    async def release(self) -> None:
        await self.stage.database.pool.execute("UPDATE task SET due = now(), leased_until = NULL")
        await self.stage.reactor.release_due()

    # What always holds

    @invariant()
    def every_box_is_seen_in_order_once(self) -> None:
        for versions in self.seen().values():
            assert versions == list(range(2, len(versions) + 2))

    def seen(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {101: [], 102: [], 103: []}
        for subject, version in self.wait(
            rows(self.stage, "SELECT subject, version FROM seen ORDER BY position")
        ):
            found[subject.int].append(version)
        return found

    def teardown(self) -> None:
        """Everything is mended and runs dry: what was accepted has had its effect, exactly once."""
        try:
            self.failing.clear()
            for _ in range(200):
                self.the_relay(None)
                for number in (101, 102, 103):
                    self.a_delivery(number, None)
                self.a_release(False)
                if not self.wire.queue and not self.wait(rows(self.stage, "SELECT 1 FROM outbox, task")):
                    break
            numbers = list(self.accepted.values())
            assert {number: len(versions) for number, versions in self.seen().items()} == {
                number: numbers.count(number) for number in (101, 102, 103)
            }
            filled = self.wait(rows(self.stage, "SELECT id, filled FROM box"))
            assert {id.int: amount for id, amount in filled} == {
                number: numbers.count(number) for number in (101, 102, 103)
            }
            assert self.wait(self.stage.parked()) == []
        finally:
            self.wait(self.stage.database.close())
            self.runner.close()


def test_whatever_crashes_between_any_two_steps(toy_settings: Settings) -> None:
    Way.settings = toy_settings
    run_state_machine_as_test(
        Way,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
