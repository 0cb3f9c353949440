"""Use cases: people are told what happened, once, and say what they have read."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from deedbook.infra.database import Database, Tx
from deedbook.infra.outbox import StoredFact
from deedbook.kernel.ids import UserId, parse_uuid
from deedbook.markets import views as markets
from deedbook.notifications import model, telling, trading_telling
from deedbook.notifications.errors import NotificationNotFound
from deedbook.notifications.model import Notice, OrderNotice
from deedbook.notifications.store import feed, preferences
from deedbook.notifications.telling import Named
from deedbook.notifications.terms import Channel
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
    return telling.notices(
        wanted, Named(symbols, {str(market_id): named for market_id, named in issuers.items()})
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
    chosen = await preferences.chosen(tx, known)

    def wants(notice: Notice, channel: Channel) -> bool:
        if channel is Channel.IN_APP and not model.may_be_silenced(notice.kind):
            return True
        default = model.wanted_by_default(notice.kind, channel)
        return chosen.get((notice.user_id, notice.kind, channel), default)

    await feed.add(tx, [(notice, True) for notice in told if wants(notice, Channel.IN_APP)])


async def tell_of_orders(tx: Tx, told: Sequence[OrderNotice]) -> None:
    """The same of orders, of which machines have thousands: those are counted beyond a number."""
    users = {entry.notice.user_id for entry in told}
    hour = (await tx.now()).replace(minute=0, second=0, microsecond=0)
    lately = await feed.orders_heard_of(tx, users, hour)
    single, summaries = model.fold(model.last_of_each_order(told), lately)
    await tell(tx, single)
    known = await feed.known(tx, {summary.user_id for summary in summaries})
    for summary in summaries:
        if summary.user_id in known:
            await feed.count(tx, summary)


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
