"""Market data: candles and statistics, folded from trades; what failed on the chain is taken out again."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CANDLES = """
-- How far a pair's trades have been folded into its candles. `revision` counts the commits that changed them.
CREATE TABLE candle_cursors (
    pair_id uuid PRIMARY KEY REFERENCES trading_pairs,
    trade_number bigint NOT NULL DEFAULT 0,
    revision bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- `first_trade` and `last_trade` are numbers of the pair: by them open and close are what they are, whatever the
-- clocks of the writers said.
CREATE TABLE price_candles (
    pair_id uuid NOT NULL REFERENCES trading_pairs,
    interval text NOT NULL CHECK (interval IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    opened_at timestamptz NOT NULL,
    open_ticks bigint NOT NULL,
    high_ticks bigint NOT NULL,
    low_ticks bigint NOT NULL,
    close_ticks bigint NOT NULL,
    volume_lots numeric(78, 0) NOT NULL CHECK (volume_lots > 0 AND volume_lots <> 'NaN'),
    quote_volume numeric(78, 0) NOT NULL CHECK (quote_volume > 0 AND quote_volume <> 'NaN'),
    trades bigint NOT NULL CHECK (trades > 0),
    first_trade bigint NOT NULL,
    last_trade bigint NOT NULL CHECK (last_trade >= first_trade),
    PRIMARY KEY (pair_id, interval, opened_at),
    CHECK (low_ticks <= open_ticks AND low_ticks <= close_ticks),
    CHECK (high_ticks >= open_ticks AND high_ticks >= close_ticks)
) WITH (fillfactor = 70);

-- Trades whose settlement has failed, or is tried again, since the candles were told of them. Noted in the very
-- transaction that decides it, so that nothing about it can be late or lost.
CREATE TABLE candle_repairs (
    repair_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pair_id uuid NOT NULL,
    trade_number bigint NOT NULL,
    executed_at timestamptz NOT NULL
);
CREATE INDEX idx_candle_repairs_pair ON candle_repairs (pair_id, trade_number);
CREATE FUNCTION note_candle_repair() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO candle_repairs (pair_id, trade_number, executed_at)
    VALUES (NEW.pair_id, NEW.trade_number, NEW.executed_at);
    RETURN NULL;
END $$;
CREATE TRIGGER trades_failed_or_revived AFTER UPDATE OF settlement_status ON trades FOR EACH ROW
    WHEN ((OLD.settlement_status = 'FAILED') <> (NEW.settlement_status = 'FAILED'))
    EXECUTE FUNCTION note_candle_repair();
"""

STATS = """
-- The last 24 hours of each pair. `leaves_at` is when the first of these trades leaves the window at the earliest.
CREATE TABLE market_stats (
    pair_id uuid PRIMARY KEY REFERENCES trading_pairs,
    open_ticks bigint,
    high_ticks bigint,
    low_ticks bigint,
    last_ticks bigint,
    last_at timestamptz,
    volume_lots numeric(78, 0) NOT NULL CHECK (volume_lots >= 0 AND volume_lots <> 'NaN'),
    quote_volume numeric(78, 0) NOT NULL CHECK (quote_volume >= 0 AND quote_volume <> 'NaN'),
    trades bigint NOT NULL CHECK (trades >= 0),
    trade_number bigint NOT NULL,
    revision bigint NOT NULL,
    leaves_at timestamptz,
    as_of timestamptz NOT NULL,
    CHECK ((trades = 0) = (open_ticks IS NULL) AND (trades = 0) = (leaves_at IS NULL)),
    CHECK ((last_ticks IS NULL) = (last_at IS NULL))
) WITH (fillfactor = 50);
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON candle_cursors, market_stats TO deedbook_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON price_candles, candle_repairs TO deedbook_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO deedbook_app;
GRANT EXECUTE ON FUNCTION note_candle_repair TO deedbook_app;
"""


def upgrade() -> None:
    for part in (CANDLES, STATS, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
