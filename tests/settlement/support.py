"""A trading floor over the house of custody: a pair, signed orders, the real matcher, and a contract in memory that
settles what it is sent, but for what a test has it refuse."""

import itertools
import os
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from deedbook import ledger, truths
from deedbook.chain.delivery import (
    Batch,
    Cost,
    Delivered,
    Delivery,
    DeliveryResult,
    FailureReason,
    FeesFrom,
    SignedText,
    Verdict,
)
from deedbook.chain.errors import TransactionReverted
from deedbook.chain.ports import LOG_ROUNDS, Chain
from deedbook.chain.terms import Call
from deedbook.chain.vault import VaultEvent, VaultEventKind, reference_of
from deedbook.custody.reconciliation import Run, reconcile
from deedbook.identity.terms import Address
from deedbook.identity.typed_data import ORDER
from deedbook.infra.database import Database
from deedbook.ledger import AccountId
from deedbook.settlement import jobs
from deedbook.settlement.ports import Desk
from deedbook.settlement.terms import Figures
from deedbook.trading import intake_store, open_bare_pair, orders
from deedbook.trading.admission import Admitted, OrderText, Quotes
from deedbook.trading.engine import SelfTrade
from deedbook.trading.matcher import PairMatcher, take_over
from deedbook.trading.pairs import PairDirectory
from deedbook.trading.spec import PairSpec
from deedbook.trading.terms import OrderType, Side, TimeInForce, TradeId
from tests.custody.support import DOMAIN, House, Person, open_house
from tests.support.fake_chain import CHAIN_ID
from tests.support.vault_logs import MOVES, VAULT, decode, told
from tests.trading.venue import NoCopies

HOUSE = Address("0x" + "fe" * 20)
FIGURES = Figures(max_trades=10, max_wait_s=0.0, patience_s=0.0)
RISES = {VaultEventKind.DEPOSITED, VaultEventKind.MINT_CREDITED}
_nonces = itertools.count()


@dataclass
class FakeSettlementWords:
    """Implements `SettlementWords` in the spelling of `vault_logs`: the data of a call are the events that it makes.
    `refuses` is what the contract has against a trade, when asked and when sent; `undoes` only when sent."""

    base: Address
    quote: Address
    house: Address = HOUSE
    refuses: dict[UUID, FailureReason] = field(default_factory=dict)
    undoes: set[UUID] = field(default_factory=set)
    keeps: dict[UUID, int] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    refuses_pairs: set[str] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    each: Cost = field(default_factory=lambda: Cost(200_000, 300))
    most_asked: int = 1000

    def settle(self, settlement: Address, batch: Batch) -> Call:
        self.batches.append(batch)
        logs = [
            told(self._event(batch, delivery)).data.decode()
            for delivery in batch.deliveries
            if delivery.trade_id not in self.undoes and delivery.trade_id not in self.refuses
        ]
        return Call(settlement, orjson.dumps(logs), self.each.gas * len(batch.deliveries))

    def cost_of_batch(self) -> Cost:
        return Cost(100_000, 200)

    def cost_of_text(self, text: SignedText) -> Cost:
        assert text.struct is ORDER
        assert len(text.signature) == 65
        assert not text.asks_wallet
        return Cost(1, 1)

    def cost_of_delivery(self) -> Cost:
        return self.each

    async def preview(self, chain: Chain, settlement: Address, batch: Batch) -> list[Verdict]:
        await chain.call(settlement, b"preview")
        if len(batch.deliveries) > self.most_asked:
            raise TransactionReverted("out of gas")
        self.asked.append(len(batch.deliveries))
        return [
            Verdict(delivery.trade_id, DeliveryResult.FAILED, self.refuses[delivery.trade_id])
            if delivery.trade_id in self.refuses
            else Verdict(delivery.trade_id, DeliveryResult.SETTLED)
            for delivery in batch.deliveries
        ]

    def list_pair(
        self, settlement: Address, symbol: str, base: Address, quote: Address, fees_from: FeesFrom
    ) -> Call:
        self.listed.add(symbol)
        return Call(settlement, orjson.dumps([]), 100_000)

    async def is_pair_listed(self, chain: Chain, settlement: Address, symbol: str) -> bool:
        return symbol in self.listed - self.refuses_pairs

    def _event(self, batch: Batch, delivery: Delivery) -> VaultEvent:
        buyer, seller = (Address(batch.orders[at].values["trader"]) for at in (delivery.buy, delivery.sell))
        delivered = Delivered(
            delivery.trade_id,
            b"\1" * 32,
            b"\2" * 32,
            self.base,
            self.quote,
            buyer,
            seller,
            self.house,
            delivery.quantity,
            delivery.quote_amount,
            delivery.buyer_fee - self.keeps.get(delivery.trade_id, 0),
            delivery.seller_fee,
            FeesFrom.RECEIVED,
        )
        reference = reference_of(delivery.trade_id)
        return VaultEvent(
            VaultEventKind.TRADE_SETTLED, self.base, seller, buyer, delivery.quantity, reference, delivered
        )


