"""Answers about what is known before money moves: what my wallet has, how the vault may be let take
it, and how much may leave."""

from functools import partial
from typing import Any
from uuid import UUID

from deedbook.api.v1.schemas.common import Answer
from deedbook.chain.vault import PermitTerms
from deedbook.custody import Limits
from deedbook.custody.purses import Purse
from deedbook.identity import checksum_address
from deedbook.identity.terms import Address
from deedbook.kernel.amounts import to_text
from deedbook.tokens import Token

_PERMIT = (
    ("owner", "address"),
    ("spender", "address"),
    ("value", "uint256"),
    ("nonce", "uint256"),
    ("deadline", "uint256"),
)


class PermitTermsAnswer(Answer):
    """An approval by signature (ERC-2612) as wallets take it (`eth_signTypedData_v4`); `owner` and `spender` are those
    beside it, `value` and `deadline` yours."""

    domain: dict[str, Any]
    types: dict[str, Any]
    nonce: str


class DepositTermsAnswer(Answer):
    """What my wallet has of a token, and how much of it the vault may take already; null where the token's contract
    does not say. A deposit is relayed with a `permit`, or without one where enough is allowed. No `permit`: the token
    takes none by signature."""

    token_id: UUID
    symbol: str
    owner: str
    spender: str
    held: str | None
    allowed: str | None
    permit: PermitTermsAnswer | None

    @classmethod
    def of(cls, purse: Purse, chain_id: int) -> "DepositTermsAnswer":
        decimals = purse.token.decimals
        return cls(
            token_id=purse.token.token_id,
            symbol=purse.token.symbol,
            owner=checksum_address(purse.owner),
            spender=checksum_address(purse.vault),
            held=None if purse.held is None else to_text(purse.held, decimals),
            allowed=None if purse.allowed is None else to_text(purse.allowed, decimals),
            permit=None if purse.permit is None else _permit_terms(purse.permit, purse.contract, chain_id),
        )


def _permit_terms(terms: PermitTerms, contract: Address, chain_id: int) -> PermitTermsAnswer:
    domain = {"name": terms.name, "version": terms.version, "chainId": chain_id}
    types = [{"name": name, "type": kind} for name, kind in _PERMIT]
    return PermitTermsAnswer(
        domain={**domain, "verifyingContract": checksum_address(contract)},
        types={"Permit": types},
        nonce=str(terms.nonce),
    )


class OwnLimitsAnswer(Answer):
    """By what my withdrawals of a token are measured, in whole tokens. `used` is what left in 24 hours and what is
    about to, `left` what may follow. Up to `automaticUpTo` of both together it leaves by itself; above `fourEyesAbove`
    two people look at it."""

    token_id: UUID
    symbol: str
    daily_limit: str
    used: str
    left: str
    automatic_up_to: str
    four_eyes_above: str

    @classmethod
    def of(cls, token: Token, limits: Limits, used: int) -> "OwnLimitsAnswer":
        text = partial(to_text, decimals=token.decimals)
        return cls(
            token_id=token.token_id,
            symbol=token.symbol,
            daily_limit=text(limits.daily_limit),
            used=text(used),
            left=text(max(0, limits.daily_limit - used)),
            automatic_up_to=text(limits.automatic_up_to),
            four_eyes_above=text(limits.four_eyes_above),
        )
