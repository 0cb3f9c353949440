// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Consent} from "./Consent.sol";
import {Decimals} from "./Decimals.sol";
import {FeeMode, Pair, PairList} from "./PairList.sol";
import {Order, SignedOrder, SignedOrders, SignedSwap, Swap} from "./SignedOrders.sol";

/// @notice A signed order or swap in whole numbers, as trades are held to it.
struct Intent {
    bytes32 digest;
    address trader;
    bytes32 pair;
    bool buys;
    bool swaps;
    /// No price was signed: a market order takes any.
    bool unpriced;
    /// Of an order what it trades in base units, of a swap what it gives.
    uint256 amount;
    /// Of an order, times 10^18.
    uint256 price;
    /// Of a swap, what it wants for all of `amount`.
    uint256 least;
    uint256 maxFeeBps;
    uint256 expiry;
    /// The error for which nothing can be settled from it; zero when there is none.
    bytes4 problem;
}

/// @title Reading what traders signed
/// @notice Nothing that a trader signed can make this revert: what cannot be read is a problem of its own trades.
abstract contract Intents is PairList, SignedOrders {
    using Decimals for string;

    bytes32 private constant BUY = keccak256("BUY");
    bytes32 private constant SELL = keccak256("SELL");
    bytes32 private constant LIMIT = keccak256("LIMIT");
    bytes32 private constant STOP_LIMIT = keccak256("STOP_LIMIT");
    bytes32 private constant MARKET = keccak256("MARKET");
    bytes32 private constant STOP_MARKET = keccak256("STOP_MARKET");
    bytes32 private constant EMPTY = keccak256("");

    error IntentMalformed(bytes32 digest);
    error IntentNotSigned(bytes32 digest);
    error PairNotListed(bytes32 digest);

    /// @return What was settled of a signed order or swap: base units of an order, what a swap has given.
    function filled(bytes32 digest) public view virtual returns (uint256);

    function _readAll(SignedOrder[] calldata orders, SignedSwap[] calldata swaps)
        internal
        view
        returns (Intent[] memory intents)
    {
        intents = new Intent[](orders.length + swaps.length);
        for (uint256 i = 0; i < intents.length; ++i) {
            uint256 memoryBefore = _memoryInUse();
            if (i < orders.length) _readOrder(orders[i], intents[i]);
            else _readSwap(swaps[i - orders.length], intents[i]);
            _freeMemoryFrom(memoryBefore);
        }
    }

    function _memoryInUse() private pure returns (uint256 end) {
        assembly ("memory-safe") {
            end := mload(0x40)
        }
    }

    /// @dev The price of memory grows with its square, and of what was hashed nothing is looked at again.
    function _freeMemoryFrom(uint256 end) private pure {
        assembly ("memory-safe") {
            mstore(0x40, end)
        }
    }

    function _readOrder(SignedOrder calldata signed, Intent memory intent) private view {
        Order calldata order = signed.order;
        intent.digest = hashOrder(order);
        (intent.trader, intent.maxFeeBps, intent.expiry) = (order.trader, order.maxFeeBps, order.expiry);
        intent.pair = _hash(order.tradingPairId);
        bool wellFormed = _readSide(order.side, intent) && _readTerms(order, intent);
        intent.problem = _problemOf(intent, wellFormed, signed.signature);
    }

    function _readSwap(SignedSwap calldata signed, Intent memory intent) private view {
        Swap calldata swap = signed.swap;
        intent.digest = hashSwap(swap);
        (intent.trader, intent.maxFeeBps, intent.expiry) = (swap.trader, swap.maxFeeBps, swap.expiry);
        intent.pair = _hash(swap.tradingPairId);
        intent.swaps = true;
        bool wellFormed = _readSide(swap.side, intent) && _readAmounts(swap, intent);
        intent.problem = _problemOf(intent, wellFormed, signed.signature);
    }

    /// @dev In this order, so that the same bad text always has the same problem.
    function _problemOf(Intent memory intent, bool wellFormed, bytes calldata signature)
        private
        view
        returns (bytes4)
    {
        if (_pairs[intent.pair].feeMode == FeeMode.Unlisted) return PairNotListed.selector;
        if (!wellFormed) return IntentMalformed.selector;
        return _consents(intent, signature) ? bytes4(0) : IntentNotSigned.selector;
    }

    function _readSide(string calldata side, Intent memory intent) private pure returns (bool known) {
        bytes32 hashed = _hash(side);
        intent.buys = hashed == BUY;
        return intent.buys || hashed == SELL;
    }

    function _readTerms(Order calldata order, Intent memory intent)
        private
        view
        returns (bool wellFormed)
    {
        (wellFormed, intent.amount) = order.quantity.tryToUnits(_pairs[intent.pair].baseDecimals);
        if (!wellFormed) return false;
        bytes32 kind = _hash(order.orderType);
        bool takesAny = kind == MARKET || kind == STOP_MARKET;
        if (!takesAny && kind != LIMIT && kind != STOP_LIMIT) return false;
        intent.unpriced = takesAny && _hash(order.price) == EMPTY;
        if (intent.unpriced) return true;
        (wellFormed, intent.price) = order.price.tryToUnits(MAX_DECIMALS);
    }

    function _readAmounts(Swap calldata swap, Intent memory intent)
        private
        view
        returns (bool wellFormed)
    {
        Pair storage pair = _pairs[intent.pair];
        (uint8 given, uint8 got) = (pair.baseDecimals, pair.quoteDecimals);
        if (intent.buys) (given, got) = (got, given);
        (wellFormed, intent.amount) = swap.amountIn.tryToUnits(given);
        if (wellFormed) (wellFormed, intent.least) = swap.minAmountOut.tryToUnits(got);
    }

    /// @dev A key has signed once and for all: where something was settled already, its signature was seen. A
    ///      wallet may have thought better of it.
    function _consents(Intent memory intent, bytes calldata signature) private view returns (bool) {
        if (Consent.byKey(intent.trader, intent.digest, signature)) return true;
        if (intent.trader.code.length == 0) return filled(intent.digest) > 0;
        return Consent.byWallet(intent.trader, intent.digest, signature);
    }
}
