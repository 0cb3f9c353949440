"""Traders who want to be shown: under which name, and what they have traded since."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TRADERS = """
-- Nobody stands here who has not asked for it; who asks to be taken out leaves nothing behind.
CREATE TABLE shown_traders (
    user_id uuid PRIMARY KEY REFERENCES users,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    since timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX idx_shown_traders_name ON shown_traders (lower(name));

CREATE TABLE trader_volumes (
    user_id uuid NOT NULL REFERENCES shown_traders ON DELETE CASCADE,
    pair_id uuid NOT NULL REFERENCES trading_pairs,
    hour timestamptz NOT NULL,
    quote_volume numeric(78, 0) NOT NULL CHECK (quote_volume > 0 AND quote_volume <> 'NaN'),
    trades bigint NOT NULL CHECK (trades > 0),
    PRIMARY KEY (user_id, pair_id, hour)
) WITH (fillfactor = 70);
CREATE INDEX idx_trader_volumes_hour ON trader_volumes (hour);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON shown_traders, trader_volumes TO deedbook_app;
"""


def upgrade() -> None:
    for part in (TRADERS, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
