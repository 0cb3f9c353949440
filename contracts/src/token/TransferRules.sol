// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {IIdentityRegistry, Identity} from "../interfaces/IIdentityRegistry.sol";
import {IIssuedToken} from "../interfaces/IIssuedToken.sol";
import {IVault} from "../interfaces/IVault.sol";
import {Restriction} from "./Restriction.sol";

/// @title What stops a transfer
/// @notice Every transfer asks about both parties, the sender included: an expired KYC stops selling too,
///         which ERC-3643 leaves out. The vault is no holder; it stands for the accounts it keeps tokens for.
/// @dev Checks come in one order, the same the platform uses before it sends anything: paused, sender
///      frozen, receiver frozen, balance, sender's KYC, receiver's KYC.
abstract contract TransferRules is IIssuedToken, Pausable {
    IIdentityRegistry public immutable registry;
    /// @inheritdoc IIssuedToken
    IVault public immutable vault;

    error ZeroAddress();
    error VaultIsNoHolder();

    constructor(IIdentityRegistry registry_, IVault vault_) {
        if (address(registry_) == address(0) || address(vault_) == address(0)) revert ZeroAddress();
        registry = registry_;
        vault = vault_;
    }

    /// @param permitted How much of the sender's tokens is free to move.
    function _restriction(address from, address to, uint256 amount, uint256 permitted)
        internal
        view
        returns (uint8)
    {
        if (paused()) return Restriction.PAUSED;
        Identity memory sender = _identityOf(from);
        if (sender.frozen) return Restriction.SENDER_FROZEN;
        Identity memory receiver = _identityOf(to);
        if (receiver.frozen) return Restriction.RECEIVER_FROZEN;
        if (amount > permitted) return Restriction.BALANCE;
        uint8 kyc = _kycRestriction(sender);
        return kyc == Restriction.NONE ? _kycRestriction(receiver) : kyc;
    }

    function _kycRestriction(Identity memory identity) private view returns (uint8) {
        if (!identity.verified) return Restriction.KYC_MISSING;
        return block.timestamp < identity.expiry ? Restriction.NONE : Restriction.KYC_EXPIRED;
    }

    /// @dev The vault passes every check on a party: the accounts behind it are checked in its place.
    function _identityOf(address account) private view returns (Identity memory) {
        if (account != address(vault)) return registry.identityOf(account);
        return Identity({
            verified: true,
            jurisdiction: 0,
            accreditation: 0,
            expiry: type(uint64).max,
            frozen: false
        });
    }

    function _mayHold(address account) internal view returns (bool) {
        Identity memory identity = _identityOf(account);
        return !identity.frozen && _kycRestriction(identity) == Restriction.NONE;
    }

    function _requireHolder(address account) internal view {
        if (account == address(vault)) revert VaultIsNoHolder();
    }
}
