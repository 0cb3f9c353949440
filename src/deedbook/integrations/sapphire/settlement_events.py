"""What the contract tells of trades, as the chain spells it: settled, failed, settled before; and for what reason."""

from collections.abc import Sequence
from uuid import UUID

from eth_abi import decode
from eth_abi.exceptions import DecodingError

from deedbook.chain.delivery import Delivered, DeliveryResult, FailureReason, FeesFrom, Verdict
from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.terms import Log
from deedbook.chain.vault import REFERENCE_BYTES, id_of
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire.refusals import in_words

_DELIVERY = "(address,address,address,address,address,uint256,uint256,uint256,uint256,uint8)"
_DELIVERY_BYTES = 10 * 32
TRADE_SETTLED = keccak(f"TradeSettled(bytes32,bytes32,bytes32,{_DELIVERY})".encode())
TRADE_FAILED = keccak(b"TradeFailed(bytes32,bytes)")
TRADE_ALREADY_SETTLED = keccak(b"TradeAlreadySettled(bytes32)")
FEE_MODES = {FeesFrom.RECEIVED: 1, FeesFrom.QUOTE: 2}
_FEES_FROM = {number: fees for fees, number in FEE_MODES.items()}

_REASONS = {
    keccak(error.encode())[:4]: reason
    for error, reason in {
        "IntentMalformed(bytes32)": FailureReason.UNREADABLE,
        "IntentNotSigned(bytes32)": FailureReason.NOT_SIGNED,
        "NoSuchIntent(uint256)": FailureReason.NO_SUCH_TEXT,
        "PairNotListed(bytes32)": FailureReason.PAIR_NOT_LISTED,
        "SideNotSigned()": FailureReason.SIDE_NOT_SIGNED,
        "PairsDiffer()": FailureReason.PAIRS_DIFFER,
        "SameAccount(address)": FailureReason.SAME_TRADER,
        "ZeroAmount()": FailureReason.AMOUNT_OUT_OF_RANGE,
        "AmountTooLarge(uint256)": FailureReason.AMOUNT_OUT_OF_RANGE,
        "MatchedInTheFuture(uint256,uint256)": FailureReason.MATCHED_IN_THE_FUTURE,
        "MatchTooOld(uint256,uint256)": FailureReason.MATCH_TOO_OLD,
        "IntentExpired(bytes32,uint256)": FailureReason.EXPIRED,
        "IntentCancelled(bytes32)": FailureReason.CANCELLED,
        "PriceWorseThanSigned(bytes32)": FailureReason.PRICE_NOT_SIGNED,
        "RateWorseThanSigned(bytes32)": FailureReason.RATE_NOT_SIGNED,
        "Overfilled(bytes32,uint256,uint256)": FailureReason.OVERFILLED,
        "FeeAboveCap(bytes32,uint256,uint256)": FailureReason.FEE_ABOVE_CAP,
        "InsufficientVaultBalance(address,address,uint256,uint256)": FailureReason.INSUFFICIENT_BALANCE,
    }.items()
}
_TRADE_RESTRICTED = keccak(b"TradeRestricted(address,uint8)")[:4]
_RESTRICTIONS = {
    1: FailureReason.PAUSED,
    2: FailureReason.SENDER_FROZEN,
    3: FailureReason.RECEIVER_FROZEN,
    4: FailureReason.PART_FROZEN,
    10: FailureReason.KYC_MISSING,
    11: FailureReason.KYC_EXPIRED,
}


def delivered(topics: Sequence[bytes], data: bytes) -> Delivered:
    """What a settled trade has moved, from its log.

    Raises:
        ChainUnavailable: a log that the contract cannot have written; the node is wrong.
    """
    try:
        told = decode([_DELIVERY], data)[0] if len(data) == _DELIVERY_BYTES else None
    except DecodingError:
        told = None
    words = len(topics) == 4 and all(len(topic) == REFERENCE_BYTES for topic in topics)
    if not words or told is None or told[9] not in _FEES_FROM:
        raise ChainUnavailable("the node answered with a TradeSettled that is none")
    base, quote, buyer, seller, fee_account = (Address(str(told[place]).lower()) for place in range(5))
    return Delivered(
        trade_id=id_of(topics[1]),
        buy_digest=topics[2],
        sell_digest=topics[3],
        base=base,
        quote=quote,
        buyer=buyer,
        seller=seller,
        fee_account=fee_account,
        quantity=told[5],
        quote_amount=told[6],
        buyer_fee=told[7],
        seller_fee=told[8],
        fees_from=_FEES_FROM[told[9]],
    )


def verdict_in(log: Log) -> Verdict | None:
    """What a log of the contract says of a trade of ours; `None` when it speaks of something else.

    Raises:
        ChainUnavailable: a log that the contract cannot have written; the node is wrong.
    """
    if log.topics[:1] == (TRADE_SETTLED,):
        trade_id = delivered(log.topics, log.data).trade_id
        return None if trade_id is None else Verdict(trade_id, DeliveryResult.SETTLED)
    if log.topics[:1] not in ((TRADE_FAILED,), (TRADE_ALREADY_SETTLED,)):
        return None
    if len(log.topics) != 2 or len(log.topics[1]) != REFERENCE_BYTES:
        raise ChainUnavailable("the node answered with a log that tells of no trade")
    trade_id = id_of(log.topics[1])
    if trade_id is None:
        return None
    if log.topics[0] == TRADE_FAILED:
        return failed(trade_id, _reason_in(log.data))
    return Verdict(trade_id, DeliveryResult.ALREADY_SETTLED)


def failed(trade_id: UUID, why: bytes) -> Verdict:
    """The verdict on a trade that failed for this error, which the contract may have cut short."""
    return Verdict(trade_id, DeliveryResult.FAILED, _reason(why), in_words(why) or f"0x{why.hex()}")


def _reason(why: bytes) -> FailureReason:
    selector = why[:4]
    if selector == _TRADE_RESTRICTED and len(why) == 68:
        return _RESTRICTIONS.get(int.from_bytes(why[36:]), FailureReason.UNKNOWN)
    return _REASONS.get(selector, FailureReason.UNKNOWN)


def _reason_in(data: bytes) -> bytes:
    try:
        return bytes(decode(["bytes"], data)[0])
    except DecodingError:
        raise ChainUnavailable("the node answered with a TradeFailed that is none") from None
