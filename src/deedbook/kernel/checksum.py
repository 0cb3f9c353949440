"""The sum by which two copies of an order book are compared, so that a copy that went wrong is noticed at once."""

import zlib
from collections.abc import Sequence

LEVELS = 10
"""How many of the best levels of each side are summed."""


def book_checksum(bids: Sequence[Sequence[str]], asks: Sequence[Sequence[str]]) -> int:
    """CRC-32 over the best ten levels as they were sent: asks from the lowest, then bids from the highest; of each its
    price and its quantity, without the point and without leading zeros."""
    digits = [
        text.replace(".", "").lstrip("0")
        for side in (asks, bids)
        for level in side[:LEVELS]
        for text in level[:2]
    ]
    return zlib.crc32("".join(digits).encode())
