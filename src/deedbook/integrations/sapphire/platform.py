"""Deploying the platform's own contracts, once per chain: safe to run twice, and to be killed between any steps."""

from collections.abc import Awaitable, Callable

import structlog

from deedbook import chain, tokens
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call, Contract
from deedbook.identity import parse_address
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.settings import LOCAL_CHAIN_ID, SettingsError
from deedbook.integrations.sapphire import contracts as words
from deedbook.integrations.sapphire import custody

log = structlog.get_logger(__name__)

STEP_TIMEOUT_S = 180.0
Drive = Callable[[], Awaitable[None]]


async def deploy_platform(
    db: Database, node: Chain, admin: Address, chain_id: int, cash_token: str, drive: Drive
) -> dict[Contract, Address]:
    """Make sure that the registry, the vault, the factory and the quote token stand on the chain.

    `drive` moves the nonce lane on; where workers run too, both may.

    Raises:
        SettingsError: a real chain without a usable `SAPPHIRE_CASH_TOKEN`; or the database knows contracts
            that the chain does not.
        TransactionReverted: undone by a contract; calling again asks anew.
        ChainUnavailable · TimeoutError: call again, it goes on where it was.
    """
    await _check_known(db, node, chain_id)

    async def send(name: str, call: Call) -> Address | None:
        key = await chain.next_key(db, f"platform-{chain_id}-{name}")
        async with db.transaction() as tx:
            await chain.request(tx, key, admin, call)
        return (await chain.wait_final(db, key, STEP_TIMEOUT_S, drive)).contract_address

    async def ensure(contract: Contract, call: Callable[[], Call]) -> Address:
        known = await chain.contracts(db, chain_id)
        if contract in known:
            return known[contract]
        address = await send(contract.value, call())
        assert address is not None, "a creation that succeeded has an address"
        async with db.transaction() as tx:
            await chain.record_contract(tx, chain_id, contract, address)
        log.info("contract_deployed", contract=contract.value, address=address)
        return address

    registry = await ensure(
        Contract.IDENTITY_REGISTRY, lambda: words.create("IdentityRegistry", ["address"] * 2, [admin, admin])
    )
    settlement = await ensure(
        Contract.SETTLEMENT,
        lambda: words.create("Settlement", ["address"] * 5, [registry, admin, admin, admin, admin]),
    )
    factory = await ensure(
        Contract.TOKEN_FACTORY,
        lambda: words.create("RwaTokenFactory", ["address"] * 4, [registry, settlement, admin, admin]),
    )
    if not await words.has_role(node, settlement, words.LISTER_ROLE, factory):
        await send("grant-lister", words.grant_role(settlement, words.LISTER_ROLE, factory))
    if cash_token or chain_id != LOCAL_CHAIN_ID:
        cash = await _chosen_cash(db, node, chain_id, cash_token)
    else:
        cash = await ensure(Contract.CASH, lambda: words.create("TestDollar", ["address"], [admin]))
    decimals = await _decimals(node, cash)
    if not await words.is_listed(node, settlement, cash):
        await send(f"list-{cash}", custody.list_token(settlement, cash))
    async with db.transaction() as tx:
        await chain.record_contract(tx, chain_id, Contract.CASH, cash)
        await tokens.record_cash(tx, cash, chain_id, decimals)
    return await chain.contracts(db, chain_id)


async def _chosen_cash(db: Database, node: Chain, chain_id: int, cash_token: str) -> Address:
    """The quote token that the operator names: a contract, and the same one for ever."""
    address = parse_address(cash_token)
    if address is None:
        raise SettingsError("SAPPHIRE_CASH_TOKEN: set the address of the quote token (USDC) on this chain")
    known = (await chain.contracts(db, chain_id)).get(Contract.CASH, address)
    if known != address:
        raise SettingsError(f"SAPPHIRE_CASH_TOKEN: this platform's quote token is {known}, and stays so")
    if not await node.code(address):
        raise SettingsError(f"SAPPHIRE_CASH_TOKEN: there is no contract at {address}")
    return address


async def _check_known(db: Database, node: Chain, chain_id: int) -> None:
    for contract, address in (await chain.contracts(db, chain_id)).items():
        if not await node.code(address):
            raise SettingsError(
                f"the database has {contract.value} at {address}, and the chain has no contract there: this is "
                "another chain, or one that was started anew (for the local stack: `deedbook up --fresh`)"
            )


async def _decimals(node: Chain, token: Address) -> int:
    try:
        return int(await words.read(node, token, "decimals()", [], [], "uint8"))
    except TransactionReverted as refusal:
        raise SettingsError(f"SAPPHIRE_CASH_TOKEN: {token} is no token: {refusal.detail}") from None
