"""My statement where trades made its lines: with the price, and the fee where it was taken."""

import csv
import io
from typing import Any

from tests.support.floor import Floor, open_floor
from tests.support.world import User


async def _trade(floor: Floor) -> tuple[User, User]:
    """Two of it at 100, in one trade."""
    seller, buyer = await floor.investor("0", "2"), await floor.investor("500")
    await floor.place(seller, "SELL", quantity="2")
    await floor.place(buyer, "BUY", quantity="2")
    await floor.match()
    return seller, buyer


async def _lines(floor: Floor, user: User) -> dict[str, dict[str, Any]]:
    """The newest line of each token; what a statement shows, it exports."""
    told = (await floor.get("/ledger", user))["data"]
    assert (await floor.get("/ledger/export", user, format="json"))["data"] == told
    return {line["symbol"]: line for line in reversed(told)}


async def test_line_has_its_price_and_the_fee_that_is_in_its_amount_when_a_trade_made_it(
    floor: Floor,
) -> None:
    """Each side pays of what it receives: the fee stands beside that line alone."""
    seller, buyer = await _trade(floor)
    deed = floor.spec.symbol.removesuffix("-USDC")
    common = {"pair": floor.spec.symbol, "price": "100", "priceSymbol": "USDC"}
    bought, sold = await _lines(floor, buyer), await _lines(floor, seller)
    assert [bought[deed]["amount"], bought["USDC"]["amount"]] == ["1.995", "-200"]
    assert bought[deed]["trade"] == {**common, "side": "BUY", "fee": "0.005"}
    assert bought["USDC"]["trade"] == {**common, "side": "BUY", "fee": None}
    assert [sold[deed]["amount"], sold["USDC"]["amount"]] == ["-2", "199.5"]
    assert sold[deed]["trade"] == {**common, "side": "SELL", "fee": None}
    assert sold["USDC"]["trade"] == {**common, "side": "SELL", "fee": "0.5"}
    [of_deed] = (await floor.get("/ledger", buyer, tokenId=bought[deed]["tokenId"]))["data"]
    assert of_deed == bought[deed]


async def test_fee_stands_beside_what_was_paid_when_the_pair_takes_it_in_dollars(floor: Floor) -> None:
    in_dollars = await open_floor(floor.world, fee_mode="quote")
    _, buyer = await _trade(in_dollars)
    bought = await _lines(in_dollars, buyer)
    deed = in_dollars.spec.symbol.removesuffix("-USDC")
    assert [bought[deed]["amount"], bought["USDC"]["amount"]] == ["2", "-200.5"]
    assert [bought[deed]["trade"]["fee"], bought["USDC"]["trade"]["fee"]] == [None, "0.5"]


async def test_table_has_each_fee_once_when_it_is_exported_for_a_spreadsheet(floor: Floor) -> None:
    _, buyer = await _trade(floor)
    deed = floor.spec.symbol.removesuffix("-USDC")
    answer = await floor.world.http.get("/ledger/export", headers=buyer.headers)
    rows = {row["symbol"]: row for row in csv.DictReader(io.StringIO(answer.text)) if row["kind"] == "trade"}
    names = ("pair", "side", "price", "priceSymbol", "fee", "feeSymbol")
    said = (floor.spec.symbol, "BUY", "100", "USDC")
    assert tuple(rows[deed][name] for name in names) == (*said, "0.005", deed)
    assert tuple(rows["USDC"][name] for name in names) == (*said, "", "")
