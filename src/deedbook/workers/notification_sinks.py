"""Sinks that tell people what happened: written down in the transaction that moves the cursor, so exactly once."""

import asyncio

from deedbook import notifications
from deedbook.infra import outbox
from deedbook.infra.database import Database
from deedbook.infra.lease import Lease
from deedbook.infra.outbox import Cursor
from deedbook.trading.matching import facts_after
from deedbook.trading.pairs import PairDirectory
from deedbook.workers.relay import BATCH, Sink

BATCHES = 500
PAUSE_S = 1.0
SPEC_S = 60.0


class NotificationsSink(Sink):
    """Facts to those whom they are about."""

    name = "notifications"

    async def deliver(self, held: Lease, cursor: Cursor) -> bool:
        facts = await outbox.facts_after(self._db, cursor, limit=BATCH)
        if not facts:
            return False
        notices = await notifications.notices_of(self._db, facts)
        also = (lambda tx: notifications.tell(tx, notices)) if notices else None
        await self._advance(held, facts[-1].cursor, len(facts), also)
        return True


class TradingNotificationsSink(Sink):
    """Live events of orders and trades to their owners. It looks once a second, since nobody reads faster, and so that
    telling people costs trading next to nothing."""

    name = "trading-notifications"

    def __init__(self, db: Database, holder: str, pause_s: float = PAUSE_S) -> None:
        super().__init__(db, holder)
        self._pairs = PairDirectory(db, spec_s=SPEC_S)
        self._pause_s = pause_s

    async def deliver(self, held: Lease, cursor: Cursor) -> bool:
        batches = await facts_after(self._db, cursor, limit=BATCHES)
        if not batches:
            return False
        lines = [line for batch in batches for line in batch.lines]
        told = await notifications.order_notices_of(self._pairs, lines)
        also = (lambda tx: notifications.tell_of_orders(tx, told)) if told else None
        await self._advance(held, batches[-1].cursor, len(batches), also)
        await asyncio.sleep(self._pause_s)
        return True
