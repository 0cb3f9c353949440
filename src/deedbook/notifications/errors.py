"""Refusals of this room.

Refusal
├─ NotificationNotFound   no such notification, or it is another's
├─ ChannelNotSetUp        this installation sends nothing that way
├─ ContactNotFound        no address of mine for this channel
├─ CodeRefused            not the code that was sent, or none that holds
├─ TooManyCodes           so many were sent in the last hour
├─ WebhookNotFound        no such webhook, or another's
├─ WebhookDisabledNow     it is switched off
├─ TooManyWebhooks        ten are enough
├─ TooManyTests           so many were asked for in the last hour
├─ SubscriptionNotFound   no such browser of mine
├─ TooManySubscriptions   ten are enough
├─ DeliveryNotFound       nothing was posted under this id, or it is forgotten
└─ DeliveryUnderWay       it is being posted anyway
"""

from deedbook.kernel.errors import Kind, Refusal


class NotificationNotFound(Refusal):
    code, kind, title = "notification_not_found", Kind.ABSENT, "There is no such notification"


class ChannelNotSetUp(Refusal):
    code, kind, title = "channel_not_set_up", Kind.CONFLICT, "Nothing is sent that way here"


class ContactNotFound(Refusal):
    code, kind, title = "contact_not_found", Kind.ABSENT, "You have given no such address"


class CodeRefused(Refusal):
    code, kind, title = "code_refused", Kind.INVALID, "This code does not hold"


class TooManyCodes(Refusal):
    """Each code costs a message, and whoever gets them may not have asked for any."""

    code, kind, title = "too_many_codes", Kind.RATE_LIMITED, "Too many codes were sent"


class WebhookNotFound(Refusal):
    code, kind, title = "webhook_not_found", Kind.ABSENT, "There is no such webhook"


class WebhookDisabledNow(Refusal):
    """It failed for days, or said that it is gone; switch it on when it is mended."""

    code, kind, title = "webhook_disabled", Kind.CONFLICT, "This webhook is switched off"


class TooManyWebhooks(Refusal):
    code, kind, title = "too_many_webhooks", Kind.CONFLICT, "You have as many webhooks as one can have"


class TooManyTests(Refusal):
    """Whoever gets them may not have asked for any."""

    code, kind, title = "too_many_tests", Kind.RATE_LIMITED, "Too many test messages were asked for"


class DeliveryNotFound(Refusal):
    code, kind, title = "delivery_not_found", Kind.ABSENT, "There is no such message"


class DeliveryUnderWay(Refusal):
    code, kind, title = "delivery_under_way", Kind.CONFLICT, "This message is being posted"


class SubscriptionNotFound(Refusal):
    code, kind, title = "push_subscription_not_found", Kind.ABSENT, "You have subscribed no such browser"


class TooManySubscriptions(Refusal):
    code, kind, title = (
        "too_many_push_subscriptions",
        Kind.CONFLICT,
        "You have subscribed as many browsers as one can",
    )
