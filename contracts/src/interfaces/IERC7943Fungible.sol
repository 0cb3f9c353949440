// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title ERC-7943 (final) for ERC-20 tokens; its interface id is 0x3edbb4c4
/// @dev Written from the standard's text. Earlier drafts had `canTransact`; the final one asks both ways.
interface IERC7943Fungible is IERC165 {
    event ForcedTransfer(address indexed from, address indexed to, uint256 amount);

    /// @param amount The frozen amount after the change, not the difference.
    event Frozen(address indexed account, uint256 amount);

    error ERC7943CannotSend(address account);
    error ERC7943CannotReceive(address account);
    error ERC7943CannotTransfer(address from, address to, uint256 amount);
    error ERC7943InsufficientUnfrozenBalance(address account, uint256 amount, uint256 unfrozen);

    function forcedTransfer(address from, address to, uint256 amount) external returns (bool result);

    /// @dev Sets, never adds; may exceed the balance, so that tokens still to come are withheld too.
    function setFrozenTokens(address account, uint256 amount) external returns (bool result);

    function canSend(address account) external view returns (bool allowed);

    function canReceive(address account) external view returns (bool allowed);

    function getFrozenTokens(address account) external view returns (uint256 amount);

    /// @dev Judges permission only: a balance too small is ERC-20's refusal, not the rules'.
    function canTransfer(address from, address to, uint256 amount) external view returns (bool allowed);
}
