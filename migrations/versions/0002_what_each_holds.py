"""What each one holds: ledger, compliance, custody, the chain's events, sealed audit rows, the application's role."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LEDGER = """
CREATE TABLE ledger_accounts (
    account_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('user', 'fee', 'treasury', 'chain', 'suspense')),
    vault_address text CHECK (vault_address ~ '^0x[0-9a-f]{40}$'),
    pair_id uuid UNIQUE REFERENCES trading_pairs,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'fee') = (pair_id IS NOT NULL))
);
INSERT INTO ledger_accounts (account_id, kind) VALUES
    ('00000000-0000-7000-8000-000000000001', 'chain'),
    ('00000000-0000-7000-8000-000000000002', 'suspense'),
    ('00000000-0000-7000-8000-000000000003', 'treasury');

CREATE TABLE user_balances (
    user_id uuid NOT NULL REFERENCES ledger_accounts,
    token_id uuid NOT NULL REFERENCES tokens,
    available numeric(78, 0) NOT NULL DEFAULT 0 CHECK (available >= 0 AND available <> 'NaN'),
    locked numeric(78, 0) NOT NULL DEFAULT 0 CHECK (locked >= 0 AND locked <> 'NaN'),
    PRIMARY KEY (user_id, token_id)
) WITH (fillfactor = 50);
CREATE INDEX idx_user_balances_user ON user_balances (user_id);
CREATE INDEX idx_user_balances_token ON user_balances (token_id, user_id);

CREATE TABLE ledger_lines (
    line_id bigint GENERATED ALWAYS AS IDENTITY,
    posting_id uuid NOT NULL,
    number int NOT NULL CHECK (number > 0),
    kind text NOT NULL,
    account_id uuid NOT NULL,
    token_id uuid NOT NULL,
    amount numeric(78, 0) NOT NULL CHECK (amount <> 0 AND amount <> 'NaN'),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (posting_id, number) -- every posting has a line 1, so that none is made twice, whatever it says
);
CREATE INDEX idx_ledger_lines_account ON ledger_lines (account_id, token_id, line_id);

CREATE TABLE ledger_checkpoints (
    account_id uuid NOT NULL,
    token_id uuid NOT NULL,
    line_id bigint NOT NULL,
    balance numeric(78, 0) NOT NULL CHECK (balance <> 'NaN'),
    PRIMARY KEY (account_id, token_id, line_id)
);

CREATE TABLE holds (
    owner_type text NOT NULL CHECK (owner_type IN ('order', 'swap', 'withdrawal', 'transfer')),
    owner_id uuid NOT NULL,
    account_id uuid NOT NULL REFERENCES ledger_accounts DEFERRABLE INITIALLY DEFERRED, -- made by ledger_apply
    token_id uuid NOT NULL REFERENCES tokens,
    amount numeric(78, 0) NOT NULL CHECK (amount > 0 AND amount <> 'NaN'),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_type, owner_id)
);
CREATE INDEX idx_holds_account ON holds (account_id, token_id);

