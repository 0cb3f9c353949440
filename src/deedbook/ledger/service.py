"""Use cases: move money, set it aside, give it back. Each is one conditional change with its explanation."""

from collections.abc import Sequence
from uuid import UUID

from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.ids import PairId, TokenId
from deedbook.ledger import store
from deedbook.ledger.errors import InsufficientFunds
from deedbook.ledger.model import Hold, Move, Posting, all_moves, deltas_of, lines_of
from deedbook.ledger.terms import SUSPENSE, AccountId, AccountKind, HoldOwner


async def post(tx: Tx, postings: Sequence[Posting], *, holds: Sequence[Move] = ()) -> None:
    """Make postings, and changes of holds with them, in one step.

    Raises:
        InsufficientFunds · PostingExists: nothing was changed, and this transaction cannot go on.
    """
    await store.apply(tx, lines_of(postings), deltas_of([*all_moves(postings), *holds]))


async def hold(tx: Tx, wanted: Hold) -> None:
    """Set money aside for an owner; asked again for the same owner it changes nothing.

    Raises:
        InsufficientFunds: the account does not have this much available.
    """
    if await store.add_hold(tx, wanted):
        move = Move(wanted.account_id, wanted.token_id, -wanted.amount, wanted.amount)
        await store.apply(tx, (), deltas_of([move]))


async def release(tx: Tx, owner: HoldOwner, owner_id: UUID, amount: int | None = None) -> Hold:
    """Give back what is held for an owner, or a part of it.

    Raises:
        NoSuchHold: nothing is held, or less.
    """
    freed = await store.take_hold(tx, owner, owner_id, amount)
    await store.apply(
        tx, (), deltas_of([Move(freed.account_id, freed.token_id, freed.amount, -freed.amount)])
    )
    return freed


async def consume(tx: Tx, owner: HoldOwner, owner_id: UUID, posting: Posting) -> None:
    """Make a posting that spends all that is held for an owner.

    Raises:
        NoSuchHold: nothing is held.
        PostingExists: it was made before.
    """
    held = await store.take_hold(tx, owner, owner_id, None)
    spent = -sum(
        move.locked
        for move in posting.moves
        if (move.account_id, move.token_id) == (held.account_id, held.token_id)
    )
    assert spent == held.amount, f"{posting.posting_id} spends {spent} of the {held.amount} held"
    await post(tx, (posting,))


async def take_or_claim(
    tx: Tx, account_id: AccountId, token_id: TokenId, amount: int, *, receiver: AccountId | None = None
) -> tuple[Move, ...]:
    """Moves that take `amount` from an account as far as it is available, and the rest from suspense: for what
    has happened on the chain already and cannot be refused here.

    `receiver` is the account that the posting will credit: both are locked now, in the order that all keep.
    """
    accounts = [account_id] if receiver is None else [account_id, receiver]
    locked = await store.lock_available(tx, [(one, token_id) for one in accounts])
    # A balance that is only coming into being is not locked, and whoever else takes from it comes first.
    taken = min(locked.get((account_id, token_id), 0), amount)
    moves = [Move(account_id, token_id, -taken)] if taken else []
    if taken < amount:
        moves.append(Move(SUSPENSE, token_id, taken - amount))
    return tuple(moves)


async def require_available(tx: Tx, account_id: AccountId, token_id: TokenId, amount: int) -> None:
    """Look, without changing anything, whether so much is available.

    Raises:
        InsufficientFunds: it is not.
    """
    available, _ = await store.balance(tx, account_id, token_id)
    if available < amount:
        raise InsufficientFunds


async def open_fee_account(tx: Tx, account_id: AccountId, pair_id: PairId) -> None:
    """The account that takes a pair's fees, where the house is: one each, so that no two pairs wait for one row."""
    await store.add_fee_account(tx, account_id, pair_id)


async def keep_house_at(tx: Tx, vault_address: Address) -> None:
    """Say at which address the vault keeps what is the platform's own: fees and treasury."""
    await store.set_vault_address(tx, (AccountKind.FEE, AccountKind.TREASURY), vault_address)
