"""Our words for the contracts against the committed ABI, against a chain that shows something else, and against
the gas that they really take."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from eth_abi import decode, encode

from deedbook import chain, tokens
from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.terms import MAX_DATA_BYTES, Call, Contract
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.sapphire import contracts as words
from deedbook.integrations.sapphire import custody
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.contracts import SapphireContracts
from deedbook.integrations.sapphire.refusals import in_words
from tests.contracts.evm import abi_type, artifact_of, signature
from tests.support.fake_chain import FakeChain
from tests.support.platform import Platform, moving, open_platform, token_terms
from tests.support.servers import PostgresServer
from tests.support.waiting import PATIENCE_S

TERMS = token_terms()
ADMIN, TOKEN = Address("0x" + "ad" * 20), Address("0x" + "70" * 20)
PLATFORM = {contract: Address("0x" + f"{number:02x}" * 20) for number, contract in enumerate(Contract, 1)}
HEADROOM = 1.25
LONGEST_NAME, LONGEST_SYMBOL = 64 * "🏠", 32 * "W"


def selector_of(contract: str, function: str) -> bytes:
    return keccak(signature(artifact_of(contract).function(function)))[:4]


def arguments(contract: str, function: str, data: bytes) -> tuple[Any, ...]:
    """The call's arguments, read by the ABI alone."""
    entry = artifact_of(contract).function(function)
    types = [abi_type(item) for item in entry["inputs"]]
    assert data[:4] == keccak(signature(entry))[:4]
    values = decode(types, data[4:])
    assert encode(types, values) == data[4:]
    return tuple(values)


# Calls


def test_the_deployment_call_says_every_term_in_its_place() -> None:
    call = SapphireContracts().deploy_token(PLATFORM, TERMS, ADMIN)
    market, told = arguments("RwaTokenFactory", "deploy", call.data)
    names = [
        part["name"] for part in artifact_of("RwaTokenFactory").function("deploy")["inputs"][1]["components"]
    ]
    assert call.to == PLATFORM[Contract.TOKEN_FACTORY]
    assert market == TERMS.market_id.bytes + bytes(16)
    assert dict(zip(names, told, strict=True)) == {
        "name": TERMS.name,
        "symbol": TERMS.symbol,
        "decimals": TERMS.decimals,
        "cap": TERMS.cap_units,
        "initialSupply": TERMS.supply_units,
        "issuer": TERMS.issuer,
        "admin": ADMIN,
        "operator": ADMIN,
        "enforcer": ADMIN,
        "pauser": ADMIN,
    }


def test_the_registration_call_says_every_field_in_its_place() -> None:
    call = SapphireContracts().register_issuer(PLATFORM, TERMS.issuer)
    [told] = arguments("IdentityRegistry", "setIdentity", call.data)
    parts = artifact_of("IdentityRegistry").function("setIdentity")["inputs"][0]["components"]
    assert call.to == PLATFORM[Contract.IDENTITY_REGISTRY]
    assert dict(zip([part["name"] for part in parts], told, strict=True)) == {
        "account": TERMS.issuer,
        "verified": True,
        "jurisdiction": b"ZZ",
        "accreditation": 0,
        "expiry": 2**64 - 1,
    }


def test_the_platforms_own_calls_are_the_contracts() -> None:
    granted = words.grant_role(TOKEN, words.LISTER_ROLE, ADMIN)
    assert arguments("Settlement", "grantRole", granted.data) == (keccak(b"LISTER_ROLE"), ADMIN)


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("IdentityRegistry", ["address"] * 2),
        ("Settlement", ["address"] * 6),
        ("RwaTokenFactory", ["address"] * 4),
        ("TestDollar", ["address"]),
    ],
)
def test_creations_have_the_arguments_of_their_constructors(name: str, types: list[str]) -> None:
    assert artifact_of(name).constructor_types() == types
    values = [ADMIN] * len(types)
    call = words.create(name, types, values)
    assert call.to is None
    assert call.data == artifact_of(name).bytecode + encode(types, values)


