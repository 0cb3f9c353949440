"""Webhooks: what the permission service sends, as SNS messages or as direct posts that we can verify."""

from datetime import UTC, datetime

import structlog
from fastapi import APIRouter, Request

from deedbook import markets
from deedbook.api.deps import PUBLIC, ResourcesDep, access
from deedbook.api.strict import parse_json
from deedbook.api.v1.schemas.operations import WebhookAnswer
from deedbook.infra.failpoints import failpoint
from deedbook.infra.inbox import IncomingEvent
from deedbook.integrations.entity_permissions import direct
from deedbook.integrations.entity_permissions.client import read_event
from deedbook.integrations.entity_permissions.sns import SnsMessage, SnsVerifier, WebhookMalformed
from deedbook.kernel.errors import Malformed

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/webhooks", tags=["webhooks"])

SNS_TYPES = frozenset({"Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"})
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "description": "An SNS message, or an event with an X-Deedbook-Signature over its bytes.",
            }
        }
    },
}


@router.get("/health", openapi_extra=access(PUBLIC, bucket="webhooks"))
async def health() -> dict[str, str]:
    """Whether webhooks are received here."""
    return {"status": "ok"}


@router.post("/entity-permissions", openapi_extra={**access(PUBLIC, bucket="webhooks"), "requestBody": _BODY})
async def entity_permissions(request: Request, resources: ResourcesDep) -> WebhookAnswer:
    """Receive an event. 200 once it is recorded, whatever became of it; 4xx only for what is malformed or not
    authentic; 503 where nothing could be recorded, so that the sender repeats it."""
    body = await request.body()
    parsed = parse_json(body)
    if not isinstance(parsed, dict):
        raise WebhookMalformed("the body is no JSON object")
    now = datetime.now(UTC)
    if str(parsed.get("Type")) in SNS_TYPES:
        verifier: SnsVerifier = request.app.state.sns
        message = await verifier.verify(body, now)
        if message.message_type != "Notification":
            return await _subscription(resources, message)
        event = _event_in(message)
    else:
        secret = resources.settings.WEBHOOK_HMAC_SECRET
        header = request.headers.get("x-deedbook-signature")
        direct.verify(secret.get_secret_value() if secret else None, header, body, now)
        found = read_event(parsed, "webhook")
        if found is None:
            raise WebhookMalformed("the event lacks event_id, event_type, source or payload")
        event = found
    outcome = await markets.receive(resources.db, resources.permissions, resources.decision_sources, event)
    await failpoint("webhook.beforeReply")
    return WebhookAnswer(event_id=event.event_id, status=outcome.value)


def _event_in(message: SnsMessage) -> IncomingEvent:
    try:
        event = read_event(parse_json(message.message.encode()), "sns")
    except Malformed:
        event = None
    if event is None:
        raise WebhookMalformed("the SNS message holds no event of the permission service")
    return event


async def _subscription(resources: ResourcesDep, message: SnsMessage) -> WebhookAnswer:
    """Record it for an operator. Its URL is never fetched; see the runbook for how to confirm."""
    event = IncomingEvent(
        event_id=f"sns-{message.message_id}"[:200],
        event_type=f"sns.{message.message_type}",
        source="sns",
        payload={"topicArn": message.topic_arn, "token": message.token},
        context={},
        received_via="sns",
    )
    log.warning("sns_subscription_message", type=message.message_type, topic=message.topic_arn)
    outcome = await markets.receive(resources.db, resources.permissions, resources.decision_sources, event)
    return WebhookAnswer(event_id=event.event_id, status=outcome.value)
