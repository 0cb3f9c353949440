"""What a token contract says of itself, as far as it can be believed."""

from dataclasses import dataclass

MAX_NAME_LENGTH = 64
MAX_SYMBOL_LENGTH = 32


@dataclass(frozen=True)
class Erc20Metadata:
    """Its own words: anybody can give a contract any name. Printable, and no longer than the bounds above."""

    name: str
    symbol: str
    decimals: int
