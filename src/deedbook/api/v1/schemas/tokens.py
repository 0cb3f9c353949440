"""Bodies about tokens, mints and holders."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from deedbook.api.v1.schemas.common import Answer, Body, Line, Moment, Page, PositiveAmount, Text
from deedbook.identity import checksum_address, parse_address
from deedbook.identity.terms import Address
from deedbook.kernel.amounts import to_text
from deedbook.kernel.ids import TokenId
from deedbook.tokens import Mint, MintStatus, TokenStatus, TokenType
from deedbook.tokens import RegisterToken as RegisterTokenCommand
from deedbook.tokens import RequestMint as RequestMintCommand
from deedbook.tokens.holders import Holder, Spread
from deedbook.tokens.terms import Token
from deedbook.tokens.views import ShownToken


def _address(text: str) -> str:
    address = parse_address(text)
    if address is None:
        raise ValueError("not an address; in mixed case its checksum (EIP-55) must be right")
    return address


AddressText = Annotated[
    str,
    Field(
        strict=True,
        pattern=r"^0x[0-9a-fA-F]{40}$",
        examples=["0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"],
    ),
    AfterValidator(_address),
]


class RegisterToken(Body):
    """Somebody else's token, such as another stablecoin. Its decimals are the contract's own; given ones are
    compared. Tokens of assets come from markets alone."""

    symbol: Annotated[
        str,
        Field(
            strict=True,
            min_length=2,
            max_length=32,
            pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$",
            examples=["EURC"],
        ),
    ]
    name: Annotated[Line, Field(min_length=1, max_length=64, examples=["Euro Coin"])]
    type: Annotated[Literal["CRYPTO", "STABLE"], Field(examples=["STABLE"])]
    contract_address: AddressText
    decimals: Annotated[int, Field(strict=True, ge=0, le=18)] | None = None

    def command(self) -> RegisterTokenCommand:
        return RegisterTokenCommand(
            symbol=self.symbol,
            name=self.name,
            token_type=TokenType(self.type),
            contract_address=Address(self.contract_address),
            decimals=self.decimals,
        )


class RequestMint(Body):
    """More of a token of yours, in whole tokens; without `to` it goes to your own account in the vault."""

    amount: Annotated[PositiveAmount, Field(examples=["2500"])]
    to: AddressText | None = None
    reason: Annotated[Text, Field(min_length=1, max_length=1000, examples=["A second building"])]

    def command(self, token_id: UUID) -> RequestMintCommand:
        to = Address(self.to) if self.to is not None else None
        return RequestMintCommand(TokenId(token_id), self.amount, to, self.reason)


class ApproveMint(Body):
    """Why a mint may go ahead."""

    reason: Annotated[Text, Field(max_length=1000)] = ""


class RejectMint(Body):
    """Why a mint may not go ahead."""

    reason: Annotated[Text, Field(min_length=1, max_length=1000, examples=["No valuation of the building"])]


class TokenAnswer(Answer):
    """A token. `totalSupply` and `supplyCap` (null without one) are in whole tokens, exact. The vault takes it when
    its status is `active`."""

    id: UUID
    symbol: str
    name: str
    token_type: TokenType
    decimals: int
    contract_address: str | None
    chain_id: int
    market_id: UUID | None
    status: TokenStatus
    total_supply: str
    supply_cap: str | None

    @classmethod
    def of(cls, token: Token) -> "TokenAnswer":
        return cls(**_told(token))


class ListedToken(TokenAnswer):
    """A token of the register."""

    created_at: Moment

    @classmethod
    def shown(cls, shown: ShownToken) -> "ListedToken":
        return cls(**_told(shown.token), created_at=shown.created_at)


class TokenDetailsAnswer(ListedToken):
    """A token with what is told of it: its asset, its rules, and what the contract says of itself."""

    metadata: dict[str, Any]

    @classmethod
    def shown(cls, shown: ShownToken) -> "TokenDetailsAnswer":
        return cls(**_told(shown.token), created_at=shown.created_at, metadata=shown.metadata)


class MintAnswer(Answer):
    """A mint. `amount` is in whole tokens, exact; `error` says why it failed."""

    id: UUID
    token_id: UUID
    symbol: str
    user_id: UUID
    account: str
    amount: str
    status: MintStatus
    requested_by: UUID
    decided_by: UUID | None
    reason: str
    decision_reason: str | None
    error: str | None
    tx_hash: str | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, mint: Mint) -> "MintAnswer":
        return cls(
            id=mint.mint_id,
            token_id=mint.token_id,
            symbol=mint.symbol,
            user_id=mint.user_id,
            account=checksum_address(mint.account),
            amount=mint.amount_text,
            status=mint.status,
            requested_by=mint.requested_by,
            decided_by=mint.decided_by,
            reason=mint.reason,
            decision_reason=mint.decision_reason,
            error=mint.error,
            tx_hash=mint.tx_hash,
            created_at=mint.created_at,
            updated_at=mint.updated_at,
        )


class HolderAnswer(Answer):
    """One line of the cap table. `kind` is `treasury` for the issuer, `platform` for the house, else `investor`.
    `sharePercent` is of all that was issued, rounded down at the sixth decimal."""

    id: UUID
    account: str | None
    kind: Literal["investor", "treasury", "platform"]
    balance: str
    available: str
    locked: str
    share_percent: str

    @classmethod
    def of(cls, holder: Holder, decimals: int) -> "HolderAnswer":
        return cls(
            id=holder.account_id,
            account=checksum_address(holder.account) if holder.account else None,
            kind=holder.kind,
            balance=to_text(holder.available + holder.locked, decimals),
            available=to_text(holder.available, decimals),
            locked=to_text(holder.locked, decimals),
            share_percent=holder.share,
        )


class HoldersAnswer(Page[HolderAnswer]):
    """The cap table: holders in the vault, and how much is in wallets outside it, which are nobody's here."""

    total_supply: str
    in_vault: str
    outside_vault: str

    @classmethod
    def of(
        cls, holders: list[Holder], following: str | None, spread: Spread, decimals: int
    ) -> "HoldersAnswer":
        return cls(
            data=[HolderAnswer.of(holder, decimals) for holder in holders],
            next_cursor=following,
            total_supply=to_text(spread.total_supply, decimals),
            in_vault=to_text(spread.in_vault, decimals),
            outside_vault=to_text(spread.outside_vault, decimals),
        )


def _told(token: Token) -> dict[str, Any]:
    contract, cap = token.contract_address, token.supply_cap
    return {
        "id": token.token_id,
        "symbol": token.symbol,
        "name": token.name,
        "token_type": token.token_type,
        "decimals": token.decimals,
        "contract_address": checksum_address(contract) if contract else None,
        "chain_id": token.chain_id,
        "market_id": token.market_id,
        "status": token.status,
        "total_supply": to_text(token.total_supply, token.decimals),
        "supply_cap": to_text(cap, token.decimals) if cap is not None else None,
    }
