// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @notice A request to take tokens from the trader's wallet into the vault.
struct Deposit {
    address trader;
    address token;
    string amount;
    string nonce;
    /// Unix seconds; the request holds up to this instant and at it.
    uint256 expiry;
}

/// @notice A request to pay out of the vault to an address outside.
struct Withdrawal {
    address trader;
    address token;
    string amount;
    address destination;
    string nonce;
    uint256 expiry;
}

/// @notice A request to move a vault balance to another account.
struct Transfer {
    address from;
    address token;
    string amount;
    address to;
    string nonce;
    uint256 expiry;
}

/// @title What accounts sign
/// @notice Readable requests under EIP-712, whose domain is this contract on this chain. Each works once: its
///         digest is remembered, never its signature, of which there can be many.
/// @dev Keys sign with 65 bytes, low s, v 27 or 28; where no key did, a contract wallet is asked by ERC-1271.
abstract contract SignedActions is EIP712 {
    bytes32 private constant DEPOSIT_TYPE =
        keccak256("Deposit(address trader,address token,string amount,string nonce,uint256 expiry)");
    bytes32 private constant WITHDRAWAL_TYPE = keccak256(
        "Withdrawal(address trader,address token,string amount,address destination,string nonce,uint256 expiry)"
    );
    bytes32 private constant TRANSFER_TYPE =
        keccak256("Transfer(address from,address token,string amount,address to,string nonce,uint256 expiry)");

    mapping(bytes32 digest => bool) public usedDigest;

    error ActionExpired(uint256 expiry, uint256 timestamp);
    error DigestAlreadyUsed(bytes32 digest);
    error InvalidSignature(address signer, bytes32 digest);

    constructor() EIP712("Deedbook", "1") {}

    function hashDeposit(Deposit calldata action) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    DEPOSIT_TYPE,
                    action.trader,
                    action.token,
                    keccak256(bytes(action.amount)),
                    keccak256(bytes(action.nonce)),
                    action.expiry
                )
            )
        );
    }

    function hashWithdrawal(Withdrawal calldata action) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    WITHDRAWAL_TYPE,
                    action.trader,
                    action.token,
                    keccak256(bytes(action.amount)),
                    action.destination,
                    keccak256(bytes(action.nonce)),
                    action.expiry
                )
            )
        );
    }

    function hashTransfer(Transfer calldata action) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    TRANSFER_TYPE,
                    action.from,
                    action.token,
                    keccak256(bytes(action.amount)),
                    action.to,
                    keccak256(bytes(action.nonce)),
                    action.expiry
                )
            )
        );
    }

    /// @dev Takes the one use of a digest. Asking a contract wallet is a static call: it cannot call back.
    function _useSigned(address signer, bytes32 digest, uint256 expiry, bytes calldata signature) internal {
        if (block.timestamp > expiry) revert ActionExpired(expiry, block.timestamp);
        if (usedDigest[digest]) revert DigestAlreadyUsed(digest);
        if (!_isSignedBy(signer, digest, signature)) revert InvalidSignature(signer, digest);
        usedDigest[digest] = true;
    }

    function _isSignedBy(address signer, bytes32 digest, bytes calldata signature) private view returns (bool) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == signer) return true;
        return signer.code.length > 0
            && SignatureChecker.isValidERC1271SignatureNow(signer, digest, signature);
    }
}
