"""The ledger as anybody would write it in an hour: dictionaries, one operation after another, no database.

The real ledger must do what this one does, also when it does many things at once.
"""

import copy
from dataclasses import dataclass, field
from typing import assert_never


@dataclass(frozen=True)
class Deposit:
    posting: int
    account: int
    token: int
    amount: int


@dataclass(frozen=True)
class SetAside:
    owner: int
    account: int
    token: int
    amount: int


@dataclass(frozen=True)
class GiveBack:
    """`amount` of `None` is all of it."""

    owner: int
    amount: int | None


@dataclass(frozen=True)
class SpendHold:
    """What is held leaves the vault, or goes to another account."""

    posting: int
    owner: int
    receiver: int | None


@dataclass(frozen=True)
class Pay:
    posting: int
    giver: int
    receiver: int
    token: int
    amount: int


@dataclass(frozen=True)
class Undo:
    """A payment is taken back by new lines, under an id of its own."""

    posting: int
    of: Pay


@dataclass(frozen=True)
class Seize:
    """The chain has taken this from the account already; what is not there becomes a claim."""

    posting: int
    account: int
    token: int
    amount: int


Operation = Deposit | SetAside | GiveBack | SpendHold | Pay | Undo | Seize
DONE, SHORT, TWICE, NOTHING_HELD = "done", "insufficient_funds", "posting_exists", "no_such_hold"


@dataclass
class NaiveLedger:
    """Accounts and tokens are numbers; balances are [available, locked]."""

    balances: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    holds: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    posted: set[int] = field(default_factory=set)
    owed: dict[int, int] = field(default_factory=dict)
    claimed: dict[int, int] = field(default_factory=dict)

    def copy(self) -> "NaiveLedger":
        return copy.deepcopy(self)

    def at(self, account: int, token: int) -> list[int]:
        return self.balances.setdefault((account, token), [0, 0])

    def do(self, operation: Operation) -> str:
        """What becomes of it: done, or why not; then nothing has changed."""
        match operation:
            case Deposit(posting, account, token, amount):
                return self._once(posting) or self._enter(account, token, amount)
            case SetAside(owner, account, token, amount):
                return DONE if owner in self.holds else self._set_aside(owner, account, token, amount)
            case GiveBack(owner, amount):
                return self._give_back(owner, amount)
            case SpendHold(posting, owner, receiver):
                return self._spend(posting, owner, receiver)
            case Pay(posting, giver, receiver, token, amount):
                return self._pay(posting, giver, receiver, token, amount)
            case Undo(posting, of):
                return self._pay(posting, of.receiver, of.giver, of.token, of.amount)
            case Seize(posting, account, token, amount):
                return self._once(posting) or self._seize(account, token, amount)
            case _:
                assert_never(operation)

    def _once(self, posting: int) -> str | None:
        if posting in self.posted:
            return TWICE
        self.posted.add(posting)
        return None

    def _enter(self, account: int, token: int, amount: int) -> str:
        self.at(account, token)[0] += amount
        self.owed[token] = self.owed.get(token, 0) + amount
        return DONE

    def _set_aside(self, owner: int, account: int, token: int, amount: int) -> str:
        both = self.at(account, token)
        if both[0] < amount:
            return SHORT
        both[0] -= amount
        both[1] += amount
        self.holds[owner] = (account, token, amount)
        return DONE

    def _give_back(self, owner: int, amount: int | None) -> str:
        account, token, held = self.holds.get(owner, (0, 0, 0))
        freed = held if amount is None else amount
        if not held or freed > held:
            return NOTHING_HELD
        both = self.at(account, token)
        both[0] += freed
        both[1] -= freed
        if freed == held:
            del self.holds[owner]
        else:
            self.holds[owner] = (account, token, held - freed)
        return DONE

    def _spend(self, posting: int, owner: int, receiver: int | None) -> str:
        """To whom it belongs already, it is a release: no line is written, so the posting's id stays free."""
        if owner not in self.holds:
            return NOTHING_HELD
        account, token, held = self.holds[owner]
        if receiver != account and (twice := self._once(posting)) is not None:
            return twice
        del self.holds[owner]
        self.at(account, token)[1] -= held
        if receiver is None:
            self.owed[token] -= held
        else:
            self.at(receiver, token)[0] += held
        return DONE

    def _pay(self, posting: int, giver: int, receiver: int, token: int, amount: int) -> str:
        if self.at(giver, token)[0] < amount:
            return SHORT
        if (twice := self._once(posting)) is not None:
            return twice
        self.at(giver, token)[0] -= amount
        self.at(receiver, token)[0] += amount
        return DONE

    def _seize(self, account: int, token: int, amount: int) -> str:
        both = self.at(account, token)
        taken = min(both[0], amount)
        both[0] -= taken
        self.owed[token] = self.owed.get(token, 0) - amount
        self.claimed[token] = self.claimed.get(token, 0) + amount - taken
        return DONE
