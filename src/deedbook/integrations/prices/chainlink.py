"""Chainlink's price feeds, read from the chain: `latestRoundData` of an AggregatorV3Interface.

Source: Chainlink, "Data Feeds API Reference". An answer that was carried over from an earlier round, is not positive,
or has no time of its own is none.
"""

from deedbook.chain.errors import ChainUnavailable, TransactionReverted
from deedbook.chain.ports import Chain
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.integrations.answers import NoAnswer
from deedbook.integrations.prices.numbers import MAX_PRICE, PLACES, from_epoch
from deedbook.marketdata.terms import PriceSource, Quote

_LATEST = keccak(b"latestRoundData()")[:4]
_DECIMALS = keccak(b"decimals()")[:4]
_WORD = 32
_FIELDS = 5
MAX_DECIMALS = 36


async def quote(chain: Chain, source: PriceSource) -> Quote:
    """What the contract says.

    Raises:
        NoAnswer: nothing usable.
    """
    contract = Address(source.locator)
    try:
        decimals = _words(await chain.call(contract, _DECIMALS), 1)[0]
        round_id, answer, _, updated_at, answered_in = _words(await chain.call(contract, _LATEST), _FIELDS)
    except TransactionReverted:
        raise NoAnswer("the contract has no price, or is no price feed") from None
    except ChainUnavailable:
        raise NoAnswer("the chain does not answer") from None
    if decimals > MAX_DECIMALS:
        raise NoAnswer("the contract's decimals are none")
    if answered_in < round_id or not updated_at:
        raise NoAnswer("the answer is of an earlier round, or of none")
    price = answer * 10**PLACES // 10**decimals
    # A negative answer is a number beyond all bounds here.
    if not 0 < price <= MAX_PRICE:
        raise NoAnswer("the price is nothing, negative, or beyond all bounds")
    return Quote(price, from_epoch(updated_at))


def _words(data: bytes, count: int) -> list[int]:
    if len(data) != count * _WORD:
        raise NoAnswer("the contract is no price feed")
    return [int.from_bytes(data[place : place + _WORD]) for place in range(0, len(data), _WORD)]
