"""Jobs that operators put aside, with the reason why."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

PARKED = """
-- Beside the check that is replaced, so that the table is never without one and is not locked while it is read.
ALTER TABLE jobs ADD CONSTRAINT jobs_status_known
    CHECK (status IN ('pending', 'done', 'failed', 'retried', 'parked')) NOT VALID;
ALTER TABLE jobs DROP CONSTRAINT jobs_status_check;
ALTER TABLE jobs VALIDATE CONSTRAINT jobs_status_known;
ALTER TABLE jobs ADD COLUMN parked_reason text CHECK (length(parked_reason) BETWEEN 1 AND 1000);
"""


def upgrade() -> None:
    op.execute(PARKED)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
