"""My statement where trades made its lines: with the price, and the fee where it was taken."""

import csv
import io
from typing import Any
from uuid import UUID

from deedbook.settlement import failing
from deedbook.settlement.jobs import open_trades
from deedbook.trading.terms import TradeId
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
    bought, sold = await _lines(floor, buyer), await _lines(floor, seller)
    trade_id = bought[deed]["postingId"]
    common = {"id": trade_id, "pair": floor.spec.symbol, "price": "100", "priceSymbol": "USDC"}
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


async def test_lines_that_undo_a_trade_give_its_fee_back_when_it_will_never_settle(floor: Floor) -> None:
    """Fees add up to what was paid, which is nothing."""
    seller, buyer = await _trade(floor)
    deed = floor.spec.symbol.removesuffix("-USDC")
    made = await _lines(floor, buyer)
    await open_trades(floor.world.db)
    async with floor.world.db.transaction() as tx:
        assert await failing.fail(tx, TradeId(UUID(made[deed]["postingId"])), "cancelled_by_trader")
    for user, fee, where in ((buyer, "0.005", deed), (seller, "0.5", "USDC")):
        lines = (await floor.get("/ledger", user))["data"]
        undoing, undone = (
            [line for line in lines if line["kind"] == kind] for kind in ("compensation", "trade")
        )
        assert len(undoing) == len(undone) == 2
        for line in undoing:
            (before,) = (other for other in undone if other["symbol"] == line["symbol"])
            assert (
                line["amount"] == before["amount"].removeprefix("-")
                or f"-{before['amount']}" == line["amount"]
            )
            given_back = f"-{fee}" if line["symbol"] == where else None
            assert line["trade"] == before["trade"] | {"fee": given_back}
    answer = await floor.world.http.get("/ledger/export", headers=buyer.headers)
    rows = [row for row in csv.DictReader(io.StringIO(answer.text)) if row["tradeId"]]
    assert len(rows) == 4 and {row["tradeId"] for row in rows} == {made[deed]["postingId"]}
    assert [row["fee"] for row in rows if row["fee"]] == ["-0.005", "0.005"]


async def test_table_has_each_fee_once_when_it_is_exported_for_a_spreadsheet(floor: Floor) -> None:
    _, buyer = await _trade(floor)
    deed = floor.spec.symbol.removesuffix("-USDC")
    answer = await floor.world.http.get("/ledger/export", headers=buyer.headers)
    rows = {row["symbol"]: row for row in csv.DictReader(io.StringIO(answer.text)) if row["kind"] == "trade"}
    names = ("pair", "side", "price", "priceSymbol", "fee", "feeSymbol")
    said = (floor.spec.symbol, "BUY", "100", "USDC")
    assert tuple(rows[deed][name] for name in names) == (*said, "0.005", deed)
    assert tuple(rows["USDC"][name] for name in names) == (*said, "", "")
