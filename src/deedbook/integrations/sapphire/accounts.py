"""eth-account without its side effect: a package that it loads raises Python's recursion limit to 100,000, with
which deeply nested JSON no longer ends in a `RecursionError` but in a crash of the process.
"""

import sys

_limit = sys.getrecursionlimit()

from eth_account import Account  # noqa: E402
from eth_account.messages import encode_defunct  # noqa: E402

sys.setrecursionlimit(_limit)

__all__ = ["Account", "encode_defunct"]
