"""Bodies about webhooks: where what happens to me is posted."""

from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import Field

from deedbook.api.v1.schemas.common import Answer, Body, Line, Moment
from deedbook.api.v1.schemas.notifications import KINDS
from deedbook.notifications.model import Endpoint


class AddWebhook(Body):
    """An https address, and which kinds of notifications are posted there: with none named, all."""

    url: Annotated[
        str, Field(strict=True, min_length=8, max_length=500, examples=["https://example.com/deedbook"])
    ]
    description: Annotated[Line, Field(max_length=200, examples=["the desk"])] = ""
    kinds: Annotated[
        tuple[Literal[*KINDS], ...],  # type: ignore[valid-type]
        Field(max_length=100, examples=[["order.filled"]]),
    ] = ()


class MyWebhookAnswer(Answer):
    """A webhook. `failingSince` is when it began to take nothing; after three days of that it is switched off."""

    id: UUID
    url: str
    description: str
    kinds: list[str]
    enabled: bool
    failing_since: Moment | None
    former_secret_until: Moment | None
    created_at: Moment

    @classmethod
    def of(cls, endpoint: Endpoint) -> "MyWebhookAnswer":
        return cls(
            id=endpoint.endpoint_id,
            url=endpoint.url,
            description=endpoint.description,
            kinds=sorted(endpoint.kinds),
            enabled=endpoint.disabled_at is None,
            failing_since=endpoint.failing_since,
            former_secret_until=endpoint.former_until,
            created_at=endpoint.created_at,
        )


class MyWebhookSecretAnswer(Answer):
    """A webhook and the secret that signs what it gets. It is shown in this answer alone: where the answer is given
    again for a repeated request, it is null."""

    webhook: MyWebhookAnswer
    secret: str | None


class MyWebhookRemoved(Answer):
    """Nothing is posted there any more."""

    removed: bool = True


class MessageAsked(Answer):
    """It is on its way, under this id."""

    id: UUID


class MessageAnswer(Answer):
    """Something that was posted, or shall be. `webhookId` is what it carries in its header, however often it is
    posted; `outcome` is what came of it last."""

    id: UUID
    webhook_id: str
    kind: str
    status: str
    attempts: int
    outcome: str | None
    next_attempt_at: Moment | None
    created_at: Moment
    finished_at: Moment | None
    payload: dict[str, Any]

    @classmethod
    def of(cls, row: dict[str, Any]) -> "MessageAnswer":
        told = {
            "id": row["delivery_id"],
            "webhook_id": f"msg_{row['delivery_id']}",
            "outcome": row["last_outcome"],
            "payload": orjson.loads(row["payload"]),
        }
        return cls.model_validate({**row, **told})
