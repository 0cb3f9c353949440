// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Vault} from "./Vault.sol";

/// @title The venue on chain
/// @notice The vault under the name that accounts sign for: its address and chain are the EIP-712 domain of
///         every signed order, deposit and withdrawal, and ERC-5267 tells wallets that domain.
contract Settlement is Vault, EIP712 {
    error ZeroAddress();

    constructor(address admin, address lister, address enforcer) EIP712("Deedbook", "1") {
        if (admin == address(0) || lister == address(0) || enforcer == address(0)) revert ZeroAddress();
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(LISTER_ROLE, lister);
        _grantRole(ENFORCER_ROLE, enforcer);
    }
}
