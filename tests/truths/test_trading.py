"""The truths of trading hold after trading, and each is broken by its violation."""

import pytest

from deedbook import truths
from deedbook.infra.database import Database
from tests.support.owner import as_owner
from tests.trading.swapping import swap
from tests.trading.venue import Venue, open_venue

LONG_AGO = "now() - interval '1 hour'"
VIOLATIONS = [
    ("INV-4 an order is filled", "says filled", "UPDATE orders SET filled_quote = 7 WHERE status = 'FILLED'"),
    (
        "INV-4 an order is filled",
        "beyond its limit",
        "UPDATE orders SET price_ticks = 1 WHERE status = 'FILLED'",
    ),
    ("INV-4 an order is filled", "trade without its order", "UPDATE trades SET buy_order_id = sell_order_id"),
    ("INV-4 an order's status", "is OPEN with", "UPDATE orders SET held = 0 WHERE status = 'OPEN'"),
    ("INV-4 a swap receives", "is FILLED: gave", "UPDATE swaps SET min_amount_out = 10 ^ 30"),
    ("INV-4 a swap receives", "is FILLED: gave", "UPDATE swaps SET amount_in = 1"),
    (
        "INV-4 a swap receives",
        "fee 1250000000000000",
        "UPDATE orders SET max_fee_bps = 24 WHERE order_type = 'SWAP'",
    ),
    (
        "INV-4 a swap receives",
        "is no swap",
        "UPDATE orders SET order_type = 'LIMIT' WHERE order_type = 'SWAP'",
    ),
    ("INV-4 a swap receives", "not among its own", "UPDATE swaps SET first_trade = 7, last_trade = 7"),
    (
        "INV-5",
        "has a bid at",
        "UPDATE orders SET price_ticks = 100000 WHERE status = 'OPEN' AND side = 'BUY'",
    ),
    ("INV-7", "trades of pair", "UPDATE trades SET trade_number = trade_number + 7"),
    ("INV-7", "facts of pair", "DELETE FROM trading_facts WHERE first_seq = 1"),
    ("INV-1 a trade's money", "trade ", "UPDATE trades SET quote_amount = quote_amount + 1"),
    ("INV-13 an order that is to be matched", "stands in line 0 times", "DELETE FROM waiting_orders"),
    (
        "INV-13 an order that is to be matched",
        "stands in line 2 times",
        "UPDATE waiting_orders SET order_ids = order_ids || order_ids",
    ),
    (
        "INV-13 an order that is to be matched",
        "stands in line 1 times",
        "UPDATE orders SET status = 'CANCELLED', remaining_lots = 0, held = 0 WHERE status = 'PENDING_MATCH'",
    ),
    (
        "INV-13 no order waits",
        "pending order",
        f"UPDATE orders SET created_at = {LONG_AGO} WHERE status = 'PENDING_MATCH'",
    ),
    (
        "INV-13 no order waits",
        "pending command",
        (
            "INSERT INTO order_commands (pair_id, kind, created_at) "
            f"SELECT pair_id, 'PAUSE', {LONG_AGO} FROM trading_pairs"
        ),
    ),
]


async def traded(venue: Venue) -> None:
    """A trade and a swap, orders that rest on both sides, and one that waits; facts in batches."""
    buyer, seller = await venue.investor(quote="1000"), await venue.investor(base="10")
    matcher = await venue.matcher()
    await venue.place(venue.order(buyer, "BUY", "1", "100"))
    await matcher.step()
    await venue.place(venue.order(seller, "SELL", "1", "100"), venue.order(seller, "SELL", "1", "110"))
    await venue.place(venue.order(buyer, "BUY", "1", "90"))
    await matcher.step()
    await swap(venue.db, venue.spec, buyer, "BUY", "55", "0.49")
    await matcher.step()
    await venue.place(venue.order(buyer, "BUY", "1", "91"))


async def broken(db: Database) -> dict[str, list[str]]:
    return {truth.name: list(truth.findings) for truth in await truths.check_trading(db) if not truth.holds}


@pytest.mark.parametrize(
    ("truth", "finding", "violation"), VIOLATIONS, ids=[f"{truth} · {text}" for truth, text, _ in VIOLATIONS]
)
async def test_truth_is_broken_when_its_violation_is_planted(
    db: Database, truth: str, finding: str, violation: str
) -> None:
    await traded(await open_venue(db))
    assert await broken(db) == {}
    async with as_owner(db) as connection:
        await connection.execute("SET session_replication_role = replica; " + violation)
        await connection.execute("RESET session_replication_role")
    found = await broken(db)
    texts = [text for name, findings in found.items() if name.startswith(truth) for text in findings]
    assert any(finding in text for text in texts), found