CREATE TRIGGER ledger_lines_append_only BEFORE UPDATE OR DELETE ON ledger_lines
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_lines_never_truncated BEFORE TRUNCATE ON ledger_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_checkpoints_append_only BEFORE UPDATE OR DELETE ON ledger_checkpoints
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_checkpoints_never_truncated BEFORE TRUNCATE ON ledger_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The only way to move money: lines that sum to zero per posting and token, and the balances that they explain,
-- locked in (account, token) order and changed by one conditional statement.
CREATE FUNCTION ledger_apply(
    line_postings uuid[], line_kinds text[], line_accounts uuid[], line_tokens uuid[], line_amounts numeric[],
    accounts uuid[], tokens uuid[], available_deltas numeric[], locked_deltas numeric[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    wanted int := COALESCE(array_length(accounts, 1), 0);
    -- The chain's own account and suspense: they have lines and no balance.
    unbalanced CONSTANT uuid[] := '{00000000-0000-7000-8000-000000000001,00000000-0000-7000-8000-000000000002}';
    changed int;
    short record;
BEGIN
    IF EXISTS (SELECT 1 FROM unnest(line_postings, line_tokens, line_amounts) AS l (posting, token, amount)
               GROUP BY l.posting, l.token HAVING sum(l.amount) <> 0) THEN
        RAISE EXCEPTION 'a posting does not sum to zero' USING ERRCODE = 'DL001';
    END IF;
    IF EXISTS (
        SELECT 1 FROM (
            SELECT l.account, l.token, sum(l.amount) AS told
            FROM unnest(line_accounts, line_tokens, line_amounts) AS l (account, token, amount)
            WHERE l.account <> ALL (unbalanced)
            GROUP BY l.account, l.token
        ) AS lines FULL JOIN (
            SELECT d.account, d.token, sum(d.av + d.lo) AS moved
            FROM unnest(accounts, tokens, available_deltas, locked_deltas) AS d (account, token, av, lo)
            GROUP BY d.account, d.token
        ) AS deltas USING (account, token)
        WHERE COALESCE(told, 0) <> COALESCE(moved, 0)
    ) THEN
        RAISE EXCEPTION 'the lines do not explain the balances' USING ERRCODE = 'DL001';
    END IF;

    IF (SELECT count(*) FROM user_balances b JOIN unnest(accounts, tokens) AS d (account, token)
        ON (b.user_id, b.token_id) = (d.account, d.token)) < wanted THEN
        INSERT INTO ledger_accounts (account_id, kind, vault_address)
            SELECT u.user_id, 'user', u.account FROM users u WHERE u.user_id = ANY (accounts)
            ORDER BY u.user_id ON CONFLICT DO NOTHING;
        INSERT INTO user_balances (user_id, token_id)
            SELECT DISTINCT d.account, d.token FROM unnest(accounts, tokens) AS d (account, token)
            ORDER BY 1, 2 ON CONFLICT DO NOTHING;
    END IF;

    WITH locked_rows AS MATERIALIZED (
        SELECT b.user_id, b.token_id, d.av, d.lo
        FROM user_balances b JOIN unnest(accounts, tokens, available_deltas, locked_deltas)
            AS d (account, token, av, lo) ON (b.user_id, b.token_id) = (d.account, d.token)
        ORDER BY b.user_id, b.token_id FOR NO KEY UPDATE OF b
    )
    UPDATE user_balances b SET available = b.available + r.av, locked = b.locked + r.lo
    FROM locked_rows r
    WHERE (b.user_id, b.token_id) = (r.user_id, r.token_id) AND b.available + r.av >= 0 AND b.locked + r.lo >= 0;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> wanted THEN
        SELECT d.account, d.token, b.available, b.locked, d.av, d.lo INTO short
        FROM unnest(accounts, tokens, available_deltas, locked_deltas) AS d (account, token, av, lo)
        JOIN user_balances b ON (b.user_id, b.token_id) = (d.account, d.token)
        WHERE b.available + d.av < 0 OR b.locked + d.lo < 0 ORDER BY 1, 2 LIMIT 1;
        RAISE EXCEPTION 'insufficient balance' USING ERRCODE = 'DL002',
            DETAIL = format('%s %s %s %s', short.account, short.token, short.available, short.locked);
    END IF;

    IF COALESCE(array_length(line_postings, 1), 0) > 0 THEN
        INSERT INTO ledger_lines (posting_id, number, kind, account_id, token_id, amount)
        SELECT l.posting, row_number() OVER (PARTITION BY l.posting ORDER BY l.place), l.kind, l.account, l.token,
               l.amount
        FROM unnest(line_postings, line_kinds, line_accounts, line_tokens, line_amounts)
            WITH ORDINALITY AS l (posting, kind, account, token, amount, place) ORDER BY l.place;
    END IF;
END $$;
"""

IDENTITY = """
-- Lengths apart from patterns: a counted repetition costs ten times as much, and this is written thousands of times a
-- second.
CREATE TABLE signed_actions (
    account text NOT NULL CHECK (length(account) = 42 AND account ~ '^0x[0-9a-f]+$'),
    nonce text NOT NULL CHECK (length(nonce) <= 64 AND nonce ~ '^[A-Za-z0-9_-]+$'),
    action text NOT NULL,
    action_id uuid NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32), -- of account and nonce, among others: unique with them
    signature bytea NOT NULL,
    signed_text json NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, nonce)
);
"""

COMPLIANCE = """
CREATE TABLE compliance_profiles (
    user_id uuid PRIMARY KEY REFERENCES users,
    account text NOT NULL UNIQUE CHECK (account ~ '^0x[0-9a-f]{40}$'),
    frozen boolean NOT NULL DEFAULT false,
    frozen_reason text,
    sanctioned boolean NOT NULL DEFAULT false,
    screened_at timestamptz,
    version bigint NOT NULL DEFAULT 1,
    told_version bigint NOT NULL DEFAULT 0,
    told_key text,
    told_frozen boolean DEFAULT false,
    told_identity boolean NOT NULL DEFAULT false,
    registered_version bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (registered_version <= told_version AND told_version <= version)
);
CREATE INDEX idx_compliance_profiles_unregistered ON compliance_profiles (updated_at)
    WHERE registered_version < version;

