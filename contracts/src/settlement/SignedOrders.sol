// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {SignedActions} from "./SignedActions.sol";

/// @notice A request to trade, as the trader's wallet showed it.
/// @dev `postOnly`, `selfTrade`, `timeInForce` and `stopPrice` are for the matcher; this contract holds the matcher
///      to the rest.
struct Order {
    address trader;
    string tradingPairId;
    string side;
    string orderType;
    string timeInForce;
    bool postOnly;
    string selfTrade;
    string quantity;
    string price;
    string stopPrice;
    uint32 maxFeeBps;
    string clientOrderId;
    string nonce;
    /// Unix seconds; matches hold up to this instant and at it.
    uint256 expiry;
}

/// @notice A request to convert one token of a pair into the other: `side` BUY gives quote for base.
struct Swap {
    address trader;
    string tradingPairId;
    string side;
    string amountIn;
    string minAmountOut;
    uint32 maxFeeBps;
    string nonce;
    uint256 expiry;
}

struct SignedOrder {
    Order order;
    /// May be left empty for an account without code once something of the order has been settled.
    bytes signature;
}

struct SignedSwap {
    Swap swap;
    bytes signature;
}

/// @title What traders sign
/// @dev The hash is taken over an array of words: with so many fields an encoding would not fit on the stack.
abstract contract SignedOrders is SignedActions {
    bytes32 private constant ORDER_TYPE = keccak256(
        "Order(address trader,string tradingPairId,string side,string orderType,string timeInForce,"
        "bool postOnly,string selfTrade,string quantity,string price,string stopPrice,uint32 maxFeeBps,"
        "string clientOrderId,string nonce,uint256 expiry)"
    );
    bytes32 private constant SWAP_TYPE = keccak256(
        "Swap(address trader,string tradingPairId,string side,string amountIn,string minAmountOut,"
        "uint32 maxFeeBps,string nonce,uint256 expiry)"
    );

    function hashOrder(Order calldata order) public view returns (bytes32) {
        bytes32[15] memory words;
        words[0] = ORDER_TYPE;
        words[1] = bytes32(uint256(uint160(order.trader)));
        words[2] = _hash(order.tradingPairId);
        words[3] = _hash(order.side);
        words[4] = _hash(order.orderType);
        words[5] = _hash(order.timeInForce);
        words[6] = bytes32(uint256(order.postOnly ? 1 : 0));
        words[7] = _hash(order.selfTrade);
        words[8] = _hash(order.quantity);
        words[9] = _hash(order.price);
        words[10] = _hash(order.stopPrice);
        words[11] = bytes32(uint256(order.maxFeeBps));
        words[12] = _hash(order.clientOrderId);
        words[13] = _hash(order.nonce);
        words[14] = bytes32(order.expiry);
        return _hashTypedDataV4(keccak256(abi.encodePacked(words)));
    }

    function hashSwap(Swap calldata swap) public view returns (bytes32) {
        bytes32[9] memory words;
        words[0] = SWAP_TYPE;
        words[1] = bytes32(uint256(uint160(swap.trader)));
        words[2] = _hash(swap.tradingPairId);
        words[3] = _hash(swap.side);
        words[4] = _hash(swap.amountIn);
        words[5] = _hash(swap.minAmountOut);
        words[6] = bytes32(uint256(swap.maxFeeBps));
        words[7] = _hash(swap.nonce);
        words[8] = bytes32(swap.expiry);
        return _hashTypedDataV4(keccak256(abi.encodePacked(words)));
    }

    function _hash(string calldata text) internal pure returns (bytes32) {
        return keccak256(bytes(text));
    }
}
