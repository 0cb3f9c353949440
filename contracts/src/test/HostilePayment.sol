// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A payment token that turns bad when the vault pays out
/// @dev For tests: it calls the vault back in the middle, or takes more from it than was sent.
contract HostilePayment is ERC20 {
    address private immutable _vault;
    bytes private _callback;
    uint256 private _surcharge;

    constructor(address vault, address holder, uint256 supply) ERC20("Hostile", "BAD") {
        _vault = vault;
        _mint(holder, supply);
    }

    function callBackWith(bytes calldata callback) external {
        _callback = callback;
    }

    function takeMore(uint256 surcharge) external {
        _surcharge = surcharge;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != _vault) return;
        if (_surcharge > 0) super._update(from, address(0), _surcharge);
        if (_callback.length > 0) _callBack();
    }

    function _callBack() private {
        (bool done, bytes memory reason) = _vault.call(_callback);
        if (done) return;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
