// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IERC7943Fungible} from "../interfaces/IERC7943Fungible.sol";

/// @title The frozen part of a holder's position
/// @notice A holder's position is the wallet and the vault balance together. The frozen part lies on the
///         wallet first, as ERC-7943 demands of `canTransfer`; what the wallet does not cover lies on the
///         vault balance. So no shuffling between the two frees a frozen token.
abstract contract PartialFreeze is IERC7943Fungible {
    mapping(address account => uint256) private _frozen;

    /// @inheritdoc IERC7943Fungible
    function getFrozenTokens(address account) public view returns (uint256) {
        return _frozen[account];
    }

    function _setFrozen(address account, uint256 amount) internal {
        _frozen[account] = amount;
        emit Frozen(account, amount);
    }

    /// @dev Before force takes `amount` where only `unfrozen` is free: unfreeze the difference. The caller
    ///      has made sure that the amount is there, so the difference never exceeds the frozen part.
    function _unfreezeForced(address account, uint256 amount, uint256 unfrozen) internal {
        if (amount > unfrozen) _setFrozen(account, _frozen[account] - (amount - unfrozen));
    }

    /// @dev The frozen part follows its owner to a new wallet, on top of what is frozen there. Saturating:
    ///      "everything, for ever" is frozen as the largest number, and must not make recovery impossible.
    function _carryFrozen(address from, address to) internal {
        uint256 frozen = _frozen[from];
        if (frozen == 0) return;
        _setFrozen(from, 0);
        _setFrozen(to, Math.saturatingAdd(_frozen[to], frozen));
    }

    function _walletUnfrozen(address account, uint256 wallet) internal view returns (uint256) {
        return Math.saturatingSub(wallet, _frozen[account]);
    }

    function _vaultUnfrozen(address account, uint256 wallet, uint256 vaulted)
        internal
        view
        returns (uint256)
    {
        return Math.saturatingSub(vaulted, Math.saturatingSub(_frozen[account], wallet));
    }
}
