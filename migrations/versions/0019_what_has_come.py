"""What has come to accounts since a moment, without a look at all that ever came: officers' pages ask for it once a
minute."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

CAME = """
    CREATE INDEX idx_deposits_credited ON deposits (updated_at) WHERE status = 'CREDITED';
    CREATE INDEX idx_transfers_completed ON transfers (updated_at) WHERE status = 'COMPLETED';
"""


def upgrade() -> None:
    op.execute(CAME)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