VIEWS = [
    ("IdentityRegistry", "isVerified(address)", "bool"),
    ("RwaTokenFactory", "tokenOf(bytes32)", "address"),
    ("Settlement", "balanceOf(address,address)", "uint256"),
    ("Settlement", "hasRole(bytes32,address)", "bool"),
    ("Settlement", "listingOf(address)", "uint8"),
    ("RwaToken", "hasRole(bytes32,address)", "bool"),
    ("RwaToken", "name()", "string"),
    ("RwaToken", "symbol()", "string"),
    ("RwaToken", "decimals()", "uint8"),
    ("RwaToken", "totalSupply()", "uint256"),
    ("RwaToken", "cap()", "uint256"),
    ("RwaToken", "vault()", "address"),
    ("RwaToken", "registry()", "address"),
    ("TestDollar", "decimals()", "uint8"),
]


@pytest.mark.parametrize(("contract", "asked", "returns"), VIEWS)
def test_views_are_the_contracts(contract: str, asked: str, returns: str) -> None:
    entry = artifact_of(contract).function(asked.partition("(")[0])
    assert signature(entry).decode() == asked
    assert [abi_type(item) for item in entry["outputs"]] == [returns]
    assert entry["stateMutability"] in ("view", "pure")


def test_the_event_of_a_deployment_is_the_contracts() -> None:
    [event] = [
        entry for entry in artifact_of("RwaTokenFactory").entries("event") if entry["name"] == "TokenDeployed"
    ]
    assert keccak(signature(event)) == words.TOKEN_DEPLOYED
    assert next(item["name"] for item in event["inputs"] if item["indexed"]) == "marketId"


async def test_every_view_that_we_ask_is_in_the_list_above() -> None:
    """A view that is added and not listed would not be held against the ABI."""
    shown = ShownChain()
    await SapphireContracts().differences(shown, PLATFORM, TERMS, TOKEN, ADMIN)
    await SapphireContracts().supply_differences(shown, PLATFORM, TERMS, TOKEN)
    await SapphireContracts().is_verified(shown, PLATFORM, TERMS.issuer)
    await SapphireContracts().token_of(shown, PLATFORM, TERMS.market_id)
    await words.is_listed(shown, TOKEN, TOKEN)
    await words.has_role(shown, TOKEN, bytes(32), ADMIN)
    known = {keccak(asked.encode())[:4] for _, asked, _ in VIEWS}
    assert set(shown.selectors) <= known


# Proof


class ShownChain(FakeChain):
    """A chain that shows the token exactly as asked, but for what a test plants."""

    def __init__(self, **planted: Any) -> None:
        super().__init__(codes={} if "code" in planted else {TOKEN: b"\x60"})
        self.selectors: list[bytes] = []
        self._shown: dict[str, tuple[str, Any]] = {
            "name()": ("string", TERMS.name),
            "symbol()": ("string", TERMS.symbol),
            "decimals()": ("uint8", TERMS.decimals),
            "totalSupply()": ("uint256", TERMS.supply_units),
            "cap()": ("uint256", TERMS.cap_units),
            "vault()": ("address", PLATFORM[Contract.SETTLEMENT]),
            "registry()": ("address", PLATFORM[Contract.IDENTITY_REGISTRY]),
            "balanceOf(address,address)": ("uint256", TERMS.supply_units),
            "hasRole(bytes32,address)": ("bool", True),
            "isVerified(address)": ("bool", True),
            "tokenOf(bytes32)": ("address", TOKEN),
            "listingOf(address)": ("uint8", 1),
        }
        for asked, value in planted.items():
            if asked != "code":
                self._shown[asked] = (self._shown[asked][0], value)

    async def call(self, to: Address, data: bytes, block: int | None = None) -> bytes:
        self.selectors.append(data[:4])
        for asked, (kind, value) in self._shown.items():
            if keccak(asked.encode())[:4] == data[:4]:
                return value if isinstance(value, bytes) else bytes(encode([kind], [value]))
        raise AssertionError(f"nobody expects a call of {data[:4].hex()}")


