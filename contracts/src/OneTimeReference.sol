// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

/// @title References that work once
/// @notice The platform may send the same request twice; its reference makes the second one fail instead
///         of doing the deed again.
abstract contract OneTimeReference {
    mapping(bytes32 oneTimeReference => bool) public usedReference;

    error ReferenceAlreadyUsed(bytes32 oneTimeReference);

    function _useReference(bytes32 oneTimeReference) internal {
        if (usedReference[oneTimeReference]) revert ReferenceAlreadyUsed(oneTimeReference);
        usedReference[oneTimeReference] = true;
    }
}
