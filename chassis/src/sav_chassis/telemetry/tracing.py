"""OpenTelemetry traces from a request to its last reaction, through the queues and the tables.

The context is only the `traceparent` of a message or row, which survives restarts and redelivery. Spans are made where
OTEL_EXPORTER_OTLP_ENDPOINT is set. Otherwise nothing is imported, and the caller's `traceparent` is passed on.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from threading import Thread
from typing import TYPE_CHECKING, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
# Seconds that a stop waits until the last spans are sent. An unreachable collector must not hold it up.
SEND_WITHIN = 2.0

SpanKindName = Literal["INTERNAL", "SERVER", "PRODUCER", "CONSUMER"]
M = TypeVar("M", bound=BaseModel)

_tracer: "trace.Tracer | None" = None


class Span:
    """A span; messages that it causes carry its `traceparent`."""

    def __init__(self, traceparent: str | None, recorded: "trace.Span | None" = None) -> None:
        self.traceparent = traceparent
        self._recorded = recorded

    def carry(self, message: M) -> M:
        """A copy of the message with this span as the parent of its consequences."""
        if self._recorded is None:
            return message
        return message.model_copy(update={"traceparent": self.traceparent})

    def note(self, name: str, value: str | int) -> None:
        if self._recorded is not None:
            self._recorded.set_attribute(name, value)

    def fail(self, why: str) -> None:
        """Marks the span as failed. Only the error's type is exported: its text may quote people, and is logged."""
        if self._recorded is not None:
            from opentelemetry.trace import StatusCode

            self._recorded.set_attribute("error.type", why)
            self._recorded.set_status(StatusCode.ERROR)


def span(
    name: str, kind: SpanKindName, parent: str | None, attributes: Mapping[str, str | int] | None = None
) -> AbstractContextManager[Span]:
    """A span around the block, as a child of `parent`. An error that leaves the block is recorded."""
    if _tracer is None:
        return nullcontext(Span(parent))
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carried = {"traceparent": parent} if parent else {}
    context = TraceContextTextMapPropagator().extract(carried)
    return _recorded(_tracer.start_span(name, context, SpanKind[kind], dict(attributes or {})))


@contextmanager
def _recorded(recorded: "trace.Span") -> Iterator[Span]:
    at = recorded.get_span_context()
    made = Span(f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}", recorded)
    try:
        yield made
    except BaseException as error:
        made.fail(type(error).__name__)
        raise
    finally:
        recorded.end()


def message(
    does: Literal["send", "process"],
    type: str,
    destination: str,
    id: UUID,
    conversation: UUID,
    parent: str | None,
) -> AbstractContextManager[Span]:
    """A span for sending or processing a command or an event."""
    if _tracer is None:
        return nullcontext(Span(parent))
    attributes = {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": does,
        "messaging.operation.type": does,
        "messaging.destination.name": destination,
        "messaging.message.id": str(id),
        "messaging.message.conversation_id": str(conversation),
    }
    return span(f"{does} {type}", "PRODUCER" if does == "send" else "CONSUMER", parent, attributes)


@asynccontextmanager
async def exporting(room: str) -> AsyncIterator[None]:
    """Exports spans inside the `async with`, where an endpoint is configured."""
    global _tracer
    wanted = any(os.environ.get(name) for name in ENDPOINTS)
    if not wanted or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or _tracer is not None:
        yield
        return
    provider = _provider(room)
    _tracer = provider.get_tracer("sav")
    try:
        yield
    finally:
        _tracer = None
        # In a daemon thread, which may hang on an unreachable collector without blocking the exit.
        ending = Thread(target=provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, SEND_WITHIN)


def _provider(room: str) -> "TracerProvider":
    """Configured by OpenTelemetry's variables; the service's name is the room's unless they give another."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": room, "service.namespace": "sav"})
    provider = TracerProvider(
        resource=resource.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
