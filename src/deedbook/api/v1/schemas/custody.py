"""Bodies about deposits, withdrawals and transfers. A signed body has the fields of what was signed, as they were
shown, and the signature."""

import re
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from deedbook.api.v1.schemas.common import Answer, Body, Moment, PositiveAmount
from deedbook.api.v1.schemas.tokens import AddressText
from deedbook.chain.terms import Call
from deedbook.chain.vault import Permit
from deedbook.chain.views import Depth
from deedbook.custody import Deposit, Transfer, Withdrawal
from deedbook.custody.views import InToken
from deedbook.identity import checksum_address
from deedbook.identity.actions import MAX_SIGNATURE_BYTES, NONCE_PATTERN
from deedbook.kernel.amounts import MAX_UNITS, to_text

_SECONDS = re.compile(r"[1-9][0-9]{0,15}")
_UNITS = re.compile(r"[1-9][0-9]{0,38}")


def _seconds(value: Any) -> int:
    """Unix seconds as digits; a JSON whole number is taken too."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _SECONDS.fullmatch(text):
        raise ValueError('a moment in Unix seconds, such as "1767225600"')
    return int(text)


def _units(value: Any) -> int:
    if not isinstance(value, str) or not _UNITS.fullmatch(value) or int(value) > MAX_UNITS:
        raise ValueError("a whole number of base units, as digits")
    return int(value)


Seconds = Annotated[
    int,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": "^[1-9][0-9]{0,15}$"},
                {"type": "integer", "minimum": 1, "maximum": 10**16 - 1},
            ]
        }
    ),
]
Nonce = Annotated[str, Field(strict=True, pattern=NONCE_PATTERN, examples=["d-1"])]
SignatureText = Annotated[
    str,
    Field(
        strict=True,
        max_length=2 + 2 * MAX_SIGNATURE_BYTES,
        description="0x and hex: 65 bytes with low s and v 27 or 28 for a key, or what a contract wallet takes",
    ),
]
Word = Annotated[
    str,
    Field(strict=True, pattern=r"^0x[0-9a-fA-F]{64}$"),
    AfterValidator(lambda text: text.lower()),
]


class PermitBody(Body):
    """An approval of the vault by signature (ERC-2612). `value` in base units, at least the amount."""

    value: Annotated[
        int,
        BeforeValidator(_units),
        WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,38}$"}),
    ]
    deadline: Seconds
    v: Annotated[int, Field(strict=True, ge=27, le=28)]
    r: Word
    s: Word

    def permit(self) -> Permit:
        r, s = bytes.fromhex(self.r[2:]), bytes.fromhex(self.s[2:])
        return Permit(self.value, self.deadline, self.v, r, s)


class SignedDeposit(Body):
    """A signed `Deposit`. With `relay` the platform brings it to the vault; a `permit` spares the approval."""

    trader: AddressText
    token: AddressText
    amount: PositiveAmount
    nonce: Nonce
    expiry: Seconds
    signature: SignatureText
    relay: Annotated[bool, Field(strict=True)] = False
    permit: PermitBody | None = None

    def values(self) -> dict[str, Any]:
        """The fields of the struct, in its order."""
        return {
            "trader": self.trader,
            "token": self.token,
            "amount": self.amount,
            "nonce": self.nonce,
            "expiry": self.expiry,
        }


class SignedWithdrawal(Body):
    """A signed `Withdrawal`."""

    trader: AddressText
    token: AddressText
    amount: PositiveAmount
    destination: AddressText
    nonce: Nonce
    expiry: Seconds
    signature: SignatureText

    def values(self) -> dict[str, Any]:
        """The fields of the struct, in its order."""
        return {
            "trader": self.trader,
            "token": self.token,
            "amount": self.amount,
            "destination": self.destination,
            "nonce": self.nonce,
            "expiry": self.expiry,
        }


class SignedTransfer(Body):
    """A signed `Transfer`."""

    sender: Annotated[AddressText, Field(alias="from")]
    token: AddressText
    amount: PositiveAmount
    to: AddressText
    nonce: Nonce
    expiry: Seconds
    signature: SignatureText

    def values(self) -> dict[str, Any]:
        """The fields of the struct, in its order."""
        return {
            "from": self.sender,
            "token": self.token,
            "amount": self.amount,
            "to": self.to,
            "nonce": self.nonce,
            "expiry": self.expiry,
        }


class CallAnswer(Answer):
    """A transaction for the user's own wallet to send."""

    to: str
    data: str
    gas: int

    @classmethod
    def of(cls, call: Call) -> "CallAnswer":
        assert call.to is not None
        return cls(to=checksum_address(call.to), data="0x" + call.data.hex(), gas=call.gas)


