"""SQL of prices from outside: where they are asked, what was said, what follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deedbook.infra.database import Database, Tx
from deedbook.kernel.ids import PairId, TokenId
from deedbook.marketdata import references
from deedbook.marketdata.terms import (
    AHEAD,
    FeedKind,
    PriceSource,
    Quote,
    Reference,
    ReferenceState,
    Silence,
    SourceId,
    Told,
)

_SOURCE = """
    SELECT s.source_id, s.pair_id, s.kind, s.locator, b.symbol AS base, q.symbol AS quote, s.max_age_s, s.least, s.most
    FROM price_sources s JOIN trading_pairs p USING (pair_id)
    JOIN tokens b ON b.token_id = p.base_token_id JOIN tokens q ON q.token_id = p.quote_token_id
    WHERE s.removed_at IS NULL
"""
_NEWEST = f"""
    LEFT JOIN LATERAL (SELECT price, observed_at FROM external_prices e WHERE e.source_id = s.source_id
                       AND observed_at <= now() + interval '{AHEAD.total_seconds():.0f} seconds'
                       ORDER BY observed_at DESC, price_id DESC LIMIT 1) AS newest ON true
"""
_JUDGED_LATELY = "r.as_of > now() - interval '5 minutes'"
"""Prices are asked for every ten seconds: what is older nobody asks for any more."""


async def add_source(tx: Tx, source: PriceSource) -> bool:
    """Ask there from now on; `False` when it is asked for this pair already."""
    return bool(
        await tx.fetchval(
            "INSERT INTO price_sources (source_id, pair_id, kind, locator, max_age_s, least, most) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING true",
            source.source_id,
            source.pair_id,
            source.kind.value,
            source.locator,
            source.max_age_s,
            source.least,
            source.most,
        )
    )


async def remove_source(tx: Tx, source_id: SourceId) -> tuple[PairId, str, FeedKind] | None:
    """Ask there no longer; its pair, the pair's symbol and its kind, or `None` when it was not asked."""
    row = await tx.fetchrow(
        "UPDATE price_sources s SET removed_at = now() FROM trading_pairs p WHERE s.source_id = $1 "
        "AND s.removed_at IS NULL AND p.pair_id = s.pair_id RETURNING s.pair_id, p.symbol, s.kind",
        source_id,
    )
    return (PairId(row["pair_id"]), row["symbol"], FeedKind(row["kind"])) if row else None


async def sources(db: Database, limit: int) -> list[PriceSource]:
    """Everywhere that is asked."""
    async with db.reading() as connection:
        rows = await connection.fetch(_SOURCE + " ORDER BY s.pair_id, s.source_id LIMIT $1", limit)
    return [_source(row) for row in rows]


async def listing(connection: Any, pair_id: PairId | None, limit: int) -> list[dict[str, Any]]:
    """The sources with what each said last, and how asking goes."""
    rows = await connection.fetch(
        f"""
        SELECT s.source_id, s.pair_id, p.symbol AS pair, s.kind, s.locator, s.max_age_s, s.least, s.most, s.created_at,
               s.asked_at, s.problem, newest.price, newest.observed_at
        FROM price_sources s JOIN trading_pairs p USING (pair_id) {_NEWEST}
        WHERE s.removed_at IS NULL AND ($1::uuid IS NULL OR s.pair_id = $1)
        ORDER BY p.symbol, s.created_at, s.source_id LIMIT $2
        """,
        pair_id,
        limit,
    )
    return [dict(row) for row in rows]


async def claim(tx: Tx, pair_id: PairId) -> Reference:
    """The pair's reference, until this transaction ends nobody else's."""
    await tx.execute("INSERT INTO reference_prices (pair_id) VALUES ($1) ON CONFLICT DO NOTHING", pair_id)
    row = await tx.fetchrow("SELECT * FROM reference_prices WHERE pair_id = $1 FOR UPDATE", pair_id)
    return _reference(row)


async def record(tx: Tx, answers: Sequence[tuple[PriceSource, Told]]) -> None:
    """Write down what was said; what was said before stands there once."""
    quotes = [(source, told) for source, told in answers if isinstance(told, Quote)]
    await tx.execute(
        """
        INSERT INTO external_prices (source_id, price, observed_at)
        SELECT * FROM unnest($1::uuid[], $2::numeric[], $3::timestamptz[]) ON CONFLICT DO NOTHING
        """,
        [source.source_id for source, _ in quotes],
        [quote.price for _, quote in quotes],
        [quote.observed_at for _, quote in quotes],
    )
    await tx.execute(
        """
        UPDATE price_sources s SET asked_at = now(), problem = a.problem
        FROM unnest($1::uuid[], $2::text[]) AS a (source_id, problem) WHERE s.source_id = a.source_id
        """,
        [source.source_id for source, _ in answers],
        [told.why[:500] if isinstance(told, Silence) else None for _, told in answers],
    )


