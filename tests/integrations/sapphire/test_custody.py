"""The words of the vault against the committed ABI, and against contracts and nodes that mean us no good."""

from typing import Any

import pytest
from eth_abi import encode

from deedbook.chain.errors import ChainUnavailable, TransactionReverted
from deedbook.chain.identities import MAX_UPDATES, IdentityUpdate
from deedbook.chain.vault import VaultEvent, VaultEventKind
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire import custody
from deedbook.integrations.sapphire.settlement_events import TRADE_SETTLED
from deedbook.integrations.sapphire.vault_events import ORDER_CANCELLED, TOPICS, decode
from tests.contracts.evm import abi_type, artifact_of, signature
from tests.support.fake_chain import FakeChain

TOKEN, ACCOUNT, OTHER = (Address("0x" + digit * 40) for digit in "abc")
REFERENCE = b"\x0f" * 32
AMOUNT = 2**128 - 1


class SaidChain(FakeChain):
    """A chain whose contracts answer what a test puts into their mouths."""

    def __init__(self, **said: bytes | Exception) -> None:
        super().__init__()
        self.asked: list[bytes] = []
        self._said = {keccak(f"{name}()".encode())[:4]: answer for name, answer in said.items()}

    async def call(self, to: Address, data: bytes, block: int | None = None) -> bytes:
        self.asked.append(data[:4])
        answer = self._said.get(data[:4], bytes(31) + b"\1")
        if isinstance(answer, Exception):
            raise answer
        return answer


def text(value: str) -> bytes:
    return bytes(encode(["string"], [value]))


def number(value: int) -> bytes:
    return value.to_bytes(32, "big")


# Views


VIEWS = {
    "balanceOf(address,address)": "Settlement",
    "totalOf(address)": "Settlement",
    "usedDigest(bytes32)": "Settlement",
    "usedReference(bytes32)": "Settlement",
    "detectVaultRestriction(address,address,uint256)": "RwaToken",
}


async def test_every_view_is_the_contracts() -> None:
    said = SaidChain()
    assert await custody.vault_balance(said, TOKEN, ACCOUNT, OTHER) == 1
    assert await custody.vault_total(said, TOKEN, OTHER) == 1
    assert await custody.is_digest_used(said, TOKEN, REFERENCE) is True
    assert await custody.is_reference_used(said, TOKEN, REFERENCE) is True
    assert await custody.vault_restriction(said, TOKEN, ACCOUNT, OTHER, 5) == 1
    assert said.asked == [keccak(asked.encode())[:4] for asked in VIEWS]
    for asked, contract in VIEWS.items():
        entry = artifact_of(contract).function(asked.partition("(")[0])
        assert (signature(entry).decode(), entry["stateMutability"]) == (asked, "view")


# A token's own words


def words(**changes: bytes | Exception) -> SaidChain:
    said: dict[str, bytes | Exception] = {
        "name": text("USD Coin"),
        "symbol": text("USDC"),
        "decimals": number(6),
        **changes,
    }
    return SaidChain(**said)


async def test_a_token_is_read_as_it_calls_itself() -> None:
    said = await custody.erc20_metadata(words(name=text("Épargne 1 · été")), TOKEN)
    assert said is not None
    assert (said.name, said.symbol, said.decimals) == ("Épargne 1 · été", "USDC", 6)


NO_WORDS: list[bytes | Exception] = [
    b"",
    b"\1",
    TransactionReverted("no such function"),
    bytes(32),
    number(2**256 - 1),
    number(32) + number(2**255),
    number(32) + number(5) + b"\xff\xfe\xfd\xfc\xfb".ljust(32, b"\0"),
    text(""),
    text(" "),
    text("USDC "),
    text("a\nb"),
    text("a\0b"),
    text("US\u202eCD"),
    text("US\u200bDC"),
    text("\ud7ff" * 65),
    text("x" * 65),
    text("x" * 100_000),
]


@pytest.mark.parametrize("answer", NO_WORDS)
async def test_what_no_token_would_say_is_no_name_and_no_symbol(answer: bytes | Exception) -> None:
    assert await custody.erc20_metadata(words(name=answer), TOKEN) is None
    assert await custody.erc20_metadata(words(symbol=answer), TOKEN) is None


@pytest.mark.parametrize(
    "answer", [b"", b"\6", number(39), number(256), number(2**256 - 1), TransactionReverted("no")]
)
async def test_what_no_token_would_say_is_no_decimals(answer: bytes | Exception) -> None:
    assert await custody.erc20_metadata(words(decimals=answer), TOKEN) is None


