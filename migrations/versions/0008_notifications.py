"""What people are told: their feed, what they want to hear and where, and what is sent outside."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FEED = """
-- `source` is what a notification tells of: nobody is told of the same thing twice.
CREATE TABLE notifications (
    notification_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    kind text NOT NULL,
    source text NOT NULL CHECK (length(source) BETWEEN 1 AND 200),
    subject_type text NOT NULL,
    subject_id uuid NOT NULL,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    body text NOT NULL,
    details jsonb NOT NULL,
    in_app boolean NOT NULL,
    times int NOT NULL DEFAULT 1 CHECK (times > 0),
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    read_at timestamptz,
    UNIQUE (user_id, source)
) WITH (fillfactor = 80);
CREATE INDEX idx_notifications_user ON notifications (user_id, notification_id DESC);
CREATE INDEX idx_notifications_unread ON notifications (user_id, notification_id) WHERE in_app AND read_at IS NULL;
CREATE INDEX idx_notifications_created ON notifications (created_at);

-- What somebody wants otherwise than it is by default.
CREATE TABLE notification_preferences (
    user_id uuid NOT NULL REFERENCES users,
    kind text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('IN_APP', 'EMAIL', 'SMS')),
    wanted boolean NOT NULL,
    PRIMARY KEY (user_id, kind, channel)
);
"""

OUTSIDE = """
-- Where somebody can be reached. The code that proves it is derived from `challenge_id` and stands nowhere.
CREATE TABLE notification_contacts (
    user_id uuid NOT NULL REFERENCES users,
    channel text NOT NULL CHECK (channel IN ('EMAIL', 'SMS')),
    address text NOT NULL CHECK (length(address) BETWEEN 3 AND 254),
    challenge_id uuid NOT NULL,
    challenged_at timestamptz NOT NULL DEFAULT now(),
    challenges int NOT NULL DEFAULT 1 CHECK (challenges > 0),
    tries int NOT NULL DEFAULT 0 CHECK (tries >= 0),
    verified_at timestamptz,
    PRIMARY KEY (user_id, channel)
);

-- The secret is derived from the id and `secret_version` and stands nowhere.
CREATE TABLE webhook_endpoints (
    endpoint_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    url text NOT NULL CHECK (length(url) BETWEEN 8 AND 500),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 200),
    kinds text[] NOT NULL,
    secret_version int NOT NULL DEFAULT 1 CHECK (secret_version > 0),
    former_until timestamptz,
    failing_since timestamptz,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_webhook_endpoints_user ON webhook_endpoints (user_id, created_at DESC, endpoint_id DESC);

-- One for each message that leaves: tried until it has arrived, or never will.
CREATE TABLE message_deliveries (
    delivery_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    channel text NOT NULL CHECK (channel IN ('EMAIL', 'SMS', 'WEBHOOK')),
    notification_id uuid REFERENCES notifications ON DELETE CASCADE,
    endpoint_id uuid REFERENCES webhook_endpoints ON DELETE CASCADE,
    kind text NOT NULL,
    source text NOT NULL,
    payload text,
    status text NOT NULL DEFAULT 'WAITING' CHECK (status IN ('WAITING', 'DELIVERED', 'FAILED')),
    attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    round int NOT NULL DEFAULT 1 CHECK (round > 0),
    next_attempt_at timestamptz,
    last_outcome text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((channel = 'WEBHOOK') = (endpoint_id IS NOT NULL)),
    CHECK ((channel = 'WEBHOOK') = (payload IS NOT NULL)),
    CHECK ((channel = 'WEBHOOK') = (notification_id IS NULL)),
    CHECK ((status = 'WAITING') = (finished_at IS NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX idx_message_deliveries_notification ON message_deliveries (notification_id, channel)
    WHERE notification_id IS NOT NULL;
CREATE UNIQUE INDEX idx_message_deliveries_endpoint ON message_deliveries (endpoint_id, source)
    WHERE endpoint_id IS NOT NULL;
CREATE INDEX idx_message_deliveries_listing ON message_deliveries (endpoint_id, delivery_id DESC)
    WHERE endpoint_id IS NOT NULL;
CREATE INDEX idx_message_deliveries_due ON message_deliveries (next_attempt_at) WHERE status = 'WAITING';
CREATE INDEX idx_message_deliveries_created ON message_deliveries (created_at);
"""

# Nobody is told today of what happened before there were notifications.
FROM_NOW_ON = """
INSERT INTO relay_cursors (sink, tx_id, position)
SELECT 'notifications', tx_id, position FROM events ORDER BY tx_id DESC, position DESC LIMIT 1;
INSERT INTO relay_cursors (sink, tx_id, position)
SELECT 'trading-notifications', tx_id, position FROM trading_facts ORDER BY tx_id DESC, position DESC LIMIT 1;
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON notifications, notification_preferences, notification_contacts,
    webhook_endpoints, message_deliveries TO deedbook_app;
"""


def upgrade() -> None:
    for part in (FEED, OUTSIDE, FROM_NOW_ON, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
