// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IVault} from "../interfaces/IVault.sol";

/// @title An issued token that turns bad
/// @dev For tests: it credits itself in the middle of a deposit, and without any mint, and burns more of the
///      vault's tokens than it says.
contract ReentrantToken is ERC20 {
    IVault public immutable vault;

    constructor(IVault vault_, address holder, uint256 supply) ERC20("Reentrant", "RE") {
        vault = vault_;
        _mint(holder, supply);
    }

    function creditFromNothing(address account, uint256 amount) external {
        vault.creditMint(account, amount, 0);
    }

    function burnMoreThanSaid(address account, uint256 amount) external {
        _burn(address(vault), amount + 1);
        vault.debitBurn(account, amount, 0);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (to == address(vault)) vault.creditMint(from, amount, 0);
    }
}