CREATE TABLE compliance_records (
    user_id uuid NOT NULL REFERENCES users,
    token_id uuid NOT NULL REFERENCES tokens,
    kyc_status text NOT NULL CHECK (kyc_status IN ('PENDING', 'APPROVED', 'REJECTED', 'EXPIRED')),
    kyc_level int NOT NULL DEFAULT 0 CHECK (kyc_level BETWEEN 0 AND 9),
    whitelisted boolean NOT NULL DEFAULT false,
    accreditation text NOT NULL DEFAULT 'none' CHECK (accreditation IN ('none', 'accredited', 'institutional')),
    accreditation_expires_at timestamptz,
    jurisdiction text CHECK (jurisdiction ~ '^[A-Z]{2}$'),
    expires_at timestamptz,
    provider text NOT NULL DEFAULT '',
    provider_reference text NOT NULL DEFAULT '',
    updated_by uuid,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, token_id)
);
CREATE INDEX idx_compliance_records_token ON compliance_records (token_id, user_id);
CREATE INDEX idx_compliance_records_expiry ON compliance_records (expires_at) WHERE kyc_status = 'APPROVED';

CREATE TABLE compliance_rules (
    token_id uuid PRIMARY KEY REFERENCES tokens,
    min_kyc_level int NOT NULL DEFAULT 0 CHECK (min_kyc_level BETWEEN 0 AND 9),
    accreditation_required boolean NOT NULL DEFAULT false,
    allowed_jurisdictions text[] NOT NULL DEFAULT '{}',
    blocked_jurisdictions text[] NOT NULL DEFAULT '{}',
    max_holders int CHECK (max_holders > 0),
    max_ownership numeric(78, 0) CHECK (max_ownership > 0 AND max_ownership <> 'NaN'),
    lock_up_days int NOT NULL DEFAULT 0 CHECK (lock_up_days BETWEEN 0 AND 3660),
    paused boolean NOT NULL DEFAULT false,
    pauses bigint NOT NULL DEFAULT 0,
    pauses_registered bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0,
    updated_by uuid,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (paused = (pauses % 2 = 1)),
    CHECK (pauses_registered <= pauses)
);
CREATE INDEX idx_compliance_rules_unregistered ON compliance_rules (token_id) WHERE pauses_registered < pauses;