async def differences(shown: ShownChain) -> list[str]:
    return await SapphireContracts().differences(shown, PLATFORM, TERMS, TOKEN, ADMIN)


async def test_a_token_as_asked_differs_in_nothing() -> None:
    assert await differences(ShownChain()) == []


@pytest.mark.parametrize(
    ("asked", "value", "says"),
    [
        ("name()", "Harbour Warehouse 2", "name is"),
        ("symbol()", "FAKE", "symbol is"),
        ("decimals()", 6, "decimals is"),
        ("cap()", TERMS.supply_units, "cap is"),
        ("vault()", ADMIN, "vault is"),
        ("registry()", ADMIN, "registry is"),
        ("hasRole(bytes32,address)", False, "admin is"),
    ],
)
async def test_each_planted_difference_is_found(asked: str, value: Any, says: str) -> None:
    [found] = await differences(ShownChain(**{asked: value}))
    assert found.startswith(says)


@pytest.mark.parametrize(
    ("asked", "value", "says"),
    [
        ("totalSupply()", TERMS.supply_units + 1, "total supply is"),
        ("totalSupply()", 0, "total supply is"),
        ("balanceOf(address,address)", TERMS.supply_units - 1, "issuer's vault balance is"),
    ],
)
async def test_each_difference_of_the_first_supply_is_found(asked: str, value: int, says: str) -> None:
    words_of = SapphireContracts()
    assert await words_of.supply_differences(ShownChain(), PLATFORM, TERMS, TOKEN) == []
    moved = ShownChain(**{asked: value})
    [found] = await words_of.supply_differences(moved, PLATFORM, TERMS, TOKEN)
    assert found.startswith(says)
    assert await differences(moved) == []  # supply moves on, and the token stays what it is


async def test_an_address_without_code_is_no_token() -> None:
    assert await differences(ShownChain(code=b"")) == [f"there is no code at {TOKEN}"]


async def test_all_differences_are_named_at_once() -> None:
    assert len(await differences(ShownChain(**{"name()": "x", "symbol()": "Y", "decimals()": 0}))) == 3


@pytest.mark.parametrize(
    "answer", [b"", b"\x01", bytes(31), b"\xff" * 64, (32).to_bytes(32) + (2**255).to_bytes(32)]
)
async def test_an_answer_that_cannot_be_read_is_no_answer(answer: bytes) -> None:
    with pytest.raises(ChainUnavailable, match=r"name\(\)"):
        await differences(ShownChain(**{"name()": answer}))


async def test_a_market_without_a_token_has_none() -> None:
    nothing = ShownChain(**{"tokenOf(bytes32)": "0x" + "00" * 20})
    assert await SapphireContracts().token_of(nothing, PLATFORM, TERMS.market_id) is None


async def test_a_deployment_is_searched_back_to_the_first_block_and_no_further() -> None:
    empty = FakeChain()
    empty.mine(349)
    searched = []
    logs = empty.logs

    async def watched(address: Address, topics: list[bytes], first: int, last: int) -> list[chain.Log]:
        searched.append((first, last))
        return await logs(address, topics, first, last)

    empty.logs = watched  # type: ignore[method-assign]
    assert await SapphireContracts().deployment_of(empty, PLATFORM, TERMS.market_id) is None
    assert searched == [(250, 349), (150, 249), (50, 149), (0, 49)]


# Refusals


def sample(kind: str) -> Any:
    if kind == "string":
        return "why"
    if kind.endswith("[]"):
        return []
    if kind.startswith("bytes"):
        return b"\1" * int(kind[5:] or 2)
    return {"address": ADMIN, "bool": True}.get(kind, 7)


def test_every_error_that_a_contract_declares_is_told_in_words() -> None:
    told = set()
    for name in ("IdentityRegistry", "RwaToken", "RwaTokenFactory", "Settlement", "TestDollar"):
        for entry in artifact_of(name).entries("error"):
            kinds = [abi_type(item) for item in entry["inputs"]]
            data = keccak(signature(entry))[:4] + encode(kinds, [sample(kind) for kind in kinds])
            shown = in_words(data)
            assert shown is not None and shown.startswith(f"{entry['name']}(")
            told.add(entry["name"])
    assert {"IssuerNotVerified", "MarketAlreadyDeployed", "AccessControlUnauthorizedAccount"} <= told


