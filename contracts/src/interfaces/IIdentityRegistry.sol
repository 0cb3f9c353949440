// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

/// @notice What the chain knows about an account. It fits one storage slot, so a check costs one read.
struct Identity {
    bool verified;
    /// ISO 3166-1 alpha-2, as two ASCII bytes; kept for the platform's rules, not enforced on chain.
    bytes2 jurisdiction;
    /// The platform's accreditation class; kept for the platform's rules, not enforced on chain.
    uint8 accreditation;
    /// Unix seconds; the identity holds before this instant, no longer at it.
    uint64 expiry;
    bool frozen;
}

/// @title Who may hold, as far as the chain enforces it
interface IIdentityRegistry {
    function identityOf(address account) external view returns (Identity memory);

    /// @return Whether the account was verified and its identity has not expired.
    function isVerified(address account) external view returns (bool);

    function isFrozen(address account) external view returns (bool);
}
