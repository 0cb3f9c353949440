// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Intent, Intents} from "./Intents.sol";

/// @title How far each signed order and swap has been carried out
/// @notice Never beyond the signed amount, never for a fee above the signed share of all that was received, and
///         for a swap never at a worse rate than it asked for, all taken together.
abstract contract Fills is Intents {
    uint256 internal constant BPS = 10_000;

    /// @dev `feeRoom` is the signed share of all that was received less the fees taken, in ten-thousandths of a
    ///      unit: that one number is all that a cap over many trades needs. Fees round up once, so it may fall
    ///      below zero, but by less than a unit. What exceeds the type is forgotten, in the trader's favour.
    struct Fill {
        uint128 filled;
        int128 feeRoom;
    }

    mapping(bytes32 digest => Fill) private _fills;
    mapping(bytes32 digest => uint256) private _received;

    error Overfilled(bytes32 digest, uint256 signed, uint256 wanted);
    error FeeAboveCap(bytes32 digest, uint256 fee, uint256 cap);
    error RateWorseThanSigned(bytes32 digest);

    function filled(bytes32 digest) public view override returns (uint256) {
        return _fills[digest].filled;
    }

    /// @dev A fee that is too high for the trade alone is refused. What is right for it and yet, by its rounding,
    ///      a unit too high for the order as a whole is not taken: that happens when an earlier trade has failed.
    /// @return taken The fee on `received` that is within what was signed.
    function _takeFee(Intent calldata intent, uint256 received, uint256 fee)
        internal
        returns (uint256 taken)
    {
        uint256 share = received * intent.maxFeeBps;
        uint256 cap = (share + BPS - 1) / BPS;
        if (fee > cap) revert FeeAboveCap(intent.digest, fee, cap);
        Fill storage fill = _fills[intent.digest];
        int256 room = fill.feeRoom + int256(share);
        uint256 allowed = uint256(room + int256(BPS) - 1) / BPS;
        taken = fee < allowed ? fee : allowed;
        room -= int256(taken * BPS);
        fill.feeRoom = int128(room < type(int128).max ? room : type(int128).max);
    }

    /// @param amount What this trade uses of the signed amount.
    /// @param received What the trader has of it in the end.
    function _fill(Intent calldata intent, uint256 amount, uint256 received) internal {
        Fill storage fill = _fills[intent.digest];
        uint256 wanted = fill.filled + amount;
        if (wanted > intent.amount) revert Overfilled(intent.digest, intent.amount, wanted);
        // Amounts are at most 10^38 (Decimals), which is below 2^127.
        fill.filled = uint128(wanted);
        if (!intent.swaps) return;
        received += _received[intent.digest];
        _received[intent.digest] = received;
        if (received * intent.amount < intent.least * wanted) revert RateWorseThanSigned(intent.digest);
    }
}
