"""How deep what comes and goes lies in the chain, told while it is on its way."""

from deedbook import custody
from deedbook.chain.views import Depth
from deedbook.custody import errands, progress, views
from deedbook.custody.deposits import key_of
from deedbook.custody.errands import RELAY, WITHDRAW
from deedbook.custody.payouts import key_of as key_of_withdrawal
from tests.custody.support import CASH, House, Person
from tests.support.fake_chain import CHAIN_ID
from tests.support.vault_logs import deposited

UNIT = 10**6


async def coming(house: House, person: Person, *of: custody.Deposit) -> list[Depth | None]:
    shown = [deposit for deposit, _ in await views.deposits(house.db, person.user_id, None, 10)]
    found = await progress.of_deposits(house.db, CHAIN_ID, shown)
    return [found.get(deposit.deposit_id) for deposit in of]


async def test_what_a_wallet_has_sent_is_counted_for_the_deposit_that_it_will_be_credited_to(
    house: House,
) -> None:
    alice, bob = await house.person(), await house.person()
    first, second = await house.announce(alice, "5"), await house.announce(alice, "5")
    relayed, others = await house.announce(alice, "5", relay=True), await house.announce(bob, "5")
    assert await coming(house, alice, first, second, relayed) == [None, None, None]
    tx_hash = house.node.tell(deposited(alice.account, 5 * UNIT, token=CASH))
    house.node.mine(1)
    await house.watch_only()
    [seen, *rest] = await coming(house, alice, first, second, relayed)
    assert seen == Depth(tx_hash, 1) and rest == [None, None]
    house.node.mine(1)
    await house.watch_only()
    assert await coming(house, alice, first, second) == [Depth(tx_hash, 2), None]
    assert await coming(house, bob, others) == [None]
    house.node.mine(4)
    await house.watch()
    assert await coming(house, alice, first, second) == [None, None]


async def test_what_we_bring_is_counted_from_the_block_of_our_transaction(house: House) -> None:
    alice = await house.person()
    plain, relayed = await house.announce(alice, "5"), await house.announce(alice, "5", relay=True)
    await errands.ask(house.db, house.desk, RELAY, relayed.deposit_id)
    assert await coming(house, alice, plain, relayed) == [None, None]
    await house.lane.finish(key_of(relayed.deposit_id))
    await house.watch_only()
    [nothing, depth] = await coming(house, alice, plain, relayed)
    [row] = await house.rows("SELECT tx_hash, block_number FROM chain_transactions")
    [at] = await house.rows("SELECT block_number FROM chain_cursors")
    assert nothing is None
    assert depth == Depth(row["tx_hash"], at["block_number"] - row["block_number"] + 1)


async def test_a_withdrawal_is_counted_until_it_is_over(house: House) -> None:
    alice = await house.rich("10")
    asked = await house.withdraw(alice, "4")

    async def going() -> Depth | None:
        shown = [
            withdrawal for withdrawal, _ in await views.withdrawals(house.db, alice.user_id, None, None, 10)
        ]
        return (await progress.of_withdrawals(house.db, CHAIN_ID, shown)).get(asked.withdrawal_id)

    await errands.ask(house.db, house.desk, WITHDRAW, asked.withdrawal_id)
    assert await going() is None
    await house.lane.finish(key_of_withdrawal(asked.withdrawal_id))
    await house.watch_only()
    depth = await going()
    assert depth is not None and depth.confirmations >= 1
    house.node.mine(4)
    await house.watch()
    assert (await house.stands(asked), await going()) == ("COMPLETED", None)
