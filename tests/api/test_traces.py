"""A request that places orders, in the traces of those orders; only where tracing is on."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.infra.tracing import OtelTracer, tracing_with
from tests.support.floor import Floor, open_floor
from tests.support.servers import PostgresServer
from tests.support.world import open_world


@pytest.fixture
async def traced(
    postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil
) -> AsyncIterator[tuple[Floor, InMemorySpanExporter]]:
    dsn, kept = await postgres.new_database(), InMemorySpanExporter()
    with tracing_with(OtelTracer("api", SimpleSpanProcessor(kept))):
        async with open_world(dsn, valkey.url(), SAPPHIRE_RPC_URL=anvil.url) as world:
            yield await open_floor(world), kept
    await postgres.drop(dsn)


async def test_the_request_stands_in_the_trace_of_each_order_that_it_placed(
    traced: tuple[Floor, InMemorySpanExporter],
) -> None:
    floor, kept = traced
    user = await floor.investor("1000")
    one = (await floor.place(user))["id"]
    batch = {"orders": [floor.order(user), floor.order(user, price="0"), floor.order(user)]}
    answers = (await floor.send(user, batch, "/trading/orders/batch")).json()["data"]
    many = [answer["order"]["id"] for answer in answers if answer["order"]]
    assert len(many) == 2
    names: dict[int, set[str]] = {}
    for span in kept.get_finished_spans():
        assert span.context is not None
        names.setdefault(span.context.trace_id, set()).add(span.name)
    for order_id in (one, *many):
        assert names[UUID(order_id).int] >= {"order", "intake.commit", "http.request"}


async def test_nothing_of_an_order_is_told_but_what_it_is_about(
    traced: tuple[Floor, InMemorySpanExporter],
) -> None:
    """INV-14: no signature, no account, nobody's name."""
    floor, kept = traced
    user = await floor.investor("1000")
    body = floor.order(user)
    assert (await floor.send(user, body)).status_code == 201
    told = " ".join(span.to_json() for span in kept.get_finished_spans())
    for secret in (body["signature"], body["userAddress"], str(user.user_id), user.access_token):
        assert str(secret).removeprefix("0x") not in told
