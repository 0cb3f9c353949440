"""Codes that were sent to addresses, by who asked for them and by where they went."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CODES = """
-- Kept for the hour in which it counts. Of the address only a hash is kept: it may be forgotten meanwhile.
CREATE TABLE contact_codes (
    challenge_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    channel text NOT NULL CHECK (channel IN ('EMAIL', 'SMS')),
    address_hash bytea NOT NULL CHECK (length(address_hash) = 32),
    sent_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_contact_codes_user ON contact_codes (user_id, sent_at);
CREATE INDEX idx_contact_codes_address ON contact_codes (address_hash, sent_at);
CREATE INDEX idx_contact_codes_sent ON contact_codes (sent_at);
ALTER TABLE notification_contacts DROP COLUMN challenges;
"""

RIGHTS = """
GRANT SELECT, INSERT, DELETE ON contact_codes TO deedbook_app;
"""


def upgrade() -> None:
    for part in (CODES, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
