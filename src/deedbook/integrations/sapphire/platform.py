"""Deploying the platform's own contracts, once per chain: safe to run twice, and to be killed between any steps."""

from collections.abc import Awaitable, Callable

import structlog

from deedbook import chain, ledger, tokens
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.ports import Chain
from deedbook.chain.terms import Call, ChainTransaction, Contract
from deedbook.identity import keccak, parse_address
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.infra.settings import LOCAL_CHAIN_ID, SettingsError
from deedbook.integrations.sapphire import contracts as words
from deedbook.integrations.sapphire import custody
from deedbook.tokens.errors import IssuerNotVerified

log = structlog.get_logger(__name__)

STEP_TIMEOUT_S = 180.0
Drive = Callable[[], Awaitable[None]]


async def deploy_platform(
    db: Database,
    node: Chain,
    admin: Address,
    chain_id: int,
    cash_token: str,
    drive: Drive,
    fee_account: str = "",
) -> dict[Contract, Address]:
    """Make sure that the registry, the vault, the factory and the quote token stand on the chain, and that whose
    account keeps the fees is a verified holder: the platform's own, unless another is named.

    Each is asked for as soon as those that it names are in a block, not final: on one lane the later nonce never
    comes first. So there is one wait for confirmations, at the end, and only then anything is written down.
    `drive` moves the nonce lane on; where workers run too, both may.

    Raises:
        SettingsError: a real chain without a usable `SAPPHIRE_CASH_TOKEN`; a `FEE_ACCOUNT` that is none, or not
            the former, or not that of the contract; or the database knows contracts that the chain does not, or
            that are older than this program.
        TransactionReverted: undone by a contract; calling again asks anew.
        ChainUnavailable · TimeoutError: call again, it goes on where it was.
    """
    await _check_known(db, node, chain_id)
    given = None
    if cash_token or chain_id != LOCAL_CHAIN_ID:
        given = await _chosen_cash(db, node, chain_id, cash_token)
    house = await _house(db, fee_account, admin)
    founding = _Founding(db, node, admin, chain_id, drive)
    if given is None:
        await founding.begin(Contract.CASH, words.create("TestDollar", ["address"], [admin]))
    await founding.begin(
        Contract.IDENTITY_REGISTRY, words.create("IdentityRegistry", ["address"] * 2, [admin, admin])
    )
    registry = await founding.address(Contract.IDENTITY_REGISTRY)
    await founding.begin(
        Contract.SETTLEMENT,
        words.create("Settlement", ["address"] * 6, [registry, admin, admin, admin, admin, house]),
    )
    settlement = await founding.address(Contract.SETTLEMENT)
    await _check_house(node, settlement, house)
    await founding.begin(
        Contract.TOKEN_FACTORY,
        words.create("RwaTokenFactory", ["address"] * 4, [registry, settlement, admin, admin]),
    )
    cash = given or await founding.address(Contract.CASH)
    decimals = await _decimals(node, cash)
    if not await words.is_listed(node, settlement, cash):
        await founding.ask(f"list-{cash}", custody.list_token(settlement, cash))
    factory = await founding.address(Contract.TOKEN_FACTORY)
    if not await words.has_role(node, settlement, words.LISTER_ROLE, factory):
        await founding.ask("grant-lister", words.grant_role(settlement, words.LISTER_ROLE, factory))
    if await _enters(db, node, chain_id, registry, house):
        entry = words.SapphireContracts().register_issuer({Contract.IDENTITY_REGISTRY: registry}, house)
        await founding.ask("fee-account", entry)
    await founding.finish()
    async with db.transaction() as tx:
        await ledger.keep_house_at(tx, house)
        await chain.record_contract(tx, chain_id, Contract.CASH, cash)
        await tokens.record_cash(tx, cash, chain_id, decimals)
    return await chain.contracts(db, chain_id)


