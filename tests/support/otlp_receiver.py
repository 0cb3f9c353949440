"""A receiver of traces over real HTTP, as OpenTelemetry's collectors are (OTLP, protobuf)."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Receiver:
    """What was sent to it."""

    url: str = ""
    spans: list[Any] = field(default_factory=list)

    def of(self, order_id: UUID | str) -> dict[str, Any]:
        """The spans of one trace by their names."""
        wanted = UUID(str(order_id)).bytes
        return {span.name: span for span in self.spans if span.trace_id == wanted}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length"))
            body = await reader.readexactly(int(length.partition(b":")[2]))
            raw = gzip.decompress(body) if b"content-encoding: gzip" in head else body
            assert head.startswith(b"post /v1/traces")
            for of_process in ExportTraceServiceRequest.FromString(raw).resource_spans:
                for scope in of_process.scope_spans:
                    self.spans += scope.spans
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def otlp_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield receiver