class ReplayedVault:
    """Implements `VaultState` by replaying what the vault has told, up to a block: knows no ledger."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def balances(self, block: int) -> dict[tuple[Address, Address], int]:
        balances: dict[tuple[Address, Address], int] = defaultdict(int)
        for first in range(0, block + 1, LOG_ROUNDS):
            last = min(block, first + LOG_ROUNDS - 1)
            for log in await self._house.node.logs(VAULT, [MOVES], first, last):
                event = decode(list(log.topics), log.data)
                if event is None or event.kind is VaultEventKind.ORDER_CANCELLED:
                    continue
                if event.delivered is not None:
                    for account, token, change in event.delivered.moves():
                        balances[account, token] += change
                    continue
                assert event.kind in (*RISES, VaultEventKind.WITHDRAWN)
                balances[event.account, event.token] += event.amount if event.kind in RISES else -event.amount
        return balances

    async def owed(self, token: Address, block: int) -> int:
        return sum(units for (_, of), units in (await self.balances(block)).items() if of == token)

    async def held(self, token: Address, block: int) -> int:
        return await self.owed(token, block)

    async def balance(self, account: Address, token: Address, block: int) -> int:
        return (await self.balances(block))[account, token]


@dataclass
class Floor:
    """The floor. `deed` is traded for `cash`."""

    house: House
    spec: PairSpec
    words: FakeSettlementWords
    desk: Desk
    matcher: PairMatcher

    @property
    def db(self) -> Database:
        return self.house.db

    async def buyer(self, dollars: str = "10000") -> Person:
        return await self.house.rich(dollars)

    async def seller(self, deeds: str = "1000") -> Person:
        return await self.house.rich(deeds, token=self.house.deed)

    def order(self, person: Person, side: str, quantity: str, price: str) -> Admitted:
        """A signed order as admission lets it in."""
        now = datetime.now(UTC)
        text = OrderText(
            trader=person.account,
            pair=self.spec.symbol,
            side=Side(side),
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            post_only=False,
            self_trade=SelfTrade.EXPIRE_TAKER,
            quantity=quantity,
            price=price,
            stop_price="",
            max_fee_bps=self.spec.fee_bps,
            client_order_id="",
            nonce=f"o-{next(_nonces)}",
            expiry=int((now + timedelta(days=1)).timestamp()),
        )
        digest = ORDER.digest(DOMAIN, text.values())
        signature = bytes.fromhex(person.wallet.sign_digest(digest)[2:])
        quotes = Quotes(0, 0, 0)
        return orders.admit(
            text, self.spec, quotes, user_id=person.user_id, digest=digest, signature=signature, now=now
        )

    async def place(self, *admitted: Admitted) -> None:
        verdicts = [row.verdict for row in await intake_store.take(self.db, admitted)]
        assert verdicts == [0] * len(admitted)
        while await self.matcher.step():
            pass

    async def trade(
        self, buyer: Person, seller: Person, quantity: str = "1", price: str = "10.00"
    ) -> TradeId:
        """One trade, executed."""
        before = await self.trades()
        await self.place(self.order(seller, "SELL", quantity, price))
        await self.place(self.order(buyer, "BUY", quantity, price))
        [made] = [trade for trade in await self.trades() if trade not in before]
        return made

    async def trades(self) -> list[TradeId]:
        return [
            TradeId(row["trade_id"])
            for row in await self.house.rows("SELECT trade_id FROM trades ORDER BY trade_number")
        ]

    async def advance(self) -> None:
        """What can be done without the chain's answer."""
        for _ in range(100):
            if not await jobs.advance(self.db, self.desk):
                return
        raise AssertionError("settlement finds no end")

    async def one_block(self) -> None:
        """The lane sends, the chain mines, the watcher reads."""
        await self.house.lane.step()
        self.house.node.mine()
        await self.house.lane.step()
        await self.house.watch()

    async def settle_all(self, rounds: int = 40) -> None:
        """Until nothing is on its way any more."""
        for _ in range(rounds):
            await self.advance()
            await self.one_block()
        await self.advance()

    async def status(self, trade_id: UUID) -> str:
        [row] = await self.house.rows("SELECT status FROM trade_settlements WHERE trade_id = $1", trade_id)
        [shown] = await self.house.rows("SELECT settlement_status FROM trades WHERE trade_id = $1", trade_id)
        assert row["status"] == shown["settlement_status"]
        return str(row["status"])

    async def statuses(self) -> list[str]:
        return [await self.status(trade_id) for trade_id in await self.trades()]

    async def row(self, trade_id: UUID) -> dict[str, Any]:
        [row] = await self.house.rows("SELECT * FROM trade_settlements WHERE trade_id = $1", trade_id)
        return row

    async def settled_events(self, trade_id: UUID) -> int:
        """How often the chain, as it is now, has settled it."""
        head = await self.house.node.head()
        found = 0
        for first in range(0, head + 1, LOG_ROUNDS):
            last = min(head, first + LOG_ROUNDS - 1)
            for log in await self.house.node.logs(VAULT, [MOVES], first, last):
                event = decode(list(log.topics), log.data)
                found += event is not None and event.reference == reference_of(trade_id)
        return found

    async def live(self, kind: str) -> list[dict[str, Any]]:
        """The live events of this type."""
        rows = await self.house.rows(
            "SELECT fact FROM trading_events WHERE event_type = $1 ORDER BY position", kind
        )
        return [row["fact"] for row in rows]

    async def compare(self) -> Run:
        run = await reconcile(self.db, self.house.node, CHAIN_ID, ReplayedVault(self.house))
        assert run is not None
        return run

    async def require_truths(self) -> None:
        """Money, trading and settlement are what they must be, and the vault is the ledger but for what is on its
        way."""
        await self.house.require_truths()
        found = [*await truths.check_trading(self.db), *await truths.check_settlement(self.db)]
        assert {truth.name: truth.findings for truth in found if not truth.holds} == {}
        run = await self.compare()
        assert run.breaks == ()


async def open_floor(db: Database, figures: Figures = FIGURES) -> Floor:
    house = await open_house(db)
    assert house.deed.contract_address is not None
    assert house.cash.contract_address is not None
    async with db.transaction() as tx:
        await ledger.keep_house_at(tx, HOUSE)
        pair_id = await open_bare_pair(tx, house.deed.token_id, house.cash.token_id)
    spec = await PairDirectory(db).spec(str(pair_id))
    words = FakeSettlementWords(house.deed.contract_address, house.cash.contract_address)
    desk = Desk(words, house.node, CHAIN_ID, house.lane.wallet, house.resources.look.depth, figures, 0.3)
    matcher = await take_over(db, pair_id, f"test-{os.getpid()}", NoCopies())
    assert matcher is not None
    floor = Floor(house, spec, words, desk, matcher)
    await floor.settle_all(8)
    return floor


def fees_of(floor: Floor) -> AccountId:
    return floor.spec.fee_account_id
