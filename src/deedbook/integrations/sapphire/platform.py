"""Deploying the platform's own contracts, once per chain: safe to run twice, and to be killed between any steps."""

from collections.abc import Awaitable, Callable

import structlog

from deedbook import chain, tokens
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call, Contract
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.settings import LOCAL_CHAIN_ID, SettingsError
from deedbook.integrations.sapphire import contracts as words

log = structlog.get_logger(__name__)

STEP_TIMEOUT_S = 180.0
Drive = Callable[[], Awaitable[None]]


async def deploy_platform(
    db: Database, node: Chain, admin: Address, chain_id: int, cash_token: str, drive: Drive
) -> dict[Contract, Address]:
    """Make sure that the registry, the vault, the factory and the quote token stand on the chain.

    `drive` moves the nonce lane on; where workers run too, both may.

    Raises:
        SettingsError: a real chain without `SAPPHIRE_CASH_TOKEN`; or the database knows contracts that the
            chain does not.
        ChainUnavailable · TimeoutError: call again, it goes on where it was.
    """
    await _check_known(db, node, chain_id)

    async def send(key: str, call: Call) -> Address:
        async with db.transaction() as tx:
            await chain.request(tx, f"platform-{chain_id}-{key}", admin, call)
        entry = await chain.wait_final(db, f"platform-{chain_id}-{key}", STEP_TIMEOUT_S, drive)
        return entry.contract_address or Address("")

    async def ensure(contract: Contract, call: Callable[[], Call]) -> Address:
        known = await chain.contracts(db, chain_id)
        if contract in known:
            return known[contract]
        address = await send(contract.value, call())
        async with db.transaction() as tx:
            await chain.record_contract(tx, chain_id, contract, address)
        log.info("contract_deployed", contract=contract.value, address=address)
        return address

    registry = await ensure(
        Contract.IDENTITY_REGISTRY, lambda: words.create("IdentityRegistry", ["address"] * 2, [admin, admin])
    )
    settlement = await ensure(
        Contract.SETTLEMENT, lambda: words.create("Settlement", ["address"] * 3, [admin, admin, admin])
    )
    factory = await ensure(
        Contract.TOKEN_FACTORY,
        lambda: words.create("RwaTokenFactory", ["address"] * 4, [registry, settlement, admin, admin]),
    )
    await send("grant-lister", words.grant_role(settlement, words.LISTER_ROLE, factory))
    cash = await _ensure_cash(db, node, chain_id, cash_token, ensure, admin)
    await send("list-cash", words.list_cash(settlement, cash))
    async with db.transaction() as tx:
        await tokens.record_cash(tx, cash, chain_id, await _decimals(node, cash))
    return await chain.contracts(db, chain_id)


async def _ensure_cash(
    db: Database,
    node: Chain,
    chain_id: int,
    cash_token: str,
    ensure: Callable[[Contract, Callable[[], Call]], Awaitable[Address]],
    admin: Address,
) -> Address:
    if not cash_token:
        if chain_id != LOCAL_CHAIN_ID:
            raise SettingsError(
                "SAPPHIRE_CASH_TOKEN: set the address of the quote token (USDC) on this chain"
            )
        return await ensure(Contract.CASH, lambda: words.create("TestDollar", ["address"], [admin]))
    address = Address(cash_token.lower())
    if not await node.code(address):
        raise SettingsError(f"SAPPHIRE_CASH_TOKEN: there is no contract at {address}")
    async with db.transaction() as tx:
        await chain.record_contract(tx, chain_id, Contract.CASH, address)
    return address


async def _check_known(db: Database, node: Chain, chain_id: int) -> None:
    for contract, address in (await chain.contracts(db, chain_id)).items():
        if not await node.code(address):
            raise SettingsError(
                f"the database has {contract.value} at {address}, and the chain has no contract there: this is "
                "another chain, or one that was started anew (for the local stack: `deedbook up --fresh`)"
            )


async def _decimals(node: Chain, token: Address) -> int:
    return int(await words.read(node, token, "decimals()", [], [], "uint8"))
