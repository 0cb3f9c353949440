"""What was cancelled on the chain before it came to us."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WITHDRAWN = """
-- Texts that their accounts have cancelled on the chain before they were sent in. A day after that the contract settles
-- nothing of them: who trades on one gets fills that cost nothing and are always undone. So none is ever taken in,
-- whichever way it comes; it looks as if its nonce were used.
CREATE TABLE withdrawn_texts (
    account text NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (account, digest)
);
CREATE FUNCTION leave_out_withdrawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM withdrawn_texts w WHERE (w.account, w.digest) = (NEW.account, NEW.digest)) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signed_actions_not_withdrawn BEFORE INSERT ON signed_actions
    FOR EACH ROW EXECUTE FUNCTION leave_out_withdrawn();
"""

RIGHTS = """
GRANT SELECT, INSERT ON withdrawn_texts TO deedbook_app;
"""


def upgrade() -> None:
    for part in (WITHDRAWN, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