CREATE TABLE compliance_pledges (
    operation_id uuid PRIMARY KEY,
    token_id uuid NOT NULL REFERENCES tokens,
    receiver uuid NOT NULL REFERENCES users,
    amount numeric(78, 0) NOT NULL CHECK (amount > 0 AND amount <> 'NaN'),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_compliance_pledges_token ON compliance_pledges (token_id, receiver);

CREATE TABLE kyc_applications (
    application_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    token_id uuid NOT NULL REFERENCES tokens,
    applicant jsonb,
    status text NOT NULL CHECK (status IN ('OPEN', 'DECIDED', 'FAILED')),
    requested_by uuid NOT NULL REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((status = 'OPEN') = (applicant IS NOT NULL))
);
CREATE UNIQUE INDEX idx_kyc_applications_open ON kyc_applications (user_id, token_id) WHERE status = 'OPEN';
"""

SUPPLY = """
ALTER TABLE markets ADD COLUMN supply_cap numeric(78, 0) CHECK (supply_cap >= total_supply AND supply_cap <> 'NaN');
ALTER TABLE markets DISABLE TRIGGER markets_move;
UPDATE markets SET supply_cap = total_supply;
ALTER TABLE markets ENABLE TRIGGER markets_move;
ALTER TABLE markets ALTER COLUMN supply_cap SET NOT NULL;
ALTER TABLE tokens ADD COLUMN supply_cap numeric(78, 0) CHECK (supply_cap >= total_supply AND supply_cap <> 'NaN');
ALTER TABLE tokens ADD COLUMN issuer_user_id uuid REFERENCES users;
ALTER TABLE tokens ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('listing', 'active', 'failed'));
ALTER TABLE tokens ADD COLUMN listings int NOT NULL DEFAULT 0;
UPDATE tokens t SET supply_cap = m.supply_cap, issuer_user_id = m.issuer_user_id
    FROM markets m WHERE m.market_id = t.market_id;
CREATE INDEX idx_tokens_listing ON tokens (created_at DESC, token_id DESC);
"""

CUSTODY = """
CREATE TABLE deposits (
    deposit_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    account text NOT NULL,
    token_id uuid NOT NULL REFERENCES tokens,
    amount numeric(78, 0) NOT NULL CHECK (amount > 0 AND amount <> 'NaN'),
    credited numeric(78, 0) CHECK (credited > 0 AND credited <> 'NaN'),
    status text NOT NULL CHECK (status IN ('REQUESTED', 'SUBMITTED', 'CREDITED', 'FAILED', 'EXPIRED')),
    digest bytea UNIQUE,
    signature bytea,
    signed_text jsonb,
    relayed boolean NOT NULL DEFAULT false,
    permit jsonb,
    expires_at timestamptz,
    error text,
    chain_id bigint,
    tx_hash text,
    ordinal int,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (chain_id, tx_hash, ordinal),
    CHECK ((status = 'CREDITED') = (credited IS NOT NULL))
);
CREATE INDEX idx_deposits_user ON deposits (user_id, created_at DESC, deposit_id DESC);
CREATE INDEX idx_deposits_open ON deposits (user_id, token_id) WHERE status IN ('REQUESTED', 'SUBMITTED');

CREATE TABLE withdrawal_requests (
    withdrawal_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    account text NOT NULL,
    token_id uuid NOT NULL REFERENCES tokens,
    amount numeric(78, 0) NOT NULL CHECK (amount > 0 AND amount <> 'NaN'),
    destination text NOT NULL CHECK (destination ~ '^0x[0-9a-f]{40}$'),
    status text NOT NULL CHECK (status IN ('PENDING_APPROVAL', 'APPROVED', 'PROCESSING', 'SUBMITTED', 'UNKNOWN',
        'COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED')),
    approvals_needed int NOT NULL CHECK (approvals_needed BETWEEN 0 AND 5),
    reason text,
    digest bytea NOT NULL UNIQUE,
    signature bytea NOT NULL,
    signed_text jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    usable_from timestamptz NOT NULL DEFAULT now(),
    tx_hash text,
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_withdrawal_requests_user ON withdrawal_requests (user_id, created_at DESC, withdrawal_id DESC);
CREATE INDEX idx_withdrawal_requests_open ON withdrawal_requests (status, created_at)
    WHERE status NOT IN ('COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED');

CREATE TABLE withdrawal_approvals (
    withdrawal_id uuid NOT NULL REFERENCES withdrawal_requests,
    approver text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('approved', 'rejected')),
    reason text NOT NULL DEFAULT '',
    decided_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (withdrawal_id, approver)
);

