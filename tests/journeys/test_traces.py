"""One order in the traces of a real collector: every process of ours tells its part of it, over OTLP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from deedbook.infra.tracing import root_span_of
from deedbook.kernel.ids import parse_uuid
from tests.journeys.test_order_crashes import Floor
from tests.journeys.test_settlement import trades_of
from tests.support.counter import Counter
from tests.support.otlp_receiver import Receiver, otlp_receiver
from tests.support.stack import Stack
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STEPS = {"http.request", "intake.commit", "bell", "match.commit", "settlement", "chain.transaction"}
TOLD_BY = ("api", "matcher", "jobs")


@pytest.fixture
async def collector(stack: Stack, counter: Counter) -> AsyncIterator[Receiver]:
    """Where the processes tell what they do with an order."""
    async with otlp_receiver() as receiver:
        for name in TOLD_BY:
            more = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
            await stack.run(name, **more)
        yield receiver
        await stack.all_run()


async def test_all_steps_of_an_order_stand_in_one_trace(collector: Receiver, counter: Counter) -> None:
    floor = await Floor.open(counter)
    issuer, buyer = counter.issuer, floor.buyer
    sold = await floor.place(issuer, floor.order(issuer, "SELL"))
    await floor.filled(buyer, await floor.place(buyer, floor.order(buyer, "BUY")))

    async def all_told() -> dict[str, Any]:
        trace = collector.of(sold)
        return trace if trace.keys() >= STEPS | {"order"} else {}

    trace = await eventually(all_told, f"all of {STEPS} are told of {sold}", within_s=60)
    order_id = parse_uuid(sold)
    assert order_id is not None and trace.keys() == STEPS | {"order"}
    assert {trace[name].parent_span_id for name in STEPS} == {root_span_of(order_id).to_bytes(8, "big")}
    began = [
        trace[name].start_time_unix_nano for name in ("order", "intake.commit", "match.commit", "settlement")
    ]
    assert began == sorted(began)

    async def its_transaction() -> Any:
        (bought,) = await trades_of(floor, buyer)
        return bought["txHash"]

    on_chain = {one.key: one.value.string_value for one in trace["chain.transaction"].attributes}
    settled_in = await eventually(its_transaction, "the trade is settled", within_s=60)
    assert on_chain["deedbook.tx_hash"] == settled_in
