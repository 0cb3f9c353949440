// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IIdentityRegistry, Identity} from "../interfaces/IIdentityRegistry.sol";

/// @notice One account's identity as the compliance agent writes it. Freezing is a separate act: a renewed
///         KYC must never thaw an account by the way.
struct IdentityUpdate {
    address account;
    bool verified;
    bytes2 jurisdiction;
    uint8 accreditation;
    uint64 expiry;
}

/// @title The register of identities, one per platform
/// @notice Written by the compliance agent, read by every token. Writing the same thing twice is harmless.
contract IdentityRegistry is IIdentityRegistry, AccessControl {
    bytes32 public constant AGENT_ROLE = keccak256("AGENT_ROLE");

    mapping(address account => Identity) private _identities;

    event IdentitySet(
        address indexed account, bool verified, bytes2 jurisdiction, uint8 accreditation, uint64 expiry
    );
    event AccountFrozen(address indexed account, bool frozen);

    error ZeroAddress();

    constructor(address admin, address agent) {
        if (admin == address(0) || agent == address(0)) revert ZeroAddress();
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(AGENT_ROLE, agent);
    }

    function setIdentity(IdentityUpdate calldata update) external onlyRole(AGENT_ROLE) {
        _setIdentity(update);
    }

    function setIdentities(IdentityUpdate[] calldata updates) external onlyRole(AGENT_ROLE) {
        for (uint256 i = 0; i < updates.length; ++i) {
            _setIdentity(updates[i]);
        }
    }

    function setFrozen(address account, bool frozen) external onlyRole(AGENT_ROLE) {
        _setFrozen(account, frozen);
    }

    function setFrozenBatch(address[] calldata accounts, bool frozen) external onlyRole(AGENT_ROLE) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            _setFrozen(accounts[i], frozen);
        }
    }

    /// @inheritdoc IIdentityRegistry
    function identityOf(address account) external view returns (Identity memory) {
        return _identities[account];
    }

    /// @inheritdoc IIdentityRegistry
    function isVerified(address account) external view returns (bool) {
        Identity storage identity = _identities[account];
        return identity.verified && block.timestamp < identity.expiry;
    }

    /// @inheritdoc IIdentityRegistry
    function isFrozen(address account) external view returns (bool) {
        return _identities[account].frozen;
    }

    /// @dev The zero address stays unverified for ever: tokens rely on it when they refuse a receiver.
    function _setIdentity(IdentityUpdate calldata update) private {
        if (update.account == address(0)) revert ZeroAddress();
        Identity storage identity = _identities[update.account];
        identity.verified = update.verified;
        identity.jurisdiction = update.jurisdiction;
        identity.accreditation = update.accreditation;
        identity.expiry = update.expiry;
        emit IdentitySet(
            update.account, update.verified, update.jurisdiction, update.accreditation, update.expiry
        );
    }

    function _setFrozen(address account, bool frozen) private {
        _identities[account].frozen = frozen;
        emit AccountFrozen(account, frozen);
    }
}
