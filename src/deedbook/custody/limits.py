"""Use cases: what a withdrawal of a token is measured by."""

from deedbook import tokens
from deedbook.custody.errors import TokenNotKept
from deedbook.custody.events import WithdrawalLimitsChanged
from deedbook.custody.ports import Policy
from deedbook.custody.store import withdrawals as store
from deedbook.custody.terms import Limits
from deedbook.identity import Caller
from deedbook.infra.database import Tx
from deedbook.kernel.amounts import MAX_UNITS, to_text, to_units
from deedbook.kernel.ids import TokenId, UserId
from deedbook.tokens import Token


async def of_token(tx: Tx, token: Token, policy: Policy) -> Limits:
    """A token's limits: its own, or those of the platform."""
    return await store.limits(tx, token.token_id) or Limits(
        _whole(policy.automatic_up_to, token),
        _whole(policy.four_eyes_above, token),
        _whole(policy.daily_limit, token),
    )


async def read(tx: Tx, token_id: TokenId, policy: Policy) -> tuple[Token, Limits]:
    """A token and its limits.

    Raises:
        TokenNotKept: there is no such token.
    """
    token = await tokens.of_id(tx, token_id)
    if token is None:
        raise TokenNotKept
    return token, await of_token(tx, token, policy)


async def of_user(tx: Tx, user_id: UserId, token_id: TokenId, policy: Policy) -> tuple[Token, Limits, int]:
    """A token, its limits, and how much of the daily one this user has used up: what left in 24 hours, and what is
    about to.

    Raises:
        TokenNotKept: there is no such token.
    """
    token, allowed = await read(tx, token_id, policy)
    return token, allowed, await store.left_lately(tx, user_id, token_id)


async def change(
    tx: Tx, caller: Caller, token_id: TokenId, wanted: tuple[str, str, str], policy: Policy
) -> tuple[Token, Limits]:
    """Set a token's limits: automatic, four eyes, daily, as decimal text.

    Raises:
        TokenNotKept: there is no such token.
        MalformedAmount: finer than the token.
    """
    token, before = await read(tx, token_id, policy)
    after = Limits(*(to_units(text, token.decimals) for text in wanted))
    await store.set_limits(tx, token_id, after, caller.user_id)
    told = as_text(token, after)
    tx.emit(
        WithdrawalLimitsChanged(
            token_id=token_id,
            automatic_up_to=told["automaticUpTo"],
            four_eyes_above=told["fourEyesAbove"],
            daily_limit=told["dailyLimit"],
        ),
        caller.actor,
        before=as_text(token, before),
        after=told,
    )
    return token, after


def as_text(token: Token, limits: Limits) -> dict[str, str]:
    return {
        "automaticUpTo": to_text(limits.automatic_up_to, token.decimals),
        "fourEyesAbove": to_text(limits.four_eyes_above, token.decimals),
        "dailyLimit": to_text(limits.daily_limit, token.decimals),
    }


def _whole(tokens_: int, token: Token) -> int:
    units: int = tokens_ * 10**token.decimals
    return min(units, MAX_UNITS)
