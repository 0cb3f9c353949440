"""What is locked up is not sold: looked at once more when it is sold, by the statement that writes the sale."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

LOCKED_UP = """
-- Beside `orders_settle`, in the same statement, where the token has a lock-up: what its sellers have left is at least
-- what came in lately, since the oldest lots leave first. Orders that come in at the same moment are judged before each
-- other's holds stand, and some rest since before the rule. What is to leave by withdrawals and transfers has left.
CREATE FUNCTION lock_ups_hold(k_token uuid, k_days int, k_sellers uuid[])
RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    stranger uuid;
BEGIN
    SELECT b.user_id INTO stranger FROM user_balances b
    WHERE b.token_id = k_token AND b.user_id = ANY (k_sellers) AND b.available + b.locked - (
        SELECT COALESCE(sum(h.amount), 0) FROM holds h WHERE (h.account_id, h.token_id) = (b.user_id, b.token_id)) < (
        SELECT COALESCE(sum(l.amount), 0) FROM ledger_lines l
        WHERE (l.account_id, l.token_id) = (b.user_id, b.token_id) AND l.amount > 0
          AND l.created_at > now() - make_interval(days => k_days)) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'locked up' USING ERRCODE = 'DL007', DETAIL = stranger::text;
    END IF;
END $$;
"""

RIGHTS = """
GRANT EXECUTE ON FUNCTION lock_ups_hold TO deedbook_app;
"""


def upgrade() -> None:
    for part in (LOCKED_UP, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
