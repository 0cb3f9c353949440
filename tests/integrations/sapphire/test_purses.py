"""What contracts say of wallets, and that nothing is passed on for signing before it is proven."""

import pytest
from eth_abi import encode

from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.vault import PermitTerms
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire.purses import SapphirePurses
from tests.support.fake_chain import CHAIN_ID, FakeChain
from tests.tokens.support import number, text

TOKEN, OWNER, VAULT = (Address("0x" + f"{byte:02x}" * 20) for byte in (0x70, 0x0A, 0x5E))
NAME, VERSION = "USD Coin", "2"
TYPE = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


class Contract(FakeChain):
    """A chain on which a contract answers these questions, by their signatures."""

    def __init__(self, told: dict[str, bytes]) -> None:
        super().__init__()
        self._told = {keccak(asked.encode())[:4]: answer for asked, answer in told.items()}

    async def call(self, to: Address, data: bytes, block: int | None = None) -> bytes:
        await self._answer()
        return self._told.get(data[:4], b"")


def separator(
    name: str = NAME, version: str = VERSION, chain_id: int = CHAIN_ID, at: Address = TOKEN
) -> bytes:
    kinds = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
    return keccak(
        encode(kinds, [keccak(TYPE), keccak(name.encode()), keccak(version.encode()), chain_id, at])
    )


def described(fields: bytes = b"\x0f", name: str = NAME, version: str = VERSION) -> bytes:
    kinds = ["bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"]
    return bytes(encode(kinds, [fields, name, version, CHAIN_ID, TOKEN, bytes(32), []]))


ASKED = {"DOMAIN_SEPARATOR()": separator(), "nonces(address)": number(7)}
OLDER = {**ASKED, "name()": text(NAME), "version()": text(VERSION)}
NEWER = {**ASKED, "eip712Domain()": described()}
UNVERSIONED = {**ASKED, "DOMAIN_SEPARATOR()": separator(version="1"), "name()": text(NAME)}


async def terms_of(told: dict[str, bytes]) -> PermitTerms | None:
    return await SapphirePurses(Contract(told)).permit_terms(CHAIN_ID, TOKEN, OWNER)


@pytest.mark.parametrize("told", [OLDER, NEWER], ids=["older", "EIP-5267"])
async def test_terms_are_told_when_the_contract_checks_just_these(told: dict[str, bytes]) -> None:
    assert await terms_of(told) == PermitTerms(NAME, VERSION, 7)


async def test_a_contract_without_a_version_has_the_first() -> None:
    assert await terms_of(UNVERSIONED) == PermitTerms(NAME, "1", 7)


UNPROVEN = {
    "another name": {**OLDER, "name()": text("Gold Coin")},
    "another version": {**OLDER, "version()": text("1")},
    "another name described": {**NEWER, "eip712Domain()": described(name="Gold Coin")},
    "other fields described": {**NEWER, "eip712Domain()": described(b"\x1f")},
    "another chain": {**OLDER, "DOMAIN_SEPARATOR()": separator(chain_id=1)},
    "another contract": {**OLDER, "DOMAIN_SEPARATOR()": separator(at=VAULT)},
    "no numbers": {**OLDER, "nonces(address)": b""},
    "no separator": {**OLDER, "DOMAIN_SEPARATOR()": b""},
    "no name": {key: answer for key, answer in OLDER.items() if key != "name()"},
    "nothing": {},
    "too much": {**OLDER, "name()": text("x" * 2000)},
    "no text": {**OLDER, "name()": b"\xff" * 96},
}


@pytest.mark.parametrize("why", UNPROVEN)
async def test_no_terms_are_told_when_they_are_not_what_the_contract_checks(why: str) -> None:
    assert await terms_of(UNPROVEN[why]) is None


async def test_what_is_held_and_allowed_is_told_as_it_is_and_nonsense_is_nothing() -> None:
    purses = SapphirePurses(
        Contract({"balanceOf(address)": number(5), "allowance(address,address)": number(2**256 - 1)})
    )
    assert (await purses.held(TOKEN, OWNER), await purses.allowed(TOKEN, OWNER, VAULT)) == (5, 2**256 - 1)
    mute = SapphirePurses(Contract({"balanceOf(address)": b"\x01"}))
    assert (await mute.held(TOKEN, OWNER), await mute.allowed(TOKEN, OWNER, VAULT)) == (None, None)
    undoing = SapphirePurses(FakeChain(reverts=lambda sent: "no"))
    assert (await undoing.held(TOKEN, OWNER), await undoing.permit_terms(CHAIN_ID, TOKEN, OWNER)) == (
        None,
        None,
    )


async def test_a_silent_node_is_no_answer() -> None:
    away = Contract(OLDER)
    away.down = True
    with pytest.raises(ChainUnavailable):
        await SapphirePurses(away).permit_terms(CHAIN_ID, TOKEN, OWNER)
