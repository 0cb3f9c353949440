// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Decimals} from "../settlement/Decimals.sol";

/// @title The reading of amounts, to ask
/// @dev For tests: the library itself has no address.
contract DecimalsReader {
    using Decimals for string;

    function toUnits(string calldata amount, uint8 decimals) external pure returns (uint256) {
        return amount.toUnits(decimals);
    }
}
