"""Facts of this room: a token's listing, its supply and what is told of it. Amounts in whole tokens, as text."""

from uuid import UUID

from deedbook.kernel.events import Audience, Fact, fact
from deedbook.kernel.ids import TokenId, UserId


@fact("token.registered", stream="token_id", exported=True)
class TokenRegistered(Fact):
    """Somebody else's token was put on the register, and the vault is asked to take it."""

    token_id: TokenId
    symbol: str
    token_type: str
    decimals: int
    contract_address: str


@fact("token.listed", stream="token_id", exported=True)
class TokenListed(Fact):
    """The vault takes this token."""

    token_id: TokenId
    symbol: str
    token_type: str
    decimals: int
    contract_address: str


@fact("token.listing_failed", stream="token_id", exported=True)
class TokenListingFailed(Fact):
    """The vault did not take this token. `attempt` counts the listings that were tried."""

    token_id: TokenId
    attempt: int
    reason: str


@fact("token.listing_retried", stream="token_id", exported=True)
class TokenListingRetried(Fact):
    """The vault is asked once more to take a token."""

    token_id: TokenId
    attempt: int


@fact("token.mint_requested", stream="token_id", audience=Audience.OPERATORS, exported=True)
class MintRequested(Fact):
    """An issuer asked for more of a token."""

    token_id: TokenId
    mint_id: UUID
    user_id: UserId
    amount: str
    reason: str


@fact("token.mint_approved", stream="token_id", audience=Audience.OPERATORS, exported=True)
class MintApproved(Fact):
    """A mint may go ahead: a second person said so, or the policy did (`approved_by` is then null)."""

    token_id: TokenId
    mint_id: UUID
    approved_by: UserId | None
    reason: str


@fact("token.mint_rejected", stream="token_id", audience=Audience.OPERATORS, exported=True)
class MintRejected(Fact):
    """A second person said no."""

    token_id: TokenId
    mint_id: UUID
    rejected_by: UserId
    reason: str


@fact("token.mint_submitted", stream="token_id", audience=Audience.OPERATORS)
class MintSubmitted(Fact):
    """The chain was asked to mint: from here on only the chain says what becomes of it."""

    token_id: TokenId
    mint_id: UUID


@fact("token.minted", stream="token_id", exported=True)
class TokenMinted(Fact):
    """The vault has credited what was minted: the supply has grown."""

    token_id: TokenId
    mint_id: UUID
    user_id: UserId
    amount: str
    total_supply: str
    tx_hash: str


@fact("token.mint_failed", stream="token_id", audience=Audience.OPERATORS, exported=True)
class MintFailed(Fact):
    """A mint was refused on its way, or undone by the contract; nothing was minted."""

    token_id: TokenId
    mint_id: UUID
    reason: str


@fact("token.supply_changed", stream="token_id", exported=True)
class SupplyChanged(Fact):
    """Supply moved on the chain without a mint of ours: a burn, or a mint by another hand."""

    token_id: TokenId
    change: str
    total_supply: str
    tx_hash: str


@fact("token.metadata_updated", stream="token_id")
class MetadataUpdated(Fact):
    """What is told of a token beside its terms was read anew, and is not what it was."""

    token_id: TokenId
    symbol: str


@fact("token.metadata_differs", stream="token_id", audience=Audience.OPERATORS, exported=True)
class MetadataDiffers(Fact):
    """The chain says something else of a token than the register; each difference names the field."""

    token_id: TokenId
    differences: tuple[str, ...]
