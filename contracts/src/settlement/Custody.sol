// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IIdentityRegistry} from "../interfaces/IIdentityRegistry.sol";
import {IIssuedToken} from "../interfaces/IIssuedToken.sol";
import {Restriction} from "../token/Restriction.sol";
import {Decimals} from "./Decimals.sol";
import {Deposit, SignedActions, Transfer, Withdrawal} from "./SignedActions.sol";
import {Listing} from "./TokenList.sol";
import {Vault} from "./Vault.sol";

/// @title Balances moved by their owners' signatures
/// @notice The operator decides when a signed request is carried out, or never; it cannot make one. Every move
///         is judged first: an issued token by the token's own rules for both parties, any other by the freezes
///         of the identity registry.
abstract contract Custody is Vault, SignedActions {
    using SafeERC20 for IERC20;
    using Decimals for string;

    bytes32 public constant OPERATOR_ROLE = keccak256("OPERATOR_ROLE");

    IIdentityRegistry public immutable registry;

    event DepositRelayed(
        bytes32 indexed digest, address indexed token, address indexed account, uint256 amount
    );
    event Withdrawn(
        bytes32 indexed withdrawalReference,
        address indexed token,
        address indexed account,
        address destination,
        uint256 amount
    );
    event Transferred(
        bytes32 indexed transferReference,
        address indexed token,
        address indexed from,
        address to,
        uint256 amount
    );

    error ZeroAddress();
    error ZeroAmount();
    error SameAccount(address account);
    error ReceiverNotAllowed(address receiver);
    error Restricted(uint8 reason);

    constructor(IIdentityRegistry registry_) {
        if (address(registry_) == address(0)) revert ZeroAddress();
        registry = registry_;
    }

    /// @notice Carry out a deposit that the trader signed and approved. Anybody may bring it.
    function depositFor(Deposit calldata action, bytes calldata signature) external nonReentrant {
        _depositFor(action, signature);
    }

    /// @notice As `depositFor`, with the trader's approval (ERC-2612) in the same transaction.
    /// @dev Anybody can use up a permit that they see coming. The allowance is there then, so its failure stops
    ///      nothing here; where there is none, the pull fails.
    function depositWithPermit(
        Deposit calldata action,
        bytes calldata signature,
        uint256 permitValue,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant onlyListed(action.token) {
        try IERC20Permit(action.token).permit(
            action.trader, address(this), permitValue, deadline, v, r, s
        ) {} catch {}
        _depositFor(action, signature);
    }

    /// @notice Pay out what the trader signed for, once.
    function withdraw(Withdrawal calldata action, bytes calldata signature, bytes32 withdrawalReference)
        external
        nonReentrant
        onlyRole(OPERATOR_ROLE)
        onlyListed(action.token)
    {
        _useSigned(action.trader, hashWithdrawal(action), action.expiry, signature);
        _useReference(withdrawalReference);
        uint256 amount = _checkedMove(action.token, action.trader, action.destination, action.amount);
        _debit(action.token, action.trader, amount);
        emit Withdrawn(withdrawalReference, action.token, action.trader, action.destination, amount);
        IERC20(action.token).safeTransfer(action.destination, amount);
        _requireCovered(action.token);
    }

    /// @notice Move a vault balance to the account its owner signed for, once.
    function transfer(Transfer calldata action, bytes calldata signature, bytes32 transferReference)
        external
        nonReentrant
        onlyRole(OPERATOR_ROLE)
        onlyListed(action.token)
    {
        if (action.from == action.to) revert SameAccount(action.from);
        _useSigned(action.from, hashTransfer(action), action.expiry, signature);
        _useReference(transferReference);
        uint256 amount = _checkedMove(action.token, action.from, action.to, action.amount);
        _move(action.token, action.from, action.to, amount);
        emit Transferred(transferReference, action.token, action.from, action.to, amount);
    }

    function _depositFor(Deposit calldata action, bytes calldata signature) private onlyListed(action.token) {
        bytes32 digest = hashDeposit(action);
        _useSigned(action.trader, digest, action.expiry, signature);
        uint256 amount = _units(action.token, action.amount);
        uint256 received = _deposit(action.token, action.trader, amount);
        emit DepositRelayed(digest, action.token, action.trader, received);
    }

    /// @dev The amount in base units, when `from` has it and may give it to `to`.
    function _checkedMove(address token, address from, address to, string calldata text)
        private
        view
        returns (uint256 amount)
    {
        if (to == address(0) || to == address(this) || to == token) revert ReceiverNotAllowed(to);
        amount = _units(token, text);
        _requireBalance(token, from, amount);
        uint8 reason = _restriction(token, from, to, amount);
        if (reason != Restriction.NONE) revert Restricted(reason);
    }

    function _units(address token, string calldata text) private view returns (uint256 amount) {
        amount = text.toUnits(decimalsOf(token));
        if (amount == 0) revert ZeroAmount();
    }

    function _restriction(address token, address from, address to, uint256 amount)
        internal
        view
        returns (uint8)
    {
        if (listingOf(token) == Listing.Issued) {
            return IIssuedToken(token).detectVaultRestriction(from, to, amount);
        }
        if (registry.isFrozen(from)) return Restriction.SENDER_FROZEN;
        if (registry.isFrozen(to)) return Restriction.RECEIVER_FROZEN;
        return Restriction.NONE;
    }
}