REQUIRE = bytes.fromhex("08c379a0")
UNKNOWN = [
    b"",
    b"\x01",
    b"\x01\x02\x03\x04",
    keccak(b"IssuerNotVerified(address)")[:4],
    REQUIRE,
    REQUIRE + (2**256 - 1).to_bytes(32),
    REQUIRE + (32).to_bytes(32) + (2**255).to_bytes(32),
    REQUIRE + (32).to_bytes(32) + (2).to_bytes(32) + b"\xff\xfe".ljust(32, b"\0"),
    keccak(b"IssuerNotVerified(address)")[:4] + b"\xff" * 32,
]


@pytest.mark.parametrize("data", UNKNOWN)
def test_what_is_not_known_or_cut_short_has_no_words(data: bytes) -> None:
    assert in_words(data) is None


def test_a_panic_is_told_by_its_number() -> None:
    assert in_words(keccak(b"Panic(uint256)")[:4] + (0x11).to_bytes(32)) == "Panic(0x11)"


# Gas


@pytest.fixture(scope="module")
async def platform(postgres: PostgresServer, anvil: EmbeddedAnvil) -> AsyncIterator[Platform]:
    dsn = await postgres.new_database()
    db, node = await Database.connect(dsn, acquire_timeout_s=PATIENCE_S), SapphireClient(anvil.url)
    made = await open_platform(db, node, anvil)
    await made.found()
    yield made
    await node.close()
    await db.close()
    await postgres.drop(dsn)


async def used(platform: Platform, key_like: str) -> int:
    """The gas that the dearest such transaction took, and what Sapphire adds: 1 a byte, 1,000 a signature."""
    async with platform.db.reading() as connection:
        row = await connection.fetchrow(
            "SELECT max(gas_used + length(data) + 1000) AS used FROM chain_transactions "
            "WHERE key LIKE $1 AND status = 'confirmed'",
            key_like,
        )
    assert row is not None and row["used"] is not None
    return int(row["used"])


@pytest.mark.parametrize(
    ("key_like", "budget"),
    [
        ("platform-%-identity_registry-%", words.GAS_CREATE["IdentityRegistry"]),
        ("platform-%-settlement-%", words.GAS_CREATE["Settlement"]),
        ("platform-%-token_factory-%", words.GAS_CREATE["RwaTokenFactory"]),
        ("platform-%-cash-%", words.GAS_CREATE["TestDollar"]),
        ("platform-%-grant-lister-%", words.GAS_GRANT_ROLE),
        ("platform-%-list-0x%", custody.GAS_LIST_TOKEN),
    ],
)
async def test_founding_leaves_a_quarter_of_its_gas(platform: Platform, key_like: str, budget: int) -> None:
    assert budget >= HEADROOM * await used(platform, key_like)


async def test_issuing_leaves_a_quarter_of_its_gas_with_the_longest_terms(platform: Platform) -> None:
    longest = token_terms(
        name=LONGEST_NAME, symbol=LONGEST_SYMBOL, supply_units=2**128 - 1, cap_units=2**256 - 1
    )
    async with moving(platform):
        await tokens.deploy(platform.db, platform.foundry, longest, 20)
    assert HEADROOM * await used(platform, "deploy-token-%") <= words.GAS_DEPLOY_TOKEN
    assert HEADROOM * await used(platform, "register-issuer-%") <= words.GAS_REGISTER


def test_a_call_of_the_longest_terms_fits_into_a_transaction() -> None:
    longest = token_terms(name=LONGEST_NAME, symbol=LONGEST_SYMBOL)
    call: Call = SapphireContracts().deploy_token(PLATFORM, longest, ADMIN)
    assert len(call.data) < MAX_DATA_BYTES
