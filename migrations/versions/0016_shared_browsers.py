"""Whose else a browser is, which one user after the other may have subscribed."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BROWSERS = "CREATE INDEX idx_push_subscriptions_endpoint ON push_subscriptions (endpoint);"


def upgrade() -> None:
    op.execute(BROWSERS)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
