"""The words of settling against the committed ABI, and against nodes that mean us no good."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from eth_abi import encode

from deedbook.chain.delivery import (
    Batch,
    Delivered,
    Delivery,
    DeliveryResult,
    FailureReason,
    FeesFrom,
    SignedText,
    Verdict,
)
from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.terms import Log, Receipt
from deedbook.chain.vault import VaultEvent, VaultEventKind, reference_of
from deedbook.chain.watch_store import args_of, event_of
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import ORDER, SWAP
from deedbook.integrations.sapphire import settlement as words
from deedbook.integrations.sapphire import settlement_events as events
from deedbook.integrations.sapphire.vault_events import decode
from tests.contracts.evm import abi_type, artifact_of, signature
from tests.support.fake_chain import FakeChain

SETTLEMENT, BASE, QUOTE, BUYER, SELLER, HOUSE = (Address("0x" + digit * 40) for digit in "abcdef")
TRADE_ID = uuid4()
BUY, SELL = b"\1" * 32, b"\2" * 32
MOVED = (BASE, QUOTE, BUYER, SELLER, HOUSE, 1_000, 5_000, 3, 13, 1)
DELIVERED = Delivered(
    TRADE_ID, BUY, SELL, BASE, QUOTE, BUYER, SELLER, HOUSE, 1_000, 5_000, 3, 13, FeesFrom.RECEIVED
)


class SaysChain(FakeChain):
    """A chain that gives one answer to every call."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self._said = answer

    async def call(self, to: Address, data: bytes, block: int | None = None) -> bytes:
        return self._said


def log(topics: Sequence[bytes], data: bytes, address: Address = SETTLEMENT) -> Log:
    return Log("0x", 1, "0x", 0, address, tuple(topics), data)


def receipt(*logs: Log) -> Receipt:
    return Receipt("0x", 1, "0x", True, 1, None, logs)


def settled(moved: tuple[Any, ...] = MOVED, trade_id: UUID = TRADE_ID) -> Log:
    data = encode([events._DELIVERY], [moved])
    return log([events.TRADE_SETTLED, reference_of(trade_id), BUY, SELL], data)


def failed(reason: bytes, trade_id: UUID = TRADE_ID) -> Log:
    return log([events.TRADE_FAILED, reference_of(trade_id)], encode(["bytes"], [reason]))


def test_events_and_views_are_the_contracts() -> None:
    told = {keccak(signature(entry)) for entry in artifact_of("Settlement").entries("event")}
    assert {events.TRADE_SETTLED, events.TRADE_FAILED, events.TRADE_ALREADY_SETTLED} <= told
    functions = {
        signature(entry).decode(): [abi_type(item) for item in entry["outputs"]]
        for entry in artifact_of("Settlement").entries("function")
    }
    assert functions["settled(bytes32)"] == ["bool"]
    assert functions["filled(bytes32)"] == ["uint256"]
    assert functions["pairOf(string)"] == ["(address,uint8,uint8,address,uint8)"]
    assert functions[f"preview{words._ARGUMENTS}"] == ["(uint8,bytes)[]"]


def test_every_reason_names_an_error_of_the_contract() -> None:
    declared = {keccak(signature(entry))[:4] for entry in artifact_of("Settlement").entries("error")}
    assert set(events._REASONS) <= declared
    assert events._TRADE_RESTRICTED in declared


def test_a_settled_trade_is_read_and_kept_as_it_was_told() -> None:
    told = settled()
    assert events.delivered(told.topics, told.data) == DELIVERED
    event = decode(told.topics, told.data)
    assert event == VaultEvent(
        VaultEventKind.TRADE_SETTLED, BASE, SELLER, BUYER, 1_000, reference_of(TRADE_ID), DELIVERED
    )
    assert event_of(event.kind.value, args_of(event)) == event


@pytest.mark.parametrize(
    ("fees_from", "moves"),
    [
        (
            FeesFrom.RECEIVED,
            {
                (SELLER, BASE): -1_000,
                (BUYER, BASE): 997,
                (HOUSE, BASE): 3,
                (BUYER, QUOTE): -5_000,
                (SELLER, QUOTE): 4_987,
                (HOUSE, QUOTE): 13,
            },
        ),
        (
            FeesFrom.QUOTE,
            {
                (SELLER, BASE): -1_000,
                (BUYER, BASE): 1_000,
                (BUYER, QUOTE): -5_003,
                (SELLER, QUOTE): 4_987,
                (HOUSE, QUOTE): 16,
            },
        ),
    ],
)
def test_moves_sum_to_zero(fees_from: FeesFrom, moves: dict[tuple[Address, Address], int]) -> None:
    told = settled((*MOVED[:9], events.FEE_MODES[fees_from]))
    found = events.delivered(told.topics, told.data).moves()
    assert {(account, token): change for account, token, change in found} == moves
    for of in (BASE, QUOTE):
        assert sum(change for _, token, change in found if token == of) == 0


def test_a_log_that_the_contract_cannot_have_written_is_the_nodes_fault() -> None:
    good = settled()
    topics, data = list(good.topics), good.data
    bent = [
        log(topics[:-1], data),
        log([*topics, BUY], data),
        log(topics, data[:-1]),
        log(topics, data + bytes(32)),
        log(topics, b""),
        log([topics[0], bytes(20), *topics[2:]], data),
        log(topics, b"\xff" * len(data)),
        settled((*MOVED[:9], 3)),
        log([events.TRADE_FAILED], encode(["bytes"], [b""])),
        log([events.TRADE_FAILED, reference_of(TRADE_ID)], b"\1"),
        log([events.TRADE_FAILED, bytes(20)], encode(["bytes"], [b""])),
        log([events.TRADE_ALREADY_SETTLED], b""),
    ]
    for told in bent:
        with pytest.raises(ChainUnavailable):
            words.verdicts(receipt(told), SETTLEMENT)


