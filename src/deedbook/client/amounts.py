"""Amounts as a program gives them, and as they travel: decimal text, exact, never a float."""

from decimal import Decimal

from deedbook.kernel.amounts import MalformedAmount, is_amount

Amount = Decimal | int | str
"""What a program may give for an amount, a price or a quantity."""


def amount_text(amount: Amount) -> str:
    """The text that is signed and sent. Text stays as it is given, since it is signed as it is shown.

    Raises:
        TypeError: a float, which has lost digits already.
        MalformedAmount: a ValueError: not a plain amount of at most 20 digits before the point and 18 behind it.
    """
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int | str):
        raise TypeError(f"an amount is a Decimal, an int or a text, never a {type(amount).__name__}")
    text = format(amount, "f") if isinstance(amount, Decimal) else str(amount)
    if not is_amount(text):
        raise MalformedAmount(f"{text[:40]!r} is no plain amount such as 250.50")
    return text
