"""Play money on the local chain: the platform's key mints TestDollars to whom it likes. Nowhere else."""

import time
from collections.abc import Sequence
from typing import Any

import httpx2
from coincurve import PrivateKey
from eth_abi import encode

from deedbook import chain
from deedbook.chain.terms import Call, Contract, UnsignedTransaction
from deedbook.identity import keccak
from deedbook.identity.terms import Address
from deedbook.infra.settings import LOCAL_CHAIN_ID, Settings, SettingsError
from deedbook.integrations.sapphire.contracts import read
from deedbook.integrations.sapphire.keys import LocalSigner, SigningLimits
from deedbook.kernel.amounts import to_units
from deedbook.kernel.ids import new_uuid
from deedbook.stack.wallet import Wallet
from deedbook.wiring import open_resources, open_worker_resources

DECIMALS = 6
GAS_MINT = 100_000
GAS_PRICE_CAP = 10**12
WITHIN_S = 60.0
PERMIT_S = 3600
_PERMIT = keccak(b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")


async def give_dollars(settings: Settings, account: Address, amount: str) -> None:
    """Mint TestDollars into a wallet, in whole dollars as decimal text, and wait until they are there.

    Raises:
        SettingsError: this is not the local chain.
    """
    if settings.SAPPHIRE_CHAIN_ID != LOCAL_CHAIN_ID:
        raise SettingsError("dollars can be made on the local chain only")
    async with open_worker_resources(settings, "dollars") as resources:
        contracts = await chain.contracts(resources.db, settings.SAPPHIRE_CHAIN_ID)
        key = f"dollars-{new_uuid()}"
        async with resources.db.transaction() as tx:
            call = _minting(contracts[Contract.CASH], account, amount)
            await chain.request(tx, key, resources.signer.address, call)
        await chain.wait_mined(resources.db, key, WITHIN_S)


async def fill_purses(settings: Settings, accounts: Sequence[Address], amount: str) -> None:
    """Ask that each of these wallets that is empty be given TestDollars. The worker carries it out; nobody waits."""
    assert settings.SAPPHIRE_CHAIN_ID == LOCAL_CHAIN_ID and not settings.SAPPHIRE_CASH_TOKEN
    async with open_worker_resources(settings, "dollars") as resources:
        cash = (await chain.contracts(resources.db, settings.SAPPHIRE_CHAIN_ID))[Contract.CASH]
        asked = "balanceOf(address)", ["address"]
        empty = [it for it in accounts if not await read(resources.node, cash, *asked, [it], "uint256")]
        async with resources.db.transaction() as tx:
            for account in empty:
                call = _minting(cash, account, amount)
                await chain.request(tx, f"dollars-{new_uuid()}", resources.signer.address, call)


def _minting(cash: Address, account: Address, amount: str) -> Call:
    values = [account, to_units(amount, DECIMALS)]
    data = keccak(b"mint(address,uint256)")[:4] + encode(["address", "uint256"], values)
    return Call(cash, data, GAS_MINT)


async def give_gas(settings: Settings, account: Address) -> None:
    """Let a wallet pay for its own transactions on the local chain."""
    assert settings.SAPPHIRE_CHAIN_ID == LOCAL_CHAIN_ID and settings.SAPPHIRE_RPC_URL
    message = {"jsonrpc": "2.0", "id": 1, "method": "anvil_setBalance", "params": [account, hex(10**18)]}
    async with httpx2.AsyncClient(timeout=10, trust_env=False) as http:
        (await http.post(settings.SAPPHIRE_RPC_URL, json=message)).raise_for_status()


async def send_own(settings: Settings, wallet: Wallet, calls: list[dict[str, Any]]) -> None:
    """Send transactions from a wallet of one's own, as a browser wallet would: `to`, `data` and `gas` of each."""
    limits = SigningLimits(settings.SAPPHIRE_CHAIN_ID, GAS_PRICE_CAP)
    signer = LocalSigner(wallet.private_key, limits)
    async with open_resources(settings, "wallet") as resources:
        node = resources.node
        nonce, price = await node.nonce(signer.address), await node.gas_price()
        for number, told in enumerate(calls):
            call = Call(Address(told["to"].lower()), bytes.fromhex(told["data"][2:]), told["gas"])
            signed = signer.sign(UnsignedTransaction(settings.SAPPHIRE_CHAIN_ID, nonce + number, call, price))
            refusal = await node.send(signed.raw)
            if refusal is not None:
                raise SettingsError(f"the node refused the transaction: {refusal}")


async def sign_permit(settings: Settings, wallet: Wallet, amount: str) -> dict[str, Any]:
    """An ERC-2612 approval of the vault for so many dollars, as `POST /deposits` takes it."""
    owner, deadline, units = (
        Address(wallet.address.lower()),
        int(time.time()) + PERMIT_S,
        to_units(amount, DECIMALS),
    )
    async with open_resources(settings, "permit") as resources:
        node = resources.node
        contracts = await chain.contracts(resources.db, settings.SAPPHIRE_CHAIN_ID)
        cash, vault = contracts[Contract.CASH], contracts[Contract.SETTLEMENT]
        separator = await read(node, cash, "DOMAIN_SEPARATOR()", [], [], "bytes32")
        nonce = await read(node, cash, "nonces(address)", ["address"], [owner], "uint256")
    told = _PERMIT + encode(
        ["address", "address", "uint256", "uint256", "uint256"], [owner, vault, units, nonce, deadline]
    )
    digest = keccak(b"\x19\x01" + separator + keccak(told))
    signature = bytes(PrivateKey(wallet.private_key).sign_recoverable(digest, hasher=None))
    return {
        "value": str(units),
        "deadline": deadline,
        "v": 27 + signature[64],
        "r": "0x" + signature[:32].hex(),
        "s": "0x" + signature[32:64].hex(),
    }
