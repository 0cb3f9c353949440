"""Tokens: what is held. Deployment of token contracts and the tokens' register."""

from deedbook.tokens import errors
from deedbook.tokens.service import Foundry, deploy, of_market, of_symbol, record, record_cash
from deedbook.tokens.terms import Deployment, Token, TokenTerms, TokenType

__all__ = [
    "Deployment",
    "Foundry",
    "Token",
    "TokenTerms",
    "TokenType",
    "deploy",
    "errors",
    "of_market",
    "of_symbol",
    "record",
    "record_cash",
]
