"""Truths of what enters, leaves and moves in the vault: once each, along the state graph, by parties who may."""

from collections.abc import Collection, Mapping
from typing import Any

from deedbook.custody.model import TRANSFER_MOVES, WITHDRAWAL_MOVES

_FIRST = {
    "withdrawal": ("PENDING_APPROVAL", "APPROVED"),
    "transfer": ("PENDING",),
    "deposit": ("REQUESTED", "CREDITED"),
}
_DEPOSIT_MOVES = {
    "REQUESTED": ("SUBMITTED", "CREDITED", "FAILED", "EXPIRED"),
    "SUBMITTED": ("CREDITED", "FAILED"),
    # What was signed may arrive after we have given it up.
    "FAILED": ("CREDITED",),
    "EXPIRED": ("CREDITED",),
}


def _steps(name: str, moves: Mapping[str, Collection[str]]) -> list[str]:
    steps = [f"('{name}', '', '{to}')" for to in _FIRST[name]]
    return steps + [f"('{name}', '{of}', '{to}')" for of, targets in moves.items() for to in targets]


def _names(moves: Mapping[Any, Collection[Any]]) -> dict[str, list[str]]:
    return {of.value: sorted(to.value for to in targets) for of, targets in moves.items()}


GRAPH = (
    "(VALUES "
    + ", ".join(
        _steps("withdrawal", _names(WITHDRAWAL_MOVES))
        + _steps("transfer", _names(TRANSFER_MOVES))
        + _steps("deposit", _DEPOSIT_MOVES)
    )
    + ") AS g (kind, source, target)"
)
_THINGS = """(
    SELECT 'withdrawal' AS kind, withdrawal_id AS id, status FROM withdrawal_requests
    UNION ALL SELECT 'transfer', transfer_id, status FROM transfers
    UNION ALL SELECT 'deposit', deposit_id, status FROM deposits) AS t"""
_MOVES = """
    SELECT stream_type AS kind, stream_id AS id, COALESCE(before ->> 'status', '') AS source,
           after ->> 'status' AS target, position, event_type,
           COALESCE(lag(after ->> 'status') OVER (PARTITION BY stream_id ORDER BY position), '') AS was
    FROM events WHERE stream_type IN ('withdrawal', 'transfer', 'deposit') AND after ? 'status'
"""
_LINE_OF = """(VALUES ('deposited', 'deposit'), ('withdrawn', 'withdrawal'), ('mint_credited', 'mint'),
    ('burn_debited', 'burn'), ('transferred', 'transfer'), ('forced_move', 'forced_transfer'),
    ('balance_recovered', 'recovery')) AS k (event_name, line)"""

