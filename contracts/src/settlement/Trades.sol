// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Restriction} from "../token/Restriction.sol";
import {Custody} from "./Custody.sol";
import {Decimals} from "./Decimals.sol";
import {Fills} from "./Fills.sol";
import {Intent} from "./Intents.sol";
import {FeeMode, Pair} from "./PairList.sol";

/// @notice A match of two signed intents, in base units of the pair's tokens.
/// @dev An index counts the orders of the batch first, then its swaps.
struct Trade {
    bytes32 tradeId;
    uint256 buyIndex;
    uint256 sellIndex;
    uint256 quantity;
    uint256 quoteAmount;
    uint256 buyerFee;
    uint256 sellerFee;
    /// Unix seconds.
    uint64 matchedAt;
}

/// @notice What a settled trade has moved. With fees on what is received the buyer's is in base, else in quote.
struct Delivery {
    address base;
    address quote;
    address buyer;
    address seller;
    address feeAccount;
    uint256 quantity;
    uint256 quoteAmount;
    uint256 buyerFee;
    uint256 sellerFee;
    FeeMode feeMode;
}

/// @title Delivery against payment
/// @notice Both legs and both fees in one step, from vault balance to vault balance, within what both traders
///         have signed. Whoever matches decides which trades there are, and cannot make one that was not signed.
abstract contract Trades is Custody, Fills {
    /// @notice How long after a match it may be settled, and how long a trader's own cancel leaves for that.
    uint256 public constant SETTLEMENT_WINDOW = 1 days;
    uint256 private constant CLOCK_SKEW = 5 minutes;

    mapping(bytes32 tradeId => bool) public settled;
    /// @notice When a trader cancelled what has this digest; 0 when never.
    mapping(address trader => mapping(bytes32 digest => uint256)) public cancelledAt;
    address public feeAccount;

    event TradeSettled(
        bytes32 indexed tradeId, bytes32 indexed buyDigest, bytes32 indexed sellDigest, Delivery delivery
    );
    event OrderCancelled(address indexed trader, bytes32 indexed digest, uint256 effectiveAfter);
    event FeeAccountSet(address indexed feeAccount);

    error SideNotSigned();
    error AmountTooLarge(uint256 amount);
    error PairsDiffer();
    error MatchedInTheFuture(uint256 matchedAt, uint256 timestamp);
    error MatchTooOld(uint256 matchedAt, uint256 timestamp);
    error IntentExpired(bytes32 digest, uint256 expiry);
    error IntentCancelled(bytes32 digest);
    error PriceWorseThanSigned(bytes32 digest);
    error TradeRestricted(address token, uint8 reason);

    constructor(address feeAccount_) {
        _setFeeAccount(feeAccount_);
    }

    /// @notice Cancel orders and swaps where no operator can overlook it. What was matched before may still be
    ///         settled within its window; after that, nothing.
    function cancel(bytes32[] calldata digests) external {
        for (uint256 i = 0; i < digests.length; ++i) {
            if (cancelledAt[msg.sender][digests[i]] != 0) continue;
            cancelledAt[msg.sender][digests[i]] = block.timestamp;
            emit OrderCancelled(msg.sender, digests[i], block.timestamp + SETTLEMENT_WINDOW);
        }
    }

    function setFeeAccount(address feeAccount_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        _setFeeAccount(feeAccount_);
    }

    function _setFeeAccount(address feeAccount_) private {
        if (feeAccount_ == address(0)) revert ZeroAddress();
        if (feeAccount_ == address(this)) revert ReceiverNotAllowed(feeAccount_);
        feeAccount = feeAccount_;
        emit FeeAccountSet(feeAccount_);
    }

    /// @dev The whole of one trade, or a revert that says why not.
    function _deliver(Trade calldata trade, Intent calldata buy, Intent calldata sell) internal {
        settled[trade.tradeId] = true;
        _requireMatch(trade, buy, sell);
        Pair memory pair = _pairs[buy.pair];
        _requirePrice(trade, pair, buy);
        _requirePrice(trade, pair, sell);
        bool inBase = pair.feeMode == FeeMode.Received;
        Delivery memory delivery = Delivery({
            base: pair.base,
            quote: pair.quote,
            buyer: buy.trader,
            seller: sell.trader,
            feeAccount: feeAccount,
            quantity: trade.quantity,
            quoteAmount: trade.quoteAmount,
            buyerFee: _takeFee(buy, inBase ? trade.quantity : trade.quoteAmount, trade.buyerFee),
            sellerFee: _takeFee(sell, trade.quoteAmount, trade.sellerFee),
            feeMode: pair.feeMode
        });
        _carryOut(delivery, buy, sell);
        emit TradeSettled(trade.tradeId, buy.digest, sell.digest, delivery);
    }

    function _carryOut(Delivery memory delivery, Intent calldata buy, Intent calldata sell) private {
        bool inBase = delivery.feeMode == FeeMode.Received;
        uint256 got = delivery.quantity - (inBase ? delivery.buyerFee : 0);
        uint256 paid = delivery.quoteAmount + (inBase ? 0 : delivery.buyerFee);
        uint256 earned = delivery.quoteAmount - delivery.sellerFee;
        _fill(buy, buy.swaps ? paid : delivery.quantity, got);
        _fill(sell, delivery.quantity, earned);
        _pass(delivery.base, delivery.seller, delivery.buyer, got);
        _pass(delivery.base, delivery.seller, delivery.feeAccount, delivery.quantity - got);
        _pass(delivery.quote, delivery.buyer, delivery.seller, earned);
        _pass(delivery.quote, delivery.buyer, delivery.feeAccount, paid - earned);
    }

    function _requireMatch(Trade calldata trade, Intent calldata buy, Intent calldata sell) private view {
        if (!buy.buys || sell.buys) revert SideNotSigned();
        if (buy.pair != sell.pair) revert PairsDiffer();
        if (buy.trader == sell.trader) revert SameAccount(buy.trader);
        _requireAmount(trade.quantity);
        _requireAmount(trade.quoteAmount);
        uint256 matchedAt = trade.matchedAt;
        if (matchedAt > block.timestamp + CLOCK_SKEW) revert MatchedInTheFuture(matchedAt, block.timestamp);
        if (block.timestamp > matchedAt + SETTLEMENT_WINDOW) revert MatchTooOld(matchedAt, block.timestamp);
        _requireInForce(buy, matchedAt);
        _requireInForce(sell, matchedAt);
    }

    /// @dev Below the bound, no product of the checks that follow leaves 256 bits.
    function _requireAmount(uint256 amount) private pure {
        if (amount == 0) revert ZeroAmount();
        if (amount > Decimals.MAX_UNITS) revert AmountTooLarge(amount);
    }

    function _requireInForce(Intent calldata intent, uint256 matchedAt) private view {
        if (matchedAt > intent.expiry) revert IntentExpired(intent.digest, intent.expiry);
        uint256 cancelled = cancelledAt[intent.trader][intent.digest];
        if (cancelled != 0 && block.timestamp > cancelled + SETTLEMENT_WINDOW) {
            revert IntentCancelled(intent.digest);
        }
    }

    /// @dev Exact: quote units and base units times the price meet in 10^-18 of a quote unit, where both fit. A
    ///      swap is held to its rate instead.
    function _requirePrice(Trade calldata trade, Pair memory pair, Intent calldata intent) private pure {
        if (intent.unpriced || intent.swaps) return;
        uint256 paid = trade.quoteAmount * 10 ** (MAX_DECIMALS + pair.baseDecimals - pair.quoteDecimals);
        uint256 agreed = trade.quantity * intent.price;
        if (intent.buys ? paid > agreed : paid < agreed) revert PriceWorseThanSigned(intent.digest);
    }

    function _pass(address token, address from, address to, uint256 amount) private {
        if (amount == 0) return;
        uint8 reason = _restriction(token, from, to, amount);
        if (reason != Restriction.NONE) revert TradeRestricted(token, reason);
        _requireBalance(token, from, amount);
        _move(token, from, to, amount);
    }
}
