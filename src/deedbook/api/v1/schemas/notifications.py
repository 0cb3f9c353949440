"""Bodies about what people are told."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from deedbook.api.v1.schemas.common import Answer, Body, Id, Moment


class DetailAnswer(Answer):
    """A label and its value, as they are shown."""

    label: str
    value: str


class NotificationAnswer(Answer):
    """What I was told. `subjectId` is the thing that it is about; `times` is more than 1 where many are told as one."""

    id: UUID
    kind: str
    subject_type: str
    subject_id: UUID
    title: str
    body: str
    details: list[DetailAnswer]
    times: int
    occurred_at: Moment
    created_at: Moment
    read_at: Moment | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> "NotificationAnswer":
        details = [DetailAnswer(label=label, value=value) for label, value in row["details"]]
        return cls.model_validate({**row, "id": row["notification_id"], "details": details})


class UnreadAnswer(Answer):
    """How many I have not read; counting ends at 1000."""

    unread: int


class ReadUpTo(Body):
    """The newest notification that I have seen."""

    up_to: Annotated[Id, Field(examples=["01981c3e-7d2a-7f30-9b1a-5a1d2f6c8e10"])]


class ReadAnswer(Answer):
    """How many were unread before."""

    marked: int
