"""Doors for programs and institutions: API keys, what was traded under each, and people whom others vouch for."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEYS = """
-- Of the secret only the hash is kept: it has 256 random bits, so that a slow hash would add nothing.
CREATE TABLE api_keys (
    key_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'trade', 'account']),
    networks text[] NOT NULL CHECK (cardinality(networks) <= 16),
    orders_per_minute int CHECK (orders_per_minute > 0),
    -- In 10^-18 of a quote token, whatever its decimals are: one figure for pairs of every quote token.
    daily_notional numeric(78, 0) CHECK (daily_notional > 0 AND daily_notional <> 'NaN'),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz,
    last_used_from text,
    revoked_at timestamptz
);
CREATE INDEX idx_api_keys_user ON api_keys (user_id, created_at DESC, key_id DESC);
CREATE INDEX idx_api_keys_expiry ON api_keys (expires_at);

-- What was sent in under a key that has a cap, by day (UTC) and quote token; in 10^-18 of it.
CREATE TABLE api_key_days (
    key_id uuid NOT NULL REFERENCES api_keys ON DELETE CASCADE,
    day date NOT NULL,
    token_id uuid NOT NULL,
    used numeric(78, 0) NOT NULL CHECK (used >= 0 AND used <> 'NaN'),
    PRIMARY KEY (key_id, day, token_id)
) WITH (fillfactor = 50);
"""

SUBJECTS = """
-- Whom an issuer vouches for. Until the subject has shown a wallet nobody is the user; subject_id then names them,
-- unless the wallet has a user already. Tokens from before `ended_at` hold no longer: they signed out.
CREATE TABLE oidc_subjects (
    subject_id uuid PRIMARY KEY,
    issuer text NOT NULL CHECK (length(issuer) <= 512),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    user_id uuid REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    bound_at timestamptz,
    ended_at timestamptz,
    UNIQUE (issuer, subject),
    CHECK ((user_id IS NULL) = (bound_at IS NULL))
);
CREATE INDEX idx_oidc_subjects_user ON oidc_subjects (user_id);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON api_keys, api_key_days TO deedbook_app;
GRANT SELECT, INSERT, UPDATE ON oidc_subjects TO deedbook_app;
"""


def upgrade() -> None:
    for part in (KEYS, SUBJECTS, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
