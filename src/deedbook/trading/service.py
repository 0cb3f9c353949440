"""Use cases: open a market's pair, and let its status follow the market's."""

from deedbook import ledger, markets, tokens
from deedbook.infra.database import Tx
from deedbook.kernel.ids import MarketId, PairId, TokenId, new_uuid
from deedbook.ledger import AccountId
from deedbook.markets import MarketStatus
from deedbook.tokens import Token
from deedbook.trading import model, store
from deedbook.trading.events import PairOpened, PairStatusChanged
from deedbook.trading.terms import COMMAND_FOR, QUOTE_SYMBOL, Pair, PairStatus

_FOLLOWS = {
    MarketStatus.ACTIVE: PairStatus.ACTIVE,
    MarketStatus.PAUSED: PairStatus.PAUSED,
    MarketStatus.ARCHIVED: PairStatus.CLOSED,
}


async def open_pair(tx: Tx, market_id: MarketId) -> None:
    """Open `{SYMBOL}-USDC` for a market that has its token. A repeated call changes nothing."""
    base = await tokens.of_market(tx, market_id)
    quote = await tokens.of_symbol(tx, QUOTE_SYMBOL)
    assert base is not None, "a market becomes active together with its token"
    assert quote is not None, "the quote token is recorded before any market"
    await _open(tx, market_id, base, quote)
    await follow_market(tx, market_id)


async def open_bare_pair(tx: Tx, base_id: TokenId, quote_id: TokenId) -> PairId:
    """Open a pair of two tokens that no market of ours issued, by the default terms.

    Raises:
        PairNotWhole: no default terms fit these tokens.
    """
    base, quote = await tokens.of_id(tx, base_id), await tokens.of_id(tx, quote_id)
    assert base is not None and quote is not None, "whoever asks has looked the tokens up"
    return await _open(tx, None, base, quote)


async def _open(tx: Tx, market_id: MarketId | None, base: Token, quote: Token) -> PairId:
    terms = model.default_terms(base, quote)
    pair = Pair(PairId(new_uuid()), market_id, base.token_id, quote.token_id, terms, PairStatus.ACTIVE)
    if await found(tx, pair):
        tx.emit(opened(pair), before={"status": None}, after={"status": pair.status})
    return pair.pair_id


async def found(tx: Tx, pair: Pair) -> bool:
    """Write a pair, with an account for its fees and whoever will write it; `False` when there is one."""
    if not await store.add_pair(tx, pair):
        return False
    fee_account = AccountId(new_uuid())
    await ledger.open_fee_account(tx, fee_account, pair.pair_id)
    await store.set_fee_account(tx, pair.pair_id, fee_account)
    return True


def opened(pair: Pair) -> PairOpened:
    """What is told of a new pair."""
    return PairOpened(
        trading_pair_id=pair.pair_id,
        symbol=pair.terms.symbol,
        tick_size=pair.terms.tick_size,
        lot_size=pair.terms.lot_size,
        fee_bps=pair.terms.fee_bps,
    )


async def follow_market(tx: Tx, market_id: MarketId) -> None:
    """Give the pair the status that its market has now; facts that come late or twice do no harm."""
    market_status = await markets.status_of(tx, market_id)
    if market_status not in _FOLLOWS:
        return
    status = _FOLLOWS[market_status]
    changed = await store.set_status(tx, market_id, status)
    if changed is not None:
        pair_id, symbol, former = changed
        await store.add_pair_command(tx, pair_id, COMMAND_FOR[status])
        tx.emit(
            PairStatusChanged(trading_pair_id=pair_id, symbol=symbol, status=status.value),
            before={"status": former},
            after={"status": status},
        )
