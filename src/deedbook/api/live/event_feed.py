"""One of the private channels that tell events, for one client: what it has heard, and how an event is told."""

from collections.abc import Callable
from typing import Any

import orjson

from deedbook.api.live.connection import Connection, Subscription
from deedbook.trading.account_views import SHIFT, AccountEvent

FILLS = "fills"
CHANNELS = {
    "trade.executed": "fills",
    "trade.settlement_pending": "settlements",
    "trade.settled": "settlements",
    "trade.settlement_failed": "settlements",
}
_TRADE = '"tradeId":"'


class EventFeed(Subscription):
    """One of `orders`, `fills` and `settlements` for one client. `seq` is the place of what it has heard last; events
    up to the transaction `after` were looked at already."""

    def __init__(self, connection: Connection, leave: "Callable[[EventFeed], None]", channel: str) -> None:
        super().__init__(connection, lambda _: leave(self))
        self.channel = channel
        self.seq = 0
        self.after = 0

    def lacks(self, event: AccountEvent) -> bool:
        """Whether this is one that it has not heard."""
        later = event.seq > self.seq and event.seq >> SHIFT > self.after
        return later and channel_of(event) == self.channel

    def text(self, event: AccountEvent, trades: dict[str, dict[str, Any]]) -> str:
        """The event as this client hears it."""
        told = orjson.loads(event.text)
        data = {"tradingPairId": told["tradingPairId"], **told["payload"]}
        if self.channel == FILLS:
            data = trades[party_of(event)]
        before, self.seq = self.seq, event.seq
        message = {
            "type": "event",
            "channel": self.channel,
            "prevSeq": before,
            "seq": event.seq,
            "ts": told["timestamp"],
            "eventId": told["eventId"],
            "eventType": told["eventType"],
            "data": data,
        }
        return orjson.dumps(message).decode()


def channel_of(event: AccountEvent) -> str:
    start = event.text.find('"eventType":"') + 13
    return CHANNELS.get(event.text[start : event.text.find('"', start)], "orders")


def party_of(event: AccountEvent) -> str:
    return event.user_id + trade_id_of(event)


def trade_id_of(event: AccountEvent) -> str:
    start = event.text.find(_TRADE) + len(_TRADE)
    return event.text[start : start + 36]
