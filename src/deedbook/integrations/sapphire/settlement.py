"""The words of the settling of trades: calls to make, what they cost, and what stands there.

Texts are passed on as they were signed; the contract hashes and reads the very same. Packing is by hand, since a
batch holds a hundred of them. Gas budgets are static, measured by the contracts' tests with the dearest trades.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError

from deedbook.chain.delivery import (
    Batch,
    Cost,
    Delivered,
    Delivery,
    DeliveryResult,
    FeesFrom,
    SignedText,
    Verdict,
)
from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call, Receipt
from deedbook.chain.vault import reference_of
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import ORDER, SWAP, Struct
from deedbook.integrations.sapphire import settlement_events as events
from deedbook.integrations.sapphire.contracts import read

GAS_BATCH = 300_000
"""With what must be left when the last trade is tried: the contract reverts whole before it judges with less."""
GAS_EACH_TEXT = 75_000
GAS_SWAP_MORE = 30_000
GAS_EACH_TRADE = 187_000
GAS_ASKED_WALLET = 340_000
GAS_LIST_PAIR = 150_000
_GAS_BYTE, _GAS_ZERO_BYTE = 23, 7
"""Ethereum's 16 and 4, Sapphire's 1 for each byte sent, and the third to spare."""
_WORD = 32
_TRADE = "(bytes32,uint256,uint256,uint256,uint256,uint256,uint256,uint64)"
_RESULTS = (DeliveryResult.SETTLED, DeliveryResult.ALREADY_SETTLED, DeliveryResult.FAILED)


def _kind(struct: Struct) -> str:
    return f"(({','.join(kind for _, kind in struct.fields)}),bytes)"


_ARGUMENTS = f"({_kind(ORDER)}[],{_kind(SWAP)}[],{_TRADE}[])"
_SETTLE = keccak(f"settle{_ARGUMENTS}".encode())[:4]
_PREVIEW = keccak(f"preview{_ARGUMENTS}".encode())[:4]
_LIST_PAIR = keccak(b"listPair(string,address,address,uint8)")[:4]
_HEAD_BYTES = len(_SETTLE) + 6 * _WORD
"""The selector; for each of three lists where it begins and how long it is."""
_TRADE_BYTES = 8 * _WORD


def settle(settlement: Address, batch: Batch) -> Call:
    """Deliver the batch's trades against payment, each on its own and once for ever."""
    data = _SETTLE + _arguments(batch)
    return Call(settlement, data, _budget(batch).gas)


async def preview(chain: Chain, settlement: Address, batch: Batch) -> list[Verdict]:
    """What `settle` would say of each trade now, in their order, without doing it.

    Raises:
        ChainUnavailable: no answer, or one that is none.
        TransactionReverted: the node gave the question too little gas; ask of fewer trades.
    """
    answer = await chain.call(settlement, _PREVIEW + _arguments(batch))
    try:
        outcomes = decode(["(uint8,bytes)[]"], answer)[0]
        told = [(_RESULTS[result], bytes(why)) for result, why in outcomes]
    except (DecodingError, OverflowError, IndexError):
        raise ChainUnavailable(f"{settlement} answered something that is no preview") from None
    if len(told) != len(batch.deliveries):
        raise ChainUnavailable(f"{settlement} answered of {len(told)} trades, not {len(batch.deliveries)}")
    asked = zip(batch.deliveries, told, strict=True)
    return [
        events.failed(delivery.trade_id, why)
        if result is DeliveryResult.FAILED
        else Verdict(delivery.trade_id, result)
        for delivery, (result, why) in asked
    ]


def verdicts(receipt: Receipt, settlement: Address) -> dict[UUID, Verdict]:
    """What a mined transaction says of its trades.

    Raises:
        ChainUnavailable: a log that the contract cannot have written; the node is wrong.
    """
    logs = (log for log in receipt.logs if log.address == settlement)
    told = [verdict for log in logs if (verdict := events.verdict_in(log)) is not None]
    return {verdict.trade_id: verdict for verdict in told}


def delivered(receipt: Receipt, settlement: Address) -> list[Delivered]:
    """What the trades that a mined transaction has settled have moved, in their order.

    Raises:
        ChainUnavailable: a log that the contract cannot have written; the node is wrong.
    """
    return [
        events.delivered(log.topics, log.data)
        for log in receipt.logs
        if log.address == settlement and log.topics[:1] == (events.TRADE_SETTLED,)
    ]


