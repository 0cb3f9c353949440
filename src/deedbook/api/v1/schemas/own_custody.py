"""Answers about what is known before money moves: what my wallet has, and how the vault may be let take it."""

from typing import Any
from uuid import UUID

from deedbook.api.v1.schemas.common import Answer
from deedbook.chain.vault import PermitTerms
from deedbook.custody.purses import Purse
from deedbook.identity import checksum_address
from deedbook.identity.terms import Address
from deedbook.kernel.amounts import to_text

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
