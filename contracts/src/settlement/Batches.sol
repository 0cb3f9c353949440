// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Consent} from "./Consent.sol";
import {Intent} from "./Intents.sol";
import {SignedOrder, SignedSwap} from "./SignedOrders.sol";
import {Trade, Trades} from "./Trades.sol";

enum Result {
    Settled,
    AlreadySettled,
    Failed
}

struct Outcome {
    Result result;
    /// The error for which a trade failed, cut off after a few words; empty for any other result.
    bytes reason;
}

/// @title Many trades in one transaction, each on its own
/// @notice A trade that cannot be settled fails alone and says why; the others settle. A trade is settled once:
///         to ask again changes nothing.
/// @dev Each trade is a call of the contract to itself with the same gas. When that is not there, the whole
///      transaction reverts: too little gas is the sender's mistake, and no verdict on a trade.
abstract contract Batches is Trades {
    uint256 private constant TRADE_GAS = 400_000;
    /// A call gets 63 of 64 parts of what is left at most (EIP-150); beside it stand its own costs.
    uint256 private constant GAS_TO_TRY = TRADE_GAS * 64 / 63 + 30_000;
    /// A selector and four words: more than any of our errors.
    uint256 private constant MAX_REASON_BYTES = 132;

    event TradeFailed(bytes32 indexed tradeId, bytes reason);
    event TradeAlreadySettled(bytes32 indexed tradeId);

    error OnlySelf();
    error NoSuchIntent(uint256 index);
    error Rehearsed(Outcome[] outcomes);

    modifier onlySelf() {
        if (msg.sender != address(this)) revert OnlySelf();
        _;
    }

    function settle(SignedOrder[] calldata orders, SignedSwap[] calldata swaps, Trade[] calldata trades)
        external
        nonReentrant
        onlyRole(OPERATOR_ROLE)
        returns (Outcome[] memory)
    {
        return _settle(orders, swaps, trades);
    }

    /// @notice What `settle` would do now, without doing it. Anybody may ask, also as nobody.
    /// @dev The same code runs in a call that always reverts, so the answer is the truth and has no effect.
    function preview(SignedOrder[] calldata, SignedSwap[] calldata, Trade[] calldata)
        external
        returns (Outcome[] memory)
    {
        (, bytes memory told) = address(this).call(bytes.concat(this.rehearse.selector, msg.data[4:]));
        bool rehearsed = bytes4(told) == Rehearsed.selector;
        assembly ("memory-safe") {
            if rehearsed { return(add(told, 36), sub(mload(told), 4)) }
            revert(add(told, 32), mload(told))
        }
    }

    function rehearse(SignedOrder[] calldata orders, SignedSwap[] calldata swaps, Trade[] calldata trades)
        external
        onlySelf
    {
        revert Rehearsed(_settle(orders, swaps, trades));
    }

    function deliver(Trade calldata trade, Intent calldata buy, Intent calldata sell) external onlySelf {
        _deliver(trade, buy, sell);
    }

    function _settle(SignedOrder[] calldata orders, SignedSwap[] calldata swaps, Trade[] calldata trades)
        private
        returns (Outcome[] memory outcomes)
    {
        Intent[] memory intents = _readAll(orders, swaps);
        outcomes = new Outcome[](trades.length);
        for (uint256 i = 0; i < trades.length; ++i) {
            outcomes[i] = _try(trades[i], intents);
        }
    }

    function _try(Trade calldata trade, Intent[] memory intents) private returns (Outcome memory outcome) {
        if (settled[trade.tradeId]) {
            emit TradeAlreadySettled(trade.tradeId);
            outcome.result = Result.AlreadySettled;
            return outcome;
        }
        outcome.reason = _problem(trade, intents);
        if (outcome.reason.length == 0) {
            bool done;
            (done, outcome.reason) = _tryDeliver(trade, intents[trade.buyIndex], intents[trade.sellIndex]);
            if (done) return outcome;
        }
        outcome.result = Result.Failed;
        emit TradeFailed(trade.tradeId, outcome.reason);
    }

    /// @dev Why a trade cannot be tried; empty when it can.
    function _problem(Trade calldata trade, Intent[] memory intents) private pure returns (bytes memory) {
        uint256 last = trade.buyIndex > trade.sellIndex ? trade.buyIndex : trade.sellIndex;
        if (last >= intents.length) return abi.encodeWithSelector(NoSuchIntent.selector, last);
        Intent memory intent = intents[trade.buyIndex];
        if (intent.problem == 0) intent = intents[trade.sellIndex];
        return intent.problem == 0 ? bytes("") : abi.encodeWithSelector(intent.problem, intent.digest);
    }

    function _tryDeliver(Trade calldata trade, Intent memory buy, Intent memory sell)
        private
        returns (bool, bytes memory)
    {
        if (gasleft() < GAS_TO_TRY) revert Consent.NotEnoughGas();
        try this.deliver{gas: TRADE_GAS}(trade, buy, sell) {
            return (true, "");
        } catch {
            return (false, _returned());
        }
    }

    /// @dev What the last call returned, as far as it may be kept.
    function _returned() private pure returns (bytes memory reason) {
        uint256 size;
        assembly ("memory-safe") {
            size := returndatasize()
        }
        reason = new bytes(size < MAX_REASON_BYTES ? size : MAX_REASON_BYTES);
        assembly ("memory-safe") {
            returndatacopy(add(reason, 32), 0, mload(reason))
        }
    }
}
