"""First light: the machinery, identity, the market lifecycle, tokens, the chain lane and trading pairs."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MACHINERY = """
CREATE TABLE events (
    position bigint GENERATED ALWAYS AS IDENTITY,
    event_id uuid PRIMARY KEY,
    event_type text NOT NULL,
    version int NOT NULL,
    stream_type text NOT NULL,
    stream_id uuid NOT NULL,
    seq bigint,
    actor_id uuid,
    actor_type text NOT NULL,
    payload jsonb NOT NULL,
    correlation_id text NOT NULL DEFAULT '',
    occurred_at timestamptz NOT NULL DEFAULT now(),
    tx_id xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX idx_events_relay ON events (tx_id, position);
CREATE INDEX idx_events_stream ON events (stream_type, stream_id, position);
CREATE UNIQUE INDEX idx_events_stream_seq ON events (stream_type, stream_id, seq) WHERE seq IS NOT NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER events_never_truncated BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE jobs (
    position bigint GENERATED ALWAYS AS IDENTITY,
    job_id text PRIMARY KEY CHECK (length(job_id) BETWEEN 1 AND 200),
    queue text NOT NULL,
    name text NOT NULL,
    data jsonb NOT NULL,
    priority int NOT NULL DEFAULT 0,
    correlation_id text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'done', 'failed', 'retried')),
    attempts_made int NOT NULL DEFAULT 0,
    last_error text,
    retry_of text REFERENCES jobs (job_id),
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    tx_id xid8 NOT NULL DEFAULT pg_current_xact_id()
) WITH (fillfactor = 80);
CREATE INDEX idx_jobs_relay ON jobs (tx_id, position);
CREATE INDEX idx_jobs_unfinished ON jobs (created_at) WHERE status = 'pending';
CREATE INDEX idx_jobs_failed ON jobs (queue, finished_at) WHERE status = 'failed';

CREATE TABLE relay_cursors (
    sink text PRIMARY KEY,
    tx_id xid8 NOT NULL DEFAULT '0',
    position bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    epoch bigint NOT NULL DEFAULT 1,
    expires_at timestamptz NOT NULL
);

