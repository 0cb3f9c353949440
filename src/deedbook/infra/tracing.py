"""Traces of orders, off unless asked for: from the request over commit, matcher and settlement to the chain.

An order's id is a UUIDv7, 128 bits of time and chance, which is what a trace id is. So the trace of an order is its id,
its root's span id is derived from it, and whoever knows the order can add to its trace: nothing is stored or carried
along, and with tracing off nothing is done for an order at all.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol
from uuid import UUID

Attributes = Mapping[str, str | int]


class Tracer(Protocol):
    """Where finished steps are told. Times are seconds of Unix time."""

    on: bool

    def order(self, order_id: UUID, began: float, ended: float, attributes: Attributes) -> None:
        """The root of an order's trace: from its arrival to the commit that keeps it."""

    def step(
        self, name: str, order_ids: Sequence[UUID], began: float, ended: float, attributes: Attributes
    ) -> None:
        """Something that was done for these orders: a span of its own linked with them, and one in each trace."""

    def close(self) -> None:
        """Send what is left."""


class NoTracer:
    """What is there while tracing is off."""

    on = False

    def order(self, order_id: UUID, began: float, ended: float, attributes: Attributes) -> None: ...

    def step(
        self, name: str, order_ids: Sequence[UUID], began: float, ended: float, attributes: Attributes
    ) -> None: ...

    def close(self) -> None: ...


class OtelTracer:
    """OpenTelemetry's SDK (the extra `deedbook[tracing]`), behind any exporter of spans."""

    on = True

    def __init__(self, process: str, processor: Any) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

        class Given(RandomIdGenerator):
            """The ids of an order's root; chance for all others."""

            root: UUID | None = None

            def generate_trace_id(self) -> int:
                return self.root.int if self.root else super().generate_trace_id()

            def generate_span_id(self) -> int:
                return root_span_of(self.root) if self.root else super().generate_span_id()

        self._ids = Given()
        named = Resource.create({"service.name": f"deedbook-{process}"})
        self._provider = TracerProvider(resource=named, id_generator=self._ids)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("deedbook")

    def order(self, order_id: UUID, began: float, ended: float, attributes: Attributes) -> None:
        self._ids.root = order_id
        try:
            told = {"deedbook.order_id": str(order_id), **attributes}
            span = self._tracer.start_span("order", attributes=told, start_time=_nanoseconds(began))
        finally:
            self._ids.root = None
        span.end(_nanoseconds(ended))

    def step(
        self, name: str, order_ids: Sequence[UUID], began: float, ended: float, attributes: Attributes
    ) -> None:
        from opentelemetry.trace import Link, NonRecordingSpan, set_span_in_context

        roots = [_root(order_id) for order_id in order_ids]
        start, end = _nanoseconds(began), _nanoseconds(ended)
        told = {"deedbook.orders": len(roots), **attributes}
        links = [Link(root) for root in roots]
        together = self._tracer.start_span(f"{name}.batch", attributes=told, links=links, start_time=start)
        for root in roots:
            context = set_span_in_context(NonRecordingSpan(root))
            link = [Link(together.get_span_context())]
            span = self._tracer.start_span(name, context, attributes=told, links=link, start_time=start)
            span.end(end)
        together.end(end)

    def close(self) -> None:
        self._provider.shutdown()


def root_span_of(order_id: UUID) -> int:
    """The span id of an order's root: never zero, and not to be guessed at by chance."""
    return int.from_bytes(hashlib.sha256(order_id.bytes).digest()[:8], "big") | 1


def traceparent(order_id: UUID) -> str:
    """An order's root as W3C Trace Context has it, for what is handed to others."""
    return f"00-{order_id.hex}-{root_span_of(order_id):016x}-01"


def carried_by(order_id: UUID) -> dict[str, str]:
    """What a job about this order carries: nothing while tracing is off."""
    return {"traceparent": traceparent(order_id)} if _tracer.on else {}


_tracer: Tracer = NoTracer()


def tracer() -> Tracer:
    """This process's tracer."""
    return _tracer


def start_tracing(process: str, endpoint: str) -> None:
    """Send traces to an OTLP receiver at this address from now on.

    Raises:
        ImportError: the packages of `deedbook[tracing]` are not installed.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    _use(OtelTracer(process, BatchSpanProcessor(exporter)))


@contextmanager
def tracing_with(other: Tracer) -> Iterator[None]:
    """Use another tracer for a while."""
    before = _tracer
    _use(other)
    try:
        yield
    finally:
        _use(before)


def _use(other: Tracer) -> None:
    global _tracer
    _tracer = other


def _root(order_id: UUID) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(order_id.int, root_span_of(order_id), is_remote=True, trace_flags=TraceFlags(1))


def _nanoseconds(moment: float) -> int:
    return int(moment * 1_000_000_000)
