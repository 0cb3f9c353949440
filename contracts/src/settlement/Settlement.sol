// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IIdentityRegistry} from "../interfaces/IIdentityRegistry.sol";
import {Batches} from "./Batches.sol";
import {Custody} from "./Custody.sol";
import {Trades} from "./Trades.sol";

/// @title The venue on chain
/// @notice The vault under the name that accounts sign for: its address and chain are the EIP-712 domain of
///         every signed order, deposit and withdrawal, and ERC-5267 tells wallets that domain.
contract Settlement is Batches {
    constructor(
        IIdentityRegistry registry_,
        address admin,
        address lister,
        address enforcer,
        address operator,
        address feeAccount_
    ) Custody(registry_) Trades(feeAccount_) {
        _grant(DEFAULT_ADMIN_ROLE, admin);
        _grant(LISTER_ROLE, lister);
        _grant(ENFORCER_ROLE, enforcer);
        _grant(OPERATOR_ROLE, operator);
    }

    /// @dev A role given to nobody could be lost unnoticed.
    function _grant(bytes32 role, address holder) private {
        if (holder == address(0)) revert ZeroAddress();
        _grantRole(role, holder);
    }
}
