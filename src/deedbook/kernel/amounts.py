"""Amounts as text and as whole numbers of the smallest unit. No float and no Decimal ever touches money."""

import re

MAX_TEXT_LENGTH = 39
MAX_UNITS = 10**38
"""Above any sensible supply and below uint128, so that sums stay far inside NUMERIC(78,0) and uint256."""

AMOUNT_PATTERN = r"^(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?$"
POSITIVE_AMOUNT_PATTERN = r"^(?!0(\.0+)?$)(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?$"

_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,19})(?:\.([0-9]{1,18}))?")


class MalformedAmount(ValueError):
    """The text is not an amount; the message says what is wrong and never repeats more than it must."""


def is_amount(text: str) -> bool:
    """Whether `text` follows the amount grammar, exactly (`fullmatch`: `$` would let a newline through)."""
    return len(text) <= MAX_TEXT_LENGTH and _AMOUNT.fullmatch(text) is not None


def to_units(text: str, decimals: int) -> int:
    """Turn `"12.5"` into whole base units (`decimals` 6 gives 12500000), exactly or not at all.

    Raises:
        MalformedAmount: the text is no amount, is finer than the token, or is beyond `MAX_UNITS`.
    """
    match = _AMOUNT.fullmatch(text) if len(text) <= MAX_TEXT_LENGTH else None
    if match is None:
        raise MalformedAmount("an amount is a plain decimal string such as 12.50")
    whole, fraction = match.group(1), (match.group(2) or "").rstrip("0")
    if len(fraction) > decimals:
        raise MalformedAmount(f"at most {decimals} decimal places are possible here")
    units: int = int(whole) * 10**decimals + int(fraction.ljust(decimals, "0") or "0")
    if units > MAX_UNITS:
        raise MalformedAmount("the amount is too large")
    return units


def to_text(units: int, decimals: int) -> str:
    """The shortest exact decimal text of `units`: `to_units(to_text(u, d), d) == u` for every amount."""
    sign, digits = ("-", str(-units)) if units < 0 else ("", str(units))
    digits = digits.rjust(decimals + 1, "0")
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :].rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
