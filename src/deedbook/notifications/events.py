"""Facts of this room: where somebody is told. They hold no address."""

from deedbook.kernel.events import Audience, Fact, fact
from deedbook.kernel.ids import UserId
from deedbook.notifications.terms import EndpointId, SubscriptionId


@fact("contact.changed", stream="user_id", audience=Audience.USER)
class ContactChanged(Fact):
    """A user has given an address of theirs, taken it away, or proved that it is theirs (`state`)."""

    user_id: UserId
    channel: str
    state: str


@fact("preferences.changed", stream="user_id", audience=Audience.USER)
class PreferencesChanged(Fact):
    """A user wants to hear of something elsewhere, or no longer."""

    user_id: UserId


@fact("webhook.added", stream="endpoint_id", audience=Audience.USER)
class WebhookAdded(Fact):
    """What happens to a user is posted to one more address."""

    endpoint_id: EndpointId
    user_id: UserId


@fact("webhook.removed", stream="endpoint_id", audience=Audience.USER)
class WebhookRemoved(Fact):
    """Nothing is posted to an address any more."""

    endpoint_id: EndpointId
    user_id: UserId


@fact("webhook.secret_rotated", stream="endpoint_id", audience=Audience.USER)
class WebhookSecretRotated(Fact):
    """An address has a new secret; the former one signs too for a day."""

    endpoint_id: EndpointId
    user_id: UserId


@fact("webhook.disabled", stream="endpoint_id", audience=Audience.USER)
class WebhookDisabled(Fact):
    """Nothing is posted to an address until its owner says so: it has failed for too long, or is gone."""

    endpoint_id: EndpointId
    user_id: UserId
    reason: str


@fact("webhook.enabled", stream="endpoint_id", audience=Audience.USER)
class WebhookEnabled(Fact):
    """Its owner wants what happens to be posted to an address again."""

    endpoint_id: EndpointId
    user_id: UserId


@fact("push.subscribed", stream="subscription_id", audience=Audience.USER)
class PushSubscribed(Fact):
    """What happens to a user is told to one more browser or telephone."""

    subscription_id: SubscriptionId
    user_id: UserId


@fact("push.unsubscribed", stream="subscription_id", audience=Audience.USER)
class PushUnsubscribed(Fact):
    """A browser is told nothing any more: its user wants it so (`unsubscribed`), somebody else is signed in there
    now (`taken_over`), it is `gone`, or its push service has `refused` everything for days."""

    subscription_id: SubscriptionId
    user_id: UserId
    reason: str
