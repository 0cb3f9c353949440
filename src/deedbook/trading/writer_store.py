"""SQL of whose turn it is: which process writes a pair, and which processes there are."""

from dataclasses import dataclass

from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import PairId


@dataclass(frozen=True)
class Writer:
    """A pair as its writer takes it over. Whoever has the newest `epoch` may write."""

    epoch: int
    match_seq: int
    trade_number: int
    fact_seq: int
    last_price: int
    accepting: bool


async def take_over(tx: Tx, pair_id: PairId, holder: str, ttl_s: float) -> Writer | None:
    """Become the pair's writer under a new epoch; `None` while another is."""
    row = await tx.fetchrow(
        """
        UPDATE pair_writer SET epoch = epoch + 1, holder = $2, expires_at = now() + make_interval(secs => $3)
        WHERE pair_id = $1 AND (holder = $2 OR expires_at < now())
        RETURNING epoch, match_seq, trade_number, fact_seq, last_price_ticks AS last_price, accepting
        """,
        pair_id,
        holder,
        ttl_s,
    )
    return Writer(**dict(row)) if row else None


async def renew(tx: Tx, pair_id: PairId, epoch: int, ttl_s: float) -> int | None:
    """Stay the pair's writer; how many open orders each user may have now. `None` when another has become it."""
    allowed: int | None = await tx.fetchval(
        "UPDATE pair_writer w SET expires_at = now() + make_interval(secs => $3) FROM trading_pairs p "
        "WHERE w.pair_id = $1 AND w.epoch = $2 AND p.pair_id = w.pair_id RETURNING p.max_open_orders",
        pair_id,
        epoch,
        ttl_s,
    )
    return allowed


async def give_up(tx: Tx, pair_id: PairId, epoch: int) -> None:
    """Let a successor begin at once."""
    await tx.execute(
        "UPDATE pair_writer SET expires_at = '-infinity' WHERE pair_id = $1 AND epoch = $2", pair_id, epoch
    )


async def free_pairs(db: Database, limit: int) -> list[PairId]:
    """Pairs without a living writer; those that have ended, only while something is left to do there."""
    async with db.reading() as connection:
        rows = await connection.fetch(
            "SELECT w.pair_id FROM pair_writer w JOIN trading_pairs p USING (pair_id) "
            "WHERE w.expires_at < now() AND (p.status <> 'closed' OR EXISTS (SELECT 1 FROM orders o "
            "WHERE o.pair_id = p.pair_id AND o.living) OR EXISTS (SELECT 1 FROM order_commands c "
            "WHERE c.pair_id = p.pair_id AND c.match_seq IS NULL)) LIMIT $1",
            limit,
        )
    return [PairId(row["pair_id"]) for row in rows]


async def be_present(tx: Tx, holder: str, ttl_s: float) -> tuple[int, int]:
    """Renew a matcher's sign of life; how many live, and how many pairs there are to match."""
    await tx.execute(
        "INSERT INTO leases (name, holder, expires_at) VALUES ($1, $1, now() + make_interval(secs => $2)) "
        "ON CONFLICT (name) DO UPDATE SET expires_at = EXCLUDED.expires_at",
        holder,
        ttl_s,
    )
    row = await tx.fetchrow(
        "SELECT (SELECT count(*) FROM leases WHERE starts_with(name, 'matcher-') AND expires_at > now()) AS living, "
        "(SELECT count(*) FROM pair_writer) AS pairs"
    )
    assert row is not None
    return row["living"], row["pairs"]


async def be_absent(tx: Tx, holder: str) -> None:
    """Take a matcher's sign of life away, and those of the long dead with it."""
    await tx.execute(
        "DELETE FROM leases WHERE name = $1 "
        "OR (starts_with(name, 'matcher-') AND expires_at < now() - interval '1 day')",
        holder,
    )
