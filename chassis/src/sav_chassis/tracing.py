"""Traces from a request to the last reaction to it, through the queues and the tables, by OpenTelemetry.

The `traceparent` of a message or a row is the only context there is: it survives restarts and redelivery. Spans are
made where OTEL_EXPORTER_OTLP_ENDPOINT says where to send them; elsewhere nothing is imported, and the caller's
`traceparent` travels on as it came.
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
# Seconds that a stop waits for the last spans to be taken; a collector that is away holds up nobody.
SEND_WITHIN = 2.0

Kind = Literal["INTERNAL", "SERVER", "PRODUCER", "CONSUMER"]
M = TypeVar("M", bound=BaseModel)

_tracer: "trace.Tracer | None" = None


class Span:
    """Something that is being done: `traceparent` is what it causes has to carry."""

    def __init__(self, traceparent: str | None, recorded: "trace.Span | None" = None) -> None:
        self.traceparent = traceparent
        self._recorded = recorded

    def carry(self, message: M) -> M:
        """The same message, whose consequences belong to this span."""
        if self._recorded is None:
            return message
        return message.model_copy(update={"traceparent": self.traceparent})

    def note(self, name: str, value: str | int) -> None:
        if self._recorded is not None:
            self._recorded.set_attribute(name, value)

    def fail(self, why: str) -> None:
        """It went wrong. Only the kind of error leaves the house: what errors say may quote people, and is logged."""
        if self._recorded is not None:
            from opentelemetry.trace import StatusCode

            self._recorded.set_attribute("error.type", why)
            self._recorded.set_status(StatusCode.ERROR)


def span(
    name: str, kind: Kind, parent: str | None, attributes: Mapping[str, str | int] | None = None
) -> AbstractContextManager[Span]:
    """What is done in the block, as a consequence of `parent`; an error that leaves the block is recorded."""
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
    """A command or an event on its way through the broker."""
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
    """Spans are sent for as long as this lasts, where an endpoint is configured."""
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
        # In a thread that nobody has to wait for: it may hang on a collector that is away.
        ending = Thread(target=provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, SEND_WITHIN)


def _provider(room: str) -> "TracerProvider":
    """As OpenTelemetry's variables say, under the room's name where they say none."""
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
