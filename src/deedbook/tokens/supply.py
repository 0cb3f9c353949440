"""Use cases: have the chain mint what was approved, and follow what the vault tells of supply.

The chain mints once under a mint's id, whatever happens to our transaction. Completion comes from the vault's own
event, through the room that watches it.
"""

from dataclasses import replace
from uuid import UUID

import structlog

from deedbook import chain, compliance
from deedbook.chain.errors import TransactionReverted
from deedbook.compliance import Operation
from deedbook.compliance.errors import Ineligible
from deedbook.identity.terms import Address
from deedbook.infra.database import Database, Tx
from deedbook.infra.failpoints import failpoint
from deedbook.kernel.amounts import to_text
from deedbook.kernel.ids import TokenId
from deedbook.tokens import mint_store, store
from deedbook.tokens.errors import MintNotFound
from deedbook.tokens.events import MintFailed, MintSubmitted, SupplyChanged, TokenMinted
from deedbook.tokens.ports import Foundry
from deedbook.tokens.terms import Mint, MintStatus

log = structlog.get_logger(__name__)

OPEN = frozenset({MintStatus.APPROVED, MintStatus.SUBMITTED})


async def carry_out(db: Database, foundry: Foundry, mint_id: UUID, timeout_s: float) -> None:
    """Have the chain mint what was approved, and wait until that is final. Harmless when repeated.

    Undone by the contract, or refused by compliance before the chain was asked, the mint has failed; otherwise it
    stays as it is until the vault's event is seen.

    Raises:
        MintNotFound: there is no such mint.
        TimeoutError: not final in time; calling again goes on waiting for the same transaction.
    """
    mint = await mint_store.read(db, mint_id)
    if mint is None:
        raise MintNotFound
    if mint.status not in OPEN or not await _submitted(db, foundry, mint):
        return
    await failpoint("mint.afterRequest")
    try:
        entry = await chain.wait_final(db, key_of(mint_id), timeout_s)
    except TransactionReverted as undone:
        async with db.transaction() as tx:
            await fail_mint(tx, mint_id, undone.detail)
        return
    await failpoint("mint.afterFinal")
    async with db.transaction() as tx:
        final = await mint_store.lock(tx, mint_id)
        if final is not None and final.status is MintStatus.SUBMITTED:
            await mint_store.save(tx, replace(final, tx_hash=entry.tx_hash))


async def complete_mint(
    tx: Tx, mint_id: UUID, tx_hash: str, *, token_id: TokenId, account: Address, units: int
) -> bool:
    """Book that the vault has credited a mint: `False` when this id names no mint of ours, or another than the
    vault has told, of another token, for another account or over another amount.

    What the chain says counts, whatever we thought had become of the mint. A repeated call changes nothing.
    """
    mint = await mint_store.lock(tx, mint_id)
    if mint is None or (mint.token_id, mint.account, mint.amount) != (token_id, account, units):
        return False
    if mint.status is MintStatus.COMPLETED:
        return True
    if mint.status is not MintStatus.SUBMITTED:
        log.error("mint_not_expected", mint_id=str(mint_id), status=mint.status.value, tx_hash=tx_hash)
    await mint_store.save(tx, replace(mint, status=MintStatus.COMPLETED, tx_hash=tx_hash, error=None))
    await compliance.redeem(tx, mint_id)
    token = await store.change_supply(tx, mint.token_id, mint.amount)
    supply = to_text(token.total_supply, token.decimals)
    minted = TokenMinted(
        token_id=mint.token_id,
        mint_id=mint_id,
        user_id=mint.user_id,
        amount=mint.amount_text,
        total_supply=supply,
        tx_hash=tx_hash,
    )
    former = to_text(token.total_supply - mint.amount, token.decimals)
    tx.emit(
        minted,
        before={"status": mint.status.value, "totalSupply": former},
        after={"status": MintStatus.COMPLETED.value, "totalSupply": supply},
    )
    return True


async def change_supply(tx: Tx, token_id: TokenId, units: int, tx_hash: str) -> None:
    """Let the register follow a burn (negative), or a mint that was not ours, which the vault has told."""
    token = await store.change_supply(tx, token_id, units)
    supply, former = (
        to_text(some, token.decimals) for some in (token.total_supply, token.total_supply - units)
    )
    told = SupplyChanged(
        token_id=token_id, change=to_text(units, token.decimals), total_supply=supply, tx_hash=tx_hash
    )
    tx.emit(told, before={"totalSupply": former}, after={"totalSupply": supply})


async def fail_mint(tx: Tx, mint_id: UUID, error: str, *, unless_submitted: bool = False) -> None:
    """Give a mint up, with the error kept for people to see. `unless_submitted` leaves to the chain what is its."""
    mint = await mint_store.lock(tx, mint_id)
    if mint is None or mint.status not in OPEN:
        return
    if unless_submitted and mint.status is MintStatus.SUBMITTED:
        return
    reason = error[:1000]
    await mint_store.save(tx, replace(mint, status=MintStatus.FAILED, error=reason))
    await compliance.redeem(tx, mint_id)
    failed = MintFailed(token_id=mint.token_id, mint_id=mint_id, reason=reason)
    tx.emit(failed, before={"status": mint.status.value}, after={"status": MintStatus.FAILED.value})


def key_of(mint_id: UUID) -> str:
    """A mint has one transaction for ever: undone, the mint has failed, and the issuer asks for another."""
    return f"mint-{mint_id}"


async def _submitted(db: Database, foundry: Foundry, mint: Mint) -> bool:
    """Whether the chain was asked, now or before; compliance has its second say in the same transaction."""
    await failpoint("mint.afterClaim")
    try:
        async with db.transaction() as tx:
            await _submit(tx, foundry, mint.mint_id)
            await failpoint("mint.beforeCommit")
    except Ineligible as refusal:
        async with db.transaction() as tx:
            await fail_mint(tx, mint.mint_id, refusal.detail, unless_submitted=True)
        return False
    return True


async def _submit(tx: Tx, foundry: Foundry, mint_id: UUID) -> None:
    mint = await mint_store.lock(tx, mint_id)
    if mint is None or mint.status is not MintStatus.APPROVED:
        return
    await compliance.require_eligible(
        tx,
        Operation.MINT,
        mint.token_id,
        None,
        mint.user_id,
        mint.amount,
        executing=True,
        operation_id=mint_id,
    )
    token = await store.by_id(tx, mint.token_id)
    assert token is not None and token.contract_address is not None, "only live tokens are minted"
    call = foundry.vault_tokens.mint(token.contract_address, mint.account, mint.amount, mint_id)
    await chain.request(tx, key_of(mint_id), foundry.admin, call)
    await mint_store.save(tx, replace(mint, status=MintStatus.SUBMITTED))
    tx.emit(
        MintSubmitted(token_id=mint.token_id, mint_id=mint_id),
        before={"status": mint.status.value},
        after={"status": MintStatus.SUBMITTED.value},
    )
