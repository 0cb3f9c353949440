"""Truths of orders and trades: nothing filled beyond its size or worse than its limit, nothing crossed, each
number once."""

QUERIES: dict[str, str] = {
    "INV-4 an order is filled as its trades say, never beyond its size or its limit": """
        WITH fills AS (
            SELECT order_id, sum(size_lots) AS lots, sum(quote_amount) AS quote, sum(fee) AS fee,
                   max(price_ticks) AS highest, min(price_ticks) AS lowest
            FROM (SELECT buy_order_id AS order_id, size_lots, quote_amount, buyer_fee AS fee, price_ticks FROM trades
                  UNION ALL
                  SELECT sell_order_id, size_lots, quote_amount, seller_fee, price_ticks FROM trades) AS sides
            GROUP BY order_id)
        SELECT 'order ' || o.order_id || ' says filled ' || o.filled_lots || ', its trades ' || COALESCE(f.lots, 0)
        FROM orders o LEFT JOIN fills f USING (order_id)
        WHERE (o.filled_lots, o.filled_quote, o.fee_charged)
              IS DISTINCT FROM (COALESCE(f.lots, 0), COALESCE(f.quote, 0), COALESCE(f.fee, 0))
        UNION ALL
        SELECT 'order ' || o.order_id || ' traded beyond its limit' FROM orders o JOIN fills f USING (order_id)
        WHERE CASE o.side WHEN 'BUY' THEN f.highest > o.price_ticks ELSE f.lowest < o.price_ticks END
        UNION ALL
        SELECT 'trade without its order: ' || t.trade_id FROM trades t
        WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.order_id = t.buy_order_id AND o.side = 'BUY')
           OR NOT EXISTS (SELECT 1 FROM orders o WHERE o.order_id = t.sell_order_id AND o.side = 'SELL')
    """,
    "INV-4 an order's status is what became of it": """
        SELECT 'order ' || order_id || ' is ' || status || ' with ' || filled_lots || ' filled, ' || remaining_lots
               || ' left of ' || quantity_lots || ' and ' || held || ' held'
        FROM orders WHERE NOT CASE status
            WHEN 'PENDING_MATCH' THEN remaining_lots = quantity_lots AND match_seq IS NULL AND held > 0
            WHEN 'OPEN' THEN filled_lots = 0 AND remaining_lots > 0 AND match_seq IS NOT NULL AND held > 0
            WHEN 'PARTIAL' THEN filled_lots > 0 AND remaining_lots > 0 AND match_seq IS NOT NULL AND held > 0
            WHEN 'FILLED' THEN filled_lots > 0 AND remaining_lots = 0 AND held = 0
            ELSE remaining_lots = 0 AND held = 0 AND reason IS NOT NULL END
    """,
    "INV-4 a swap receives what was signed for at most what it gave, or nothing moves": """
        WITH told AS (
            SELECT o.order_id, o.status, o.filled_lots, o.max_fee_bps, o.fee_charged AS fee, w.amount_in,
                   w.min_amount_out, w.first_trade, o.side = 'BUY' AS buys,
                   o.side = 'BUY' AND p.fee_mode = 'received' AS fee_in_base,
                   o.filled_lots * p.lot_size * (10 ^ b.decimals::numeric) AS base, o.filled_quote AS quote
            FROM swaps w JOIN orders o ON o.order_id = w.swap_id JOIN trading_pairs p USING (pair_id)
            JOIN tokens b ON b.token_id = p.base_token_id
        ), moved AS (
            SELECT t.*, CASE WHEN fee_in_base THEN base ELSE quote END AS before_fee,
                   CASE WHEN NOT buys THEN base WHEN fee_in_base THEN quote ELSE quote + fee END AS gave,
                   CASE WHEN NOT buys THEN quote - fee WHEN fee_in_base THEN base - fee ELSE base END AS got
            FROM told t)
        SELECT 'swap ' || order_id || ' is ' || status || ': gave ' || gave || ' of ' || amount_in || ', got ' || got
               || ' of ' || min_amount_out || ', fee ' || fee
        FROM moved WHERE NOT CASE
            WHEN status = 'FILLED' THEN gave <= amount_in AND got >= min_amount_out AND first_trade IS NOT NULL
                 AND fee <= div(before_fee * max_fee_bps + 9999, 10000)
            ELSE status IN ('PENDING_MATCH', 'CANCELLED', 'REJECTED') AND filled_lots = 0 AND first_trade IS NULL END
        UNION ALL
        SELECT 'order ' || order_id || ' is no swap and says so, or the other way' FROM orders o
        LEFT JOIN swaps w ON w.swap_id = o.order_id WHERE (o.order_type = 'SWAP') <> (w.swap_id IS NOT NULL)
        UNION ALL
        SELECT 'swap ' || w.swap_id || ' has a trade that is not among its own: ' || t.trade_id
        FROM swaps w JOIN (SELECT buy_order_id AS swap_id, trade_id, trade_number FROM trades
                           UNION ALL SELECT sell_order_id, trade_id, trade_number FROM trades) AS t USING (swap_id)
        WHERE (t.trade_number BETWEEN w.first_trade AND w.last_trade) IS NOT TRUE
    """,
    "INV-5 a book that has no more to do is not crossed": """
        SELECT 'pair ' || b.pair_id || ' has a bid at ' || b.best || ' and an ask at ' || a.best
        FROM (SELECT pair_id, max(price_ticks) AS best FROM orders
              WHERE status IN ('OPEN', 'PARTIAL') AND triggered AND side = 'BUY' GROUP BY pair_id) AS b
        JOIN (SELECT pair_id, min(price_ticks) AS best FROM orders
              WHERE status IN ('OPEN', 'PARTIAL') AND triggered AND side = 'SELL' GROUP BY pair_id) AS a USING (pair_id)
        WHERE b.best >= a.best
    """,
    "INV-7 a pair's sequences have no gap": """
        SELECT 'trades of pair ' || t.pair_id || ': ' || count(*) || ' up to ' || max(t.trade_number)
        FROM trades t JOIN pair_writer w USING (pair_id) GROUP BY t.pair_id, w.trade_number
        HAVING count(*) <> max(t.trade_number) OR max(t.trade_number) <> w.trade_number
        UNION ALL
        SELECT 'facts of pair ' || pair_id || ' after ' || before FROM (
            SELECT pair_id, first_seq, lag(last_seq, 1, 0::bigint)
                   OVER (PARTITION BY pair_id ORDER BY last_seq) AS before
            FROM trading_facts WHERE last_seq IS NOT NULL) AS batches
        WHERE first_seq <> before + 1
    """,
    "INV-1 a trade's money is its price times its size": """
        SELECT 'trade ' || t.trade_id FROM trades t JOIN trading_pairs p USING (pair_id)
        JOIN tokens b ON b.token_id = p.base_token_id JOIN tokens q ON q.token_id = p.quote_token_id
        WHERE t.base_amount <> t.size_lots * p.lot_size * (10 ^ b.decimals::numeric)
           OR t.quote_amount <>
              t.price_ticks::numeric * t.size_lots * p.tick_size * p.lot_size * (10 ^ q.decimals::numeric)
    """,
    "INV-13 an order that is to be matched stands in line, once": """
        SELECT 'order ' || order_id || ' stands in line ' || COALESCE(w.times, 0) || ' times'
        FROM (SELECT order_id FROM orders WHERE status = 'PENDING_MATCH') AS o
        FULL JOIN (SELECT order_id, count(*) AS times FROM waiting_orders, unnest(order_ids) AS order_id GROUP BY 1)
            AS w USING (order_id)
        WHERE o.order_id IS NULL OR w.times IS DISTINCT FROM 1
    """,
    "INV-13 no order waits for its matcher": """
        SELECT 'pending order ' || order_id FROM orders
        WHERE status = 'PENDING_MATCH' AND created_at < now() - interval '60 seconds'
        UNION ALL
        SELECT 'pending command ' || command_number FROM order_commands
        WHERE match_seq IS NULL AND created_at < now() - interval '60 seconds'
    """,
}
