// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Who has signed, asked so that no answer can hurt the others in the same transaction
/// @dev A wallet gets so much gas and not more, and of its answer one word is looked at. Too little gas for the
///      question undoes the whole transaction: it must never look like a wallet's refusal.
library Consent {
    /// What a wallet of many owners needs: each costs about 7,000.
    uint256 internal constant WALLET_GAS = 250_000;
    /// Of what is left, a call gets 63 of 64 parts at most (EIP-150); beside it stand its own costs.
    uint256 private constant GAS_TO_ASK = WALLET_GAS * 64 / 63 + 20_000;

    error NotEnoughGas();

    /// @notice Whether the key of an account has signed: 65 bytes, low s, v 27 or 28.
    function byKey(address signer, bytes32 digest, bytes calldata signature) internal pure returns (bool) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature);
        return failure == ECDSA.RecoverError.NoError && recovered == signer;
    }

    /// @notice Whether an account that is a contract agrees (ERC-1271), now.
    function byWallet(address wallet, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (bool agreed)
    {
        if (gasleft() < GAS_TO_ASK) revert NotEnoughGas();
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        uint256 granted = WALLET_GAS;
        bytes32 answer;
        assembly ("memory-safe") {
            let done := staticcall(granted, wallet, add(question, 32), mload(question), 0, 32)
            if and(done, gt(returndatasize(), 31)) { answer := mload(0) }
        }
        return answer == bytes32(IERC1271.isValidSignature.selector);
    }
}
