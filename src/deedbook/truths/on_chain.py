"""INV-9: what the books say of the chain is what stands there."""

from deedbook import chain
from deedbook.chain.terms import Contract
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.integrations.sapphire.client import SapphireClient
from deedbook.integrations.sapphire.contracts import SapphireContracts, read
from deedbook.kernel.ids import MarketId
from deedbook.tokens.terms import TokenTerms
from deedbook.truths.proof import MAX_FINDINGS, Truth


async def chain_equals_books(
    db: Database, node: SapphireClient, chain_id: int, admin: Address | None
) -> Truth:
    """INV-9 for what exists so far: code, supply and the issuer's vault balance are what the books say."""
    platform = await chain.contracts(db, chain_id)
    findings = [
        f"there is no {contract.value} at {address}"
        for contract, address in platform.items()
        if not await node.code(address)
    ]
    if not findings:
        for terms, token in await _issued(db):
            findings += await _token_differences(node, platform, terms, token, admin)
    return Truth("INV-9 the chain holds what the books say", tuple(findings[:MAX_FINDINGS]))


async def _issued(db: Database) -> list[tuple[TokenTerms, Address]]:
    """The newest tokens and where the books say that they are."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT market_id, token_name, token_symbol, decimals, total_supply, issuer_account, contract_address "
            "FROM markets WHERE contract_address IS NOT NULL ORDER BY created_at DESC LIMIT 500"
        )
    return [
        (
            TokenTerms(
                MarketId(row["market_id"]),
                row["token_name"],
                row["token_symbol"],
                row["decimals"],
                int(row["total_supply"]),
                Address(row["issuer_account"]),
            ),
            Address(row["contract_address"]),
        )
        for row in rows
    ]


async def _token_differences(
    node: SapphireClient,
    platform: dict[Contract, Address],
    terms: TokenTerms,
    token: Address,
    admin: Address | None,
) -> list[str]:
    words = SapphireContracts()
    if await words.token_of(node, platform, terms.market_id) != token:
        return [f"{terms.symbol}: the factory names another contract"]
    findings = []
    if admin is not None:
        wrong = await words.differences(node, platform, terms, token, admin)
        findings += [f"{terms.symbol}: {difference}" for difference in wrong]
    held = await read(
        node, platform[Contract.SETTLEMENT], "totalOf(address)", ["address"], [token], "uint256"
    )
    if held > terms.supply_units:
        findings.append(f"{terms.symbol}: the vault owes more than was issued")
    return findings
