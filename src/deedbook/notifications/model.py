"""What is told of one thing to one person. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from deedbook.kernel.ids import UserId
from deedbook.notifications.ports import PushTarget
from deedbook.notifications.terms import Channel, EndpointId, Kind, Outgoing, SubscriptionId, Topic

MAX_TITLE = 200
SINGLE_AN_HOUR = 60
"""How many orders somebody hears of one by one in an hour. Machines trade by the thousand: what goes beyond is counted,
in one notification for each pair and hour."""


@dataclass(frozen=True)
class Notice:
    """A notification before it is written. `source` names what it tells of; `details` are labels and values for people,
    `data` is the same for programs."""

    user_id: UserId
    kind: Kind
    source: str
    subject_type: str
    subject_id: UUID
    title: str
    body: str
    details: tuple[tuple[str, str], ...]
    data: Mapping[str, Any]
    occurred_at: datetime


@dataclass(frozen=True)
class Summary:
    """Orders of somebody on a pair in one hour that are counted and not told one by one."""

    user_id: UserId
    pair_id: UUID
    symbol: str
    hour: datetime
    times: int
    occurred_at: datetime

    @property
    def source(self) -> str:
        return f"orders.summary.{self.pair_id}.{self.hour:%Y-%m-%dT%H}"


@dataclass(frozen=True)
class Subscription:
    """A browser or telephone that a user has subscribed."""

    subscription_id: SubscriptionId
    user_id: UserId
    target: PushTarget
    description: str
    created_at: datetime


@dataclass(frozen=True)
class OrderNotice:
    """Something that happened to an order of somebody's, not yet in words: most of what machines do is only counted."""

    user_id: UserId
    kind: Kind
    order_id: UUID
    pair_id: UUID
    symbol: str
    occurred_at: datetime
    event: Mapping[str, Any]


@dataclass(frozen=True)
class Contact:
    """An address of somebody; `verified_at` is when they proved it."""

    user_id: UserId
    channel: Channel
    address: str
    challenge_id: UUID
    challenged_at: datetime
    tries: int
    verified_at: datetime | None


@dataclass(frozen=True)
class Endpoint:
    """A webhook. Without `kinds` it gets everything; the secret before `secret_version` holds until `former_until`;
    `failing_since` is when it began to take nothing."""

    endpoint_id: EndpointId
    user_id: UserId
    url: str
    description: str
    kinds: frozenset[str]
    secret_version: int
    former_until: datetime | None
    failing_since: datetime | None
    disabled_at: datetime | None
    created_at: datetime

    def wants(self, kind: Kind) -> bool:
        return not self.kinds or kind.value in self.kinds


def last_of_each_order(told: Sequence[OrderNotice]) -> list[OrderNotice]:
    """Without the partial fills of orders of which something later is told in the same breath."""
    last = {entry.order_id: entry for entry in told}
    return [
        entry
        for entry in told
        if entry.kind is not Kind.ORDER_PARTIALLY_FILLED or last[entry.order_id] is entry
    ]


def fold(told: Sequence[OrderNotice], lately: dict[UserId, int]) -> tuple[list[OrderNotice], list[Summary]]:
    """What is told one by one, and what is only counted. `lately` is how many orders each has heard of this hour."""
    single: list[OrderNotice] = []
    counted: dict[tuple[UserId, UUID, datetime], list[OrderNotice]] = defaultdict(list)
    room = {user_id: SINGLE_AN_HOUR - heard for user_id, heard in lately.items()}
    for entry in told:
        left = room.setdefault(entry.user_id, SINGLE_AN_HOUR)
        if left > 0:
            room[entry.user_id] = left - 1
            single.append(entry)
        else:
            hour = entry.occurred_at.replace(minute=0, second=0, microsecond=0)
            counted[(entry.user_id, entry.pair_id, hour)].append(entry)
    return single, [
        Summary(user_id, pair_id, group[0].symbol, hour, len(group), group[-1].occurred_at)
        for (user_id, pair_id, hour), group in counted.items()
    ]


def may_be_silenced(kind: Kind) -> bool:
    """Whether somebody may not want to see it in their feed: what concerns their safety always stands there."""
    return kind.topic not in (Topic.SECURITY, Topic.COMPLIANCE)


_MAILED = frozenset(
    {
        Kind.ORDER_FILLED,
        Kind.ORDER_REJECTED,
        Kind.TRADE_SETTLEMENT_FAILED,
        *(
            kind
            for kind in Kind
            if kind.topic in (Topic.MONEY, Topic.MARKETS, Topic.COMPLIANCE, Topic.SECURITY)
        ),
    }
)


def wanted_by_default(kind: Kind, channel: Channel) -> bool:
    """Everything in the feed; by mail and push what confirms, or asks for somebody; a text message only for who asked
    for it."""
    match channel:
        case Channel.IN_APP:
            return True
        case Channel.EMAIL | Channel.PUSH:
            return kind in _MAILED
        case Channel.SMS:
            return False
        case _:
            assert_never(channel)


_MINUTE, _HOUR = 60, 3600
_AGAIN_S = {
    Outgoing.EMAIL: (_MINUTE, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 6 * _HOUR),
    Outgoing.SMS: (_MINUTE, 5 * _MINUTE, 30 * _MINUTE),
    Outgoing.PUSH: (_MINUTE, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR),
    # Those of https://www.standardwebhooks.com: three days in all.
    Outgoing.WEBHOOK: (
        5,
        5 * _MINUTE,
        30 * _MINUTE,
        2 * _HOUR,
        5 * _HOUR,
        10 * _HOUR,
        14 * _HOUR,
        20 * _HOUR,
        24 * _HOUR,
    ),
}
JITTER = 0.2


def again_in(channel: Outgoing, attempts: int, draw: float) -> timedelta | None:
    """How long to wait after so many attempts, up to a fifth longer by a number drawn between 0 and 1, so that many
    do not come back at once; `None` when it was tried often enough."""
    waits = _AGAIN_S[channel]
    return timedelta(seconds=waits[attempts - 1] * (1 + JITTER * draw)) if attempts <= len(waits) else None


def wants(chosen: bool | None, kind: Kind, channel: Channel) -> bool:
    """Whether somebody who has chosen this, or nothing, hears of it there."""
    if channel is Channel.IN_APP and not may_be_silenced(kind):
        return True
    return wanted_by_default(kind, channel) if chosen is None else chosen
