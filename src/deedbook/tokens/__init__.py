"""Tokens: what is held. Deployment of token contracts and the tokens' register."""

from deedbook.tokens import errors, events
from deedbook.tokens.service import (
    Foundry,
    deploy,
    of_address,
    of_id,
    of_market,
    of_symbol,
    record,
    record_cash,
)
from deedbook.tokens.terms import Deployment, Token, TokenStatus, TokenTerms, TokenType

__all__ = [
    "Deployment",
    "Foundry",
    "Token",
    "TokenStatus",
    "TokenTerms",
    "TokenType",
    "deploy",
    "errors",
    "events",
    "of_address",
    "of_id",
    "of_market",
    "of_symbol",
    "record",
    "record_cash",
]
