"""Pairs: the contract learns each by the symbol that orders are signed with, and a pair whose trades pile up takes
cancels alone until the chain has caught up."""

import structlog

from deedbook import chain, trading
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.terms import Contract, TxStatus
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.failpoints import failpoint
from deedbook.infra.telemetry import told_lately
from deedbook.settlement import model
from deedbook.settlement.events import SettlementBacklogChanged, SettlementPairListed
from deedbook.settlement.ports import Desk
from deedbook.settlement.store import pairs as store
from deedbook.settlement.terms import PairToList

log = structlog.get_logger(__name__)

LISTED_AT_ONCE = 20
TOLD_EVERY_S = 60.0


async def list_new(db: Database, desk: Desk) -> int:
    """Have the contract take up pairs that it does not know, without waiting: what is not final yet is looked at again.
    How many it knows now.

    Raises:
        ChainUnavailable: again later.
    """
    vault = (await chain.contracts(db, desk.chain_id)).get(Contract.SETTLEMENT)
    waiting = await store.unlisted(db, desk.chain_id, LISTED_AT_ONCE) if vault is not None else []
    listed = 0
    for pair in waiting:
        assert vault is not None
        try:
            listed += await _list(db, desk, vault, pair)
        except TransactionReverted as undone:
            if not told_lately(f"list {pair.symbol}", TOLD_EVERY_S):
                log.error("pair_not_listed", pair=pair.symbol, reason=undone.detail)
    return listed


async def _list(db: Database, desk: Desk, vault: Address, pair: PairToList) -> bool:
    """Ask for the one transaction that a pair needs; `True` once the contract knows it."""
    key = await chain.next_key(db, f"list-pair-{pair.pair_id}")
    asked = await chain.find(db, key)
    if asked is not None and asked.status is not TxStatus.CONFIRMED:
        return False
    if await desk.words.is_pair_listed(desk.node, vault, pair.symbol):
        await _known(db, pair)
        return True
    if asked is None:
        call = desk.words.list_pair(vault, pair.symbol, pair.base, pair.quote, pair.fees_from)
        async with db.transaction() as tx:
            await chain.request(tx, key, desk.operator, call)
        await failpoint("listPair.afterRequest")
    return False


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
