// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title Play money that stands for USDC on local chains
/// @dev Never list it where real money is traded: its owner mints at will.
contract TestDollar is ERC20, ERC20Permit, Ownable {
    constructor(address owner) ERC20("Test Dollar", "USDC") ERC20Permit("Test Dollar") Ownable(owner) {}

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address account, uint256 amount) external onlyOwner {
        _mint(account, amount);
    }
}
