"""Refusals of this room.

Refusal
├─ DepositNotFound · WithdrawalNotFound · TransferNotFound    absent, or another user's
├─ TokenNotKept              the vault does not keep this token, or not yet
├─ VaultNotDeployed          the platform's contracts do not stand on this chain yet
├─ DestinationRefused        nobody can own what is sent there, or it is ours
├─ DestinationNotListed      not on the owner's list of addresses, or not long enough
├─ WithdrawalLimitExceeded   more than may leave in 24 hours
├─ ReceiverUnknown           no user has this account
├─ SameAccount               sender and receiver are the same
├─ WithdrawalMoved           it is no longer where this could be done to it
├─ WithdrawalChanged         it has changed since you looked (If-Match)
├─ AlreadyDecided            this approver has said so before
├─ AddressNotListed          there is no such address on the list
├─ TooManyAddresses          the list is full
└─ StillUnderWay             somebody writes whose end has to be awaited
"""

from deedbook.kernel.errors import Kind, Refusal, Unavailable


class DepositNotFound(Refusal):
    code, kind, title = "deposit_not_found", Kind.ABSENT, "There is no such deposit"


class WithdrawalNotFound(Refusal):
    code, kind, title = "withdrawal_not_found", Kind.ABSENT, "There is no such withdrawal"


class TransferNotFound(Refusal):
    code, kind, title = "transfer_not_found", Kind.ABSENT, "There is no such transfer"


class TokenNotKept(Refusal):
    code, kind, title = "token_not_kept", Kind.INVALID, "The vault does not keep this token"


class VaultNotDeployed(Unavailable):
    code, title = "vault_not_deployed", "The vault is not deployed on this chain"


class DestinationRefused(Refusal):
    code, kind, title = "destination_refused", Kind.INVALID, "Nothing may be sent to this address"


class DestinationNotListed(Refusal):
    code, kind, title = "destination_not_listed", Kind.INVALID, "The address is not on your list"


class WithdrawalLimitExceeded(Refusal):
    code, kind, title = "withdrawal_limit_exceeded", Kind.INVALID, "More than may leave in 24 hours"


class ReceiverUnknown(Refusal):
    code, kind, title = "receiver_unknown", Kind.INVALID, "No user has this account"


class SameAccount(Refusal):
    code, kind, title = "same_account", Kind.INVALID, "Sender and receiver are the same"


class WithdrawalMoved(Refusal):
    code, kind, title = "withdrawal_moved", Kind.CONFLICT, "The withdrawal is past this point"


class WithdrawalChanged(Refusal):
    code, kind, title = "withdrawal_changed", Kind.STALE, "The withdrawal has changed since you looked"


class AlreadyDecided(Refusal):
    code, kind, title = "already_decided", Kind.CONFLICT, "You have decided on this before"


class AddressNotListed(Refusal):
    code, kind, title = "address_not_listed", Kind.ABSENT, "The address is not on your list"


class TooManyAddresses(Refusal):
    code, kind, title = "too_many_addresses", Kind.CONFLICT, "Your list of addresses is full"


class StillUnderWay(Unavailable):
    code, title = "still_under_way", "Others have to end first"
