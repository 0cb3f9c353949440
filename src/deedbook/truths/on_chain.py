"""INV-9: what the books say of the chain is what stands there."""

from dataclasses import dataclass

from deedbook import chain, custody
from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.terms import Contract
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.contracts import SapphireContracts
from deedbook.integrations.sapphire.vault_state import SapphireVaultState
from deedbook.kernel.ids import MarketId
from deedbook.tokens.terms import TokenTerms
from deedbook.truths.proof import MAX_FINDINGS, Truth


async def chain_equals_books(
    db: Database, node: SapphireClient, chain_id: int, admin: Address | None
) -> Truth:
    """INV-9 for tokens: code, terms and supply are what the books say. Balances are reconciliation's."""
    platform = await chain.contracts(db, chain_id)
    findings = [
        f"there is no {contract.value} at {address}"
        for contract, address in platform.items()
        if not await node.code(address)
    ]
    if not findings:
        for issued in await _issued(db):
            findings += await _token_differences(node, platform, issued, admin)
    return Truth("INV-9 the chain holds what the books say", tuple(findings[:MAX_FINDINGS]))


async def ledger_equals_vault(db: Database, node: SapphireClient, chain_id: int) -> Truth:
    """INV-9 for money: ledger and vault are equal to the last unit, per token and per account."""
    name = "INV-9 the ledger equals the vault to the last unit"
    vault = (await chain.contracts(db, chain_id)).get(Contract.SETTLEMENT)
    if vault is None or not await node.code(vault):
        return Truth(name, ())  # nothing to compare; that it is missing is found above
    try:
        state = SapphireVaultState(node, vault)
        runs = [run async for run in custody.reconcile_all(db, node, chain_id, state)]
    except ChainUnavailable as error:
        return Truth(name, (f"could not be compared: {error}",))
    breaks = dict.fromkeys(found for run in runs for found in run.breaks)
    return Truth(
        name,
        tuple(
            f"{found.account or 'all'} of {found.token}: {found.explanation}; "
            f"ledger {found.ledger}, chain {found.chain}"
            for found in list(breaks)[:MAX_FINDINGS]
        ),
    )


@dataclass(frozen=True)
class _Issued:
    """A token that the books have. `minting` is what was asked of the chain and is not booked yet."""

    terms: TokenTerms
    token: Address
    booked: int
    minting: int


async def _issued(db: Database) -> list[_Issued]:
    """The newest tokens, and where the books say that they are."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT m.market_id, m.token_name, m.token_symbol, m.decimals, m.total_supply, m.supply_cap,
                   m.issuer_account, m.contract_address, COALESCE(t.total_supply, m.total_supply) AS booked,
                   (SELECT COALESCE(sum(amount), 0) FROM mint_requests r
                    WHERE r.token_id = t.token_id AND r.status = 'SUBMITTED') AS minting
            FROM markets m LEFT JOIN tokens t USING (market_id)
            WHERE m.contract_address IS NOT NULL ORDER BY m.created_at DESC LIMIT 500
            """
        )
    return [
        _Issued(
            TokenTerms(
                MarketId(row["market_id"]),
                row["token_name"],
                row["token_symbol"],
                row["decimals"],
                int(row["total_supply"]),
                int(row["supply_cap"]),
                Address(row["issuer_account"]),
            ),
            Address(row["contract_address"]),
            int(row["booked"]),
            int(row["minting"]),
        )
        for row in rows
    ]


async def _token_differences(
    node: SapphireClient, platform: dict[Contract, Address], issued: _Issued, admin: Address | None
) -> list[str]:
    words, symbol, token = SapphireContracts(), issued.terms.symbol, issued.token
    if await words.token_of(node, platform, issued.terms.market_id) != token:
        return [f"{symbol}: the factory names another contract"]
    findings = []
    if admin is not None:
        wrong = await words.differences(node, platform, issued.terms, token, admin)
        findings += [f"{symbol}: {difference}" for difference in wrong]
    supply = await words.total_supply(node, token)
    if not issued.booked <= supply <= issued.booked + issued.minting:
        findings.append(
            f"{symbol}: total supply is {supply}, not {issued.booked} (and {issued.minting} on its way)"
        )
    return findings
