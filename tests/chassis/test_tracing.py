"""Traces: from a command to the last thing that comes of it, by what stands in messages and rows."""

import subprocess
import sys
import time
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import toy
import world
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from collector import collecting, traced
from eventually import eventually
from toy import BoxFilled, Fill
from toy_asking import OnStage, ask, rows
from toy_broker import declare
from toy_later import LATER, Clockwork
from toy_switch import SEEN, Switch, release

from sav_chassis.commands.client import CommandClient
from sav_chassis.identity import Signer
from sav_chassis.process.runner import serving
from sav_chassis.telemetry import tracing
from sav_chassis.testing import Stage, enveloped
from sav_chassis.tx import Tx

BOX = UUID(int=100)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{PARENT}-01"
UNSAMPLED = f"00-{TRACE}-{PARENT}-00"
NOTHING_IMPORTED = """
import asyncio, sys
from sav_chassis.process import runner
from sav_chassis.telemetry import tracing
async def main():
    async with tracing.exporting("toy"):
        with tracing.span("x", "INTERNAL", "theirs") as span:
            assert span.traceparent == "theirs"
asyncio.run(main())
assert not {"opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.trace"} & set(sys.modules)
"""


@pytest.fixture
async def client(broker: AbstractRobustConnection) -> AsyncIterator[CommandClient]:
    client = CommandClient(broker)
    await client.start()
    yield client
    await client.close()


async def nothing_waits(stage: Stage) -> bool:
    return await rows(stage, LATER) == []


async def test_a_trace_goes_from_a_command_to_its_timers_and_effects(
    on_stage: OnStage,
    channel: AbstractChannel,
    client: CommandClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clockwork = Clockwork()

    @clockwork.service.on(BoxFilled)
    async def go_on(event: BoxFilled, tx: Tx) -> None:
        if event.state.version == 2:  # the effect fills the box too
            tx.remind(clockwork.ring, event.state.id, tx.now)
            tx.later(clockwork.deliver, event.state.id)

    await declare(channel, clockwork.service)
    stage = await on_stage(clockwork.service)
    await stage.given(toy.box(100, world.lea))
    token = Signer(stage.settings.signing_key).token(world.lea)

    async def all_done() -> bool:
        reacted = await rows(stage, "SELECT event_id FROM handled")
        return len(reacted) == 2 and await nothing_waits(stage)

    async with traced(monkeypatch) as collector, serving(clockwork.service, stage.settings):
        answer = await client.ask(Fill(box_id=BOX), 5, token=token, traceparent=SAMPLED)
        await eventually(all_done)

    assert {span.trace for span in collector.spans} == {TRACE}
    begun, *reacted = [
        "send toy.Fill.v1",
        "process toy.Fill.v1",
        "send toy.BoxFilled.v1",
        "process toy.BoxFilled.v1",
    ]
    assert collector.one(begun).parent == PARENT
    assert collector.line(collector.one("timer ring")) == [begun, *reacted, "timer ring"]
    effect = collector.one("effect deliver")
    assert collector.line(effect) == [begun, *reacted, "effect deliver"]
    last = collector.named("process toy.BoxFilled.v1")[-1]
    assert collector.line(last) == [begun, *reacted, "effect deliver", *reacted[1:]]

    kinds = [collector.named(name)[0].kind for name in (begun, *reacted, "timer ring")]
    assert kinds == ["PRODUCER", "CONSUMER", "PRODUCER", "CONSUMER", "INTERNAL"]
    sent = collector.named("send toy.BoxFilled.v1")[0].notes
    assert sent["messaging.system"] == "rabbitmq"
    assert sent["messaging.destination.name"] == "sav.events"
    assert sent["messaging.message.id"] == str(answer.events[0].id)
    assert sent["messaging.message.conversation_id"] == str(answer.events[0].correlation_id)
    assert str(last.notes["code.function.name"]).endswith(".go_on")
    assert not any(span.failed for span in collector.spans)


async def test_whoever_is_not_sampled_is_not_traced_and_stays_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.given(toy.box(100, world.lea))
    async with traced(monkeypatch) as collector:
        answer = await stage.command_server.answer(
            ask(stage, Fill(box_id=BOX), world.lea, traceparent=UNSAMPLED)
        )
    assert collector.spans == []
    [(kept,)] = await rows(stage, "SELECT traceparent FROM event_log")
    assert kept == answer.events[0].traceparent
    assert kept.startswith(f"00-{TRACE}-")
    assert kept.endswith("-00")


async def test_without_an_endpoint_the_callers_trace_goes_on_as_it_came(stage: Stage) -> None:
    await stage.given(toy.box(100, world.lea))
    for n, given in enumerate((SAMPLED, None)):
        await stage.command_server.answer(ask(stage, Fill(box_id=BOX), world.lea, traceparent=given))
        kept = await rows(stage, "SELECT traceparent FROM event_log ORDER BY position OFFSET $1", n)
        assert kept == [(given,)]


def test_without_an_endpoint_nothing_of_it_is_imported() -> None:
    subprocess.run([sys.executable, "-c", NOTHING_IMPORTED], check=True, timeout=60)


async def test_a_try_that_failed_is_recorded_and_the_next_one_has_the_same_parent(
    on_stage: OnStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = Switch()
    stage = await on_stage(switch.service)
    switch.failing = {BOX}
    event = enveloped(toy.filled(100, 2)).model_copy(update={"traceparent": SAMPLED})
    async with traced(monkeypatch) as collector:
        await stage.hears(event)
        assert await stage.parked()
        switch.failing = set()
        await release(stage)
    assert await rows(stage, SEEN) == [(2,)]
    *failed, done = collector.spans
    assert [span.failed for span in (*failed, done)] == [True, True, False]
    assert {(span.trace, span.parent) for span in collector.spans} == {(TRACE, PARENT)}
    assert failed[0].notes["error.type"] == "ZeroDivisionError"
    # What an error says may be about people.
    assert all(b"cursed" not in span.bytes for span in collector.spans)


async def test_a_refusal_is_no_error_but_a_fault_of_ours_is(
    on_stage: OnStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys = toy.bare()

    @toys.command(Fill)
    async def fill_badly(cmd: Fill, tx: Tx, by: object) -> toy.Box:
        if cmd.amount == 7:
            raise ZeroDivisionError
        return await toy.fill(cmd, tx, world.paul)

    stage = await on_stage(toys)
    await stage.given(toy.box(100, world.lea))
    async with traced(monkeypatch) as collector:
        for amount in (1, 7):
            await stage.command_server.answer(ask(stage, Fill(box_id=BOX, amount=amount), world.lea))
    assert [span.failed for span in collector.spans] == [False, True]
    assert len({span.trace for span in collector.spans}) == 2


@pytest.mark.parametrize(("given", "name"), [(None, "claims"), ("elsewhere", "elsewhere")])
async def test_a_process_is_named_after_its_room_unless_a_variable_says_another_name(
    given: str | None, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given:
        monkeypatch.setenv("OTEL_SERVICE_NAME", given)
    with collecting() as (collector, endpoint):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        async with tracing.exporting("claims"):
            with tracing.span("x", "INTERNAL", None):
                pass
    assert collector.one("x").sender["service.name"] == name


async def test_a_collector_that_is_away_holds_up_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as (_, gone):
        pass
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", gone)
    monkeypatch.setattr(tracing, "SEND_WITHIN", 0.2)
    async with tracing.exporting("claims"):
        with tracing.span("x", "INTERNAL", None):
            pass
        began = time.monotonic()
    assert time.monotonic() - began < 2
