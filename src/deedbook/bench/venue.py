"""A pair with funded, approved traders on it, in whatever database it is given: what issuance, compliance and custody
would leave behind, made at once."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from deedbook import ledger
from deedbook.identity.terms import Address
from deedbook.infra.database import Database
from deedbook.kernel.amounts import to_units
from deedbook.kernel.ids import TokenId, UserId, new_uuid
from deedbook.ledger import AccountId, LineKind
from deedbook.trading import open_bare_pair, orders
from deedbook.trading.admission import Admitted, OrderText, Quotes
from deedbook.trading.engine import SelfTrade
from deedbook.trading.pairs import PairDirectory
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import OrderType, Side, TimeInForce

BASE_DECIMALS, QUOTE_DECIMALS = 18, 6
UNBOUNDED = 2**31 - 1


async def open_venue(db: Database, symbol: str = "LUXAPT") -> PairSpec:
    """`{symbol}-USDC` by the default terms: tick 0.01, lot 0.0001, 25 basis points a side. No chain settles its trades,
    so any number of them may wait."""
    base = await _add_token(db, symbol, "RWA", BASE_DECIMALS)
    async with db.reading() as connection:
        found = await connection.fetchval("SELECT token_id FROM tokens WHERE symbol = 'USDC'")
    quote = TokenId(found) if found else await _add_token(db, "USDC", "STABLE", QUOTE_DECIMALS)
    async with db.transaction() as tx:
        pair_id = await open_bare_pair(tx, base, quote)
        await tx.execute("UPDATE trading_pairs SET max_backlog = $2 WHERE pair_id = $1", pair_id, UNBOUNDED)
    return await PairDirectory(db).spec(str(pair_id))


async def _add_token(db: Database, symbol: str, kind: str, decimals: int) -> TokenId:
    token_id = TokenId(new_uuid())
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO tokens (token_id, symbol, name, token_type, decimals, chain_id) "
            "VALUES ($1, $2, $2, $3, $4, 31337)",
            token_id,
            symbol,
            kind,
            decimals,
        )
    return token_id


async def add_traders(
    db: Database,
    spec: PairSpec,
    holdings: Sequence[tuple[str, str]],
    *,
    approved: bool = True,
    accounts: Sequence[Address] | None = None,
) -> list[UserId]:
    """People with so much base and quote each, through the ledger's own door."""
    users = [UserId(new_uuid()) for _ in holdings]
    told = list(accounts) if accounts is not None else [account_of(user_id) for user_id in users]
    postings = []
    for user_id, amounts in zip(users, holdings, strict=True):
        tokens = ((spec.base_token_id, spec.base_decimals), (spec.quote_token_id, spec.quote_decimals))
        for (token, decimals), amount in zip(tokens, amounts, strict=True):
            if units := to_units(amount, decimals):
                postings.append(
                    ledger.into_the_vault(new_uuid(), LineKind.DEPOSIT, AccountId(user_id), token, units)
                )
    async with db.transaction() as tx:
        for table in ("users", "compliance_profiles"):
            await tx.execute(
                f"INSERT INTO {table} (user_id, account) SELECT * FROM unnest($1::uuid[], $2::text[])",  # noqa: S608
                users,
                told,
            )
        await tx.execute(
            "INSERT INTO compliance_records (user_id, token_id, kyc_status, kyc_level, whitelisted, jurisdiction) "
            "SELECT u, $2, $3, 1, $4, 'PT' FROM unnest($1::uuid[]) AS u",
            users,
            spec.base_token_id,
            "APPROVED" if approved else "PENDING",
            approved,
        )
        await ledger.post(tx, postings)
    return users


def account_of(user_id: UUID) -> Address:
    """An account that nobody has the key of."""
    return Address("0x" + user_id.hex + "00000000")


def admitted(
    spec: PairSpec,
    user_id: UserId,
    side: str,
    quantity: str,
    price: str = "",
    *,
    nonce: str,
    kind: str = "LIMIT",
    tif: str = "GTC",
    post_only: bool = False,
    self_trade: str = "EXPIRE_TAKER",
    stop_price: str = "",
    max_fee_bps: int | None = None,
    client_id: str = "",
    quotes: Quotes | None = None,
    expires_at: datetime | None = None,
) -> Admitted:
    """An order as admission lets it in. Behind that door nobody looks at its signature any more."""
    now = datetime.now(UTC)
    text = OrderText(
        trader=account_of(user_id),
        pair=spec.symbol,
        side=Side(side),
        order_type=OrderType(kind),
        time_in_force=TimeInForce(tif),
        post_only=post_only,
        self_trade=SelfTrade[self_trade],
        quantity=quantity,
        price=price,
        stop_price=stop_price,
        max_fee_bps=spec.fee_bps if max_fee_bps is None else max_fee_bps,
        client_order_id=client_id,
        nonce=nonce,
        expiry=int((expires_at or now + timedelta(days=1)).timestamp()),
    )
    return orders.admit(
        text,
        spec,
        quotes or Quotes(0, 0, 0),
        user_id=user_id,
        digest=os.urandom(32),
        signature=b"\1" * 65,
        now=now,
    )