async def newest(tx: Tx, pair_id: PairId) -> list[tuple[PriceSource, Quote]]:
    """The newest quote of each source of the pair."""
    rows = await tx.fetch(
        f"""
        SELECT f.*, newest.price, newest.observed_at FROM ({_SOURCE} AND s.pair_id = $1) AS f
        JOIN price_sources s USING (source_id) {_NEWEST} WHERE newest.price IS NOT NULL
        """,
        pair_id,
    )
    return [(_source(row), Quote(int(row["price"]), row["observed_at"])) for row in rows]


async def keep(tx: Tx, reference: Reference) -> None:
    """Write down what follows."""
    await tx.execute(
        """
        UPDATE reference_prices SET price = $2, observed_at = $3, sources = $4, spread_bps = $5, state = $6, told = $7,
            as_of = now()
        WHERE pair_id = $1
        """,
        reference.pair_id,
        reference.price,
        reference.observed_at,
        reference.sources,
        reference.spread_bps,
        reference.state.value,
        reference.told,
    )


async def reference(connection: Any, pair_id: PairId) -> Reference | None:
    """What the sources of a pair say together; `None` where none were ever asked."""
    row = await connection.fetchrow(
        f"SELECT *, {_JUDGED_LATELY} AS is_asked FROM reference_prices r WHERE pair_id = $1", pair_id
    )
    if row is None:
        return None
    found = _reference(row)
    return found if row["is_asked"] else references.of_nobody(found)


@dataclass(frozen=True)
class SoundPrice:
    """What a token is worth outside, where its sources agree."""

    token_id: TokenId
    quote: str
    price: int
    observed_at: datetime
    sources: int


async def sound(tx: Tx, pair_id: PairId | None, limit: int) -> list[SoundPrice]:
    """Of one pair or of all, in the order of their tokens; of a token with several pairs, by its oldest."""
    rows = await tx.fetch(
        f"""
        SELECT DISTINCT ON (p.base_token_id) p.base_token_id AS token_id, q.symbol AS quote, r.price, r.observed_at,
               r.sources
        FROM reference_prices r JOIN trading_pairs p USING (pair_id) JOIN tokens q ON q.token_id = p.quote_token_id
        WHERE r.state = 'sound' AND {_JUDGED_LATELY} AND r.price IS NOT NULL AND ($1::uuid IS NULL OR r.pair_id = $1)
        ORDER BY p.base_token_id, p.created_at, p.pair_id LIMIT $2
        """,
        pair_id,
        limit,
    )
    return [
        SoundPrice(
            TokenId(row["token_id"]), row["quote"], int(row["price"]), row["observed_at"], row["sources"]
        )
        for row in rows
    ]


async def remove_old(tx: Tx, before: datetime, limit: int) -> int:
    """Forget old quotes, never the newest of a source; how many went."""
    told = await tx.execute(
        """
        DELETE FROM external_prices WHERE price_id IN (
            SELECT price_id FROM external_prices e WHERE fetched_at < $1 AND EXISTS (
                SELECT 1 FROM external_prices l WHERE l.source_id = e.source_id AND l.observed_at > e.observed_at)
            LIMIT $2)
        """,
        before,
        limit,
    )
    return int(told.rsplit(" ", 1)[1])


def _source(row: Any) -> PriceSource:
    return PriceSource(
        source_id=SourceId(row["source_id"]),
        pair_id=PairId(row["pair_id"]),
        kind=FeedKind(row["kind"]),
        locator=row["locator"],
        base=row["base"],
        quote=row["quote"],
        max_age_s=row["max_age_s"],
        least=int(row["least"]),
        most=int(row["most"]),
    )


def _reference(row: Any) -> Reference:
    return Reference(
        pair_id=PairId(row["pair_id"]),
        price=int(row["price"]) if row["price"] is not None else None,
        observed_at=row["observed_at"],
        sources=row["sources"],
        spread_bps=row["spread_bps"],
        state=ReferenceState(row["state"]),
        told=int(row["told"]) if row["told"] is not None else None,
    )
