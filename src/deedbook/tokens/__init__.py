"""Tokens: what is held. Deployment of token contracts, the tokens' register, and what is minted."""

from deedbook.tokens import errors, events
from deedbook.tokens.listing import examine, list_again, register, request_refresh
from deedbook.tokens.metadata import note_market_value
from deedbook.tokens.minting import decide_mint, request_mint
from deedbook.tokens.ports import Foundry
from deedbook.tokens.service import deploy, of_address, of_id, of_market, of_symbol, record, record_cash
from deedbook.tokens.store import claim_symbol
from deedbook.tokens.supply import change_supply, complete_mint
from deedbook.tokens.terms import (
    Deployment,
    Mint,
    MintStatus,
    RegisterToken,
    RequestMint,
    Token,
    TokenStatus,
    TokenTerms,
    TokenType,
)

__all__ = [
    "Deployment",
    "Foundry",
    "Mint",
    "MintStatus",
    "RegisterToken",
    "RequestMint",
    "Token",
    "TokenStatus",
    "TokenTerms",
    "TokenType",
    "change_supply",
    "claim_symbol",
    "complete_mint",
    "decide_mint",
    "deploy",
    "errors",
    "events",
    "examine",
    "list_again",
    "note_market_value",
    "of_address",
    "of_id",
    "of_market",
    "of_symbol",
    "record",
    "record_cash",
    "register",
    "request_mint",
    "request_refresh",
]
