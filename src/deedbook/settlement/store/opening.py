"""SQL that takes up trades: all that are new, in the order in which they settle, each once."""

from deedbook.infra.database import Tx

AT_ONCE = 5000


async def open_new(tx: Tx) -> int:
    """Take up trades that were executed since; how many. One at a time: what a trade rests on was committed before
    it, so that it is seen, and has its place, no later than the trade itself."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtext('settlement-opening'))")
    await tx.execute(
        "INSERT INTO settlement_pairs (pair_id) SELECT pair_id FROM pair_writer w WHERE w.trade_number > 0 "
        "AND NOT EXISTS (SELECT 1 FROM settlement_pairs p WHERE p.pair_id = w.pair_id) ON CONFLICT DO NOTHING"
    )
    return int(await tx.fetchval(_OPEN, AT_ONCE))


# With more than fits at once the oldest are taken, all pairs up to the same moment. The clock may have gone back: a
# trade counts as no older than the one before it, so that none is left out between two that are taken.
_OPEN = """
    WITH fresh AS MATERIALIZED (
        SELECT t.trade_id, t.pair_id, t.trade_number, t.buyer_id, t.seller_id, t.executed_at,
               max(t.executed_at) OVER (PARTITION BY t.pair_id ORDER BY t.trade_number) AS as_of
        FROM settlement_pairs p JOIN pair_writer w USING (pair_id)
        CROSS JOIN LATERAL (
            SELECT * FROM trades t WHERE t.pair_id = p.pair_id AND t.trade_number > p.opened_to
            ORDER BY t.trade_number LIMIT $1 + 1) AS t
        WHERE w.trade_number > p.opened_to
    ), until AS (
        SELECT COALESCE((SELECT as_of FROM fresh ORDER BY as_of LIMIT 1 OFFSET $1), 'infinity') AS moment
    ), opened AS (
        INSERT INTO trade_settlements (trade_id, pair_id, trade_number, buyer_id, seller_id, executed_at)
        SELECT trade_id, pair_id, trade_number, buyer_id, seller_id, executed_at FROM fresh, until
        WHERE as_of <= moment ORDER BY as_of, pair_id, trade_number
        RETURNING pair_id, trade_number
    ), moved AS (
        UPDATE settlement_pairs p SET opened_to = o.last FROM (
            SELECT pair_id, max(trade_number) AS last FROM opened GROUP BY pair_id) AS o
        WHERE p.pair_id = o.pair_id
    )
    SELECT count(*) FROM opened
"""
