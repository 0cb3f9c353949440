"""Custody: what users ask before their money moves: what their wallet has, and how much may leave."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BeforeValidator

from deedbook import custody
from deedbook.api.deps import SIGNED_IN, CallerDep, ResourcesDep, access
from deedbook.api.strict import StrictRoute
from deedbook.api.v1.schemas.common import _uuid
from deedbook.api.v1.schemas.own_custody import DepositTermsAnswer, OwnLimitsAnswer
from deedbook.kernel.ids import TokenId

router = APIRouter(tags=["custody"], route_class=StrictRoute)

TokenPath = Annotated[UUID, Path(alias="tokenId"), BeforeValidator(_uuid)]


@router.get("/deposits/terms/{tokenId}", openapi_extra=access(SIGNED_IN, bucket="reads"))
async def deposit_terms(
    token_id: TokenPath, caller: CallerDep, resources: ResourcesDep
) -> DepositTermsAnswer:
    """What a deposit of a token starts from: what my own wallet has, and under what I sign the approval that spares me
    a transaction."""
    chain_id = resources.settings.SAPPHIRE_CHAIN_ID
    purse = await custody.purses.look(
        resources.db, resources.purses, chain_id, TokenId(token_id), caller.account
    )
    return DepositTermsAnswer.of(purse, chain_id)


@router.get("/withdrawals/limits/{tokenId}", openapi_extra=access(SIGNED_IN, bucket="reads"))
async def withdrawal_limits(
    token_id: TokenPath, caller: CallerDep, resources: ResourcesDep
) -> OwnLimitsAnswer:
    """How much of a token may leave in 24 hours, and how much of that I have used up."""
    async with resources.db.transaction() as tx:
        return OwnLimitsAnswer.of(
            *await custody.limits.of_user(tx, caller.user_id, TokenId(token_id), resources.withdrawal_policy)
        )
