"""Truths of compliance: what stands is what was decided, and the chain hears of it."""

QUERIES = {
    "INV-10 what stands is what was decided last": """
        SELECT 'record of ' || r.user_id || ' for ' || r.token_id || ' is ' || r.kyc_status
               || ', its history says ' || COALESCE(l.status, 'nothing')
        FROM compliance_records r LEFT JOIN LATERAL (
            SELECT e.after ->> 'kycStatus' AS status, (e.after ->> 'whitelisted')::boolean AS whitelisted,
                   (e.payload ->> 'recordVersion')::bigint AS version
            FROM events e
            WHERE e.stream_id = r.user_id AND e.payload ->> 'tokenId' = r.token_id::text
                AND e.event_type IN ('compliance.record_changed', 'compliance.expired')
            ORDER BY (e.payload ->> 'recordVersion')::bigint DESC LIMIT 1) l ON true
        WHERE (r.kyc_status, r.whitelisted, r.version) IS DISTINCT FROM (l.status, l.whitelisted, l.version)
        UNION ALL
        SELECT 'account of ' || p.user_id || ' is ' || CASE WHEN p.frozen THEN 'frozen' ELSE 'not frozen' END
               || ', its history says otherwise'
        FROM compliance_profiles p
        WHERE p.frozen <> COALESCE((
            SELECT (e.after ->> 'frozen')::boolean FROM events e
            WHERE e.stream_id = p.user_id
                AND e.event_type IN ('compliance.account_frozen', 'compliance.account_unfrozen')
            ORDER BY e.tx_id DESC, e.position DESC LIMIT 1), false)
        UNION ALL
        SELECT 'account of ' || p.user_id || ' is ' || CASE WHEN p.sanctioned THEN '' ELSE 'not ' END
               || 'sanctioned, its history says otherwise'
        FROM compliance_profiles p
        WHERE p.sanctioned <> COALESCE((
            SELECT (e.after ->> 'sanctioned')::boolean FROM events e
            WHERE e.stream_id = p.user_id AND e.event_type = 'compliance.screened'
            ORDER BY e.tx_id DESC, e.position DESC LIMIT 1), false)
    """,
    "INV-10 nobody decided about themselves": """
        SELECT event_type || ' of ' || stream_id || ' by themselves' FROM events
        WHERE event_type LIKE 'compliance.%' AND actor_id = stream_id
            AND after ->> 'kycStatus' IS DISTINCT FROM 'PENDING'
    """,
    "INV-13 compliance comes to an end": """
        SELECT 'the chain has not heard for long of account ' || account FROM compliance_profiles
        WHERE registered_version < version AND updated_at < now() - interval '15 minutes'
        UNION ALL
        SELECT 'the chain has not heard for long of a pause of ' || token_id FROM compliance_rules
        WHERE pauses_registered < pauses AND updated_at < now() - interval '15 minutes'
        UNION ALL
        SELECT 'approved beyond its end: ' || user_id || ' for ' || token_id FROM compliance_records
        WHERE kyc_status = 'APPROVED' AND expires_at < now() - interval '15 minutes'
        UNION ALL
        SELECT 'check without an answer: ' || application_id FROM kyc_applications a
        WHERE status = 'OPEN' AND NOT EXISTS (
            SELECT 1 FROM jobs WHERE status = 'pending'
                AND split_part(job_id, '.', 1) = 'verify-compliance-' || a.application_id)
        UNION ALL
        SELECT 'pledged for long: ' || operation_id FROM compliance_pledges
        WHERE created_at < now() - interval '1 hour'
    """,
}
