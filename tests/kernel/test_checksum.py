"""The checksum of books: vectors made by hand, so that other languages can be held against them."""

import zlib

from deedbook.kernel.checksum import book_checksum


def test_levels_are_summed_as_digits_asks_first_best_first() -> None:
    bids, asks = [["1000.00", "1.25"], ["999.5", "0.0040"]], [["1000.5", "3"], ["0.0500", "10"]]
    assert book_checksum(bids, asks) == zlib.crc32(b"10005350010100000125999540")
    assert book_checksum([["50.00", "10"]], []) == 1888527636
    assert book_checksum([], []) == 0


def test_only_the_best_ten_of_each_side_count() -> None:
    levels = [[str(price), "1"] for price in range(100, 120)]
    assert book_checksum(levels, levels) == book_checksum(levels[:10], levels[:10])
    assert book_checksum(levels, levels) != book_checksum(levels[:9], levels[:10])