QUERIES = {
    "INV-6 each event of the vault has one posting, each operation one end": f"""
        SELECT t.symbol || ': ' || e.events || ' events ' || event_name || ', ' || COALESCE(l.postings, 0)
               || ' postings'
        FROM (
            SELECT args ->> 'token' AS token, event_name, count(*) AS events FROM blockchain_events
            WHERE processed AND args ->> 'amount' <> '0' AND (event_name IN ('deposited', 'withdrawn', 'mint_credited',
                'burn_debited') OR args ->> 'account' IS DISTINCT FROM args ->> 'counterparty')
            GROUP BY 1, 2) AS e
        JOIN {_LINE_OF} USING (event_name) JOIN tokens t ON t.contract_address = e.token
        LEFT JOIN (SELECT token_id, kind AS line, count(DISTINCT posting_id) AS postings FROM ledger_lines
                   WHERE kind NOT IN ('trade', 'fee_sweep', 'compensation') GROUP BY 1, 2) AS l USING (token_id, line)
        WHERE e.events > COALESCE(l.postings, 0)
        UNION ALL
        SELECT event_type || ' twice: ' || stream_id FROM events
        WHERE event_type IN ('withdrawal.completed', 'transfer.completed', 'deposit.credited')
        GROUP BY event_type, stream_id HAVING count(*) > 1
        UNION ALL
        SELECT o.kind || ' ' || o.id || ' is COMPLETED, the vault has told so ' || count(e.tx_hash) || ' times'
        FROM (SELECT 'withdrawal' AS kind, 'withdrawn' AS event_name, withdrawal_id AS id FROM withdrawal_requests
              WHERE status = 'COMPLETED'
              UNION ALL SELECT 'transfer', 'transferred', transfer_id FROM transfers WHERE status = 'COMPLETED') AS o
        LEFT JOIN blockchain_events e ON e.processed AND e.event_name = o.event_name
             AND e.args ->> 'reference' = rpad(replace(o.id::text, '-', ''), 64, '0')
        GROUP BY o.kind, o.id HAVING count(e.tx_hash) <> 1
    """,
    "INV-8 withdrawals, transfers and deposits are paths of their graphs": f"""
        WITH moves AS MATERIALIZED ({_MOVES})
        SELECT event_type || ' of ' || id || ' goes from ' || source || ' to ' || target FROM moves m
        WHERE source <> target
          AND NOT EXISTS (SELECT 1 FROM {GRAPH} WHERE (g.kind, g.source, g.target) = (m.kind, m.source, m.target))
        UNION ALL
        SELECT event_type || ' of ' || id || ' begins at ' || source || ', before it was ' || was FROM moves
        WHERE source <> was
        UNION ALL
        SELECT t.kind || ' ' || t.id || ' is ' || t.status || ', its history ends at ' || COALESCE(l.target, 'nothing')
        FROM {_THINGS}
        LEFT JOIN (SELECT DISTINCT ON (kind, id) kind, id, target FROM moves ORDER BY kind, id, position DESC) AS l
            USING (kind, id)
        WHERE t.status IS DISTINCT FROM l.target
    """,
    "INV-8 every withdrawal that left was approved": """
        SELECT 'withdrawal ' || w.withdrawal_id || ' is ' || w.status || ' with ' || a.given || ' approvals of '
               || w.approvals_needed
        FROM withdrawal_requests w CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE decision = 'approved' AND approver <> w.user_id::text) AS given
            FROM withdrawal_approvals WHERE withdrawal_id = w.withdrawal_id) AS a
        WHERE w.status IN ('APPROVED', 'PROCESSING', 'SUBMITTED', 'UNKNOWN', 'COMPLETED')
          AND a.given < greatest(w.approvals_needed, 1)
    """,
    "INV-10 nobody moved anything while frozen": """
        SELECT e.event_type || ' ' || e.stream_id || ' of ' || p.party || ', frozen since ' || f.occurred_at
        FROM events e
        CROSS JOIN LATERAL (VALUES (e.payload ->> 'userId'), (e.payload ->> 'toUserId')) AS p (party)
        CROSS JOIN LATERAL (
            SELECT event_type, occurred_at FROM events
            WHERE stream_type = 'compliance' AND stream_id = p.party::uuid AND position < e.position
              AND event_type IN ('compliance.account_frozen', 'compliance.account_unfrozen')
              AND occurred_at < e.occurred_at - interval '60 seconds'
            ORDER BY position DESC LIMIT 1) AS f
        WHERE e.event_type IN ('transfer.requested', 'withdrawal.requested', 'withdrawal.processing')
          AND p.party IS NOT NULL AND f.event_type = 'compliance.account_frozen'
    """,
    "INV-13 nothing that the chain decides is forgotten": """
        SELECT 'withdrawal ' || withdrawal_id || ' is ' || status || ' for long' FROM withdrawal_requests
        WHERE status IN ('APPROVED', 'PROCESSING', 'SUBMITTED', 'UNKNOWN')
          AND greatest(updated_at, usable_from) < now() - interval '10 minutes'
        UNION ALL
        SELECT 'transfer ' || transfer_id || ' is ' || status || ' for long' FROM transfers
        WHERE status NOT IN ('COMPLETED', 'FAILED') AND updated_at < now() - interval '10 minutes'
        UNION ALL
        SELECT 'event ' || tx_hash || ' ' || ordinal || ' waits: ' || COALESCE(processing_error, 'not deep enough')
        FROM blockchain_events WHERE NOT processed AND NOT orphaned AND seen_at < now() - interval '5 minutes'
        UNION ALL
        SELECT 'the chain does not know what was decided of ' || user_id FROM compliance_profiles
        WHERE registered_version < version AND updated_at < now() - interval '5 minutes'
        UNION ALL
        SELECT 'watcher stopped: ' || stopped_reason FROM chain_cursors WHERE stopped_reason IS NOT NULL
    """,
}
