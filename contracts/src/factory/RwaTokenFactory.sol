// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.24;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IIdentityRegistry} from "../interfaces/IIdentityRegistry.sol";
import {Listing} from "../settlement/TokenList.sol";
import {Settlement} from "../settlement/Settlement.sol";
import {RwaToken} from "../token/RwaToken.sol";

/// @notice Everything that is decided about a token when it is issued.
struct TokenTerms {
    string name;
    string symbol;
    uint8 decimals;
    uint256 cap;
    /// Minted into the vault for the issuer; may be zero.
    uint256 initialSupply;
    /// The account that receives the initial supply; it holds tokens, it has no power over them.
    address issuer;
    /// Grants and revokes roles.
    address admin;
    /// Mints and records documents.
    address operator;
    /// Freezes, forces, recovers, burns.
    address enforcer;
    address pauser;
}

/// @title Where tokens are issued
/// @notice One transaction makes the token, lists it, mints the initial supply and hands all power over, so
///         a market has either nothing or everything; asked again for the same market it refuses.
contract RwaTokenFactory is AccessControl {
    bytes32 public constant DEPLOYER_ROLE = keccak256("DEPLOYER_ROLE");

    IIdentityRegistry public immutable registry;
    Settlement public immutable settlement;

    mapping(bytes32 marketId => address token) public tokenOf;

    event TokenDeployed(
        bytes32 indexed marketId, address indexed token, address indexed issuer, uint256 initialSupply
    );

    error ZeroAddress();
    error MarketAlreadyDeployed(bytes32 marketId, address token);
    error IssuerNotVerified(address issuer);

    constructor(IIdentityRegistry registry_, Settlement settlement_, address admin, address deployer) {
        if (address(registry_) == address(0) || address(settlement_) == address(0)) revert ZeroAddress();
        if (admin == address(0) || deployer == address(0)) revert ZeroAddress();
        registry = registry_;
        settlement = settlement_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(DEPLOYER_ROLE, deployer);
    }

    /// @param marketId The market's own id. It is the salt and the reference of the initial mint.
    function deploy(bytes32 marketId, TokenTerms calldata terms)
        external
        onlyRole(DEPLOYER_ROLE)
        returns (RwaToken token)
    {
        if (tokenOf[marketId] != address(0)) revert MarketAlreadyDeployed(marketId, tokenOf[marketId]);
        if (!registry.isVerified(terms.issuer)) revert IssuerNotVerified(terms.issuer);
        token = new RwaToken{salt: marketId}(
            terms.name, terms.symbol, terms.decimals, terms.cap, registry, settlement, address(this)
        );
        tokenOf[marketId] = address(token);
        settlement.listToken(address(token), Listing.Issued);
        if (terms.initialSupply > 0) _mintInitialSupply(token, marketId, terms);
        _handOver(token, terms);
        emit TokenDeployed(marketId, address(token), terms.issuer, terms.initialSupply);
    }

    /// @return Where `deploy` would put this token; other terms give another address.
    function predict(bytes32 marketId, TokenTerms calldata terms) external view returns (address) {
        bytes memory arguments = abi.encode(
            terms.name, terms.symbol, terms.decimals, terms.cap, registry, settlement, address(this)
        );
        bytes32 codeHash = keccak256(abi.encodePacked(type(RwaToken).creationCode, arguments));
        return Create2.computeAddress(marketId, codeHash);
    }

    function _mintInitialSupply(RwaToken token, bytes32 marketId, TokenTerms calldata terms) private {
        token.grantRole(token.MINTER_ROLE(), address(this));
        token.mintToVault(terms.issuer, terms.initialSupply, marketId);
        token.renounceRole(token.MINTER_ROLE(), address(this));
    }

    function _handOver(RwaToken token, TokenTerms calldata terms) private {
        _grant(token, token.DEFAULT_ADMIN_ROLE(), terms.admin);
        _grant(token, token.ISSUER_ROLE(), terms.operator);
        _grant(token, token.MINTER_ROLE(), terms.operator);
        _grant(token, token.ENFORCER_ROLE(), terms.enforcer);
        _grant(token, token.PAUSER_ROLE(), terms.pauser);
        token.renounceRole(token.DEFAULT_ADMIN_ROLE(), address(this));
    }

    /// @dev A role given to nobody could be lost unnoticed.
    function _grant(RwaToken token, bytes32 role, address holder) private {
        if (holder == address(0)) revert ZeroAddress();
        token.grantRole(role, holder);
    }
}
