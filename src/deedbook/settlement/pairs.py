"""Pairs: the contract learns each by the symbol that orders are signed with, and a pair whose trades pile up takes
cancels alone until the chain has caught up."""

import structlog

from deedbook import chain, trading
from deedbook.chain.terms import Contract
from deedbook.infra.database import Database
from deedbook.infra.failpoints import failpoint
from deedbook.settlement import model
from deedbook.settlement.events import SettlementBacklogChanged, SettlementPairListed
from deedbook.settlement.ports import Desk
from deedbook.settlement.store import pairs as store
from deedbook.settlement.terms import PairToList

log = structlog.get_logger(__name__)

LISTED_AT_ONCE = 20


async def list_new(db: Database, desk: Desk) -> int:
    """Have the contract take up pairs that it does not know, without waiting: what is not final yet is looked at again.
    How many it knows now.

    Raises:
        ChainUnavailable · TransactionReverted: again later.
    """
    vault = (await chain.contracts(db, desk.chain_id)).get(Contract.SETTLEMENT)
    waiting = await store.unlisted(db, desk.chain_id, LISTED_AT_ONCE) if vault is not None else []
    listed = 0
    for pair in waiting:
        assert vault is not None
        if await desk.words.is_pair_listed(desk.node, vault, pair.symbol):
            await _known(db, pair)
            listed += 1
            continue
        key = await chain.next_key(db, f"list-pair-{pair.pair_id}")
        call = desk.words.list_pair(vault, pair.symbol, pair.base, pair.quote, pair.fees_from)
        async with db.transaction() as tx:
            await chain.request(tx, key, desk.operator, call)
        await failpoint("listPair.afterRequest")
    return listed


async def _known(db: Database, pair: PairToList) -> None:
    async with db.transaction() as tx:
        if await store.set_listed(tx, pair.pair_id):
            told = SettlementPairListed(trading_pair_id=pair.pair_id, symbol=pair.symbol)
            tx.emit(told, before={"listed": False}, after={"listed": True})
    log.info("pair_listed", pair=pair.symbol)


async def bound_backlogs(db: Database) -> int:
    """Let pairs take orders, or cancels alone, by how many of their trades wait; how many changed."""
    async with db.transaction() as tx:
        changed = 0
        for pair in await store.backlogs(tx):
            congested = model.is_congested(pair.unsettled, pair.bound, now=pair.congested)
            if not await trading.settled.set_congested(tx, pair.pair_id, congested):
                continue
            changed += 1
            told = SettlementBacklogChanged(
                trading_pair_id=pair.pair_id, congested=congested, unsettled=pair.unsettled
            )
            tx.emit(told, before={"congested": pair.congested}, after={"congested": congested})
            log.warning("settlement_backlog", pair_id=str(pair.pair_id), unsettled=pair.unsettled)
    return changed