CREATE TABLE processed_events (
    event_id text PRIMARY KEY CHECK (length(event_id) BETWEEN 1 AND 200),
    event_type text NOT NULL,
    source text NOT NULL,
    received_via text NOT NULL,
    payload jsonb NOT NULL,
    context jsonb NOT NULL,
    processing_status text NOT NULL CHECK (processing_status IN ('success', 'failed', 'skipped')),
    processing_error text,
    attempts int NOT NULL DEFAULT 1,
    received_at timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_processed_events_failed ON processed_events (processed_at) WHERE processing_status = 'failed';

CREATE TABLE idempotency_keys (
    principal text NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL,
    status int NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, key)
);
CREATE INDEX idx_idempotency_keys_created ON idempotency_keys (created_at);
"""

IDENTITY = """
CREATE TABLE users (
    user_id uuid PRIMARY KEY,
    account text NOT NULL UNIQUE CHECK (account ~ '^0x[0-9a-f]{40}$'),
    entity_id uuid,
    display_name text NOT NULL DEFAULT '' CHECK (length(display_name) <= 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);
CREATE TABLE user_wallets (
    address text PRIMARY KEY CHECK (address ~ '^0x[0-9a-f]{40}$'),
    user_id uuid NOT NULL REFERENCES users,
    linked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_user_wallets_user ON user_wallets (user_id);
CREATE TABLE user_roles (
    user_id uuid NOT NULL REFERENCES users,
    role text NOT NULL CHECK (role IN ('investor', 'issuer', 'compliance', 'admin', 'operator')),
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, role)
);
CREATE TABLE sign_in_nonces (
    nonce text PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX idx_sign_in_nonces_expiry ON sign_in_nonces (expires_at);
CREATE TABLE sessions (
    session_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    refresh_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_reason text
);
CREATE INDEX idx_sessions_user ON sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX idx_sessions_expiry ON sessions (expires_at);
CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    public_pem text NOT NULL,
    sealed_private bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    retires_at timestamptz
);
"""

MARKETS = """
CREATE TABLE documents (
    document_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL REFERENCES users,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
    media_type text NOT NULL DEFAULT '',
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    size_bytes bigint CHECK (size_bytes >= 0),
    version int NOT NULL DEFAULT 1,
    replaces uuid REFERENCES documents,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX idx_documents_replaced_once ON documents (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX idx_documents_owner ON documents (owner_id, created_at);

CREATE TABLE markets (
    market_id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 4000),
    asset_type text NOT NULL CHECK (asset_type IN ('real_estate', 'corporate_stock', 'government_bond',
        'commodity', 'private_equity', 'art_collectible', 'carbon_credit', 'other')),
    issuer_id uuid NOT NULL,
    issuer_user_id uuid NOT NULL REFERENCES users,
    issuer_account text NOT NULL CHECK (issuer_account ~ '^0x[0-9a-f]{40}$'),
    token_name text NOT NULL CHECK (length(token_name) BETWEEN 1 AND 64),
    token_symbol text NOT NULL CHECK (token_symbol ~ '^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$' AND length(token_symbol) <= 32),
    decimals int NOT NULL DEFAULT 18 CHECK (decimals BETWEEN 0 AND 18),
    total_supply numeric(78, 0) NOT NULL CHECK (total_supply > 0 AND total_supply <> 'NaN'),
    status text NOT NULL CHECK (status IN ('draft', 'pending_approval', 'approved', 'rejected', 'activating',
        'active', 'paused', 'archived')),
    contract_address text UNIQUE CHECK (contract_address ~ '^0x[0-9a-f]{40}$'),
    deployment_tx_hash text UNIQUE CHECK (deployment_tx_hash ~ '^0x[0-9a-f]{64}$'),
    approved_by uuid,
    approved_at timestamptz,
    activated_at timestamptz,
    rejected_reason text,
    metadata jsonb NOT NULL DEFAULT '{}',
    version int NOT NULL DEFAULT 1,
    activations int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (status <> 'active' OR (contract_address IS NOT NULL AND deployment_tx_hash IS NOT NULL
        AND approved_at IS NOT NULL AND activated_at IS NOT NULL)),
    CHECK (status <> 'rejected' OR rejected_reason IS NOT NULL)
);
CREATE UNIQUE INDEX idx_markets_symbol ON markets (token_symbol) WHERE status <> 'rejected';
CREATE INDEX idx_markets_listing ON markets (created_at DESC, market_id DESC);
CREATE INDEX idx_markets_status ON markets (status, created_at DESC, market_id DESC);
CREATE INDEX idx_markets_asset_type ON markets (asset_type, created_at DESC, market_id DESC);
CREATE INDEX idx_markets_issuer ON markets (issuer_id, created_at DESC, market_id DESC);

CREATE FUNCTION check_market_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> OLD.status AND NOT (OLD.status, NEW.status) IN (
        ('draft', 'pending_approval'), ('pending_approval', 'approved'), ('pending_approval', 'rejected'),
        ('approved', 'activating'), ('activating', 'active'), ('activating', 'approved'),
        ('active', 'paused'), ('paused', 'active'), ('active', 'archived')) THEN
        RAISE EXCEPTION 'a market cannot go from % to %', OLD.status, NEW.status
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    NEW.version := OLD.version + 1;
    NEW.updated_at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER markets_move BEFORE UPDATE ON markets FOR EACH ROW EXECUTE FUNCTION check_market_move();

CREATE TABLE market_assets (
    market_id uuid PRIMARY KEY REFERENCES markets,
    valuation numeric(38, 18) CHECK (valuation >= 0 AND valuation <> 'NaN'),
    currency text CHECK (currency ~ '^[A-Z]{3,5}$'),
    location jsonb,
    compliance_documents uuid[] NOT NULL DEFAULT '{}',
    regulatory_info jsonb NOT NULL DEFAULT '{}',
    attributes jsonb NOT NULL DEFAULT '{}'
);

CREATE VIEW market_approval_events AS
    SELECT event_id, stream_id AS market_id, event_type, actor_id, actor_type,
           payload ->> 'decision' AS decision, payload ->> 'reason' AS reason, payload AS metadata,
           occurred_at AS created_at, position
    FROM events WHERE stream_type = 'market';

CREATE VIEW audit_log AS
    SELECT position, event_id, event_type AS action, actor_id, actor_type, stream_type AS entity_type,
           stream_id AS entity_id, payload AS details, correlation_id, occurred_at AS created_at
    FROM events;
"""

TOKENS = """
CREATE TABLE tokens (
    token_id uuid PRIMARY KEY,
    symbol text NOT NULL UNIQUE,
    name text NOT NULL,
    token_type text NOT NULL CHECK (token_type IN ('RWA', 'CRYPTO', 'STABLE')),
    decimals int NOT NULL CHECK (decimals BETWEEN 0 AND 18),
    contract_address text UNIQUE CHECK (contract_address ~ '^0x[0-9a-f]{40}$'),
    chain_id bigint NOT NULL,
    total_supply numeric(78, 0) NOT NULL DEFAULT 0 CHECK (total_supply >= 0 AND total_supply <> 'NaN'),
    market_id uuid UNIQUE REFERENCES markets,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE trading_pairs (
    pair_id uuid PRIMARY KEY,
    symbol text NOT NULL UNIQUE,
    market_id uuid UNIQUE REFERENCES markets,
    base_token_id uuid NOT NULL REFERENCES tokens,
    quote_token_id uuid NOT NULL REFERENCES tokens,
    status text NOT NULL CHECK (status IN ('active', 'paused', 'closed')),
    tick_size numeric(38, 18) NOT NULL CHECK (tick_size > 0 AND tick_size <> 'NaN'),
    lot_size numeric(38, 18) NOT NULL CHECK (lot_size > 0 AND lot_size <> 'NaN'),
    fee_bps int NOT NULL DEFAULT 25 CHECK (fee_bps BETWEEN 0 AND 1000),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (base_token_id <> quote_token_id)
);
"""

CHAIN = """
CREATE TABLE chain_network (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    chain_id bigint NOT NULL
);
CREATE TABLE chain_contracts (
    chain_id bigint NOT NULL,
    name text NOT NULL,
    address text NOT NULL CHECK (address ~ '^0x[0-9a-f]{40}$'),
    deployed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chain_id, name)
);
CREATE TABLE chain_wallets (
    address text PRIMARY KEY CHECK (address ~ '^0x[0-9a-f]{40}$'),
    next_nonce bigint NOT NULL CHECK (next_nonce >= 0),
    stopped_reason text,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE chain_transactions (
    transaction_id uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    key text NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 200),
    wallet text NOT NULL,
    to_address text CHECK (to_address ~ '^0x[0-9a-f]{40}$'),
    data bytea NOT NULL,
    gas bigint NOT NULL CHECK (gas > 0),
    status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'signed', 'sent', 'mined', 'confirmed', 'reverted')),
    nonce bigint,
    tx_hash text,
    block_number bigint,
    block_hash text,
    gas_used bigint,
    contract_address text,
    error text,
    correlation_id text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    signed_at timestamptz,
    finished_at timestamptz,
    UNIQUE (wallet, nonce),
    CHECK ((nonce IS NULL) = (status = 'queued'))
);
CREATE INDEX idx_chain_transactions_open ON chain_transactions (wallet, status, position)
    WHERE status IN ('queued', 'signed', 'sent', 'mined');
CREATE TABLE chain_attempts (
    transaction_id uuid NOT NULL REFERENCES chain_transactions,
    attempt int NOT NULL,
    tx_hash text NOT NULL UNIQUE,
    raw bytea NOT NULL,
    gas_price numeric(78, 0) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    broadcast_at timestamptz,
    PRIMARY KEY (transaction_id, attempt)
);
"""


def upgrade() -> None:
    for part in (MACHINERY, IDENTITY, MARKETS, TOKENS, CHAIN):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
