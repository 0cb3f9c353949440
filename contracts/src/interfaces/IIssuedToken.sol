// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IVault} from "./IVault.sol";

/// @title A token issued by the platform, as the vault sees it
interface IIssuedToken {
    /// @return The one vault whose holdings this token regards as its holders' own.
    function vault() external view returns (IVault);

    /// @notice The reason number for moving `amount` of `from`'s vault balance to `to`; 0 when allowed.
    /// @dev The part of `from`'s frozen tokens that the wallet does not cover binds the vault balance.
    function detectVaultRestriction(address from, address to, uint256 amount) external view returns (uint8);

    /// @notice Told by the vault before it moves `amount` of `from`'s balance by force.
    /// @dev Unfreezes what the move takes of the frozen part, and refuses a receiver who may not hold.
    function beforeForcedVaultMove(address from, address to, uint256 amount) external;
}