async def test_a_silent_node_is_not_taken_for_a_silent_token() -> None:
    with pytest.raises(ChainUnavailable):
        await custody.erc20_metadata(words(symbol=ChainUnavailable("no answer")), TOKEN)


# Bounds of calls


def test_a_batch_of_identities_has_its_bounds() -> None:
    update = IdentityUpdate(ACCOUNT, True, "LU", 0, None)
    for number_of in (0, MAX_UPDATES + 1):
        with pytest.raises(AssertionError):
            custody.set_identities(TOKEN, [update] * number_of)
        with pytest.raises(AssertionError):
            custody.set_frozen(TOKEN, [ACCOUNT] * number_of, True)


def test_a_reference_has_32_bytes() -> None:
    for reference in (b"", bytes(16), bytes(33)):
        with pytest.raises(AssertionError):
            custody.mint_to_vault(TOKEN, ACCOUNT, 1, reference)


# Events


def entries() -> dict[bytes, dict[str, Any]]:
    return {keccak(signature(entry)): entry for entry in artifact_of("Settlement").entries("event")}


def word(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return number(value) if isinstance(value, int) else bytes(12) + bytes.fromhex(value[2:])


NAMES = {
    "token": TOKEN,
    "account": ACCOUNT,
    "from": ACCOUNT,
    "trader": ACCOUNT,
    "effectiveAfter": AMOUNT,
    "to": OTHER,
    "destination": OTHER,
    "amount": AMOUNT,
}


def written(entry: dict[str, Any]) -> tuple[list[bytes], bytes]:
    """The log as the contract writes it, by the ABI alone."""
    values = [(item, NAMES.get(item["name"], REFERENCE)) for item in entry["inputs"]]
    topics = [keccak(signature(entry)), *[word(value) for item, value in values if item["indexed"]]]
    plain = [(abi_type(item), value) for item, value in values if not item["indexed"]]
    return topics, bytes(encode([kind for kind, _ in plain], [value for _, value in plain]))


OTHERS = {TRADE_SETTLED, ORDER_CANCELLED}


def test_every_event_with_an_amount_is_known_and_no_other() -> None:
    with_amount = {
        topic for topic, entry in entries().items() if "amount" in [item["name"] for item in entry["inputs"]]
    }
    assert with_amount == set(TOPICS) - OTHERS
    assert len(TOPICS) == len(VaultEventKind)


OF_ONE_AMOUNT = [topic for topic in TOPICS if topic not in OTHERS]


def test_a_cancel_on_the_chain_is_read_as_the_abi_writes_it() -> None:
    topics, data = written(entries()[ORDER_CANCELLED])
    told = decode(topics, data)
    assert told.kind is VaultEventKind.ORDER_CANCELLED
    assert (told.account, told.reference, told.amount) == (ACCOUNT, topics[2], 0)
    for bent in ((topics[:2], data), (topics, data[:-1]), ([*topics[:2], topics[2][:31]], data)):
        with pytest.raises(ChainUnavailable):
            decode(*bent)


@pytest.mark.parametrize("topic", OF_ONE_AMOUNT, ids=lambda topic: entries()[topic]["name"])
def test_each_event_is_read_as_the_abi_writes_it(topic: bytes) -> None:
    entry = entries()[topic]
    names = {item["name"] for item in entry["inputs"]}
    told = decode(*written(entry))
    assert told == VaultEvent(
        kind=told.kind,
        token=TOKEN,
        account=ACCOUNT,
        counterparty=OTHER if names & {"to", "destination"} else None,
        amount=AMOUNT,
        reference=REFERENCE if names - NAMES.keys() else None,
    )
    assert told.kind.value == snake(entry["name"])


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


@pytest.mark.parametrize("topic", OF_ONE_AMOUNT, ids=lambda topic: entries()[topic]["name"])
def test_a_log_that_the_vault_cannot_have_written_is_the_nodes_fault(topic: bytes) -> None:
    topics, data = written(entries()[topic])
    bent = [
        (topics[:-1], data),
        ([*topics, REFERENCE], data),
        (topics, data[:-1]),
        (topics, data + bytes(32)),
        (topics, b""),
        ([topics[0], *[b"\xff" * 32] * (len(topics) - 1)], data),
        ([topics[0], *[bytes(20)] * (len(topics) - 1)], data),
        ([keccak(b"Deposited()"), *topics[1:]], data),
        ([], data),
    ]
    for told in bent:
        with pytest.raises(ChainUnavailable):
            decode(*told)
