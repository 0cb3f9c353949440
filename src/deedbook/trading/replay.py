"""Replay: carry out a pair's log of commands again, from the first, and see that it gives the trades that were made
and the book that stands. The engine is a pure function of its commands; this is the proof."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from deedbook.infra.database import Database
from deedbook.kernel.ids import PairId
from deedbook.trading import log_store, order_store, store
from deedbook.trading.engine import Book, Ended, Order, SelfTrade, Trade, Trailing
from deedbook.trading.live import live_order

MAX_FINDINGS = 20


@dataclass(frozen=True)
class Replayed:
    """What a replay found. Nothing in `findings` means: the same trades, the same book."""

    commands: int
    trades: int
    state_hash: str
    findings: tuple[str, ...]


async def replay(db: Database, pair_id: PairId) -> Replayed:
    """Replay a pair whose matcher has nothing left to do.

    Raises:
        DatabaseUnavailable: no proof either way.
    """
    log = await log_store.log_of(db, pair_id)
    book, numbers = Book(), {row["order_id"]: row["order_number"] for row in log.orders}
    made: list[tuple[int, int, int, int]] = []
    findings: list[str] = []
    refused = {(row["match_seq"], row["order_id"]) for row in log.commands if row["kind"] == "CANCEL"}
    steps: list[tuple[int, Any, Any]] = [(row["match_seq"], row, None) for row in log.orders]
    steps += [(row["match_seq"], None, row) for row in log.commands]
    for match_seq, order, command in sorted(steps, key=lambda step: (step[0], step[1] is None)):
        if order is not None:
            if (match_seq, order["order_id"]) not in refused:
                book.submit(_as_it_came(order))
        else:
            _obey(book, command, numbers)
        made += [
            (told.order.number, told.maker.number, told.price, told.size)
            for told in book.outcomes
            if isinstance(told, Trade)
        ]
        book.outcomes = []
    findings += _different_trades(made, log.trades, numbers)
    standing = await _standing(db, pair_id, book.last, book.accepting)
    if standing.state_hash() != book.state_hash():
        findings.append(f"the book that stands has {len(standing)} orders, the replayed one {len(book)}")
    return Replayed(len(steps), len(made), book.state_hash(), tuple(findings[:MAX_FINDINGS]))


def _as_it_came(row: Any) -> Order:
    trailing = int(Trailing[row["trail"]])
    return Order(
        row["order_number"],
        row["trade_group"].int,
        row["side"] == "BUY",
        row["price_ticks"],
        row["quantity_lots"],
        row["time_in_force"] in ("IOC", "FOK") or row["order_type"] in ("MARKET", "STOP_MARKET"),
        row["time_in_force"] == "FOK",
        row["post_only"],
        int(SelfTrade[row["self_trade"]]),
        0 if trailing else row["stop_ticks"],
        trailing,
        row["trail_distance"],
    )


def _obey(book: Book, command: Any, numbers: dict[UUID, int]) -> None:
    match command["kind"]:
        case "CANCEL":
            book.cancel(numbers[command["order_id"]], Ended[command["why"]])
        case "REDUCE":
            book.reduce(numbers[command["order_id"]], command["remaining_lots"])
        case "PAUSE":
            book.accepting = False
        case "RESUME":
            book.accepting = True
        case "CLOSE":
            book.accepting = False
            for number in sorted(numbers.values()):
                book.cancel(number, Ended.CLOSED)
        case kind:
            raise AssertionError(f"unknown command {kind}")


def _different_trades(
    made: list[tuple[int, int, int, int]], stored: list[Any], numbers: dict[UUID, int]
) -> list[str]:
    kept = []
    for row in stored:
        buy, sell = numbers[row["buy_order_id"]], numbers[row["sell_order_id"]]
        taker, maker = (buy, sell) if row["taker_side"] == "BUY" else (sell, buy)
        kept.append((taker, maker, row["price_ticks"], row["size_lots"]))
    if kept == made:
        return []
    places = [place for place, pair in enumerate(zip(made, kept, strict=False)) if pair[0] != pair[1]]
    first = places[0] if places else min(len(made), len(kept))
    return [
        f"{len(kept)} trades were made and {len(made)} replayed; the first that differs is number {first + 1}"
    ]


async def _standing(db: Database, pair_id: PairId, last: int, accepting: bool) -> Book:
    spec = await store.spec(db, pair_id)
    assert spec is not None
    book = Book(last)
    book.accepting = accepting
    for row in await order_store.resting(db, pair_id):
        book.restore(live_order(row))
    return book