CREATE TABLE withdrawal_limits (
    token_id uuid PRIMARY KEY REFERENCES tokens,
    automatic_up_to numeric(78, 0) NOT NULL CHECK (automatic_up_to >= 0 AND automatic_up_to <> 'NaN'),
    four_eyes_above numeric(78, 0) NOT NULL CHECK (four_eyes_above >= 0 AND four_eyes_above <> 'NaN'),
    daily_limit numeric(78, 0) NOT NULL CHECK (daily_limit >= 0 AND daily_limit <> 'NaN'),
    updated_by uuid,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE withdrawal_addresses (
    user_id uuid NOT NULL REFERENCES users,
    address text NOT NULL CHECK (address ~ '^0x[0-9a-f]{40}$'),
    label text NOT NULL DEFAULT '' CHECK (length(label) <= 100),
    usable_from timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, address)
);
CREATE TABLE withdrawal_settings (
    user_id uuid PRIMARY KEY REFERENCES users,
    allow_list_only boolean NOT NULL,
    open_from timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE transfers (
    transfer_id uuid PRIMARY KEY,
    from_user_id uuid NOT NULL REFERENCES users,
    to_user_id uuid NOT NULL REFERENCES users,
    token_id uuid NOT NULL REFERENCES tokens,
    amount numeric(78, 0) NOT NULL CHECK (amount > 0 AND amount <> 'NaN'),
    status text NOT NULL CHECK (status IN ('PENDING', 'SUBMITTED', 'UNKNOWN', 'COMPLETED', 'FAILED')),
    reason text,
    digest bytea NOT NULL UNIQUE,
    signature bytea NOT NULL,
    signed_text jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    tx_hash text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (from_user_id <> to_user_id)
);
CREATE INDEX idx_transfers_from ON transfers (from_user_id, created_at DESC);
CREATE INDEX idx_transfers_to ON transfers (to_user_id, created_at DESC);
CREATE INDEX idx_transfers_open ON transfers (created_at) WHERE status NOT IN ('COMPLETED', 'FAILED');

CREATE TABLE mint_requests (
    mint_id uuid PRIMARY KEY,
    token_id uuid NOT NULL REFERENCES tokens,
    user_id uuid NOT NULL REFERENCES users,
    account text NOT NULL,
    amount numeric(78, 0) NOT NULL CHECK (amount > 0 AND amount <> 'NaN'),
    status text NOT NULL CHECK (status IN ('PENDING_APPROVAL', 'APPROVED', 'SUBMITTED', 'COMPLETED', 'REJECTED',
        'FAILED')),
    requested_by uuid NOT NULL REFERENCES users,
    decided_by uuid REFERENCES users,
    reason text NOT NULL,
    decision_reason text,
    error text,
    tx_hash text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (decided_by IS NULL OR decided_by <> requested_by)
);
CREATE INDEX idx_mint_requests_token ON mint_requests (token_id, created_at DESC, mint_id DESC);
CREATE INDEX idx_mint_requests_open ON mint_requests (created_at)
    WHERE status IN ('PENDING_APPROVAL', 'APPROVED', 'SUBMITTED');
"""

CHAIN = """
CREATE TABLE chain_cursors (
    chain_id bigint NOT NULL,
    name text NOT NULL,
    block_number bigint NOT NULL,
    block_hash text NOT NULL,
    stopped_reason text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chain_id, name)
);
CREATE TABLE chain_blocks (
    chain_id bigint NOT NULL,
    block_number bigint NOT NULL,
    block_hash text NOT NULL,
    PRIMARY KEY (chain_id, block_number)
);
CREATE TABLE blockchain_events (
    chain_id bigint NOT NULL,
    tx_hash text NOT NULL CHECK (tx_hash ~ '^0x[0-9a-f]{64}$'),
    ordinal int NOT NULL CHECK (ordinal >= 0),
    position bigint GENERATED ALWAYS AS IDENTITY,
    block_number bigint NOT NULL,
    block_hash text NOT NULL,
    log_index int NOT NULL,
    contract_address text NOT NULL,
    event_name text NOT NULL,
    args jsonb NOT NULL,
    orphaned boolean NOT NULL DEFAULT false,
    processed boolean NOT NULL DEFAULT false,
    processed_at timestamptz,
    processing_error text,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chain_id, tx_hash, ordinal)
);
CREATE INDEX idx_blockchain_events_unprocessed ON blockchain_events (chain_id, block_number, log_index)
    WHERE NOT processed AND NOT orphaned;
