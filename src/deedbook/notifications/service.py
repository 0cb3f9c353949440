"""Use cases: people are told what happened, once, and say what they have read."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from deedbook.identity import Caller
from deedbook.infra.database import Database, Tx
from deedbook.infra.outbox import StoredFact
from deedbook.kernel.ids import UserId, parse_uuid
from deedbook.markets import views as markets
from deedbook.notifications import model, outgoing, telling, trading_telling, webhooks
from deedbook.notifications.errors import NotificationNotFound
from deedbook.notifications.events import PreferencesChanged
from deedbook.notifications.model import Notice, OrderNotice
from deedbook.notifications.store import contacts, feed, preferences, push
from deedbook.notifications.store.deliveries import NewDelivery
from deedbook.notifications.telling import Named
from deedbook.notifications.terms import Channel, Kind, Outgoing, SubscriptionId
from deedbook.tokens import views as tokens
from deedbook.trading.pairs import PairDirectory

READ_AT_ONCE = 10_000
KEPT = timedelta(days=180)
REMOVED_AT_ONCE = 5000


async def notices_of(db: Database, facts: Sequence[StoredFact]) -> list[Notice]:
    """What is told of these facts, with the names of what they are about."""
    wanted = telling.of_interest(facts)
    found = await tokens.some(db, _ids(wanted, "tokenId"))
    symbols = {str(shown.token.token_id): shown.token.symbol for shown in found}
    issuers = await markets.issuers(db, _ids(wanted, "marketId"))
    mints = await tokens.asked_mints(db, _ids(wanted, "mintId"))
    issued = {str(market_id): named for market_id, named in issuers.items()}
    return telling.notices(
        wanted, Named(symbols, issued, {str(mint_id): one for mint_id, one in mints.items()})
    )


def _ids(facts: Sequence[StoredFact], name: str) -> list[UUID]:
    found = {parse_uuid(str(fact.payload.get(name))) for fact in facts}
    return sorted(one for one in found if one is not None)


async def order_notices_of(pairs: PairDirectory, lines: Sequence[str]) -> list[OrderNotice]:
    """What is told of these live events of orders and trades."""
    events = trading_telling.read(lines)
    ids = {str(event["tradingPairId"]) for event in events}
    return trading_telling.notices(events, {pair_id: (await pairs.spec(pair_id)).symbol for pair_id in ids})


async def tell(tx: Tx, notices: Sequence[Notice]) -> None:
    """Tell each of these once. Who is no user of ours, such as the account of fees, is told nothing."""
    known = await feed.known(tx, {notice.user_id for notice in notices})
    told = [notice for notice in notices if notice.user_id in known]
    if not told:
        return
    await webhooks.post(tx, told)
    await _notify(tx, told, known)


async def _notify(tx: Tx, told: Sequence[Notice], known: set[UserId]) -> None:
    chosen = await preferences.chosen(tx, known)
    browsers = await push.of_users(tx, known)
    reachable = {(user_id, Channel.IN_APP) for user_id in known} | await contacts.verified(tx, known)
    reachable |= {(user_id, Channel.PUSH) for user_id in browsers}
    channels = {
        (notice.user_id, notice.source): {
            channel
            for channel in Channel
            if (notice.user_id, channel) in reachable
            and model.wants(chosen.get((notice.user_id, notice.kind, channel)), notice.kind, channel)
        }
        for notice in told
    }
    await _write(tx, told, channels, browsers)


async def _write(
    tx: Tx,
    told: Sequence[Notice],
    channels: Mapping[tuple[UserId, str], set[Channel]],
    browsers: Mapping[UserId, Sequence[SubscriptionId]],
) -> None:
    wanted = [(notice, channels[notice.user_id, notice.source]) for notice in told]
    fresh = await feed.add(tx, [(notice, Channel.IN_APP in where) for notice, where in wanted if where])
    messages = [
        NewDelivery(
            user_id=notice.user_id,
            channel=Outgoing(channel.value),
            kind=notice.kind.value,
            source=notice.source,
            notification_id=fresh[notice.user_id, notice.source],
            subscription_id=browser,
        )
        for notice, where in wanted
        if (notice.user_id, notice.source) in fresh
        for channel in sorted(where - {Channel.IN_APP}, key=lambda channel: channel.value)
        for browser in (browsers[notice.user_id] if channel is Channel.PUSH else (None,))
    ]
    if messages:
        await outgoing.add(tx, messages)


async def tell_of_orders(tx: Tx, told: Sequence[OrderNotice]) -> None:
    """The same of orders, of which machines have thousands: for people those are counted beyond a number, while
    webhooks get each of them."""
    users = {entry.user_id for entry in told}
    hour = (await tx.now()).replace(minute=0, second=0, microsecond=0)
    lately = await feed.orders_heard_of(tx, users, hour)
    known = await feed.known(tx, users)
    mine = [entry for entry in told if entry.user_id in known]
    listening = await webhooks.listening(tx, known)
    await webhooks.post(tx, [trading_telling.worded(entry) for entry in mine if entry.user_id in listening])
    single, summaries = model.fold(model.last_of_each_order(mine), lately)
    await _notify(tx, [trading_telling.worded(entry) for entry in single], known)
    for summary in summaries:
        await feed.count(tx, summary)


async def choose(tx: Tx, caller: Caller, choices: Mapping[tuple[Kind, Channel], bool]) -> None:
    """Hear of these things there, or no longer. What concerns one's safety always stands in the feed."""
    before = await preferences.chosen(tx, [caller.user_id])
    await preferences.choose(tx, caller.user_id, choices)
    former = {f"{kind.value} {channel.value}": wanted for (_, kind, channel), wanted in before.items()}
    after = former | {f"{kind.value} {channel.value}": wanted for (kind, channel), wanted in choices.items()}
    tx.emit(PreferencesChanged(user_id=caller.user_id), caller.actor, before=former, after=after)


async def mark_read(tx: Tx, user_id: UserId, notification_id: UUID) -> None:
    """Note that somebody has read one.

    Raises:
        NotificationNotFound: there is none, or it is another's.
    """
    if not await feed.mark_read(tx, user_id, notification_id):
        raise NotificationNotFound


async def mark_all_read(tx: Tx, user_id: UserId, up_to: UUID) -> int:
    """Note that somebody has read everything up to one; how many they had not."""
    return await feed.mark_all_read(tx, user_id, up_to, READ_AT_ONCE)


async def remove_old(tx: Tx) -> bool:
    """Forget what was told long ago; whether there may be more."""
    return await feed.remove_old(tx, await tx.now() - KEPT, REMOVED_AT_ONCE) == REMOVED_AT_ONCE
