// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

enum Consent {
    /// Says yes to what its owner signed, no to all else.
    Owner,
    Always,
    Never,
    Reverts,
    /// Answers the right four bytes and nothing more.
    Short,
    /// Answers far more than anybody asked for.
    Huge,
    /// Never comes back.
    Endless
}

/// @title A wallet that is a contract
/// @dev For tests: it consents (ERC-1271) as its owner does, or as badly as it is told to.
contract ContractWallet is IERC1271 {
    address public immutable owner;
    Consent public consent;

    error NoConsent();

    constructor(address owner_) {
        owner = owner_;
    }

    function answerWith(Consent consent_) external {
        consent = consent_;
    }

    function execute(address target, bytes calldata data) external {
        (bool done, bytes memory reason) = target.call(data);
        if (done) return;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (consent == Consent.Owner) return _asOwner(hash, signature);
        if (consent == Consent.Always) return IERC1271.isValidSignature.selector;
        if (consent == Consent.Never) return 0xffffffff;
        if (consent == Consent.Reverts) revert NoConsent();
        bytes32 yes = bytes32(IERC1271.isValidSignature.selector);
        uint256 length = consent == Consent.Short ? 4 : 1_000_000;
        while (consent == Consent.Endless) {}
        assembly ("memory-safe") {
            mstore(0, yes)
            return(0, length)
        }
    }

    function _asOwner(bytes32 hash, bytes calldata signature) private view returns (bytes4) {
        (address signer, ECDSA.RecoverError error,) = ECDSA.tryRecover(hash, signature);
        bool valid = error == ECDSA.RecoverError.NoError && signer == owner;
        return valid ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