CREATE INDEX idx_blockchain_events_block ON blockchain_events (chain_id, block_number);
"""

AUDIT = """
ALTER TABLE events ADD COLUMN before jsonb, ADD COLUMN after jsonb;
CREATE INDEX idx_events_occurred ON events (occurred_at, position);
CREATE INDEX idx_events_type ON events (event_type, occurred_at, position);
CREATE INDEX idx_events_actor ON events (actor_id, occurred_at, position) WHERE actor_id IS NOT NULL;
DROP VIEW audit_log;
CREATE VIEW audit_log AS
    SELECT position, event_id, event_type AS action, actor_id, actor_type, stream_type AS entity_type,
           stream_id AS entity_id, before, after, payload AS details, correlation_id, occurred_at AS created_at
    FROM events;

CREATE TABLE audit_seals (
    stream text NOT NULL CHECK (stream IN ('events', 'ledger_lines', 'trading_facts')),
    seal_number bigint NOT NULL CHECK (seal_number > 0),
    last_tx_id xid8 NOT NULL,
    last_position bigint NOT NULL,
    row_count int NOT NULL CHECK (row_count > 0),
    previous_hash bytea NOT NULL CHECK (length(previous_hash) = 32),
    seal_hash bytea NOT NULL CHECK (length(seal_hash) = 32),
    sealed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, seal_number)
);
ALTER TABLE ledger_lines ADD COLUMN tx_id xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX idx_ledger_lines_seal ON ledger_lines (tx_id, line_id);
CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE ON audit_seals
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seals_never_truncated BEFORE TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE reconciliation_runs (
    run_id uuid PRIMARY KEY,
    chain_id bigint NOT NULL,
    block_number bigint NOT NULL,
    exact boolean NOT NULL,
    tokens jsonb NOT NULL,
    breaks jsonb NOT NULL,
    accounts int NOT NULL,
    seen_tx_id xid8 NOT NULL,
    rotated_to uuid,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_reconciliation_runs_created ON reconciliation_runs (created_at DESC);
"""

# What the application may do. Owners of the tables are stopped by the triggers, the application by its rights too.
ROLE = """
DO $$ BEGIN
    CREATE ROLE deedbook_app NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role deedbook_app is missing: have an administrator run CREATE ROLE deedbook_app NOLOGIN '
            'and GRANT deedbook_app TO the user of DATABASE_URL, then migrate again';
END $$;
DO $$ BEGIN
    IF NOT pg_has_role(current_user, 'deedbook_app', 'MEMBER') THEN
        EXECUTE format('GRANT deedbook_app TO %I', current_user);
    END IF;
END $$;
GRANT USAGE ON SCHEMA public TO deedbook_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO deedbook_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO deedbook_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO deedbook_app;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM deedbook_app;
REVOKE UPDATE, DELETE, TRUNCATE ON events, ledger_lines, ledger_checkpoints, audit_seals FROM deedbook_app;
"""


def upgrade() -> None:
    for part in (LEDGER, IDENTITY, COMPLIANCE, SUPPLY, CUSTODY, CHAIN, AUDIT, ROLE):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