class OnChainAnswer(Answer):
    """A transaction on its way to be final: the blocks from its own on, and how many it takes."""

    tx_hash: str
    confirmations: int
    needed: int

    @classmethod
    def of(cls, depth: Depth | None, needed: int) -> "OnChainAnswer | None":
        if depth is None:
            return None
        return cls(tx_hash=depth.tx_hash, confirmations=min(depth.confirmations, needed), needed=needed)


class DepositAnswer(Answer):
    """A deposit. `credited` is what arrived. `send` is what to send where nobody relays it, in this order. `onChain`
    while it is in a block and not credited yet."""

    id: UUID
    token_id: UUID
    symbol: str
    account: str
    amount: str
    credited: str | None
    status: str
    relayed: bool
    expires_at: Moment | None
    error: str | None
    tx_hash: str | None
    created_at: Moment
    updated_at: Moment
    send: list[CallAnswer] | None = None
    on_chain: OnChainAnswer | None = None

    @classmethod
    def of(
        cls,
        deposit: Deposit,
        token: InToken,
        send: tuple[Call, ...] = (),
        on_chain: OnChainAnswer | None = None,
    ) -> "DepositAnswer":
        return cls(
            id=deposit.deposit_id,
            token_id=deposit.token_id,
            symbol=token.symbol,
            account=checksum_address(deposit.account),
            amount=to_text(deposit.amount, token.decimals),
            credited=to_text(deposit.credited, token.decimals) if deposit.credited is not None else None,
            status=deposit.status.value,
            relayed=deposit.relayed,
            expires_at=deposit.expires_at,
            error=deposit.error,
            tx_hash=deposit.tx_hash,
            created_at=deposit.created_at,
            updated_at=deposit.updated_at,
            send=[CallAnswer.of(call) for call in send] or None,
            on_chain=on_chain,
        )


class WithdrawalAnswer(Answer):
    """A withdrawal. `version` is for If-Match. `onChain` while it is in a block and not over."""

    id: UUID
    user_id: UUID
    token_id: UUID
    symbol: str
    account: str
    destination: str
    amount: str
    status: str
    approvals_needed: int
    reason: str | None
    expires_at: Moment
    tx_hash: str | None
    version: int
    created_at: Moment
    updated_at: Moment
    on_chain: OnChainAnswer | None = None

    @classmethod
    def of(
        cls, withdrawal: Withdrawal, token: InToken, on_chain: OnChainAnswer | None = None
    ) -> "WithdrawalAnswer":
        return cls(
            id=withdrawal.withdrawal_id,
            user_id=withdrawal.user_id,
            token_id=withdrawal.token_id,
            symbol=token.symbol,
            account=checksum_address(withdrawal.account),
            destination=checksum_address(withdrawal.destination),
            amount=to_text(withdrawal.amount, token.decimals),
            status=withdrawal.status.value,
            approvals_needed=withdrawal.approvals_needed,
            reason=withdrawal.reason,
            expires_at=withdrawal.expires_at,
            tx_hash=withdrawal.tx_hash,
            version=withdrawal.version,
            created_at=withdrawal.created_at,
            updated_at=withdrawal.updated_at,
            on_chain=on_chain,
        )


class TransferAnswer(Answer):
    """A transfer between two accounts."""

    id: UUID
    from_user_id: UUID
    to_user_id: UUID
    token_id: UUID
    symbol: str
    amount: str
    status: str
    reason: str | None
    expires_at: Moment
    tx_hash: str | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, transfer: Transfer, token: InToken) -> "TransferAnswer":
        return cls(
            id=transfer.transfer_id,
            from_user_id=transfer.from_user_id,
            to_user_id=transfer.to_user_id,
            token_id=transfer.token_id,
            symbol=token.symbol,
            amount=to_text(transfer.amount, token.decimals),
            status=transfer.status.value,
            reason=transfer.reason,
            expires_at=transfer.expires_at,
            tx_hash=transfer.tx_hash,
            created_at=transfer.created_at,
            updated_at=transfer.updated_at,
        )
