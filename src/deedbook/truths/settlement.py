"""Truths of settlement: each trade settles once or fails once, what failed was given back, and what is shown is so."""

from deedbook.settlement.terms import MOVES

_GRAPH = (
    "(VALUES "
    + ", ".join(
        f"('{source.value}', '{target.value}')" for source, targets in MOVES.items() for target in targets
    )
    + ") AS g (source, target)"
)
_REFERENCE = "rpad(replace(s.trade_id::text, '-', ''), 64, '0')"

QUERIES = {
    "INV-6 each trade is settled by one event of the vault, or by none": f"""
        SELECT 'trade ' || s.trade_id || ' is ' || s.status || ', the vault has told of it ' || count(e.tx_hash)
               || ' times'
        FROM trade_settlements s LEFT JOIN blockchain_events e ON e.event_name = 'trade_settled' AND e.processed
             AND NOT e.orphaned AND e.args ->> 'reference' = {_REFERENCE}
        GROUP BY s.trade_id, s.status
        HAVING count(e.tx_hash) > 1 OR CASE s.status WHEN 'SETTLED' THEN count(e.tx_hash) <> 1
                                                     WHEN 'FAILED' THEN count(e.tx_hash) <> 0 ELSE false END
        UNION ALL
        SELECT event_type || ' twice: ' || stream_id FROM events
        WHERE event_type IN ('settlement.settled', 'settlement.failed') GROUP BY event_type, stream_id
        HAVING count(*) > 1
    """,
    "INV-6 a trade's settlement is what its trade shows, and is counted": """
        SELECT 'trade ' || t.trade_id || ' shows ' || t.settlement_status || ', and is ' || s.status
        FROM trades t JOIN trade_settlements s USING (trade_id)
        WHERE (t.settlement_status, t.tx_hash) IS DISTINCT FROM (s.status, s.tx_hash)
        UNION ALL
        SELECT 'pair ' || p.pair_id || ' has taken up ' || p.opened_to || ' and finished ' || p.finished || ', rows '
               || count(s.trade_id) || ' and ' || count(s.finished_at)
        FROM settlement_pairs p LEFT JOIN trade_settlements s USING (pair_id) GROUP BY p.pair_id
        HAVING p.opened_to <> count(s.trade_id) OR p.finished <> count(s.finished_at)
            OR p.opened_to <> COALESCE(max(s.trade_number), 0)
    """,
    "INV-6 what is on its way is in a transaction that was asked for": """
        SELECT 'batch ' || b.batch_id || ' is ' || b.status || ' without its transaction' FROM settlement_batches b
        WHERE NOT EXISTS (SELECT 1 FROM chain_transactions c WHERE c.key = 'settle-' || b.batch_id)
        UNION ALL
        SELECT 'trade ' || s.trade_id || ' is ' || s.status || ' in a batch that was undone'
        FROM trade_settlements s JOIN settlement_batches b USING (batch_id)
        WHERE s.status IN ('SUBMITTED', 'UNKNOWN') AND b.status = 'REVERTED'
    """,
    "INV-1 what a failed trade took was given back, or is owed": """
        SELECT 'trade ' || s.trade_id || ' has moved ' || sum(l.amount) || ' of ' || l.token_id || ' of '
               || l.account_id || ' for good'
        FROM trade_settlements s JOIN ledger_lines l ON l.posting_id = s.trade_id
        WHERE s.status = 'FAILED' AND NOT EXISTS (
            SELECT 1 FROM events e WHERE e.event_type = 'settlement.failed' AND e.stream_id = s.trade_id)
        GROUP BY s.trade_id, l.token_id, l.account_id
        UNION ALL
        SELECT 'suspense has ' || COALESCE(l.held, 0) || ' of ' || token_id || ' for claims of '
               || COALESCE(c.owed, 0)
        FROM (SELECT token_id, sum(amount) AS held FROM ledger_lines l JOIN ledger_accounts a USING (account_id)
              WHERE a.kind = 'suspense' AND l.kind = 'compensation' GROUP BY token_id) AS l
        FULL JOIN (SELECT token_id, sum(amount) AS owed FROM settlement_claims GROUP BY token_id) AS c USING (token_id)
        WHERE COALESCE(l.held, 0) + COALESCE(c.owed, 0) <> 0
    """,
    "INV-8 settlements are paths of their graph": f"""
        WITH moves AS MATERIALIZED (
            SELECT stream_id, before ->> 'status' AS source, after ->> 'status' AS target FROM events
            WHERE event_type IN ('settlement.settled', 'settlement.failed', 'settlement.not_settled'))
        SELECT 'trade ' || stream_id || ' goes from ' || source || ' to ' || target FROM moves m
        WHERE NOT EXISTS (SELECT 1 FROM {_GRAPH} WHERE (g.source, g.target) = (m.source, m.target))
        UNION ALL
        SELECT 'trade ' || s.trade_id || ' is ' || s.status || ', and nothing says so' FROM trade_settlements s
        WHERE s.status IN ('SETTLED', 'FAILED') AND NOT EXISTS (
            SELECT 1 FROM moves m WHERE m.stream_id = s.trade_id AND m.target = s.status)
    """,
    "INV-13 no settlement is forgotten": """
        SELECT 'trade ' || trade_id || ' is ' || status || ' for long: ' || COALESCE(reason, 'no reason')
        FROM trade_settlements s JOIN settlement_pairs p USING (pair_id)
        WHERE status IN ('SUBMITTED', 'UNKNOWN') AND updated_at < now() - interval '10 minutes'
           OR status = 'PENDING' AND listed_at IS NOT NULL AND updated_at < now() - interval '30 minutes'
        UNION ALL
        SELECT 'claim of ' || amount || ' of ' || token_id || ' on ' || account_id FROM settlement_claims
        WHERE amount > 0 AND created_at < now() - interval '7 days'
    """,
}
