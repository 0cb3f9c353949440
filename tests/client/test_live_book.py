"""A copy of a book: it follows, and says so when it cannot."""

from typing import Any

import pytest

from deedbook.client.live_book import BookOutOfStep, LiveBook
from deedbook.kernel.checksum import book_checksum

Levels = list[list[str]]


def message(
    kind: str, seq: int, bids: Levels, asks: Levels, after: tuple[Levels, Levels], **more: Any
) -> dict[str, Any]:
    told = {"type": kind, "channel": "book", "market": "A-B", "seq": seq, "bids": bids, "asks": asks}
    return {**told, "checksum": book_checksum(*after), **more}


def snapshot() -> dict[str, Any]:
    bids, asks = [["99", "1"], ["98.5", "2"]], [["100", "3"]]
    return message("snapshot", 7, bids, asks, (bids, asks))


def update(before: int, **changes: Any) -> dict[str, Any]:
    after = ([["99.5", "4"], ["98.5", "2"]], [["100", "3"]])
    told = message("update", before + 3, [["99", "0"], ["99.5", "4"]], [], after, prevSeq=before)
    return {**told, **changes}


def test_a_book_follows_the_updates_after_its_snapshot() -> None:
    book = LiveBook("A-B")
    assert not book.ready
    book.apply(snapshot())
    book.apply(update(7))
    assert (book.ready, book.seq) == (True, 10)
    assert book.levels() == ([["99.5", "4"], ["98.5", "2"]], [["100", "3"]])
    assert book.levels(1) == ([["99.5", "4"]], [["100", "3"]])
    assert [str(price) for price, _ in book.bids()] == ["99.5", "98.5"]


@pytest.mark.parametrize("wrong", [{"prevSeq": 6}, {"prevSeq": 8}, {"checksum": 1}])
def test_a_book_is_dropped_when_something_is_missing_or_came_out_wrong(wrong: dict[str, Any]) -> None:
    book = LiveBook("A-B")
    book.apply(snapshot())
    with pytest.raises(BookOutOfStep):
        book.apply(update(7, **wrong))
    assert not book.ready
    book.apply(update(10))  # what was under way
    assert not book.ready
    book.apply(snapshot())
    assert (book.seq, book.levels(1)) == (7, ([["99", "1"]], [["100", "3"]]))


def test_an_update_before_any_snapshot_is_passed_over() -> None:
    book = LiveBook("A-B")
    book.apply(update(7))
    assert book.levels() == ([], [])