def test_a_trade_that_is_none_of_ours_is_seen_and_has_no_verdict() -> None:
    foreign = log([events.TRADE_SETTLED, b"\xff" * 32, BUY, SELL], settled().data)
    [moved] = words.delivered(receipt(foreign), SETTLEMENT)
    assert moved == replace(DELIVERED, trade_id=None)
    event = decode(foreign.topics, foreign.data)
    assert event.reference == b"\xff" * 32 and event_of(event.kind.value, args_of(event)) == event
    others = [foreign, log([events.TRADE_FAILED, b"\xff" * 32], encode(["bytes"], [b""]))]
    assert words.verdicts(receipt(*others), SETTLEMENT) == {}


def test_only_the_contracts_own_logs_are_verdicts() -> None:
    forged = log(settled().topics, settled().data, BASE)
    other = log([keccak(b"Deposited(address,address,uint256)"), BUY, SELL], bytes(32))
    assert words.verdicts(receipt(forged, other), SETTLEMENT) == {}
    assert words.delivered(receipt(forged, other), SETTLEMENT) == []


RESTRICTED = keccak(b"TradeRestricted(address,uint8)")[:4]


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        (RESTRICTED + encode(["address", "uint8"], [BASE, 1]), FailureReason.PAUSED),
        (RESTRICTED + encode(["address", "uint8"], [BASE, 3]), FailureReason.RECEIVER_FROZEN),
        (RESTRICTED + encode(["address", "uint8"], [BASE, 99]), FailureReason.UNKNOWN),
        (RESTRICTED, FailureReason.UNKNOWN),
        (keccak(b"IntentMalformed(bytes32)")[:4] + BUY, FailureReason.UNREADABLE),
        (b"", FailureReason.UNKNOWN),
        (b"\xde\xad", FailureReason.UNKNOWN),
    ],
)
def test_why_a_trade_failed_has_a_name(why: bytes, reason: FailureReason) -> None:
    verdict = words.verdicts(receipt(failed(why)), SETTLEMENT)[TRADE_ID]
    assert (verdict.result, verdict.reason) == (DeliveryResult.FAILED, reason)
    assert verdict.detail


def test_what_may_pass_is_no_verdict_on_what_was_signed() -> None:
    assert FailureReason.PAUSED.may_pass and FailureReason.INSUFFICIENT_BALANCE.may_pass
    for reason in (FailureReason.NOT_SIGNED, FailureReason.RECEIVER_FROZEN, FailureReason.OVERFILLED):
        assert not reason.may_pass


def batch(number: int = 1) -> Batch:
    trades = (Delivery(TRADE_ID, 0, 1, 1, 1, 0, 0, 1) for _ in range(number))
    return Batch((), (), tuple(trades))


async def test_a_preview_is_read_in_the_order_of_its_trades() -> None:
    why = RESTRICTED + encode(["address", "uint8"], [BASE, 2])
    answer = encode(["(uint8,bytes)[]"], [[(0, b""), (1, b""), (2, why)]])
    told = await words.preview(SaysChain(answer), SETTLEMENT, batch(3))
    assert told[:2] == [
        Verdict(TRADE_ID, DeliveryResult.SETTLED),
        Verdict(TRADE_ID, DeliveryResult.ALREADY_SETTLED),
    ]
    assert (told[2].result, told[2].reason) == (DeliveryResult.FAILED, FailureReason.SENDER_FROZEN)
    assert told[2].detail == f"TradeRestricted({BASE}, 2)"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff" * 64,
        encode(["(uint8,bytes)[]"], [[]]),
        encode(["(uint8,bytes)[]"], [[(3, b"")]]),
        encode(["(uint8,bytes)[]"], [[(0, b""), (0, b"")]]),
    ],
)
async def test_an_answer_that_is_no_preview_is_the_nodes_fault(answer: bytes) -> None:
    with pytest.raises(ChainUnavailable):
        await words.preview(SaysChain(answer), SETTLEMENT, batch())


def test_orders_and_swaps_are_not_mixed_up() -> None:
    for struct, kept in ((SWAP, "orders"), (ORDER, "swaps")):
        text = SignedText(struct, {}, b"")
        mixed = Batch((text,), (), ()) if kept == "orders" else Batch((), (text,), ())
        with pytest.raises(AssertionError):
            words.settle(SETTLEMENT, mixed)


async def test_views_answer_as_values() -> None:
    yes = SaysChain(bytes(31) + b"\1")
    assert await words.is_settled(yes, SETTLEMENT, TRADE_ID) is True
    assert await words.is_settled(SaysChain(bytes(32)), SETTLEMENT, TRADE_ID, 7) is False
    assert await words.filled(SaysChain((10**38).to_bytes(32)), SETTLEMENT, BUY) == 10**38
    pair = encode(["(address,uint8,uint8,address,uint8)"], [(BASE, 18, 1, QUOTE, 6)])
    assert await words.is_pair_listed(SaysChain(pair), SETTLEMENT, "A-B") is True
    assert await words.is_pair_listed(SaysChain(bytes(160)), SETTLEMENT, "A-B") is False
