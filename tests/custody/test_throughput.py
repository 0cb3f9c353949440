"""Money that only passes through."""

from datetime import UTC, datetime, timedelta

from deedbook.custody import throughput
from deedbook.custody.errands import TRANSFER
from deedbook.custody.throughput import Passage
from deedbook.kernel.ids import least_uuid
from tests.custody.support import House
from tests.support.vault_logs import deposited

UNIT = 10**6


async def passages(house: House, *, ago: timedelta = timedelta(days=1)) -> list[Passage]:
    return await throughput.passages(house.db, datetime.now(UTC) - ago)


async def test_who_takes_out_most_of_what_came_in_stands_out(house: House) -> None:
    through, keeps, waits = await house.rich("1000"), await house.rich("1000"), await house.rich("1000")
    await house.withdraw(through, "500")
    await house.withdraw(through, "400")
    await house.withdraw(keeps, "899.999999")
    [told] = await passages(house)
    assert (told.user_id, told.account, told.symbol) == (through.user_id, through.account, house.cash.symbol)
    assert (told.brought_in, told.taken_out, told.decimals) == (1000 * UNIT, 900 * UNIT, 6)
    assert told.first_at <= told.last_at
    assert waits.user_id != told.user_id


async def test_what_came_back_is_not_taken_out_and_other_tokens_do_not_count(house: House) -> None:
    through = await house.rich("1000")
    asked = await house.withdraw(through, "1000")
    assert [one.taken_out for one in await passages(house)] == [1000 * UNIT]
    async with house.db.transaction() as tx:
        await tx.execute(
            "UPDATE withdrawal_requests SET status = 'FAILED' WHERE withdrawal_id = $1", asked.withdrawal_id
        )
    assert await passages(house) == []
    await house.happen(deposited(through.account, 5 * UNIT, token=house.at(house.deed)))
    assert await passages(house) == []


async def test_what_was_taken_out_before_is_other_money(house: House) -> None:
    late = await house.rich("1000")
    await house.withdraw(late, "900")
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE deposits SET updated_at = updated_at + interval '1 second'")
        await tx.execute("UPDATE withdrawal_requests SET created_at = created_at - interval '1 second'")
    assert await passages(house) == []


async def test_what_happened_before_is_not_looked_at(house: House) -> None:
    through = await house.rich("1000")
    await house.withdraw(through, "1000")
    assert await passages(house, ago=timedelta(seconds=-5)) == []


async def test_money_that_goes_from_account_to_account_passes_through_each(house: House) -> None:
    """Whoever has it in the end, and keeps it, does not stand out."""
    first, second, last = await house.rich("1000"), await house.person(), await house.person()
    for giver, taker in ((first, second), (second, last)):
        asked = await house.transfer(giver, taker, "950")
        await house.carry_out(TRANSFER, asked.transfer_id)
    told = await passages(house)
    assert [(one.user_id, one.brought_in, one.taken_out) for one in told] == [
        (second.user_id, 950 * UNIT, 950 * UNIT),
        (first.user_id, 1000 * UNIT, 950 * UNIT),
    ]
    async with house.db.transaction() as tx:
        await tx.execute("UPDATE transfers SET status = 'FAILED', reason = 'it was'")
    assert await passages(house) == []


async def test_what_was_announced_long_before_it_came_counts_from_when_it_came(house: House) -> None:
    through = await house.rich("1000")
    await house.withdraw(through, "1000")
    async with house.db.transaction() as tx:
        await tx.execute(
            "UPDATE deposits SET deposit_id = $1, created_at = created_at - interval '60 days'",
            least_uuid(datetime.now(UTC) - timedelta(days=60)),
        )
    assert [one.user_id for one in await passages(house)] == [through.user_id]
