// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC1404} from "../interfaces/IERC1404.sol";
import {IERC7943Fungible} from "../interfaces/IERC7943Fungible.sol";
import {IIdentityRegistry} from "../interfaces/IIdentityRegistry.sol";
import {IIssuedToken} from "../interfaces/IIssuedToken.sol";
import {IVault} from "../interfaces/IVault.sol";
import {OneTimeReference} from "../OneTimeReference.sol";
import {Documents} from "./Documents.sol";
import {PartialFreeze} from "./PartialFreeze.sol";
import {Restriction} from "./Restriction.sol";
import {TransferRules} from "./TransferRules.sol";

/// @title A share in a real-world asset
/// @notice An ERC-20 token that only verified accounts hold and pass on, and that its enforcer can freeze,
///         move and recover wherever it is, in a wallet or in the vault.
contract RwaToken is
    ERC20,
    AccessControl,
    TransferRules,
    PartialFreeze,
    Documents,
    OneTimeReference,
    IERC1404
{
    bytes32 public constant ISSUER_ROLE = keccak256("ISSUER_ROLE");
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");
    bytes32 public constant ENFORCER_ROLE = keccak256("ENFORCER_ROLE");
    bytes32 public constant PAUSER_ROLE = keccak256("PAUSER_ROLE");

    uint256 public immutable cap;
    uint8 private immutable _decimals;

    event Minted(bytes32 indexed mintReference, address indexed account, uint256 amount, bool intoVault);
    event Burned(bytes32 indexed burnReference, address indexed account, uint256 amount, bool fromVault);
    event Recovered(address indexed from, address indexed to, uint256 amount, uint256 vaulted);

    error ZeroCap();
    error ZeroAmount();
    error CapExceeded(uint256 cap, uint256 supply, uint256 amount);
    error OnlyVault(address caller);
    error DepositRequired();
    error SameAccount(address account);

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_,
        uint256 cap_,
        IIdentityRegistry registry_,
        IVault vault_,
        address admin
    ) ERC20(name_, symbol_) TransferRules(registry_, vault_) {
        if (admin == address(0)) revert ZeroAddress();
        if (cap_ == 0) revert ZeroCap();
        _decimals = decimals_;
        cap = cap_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
    }

    // Supply

    /// @notice Mint into a holder's wallet.
    function mint(address account, uint256 amount, bytes32 mintReference) external onlyRole(MINTER_ROLE) {
        _requireHolder(account);
        _beforeMint(account, amount, mintReference, false);
        _mint(account, amount);
    }

    /// @notice Mint into the vault and have it booked for a holder, in one step.
    function mintToVault(address account, uint256 amount, bytes32 mintReference)
        external
        onlyRole(MINTER_ROLE)
    {
        _requireHolder(account);
        _beforeMint(account, amount, mintReference, true);
        _mint(address(vault), amount);
        vault.creditMint(account, amount, mintReference);
    }

    /// @notice Destroy tokens of a wallet; frozen ones too, as far as the unfrozen do not suffice.
    function burn(address account, uint256 amount, bytes32 burnReference) external onlyRole(ENFORCER_ROLE) {
        _beforeBurn(account, amount, burnReference, false);
        _unfreezeWallet(account, amount);
        _burn(account, amount);
    }

    /// @notice Destroy tokens that the vault keeps for a holder; frozen ones too, as with a wallet.
    function burnFromVault(address account, uint256 amount, bytes32 burnReference)
        external
        onlyRole(ENFORCER_ROLE)
    {
        _beforeBurn(account, amount, burnReference, true);
        _unfreezeVaulted(account, amount);
        _burn(address(vault), amount);
        vault.debitBurn(account, amount, burnReference);
    }

    // Enforcement. It reaches through pauses and freezes, but never gives to who may not hold.

    function pause() external onlyRole(PAUSER_ROLE) {
        _pause();
    }

    function unpause() external onlyRole(PAUSER_ROLE) {
        _unpause();
    }

    /// @inheritdoc IERC7943Fungible
    function setFrozenTokens(address account, uint256 amount)
        external
        onlyRole(ENFORCER_ROLE)
        returns (bool)
    {
        _requireHolder(account);
        _setFrozen(account, amount);
        return true;
    }

    /// @inheritdoc IERC7943Fungible
    /// @dev A transfer to oneself is refused: it would move nothing and thaw what is frozen. Tokens in the
    ///      vault are moved by the vault's own forced move.
    function forcedTransfer(address from, address to, uint256 amount)
        external
        onlyRole(ENFORCER_ROLE)
        returns (bool)
    {
        _requireForcible(from, to);
        _unfreezeWallet(from, amount);
        ERC20._update(from, to, amount);
        emit ForcedTransfer(from, to, amount);
        return true;
    }

    /// @notice Give everything of a lost wallet to its owner's new one: wallet, vault balance, frozen part.
    /// @dev The account freeze is the registry's and is not carried over; the agent decides it beforehand.
    function recover(address from, address to) external onlyRole(ENFORCER_ROLE) {
        _requireForcible(from, to);
        uint256 amount = balanceOf(from);
        _carryFrozen(from, to);
        ERC20._update(from, to, amount);
        emit ForcedTransfer(from, to, amount);
        uint256 vaulted = vault.recoverBalance(from, to);
        emit Recovered(from, to, amount, vaulted);
    }

    /// @inheritdoc IIssuedToken
    function beforeForcedVaultMove(address from, address to, uint256 amount) external {
        if (msg.sender != address(vault)) revert OnlyVault(msg.sender);
        _requireForcible(from, to);
        _unfreezeVaulted(from, amount);
    }

    // Papers

    function setDocument(bytes32 name_, bytes32 uriHash, bytes32 contentHash) external onlyRole(ISSUER_ROLE) {
        _setDocument(name_, uriHash, contentHash);
    }

    // Questions. None looks at its caller: an unsigned call on Sapphire has none.

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    /// @inheritdoc IERC1404
    function detectTransferRestriction(address from, address to, uint256 amount) public view returns (uint8) {
        return _restriction(from, to, amount, _walletUnfrozen(from, balanceOf(from)));
    }

    /// @inheritdoc IERC1404
    function messageForTransferRestriction(uint8 restriction) external pure returns (string memory) {
        return Restriction.message(restriction);
    }

    /// @inheritdoc IIssuedToken
    function detectVaultRestriction(address from, address to, uint256 amount) external view returns (uint8) {
        return _restriction(from, to, amount, _vaultUnfrozen(from, balanceOf(from), _vaulted(from)));
    }

    /// @inheritdoc IERC7943Fungible
    /// @dev Says yes to a transfer into the vault that only a deposit may carry out.
    function canTransfer(address from, address to, uint256 amount) external view returns (bool) {
        uint256 permitted = type(uint256).max;
        if (getFrozenTokens(from) > 0) permitted = _walletUnfrozen(from, balanceOf(from));
        return _restriction(from, to, amount, permitted) == Restriction.NONE;
    }

    /// @inheritdoc IERC7943Fungible
    function canSend(address account) public view returns (bool) {
        return _mayHold(account);
    }

    /// @inheritdoc IERC7943Fungible
    function canReceive(address account) public view returns (bool) {
        return _mayHold(account);
    }

    function supportsInterface(bytes4 interfaceId)
        public
        view
        override(AccessControl, IERC165)
        returns (bool)
    {
        return interfaceId == type(IERC7943Fungible).interfaceId || interfaceId == type(IERC1404).interfaceId
            || interfaceId == type(IERC20).interfaceId || super.supportsInterface(interfaceId);
    }

    // Rules

    /// @dev Every ordinary transfer passes here; force calls ERC20's own routine, mint and burn have checked.
    function _update(address from, address to, uint256 amount) internal override {
        if (from != address(0) && to != address(0)) _requireUnrestricted(from, to, amount);
        super._update(from, to, amount);
    }

    /// @dev Tokens sent to the vault past `deposit` would be booked for nobody and lost to their sender.
    function _requireUnrestricted(address from, address to, uint256 amount) private view {
        if (to == address(vault) && msg.sender != to) revert DepositRequired();
        uint8 restriction = detectTransferRestriction(from, to, amount);
        if (restriction != Restriction.NONE) _refuse(restriction, from, to, amount);
    }

    function _refuse(uint8 restriction, address from, address to, uint256 amount) private view {
        if (restriction == Restriction.PAUSED) revert EnforcedPause();
        if (restriction == Restriction.BALANCE) {
            uint256 balance = balanceOf(from);
            if (amount > balance) revert ERC20InsufficientBalance(from, balance, amount);
            revert ERC7943InsufficientUnfrozenBalance(from, amount, _walletUnfrozen(from, balance));
        }
        if (!canSend(from)) revert ERC7943CannotSend(from);
        revert ERC7943CannotReceive(to);
    }

    /// @dev Zero as sender would make ERC20's routine mint; zero as receiver is never verified.
    function _requireForcible(address from, address to) private view {
        if (from == address(0)) revert ERC20InvalidSender(from);
        if (from == to) revert SameAccount(from);
        _requireHolder(from);
        _requireHolder(to);
        if (!canReceive(to)) revert ERC7943CannotReceive(to);
    }

    function _beforeMint(address account, uint256 amount, bytes32 mintReference, bool intoVault)
        private
        whenNotPaused
    {
        if (amount == 0) revert ZeroAmount();
        if (!canReceive(account)) revert ERC7943CannotReceive(account);
        uint256 supply = totalSupply();
        if (amount > cap - supply) revert CapExceeded(cap, supply, amount);
        _useReference(mintReference);
        emit Minted(mintReference, account, amount, intoVault);
    }

    function _beforeBurn(address account, uint256 amount, bytes32 burnReference, bool fromVault) private {
        _requireHolder(account);
        if (amount == 0) revert ZeroAmount();
        _useReference(burnReference);
        emit Burned(burnReference, account, amount, fromVault);
    }

    function _unfreezeWallet(address account, uint256 amount) private {
        uint256 balance = balanceOf(account);
        if (amount > balance) revert ERC20InsufficientBalance(account, balance, amount);
        _unfreezeForced(account, amount, _walletUnfrozen(account, balance));
    }

    function _unfreezeVaulted(address account, uint256 amount) private {
        uint256 vaulted = _vaulted(account);
        if (amount > vaulted) revert ERC20InsufficientBalance(account, vaulted, amount);
        _unfreezeForced(account, amount, _vaultUnfrozen(account, balanceOf(account), vaulted));
    }

    function _vaulted(address account) private view returns (uint256) {
        return vault.balanceOf(account, address(this));
    }
}
