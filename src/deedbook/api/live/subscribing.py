"""Beginning and ending to hear a channel."""

from typing import Any

import orjson
from redis.asyncio import Redis
from starlette.requests import HTTPConnection

from deedbook.api.key_use import require_scope
from deedbook.api.live.accounts import Accounts
from deedbook.api.live.connection import Connection, Subscription
from deedbook.api.live.errors import TooManySubscriptions
from deedbook.api.live.event_feed import EventFeed
from deedbook.api.live.hub import Hub
from deedbook.api.live.messages import OF_A_PAIR, Subscribe, Unsubscribe
from deedbook.identity import Scope
from deedbook.identity.errors import Unauthenticated
from deedbook.kernel.errors import FieldError, Invalid
from deedbook.kernel.ids import UserId
from deedbook.marketdata.terms import Interval
from deedbook.trading.entry import OrderEntry
from deedbook.trading.spec import PairSpec

MAX_SUBSCRIPTIONS = 100
Key = tuple[str, ...]


async def subscribe(socket: HTTPConnection, hub: Hub, connection: Connection, asked: Subscribe) -> None:
    """Hear a channel. Who hears it already begins anew: that is how a client mends a copy that went wrong.

    Raises:
        Invalid · Unauthenticated · Forbidden · KeyScopeMissing · PairNotFound · TooManySubscriptions · Unavailable:
            nothing has changed.
    """
    _require_room(connection, _key(asked))
    if asked.channel in OF_A_PAIR:
        spec = await _pair(socket, asked.market)
        await _hear_pair(hub, connection, asked, spec, socket.app.state.resources.redis)
    elif asked.channel == "markets":
        _keep(connection, _key(asked), hub.hear_markets(connection))
        _answer(connection, asked)
    elif asked.channel == "balances":
        subscription, snapshot = await _accounts(socket).hear_balances(
            connection, _whose(connection, Scope.ACCOUNT)
        )
        _keep(connection, _key(asked), subscription)
        _answer(connection, asked)
        connection.send(snapshot)
    elif asked.channel == "ops":
        told, now = await hub.operations.hear(connection)
        _keep(connection, _key(asked), told)
        _answer(connection, asked)
        connection.send(now)
    else:
        await _hear_events(socket, connection, asked)


def unsubscribe(connection: Connection, asked: Unsubscribe) -> None:
    """Hear a channel no longer; harmless where it was not heard."""
    subscription = connection.subscriptions.pop(_key(asked), None)
    if subscription is not None:
        subscription.end()
    told = {"type": "unsubscribed", "id": asked.id, "channel": asked.channel, "market": asked.market}
    connection.send(orjson.dumps(told).decode())


async def _hear_pair(
    hub: Hub, connection: Connection, asked: Subscribe, spec: PairSpec, redis: Redis
) -> None:
    feed = await hub.feed(spec)
    # From here on nothing is awaited between joining a channel and telling what it is: no message slips between.
    match asked.channel:
        case "book":
            subscription, snapshot = await feed.hear_book(connection, asked.depth)
        case "candles":
            subscription, snapshot = await feed.hear_candles(connection, redis, _interval(asked))
        case "trades":
            subscription, snapshot = await feed.hear_trades(connection)
        case _:
            subscription, snapshot = await feed.hear_ticker(connection)
    _keep(connection, _key(asked), subscription)
    _answer(connection, asked, market=spec.symbol)
    connection.send(snapshot)


async def _hear_events(socket: HTTPConnection, connection: Connection, asked: Subscribe) -> None:
    def confirm(feed: EventFeed) -> None:
        _keep(connection, _key(asked), feed)
        _answer(connection, asked, seq=feed.seq)

    await _accounts(socket).hear_events(
        connection, _whose(connection, Scope.READ), asked.channel, asked.from_seq, confirm
    )


def _keep(connection: Connection, key: Key, subscription: Subscription) -> None:
    former = connection.subscriptions.pop(key, None)
    if former is not None:
        former.end()
    connection.subscriptions[key] = subscription


def _require_room(connection: Connection, key: Key) -> None:
    if key not in connection.subscriptions and len(connection.subscriptions) >= MAX_SUBSCRIPTIONS:
        raise TooManySubscriptions(f"at most {MAX_SUBSCRIPTIONS} on one connection")


def _answer(connection: Connection, asked: Subscribe, **more: Any) -> None:
    told = {"type": "subscribed", "id": asked.id, "channel": asked.channel, **more}
    connection.send(orjson.dumps(told).decode())


def _key(asked: Subscribe | Unsubscribe) -> Key:
    match asked.channel:
        case "book":
            return ("book", asked.market or "", str(asked.depth))
        case "candles":
            return ("candles", asked.market or "", asked.interval or "")
        case "trades" | "ticker":
            return (asked.channel, asked.market or "")
        case _:
            return (asked.channel,)


def _interval(asked: Subscribe) -> Interval:
    try:
        return Interval(asked.interval)
    except ValueError:
        known = ", ".join(interval.value for interval in Interval)
        bad = FieldError("/interval", "unknown", f"one of {known}")
        raise Invalid("say of which interval", errors=(bad,)) from None


def _whose(connection: Connection, scope: Scope) -> UserId:
    if connection.caller is None:
        raise Unauthenticated("say who you are first: send auth")
    require_scope(connection.caller, scope)
    return connection.caller.user_id


def _accounts(socket: HTTPConnection) -> Accounts:
    accounts: Accounts = socket.app.state.accounts
    return accounts


async def _pair(socket: HTTPConnection, name: str | None) -> PairSpec:
    if name is None:
        missing = FieldError("/market", "missing", "this channel is about a pair: say which")
        raise Invalid("say which market", errors=(missing,))
    entry: OrderEntry = socket.app.state.entry
    return await entry.pairs.spec(name)
