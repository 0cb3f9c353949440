"""Truths of market data: what is told of the market is what was traded, as far as it is folded."""

QUERIES: dict[str, str] = {
    "INV-4 candles are what was traded": """
        WITH folded AS (
            SELECT t.pair_id, count(*) AS trades, sum(t.size_lots) AS lots, sum(t.quote_amount) AS quote,
                   min(t.price_ticks) AS low, max(t.price_ticks) AS high
            FROM trades t JOIN candle_cursors c USING (pair_id)
            WHERE t.trade_number <= c.trade_number AND t.settlement_status <> 'FAILED' GROUP BY t.pair_id
        ), told AS (
            SELECT i.name, p.pair_id, sum(p.trades) AS trades, sum(p.volume_lots) AS lots,
                   sum(p.quote_volume) AS quote, min(p.low_ticks) AS low, max(p.high_ticks) AS high
            FROM (VALUES ('1m'), ('5m'), ('15m'), ('1h'), ('4h'), ('1d')) AS i (name)
            JOIN price_candles p ON p.interval = i.name GROUP BY i.name, p.pair_id
        ), each AS (SELECT c.pair_id, i.name FROM candle_cursors c
            CROSS JOIN (VALUES ('1m'), ('5m'), ('15m'), ('1h'), ('4h'), ('1d')) AS i (name)
            WHERE NOT EXISTS (SELECT 1 FROM candle_repairs r
                              WHERE r.pair_id = c.pair_id AND r.trade_number <= c.trade_number))
        SELECT 'candles of ' || e.name || ' of pair ' || e.pair_id || ' tell ' || COALESCE(t.trades, 0) || ' trades of '
               || COALESCE(t.lots, 0) || ' lots, there were ' || COALESCE(f.trades, 0) || ' of ' || COALESCE(f.lots, 0)
        FROM each e LEFT JOIN told t USING (pair_id, name) LEFT JOIN folded f USING (pair_id)
        WHERE (t.trades, t.lots, t.quote, t.low, t.high) IS DISTINCT FROM (f.trades, f.lots, f.quote, f.low, f.high)
    """,
}
