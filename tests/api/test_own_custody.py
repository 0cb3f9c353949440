"""What users ask before their money moves: what their wallet has, and under what they sign an approval, and
how much may leave."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data

from deedbook.identity import checksum_address, keccak
from deedbook.infra.embedded import EmbeddedAnvil, EmbeddedValkey
from deedbook.integrations.sapphire.contracts import artifact
from tests.api.support import every_refusal_is_a_problem, refused
from tests.support.fake_chain import CHAIN_ID
from tests.support.servers import PostgresServer
from tests.support.till import CASH, VAULT, Till, account_of, open_till
from tests.support.workers import UNKNOWN_ID
from tests.support.world import open_world

UNIT = 10**6


@pytest.fixture(scope="module")
async def till(postgres: PostgresServer, valkey: EmbeddedValkey, anvil: EmbeddedAnvil) -> AsyncIterator[Till]:
    """A till whose dollars stand on a chain, without a vault."""
    dsn = await postgres.new_database()
    async with open_world(dsn, valkey.url(), SAPPHIRE_RPC_URL=anvil.url) as world:
        world.http.event_hooks["response"].append(every_refusal_is_a_problem)
        await _put_dollars(anvil)
        yield await open_till(world)
        await anvil.rpc("anvil_setCode", CASH, "0x")
    await postgres.drop(dsn)


async def _put_dollars(anvil: EmbeddedAnvil) -> None:
    """A TestDollar where the till expects its cash."""
    owner = "0x" + "0d" * 20
    await anvil.rpc("anvil_setBalance", owner, hex(10**20))
    await anvil.rpc("anvil_impersonateAccount", owner)
    code = artifact("TestDollar")["bytecode"] + encode(["address"], [owner]).hex()
    made = await _send(anvil, {"from": owner, "data": code, "gas": hex(5_000_000)})
    runtime = await anvil.rpc("eth_getCode", made["contractAddress"], "latest")
    await anvil.rpc("anvil_setCode", CASH, runtime)


async def _send(anvil: EmbeddedAnvil, asked: dict[str, Any]) -> Any:
    tx_hash = await anvil.rpc("eth_sendTransaction", asked)
    await anvil.rpc("anvil_mine", "0x1")
    return await anvil.rpc("eth_getTransactionReceipt", tx_hash)


async def test_what_is_told_of_an_approval_is_what_the_token_takes(till: Till, anvil: EmbeddedAnvil) -> None:
    user = await till.user()
    told = await till.get(f"/deposits/terms/{till.cash.token_id}", user)
    assert (told["owner"], told["spender"]) == (user.wallet.address, checksum_address(VAULT))
    assert (told["symbol"], told["held"], told["allowed"]) == ("USDC", "0", "0")
    assert told["permit"]["domain"] == {
        "name": "Test Dollar",
        "version": "1",
        "chainId": CHAIN_ID,
        "verifyingContract": checksum_address(CASH),
    }
    await _permit(anvil, user.wallet.private_key, told, 25 * UNIT)
    after = await till.get(f"/deposits/terms/{till.cash.token_id}", user)
    assert (after["allowed"], after["permit"]["nonce"]) == ("25", "1")


async def _permit(anvil: EmbeddedAnvil, key: bytes, told: dict[str, Any], value: int) -> None:
    """Sign as a wallet would what was told, and have the token take it."""
    message = {"owner": told["owner"], "spender": told["spender"], "value": value}
    message |= {"nonce": int(told["permit"]["nonce"]), "deadline": 2**40}
    signed = Account.sign_message(
        encode_typed_data(told["permit"]["domain"], told["permit"]["types"], message), key
    )
    kinds = ["address", "address", "uint256", "uint256", "uint8", "bytes32", "bytes32"]
    values = [told["owner"], told["spender"], value, 2**40, signed.v]
    values += [signed.r.to_bytes(32), signed.s.to_bytes(32)]
    data = keccak(f"permit({','.join(kinds)})".encode())[:4] + encode(kinds, values)
    sender = "0x" + "0d" * 20
    receipt = await _send(anvil, {"from": sender, "to": CASH, "data": "0x" + data.hex(), "gas": hex(200_000)})
    assert receipt["status"] == "0x1"


async def test_nothing_is_told_of_a_token_whose_contract_says_nothing(till: Till) -> None:
    user = await till.user()
    told = await till.get(f"/deposits/terms/{till.deed.token_id}", user)
    assert (told["held"], told["allowed"], told["permit"]) == (None, None, None)
    assert told["owner"].lower() == account_of(user)


async def test_a_token_that_the_vault_does_not_keep_is_refused(till: Till) -> None:
    user = await till.user()
    answer = await till.world.http.get(f"/deposits/terms/{UNKNOWN_ID}", headers=user.headers)
    refused(answer, 422, "token_not_kept")


async def test_what_a_withdrawal_uses_up_is_told_and_another_ones_is_not(till: Till) -> None:
    alice, bob = await till.user("2000000"), await till.user()
    path = f"/withdrawals/limits/{till.cash.token_id}"
    before = await till.get(path, alice)
    assert (before["used"], before["left"]) == ("0", before["dailyLimit"])
    asked = await till.done("/withdrawals", alice, till.withdrawal(alice, amount="12000.5"))
    after = await till.get(path, alice)
    left = Decimal(before["dailyLimit"]) - Decimal("12000.5")
    assert (after["used"], Decimal(after["left"])) == ("12000.5", left)
    assert (await till.get(path, bob))["used"] == "0"
    too_much = till.withdrawal(alice, amount=str(left + 1))
    refused(await till.send("/withdrawals", alice, too_much), 422, "withdrawal_limit_exceeded")
    await till.world.post(f"/withdrawals/{asked['id']}/cancel", alice)
    assert (await till.get(path, alice))["used"] == "0"
    answer = await till.world.http.get(f"/withdrawals/limits/{UNKNOWN_ID}", headers=alice.headers)
    refused(answer, 422, "token_not_kept")
