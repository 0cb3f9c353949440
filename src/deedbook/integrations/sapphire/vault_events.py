"""The vault's events as the chain spells them: one table, from which topics and decoding both come."""

from collections.abc import Sequence
from dataclasses import dataclass

from deedbook.chain.delivery import Delivered
from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.vault import REFERENCE_BYTES, VaultEvent, VaultEventKind
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire import settlement_events

_ADDRESS_PAD = bytes(12)


@dataclass(frozen=True)
class _Shape:
    """An event: its name, what each of its topics is, what its data holds (in the order of the contract)."""

    kind: VaultEventKind
    name: str
    topics: tuple[str, ...]
    data: tuple[str, ...]

    @property
    def topic(self) -> bytes:
        kinds = {"reference": "bytes32", "amount": "uint256"}
        told = ",".join(kinds.get(field, "address") for field in (*self.topics, *self.data))
        return keccak(f"{self.name}({told})".encode())


_REFERENCED = ("reference", "token", "account")
_SHAPES = (
    _Shape(VaultEventKind.DEPOSITED, "Deposited", ("token", "account"), ("amount",)),
    _Shape(VaultEventKind.DEPOSIT_RELAYED, "DepositRelayed", _REFERENCED, ("amount",)),
    _Shape(VaultEventKind.WITHDRAWN, "Withdrawn", _REFERENCED, ("counterparty", "amount")),
    _Shape(VaultEventKind.TRANSFERRED, "Transferred", _REFERENCED, ("counterparty", "amount")),
    _Shape(VaultEventKind.MINT_CREDITED, "MintCredited", _REFERENCED, ("amount",)),
    _Shape(VaultEventKind.BURN_DEBITED, "BurnDebited", _REFERENCED, ("amount",)),
    _Shape(VaultEventKind.FORCED_MOVE, "ForcedMove", _REFERENCED, ("counterparty", "amount")),
    _Shape(
        VaultEventKind.BALANCE_RECOVERED,
        "BalanceRecovered",
        ("token", "account", "counterparty"),
        ("amount",),
    ),
)
_BY_TOPIC = {shape.topic: shape for shape in _SHAPES}
ORDER_CANCELLED = keccak(b"OrderCancelled(address,bytes32,uint256)")
_NO_TOKEN = Address("0x" + "00" * 20)
TOPICS = (*_BY_TOPIC, settlement_events.TRADE_SETTLED, ORDER_CANCELLED)
"""The first topic of every event that tells of a balance or of a text. The vault tells of other things too: roles,
listings."""


def decode(topics: Sequence[bytes], data: bytes) -> VaultEvent:
    """The event in a log of the vault whose first topic is one of `TOPICS`.

    Raises:
        ChainUnavailable: a log that the vault cannot have written; the node is wrong.
    """
    if topics and topics[0] == settlement_events.TRADE_SETTLED:
        delivered = settlement_events.delivered(topics, data)
        return _trade(topics[1], delivered)
    if topics and topics[0] == ORDER_CANCELLED:
        return _cancelled(topics, data)
    shape = _BY_TOPIC.get(topics[0]) if topics else None
    if shape is None or len(topics) != 1 + len(shape.topics):
        raise ChainUnavailable("the node answered with a log that is no event of the vault")
    told = dict(zip(shape.topics, topics[1:], strict=True)) | _data_of(shape, data)
    counterparty = told.get("counterparty")
    return VaultEvent(
        kind=shape.kind,
        token=_address(told["token"]),
        account=_address(told["account"]),
        counterparty=None if counterparty is None else _address(counterparty),
        amount=int.from_bytes(told["amount"], "big"),
        reference=told.get("reference"),
    )


def decode_if_known(topics: Sequence[bytes], data: bytes) -> VaultEvent | None:
    """The same for any log of the vault; `None` for one that tells of no balance."""
    return decode(topics, data) if topics and topics[0] in TOPICS else None


def _cancelled(topics: Sequence[bytes], data: bytes) -> VaultEvent:
    if len(topics) != 3 or len(topics[2]) != REFERENCE_BYTES or len(data) != REFERENCE_BYTES:
        raise ChainUnavailable("the node answered with an OrderCancelled that is none")
    return VaultEvent(VaultEventKind.ORDER_CANCELLED, _NO_TOKEN, _address(topics[1]), None, 0, topics[2])


def _trade(reference: bytes, delivered: Delivered) -> VaultEvent:
    return VaultEvent(
        kind=VaultEventKind.TRADE_SETTLED,
        token=delivered.base,
        account=delivered.seller,
        counterparty=delivered.buyer,
        amount=delivered.quantity,
        reference=reference,
        delivered=delivered,
    )


def _data_of(shape: _Shape, data: bytes) -> dict[str, bytes]:
    if len(data) != REFERENCE_BYTES * len(shape.data):
        raise ChainUnavailable(f"the node answered with a {shape.name} of another length")
    words = [data[start : start + REFERENCE_BYTES] for start in range(0, len(data), REFERENCE_BYTES)]
    return dict(zip(shape.data, words, strict=True))


def _address(word: bytes) -> Address:
    if len(word) != REFERENCE_BYTES or word[:12] != _ADDRESS_PAD:
        raise ChainUnavailable("the node answered with a log in which an address is none")
    return Address("0x" + word[12:].hex())