def cost_of_batch() -> Cost:
    """What a batch costs beside its texts and trades."""
    return Cost(GAS_BATCH, _HEAD_BYTES)


def cost_of_text(text: SignedText) -> Cost:
    """What a text costs, however many trades of the batch name it."""
    packed = _signed(text)
    zeros = packed.count(0)
    gas = GAS_EACH_TEXT + zeros * _GAS_ZERO_BYTE + (len(packed) - zeros) * _GAS_BYTE
    gas += GAS_SWAP_MORE if text.struct is SWAP else 0
    gas += GAS_ASKED_WALLET if text.asks_wallet else 0
    return Cost(gas, _WORD + len(packed))


def cost_of_delivery() -> Cost:
    return Cost(GAS_EACH_TRADE, _TRADE_BYTES)


def list_pair(settlement: Address, symbol: str, base: Address, quote: Address, fees_from: FeesFrom) -> Call:
    """Say for ever what a symbol in a signed text means. Both tokens are listed already."""
    arguments = [symbol, base, quote, events.FEE_MODES[fees_from]]
    data = _LIST_PAIR + encode(["string", "address", "address", "uint8"], arguments)
    return Call(settlement, data, GAS_LIST_PAIR)


async def is_pair_listed(chain: Chain, settlement: Address, symbol: str) -> bool:
    pair = await read(
        chain, settlement, "pairOf(string)", ["string"], [symbol], "(address,uint8,uint8,address,uint8)"
    )
    return bool(pair[2])


async def is_settled(chain: Chain, settlement: Address, trade_id: UUID, block: int | None = None) -> bool:
    """Whether the trade was settled, as of this block or the newest."""
    asked = "settled(bytes32)", ["bytes32"], [reference_of(trade_id)]
    return bool(await read(chain, settlement, *asked, "bool", block))


async def filled(chain: Chain, settlement: Address, digest: bytes) -> int:
    """How much was settled of the order or swap with this digest: base units of an order, what a swap has given."""
    return int(await read(chain, settlement, "filled(bytes32)", ["bytes32"], [digest], "uint256"))


def _budget(batch: Batch) -> Cost:
    cost = cost_of_batch()
    for text in (*batch.orders, *batch.swaps):
        cost += cost_of_text(text)
    for _ in batch.deliveries:
        cost += cost_of_delivery()
    return cost


def _arguments(batch: Batch) -> bytes:
    assert all(text.struct is ORDER for text in batch.orders)
    assert all(text.struct is SWAP for text in batch.swaps)
    lists = [
        _list([_signed(text) for text in batch.orders]),
        _list([_signed(text) for text in batch.swaps]),
        _number(len(batch.deliveries)) + b"".join(_trade(delivery) for delivery in batch.deliveries),
    ]
    return _offset_by(lists)


def _trade(delivery: Delivery) -> bytes:
    numbers = (
        delivery.buy,
        delivery.sell,
        delivery.quantity,
        delivery.quote_amount,
        delivery.buyer_fee,
        delivery.seller_fee,
        delivery.matched_at,
    )
    return reference_of(delivery.trade_id) + b"".join(map(_number, numbers))


def _signed(text: SignedText) -> bytes:
    return _offset_by([_struct(text.struct, text.values), _text(text.signature)])


def _struct(struct: Struct, values: Mapping[str, Any]) -> bytes:
    """The fields in their order: a text stands at the end, and in its place where it begins."""
    heads, texts = [], []
    begin = _WORD * len(struct.fields)
    for field, kind in struct.fields:
        value = values[field]
        if kind == "string":
            heads.append(_number(begin))
            texts.append(_text(value.encode()))
            begin += len(texts[-1])
        else:
            heads.append(_number(int(value, 16) if kind == "address" else int(value)))
    return b"".join(heads + texts)


def _list(items: Sequence[bytes]) -> bytes:
    return _number(len(items)) + _offset_by(items)


def _offset_by(parts: Sequence[bytes]) -> bytes:
    """Parts of any length one after another, and before them where each begins."""
    heads, begin = [], _WORD * len(parts)
    for part in parts:
        heads.append(_number(begin))
        begin += len(part)
    return b"".join([*heads, *parts])


def _text(data: bytes) -> bytes:
    return _number(len(data)) + data + bytes(-len(data) % _WORD)


def _number(value: int) -> bytes:
    return value.to_bytes(_WORD, "big")
