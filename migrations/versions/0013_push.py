"""Messages to browsers and telephones: which of them a user has subscribed, and what leaves for each."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SUBSCRIPTIONS = """
-- As the browser has given it. Only who has its key reads what is sent to `endpoint`.
CREATE TABLE push_subscriptions (
    subscription_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users,
    endpoint text NOT NULL CHECK (length(endpoint) BETWEEN 8 AND 500),
    public_key bytea NOT NULL CHECK (length(public_key) = 65),
    secret bytea NOT NULL CHECK (length(secret) = 16),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, endpoint)
);
"""

# A message for each of a user's browsers, where there was one for each channel.
DELIVERIES = """
ALTER TABLE message_deliveries
    ADD COLUMN subscription_id uuid REFERENCES push_subscriptions ON DELETE CASCADE,
    DROP CONSTRAINT message_deliveries_channel_check;
ALTER TABLE message_deliveries
    ADD CONSTRAINT message_deliveries_channel_check
        CHECK (channel IN ('EMAIL', 'SMS', 'WEBHOOK', 'PUSH')) NOT VALID,
    ADD CONSTRAINT message_deliveries_subscription_check
        CHECK ((channel = 'PUSH') = (subscription_id IS NOT NULL)) NOT VALID;
ALTER TABLE message_deliveries VALIDATE CONSTRAINT message_deliveries_channel_check;
ALTER TABLE message_deliveries VALIDATE CONSTRAINT message_deliveries_subscription_check;
CREATE INDEX idx_message_deliveries_subscription ON message_deliveries (subscription_id)
    WHERE subscription_id IS NOT NULL;
DROP INDEX idx_message_deliveries_notification;
CREATE UNIQUE INDEX idx_message_deliveries_notification
    ON message_deliveries (notification_id, channel, subscription_id) NULLS NOT DISTINCT
    WHERE notification_id IS NOT NULL;
ALTER TABLE notification_preferences DROP CONSTRAINT notification_preferences_channel_check;
ALTER TABLE notification_preferences ADD CONSTRAINT notification_preferences_channel_check
    CHECK (channel IN ('IN_APP', 'EMAIL', 'SMS', 'PUSH')) NOT VALID;
ALTER TABLE notification_preferences VALIDATE CONSTRAINT notification_preferences_channel_check;
"""

RIGHTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON push_subscriptions TO deedbook_app;
"""


def upgrade() -> None:
    for part in (SUBSCRIPTIONS, DELIVERIES, RIGHTS):
        op.execute(part)


def downgrade() -> None:
    raise NotImplementedError("we go forward; restore a backup to go back")
