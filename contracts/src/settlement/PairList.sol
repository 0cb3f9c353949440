// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Listing, TokenList} from "./TokenList.sol";

/// @notice From what fees are taken: from what each side receives, or from the quote token on both sides.
enum FeeMode {
    Unlisted,
    Received,
    Quote
}

/// @notice What the symbol in a signed text stands for. The decimals are those of the tokens' listings.
struct Pair {
    address base;
    uint8 baseDecimals;
    FeeMode feeMode;
    address quote;
    uint8 quoteDecimals;
}

/// @title The pairs that can be traded
/// @notice People sign a pair's symbol, so what it means is written once and never again.
abstract contract PairList is TokenList {
    /// @dev So fine are prices, and then amounts of both tokens compare exactly within 256 bits.
    uint8 internal constant MAX_DECIMALS = 18;

    mapping(bytes32 key => Pair) internal _pairs;

    event PairListed(
        bytes32 indexed key, string symbol, address indexed base, address indexed quote, FeeMode feeMode
    );

    error PairAlreadyListed(string symbol);
    error SymbolRequired();
    error FeeModeRequired();
    error TokensNotDistinct(address token);
    error TooManyDecimals(address token);

    /// @return What a symbol stands for; its fee mode is `Unlisted` when that is nothing.
    function pairOf(string calldata symbol) external view returns (Pair memory) {
        return _pairs[keccak256(bytes(symbol))];
    }

    /// @dev A pair is for ever, as are the listings of its tokens: texts that name it may be signed any day.
    function listPair(string calldata symbol, address base, address quote, FeeMode feeMode)
        external
        onlyRole(LISTER_ROLE)
    {
        if (bytes(symbol).length == 0) revert SymbolRequired();
        if (feeMode == FeeMode.Unlisted) revert FeeModeRequired();
        if (base == quote) revert TokensNotDistinct(base);
        bytes32 key = keccak256(bytes(symbol));
        if (_pairs[key].feeMode != FeeMode.Unlisted) revert PairAlreadyListed(symbol);
        _pairs[key] = Pair(base, _decimalsInPair(base), feeMode, quote, _decimalsInPair(quote));
        emit PairListed(key, symbol, base, quote, feeMode);
    }

    function _decimalsInPair(address token) private view onlyListed(token) returns (uint8 decimals) {
        decimals = decimalsOf(token);
        if (decimals > MAX_DECIMALS) revert TooManyDecimals(token);
    }
}
