// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

/// @title The vault as an issued token sees it
interface IVault {
    /// @return What the vault keeps of `token` for `account`.
    function balanceOf(address account, address token) external view returns (uint256);

    /// @notice Book tokens the caller has just minted into the vault.
    /// @dev The caller is the token itself; only issued tokens are heard.
    function creditMint(address account, uint256 amount, bytes32 mintReference) external;

    /// @notice Take from an account's balance what the caller has just burned of the vault's tokens.
    /// @dev The caller is the token itself; only issued tokens are heard.
    function debitBurn(address account, uint256 amount, bytes32 burnReference) external;

    /// @notice Move everything the vault keeps of the calling token from one account to another.
    /// @return amount What was moved; zero when there was nothing.
    function recoverBalance(address from, address to) external returns (uint256 amount);
}
