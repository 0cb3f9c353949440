"""Pairs, and what programs need to know before they start."""

import time
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path

from deedbook import __version__, chain
from deedbook.api.deps import PUBLIC, DatabaseDep, ResourcesDep, access
from deedbook.api.ratelimit import CANCELS_PER_ORDER
from deedbook.api.v1.schemas.common import Page
from deedbook.api.v1.schemas.operations import ExchangeInfo, PairAnswer, TimeAnswer
from deedbook.api.v1.schemas.trading import MAX_BATCH
from deedbook.chain.terms import Contract
from deedbook.identity import checksum_address
from deedbook.identity.actions import MAX_AHEAD_S
from deedbook.identity.typed_data import STRUCTS
from deedbook.trading import views as trading_views
from deedbook.trading.errors import PairNotFound

router = APIRouter(tags=["catalogue"])


@router.get("/trading/pairs", openapi_extra=access(PUBLIC, bucket="reads"))
async def pairs(db: DatabaseDep) -> Page[PairAnswer]:
    """All pairs, by symbol."""
    return Page(data=[PairAnswer.of(row) for row in await trading_views.pairs(db)], next_cursor=None)


@router.get("/trading/pairs/{id}", openapi_extra=access(PUBLIC, bucket="reads"))
async def pair(name: Annotated[str, Path(alias="id", max_length=80)], db: DatabaseDep) -> PairAnswer:
    """One pair, by its id or its symbol, such as `LUXAPT-USDC`."""
    row = await trading_views.pair(db, name) if "\x00" not in name else None
    if row is None:
        raise PairNotFound
    return PairAnswer.of(row)


@router.get("/exchange-info", openapi_extra=access(PUBLIC, bucket="reads"))
async def exchange_info(resources: ResourcesDep) -> ExchangeInfo:
    """Pairs, contracts and the EIP-712 domain: nothing of this should be hard-coded in a client."""
    chain_id = resources.settings.SAPPHIRE_CHAIN_ID
    addresses = await chain.contracts(resources.db, chain_id)
    settlement = addresses.get(Contract.SETTLEMENT)
    return ExchangeInfo(
        server_time=datetime.now(UTC),
        version=__version__,
        chain_id=chain_id,
        contracts={contract.value: checksum_address(address) for contract, address in addresses.items()},
        eip712_domain={
            "name": "Deedbook",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": checksum_address(settlement) if settlement else None,
        },
        eip712_types={struct.name: struct.as_wire() for struct in STRUCTS},
        limits={
            "ordersPerMinute": resources.settings.RATE_LIMIT_ORDERS,
            "cancelsPerMinute": resources.settings.RATE_LIMIT_ORDERS * CANCELS_PER_ORDER,
            "ordersPerBatch": MAX_BATCH,
            "expiryAheadSeconds": MAX_AHEAD_S,
            "approvalSeconds": resources.settings.APPROVAL_WITHIN_S,
        },
        pairs=[PairAnswer.of(row) for row in await trading_views.pairs(resources.db)],
    )


@router.get("/time", openapi_extra=access(PUBLIC, bucket="reads"))
async def server_time() -> TimeAnswer:
    """Our clock."""
    return TimeAnswer(server_time=datetime.now(UTC), epoch_ms=time.time_ns() // 1_000_000)
