"""One order that settles is one trace: request, commit, bell, matcher, settlement, chain, told to a real receiver."""

import asyncio

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from deedbook.api.traced import noting
from deedbook.infra.tracing import NoTracer, OtelTracer, root_span_of, traceparent, tracer, tracing_with
from deedbook.trading.bells import _bell
from tests.settlement.support import Floor
from tests.support.otlp_receiver import otlp_receiver

STEPS = {"order", "intake.commit", "match.commit", "settlement", "chain.transaction"}


async def test_an_order_is_one_trace_from_its_commit_to_the_chain(floor: Floor) -> None:
    buyer, seller = await floor.buyer(), await floor.seller()
    sell, buy = floor.order(seller, "SELL", "1", "10.00"), floor.order(buyer, "BUY", "1", "10.00")
    async with otlp_receiver() as receiver:
        exporter = OTLPSpanExporter(endpoint=f"{receiver.url}/v1/traces", timeout=5)
        sending = OtelTracer("test", BatchSpanProcessor(exporter))
        with tracing_with(sending):
            await floor.place(sell, buy)
            noting(lambda orders: None)([sell, buy])
            await floor.settle_all()
        await asyncio.to_thread(sending.close)
    assert await floor.statuses() == ["SETTLED"]
    for order in (sell, buy):
        trace = receiver.of(order.order_id)
        assert trace.keys() == STEPS
        root = trace["order"].span_id
        assert (root, trace["order"].parent_span_id) == (root_span_of(order.order_id).to_bytes(8, "big"), b"")
        assert {trace[name].parent_span_id for name in STEPS - {"order"}} == {root}
        assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in trace.values())
        hashes = {one.key: one.value.string_value for one in trace["chain.transaction"].attributes}
        assert hashes["deedbook.tx_hash"].startswith("0x")
    (together,) = [span for span in receiver.spans if span.name == "match.commit.batch"]
    assert {link.trace_id for link in together.links} == {sell.order_id.bytes, buy.order_id.bytes}


def test_a_bell_carries_the_trace_only_where_tracing_is_on(floor: Floor) -> None:
    order_id = floor.spec.pair_id
    assert not tracer().on and "tm" not in _bell("x", order_id, floor.spec.pair_id, 1).options()
    on = NoTracer()
    on.on = True
    with tracing_with(on):
        told = _bell("x", order_id, floor.spec.pair_id, 1).options()["tm"]
    assert traceparent(order_id) in str(told)
