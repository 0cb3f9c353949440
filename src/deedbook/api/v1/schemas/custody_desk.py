"""Bodies about where money may go, who approves it, limits of tokens, and the watcher of the vault."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from deedbook.api.v1.schemas.common import Amount, Answer, Body, Line, Moment, Text
from deedbook.api.v1.schemas.tokens import AddressText
from deedbook.custody import Standing
from deedbook.custody.terms import Listed
from deedbook.identity import checksum_address
from deedbook.identity.terms import Address


class SetLimits(Body):
    """A token's limits, in whole tokens."""

    automatic_up_to: Amount
    four_eyes_above: Amount
    daily_limit: Amount


class Rescan(Body):
    """Blocks to read again, both included; at most 100,000."""

    from_block: Annotated[int, Field(strict=True, ge=0, le=2**53)]
    to_block: Annotated[int, Field(strict=True, ge=0, le=2**53)]


class LimitsAnswer(Answer):
    """A token's limits, in whole tokens."""

    token_id: UUID
    symbol: str
    automatic_up_to: str
    four_eyes_above: str
    daily_limit: str


class RescanAnswer(Answer):
    """The job that reads the blocks again."""

    job_id: str


class WatcherAnswer(Answer):
    """How far the vault's events were read, why reading stopped, and what waits for its effect."""

    block_number: int
    block_hash: str
    stopped_reason: str | None
    updated_at: Moment
    unprocessed: int
    oldest_unprocessed_at: Moment | None
    failing: int

    @classmethod
    def of(cls, standing: Standing) -> "WatcherAnswer":
        return cls(
            block_number=standing.block_number,
            block_hash=standing.block_hash,
            stopped_reason=standing.stopped_reason,
            updated_at=standing.updated_at,
            unprocessed=standing.unprocessed,
            oldest_unprocessed_at=standing.oldest_unprocessed_at,
            failing=standing.failing,
        )


class Approval(Body):
    """Why, if there is something to say."""

    reason: Annotated[Text, Field(max_length=2000)] = ""


class Rejection(Body):
    """Why."""

    reason: Annotated[Text, Field(min_length=1, max_length=2000, examples=["the destination is sanctioned"])]


class AddAddress(Body):
    """An address for a user's list."""

    address: AddressText
    label: Annotated[Line, Field(max_length=100)] = ""


class SetAllowList(Body):
    """Whether withdrawals go to listed addresses only."""

    allow_list_only: Annotated[bool, Field(strict=True)]


class ListedAddress(Answer):
    """An address on the list, and from when it counts."""

    address: str
    label: str
    usable_from: Moment

    @classmethod
    def of(cls, listed: Listed) -> "ListedAddress":
        address = checksum_address(Address(listed.address))
        return cls(address=address, label=listed.label, usable_from=listed.usable_from)


class DestinationsAnswer(Answer):
    """Where withdrawals may go. `openFrom`: when the restriction ends, once it was turned off."""

    allow_list_only: bool
    open_from: Moment | None
    addresses: list[ListedAddress]


class Removed(Answer):
    """It is gone."""

    removed: bool = True
