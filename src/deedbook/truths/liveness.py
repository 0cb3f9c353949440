"""Truths of liveness: what was begun comes to an end."""

QUERIES = {
    "INV-13 nothing is stuck": """
        SELECT 'pending job ' || job_id FROM jobs
        WHERE status = 'pending' AND created_at < now() - interval '10 minutes'
        UNION ALL
        SELECT 'activating for long: ' || market_id FROM markets
        WHERE status = 'activating' AND updated_at < now() - interval '30 minutes'
        UNION ALL
        SELECT 'activating and nobody is at it: ' || market_id FROM markets m
        WHERE status = 'activating' AND NOT EXISTS (
            SELECT 1 FROM jobs WHERE status = 'pending'
                AND split_part(job_id, '.', 1) = 'deploy-market-token-' || m.market_id || '-' || m.activations)
        UNION ALL
        SELECT 'lane stopped: ' || stopped_reason FROM chain_wallets WHERE stopped_reason IS NOT NULL
        UNION ALL
        SELECT 'transaction not final for long: ' || key FROM chain_transactions
        WHERE status IN ('queued', 'signed', 'sent', 'mined') AND created_at < now() - interval '30 minutes'
        UNION ALL
        SELECT 'mint not booked for long: ' || mint_id FROM mint_requests
        WHERE status IN ('APPROVED', 'SUBMITTED') AND updated_at < now() - interval '30 minutes'
        UNION ALL
        SELECT 'listing for long: ' || symbol FROM tokens
        WHERE status = 'listing' AND NOT EXISTS (
            SELECT 1 FROM jobs WHERE status = 'pending'
                AND split_part(job_id, '.', 1) = 'list-token-' || token_id || '-' || listings)
        UNION ALL
        SELECT 'undelivered by ' || s.sink FROM (VALUES ('fan-out'), ('redis')) AS s (sink)
        LEFT JOIN relay_cursors c USING (sink)
        WHERE EXISTS (SELECT 1 FROM events e WHERE e.occurred_at < now() - interval '60 seconds'
                      AND (e.tx_id, e.position) > (COALESCE(c.tx_id, '0'), COALESCE(c.position, 0)))
        UNION ALL
        SELECT 'undelivered by jobs' FROM (VALUES (1)) AS one LEFT JOIN relay_cursors c ON c.sink = 'jobs'
        WHERE EXISTS (SELECT 1 FROM jobs j WHERE j.created_at < now() - interval '60 seconds'
                      AND j.status = 'pending'
                      AND (j.tx_id, j.position) > (COALESCE(c.tx_id, '0'), COALESCE(c.position, 0)))
    """,
}
