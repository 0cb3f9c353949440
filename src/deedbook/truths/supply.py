"""Truths of supply: what there is of a token was issued or minted once, by two people, below its cap."""

QUERIES = {
    "INV-6 supply is what was issued, minted and burnt": """
        SELECT t.symbol || ' has ' || t.total_supply || ', its history says ' || h.told
        FROM tokens t JOIN markets m USING (market_id) CROSS JOIN LATERAL (
            SELECT m.total_supply
                 + (SELECT COALESCE(sum(r.amount), 0) FROM mint_requests r
                    WHERE r.token_id = t.token_id AND r.status = 'COMPLETED')
                 + (SELECT COALESCE(sum((e.payload ->> 'change')::numeric), 0) FROM events e
                    WHERE e.stream_id = t.token_id AND e.event_type = 'token.supply_changed')
                   * power(10::numeric, t.decimals) AS told) AS h
        WHERE t.total_supply <> h.told
    """,
    "INV-6 each mint has one effect": """
        SELECT 'told twice: mint ' || (payload ->> 'mintId') FROM events WHERE event_type = 'token.minted'
        GROUP BY payload ->> 'mintId' HAVING count(*) > 1
        UNION ALL
        SELECT 'mint ' || r.mint_id || ' is ' || r.status || ', its history says otherwise' FROM mint_requests r
        WHERE (r.status = 'COMPLETED') <> EXISTS (
            SELECT 1 FROM events e WHERE e.stream_id = r.token_id AND e.event_type = 'token.minted'
                AND e.payload ->> 'mintId' = r.mint_id::text)
        UNION ALL
        SELECT 'mint ' || r.mint_id || ' is ' || r.status || ' and the chain was never asked' FROM mint_requests r
        WHERE r.status = 'SUBMITTED'
            AND NOT EXISTS (SELECT 1 FROM chain_transactions c WHERE c.key = 'mint-' || r.mint_id)
    """,
    "INV-6 no mint without a second person or the policy": """
        SELECT 'mint ' || r.mint_id || ' is ' || r.status FROM mint_requests r
        WHERE r.status IN ('APPROVED', 'SUBMITTED', 'COMPLETED') AND NOT EXISTS (
            SELECT 1 FROM events e WHERE e.stream_id = r.token_id AND e.event_type = 'token.mint_approved'
                AND e.payload ->> 'mintId' = r.mint_id::text
                AND (e.payload ->> 'approvedBy') IS NOT DISTINCT FROM r.decided_by::text
                AND (e.payload ->> 'approvedBy') IS DISTINCT FROM r.requested_by::text
                AND (e.payload ->> 'approvedBy') IS DISTINCT FROM r.user_id::text)
    """,
    "INV-6 no more is asked for than the cap leaves": """
        SELECT t.symbol || ': ' || t.total_supply || ' and ' || o.open || ' asked for, of at most ' || t.supply_cap
        FROM tokens t CROSS JOIN LATERAL (
            SELECT COALESCE(sum(r.amount), 0) AS open FROM mint_requests r
            WHERE r.token_id = t.token_id AND r.status IN ('PENDING_APPROVAL', 'APPROVED', 'SUBMITTED')) AS o
        WHERE t.total_supply + o.open > t.supply_cap
    """,
}
