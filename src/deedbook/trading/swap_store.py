"""SQL of swaps: taken in with what they give set aside, and read by the matcher of their pair."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from deedbook.identity import SignedAction
from deedbook.infra.arrays import plain
from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import UserId, new_uuid
from deedbook.trading.live import LiveOrder
from deedbook.trading.spec import PairSpec
from deedbook.trading.swap_plan import Plan, Wanted
from deedbook.trading.swap_terms import SWAP_KIND, SwapTerms, SwapText
from deedbook.trading.terms import OrderId


class Planned(NamedTuple):
    """What became of a swap when its turn came: its plan, and which trades of the pair carried it out."""

    order_id: str
    plan: Plan
    first_trade: int
    last_trade: int


async def set_aside(tx: Tx, user_id: UserId, terms: SwapTerms) -> bool:
    """Lock what the swap gives; `False` when there is less."""
    told = await tx.execute(
        "UPDATE user_balances SET available = available - $3, locked = locked + $3 "
        "WHERE user_id = $1 AND token_id = $2 AND available >= $3",
        user_id,
        terms.token_in,
        terms.amount_in,
    )
    return told == "UPDATE 1"


async def add(
    tx: Tx,
    swap_id: OrderId,
    user_id: UserId,
    spec: PairSpec,
    text: SwapText,
    terms: SwapTerms,
    action: SignedAction,
    fact: str,
) -> None:
    """Write a swap, the order that carries it out, that it stands in line, and the event that says so."""
    await tx.execute(
        f"""
        INSERT INTO orders (order_id, pair_id, user_id, trade_group, side, order_type, time_in_force, post_only,
            self_trade, quantity_lots, remaining_lots, price_ticks, max_fee_bps, fee_bps, nonce, expires_at, held)
        SELECT $1, $2, $3, COALESCE(trade_group, $3), $4, '{SWAP_KIND}', 'FOK', false, 'EXPIRE_TAKER', $5, $5, $6, $7,
               $8, $9, $10, $11
        FROM users WHERE user_id = $3
        """,  # noqa: S608 -- a word of ours
        swap_id,
        spec.pair_id,
        user_id,
        text.side.value,
        terms.most_lots,
        terms.worst_ticks,
        text.max_fee_bps,
        spec.fee_bps,
        text.nonce,
        action.expires_at,
        terms.amount_in,
    )
    await tx.execute(
        "INSERT INTO swaps (swap_id, user_id, amount_in, min_amount_out, least_lots) VALUES ($1, $2, $3, $4, $5)",
        swap_id,
        user_id,
        terms.amount_in,
        terms.least_out,
        terms.least_lots,
    )
    await tx.execute(
        "INSERT INTO waiting_orders (pair_id, order_ids) VALUES ($1, $2)", spec.pair_id, [swap_id]
    )
    await tx.execute(
        "INSERT INTO trading_facts (batch_id, pair_id, facts) VALUES ($1, $2, $3)",
        new_uuid(),
        spec.pair_id,
        fact,
    )


async def wanted(db: Database, orders: Sequence[LiveOrder]) -> dict[str, Wanted]:
    """What the swaps among these orders want, by their ids."""
    swaps = {order.order_id: order for order in orders if order.kind == SWAP_KIND}
    if not swaps:
        return {}
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT swap_id::text, amount_in, min_amount_out, least_lots FROM swaps "
            "WHERE swap_id = ANY ($1::text::uuid[])",
            plain(list(swaps)),
        )
    found = {}
    for row in rows:
        order = swaps[row["swap_id"]]
        found[order.order_id] = Wanted(
            buy=order.buy,
            amount_in=int(row["amount_in"]),
            least_out=int(row["min_amount_out"]),
            most_lots=order.quantity,
            least_lots=row["least_lots"],
            fee_bps=order.fee_bps,
            group=order.group,
        )
    assert len(found) == len(swaps), "a swap is written with its order"
    return found


def planned_columns(planned: Sequence[Planned]) -> list[str | None]:
    """As `swaps_settle` takes them."""
    return [
        plain([one.order_id for one in planned]),
        plain([one.plan.lots for one in planned]),
        plain([one.plan.limit for one in planned]),
        plain([one.first_trade for one in planned]),
        plain([one.last_trade for one in planned]),
    ]


async def fills(db: Database, swap_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, object]]]:
    """The trades of these swaps, each swap's in their order."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            """
            SELECT w.swap_id, t.trade_id, t.price_ticks, t.size_lots, t.base_amount, t.quote_amount,
                   CASE o.side WHEN 'BUY' THEN t.buyer_fee ELSE t.seller_fee END AS fee, t.settlement_status,
                   t.tx_hash, t.executed_at
            FROM swaps w JOIN orders o ON o.order_id = w.swap_id
            JOIN trades t ON t.pair_id = o.pair_id AND t.trade_number BETWEEN w.first_trade AND w.last_trade
                 AND w.swap_id IN (t.buy_order_id, t.sell_order_id)
            WHERE w.swap_id = ANY ($1) ORDER BY t.trade_number
            """,
            list(swap_ids),
        )
    found: dict[UUID, list[dict[str, object]]] = {swap_id: [] for swap_id in swap_ids}
    for row in rows:
        found[row["swap_id"]].append(dict(row))
    return found
