"""Settlement: what became of each trade on the chain, batches, claims, and what trades have moved before the vault."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE trading_pairs ADD COLUMN congested boolean NOT NULL DEFAULT false;

-- How far a pair's trades were taken up: their numbers have no gap and commit in their order.
CREATE TABLE settlement_pairs (
    pair_id uuid PRIMARY KEY REFERENCES trading_pairs,
    opened_to bigint NOT NULL DEFAULT 0 CHECK (opened_to >= 0),
    finished bigint NOT NULL DEFAULT 0 CHECK (finished >= 0 AND finished <= opened_to),
    listed_at timestamptz
);

CREATE TABLE settlement_batches (
    batch_id uuid PRIMARY KEY,
    batch_number bigint GENERATED ALWAYS AS IDENTITY,
    chain_id bigint NOT NULL,
    trades int NOT NULL CHECK (trades > 0),
    gas bigint NOT NULL CHECK (gas > 0),
    data_bytes int NOT NULL CHECK (data_bytes > 0),
    status text NOT NULL DEFAULT 'SUBMITTED' CHECK (status IN ('SUBMITTED', 'UNKNOWN', 'CARRIED', 'REVERTED')),
    tx_hash text,
    block_number bigint,
    gas_used bigint,
    reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((status IN ('CARRIED', 'REVERTED')) = (finished_at IS NOT NULL))
);
CREATE INDEX idx_settlement_batches_open ON settlement_batches (batch_number)
    WHERE status IN ('SUBMITTED', 'UNKNOWN');
CREATE INDEX idx_settlement_batches_finished ON settlement_batches (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE trade_settlements (
    trade_id uuid PRIMARY KEY,
    place bigint GENERATED ALWAYS AS IDENTITY,
    pair_id uuid NOT NULL,
    trade_number bigint NOT NULL,
    buyer_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'PENDING'
        CHECK (status IN ('PENDING', 'SUBMITTED', 'UNKNOWN', 'SETTLED', 'FAILED')),
    reason text,
    refused_at timestamptz,
    not_before timestamptz,
    looks int NOT NULL DEFAULT 0,
    sends int NOT NULL DEFAULT 0,
    batch_limit int CHECK (batch_limit > 0),
    batch_id uuid REFERENCES settlement_batches,
    tx_hash text,
    executed_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    submitted_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pair_id, trade_number),
    CHECK ((status IN ('SUBMITTED', 'UNKNOWN')) <= (batch_id IS NOT NULL)),
    CHECK ((status = 'SETTLED') = (tx_hash IS NOT NULL)),
    CHECK ((status IN ('SETTLED', 'FAILED')) = (finished_at IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX idx_trade_settlements_open ON trade_settlements (status, place)
    WHERE status IN ('PENDING', 'SUBMITTED', 'UNKNOWN');
CREATE INDEX idx_trade_settlements_failed ON trade_settlements (place) WHERE status = 'FAILED';
CREATE INDEX idx_trade_settlements_batch ON trade_settlements (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX idx_trade_settlements_buyer ON trade_settlements (buyer_id, place);
CREATE INDEX idx_trade_settlements_seller ON trade_settlements (seller_id, place);

-- What an account owes because a trade that failed had given it something that it has passed on. Its other side is
-- the suspense account.
CREATE TABLE settlement_claims (
    trade_id uuid NOT NULL REFERENCES trade_settlements,
    account_id uuid NOT NULL REFERENCES ledger_accounts,
    token_id uuid NOT NULL REFERENCES tokens,
    raised numeric(78, 0) NOT NULL CHECK (raised > 0 AND raised <> 'NaN'),
    amount numeric(78, 0) NOT NULL CHECK (amount >= 0 AND amount <= raised AND amount <> 'NaN'),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (trade_id, account_id, token_id)
);
CREATE INDEX idx_settlement_claims_open ON settlement_claims (account_id, token_id) WHERE amount > 0;

CREATE INDEX idx_blockchain_events_trade ON blockchain_events ((args ->> 'reference'))
    WHERE event_name = 'trade_settled';
"""

MOVES = """
-- What the ledger has moved and the vault, as far as it was read, has not: trades that are on their way, and what
-- accounts owe. The vault's balance of an account is its balance in the ledger without these.
CREATE VIEW unsettled_moves AS
    SELECT l.account_id, l.token_id, l.amount, s.trade_id
    FROM trade_settlements s JOIN ledger_lines l ON l.posting_id = s.trade_id
    WHERE s.status IN ('PENDING', 'SUBMITTED', 'UNKNOWN') AND NOT EXISTS (
        SELECT 1 FROM blockchain_events e WHERE e.event_name = 'trade_settled' AND NOT e.orphaned
          AND e.args ->> 'reference' = rpad(replace(s.trade_id::text, '-', ''), 64, '0'))
    UNION ALL
    SELECT l.account_id, l.token_id, l.amount, t.trade_id
    FROM pair_writer w LEFT JOIN settlement_pairs p USING (pair_id)
    JOIN trades t ON t.pair_id = w.pair_id AND t.trade_number > COALESCE(p.opened_to, 0)
    JOIN ledger_lines l ON l.posting_id = t.trade_id
    WHERE w.trade_number > COALESCE(p.opened_to, 0)
    UNION ALL
    SELECT account_id, token_id, amount, trade_id FROM settlement_claims WHERE amount > 0;
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON settlement_pairs, settlement_batches, trade_settlements, settlement_claims
    TO deedbook_app;
GRANT SELECT ON unsettled_moves TO deedbook_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO deedbook_app;
"""


def upgrade() -> None:
    for part in (TABLES, MOVES, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
