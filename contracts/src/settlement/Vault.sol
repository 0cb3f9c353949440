// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {IIssuedToken} from "../interfaces/IIssuedToken.sol";
import {IVault} from "../interfaces/IVault.sol";
import {OneTimeReference} from "../OneTimeReference.sol";
import {TokenList} from "./TokenList.sol";

/// @title Tokens kept for accounts
/// @notice While a token is deposited, these balances are its register of holders. For every token the sum
///         of the balances never exceeds what the vault holds of it.
abstract contract Vault is IVault, TokenList, OneTimeReference, ReentrancyGuard {
    using SafeERC20 for IERC20;

    bytes32 public constant ENFORCER_ROLE = keccak256("ENFORCER_ROLE");

    mapping(address token => mapping(address account => uint256)) private _balances;

    /// @notice What the vault owes to all accounts together.
    mapping(address token => uint256) public totalOf;

    event Deposited(address indexed token, address indexed account, uint256 amount);
    event MintCredited(
        bytes32 indexed mintReference, address indexed token, address indexed account, uint256 amount
    );
    event BurnDebited(
        bytes32 indexed burnReference, address indexed token, address indexed account, uint256 amount
    );
    event BalanceRecovered(address indexed token, address indexed from, address indexed to, uint256 amount);
    event ForcedMove(
        bytes32 indexed moveReference, address indexed token, address indexed from, address to, uint256 amount
    );

    error NothingReceived(address token);
    error VaultNotCovered(address token, uint256 owed, uint256 held);
    error InsufficientVaultBalance(address account, address token, uint256 balance, uint256 amount);

    /// @inheritdoc IVault
    function balanceOf(address account, address token) public view returns (uint256) {
        return _balances[token][account];
    }

    /// @notice Deposit tokens the caller has approved.
    function deposit(address token, uint256 amount) external nonReentrant onlyListed(token) {
        _deposit(token, msg.sender, amount);
    }

    /// @inheritdoc IVault
    /// @dev Not inside a deposit: its measured difference would count the minted tokens a second time.
    function creditMint(address account, uint256 amount, bytes32 mintReference)
        external
        nonReentrant
        onlyIssued(msg.sender)
    {
        _credit(msg.sender, account, amount);
        _requireCovered(msg.sender);
        emit MintCredited(mintReference, msg.sender, account, amount);
    }

    /// @inheritdoc IVault
    function debitBurn(address account, uint256 amount, bytes32 burnReference)
        external
        nonReentrant
        onlyIssued(msg.sender)
    {
        _requireBalance(msg.sender, account, amount);
        _debit(msg.sender, account, amount);
        _requireCovered(msg.sender);
        emit BurnDebited(burnReference, msg.sender, account, amount);
    }

    /// @inheritdoc IVault
    function recoverBalance(address from, address to)
        external
        nonReentrant
        onlyIssued(msg.sender)
        returns (uint256 amount)
    {
        amount = balanceOf(from, msg.sender);
        _move(msg.sender, from, to, amount);
        emit BalanceRecovered(msg.sender, from, to, amount);
    }

    /// @notice Move an account's balance of an issued token without its consent.
    /// @dev Pauses and freezes do not stop it. The token first unfreezes what the move takes.
    function forcedMove(address token, address from, address to, uint256 amount, bytes32 moveReference)
        external
        nonReentrant
        onlyRole(ENFORCER_ROLE)
        onlyIssued(token)
    {
        _useReference(moveReference);
        _requireBalance(token, from, amount);
        IIssuedToken(token).beforeForcedVaultMove(from, to, amount);
        _move(token, from, to, amount);
        emit ForcedMove(moveReference, token, from, to, amount);
    }

    /// @dev Books what arrives, not what was asked for: a token may keep a fee.
    function _deposit(address token, address account, uint256 amount) internal returns (uint256 received) {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(account, address(this), amount);
        received = IERC20(token).balanceOf(address(this)) - before;
        if (received == 0) revert NothingReceived(token);
        _credit(token, account, received);
        emit Deposited(token, account, received);
    }

    /// @dev Callers have made sure of the balance; should one forget, the subtraction itself reverts.
    function _move(address token, address from, address to, uint256 amount) internal {
        _balances[token][from] -= amount;
        _balances[token][to] += amount;
    }

    /// @dev As with a move.
    function _debit(address token, address account, uint256 amount) internal {
        totalOf[token] -= amount;
        _balances[token][account] -= amount;
    }

    function _requireBalance(address token, address account, uint256 amount) internal view {
        uint256 balance = _balances[token][account];
        if (amount > balance) revert InsufficientVaultBalance(account, token, balance, amount);
    }

    function _requireCovered(address token) internal view {
        uint256 held = IERC20(token).balanceOf(address(this));
        if (totalOf[token] > held) revert VaultNotCovered(token, totalOf[token], held);
    }

    function _credit(address token, address account, uint256 amount) private {
        totalOf[token] += amount;
        _balances[token][account] += amount;
    }
}
