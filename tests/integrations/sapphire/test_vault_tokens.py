"""The words for tokens that stand already, against the ABI and against contracts that answer anything."""

from uuid import UUID

import pytest
from eth_abi import decode

from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.terms import Contract
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.integrations.sapphire.vault_tokens import SapphireVaultTokens
from tests.contracts.evm import abi_type, artifact_of, signature
from tests.support.fake_chain import FakeChain
from tests.tokens.support import Told, number

WORDS = SapphireVaultTokens()
TOKEN, ACCOUNT, SETTLEMENT = (Address("0x" + f"{byte:02x}" * 20) for byte in (0x70, 0xAC, 0x5E))
PLATFORM = {Contract.SETTLEMENT: SETTLEMENT}
MINT_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def test_a_mint_names_itself_in_its_reference() -> None:
    call = WORDS.mint(TOKEN, ACCOUNT, 25, MINT_ID)
    entry = artifact_of("RwaToken").function("mintToVault")
    assert call.to == TOKEN and call.data[:4] == keccak(signature(entry))[:4]
    told = decode([abi_type(item) for item in entry["inputs"]], call.data[4:])
    assert told == (ACCOUNT, 25, MINT_ID.bytes + bytes(16))


def test_a_listing_is_asked_of_the_vault() -> None:
    call = WORDS.list_token(PLATFORM, TOKEN)
    entry = artifact_of("Settlement").function("listToken")
    assert call.to == SETTLEMENT and call.data[:4] == keccak(signature(entry))[:4]


@pytest.mark.parametrize(
    ("contract", "asked"),
    [("Settlement", "decimalsOf"), ("Settlement", "listingOf"), ("RwaToken", "totalSupply")],
)
def test_views_are_the_contracts(contract: str, asked: str) -> None:
    entry = artifact_of(contract).function(asked)
    assert [abi_type(item) for item in entry["outputs"]] == ["uint256" if asked == "totalSupply" else "uint8"]
    assert entry["stateMutability"] == "view"


@pytest.mark.parametrize("supply", [0, 1, 10**24, 2**256 - 1])
async def test_a_supply_is_read_as_it_is(supply: int) -> None:
    assert await WORDS.total_supply(Told(totalSupply=number(supply)), TOKEN) == supply


@pytest.mark.parametrize("answer", [b"", b"\x01", bytes(31), bytes(33), b"\xff" * 900_000])
async def test_what_is_no_number_is_no_supply(answer: bytes) -> None:
    assert await WORDS.total_supply(Told(totalSupply=answer), TOKEN) is None


async def test_a_contract_that_reverts_has_no_supply_and_a_silent_node_is_no_answer() -> None:
    assert await WORDS.total_supply(FakeChain(reverts=lambda sent: "no"), TOKEN) is None
    away = Told(totalSupply=number(1))
    away.down = True
    with pytest.raises(ChainUnavailable):
        await WORDS.total_supply(away, TOKEN)
