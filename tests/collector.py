"""A collector of traces: a real local server that speaks OTLP over HTTP, and keeps what it was sent."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Wire
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from sav_chassis.telemetry import tracing


@dataclass
class Seen:
    """A span as it was sent."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    failed: bool
    notes: dict[str, str | int]
    # What the sender says of itself.
    sender: dict[str, str | int]
    # All of it, for what must not be in it.
    bytes: bytes


@dataclass
class Collector:
    """What has arrived."""

    spans: list[Seen] = field(default_factory=list)

    def named(self, name: str) -> list[Seen]:
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> Seen:
        """The only span of this name."""
        found = self.named(name)
        assert len(found) == 1, f"{len(found)} of {name}: {sorted(span.name for span in self.spans)}"
        return found[0]

    def line(self, span: Seen) -> list[str]:
        """The names from the first span down to this one, as the parents say."""
        by_id = {one.id: one for one in self.spans}
        names = [span.name]
        # What a caller names as its own may be anything, an id of ours too.
        while span.kind != "SERVER" and span.parent in by_id:
            span = by_id[span.parent]
            names.append(span.name)
        return names[::-1]

    def take(self, sent: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(sent).resource_spans:
            sender = notes(resource.resource.attributes)
            for scope in resource.scope_spans:
                self.spans += [seen(span, sender) for span in scope.spans]


def seen(span: Wire, sender: dict[str, str | int]) -> Seen:
    return Seen(
        span.name,
        Wire.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.status.code == Status.STATUS_CODE_ERROR,
        notes(span.attributes),
        sender,
        span.SerializeToString(),
    )


def notes(attributes: Iterable[KeyValue]) -> dict[str, str | int]:
    return {
        one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in attributes
    }


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    """A collector and the endpoint at which it takes traces."""
    collector = Collector()

    class Post(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Post)
    running = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    running.start()
    try:
        yield collector, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        running.join()
        server.server_close()


@asynccontextmanager
async def traced(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """Everything in this process is traced; when it ends, the collector has all of it."""
    with collecting() as (collector, endpoint), monkeypatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        # Milliseconds between two sendings.
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        async with tracing.exporting("tests"):
            yield collector
