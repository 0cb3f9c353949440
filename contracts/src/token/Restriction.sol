// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

/// @title The reason numbers that the chain enforces
/// @dev Off the chain the platform uses the same numbers, and more of them. Never reuse a number.
library Restriction {
    uint8 internal constant NONE = 0;
    uint8 internal constant PAUSED = 1;
    uint8 internal constant SENDER_FROZEN = 2;
    uint8 internal constant RECEIVER_FROZEN = 3;
    uint8 internal constant BALANCE = 4;
    uint8 internal constant KYC_MISSING = 10;
    uint8 internal constant KYC_EXPIRED = 11;

    function message(uint8 restriction) internal pure returns (string memory) {
        if (restriction == NONE) return "allowed";
        if (restriction == PAUSED) return "token paused";
        if (restriction == SENDER_FROZEN) return "sender frozen";
        if (restriction == RECEIVER_FROZEN) return "receiver frozen";
        if (restriction == BALANCE) return "insufficient unfrozen balance";
        if (restriction == KYC_MISSING) return "KYC missing";
        if (restriction == KYC_EXPIRED) return "KYC expired";
        return "not enforced on chain";
    }
}
