"""What the platform sends to the vault for its users: ask for the transaction, wait, and write down what the chain
says. Run again at any point, it goes on where it was; a transaction is asked for once, for ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from deedbook import chain
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.terms import Contract, TxStatus
from deedbook.custody import deposits, payouts, transfers
from deedbook.custody.errors import VaultNotDeployed
from deedbook.custody.ports import Desk
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint

REHEARSE_EVERY_S = 1.0
Rehearse = Callable[[Database, Desk, Any, dict[Contract, Address]], Awaitable[str | None]]


@dataclass(frozen=True)
class Errand:
    """One sort: its name in failpoints, its key, and what follows from each answer of the chain. `rehearse` says why
    the contract would undo it now, where a call can tell that without its sender; `is_covered` whether the vault has
    what it takes, where that may still be on its way."""

    name: str
    key_of: Callable[[Any], str]
    begin: Callable[[Tx, Desk, Any, dict[Contract, Address]], Awaitable[bool]]
    submitted: Callable[[Tx, Any, str], Awaitable[None]]
    doubt: Callable[[Tx, Any], Awaitable[None]]
    fail: Callable[[Tx, Any, str], Awaitable[None]]
    rehearse: Rehearse | None = None
    is_covered: Callable[[Tx, Any], Awaitable[bool]] | None = None


WITHDRAW = Errand(
    "withdraw",
    payouts.key_of,
    payouts.begin,
    payouts.submitted,
    payouts.doubt,
    payouts.fail,
    is_covered=payouts.is_covered,
)
TRANSFER = Errand(
    "transfer",
    transfers.key_of,
    transfers.begin,
    transfers.submitted,
    transfers.doubt,
    transfers.fail,
    is_covered=transfers.is_covered,
)
RELAY = Errand(
    "relay",
    deposits.key_of,
    deposits.begin,
    deposits.submitted,
    deposits.doubt,
    deposits.fail,
    deposits.rehearse,
)


async def run(db: Database, desk: Desk, errand: Errand, id_: Any) -> None:
    """Carry it out and wait for the chain's answer. One that does not come in time leaves it in doubt.

    Raises:
        VaultNotDeployed · Unavailable: nothing was done; again later.
    """
    if not await start(db, desk, errand, id_, desk.patience_s):
        return
    try:
        entry = await chain.wait_final(db, errand.key_of(id_), desk.wait_s)
    except TransactionReverted as undone:
        reason = undone.detail
        await _write(db, errand, lambda tx: errand.fail(tx, id_, reason))
    except TimeoutError:
        await _write(db, errand, lambda tx: errand.doubt(tx, id_))
    else:
        tx_hash = entry.tx_hash
        assert tx_hash is not None, "a final transaction has a hash"
        await _write(db, errand, lambda tx: errand.submitted(tx, id_, tx_hash))


async def start(db: Database, desk: Desk, errand: Errand, id_: Any, patience_s: float = 0) -> bool:
    """Ask for its transaction, once the contract would do it; `False` when there is nothing to wait for.

    Raises:
        VaultNotDeployed · Unavailable: nothing was done; again later.
    """
    if not await _would_succeed(db, desk, errand, id_, patience_s):
        return False
    return await _has_cover(db, errand, id_, patience_s) and await ask(db, desk, errand, id_)


async def _would_succeed(db: Database, desk: Desk, errand: Errand, id_: Any, patience_s: float) -> bool:
    """Whether the contract would do it, now or a little later; if not, it has failed."""
    if errand.rehearse is None:
        return True
    contracts = await _contracts(db, desk)
    patient_until = time.monotonic() + patience_s
    reason = await errand.rehearse(db, desk, id_, contracts)
    while reason is not None and time.monotonic() < patient_until:
        await asyncio.sleep(REHEARSE_EVERY_S)
        reason = await errand.rehearse(db, desk, id_, contracts)
    if reason is not None:
        why = reason
        await _write(db, errand, lambda tx: errand.fail(tx, id_, why))
    return reason is None


async def _has_cover(db: Database, errand: Errand, id_: Any, patience_s: float) -> bool:
    """Whether the vault has what it takes, now or a little later; if not, it is taken up again when that may be."""
    if errand.is_covered is None:
        return True
    patient_until = time.monotonic() + patience_s
    while True:
        async with db.transaction() as tx:
            if await errand.is_covered(tx, id_):
                return True
        if time.monotonic() >= patient_until:
            return False
        await asyncio.sleep(REHEARSE_EVERY_S)


async def _contracts(db: Database, desk: Desk) -> dict[Contract, Address]:
    contracts = await chain.contracts(db, desk.chain_id)
    if Contract.SETTLEMENT not in contracts:
        raise VaultNotDeployed
    return contracts


async def ask(db: Database, desk: Desk, errand: Errand, id_: Any) -> bool:
    """Ask for its transaction, unless that was done; `False` when there is nothing to wait for."""
    contracts = await _contracts(db, desk)
    await failpoint(f"{errand.name}.afterClaim")
    async with db.transaction() as tx:
        under_way = await errand.begin(tx, desk, id_, contracts)
        await failpoint(f"{errand.name}.beforeSign")
    await failpoint(f"{errand.name}.afterRequest")
    return under_way


async def resolve(db: Database, errand: Errand, id_: Any) -> None:
    """Look, without waiting, what the chain has said of one that nobody waits for any more."""
    entry = await chain.find(db, errand.key_of(id_))
    if entry is None:
        return
    if entry.status is TxStatus.REVERTED:
        reason = entry.error or "undone by the contract"
        await _write(db, errand, lambda tx: errand.fail(tx, id_, reason))
    elif entry.status is TxStatus.CONFIRMED and entry.tx_hash is not None:
        tx_hash = entry.tx_hash
        await _write(db, errand, lambda tx: errand.submitted(tx, id_, tx_hash))


async def _write(db: Database, errand: Errand, work: Callable[[Tx], Awaitable[None]]) -> None:
    await failpoint(f"{errand.name}.afterFinal")
    async with db.transaction() as tx:
        await work(tx)
        await failpoint(f"{errand.name}.beforeCommit")
