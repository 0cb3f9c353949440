"""What this room needs from outside: whoever carries its messages, and a secret that is kept nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from redis.asyncio import Redis

from deedbook.infra.database import Database
from deedbook.notifications.terms import Arrival
from deedbook.notifications.turns import Turns


@dataclass(frozen=True)
class Mail:
    """A letter. The same `message_id` again is the same letter, and mail programs show it once."""

    message_id: str
    to: str
    subject: str
    text: str
    html: str
    at: datetime


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt; `told` is a few words of ours and holds nothing of the receiver's but `status`, the
    number that it answered. `gone`: there is nobody any more where it was sent."""

    arrival: Arrival
    told: str
    status: int | None = None
    gone: bool = False


NOT_SET_UP = Outcome(Arrival.LATER, "not set up here")


class Mailer(Protocol):
    """Sends letters. Never an exception for what the other side does."""

    async def send(self, mail: Mail) -> Outcome: ...


class Texter(Protocol):
    """Sends short messages to telephones. Never an exception for what the other side does."""

    async def send(self, to: str, text: str) -> Outcome: ...


class Poster(Protocol):
    """Posts to addresses that users have named. Never an exception for what the other side does."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome: ...


@dataclass(frozen=True)
class PushTarget:
    """A browser or telephone: where its push service takes what is for it, and by what it alone reads that."""

    endpoint: str
    public_key: bytes
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class PushMessage:
    """What is shown there. The same `topic` again is the same message, which its service keeps for `keep_s`."""

    topic: str
    body: bytes
    urgent: bool
    keep_s: int


class Pusher(Protocol):
    """Sends to browsers and telephones. Never an exception for what the other side does."""

    async def push(self, target: PushTarget, message: PushMessage) -> Outcome: ...


@dataclass(frozen=True)
class Messengers:
    """Those whom this installation has, `None`: it was not set up; and whom they may post for now."""

    mailer: Mailer | None = None
    texter: Texter | None = None
    poster: Poster | None = None
    pusher: Pusher | None = None
    turns: Turns = field(default_factory=Turns)


@dataclass(frozen=True)
class MessagePolicy:
    """What messages are made with. `secret` is what codes and webhooks' secrets are derived from."""

    secret: str = field(repr=False)
    site: str
    domain: str


class NotificationResources(Protocol):
    """What the wiring hands to the jobs of this room."""

    @property
    def db(self) -> Database: ...

    @property
    def redis(self) -> Redis: ...

    @property
    def messengers(self) -> Messengers: ...

    @property
    def message_policy(self) -> MessagePolicy: ...
