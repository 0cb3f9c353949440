"""Use cases: where a user's money may go. Each opening waits, so that whoever steals a session gains nothing by it;
each closing counts at once."""

from datetime import timedelta

from deedbook import compliance, identity, tokens
from deedbook.compliance import Operation, Reason
from deedbook.custody import model
from deedbook.custody.errors import (
    AddressNotListed,
    DestinationNotListed,
    DestinationRefused,
    TooManyAddresses,
)
from deedbook.custody.events import AllowListChanged, WithdrawalAddressAdded, WithdrawalAddressRemoved
from deedbook.custody.store import withdrawals as store
from deedbook.custody.store.withdrawals import Destinations
from deedbook.custody.terms import Listed
from deedbook.identity import Caller
from deedbook.identity.terms import Address
from deedbook.infra.database import Tx
from deedbook.kernel.clock import to_wire
from deedbook.kernel.ids import UserId
from deedbook.tokens import Token, TokenType

MAX_ADDRESSES = 100


async def require_eligible(
    tx: Tx, token: Token, user_id: UserId, destination: Address, amount: int, *, executing: bool = False
) -> None:
    """Go on only if the rules let the owner give it and, where it goes to somebody else's account, let them have it.
    At an address that is no user's compliance knows nobody: an issued token does not go there, as its contract
    would say after it was paid for.

    Raises:
        Ineligible: one of compliance's reasons.
        InsufficientFunds: the owner does not have so much to spend.
    """
    receiver = await identity.user_of_account(tx, destination)
    await compliance.require_eligible(
        tx,
        Operation.WITHDRAWAL,
        token.token_id,
        user_id,
        receiver if receiver != user_id else None,
        amount,
        executing=executing,
    )
    if receiver is None and token.token_type is TokenType.RWA:
        raise compliance.errors.refusal(Reason.KYC_MISSING, "receiver")


async def require_allowed(tx: Tx, user_id: UserId, destination: Address, ours: frozenset[Address]) -> None:
    """Go on only if the user's money may go there.

    Raises:
        DestinationRefused: nobody's address, or a contract of ours, or of a token.
        DestinationNotListed: the user restricts themselves to a list that does not have it, or not yet.
    """
    is_token = await tokens.of_address(tx, destination) is not None
    if is_token or model.is_impossible_destination(destination, ours):
        raise DestinationRefused("nobody could take it from there")
    await require_listed(tx, user_id, destination)


async def require_listed(tx: Tx, user_id: UserId, destination: Address) -> None:
    """Go on unless the user restricts themselves to a list that does not have it.

    Raises:
        DestinationNotListed: it is not there, or not yet.
    """
    wanted = await store.destinations(tx, user_id)
    if model.is_restricted(
        wanted.allow_list_only, wanted.open_from, await tx.now()
    ) and not await store.is_listed(tx, user_id, destination):
        raise DestinationNotListed("add the address to your list, and wait until it counts")


async def add(tx: Tx, caller: Caller, address: Address, label: str, delay_s: int) -> Listed:
    """List an address; it counts after the delay. Adding it again changes nothing.

    Raises:
        DestinationRefused: nobody's address.
        TooManyAddresses: the list is full.
    """
    if model.is_impossible_destination(address, ()):
        raise DestinationRefused("nobody could take it from there")
    before = await store.listed(tx, caller.user_id, address)
    if before is not None:
        return before
    added = Listed(address, label, await tx.now() + timedelta(seconds=delay_s))
    if not await store.add_address(tx, caller.user_id, added, MAX_ADDRESSES):
        raise TooManyAddresses(f"at most {MAX_ADDRESSES}; remove one first")
    told = WithdrawalAddressAdded(
        user_id=caller.user_id, address=address, usable_from=to_wire(added.usable_from)
    )
    tx.emit(told, caller.actor, before={"usableFrom": None}, after={"usableFrom": added.usable_from})
    return added


async def remove(tx: Tx, caller: Caller, address: Address) -> None:
    """Take an address off the list, at once.

    Raises:
        AddressNotListed: it is not there.
    """
    if not await store.remove_address(tx, caller.user_id, address):
        raise AddressNotListed
    told = WithdrawalAddressRemoved(user_id=caller.user_id, address=address)
    tx.emit(told, caller.actor, before={"listed": True}, after={"listed": False})


async def restrict(tx: Tx, caller: Caller, allow_list_only: bool, delay_s: int) -> Destinations:
    """Restrict withdrawals to the list at once, or, after the delay, no longer."""
    before, now = await store.destinations(tx, caller.user_id, lock=True), await tx.now()
    if allow_list_only:
        after = Destinations(True, None)
    elif not model.is_restricted(before.allow_list_only, before.open_from, now):
        after = Destinations(False, None)
    else:
        after = Destinations(True, before.open_from or now + timedelta(seconds=delay_s))
    if after != before:
        await store.set_destinations(tx, caller.user_id, after)
        open_from = to_wire(after.open_from) if after.open_from else None
        told = AllowListChanged(
            user_id=caller.user_id, allow_list_only=after.allow_list_only, open_from=open_from
        )
        tx.emit(told, caller.actor, before=_audited(before), after=_audited(after))
    return after


def _audited(wanted: Destinations) -> dict[str, object]:
    return {"allowListOnly": wanted.allow_list_only, "openFrom": wanted.open_from}
