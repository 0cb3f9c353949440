// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

/// @title Why a transfer would be refused, as a number and as a sentence (the shape of ERC-1404)
interface IERC1404 {
    /// @return The reason number; 0 when the transfer is allowed.
    function detectTransferRestriction(address from, address to, uint256 amount)
        external
        view
        returns (uint8);

    function messageForTransferRestriction(uint8 restriction) external view returns (string memory);
}
