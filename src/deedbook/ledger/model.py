"""Rules of the ledger. Pure: moves, and what they come to per account and token."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from deedbook.kernel.ids import TokenId
from deedbook.ledger.terms import CHAIN, SUSPENSE, AccountId, HoldOwner, LineKind

Key = tuple[AccountId, TokenId]
WITHOUT_BALANCE = frozenset({CHAIN, SUSPENSE})


@dataclass(frozen=True)
class Move:
    """What one account gains and loses of one token, in base units. A hold moves between the two and is no line."""

    account_id: AccountId
    token_id: TokenId
    available: int = 0
    locked: int = 0

    @property
    def amount(self) -> int:
        return self.available + self.locked


@dataclass(frozen=True)
class Posting:
    """One movement of money, once for ever: its id is derived from what caused it.

    Its lines sum to zero per token (double entry, Pacioli 1494); what does not is a bug and is refused. One whose
    moves leave no line (from an account to itself) leaves no trace either, and only its caller can tell it happened.
    """

    posting_id: UUID
    kind: LineKind
    moves: tuple[Move, ...]

    def __post_init__(self) -> None:
        sums: dict[TokenId, int] = defaultdict(int)
        for move in self.moves:
            sums[move.token_id] += move.amount
        assert not any(sums.values()), f"posting {self.posting_id} does not sum to zero"


@dataclass(frozen=True)
class Hold:
    """Money set aside for one owner: it stays the account's and cannot be spent for anything else."""

    owner: HoldOwner
    owner_id: UUID
    account_id: AccountId
    token_id: TokenId
    amount: int

    def __post_init__(self) -> None:
        assert self.amount > 0, "a hold holds something"


@dataclass(frozen=True)
class Line:
    """One line of the ledger as it will be written."""

    posting_id: UUID
    kind: LineKind
    account_id: AccountId
    token_id: TokenId
    amount: int


@dataclass(frozen=True)
class Delta:
    """What all postings together do to one balance."""

    account_id: AccountId
    token_id: TokenId
    available: int
    locked: int


def lines_of(postings: Iterable[Posting]) -> list[Line]:
    """One line per posting, account and token; what comes to nothing leaves no line."""
    lines = []
    for posting in postings:
        sums: dict[Key, int] = defaultdict(int)
        for move in posting.moves:
            sums[(move.account_id, move.token_id)] += move.amount
        lines += [
            Line(posting.posting_id, posting.kind, account_id, token_id, amount)
            for (account_id, token_id), amount in sums.items()
            if amount
        ]
    return lines


def deltas_of(moves: Iterable[Move]) -> list[Delta]:
    """The net change of each balance, in the order in which balances are locked.

    A balance that comes to nothing stays in, so that its row is locked and exists.
    """
    sums: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for move in moves:
        if move.account_id not in WITHOUT_BALANCE:
            both = sums[(move.account_id, move.token_id)]
            both[0] += move.available
            both[1] += move.locked
    return [Delta(*key, *sums[key]) for key in sorted(sums)]


def into_the_vault(
    posting_id: UUID, kind: LineKind, account_id: AccountId, token_id: TokenId, amount: int
) -> Posting:
    """A deposit or a mint: the vault owes this much more."""
    return Posting(posting_id, kind, (Move(account_id, token_id, amount), Move(CHAIN, token_id, -amount)))


def out_of_the_vault(
    posting_id: UUID, kind: LineKind, account_id: AccountId, token_id: TokenId, amount: int, *, held: bool
) -> Posting:
    """A withdrawal or a burn: the vault owes this much less. `held` takes it from what was set aside."""
    taken = Move(account_id, token_id, locked=-amount) if held else Move(account_id, token_id, -amount)
    return Posting(posting_id, kind, (taken, Move(CHAIN, token_id, amount)))


def between(
    posting_id: UUID,
    kind: LineKind,
    from_account: AccountId,
    to_account: AccountId,
    token_id: TokenId,
    amount: int,
    *,
    held: bool,
) -> Posting:
    """From one account to another."""
    taken = Move(from_account, token_id, locked=-amount) if held else Move(from_account, token_id, -amount)
    return Posting(posting_id, kind, (taken, Move(to_account, token_id, amount)))


def all_moves(postings: Sequence[Posting]) -> list[Move]:
    return [move for posting in postings for move in posting.moves]
