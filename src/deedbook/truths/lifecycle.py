"""Truths of a market's life, of jobs and of our own transactions: once each, along the state graph."""

# What each lifecycle fact makes of a market, in the order of the state graph.
LEADS_TO = """(VALUES
    ('market.registered', 'draft', 'pending_approval'), ('market.approved', 'pending_approval', 'approved'),
    ('market.rejected', 'pending_approval', 'rejected'), ('market.activation_started', 'approved', 'activating'),
    ('market.activated', 'activating', 'active'), ('market.activation_failed', 'activating', 'approved'),
    ('market.paused', 'active', 'paused'), ('market.resumed', 'paused', 'active'),
    ('market.archived', 'active', 'archived'))"""

QUERIES = {
    "INV-6 one contract per market, one market per contract": """
        SELECT 'contract ' || contract_address FROM markets WHERE contract_address IS NOT NULL
        GROUP BY contract_address HAVING count(*) > 1
        UNION ALL
        SELECT 'deployments of market ' || substring(key FROM 14 FOR 36) FROM chain_transactions
        WHERE key LIKE 'deploy-token-%' AND status = 'confirmed'
        GROUP BY substring(key FROM 14 FOR 36) HAVING count(*) > 1
    """,
    "INV-6 one nonce, one transaction, its bytes stored": """
        SELECT wallet || ' nonce ' || nonce FROM chain_transactions WHERE nonce IS NOT NULL
        GROUP BY wallet, nonce HAVING count(*) > 1
        UNION ALL
        SELECT 'nonce that the lane did not give: ' || t.wallet || ' ' || t.nonce
        FROM chain_transactions t JOIN chain_wallets w ON w.address = t.wallet WHERE t.nonce >= w.next_nonce
        UNION ALL
        SELECT 'no stored bytes: ' || t.key FROM chain_transactions t WHERE t.status <> 'queued' AND NOT EXISTS (
            SELECT 1 FROM chain_attempts a WHERE a.transaction_id = t.transaction_id)
    """,
    "INV-6 each job and event has one effect": """
        SELECT 'activated twice: ' || stream_id FROM events WHERE event_type = 'market.activated'
        GROUP BY stream_id HAVING count(*) > 1
        UNION ALL
        SELECT 'decided twice: ' || stream_id FROM events
        WHERE event_type IN ('market.approved', 'market.rejected') GROUP BY stream_id HAVING count(*) > 1
        UNION ALL
        SELECT 'done twice: ' || split_part(job_id, '.', 1) FROM jobs WHERE status = 'done'
        GROUP BY split_part(job_id, '.', 1) HAVING count(*) > 1
    """,
    "INV-8 a market's history is a path of the state graph": f"""
        WITH moves AS (
            SELECT e.stream_id, e.event_type, g.source, g.target, e.position,
                   lag(g.target) OVER (PARTITION BY e.stream_id ORDER BY e.position) AS before
            FROM events e JOIN {LEADS_TO} AS g (event_type, source, target) USING (event_type)
            WHERE e.stream_type = 'market')
        SELECT event_type || ' of ' || stream_id || ' after ' || COALESCE(before, 'nothing') FROM moves
        WHERE source <> COALESCE(before, 'draft')
        UNION ALL
        SELECT 'market ' || m.market_id || ' is ' || m.status || ', its history ends at ' || l.target
        FROM markets m JOIN LATERAL (SELECT target FROM moves WHERE stream_id = m.market_id
                                     ORDER BY position DESC LIMIT 1) l ON true
        WHERE m.status <> l.target
        UNION ALL
        SELECT 'market without history: ' || market_id FROM markets m
        WHERE NOT EXISTS (SELECT 1 FROM moves WHERE stream_id = m.market_id)
        UNION ALL
        SELECT DISTINCT 'history without market: ' || stream_id FROM moves
        WHERE NOT EXISTS (SELECT 1 FROM markets WHERE market_id = stream_id)
    """,
    "INV-8 a live market has its token, and its pair": """
        SELECT 'market ' || m.market_id || ' without its token' FROM markets m LEFT JOIN tokens t USING (market_id)
        WHERE m.activated_at IS NOT NULL AND (m.contract_address, m.token_symbol, m.decimals)
              IS DISTINCT FROM (t.contract_address, t.symbol, t.decimals)
        UNION ALL
        SELECT 'token without live market: ' || t.symbol FROM tokens t LEFT JOIN markets m USING (market_id)
        WHERE t.token_type = 'RWA' AND m.activated_at IS NULL
        UNION ALL
        SELECT 'market ' || m.market_id || ' is ' || m.status || ', its pair ' || COALESCE(p.status, 'missing')
        FROM markets m LEFT JOIN trading_pairs p USING (market_id)
        WHERE m.activated_at IS NOT NULL AND m.updated_at < now() - interval '60 seconds'
              AND (m.status, p.status) NOT IN (('active', 'active'), ('paused', 'paused'), ('archived', 'closed'))
                  IS NOT FALSE
    """,
}
