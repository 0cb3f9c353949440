"""Since when a push service has refused all that is for a browser: what it never takes does not stay for ever."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

REFUSED = "ALTER TABLE push_subscriptions ADD COLUMN refused_since timestamptz;"


def upgrade() -> None:
    op.execute(REFUSED)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
