"""Rules of supply and of shares in it. Pure: values in, values out."""

from collections.abc import Mapping
from typing import Any

from deedbook.chain.erc20 import Erc20Metadata
from deedbook.kernel.amounts import to_text, to_units
from deedbook.tokens.errors import SupplyCapExceeded
from deedbook.tokens.terms import Token, TokenType

_FINEST = 18
SHARE_DIGITS = 6


def require_room(token: Token, open_units: int, units: int) -> None:
    """Go on only if the cap leaves room, with everything counted that was asked for already.

    Raises:
        SupplyCapExceeded: says how much could be asked for.
    """
    assert token.supply_cap is not None, "what is minted here has a cap"
    room = token.supply_cap - token.total_supply - open_units
    if units > room:
        raise SupplyCapExceeded(
            f"at most {to_text(max(room, 0), token.decimals)} {token.symbol} can be asked for"
        )


def is_automatic(units: int, automatic_up_to: str, decimals: int) -> bool:
    """Whether the policy agrees by itself. The limit, in whole tokens, is rounded down to what the token can hold;
    0 means always a person."""
    limit: int = to_units(automatic_up_to, _FINEST) // 10 ** (_FINEST - decimals)
    return units <= limit


def share_percent(units: int, total_units: int) -> str:
    """How much of all there is, in percent, rounded down at the sixth decimal."""
    return to_text(units * 100 * 10**SHARE_DIGITS // total_units, SHARE_DIGITS) if total_units else "0"


def word_differences(token: Token, told: Erc20Metadata, former: Mapping[str, Any] | None) -> list[str]:
    """What a contract says of itself otherwise than the register, or, where it is others', than it did before."""
    expected: dict[str, Any] = {"decimals": token.decimals}
    if token.token_type is TokenType.RWA:
        expected |= {"name": token.name, "symbol": token.symbol}
    elif former:
        expected |= {name: former[name] for name in ("name", "symbol") if former.get(name) is not None}
    found = {"name": told.name, "symbol": told.symbol, "decimals": told.decimals}
    return [
        f"{name} is {found[name]!r}, not {value!r}"
        for name, value in expected.items()
        if found[name] != value
    ]


def plain(number: str) -> str:
    """A decimal number without idle zeros at its end."""
    return number.rstrip("0").rstrip(".") if "." in number else number
