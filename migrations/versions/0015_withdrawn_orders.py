"""Withdrawn orders are left out by the statement that takes orders in: a trigger for each row cost it a twelfth."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# The rest of the function stays as it is, so only the condition is put in.
INTAKE = """
DO $edit$
DECLARE
    was text := pg_get_functiondef('orders_intake'::regproc);
    place text := 'WHERE a.verdict = 0 ORDER BY a.account, a.nonce, a.place';
    becomes text := 'WHERE a.verdict = 0 AND NOT EXISTS (
            SELECT FROM withdrawn_texts w WHERE (w.account, w.digest) = (a.account, a.digest))
        ORDER BY a.account, a.nonce, a.place';
BEGIN
    IF strpos(was, place) = 0 THEN  -- not an ASSERT, which a setting can switch off
        RAISE EXCEPTION 'orders_intake is not the one that this changes';
    END IF;
    EXECUTE replace(was, place, becomes);
END $edit$;
"""

OTHERS = """
DROP TRIGGER signed_actions_not_withdrawn ON signed_actions;
CREATE TRIGGER signed_actions_not_withdrawn BEFORE INSERT ON signed_actions
    FOR EACH ROW WHEN (NEW.action <> 'Order') EXECUTE FUNCTION leave_out_withdrawn();
"""


def upgrade() -> None:
    for part in (INTAKE, OTHERS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
