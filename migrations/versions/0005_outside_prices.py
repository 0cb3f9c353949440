"""Prices from outside: where they are asked, what was answered, and what follows for a pair."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Prices are whole numbers of 10^-18 quote tokens for one base token.
PRICES = """
CREATE TABLE price_sources (
    source_id uuid PRIMARY KEY,
    pair_id uuid NOT NULL REFERENCES trading_pairs,
    kind text NOT NULL CHECK (kind IN ('chainlink', 'coingecko', 'nav')),
    locator text NOT NULL CHECK (length(locator) BETWEEN 1 AND 500),
    max_age_s int NOT NULL CHECK (max_age_s BETWEEN 10 AND 31622400),
    least numeric(78, 0) NOT NULL CHECK (least > 0 AND least <> 'NaN'),
    most numeric(78, 0) NOT NULL CHECK (most >= least AND most <> 'NaN'),
    created_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz,
    asked_at timestamptz,
    problem text CHECK (length(problem) <= 500)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX idx_price_sources_once ON price_sources (pair_id, kind, locator) WHERE removed_at IS NULL;

CREATE TABLE external_prices (
    price_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id uuid NOT NULL REFERENCES price_sources,
    price numeric(78, 0) NOT NULL CHECK (price > 0 AND price <> 'NaN'),
    observed_at timestamptz NOT NULL,
    fetched_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source_id, observed_at, price)
);
CREATE INDEX idx_external_prices_fetched ON external_prices (fetched_at);

-- `told` is the price from which the next significant move is counted.
CREATE TABLE reference_prices (
    pair_id uuid PRIMARY KEY REFERENCES trading_pairs,
    price numeric(78, 0) CHECK (price > 0 AND price <> 'NaN'),
    observed_at timestamptz,
    sources int NOT NULL DEFAULT 0 CHECK (sources >= 0),
    spread_bps bigint NOT NULL DEFAULT 0 CHECK (spread_bps >= 0),
    state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'sound', 'disputed', 'stale')),
    told numeric(78, 0) CHECK (told > 0 AND told <> 'NaN'),
    as_of timestamptz NOT NULL DEFAULT now(),
    CHECK ((price IS NULL) = (observed_at IS NULL))
) WITH (fillfactor = 50);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON price_sources, reference_prices TO deedbook_app;
GRANT SELECT, INSERT, DELETE ON external_prices TO deedbook_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO deedbook_app;
"""


def upgrade() -> None:
    for part in (PRICES, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
