"""Swaps: what each may give and has to get. An order of their own kind carries them out."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

SWAPS = """
-- What the old check allows, the new one does: rows that are there need not be looked at, and nobody waits for that.
ALTER TABLE orders DROP CONSTRAINT orders_order_type_check,
    ADD CONSTRAINT orders_order_type_check
        CHECK (order_type IN ('LIMIT', 'MARKET', 'STOP_LIMIT', 'STOP_MARKET', 'SWAP')) NOT VALID;

CREATE TABLE swaps (
    swap_id uuid PRIMARY KEY REFERENCES orders,
    user_id uuid NOT NULL REFERENCES users,
    swap_number bigint GENERATED ALWAYS AS IDENTITY,
    amount_in numeric(78, 0) NOT NULL CHECK (amount_in > 0 AND amount_in <> 'NaN'),
    min_amount_out numeric(78, 0) NOT NULL CHECK (min_amount_out > 0 AND min_amount_out <> 'NaN'),
    least_lots bigint NOT NULL CHECK (least_lots > 0),
    -- Its trades are among these of its pair; none where there is none.
    first_trade bigint,
    last_trade bigint,
    CHECK ((first_trade IS NULL) = (last_trade IS NULL) AND first_trade <= last_trade)
);
CREATE UNIQUE INDEX idx_swaps_user ON swaps (user_id, swap_number DESC);

-- Beside `orders_settle`, in the same statement: what was planned when the book was looked at.
CREATE FUNCTION swaps_settle(s_id uuid[], s_lots bigint[], s_price bigint[], s_first bigint[], s_last bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    changed int;
BEGIN
    UPDATE orders o SET quantity_lots = s.lots, price_ticks = s.price
    FROM unnest(s_id, s_lots, s_price) AS s (id, lots, price) WHERE o.order_id = s.id;
    UPDATE swaps w SET first_trade = s.first, last_trade = s.last
    FROM unnest(s_id, s_first, s_last) AS s (id, first, last) WHERE w.swap_id = s.id AND w.first_trade IS NULL;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed <> array_length(s_id, 1) THEN
        RAISE EXCEPTION 'a swap was carried out before' USING ERRCODE = 'DL004';
    END IF;
END $$;
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE ON swaps TO deedbook_app;
GRANT EXECUTE ON FUNCTION swaps_settle TO deedbook_app;
"""


def upgrade() -> None:
    for part in (SWAPS, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