class _Founding:
    """The transactions of one founding: those under way, and where the contracts stand as far as is known."""

    def __init__(self, db: Database, node: Chain, admin: Address, chain_id: int, drive: Drive) -> None:
        self._db = db
        self._node = node
        self._admin = admin
        self._chain_id = chain_id
        self._drive = drive
        self._under_way: dict[str, str] = {}
        self._addresses: dict[Contract, Address] = {}

    async def begin(self, contract: Contract, creation: Call) -> None:
        """Ask for a contract, unless it is written down already."""
        known = await chain.contracts(self._db, self._chain_id)
        if contract in known:
            self._addresses[contract] = known[contract]
        else:
            await self.ask(contract.value, creation)

    async def ask(self, name: str, call: Call) -> None:
        """Ask once, for ever: whoever was killed and comes again finds the same transaction. Other words, as after
        a contract that had to be created anew, are another transaction."""
        key = await chain.next_key(self._db, stem(self._chain_id, name, call))
        async with self._db.transaction() as tx:
            await chain.request(tx, key, self._admin, call)
        self._under_way[name] = key

    async def address(self, contract: Contract) -> Address:
        """Where the contract stands, as soon as it does."""
        if contract not in self._addresses:
            key = self._under_way[contract.value]
            entry = await chain.wait_mined(self._db, key, STEP_TIMEOUT_S, self._drive)
            if entry.contract_address is None or not await self._node.code(entry.contract_address):
                # It may have failed in its block; its end says so, and why.
                entry = await chain.wait_final(self._db, key, STEP_TIMEOUT_S, self._drive)
            assert entry.contract_address is not None, "a creation that succeeded has an address"
            self._addresses[contract] = entry.contract_address
        return self._addresses[contract]

    async def finish(self) -> None:
        """Wait until all is final, and write down the contracts in the order in which they name each other."""
        for name, key in self._under_way.items():
            entry = await chain.wait_final(self._db, key, STEP_TIMEOUT_S, self._drive)
            if entry.call.to is None:
                await self._record(Contract(name), entry)

    async def _record(self, contract: Contract, entry: ChainTransaction) -> None:
        address = entry.contract_address
        assert address is not None, "a creation that succeeded has an address"
        async with self._db.transaction() as tx:
            await chain.record_contract(tx, self._chain_id, contract, address)
        log.info("contract_deployed", contract=contract.value, address=address)
        if address != self._addresses[contract]:
            # Its nonce was taken by somebody else's transaction: what names the former address is worthless.
            raise TransactionReverted(
                f"{contract.value} was created elsewhere than seen at first; found again"
            )


def stem(chain_id: int, name: str, call: Call) -> str:
    """What a founding transaction is called, without the number of its attempt."""
    return f"platform-{chain_id}-{name}-{keccak((call.to or '').encode() + call.data).hex()[:12]}"


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


async def _house(db: Database, fee_account: str, admin: Address) -> Address:
    """Whose account in the vault keeps what is the platform's own: the same for ever, as fees lie there."""
    address = parse_address(fee_account) if fee_account else admin
    if address is None or not int(address, 16):
        raise SettingsError("FEE_ACCOUNT: set the address of the account that keeps the fees")
    async with db.transaction() as tx:
        known = await ledger.house_address(tx)
    if known not in (None, address):
        raise SettingsError(f"FEE_ACCOUNT: this platform keeps its fees at {known}, and that stays so")
    return address


async def _check_house(node: Chain, settlement: Address, house: Address) -> None:
    try:
        kept = str(await words.read(node, settlement, "feeAccount()", [], [], "address")).lower()
    except TransactionReverted:
        raise SettingsError(
            f"the vault at {settlement} is from before trades were settled in it: found another platform (for the "
            "local stack: `deedbook up --fresh`)"
        ) from None
    if kept != house:
        raise SettingsError(f"FEE_ACCOUNT: the vault at {settlement} pays fees to {kept}, not to {house}")


async def _enters(db: Database, node: Chain, chain_id: int, registry: Address, account: Address) -> bool:
    """Whether the account is still to be entered into the registry. One that is new has no entries; and what
    compliance has revoked is not quietly undone here."""
    if Contract.IDENTITY_REGISTRY not in await chain.contracts(db, chain_id):
        return True
    try:
        told = {Contract.IDENTITY_REGISTRY: registry}
        return not await words.SapphireContracts().is_verified(node, told, account)
    except IssuerNotVerified:
        log.error("fee_account_revoked", account=account)
        return False


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
